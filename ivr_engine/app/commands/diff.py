"""`ivr diff`: what a change of flows means to callers."""

from __future__ import annotations

import argparse
import contextlib
import json
import pathlib
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from ivr_engine.adapters.revisions import lay_out
from ivr_engine.app.commands.common import (
    COULD_NOT,
    FINE,
    FOUND,
    Subparsers,
    add_json,
    complain,
    print_findings,
    say,
    settings,
    shown,
)
from ivr_engine.app.flow_world import flow_world
from ivr_engine.app.settings import Settings
from ivr_engine.flow.difference import NO_PROMPT, Change, Words, differences
from ivr_engine.flow.library import load_library
from ivr_engine.flow.model import Library
from ivr_engine.speech.catalogue import Catalogue
from ivr_engine.values.language import Language

PROMPTS_FOLDER: Final = "prompts"
"""The folder of prompts that stands beside one of flows, as in this project."""


def add(commands: Subparsers) -> None:
    """Add the parser."""
    parser = commands.add_parser(
        "diff",
        help="say what a change of flows means to callers: keys, seconds, menus, prompts",
        epilog="Exit status: 0 callers notice nothing, 1 something differs, 2 the flows could not be compared.",
    )
    parser.add_argument(
        "folders",
        nargs="*",
        type=pathlib.Path,
        metavar="OLD NEW",
        help="two folders of flows; the prompts beside them count",
    )
    parser.add_argument("--git", metavar="REV", help="compare flows_dir and prompts_dir with what git has: HEAD, main")
    add_json(parser)
    parser.set_defaults(run=run)


@dataclass(frozen=True, slots=True)
class _Side:
    """One of the two states that are compared."""

    library: Library
    prompts: Catalogue


def run(arguments: argparse.Namespace) -> int:
    """Compare; 1 when something differs, 2 when one of the two cannot be called."""
    folders: list[pathlib.Path] = arguments.folders
    if len(folders) != (0 if arguments.git else 2):
        complain("name two folders of flows, or --git and a revision and no folder")
        return COULD_NOT
    given = settings()
    with contextlib.ExitStack() as stack:
        if arguments.git:
            earlier = pathlib.Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="ivr-")))
            old = _at_revision(given, arguments.git, earlier)
            new = _side(shown(given.flows_dir), given.prompts_dir, given)
        else:
            old, new = (_side(folder, _prompts_of(folder, given), given) for folder in folders)
    if old is None or new is None:
        return COULD_NOT
    words = _words(old.prompts), _words(new.prompts)
    changes = differences(old.library, new.library, given.default_language, words)
    if arguments.json:
        rows = [_as_row(change) for change in changes]
        say(json.dumps({"changes": rows}, ensure_ascii=False, indent=1))
    else:
        say("\n".join(_lines(changes)) or "callers notice nothing")
    return FOUND if changes else FINE


def _prompts_of(folder: pathlib.Path, given: Settings) -> pathlib.Path:
    """Return the prompts that belong to a folder of flows: those beside it, or else those that calls use now."""
    beside = folder.resolve().parent / PROMPTS_FOLDER
    return beside if any(beside.glob("*.yaml")) else given.prompts_dir


def _at_revision(given: Settings, revision: str, into: pathlib.Path) -> _Side | None:
    flows, prompts = into / "flows", into / "prompts"
    lay_out(given.flows_dir, revision, flows)
    lay_out(given.prompts_dir, revision, prompts)
    return _side(flows, prompts, given)


def _side(folder: pathlib.Path, prompts: pathlib.Path, given: Settings) -> _Side | None:
    """Return one state, or None after saying what is wrong with it; a prompt that is missing is a difference."""
    catalogue = Catalogue.load(prompts, with_gaps=True)
    library = load_library(folder, flow_world(given, catalogue))
    wrong = [finding for finding in library.findings if finding.code not in NO_PROMPT]
    if wrong:
        print_findings(wrong, as_json=False)
        return None
    return _Side(library, catalogue)


def _words(catalogue: Catalogue) -> Words:
    def words(language: Language, prompt: str) -> str | None:
        return catalogue.text(language, prompt) if catalogue.has(language, prompt) else None

    return words


def _lines(changes: Sequence[Change]) -> Iterator[str]:
    topic = None
    for change in changes:
        if change.topic is not topic:
            topic = change.topic
            yield f"{topic.value}:"
        place = f"{change.flow}: " if change.flow else ""
        yield f"  {place}{change.words}{_beside(change)}"


def _beside(change: Change) -> str:
    """Return what was and is there, where the words do not say it themselves."""
    told = [text for text in (change.old, change.new) if text and text not in change.words]
    if not told:
        return ""
    if change.old and change.new:
        return f": {change.old} → {change.new}"
    return f": {told[0]}" if change.new else f": no longer {told[0]}"


def _as_row(change: Change) -> dict[str, str]:
    return {
        "topic": change.topic.name.lower(),
        "flow": change.flow,
        "step": change.step,
        "words": str(change.words),
        "old": change.old,
        "new": change.new,
    }
