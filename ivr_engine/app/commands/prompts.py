"""`ivr prompts`: what is recorded, what is missing, and the script for a speaker; `ivr prompts build` makes it."""

from __future__ import annotations

import argparse
import pathlib

from ivr_engine.adapters.voice.report import PromptReport
from ivr_engine.app.commands.common import COULD_NOT, FINE, FOUND, Subparsers, say, settings
from ivr_engine.app.commands.one_flow import SAID_BY_THE_ENGINE, sound_library
from ivr_engine.app.prepare import Narrator, build_prompts
from ivr_engine.flow.impact import names_used
from ivr_engine.flow.uses import PROMPTS
from ivr_engine.speech.catalogue import Catalogue


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
    used = None
    if arguments.unused:
        library = sound_library(given)
        if library is None:
            return COULD_NOT
        used = SAID_BY_THE_ENGINE | names_used(library, PROMPTS)
    report = PromptReport.make(Catalogue.load(given.prompts_dir), given.prompts_dir, into, used=used)
    if arguments.unused:
        report = report.only_unused()
    if arguments.unused and not report.unused_texts and arguments.format == "text":
        say("every prompt is used by a flow or by a read-out")
        return FINE
    say({"text": report.as_text, "csv": report.as_csv, "json": report.as_json}[arguments.format]())
    return FOUND if report.missing_audio or report.unused_texts else FINE
