"""`ivr messages`: the voice messages that callers have left: list them, hear them, mark them as dealt with."""

from __future__ import annotations

import argparse
import asyncio
import pathlib

from ivr_engine.adapters.store.left_behind import MessageRecord
from ivr_engine.app.commands.common import COULD_NOT, FINE, Subparsers, complain, say, settings, shown
from ivr_engine.app.commands.left import Row, add_list, at, files_of, left_behind, show
from ivr_engine.app.settings import Settings


def add(commands: Subparsers) -> None:
    """Add the parser."""
    parser = commands.add_parser("messages", help="the voice messages that callers have left")
    add_list(parser)
    parser.set_defaults(run=run, do="list")
    deeds = parser.add_subparsers(metavar="DO")
    export = deeds.add_parser("export", help="write a message as a WAV file, to hear it")
    export.add_argument("message", help="its id")
    export.add_argument("--out", type=pathlib.Path, metavar="FILE", help="the file (default: ID.wav)")
    export.set_defaults(run=run, do="export")
    done = deeds.add_parser("done", help="mark a message as dealt with; what was said is deleted, the row stays")
    done.add_argument("message", help="its id")
    done.set_defaults(run=run, do="done")


def run(arguments: argparse.Namespace) -> int:
    """Do one of the three; raises `DatabaseUnavailableError`."""
    given = settings()
    if arguments.do == "export":
        return _export(arguments.message, arguments.out, given)
    return asyncio.run(_done(arguments.message, given) if arguments.do == "done" else _list(arguments, given))


async def _list(arguments: argparse.Namespace, given: Settings) -> int:
    async with left_behind(given) as left:
        found = await left.messages(everything=arguments.all)
    show([_row(message, given) for message in found], as_json=arguments.json, none="no new messages")
    return FINE


def _row(message: MessageRecord, given: Settings) -> Row:
    return {
        "id": message.id,
        "recorded": at(message.recorded_at, given),
        "box": message.box,
        "caller": message.caller,
        "customer": message.customer,
        "seconds": round(message.milliseconds / 1000),
        "state": message.state.value,
        "call": message.call,
    }


def _export(message: str, out: pathlib.Path | None, given: Settings) -> int:
    to = out or pathlib.Path(f"{pathlib.PurePath(message).name}.wav")
    try:
        files_of(given).export(message, to)
    except FileExistsError:
        complain(f"ivr: there is a file {shown(to)} already")
        return COULD_NOT
    except FileNotFoundError:
        complain(f"ivr: there is no message '{message}' whose words are kept; see ivr messages")
        return COULD_NOT
    except OSError as error:
        complain(f"ivr: the message cannot be written to {shown(to)}: {error.strerror}")
        return COULD_NOT
    say(f"written: {shown(to)}")
    return FINE


async def _done(message: str, given: Settings) -> int:
    async with left_behind(given) as left:
        if not await left.message_done(message):
            complain(f"ivr: there is no new message '{message}'; see ivr messages --all")
            return COULD_NOT
    await asyncio.to_thread(files_of(given).remove, message)
    say(f"{message} is done")
    return FINE
