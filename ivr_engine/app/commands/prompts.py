"""`ivr prompts`: what is recorded, what is missing, and the script for a speaker; `ivr prompts build` makes it."""

from __future__ import annotations

import argparse
import pathlib
from collections.abc import Sequence

from ivr_engine.adapters.voice.report import PromptReport
from ivr_engine.app.commands.common import COULD_NOT, FINE, FOUND, Subparsers, say, settings
from ivr_engine.app.commands.one_flow import SAID_BY_THE_ENGINE, sound_library
from ivr_engine.app.flow_world import read_messages
from ivr_engine.app.prepare import Narrator, build_prompts
from ivr_engine.flow.impact import names_used
from ivr_engine.flow.messages import Messages
from ivr_engine.flow.uses import MESSAGES, PROMPTS
from ivr_engine.speech.catalogue import Catalogue
from ivr_engine.values.language import Language


def add(commands: Subparsers) -> None:
    """Add the parser."""
    parser = commands.add_parser("prompts", help="list missing and orphaned recordings, print the recording script")
    parser.add_argument(
        "do", nargs="?", choices=["report", "build"], default="report", help="build makes what is missing"
    )
    parser.add_argument("--into", type=pathlib.Path, help="the folder of the recordings (default: in the state folder)")
    parser.add_argument("--unused", action="store_true", help="list only prompts that no flow and no read-out uses")
    parser.add_argument("--format", choices=["text", "csv", "json"], default="text", help="csv is for a speaker")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Report or build; 1 when something is missing, or not used where that was asked for."""
    given = settings()
    into = arguments.into or given.sounds_dir
    if arguments.do == "build":
        narrator = Narrator()
        narrator.begin("recordings")
        narrator.done(build_prompts(given.prompts_dir, into, narrator))
        return FINE
    used, left_over = None, list[str]()
    messages = read_messages(given)
    if arguments.unused:
        library = sound_library(given)
        if library is None:
            return COULD_NOT
        used = SAID_BY_THE_ENGINE | names_used(library, PROMPTS)
        left_over = sorted(messages.ids() - names_used(library, MESSAGES))
    report = PromptReport.make(Catalogue.load(given.prompts_dir), given.prompts_dir, into, used=used)
    if arguments.unused:
        report = report.only_unused()
    if arguments.unused and not report.unused_texts and not left_over and arguments.format == "text":
        say("every prompt is used by a flow or by a read-out, and every message by a flow")
        return FINE
    say({"text": report.as_text, "csv": report.as_csv, "json": report.as_json}[arguments.format]())
    if arguments.format == "text":
        say(_messages(messages, left_over if arguments.unused else None))
    return FOUND if report.missing_audio or report.unused_texts or left_over or messages.findings else FINE


def _messages(messages: Messages, only: Sequence[str] | None) -> str:
    """Return the messages with their languages and placeholders, or those only that no flow sends; and mistakes."""
    names = sorted(messages.ids()) if only is None else list(only)
    head = f"messages to customers: {len(names)}" if only is None else f"messages that no flow sends: {len(names)}"
    lines = [head]
    for name in names:
        languages = [language for language in Language if messages.has(language, name)]
        placeholders = sorted(messages.message(languages[0], name).all_placeholders)
        shown = ", ".join(f"{{{placeholder}:{form}}}" for placeholder, form in placeholders)
        lines.append(f"  {name} ({', '.join(languages)}){': ' * bool(shown)}{shown}")
    return "\n".join([*lines, *(finding.render() for finding in messages.findings)])
