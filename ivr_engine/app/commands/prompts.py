"""`ivr prompts`: what is recorded, what is missing, and the script for a speaker; `ivr prompts build` makes it."""

from __future__ import annotations

import argparse
import pathlib

from ivr_engine.adapters.voice.report import PromptReport
from ivr_engine.app.commands.common import FINE, FOUND, Subparsers, say, settings
from ivr_engine.app.prepare import Narrator, build_prompts
from ivr_engine.speech.catalogue import Catalogue


def add(commands: Subparsers) -> None:
    """Add the parser."""
    parser = commands.add_parser("prompts", help="list missing and orphaned recordings, print the recording script")
    parser.add_argument(
        "do", nargs="?", choices=["report", "build"], default="report", help="build makes what is missing"
    )
    parser.add_argument("--into", type=pathlib.Path, help="the folder of the recordings (default: in the state folder)")
    parser.add_argument("--format", choices=["text", "csv", "json"], default="text", help="csv is for a speaker")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Report or build; 1 when something is missing."""
    given = settings()
    into = arguments.into or given.sounds_dir
    if arguments.do == "build":
        narrator = Narrator()
        narrator.begin("recordings")
        narrator.done(build_prompts(given.prompts_dir, into, narrator))
        return FINE
    report = PromptReport.make(Catalogue.load(given.prompts_dir), given.prompts_dir, into)
    say({"text": report.as_text, "csv": report.as_csv, "json": report.as_json}[arguments.format]())
    return FOUND if report.missing_audio else FINE
