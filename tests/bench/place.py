"""The place of a contender: a folder, prompts of 20 ms, a configured Asterisk, free ports; all gone afterwards.

Knows the project's own configuration of Asterisk, to which it adds numbers for the contenders that are not ours. Must
not know how calls are placed or measured.
"""

from __future__ import annotations

import asyncio
import re
import shutil
import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ivr_engine.adapters.asterisk.locate import AsteriskInstall, AsteriskNotFoundError, find_asterisk
from ivr_engine.adapters.asterisk.process import AsteriskError, AsteriskProcess
from ivr_engine.adapters.asterisk.render import render
from ivr_engine.app.prepare import asterisk_settings
from ivr_engine.app.secrets_file import Secrets, load_or_make
from ivr_engine.app.settings import PROJECT, Settings, load_settings
from ivr_engine.speech.catalogue import Catalogue
from ivr_engine.testcaller.ports import free_ports
from ivr_engine.values.language import Language
from tests.bench.callers import PIN
from tests.bench.waiting import BenchError, until

FRAME_BYTES: Final = 160
"""20 ms of µ-law, the shortest recording there can be."""
LANGUAGE: Final = Language.ENGLISH
MENU: Final = "main_menu"
ASK_PIN: Final = "enter_pin"
READ_OUT: Final = ("your_balance_is", "number_3", "hundred", "and", "number_20", "currency_usd")
GOODBYE: Final = "goodbye"
CALLS_MAX: Final = 3000
RTP_PORTS: Final = ("22000", "29999")
CHANNELS_GONE_WITHIN_S: Final = 30.0

NATIVE_NUMBER: Final = "7001"
FOREIGN_NUMBER: Final = "7002"

# The same call without any engine, as a dialplan does it best: a Read for each question, a Playback for each answer.
_DIALPLAN: Final = """
[from-trunk](+)
exten => {native},1,Goto(bench-native,s,1)
exten => {foreign},1,Goto(bench-foreign,s,1)

[bench-native]
exten => s,1,Answer()
 same => n,Read(CHOICE,{menu},1,,1,40)
 same => n,GotoIf($["${{CHOICE}}" = ""]?lost)
 same => n,GotoIf($[${{CHOICE}} < 1 | ${{CHOICE}} > 6]?lost)
 same => n,Read(PIN,{ask_pin},6,,1,6)
 same => n,GotoIf($["${{PIN}}" = "{pin}"]?:lost)
 same => n,Playback({read_out})
 same => n,Playback({goodbye})
 same => n,Hangup()
 same => n(lost),Wait(20)
 same => n,Hangup()

[bench-foreign]
exten => s,1,AGI(agi://127.0.0.1:{foreign_port}/bench)
 same => n,Hangup()
"""
_MODULES: Final = "\n; The native contender reads keys with Read.\nrequire = app_read.so\n"


@dataclass(slots=True)
class Place:
    """What a contender finds. `foreign_port` is for a FastAGI server that is not ours."""

    folder: Path
    settings: Settings
    environment: Mapping[str, str]
    secrets: Secrets
    install: AsteriskInstall
    asterisk: AsteriskProcess
    foreign_port: int

    def sound(self, prompt: str) -> str:
        """Return a recording as Asterisk names it: the path without its ending."""
        return str(self.settings.sounds_dir / LANGUAGE.value / prompt)

    @property
    def asterisk_pid(self) -> int:
        """Asterisk's process; raises `BenchError` when it does not run."""
        if self.asterisk.pid is None:
            raise BenchError("Asterisk does not run")
        return self.asterisk.pid

    async def channels(self) -> int:
        """Return how many channels Asterisk holds."""
        found = re.search(r"(\d+) active channel", await self.asterisk.cli("core show channels count"))
        if found is None:
            raise BenchError("Asterisk does not say how many channels it holds")
        return int(found.group(1))

    async def clear(self) -> None:
        """Hang up what a failed trial has left, and return when no channel is there."""
        if not await self.channels():
            return
        await self.asterisk.cli("channel request hangup all")

        async def none_left() -> bool:
            return await self.channels() == 0

        await until(none_left, "Asterisk lets go of all calls", CHANNELS_GONE_WITHIN_S)


@asynccontextmanager
async def prepared_place(extra: Mapping[str, str]) -> AsyncIterator[Place]:
    """Make a place with Asterisk running, with further settings by their variables (`IVR_DATABASE_URL`)."""
    folder = Path(tempfile.mkdtemp(prefix="ivr-bench-"))
    try:
        place = await asyncio.to_thread(_make, folder, extra)
        try:
            await place.asterisk.start()
            yield place
        except AsteriskError as error:
            message = f"Asterisk does not run: {error}"
            raise BenchError(message) from None
        finally:
            await place.asterisk.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _make(folder: Path, extra: Mapping[str, str]) -> Place:
    folder.chmod(0o755)  # Asterisk may run as another user
    sip, agi, ami, web, foreign = free_ports(5)
    state = folder / "state"
    state.mkdir()
    environment = {
        "IVR_STATE_DIR": str(state),
        "IVR_SIP_PORT": str(sip),
        "IVR_AGI_PORT": str(agi),
        "IVR_AMI_PORT": str(ami),
        "IVR_WEB_PORT": str(web),
        "IVR_RTP_FIRST_PORT": RTP_PORTS[0],
        "IVR_RTP_LAST_PORT": RTP_PORTS[1],
        "IVR_MAX_CALLS": str(CALLS_MAX),
        "IVR_DEFAULT_LANGUAGE": LANGUAGE.value,
        "IVR_FIRST_FLOW": "call",
        "IVR_DEMO_DATA": "false",
        **extra,
    }
    settings = load_settings(folder, environment)
    secrets = load_or_make(settings.state_dir, settings.agents)
    write_short_recordings(Catalogue.load(settings.prompts_dir), settings.sounds_dir)
    try:
        install = find_asterisk(PROJECT)
    except AsteriskNotFoundError as error:
        raise BenchError(str(error)) from None
    render(asterisk_settings(settings, secrets, install), settings.asterisk_conf_dir)
    asterisk = AsteriskProcess(
        install, settings.asterisk_conf_dir, settings.run_dir, readable=[settings.sounds_dir], open_files=8 * CALLS_MAX
    )
    place = Place(folder, settings, environment, secrets, install, asterisk, foreign)
    with (settings.asterisk_conf_dir / "extensions.conf").open("a") as dialplan:
        dialplan.write(
            _DIALPLAN.format(
                native=NATIVE_NUMBER,
                foreign=FOREIGN_NUMBER,
                foreign_port=foreign,
                menu=place.sound(MENU),
                ask_pin=place.sound(ASK_PIN),
                pin=PIN,
                read_out="&".join(place.sound(prompt) for prompt in READ_OUT),
                goodbye=place.sound(GOODBYE),
            )
        )
    with (settings.asterisk_conf_dir / "modules.conf").open("a") as modules:
        modules.write(_MODULES)
    return place


def write_short_recordings(catalogue: Catalogue, folder: Path) -> None:
    """Write a recording of 20 ms for every prompt, each with other content (alike ones would be joined as one)."""
    for language in Language:
        (folder / language.value).mkdir(parents=True, exist_ok=True)
        for number, prompt in enumerate(sorted(catalogue.ids(language))):
            audio = number.to_bytes(2) + bytes([0xFF]) * (FRAME_BYTES - 2)
            (folder / language.value / f"{prompt}.ulaw").write_bytes(audio)
