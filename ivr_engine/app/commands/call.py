"""`ivr call`: place a real test call to a running hotline and print what was heard."""

from __future__ import annotations

import argparse
import asyncio
import json
import pathlib
from collections.abc import Mapping, Sequence
from typing import Final

from ivr_engine.adapters.bank.demo import demo_pins
from ivr_engine.app.commands.common import COULD_NOT, FINE, FOUND, Subparsers, add_json, complain, say, settings, shown
from ivr_engine.app.secrets_file import load_or_make
from ivr_engine.app.settings import PROJECT, Settings
from ivr_engine.flow.findings import did_you_mean
from ivr_engine.speech.catalogue import Catalogue
from ivr_engine.testcaller.follow import CallReport, follow
from ivr_engine.testcaller.phone import Phone, Target
from ivr_engine.testcaller.recordings import PromptName, Recordings
from ivr_engine.testcaller.script import CallScript, ScriptError
from ivr_engine.values.language import Language
from ivr_engine.values.secret import SecretDigits

SCRIPTS: Final = PROJECT / "tests" / "conversations"


def add(commands: Subparsers) -> None:
    """Add the parsers of `call` and `test`, which are one and many of the same."""
    call = commands.add_parser("call", help="place a test call to the running hotline, and print the dialogue")
    call.add_argument("script", help="a call script: a file, or a name in tests/conversations")
    add_json(call)
    call.set_defaults(run=run)
    test = commands.add_parser("test", help="place every call script of a folder, and say which went as written")
    test.add_argument("folder", nargs="?", type=pathlib.Path, default=SCRIPTS)
    test.set_defaults(run=run_all)


def run(arguments: argparse.Namespace) -> int:
    """Place one call; 1 when it did not go as written, 2 when it could not be placed."""
    path = _script_path(arguments.script)
    if path is None:
        names = [script.stem for script in SCRIPTS.glob("*.yaml")]
        complain(f"there is no call script '{arguments.script}': {did_you_mean(arguments.script, names)}")
        return COULD_NOT
    given = settings()
    try:
        (report,) = asyncio.run(_place([path], given))
    except (ScriptError, OSError) as error:
        complain(f"ivr: {error}")
        return COULD_NOT
    say(_as_json(report) if arguments.json else report.transcript(_texts(given)))
    if report.answered_s is None:
        complain(f"nobody answered at {given.sip_bind}:{given.sip_port}; is the hotline running (`make run`)?")
        return COULD_NOT
    return FINE if report.failure is None else FOUND


def run_all(arguments: argparse.Namespace) -> int:
    """Place every call of the folder, one after the other."""
    paths = sorted(arguments.folder.glob("*.yaml"))
    if not paths:
        complain(f"there is no call script in {arguments.folder}")
        return COULD_NOT
    try:
        reports = asyncio.run(_place(paths, settings()))
    except (ScriptError, OSError) as error:
        complain(f"ivr: {error}")
        return COULD_NOT
    for path, report in zip(paths, reports, strict=True):
        verdict = "ok    " if report.failure is None else "FAILED"
        say(f"{verdict}  {shown(path)}  {report.lasted_s:.1f} s  {report.title}")
        if report.failure is not None:
            say(f"        {report.failure}")
    failed = sum(report.failure is not None for report in reports)
    say(f"{len(reports) - failed} passed, {failed} failed")
    return FOUND if failed else FINE


async def _place(paths: Sequence[pathlib.Path], given: Settings) -> list[CallReport]:
    scripts = [CallScript.load(path) for path in paths]
    key = bytes.fromhex(load_or_make(given.state_dir, given.agents).pin_key)
    secrets = {f"pin {number}": SecretDigits(pin.encode()) for number, pin in demo_pins(key).items()}
    async with Phone.at(Target(given.sip_bind, given.sip_port), Recordings.load(given.sounds_dir)) as phone:
        return [await follow(script, phone, secrets=secrets) for script in scripts]


def _script_path(name: str) -> pathlib.Path | None:
    for path in (pathlib.Path(name), SCRIPTS / f"{name}.yaml"):
        if path.is_file():
            return path
    return None


def _texts(given: Settings) -> Mapping[PromptName, str]:
    catalogue = Catalogue.load(given.prompts_dir)
    return {
        PromptName(language, prompt): catalogue.text(language, prompt)
        for language in Language
        for prompt in catalogue.ids(language)
    }


def _as_json(report: CallReport) -> str:
    heard = [
        {"prompt": str(stretch.name), "kind": stretch.kind.value, "complete": stretch.complete, "ms": stretch.heard_ms}
        for stretch in report.heard
    ]
    facts = {
        "title": report.title,
        "failure": report.failure,
        "answered_s": report.answered_s,
        "lasted_s": report.lasted_s,
        "ended_by": report.ended_by,
        "heard": heard,
        "gaps_ms": report.gaps_ms,
        "barge_ins_ms": [cut.latency_ms for cut in report.barge_ins],
        "unknown_ms": report.unknown_ms,
    }
    return json.dumps(facts, ensure_ascii=False, indent=1, default=str)
