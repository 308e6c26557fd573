"""`ivr play`: live a call through in the terminal, without a telephone."""

from __future__ import annotations

import argparse
import pathlib
import sys

from ivr_engine.app.commands.common import COULD_NOT, FINE, Subparsers, complain, say, settings
from ivr_engine.app.commands.one_flow import library_with
from ivr_engine.app.settings import Settings
from ivr_engine.flow.call import QueueOutcome
from ivr_engine.flow.library import TEST_SUFFIX
from ivr_engine.simulator.play import KEYS_HELP, Scene, lines_of, play_now
from ivr_engine.simulator.saving import Recorder
from ivr_engine.speech.catalogue import Catalogue
from ivr_engine.values.language import Language


def add(commands: Subparsers) -> None:
    """Add the parser."""
    parser = commands.add_parser(
        "play",
        help="live a call through in the terminal: read what a caller hears, type what they press",
        epilog=f"Type {KEYS_HELP}. The bank is a sample: customer 620001, PIN 246810.",
    )
    parser.add_argument("flow", nargs="?", help="the first flow (default: first_flow)")
    parser.add_argument("--keys", help="keys typed in turn, apart by commas: 3,1,620001#,246810,1")
    parser.add_argument("--language", type=Language, choices=list(Language), help="spoken before the caller chooses")
    parser.add_argument("--agents", type=QueueOutcome, choices=list(QueueOutcome), default=QueueOutcome.ANSWERED)
    parser.add_argument("--asks-secret", action="store_true", help="the agent presses *7 in the talk, once")
    parser.add_argument("--steps", action="store_true", help="show each step and its outcome")
    parser.add_argument("--save", type=pathlib.Path, metavar="FILE", help="write the played call as a test")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Play one call, and save it as a test where that is asked for."""
    given = settings()
    flow = arguments.flow or given.first_flow
    save: pathlib.Path | None = arguments.save
    if save is not None and (wrong := _cannot_save(save, arguments.language, given)):
        complain(wrong)
        return COULD_NOT
    recorder = Recorder() if save is not None else None
    library = library_with(given, flow)
    if library is None:
        return COULD_NOT
    scene = Scene(
        library,
        Catalogue.load(given.prompts_dir),
        first_flow=flow,
        language=arguments.language or given.default_language,
        agents=arguments.agents,
        show_steps=arguments.steps,
        recorder=recorder,
        zone=given.zone,
        asks_secret=arguments.asks_secret,
    )
    ask = lines_of(arguments.keys, say) if arguments.keys is not None else _typed
    play_now(scene, ask=ask, write=say)
    if save is not None and recorder is not None:
        agents = [] if scene.agents is QueueOutcome.ANSWERED else [f"agents: {scene.agents.value}"]
        agents += ["asks secret: yes"] if scene.asks_secret else []
        title = f"A call as it was played: {save.name.removesuffix(TEST_SUFFIX).replace('_', ' ')}"
        save.write_text(recorder.as_test(title, flow, agents), encoding="utf-8")
        say(f"  (saved as {save}; ivr test {save})")
    return FINE


def _cannot_save(file: pathlib.Path, language: Language | None, given: Settings) -> str | None:
    """Return why the call could not be saved as a test that passes, or None."""
    if not file.name.endswith(TEST_SUFFIX):
        return f"the name of a test ends in {TEST_SUFFIX}: write for example --save {file.stem}{TEST_SUFFIX}"
    if file.exists():
        return f"there is a file {file} already"
    if language not in (None, given.default_language):
        return f"a test begins in the hotline's own language, {given.default_language.value}: leave --language away"
    return None


def _typed() -> str | None:
    sys.stdout.write("> ")
    sys.stdout.flush()
    line = sys.stdin.readline()
    return line.rstrip("\n") if line else None
