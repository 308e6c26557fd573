"""`ivr callbacks`: who waits to be called back: list them in their order, mark them as called."""

from __future__ import annotations

import argparse
import asyncio

from ivr_engine.adapters.store.left_behind import CallbackRecord
from ivr_engine.app.commands.common import COULD_NOT, FINE, Subparsers, complain, say, settings
from ivr_engine.app.commands.left import Row, add_list, at, left_behind, show
from ivr_engine.app.settings import Settings


def add(commands: Subparsers) -> None:
    """Add the parser."""
    parser = commands.add_parser("callbacks", help="who waits to be called back, in the order of their places")
    add_list(parser)
    parser.set_defaults(run=run, do="list")
    deeds = parser.add_subparsers(metavar="DO")
    done = deeds.add_parser("done", help="mark a caller as called back")
    done.add_argument("callback", help="its id")
    done.set_defaults(run=run, do="done")


def run(arguments: argparse.Namespace) -> int:
    """Do one of the two; raises `DatabaseUnavailableError`."""
    given = settings()
    return asyncio.run(_done(arguments.callback, given) if arguments.do == "done" else _list(arguments, given))


async def _list(arguments: argparse.Namespace, given: Settings) -> int:
    async with left_behind(given) as left:
        found = await left.callbacks(everything=arguments.all)
    show([_row(callback, given) for callback in found], as_json=arguments.json, none="nobody waits to be called back")
    return FINE


def _row(callback: CallbackRecord, given: Settings) -> Row:
    return {
        "id": callback.id,
        "place": at(callback.queued_at, given),
        "asked": at(callback.asked_at, given),
        "queue": callback.queue,
        "number": callback.number,
        "customer": callback.customer,
        "state": callback.state.value,
        "call": callback.call,
    }


async def _done(callback: str, given: Settings) -> int:
    async with left_behind(given) as left:
        if not await left.callback_done(callback):
            complain(f"ivr: nobody waits under '{callback}'; see ivr callbacks --all")
            return COULD_NOT
    say(f"{callback} is done")
    return FINE
