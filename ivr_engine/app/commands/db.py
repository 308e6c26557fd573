"""`ivr db`: the database: is it there, bring it up to date, put demonstration customers in."""

from __future__ import annotations

import argparse
import asyncio

from ivr_engine.adapters.bank.demo import CUSTOMERS, seed_demo
from ivr_engine.adapters.store.database import Database
from ivr_engine.adapters.store.migrate import upgrade
from ivr_engine.app.commands.common import FINE, Subparsers, say, settings
from ivr_engine.app.prepare import ask_database
from ivr_engine.app.secrets_file import load_or_make
from ivr_engine.app.settings import Settings
from ivr_engine.app.state_lock import make_state_folder
from ivr_engine.values.clock import SystemClock


def add(commands: Subparsers) -> None:
    """Add the parser."""
    parser = commands.add_parser("db", help="check the database, bring it up to date, add demonstration customers")
    parser.add_argument("do", choices=["check", "upgrade", "demo"])
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Do one of the three; raises `DatabaseUnavailableError`."""
    given = settings()
    make_state_folder(given.state_dir)
    return asyncio.run(_do(arguments.do, given))


async def _do(what: str, given: Settings) -> int:
    await ask_database(given)
    if what == "upgrade":
        await upgrade(given.database)
        say("the database is up to date")
        return FINE
    if what == "check":
        say("the database answers")
        return FINE
    database = Database(given.database)
    try:
        secrets = load_or_make(given.state_dir, given.agents)
        pins = await seed_demo(database, bytes.fromhex(secrets.pin_key), clock=SystemClock())
    finally:
        await database.close()
    for customer in CUSTOMERS:
        say(f"{customer.number}  {pins[customer.number]}  {customer.name}")
    return FINE
