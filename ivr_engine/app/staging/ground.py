"""What all stages stand on: one folder, secrets, recordings, flows and an empty bank that are made once.

Knows which settings a hotline of our own has. Must not know tests or calls.
"""

from __future__ import annotations

import asyncio
import os
import pathlib
import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

from ivr_engine.adapters.asterisk.locate import AsteriskInstall, find_asterisk
from ivr_engine.adapters.bank.demo import publish_rates
from ivr_engine.adapters.store.database import Database
from ivr_engine.adapters.store.migrate import upgrade
from ivr_engine.app.engine import read_flows
from ivr_engine.app.prepare import Narrator, build_prompts
from ivr_engine.app.secrets_file import Secrets, load_or_make
from ivr_engine.app.settings import PROJECT, AsteriskMode, Settings
from ivr_engine.flow.library import FlowFolder
from ivr_engine.flow.model import Library
from ivr_engine.testcaller.ports import HOST
from ivr_engine.testcaller.recordings import Recordings
from ivr_engine.testcaller.voice import VOICE_MS, speech

AGENT: Final = "1001"
DESTINATION: Final = "9000"
"""The number under which a test's destinations are dialled, at an address of their own."""
PORTS: Final = 4
"""Of one stage: SIP, FastAGI, AMI and the web."""
RTP_PORTS: Final = 200
"""Ports for audio of one stage: two for each leg of its one call, and many more that others may hold."""
FIRST_RTP_PORT: Final = 20_000


class FlowsAsRead(FlowFolder):
    """The flows as they were when the tests began: a change belongs to the next run."""

    def __init__(self, read: FlowFolder) -> None:
        self._read_once = read

    def refresh(self) -> Library:
        """Return what was read."""
        return self._read_once.current

    @property
    def current(self) -> Library:
        """The same."""
        return self._read_once.current


@dataclass(frozen=True, slots=True)
class Ground:
    """What stages share; `given` are the settings of the hotline whose flows are tested."""

    given: Settings
    folder: pathlib.Path
    secrets: Secrets
    install: AsteriskInstall
    flows: FlowFolder
    recordings: Recordings
    database: pathlib.Path
    """A bank with rates and without customers: each test has a copy."""


@asynccontextmanager
async def laid_ground(given: Settings, narrator: Narrator) -> AsyncIterator[Ground]:
    """Make what stages share, in a folder that is removed on leaving; raises what `ivr serve` raises."""
    install = find_asterisk(PROJECT)
    narrator.begin("recordings")
    given.state_dir.mkdir(parents=True, exist_ok=True)
    narrator.done(await asyncio.to_thread(build_prompts, given.prompts_dir, given.sounds_dir, narrator))
    with tempfile.TemporaryDirectory(prefix=f"ivr-stages-{os.getpid()}-", ignore_cleanup_errors=True) as name:
        folder = pathlib.Path(name)
        folder.chmod(0o755)  # noqa: ASYNC240 # at once; Asterisk may run as another user
        file = folder / "empty.db"
        await _make_bank(f"sqlite:///{file}")
        yield Ground(
            given=given,
            folder=folder,
            secrets=load_or_make(folder, (AGENT,)),
            install=install,
            flows=FlowsAsRead(read_flows(given)),
            recordings=Recordings.load(given.sounds_dir, voice=speech(VOICE_MS)),
            database=file,
        )


def fresh_settings(ground: Ground, number: int, ports: Sequence[int]) -> Settings:
    """Return the settings of one stage: those given, but for its place, its ports, its bank and its people."""
    given = ground.given
    first = FIRST_RTP_PORT + RTP_PORTS * number
    skills = sorted(skill for known in given.skills.values() for skill in known)
    changes = {
        "state_dir": ground.folder / f"stage-{number}",
        "database_url": "",
        "bank_url": "",
        "asterisk": AsteriskMode.EMBEDDED,
        "sip_bind": HOST,
        "sip_port": ports[0],
        "trunk_addresses": (f"{HOST}/32",),
        "agents": (AGENT,),
        "agent_skills": (f"{AGENT}: {' '.join(skills)}",) if skills else (),
        "rtp_first_port": first,
        "rtp_last_port": first + RTP_PORTS - 1,
        "agi_host": HOST,
        "agi_port": ports[1],
        "agi_peers": ("127.0.0.0/8",),
        "ami_host": HOST,
        "ami_port": ports[2],
        "web_host": HOST,
        "web_port": ports[3],
        "engine_id": f"stage-{number}",
        "wrap_up_s": 0.0,
    }
    return given.model_copy(update=changes)


async def _make_bank(url: str) -> None:
    await upgrade(url)
    database = Database(url)
    try:
        await publish_rates(database)
    finally:
        await database.close()
