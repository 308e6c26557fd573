"""Everything that has to be there before a hotline can start: secrets, recordings, database, Asterisk's files.

Knows the order and tells how far it is. Must not start anything that stays. Doing it again costs little and changes
nothing that is already right.
"""

from __future__ import annotations

import asyncio
import pathlib
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, TextIO

from ivr_engine.adapters.asterisk.locate import AsteriskInstall, find_asterisk
from ivr_engine.adapters.asterisk.render import render
from ivr_engine.adapters.asterisk.settings import Agent, AsteriskSettings
from ivr_engine.adapters.bank.demo import seed_demo
from ivr_engine.adapters.store.database import Database
from ivr_engine.adapters.store.faults import DatabaseUnavailableError
from ivr_engine.adapters.store.migrate import upgrade
from ivr_engine.adapters.voice.builder import Progress, PromptBuilder
from ivr_engine.app.engine import read_flows
from ivr_engine.app.secrets_file import Secrets, load_or_make
from ivr_engine.app.settings import PROJECT, AsteriskMode, Settings
from ivr_engine.calls.queueing import BACKSTOP_S
from ivr_engine.speech.catalogue import Catalogue
from ivr_engine.values.clock import SystemClock
from ivr_engine.values.ids import CustomerNumber

FALLBACK_RING_MIN_S: Final = 5
"""The queue of last resort rings at least so long: a phone that was just found again needs a moment."""


class Narrator:
    """Tells an operator what is being done, on one line a step, with progress where it takes long."""

    def __init__(self, stream: TextIO = sys.stderr) -> None:
        self._stream = stream
        self._live = stream.isatty()
        self._began = 0.0
        self._what = ""

    def begin(self, what: str) -> None:
        """Say what begins."""
        self._what, self._began = what, time.perf_counter()
        if self._live:
            self._stream.write(f"  … {what}\r")
            self._stream.flush()

    def progress(self, done: int, total: int) -> None:
        """Say how far it is."""
        if self._live:
            self._stream.write(f"  … {self._what}: {done} of {total}   \r")
            self._stream.flush()

    def done(self, result: str) -> None:
        """Say how it ended and how long it took."""
        seconds = time.perf_counter() - self._began
        self._stream.write(f"  ✓ {self._what}: {result} ({seconds:.1f} s)\n")
        self._stream.flush()


@dataclass(frozen=True, slots=True)
class Prepared:
    """What is ready now."""

    secrets: Secrets
    install: AsteriskInstall
    demo_pins: Mapping[CustomerNumber, str]


async def prepare(settings: Settings, narrator: Narrator) -> Prepared:
    """Prepare a hotline; raise the step's own error, whose message says what to do."""
    settings.state_dir.mkdir(parents=True, exist_ok=True)
    secrets = load_or_make(settings.state_dir, settings.agents)

    narrator.begin("flows")
    library = read_flows(settings).current
    narrator.done(f"{len(library.flows)} flows, {sum(len(flow.steps) for flow in library.flows.values())} steps")

    narrator.begin("recordings")
    narrator.done(await asyncio.to_thread(build_prompts, settings.prompts_dir, settings.sounds_dir, narrator))

    narrator.begin("database")
    await ask_database(settings)
    await upgrade(settings.database)
    pins = await _seed(settings, secrets)
    narrator.done("up to date" + (f", {len(pins)} demonstration customers" if pins else ""))

    narrator.begin("Asterisk")
    # One that runs elsewhere reads these files too, and has the modules of the one that is found here.
    install = find_asterisk(PROJECT)
    render(asterisk_settings(settings, secrets, install), settings.asterisk_conf_dir)
    where = "" if settings.asterisk is AsteriskMode.EMBEDDED else ", runs elsewhere"
    narrator.done(f"version {'.'.join(map(str, install.version))}, configured{where}")
    return Prepared(secrets, install, pins)


def asterisk_settings(settings: Settings, secrets: Secrets, install: AsteriskInstall) -> AsteriskSettings:
    """Return what Asterisk's configuration is rendered from."""
    return AsteriskSettings(
        run_directory=settings.run_dir,
        sounds_directory=settings.sounds_dir,
        module_directory=install.module_dir,
        data_directory=install.data_dir,
        sip_bind=settings.sip_bind,
        sip_port=settings.sip_port,
        trunk_addresses=settings.trunk_addresses,
        agents=tuple(Agent(name, secrets.agents[name]) for name in settings.agents),
        rtp_first_port=settings.rtp_first_port,
        rtp_last_port=settings.rtp_last_port,
        agi_host=settings.agi_host,
        agi_port=settings.agi_port,
        agi_token=secrets.agi_token,
        ami_port=settings.ami_port,
        ami_engine_secret=secrets.ami_engine,
        ami_doctor_secret=secrets.ami_doctor,
        backstop_s=BACKSTOP_S,
        max_calls=settings.max_calls,
        language=settings.default_language.value,
        queue_ring_s=max(FALLBACK_RING_MIN_S, settings.ring_s),
        queue_wrap_up_s=round(settings.wrap_up_s),
        queue_callers_max=settings.max_calls,  # whoever has a line has a place: nobody is turned away
        # Nothing is said before the queue: three seconds of words are three seconds without a place in it.
        waiting_prompt=f"{settings.default_language.value}/connecting_to_agent",
        goodbye_prompt=f"{settings.default_language.value}/goodbye",
    )


def build_prompts(prompts: pathlib.Path, into: pathlib.Path, narrator: Narrator) -> str:
    """Make the recordings that are missing, and say how many."""
    catalogue = Catalogue.load(prompts)

    def tell(progress: Progress) -> None:
        narrator.progress(progress.done, progress.total)

    result = PromptBuilder(catalogue, prompts, into).build(on_progress=tell)
    return f"{result.made} made, {result.kept} kept"


async def ask_database(settings: Settings) -> None:
    """Raise `DatabaseUnavailableError` with what to do unless the database answers."""
    database = Database(settings.database)
    try:
        await database.ping()
    except DatabaseUnavailableError as error:
        message = f"the database is away: {error}. Start it, or set IVR_DATABASE_URL; see ivr db check"
        raise DatabaseUnavailableError(message) from None
    finally:
        await database.close()


async def _seed(settings: Settings, secrets: Secrets) -> Mapping[CustomerNumber, str]:
    if settings.bank_url or not settings.demo_data:
        return {}
    database = Database(settings.database)
    try:
        return await seed_demo(database, bytes.fromhex(secrets.pin_key), clock=SystemClock())
    finally:
        await database.close()
