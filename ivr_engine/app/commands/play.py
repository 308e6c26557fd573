"""`ivr play`: live a call through in the terminal, without a telephone."""

from __future__ import annotations

import argparse
import sys

from ivr_engine.app.commands.common import COULD_NOT, FINE, Subparsers, say, settings
from ivr_engine.app.commands.one_flow import library_with
from ivr_engine.flow.call import QueueOutcome
from ivr_engine.simulator.play import KEYS_HELP, Scene, lines_of, play_now
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
    parser.add_argument("--steps", action="store_true", help="show each step and its outcome")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Play one call."""
    given = settings()
    flow = arguments.flow or given.first_flow
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
    )
    ask = lines_of(arguments.keys, say) if arguments.keys is not None else _typed
    play_now(scene, ask=ask, write=say)
    return FINE


def _typed() -> str | None:
    sys.stdout.write("> ")
    sys.stdout.flush()
    line = sys.stdin.readline()
    return line.rstrip("\n") if line else None
