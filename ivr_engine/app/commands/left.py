"""What `ivr messages` and `ivr callbacks` share: lists for staff, as a table or JSON.

Knows how a list is shown. Must not know the tables.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from zoneinfo import ZoneInfo

from ivr_engine.adapters.store.database import Database
from ivr_engine.adapters.store.left_behind import LeftBehind
from ivr_engine.adapters.store.message_files import MessageFiles
from ivr_engine.app.commands.common import add_json, say
from ivr_engine.app.settings import Settings
from ivr_engine.values.clock import SystemClock

Row = Mapping[str, str | int | None]


def add_list(parser: argparse.ArgumentParser) -> None:
    """Let the list be of everything, and be read by machines."""
    parser.add_argument("--all", action="store_true", help="also those that are done, the newest first")
    add_json(parser)


@asynccontextmanager
async def left_behind(given: Settings) -> AsyncIterator[LeftBehind]:
    """Open what was left behind; its methods raise `DatabaseUnavailableError`."""
    database = Database(given.database)
    try:
        yield LeftBehind(database, SystemClock())
    finally:
        await database.close()


def files_of(given: Settings) -> MessageFiles:
    """Return the files of messages."""
    return MessageFiles(given.messages_dir, most_bytes=given.messages_mb * 1_000_000)


def at(moment: datetime | None, given: Settings) -> str:
    """Return a moment as the hotline's clock showed it."""
    return "" if moment is None else moment.astimezone(ZoneInfo(given.zone)).strftime("%Y-%m-%d %H:%M")


def show(rows: Sequence[Row], *, as_json: bool, none: str) -> None:
    """Print a list: one line each, the id first."""
    if as_json:
        say(json.dumps(rows, ensure_ascii=False, indent=1))
        return
    if not rows:
        say(none)
        return
    names = list(rows[0])
    lines = [names, *([str(row[name] if row[name] is not None else "-") or "-" for name in names] for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(names))]
    for line in lines:
        say("  ".join(text.ljust(width) for text, width in zip(line, widths, strict=True)).rstrip())
