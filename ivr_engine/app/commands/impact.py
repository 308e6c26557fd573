"""`ivr impact`: which flows are touched when a prompt, an operation, a queue or a flow is changed."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator

from ivr_engine.app.commands.common import COULD_NOT, FINE, Subparsers, add_json, complain, say, settings
from ivr_engine.app.commands.one_flow import SAID_BY_THE_ENGINE, sound_library
from ivr_engine.app.flow_world import flow_world
from ivr_engine.flow.findings import did_you_mean
from ivr_engine.flow.impact import SORT_WORDS, Impact, impacts, known_names
from ivr_engine.flow.uses import PROMPTS
from ivr_engine.speech.grammars import required_prompts
from ivr_engine.values.language import Language


def add(commands: Subparsers) -> None:
    """Add the parser."""
    parser = commands.add_parser(
        "impact", help="say which flows use a prompt, a message, an operation, a queue or a flow, and where"
    )
    parser.add_argument("name", help="for example welcome, balance, service or library/sign_in")
    add_json(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Print who uses the name; 2 when there is nothing of this name."""
    given = settings()
    library = sound_library(given)
    if library is None:
        return COULD_NOT
    world = flow_world(given)
    found = impacts(library, world, arguments.name)
    if not found:
        known = {name for names in known_names(library, world).values() for name in names}
        complain(f"there is nothing called '{arguments.name}': {did_you_mean(arguments.name, known)}")
        return COULD_NOT
    if arguments.json:
        rows = [_as_row(impact) for impact in found]
        say(json.dumps({"impacts": rows}, ensure_ascii=False, indent=1))
    else:
        say("\n\n".join("\n".join(_lines(impact)) for impact in found))
    return FINE


def _lines(impact: Impact) -> Iterator[str]:
    elsewhere = _elsewhere(impact)
    count = len(impact.used_by)
    steps = f"used by {count} step{'' if count == 1 else 's'}" if count else "used by no flow"
    yield f"{SORT_WORDS.get(impact.sort, impact.sort)} {impact.name}: {steps}"
    for use in impact.used_by:
        yield f"  {use.place}  {use.step} ({use.word}) in {use.flow}"
    for first, way in impact.reached_from.items():
        yield f"  calls that begin with {first} reach it" + (f": {' > '.join(way)}" if len(way) > 1 else "")
    if count and not impact.reached_from:
        yield "  no call reaches it: no first flow runs these flows"
    for words in elsewhere:
        yield f"  {words}"


def _elsewhere(impact: Impact) -> list[str]:
    """Say who uses a prompt besides the flows."""
    if impact.sort != PROMPTS:
        return []
    words = []
    read_out = [language.value for language in Language if impact.name in required_prompts(language)]
    if read_out:
        words.append(f"part of numbers, money, dates or times that are read out in {', '.join(read_out)}")
    if impact.name in SAID_BY_THE_ENGINE:
        words.append("said by the engine itself, before it hands a caller to a human")
    return words


def _as_row(impact: Impact) -> dict[str, object]:
    uses = [
        {
            "flow": use.flow,
            "step": use.step,
            "word": use.word,
            "file": use.place.file,
            "line": use.place.line,
            "column": use.place.column,
        }
        for use in impact.used_by
    ]
    return {
        "sort": SORT_WORDS.get(impact.sort, impact.sort),
        "name": impact.name,
        "used_by": uses,
        "reached_from": {first: list(way) for first, way in impact.reached_from.items()},
        "elsewhere": _elsewhere(impact),
    }
