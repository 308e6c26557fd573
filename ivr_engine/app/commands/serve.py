"""`ivr serve`: run the hotline until Ctrl-C."""

from __future__ import annotations

import argparse
import asyncio
import pathlib
import signal
from collections.abc import Mapping
from typing import Final

from ivr_engine.adapters.asterisk.process import AsteriskProcess
from ivr_engine.adapters.bank.demo import CUSTOMERS
from ivr_engine.app import logs
from ivr_engine.app.commands.common import COULD_NOT, FINE, Subparsers, complain, settings, shown
from ivr_engine.app.prepare import Narrator, Prepared, prepare
from ivr_engine.app.settings import AsteriskMode, Settings
from ivr_engine.app.state_lock import state_lock
from ivr_engine.app.supervisor import Supervisor
from ivr_engine.values.ids import CustomerNumber

SAMPLE_TEST: Final = "balance_en"
"""The test of the flows that newcomers are told to place as a first call."""


def add(commands: Subparsers) -> None:
    """Add the parser."""
    parser = commands.add_parser("serve", help="run the hotline until Ctrl-C")
    parser.add_argument("--prepare-only", action="store_true", help="make everything ready, start nothing")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Prepare, run, stop."""
    given = settings()
    logs.set_up(given.log_level)
    with state_lock(given.state_dir):
        return asyncio.run(_serve(given, prepare_only=arguments.prepare_only))


async def _serve(given: Settings, *, prepare_only: bool) -> int:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    narrator = Narrator()
    prepared = await prepare(given, narrator)
    if prepare_only or stop.is_set():
        return FINE
    asterisk = _asterisk(given, prepared)
    if asterisk is not None:
        narrator.begin("Asterisk starts")
        await asterisk.start()
        narrator.done(
            "taken over, it was running" if asterisk.adopted else f"listens on {given.sip_bind}:{given.sip_port}"
        )
        for warning in asterisk.warnings:
            complain(f"  ! {warning}")
    group = asterisk.group_id if asterisk is not None else None
    supervisor = Supervisor(
        pathlib.Path.cwd(), asterisk_group=group, on_ready=lambda: complain(_welcome(given, prepared.demo_pins))
    )
    try:
        async with asyncio.TaskGroup() as tasks:
            watching = tasks.create_task(_watch(asterisk, stop))
            try:
                await supervisor.run(stop)
            finally:
                stop.set()
                await watching
    finally:
        if asterisk is not None:
            await asterisk.stop()
    return FINE if not asterisk or asterisk.pid is None else COULD_NOT


def _asterisk(given: Settings, prepared: Prepared) -> AsteriskProcess | None:
    if given.asterisk is AsteriskMode.EXTERNAL:
        return None
    return AsteriskProcess(prepared.install, given.asterisk_conf_dir, given.run_dir, readable=[given.sounds_dir])


async def _watch(asterisk: AsteriskProcess | None, stop: asyncio.Event) -> None:
    """Start Asterisk again when it dies: its calls are lost, the next ones are not."""
    while asterisk is not None and not stop.is_set():
        ended = asyncio.ensure_future(asterisk.wait())
        stopping = asyncio.ensure_future(stop.wait())
        await asyncio.wait({ended, stopping}, return_when=asyncio.FIRST_COMPLETED)
        for waiting in (ended, stopping):
            waiting.cancel()
        if not stop.is_set():
            complain("Asterisk ended; it is started again")
            await asterisk.stop()
            await asterisk.start()


def _welcome(given: Settings, pins: Mapping[CustomerNumber, str]) -> str:
    lines = []
    if pins:
        lines.append("  Demonstration customers (number, PIN):")
        lines += [f"    {customer.number}  {pins[customer.number]}  {customer.name}" for customer in CUSTOMERS]
    lines.append(
        f"The hotline is ready: dial sip:{given.dial}@{given.sip_bind}:{given.sip_port} · "
        f"web http://{given.web_host}:{given.web_port}/healthz · "
        f"test call: {shown(pathlib.Path.cwd() / '.venv' / 'bin' / 'ivr')} call {SAMPLE_TEST} · stop: Ctrl-C"
    )
    return "\n".join(lines)
