"""What Asterisk has recorded is taken whole, once, and from nowhere else."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from ivr_engine.adapters.asterisk.recording import IncomingRecordings
from ivr_engine.values.clock import SystemClock
from ivr_engine.values.ids import RandomIds


@pytest.fixture
def incoming(tmp_path: Path) -> IncomingRecordings:
    return IncomingRecordings(tmp_path, RandomIds(SystemClock()))


def write(path: str, length: int) -> None:
    Path(f"{path}.ulaw").write_bytes(b"a" * length)


def link_to_a_secret(path: str, folder: Path) -> None:
    secret = folder / "secrets.json"
    secret.write_bytes(b"s" * 160)
    Path(f"{path}.ulaw").symlink_to(secret)


def names_in(folder: Path) -> list[str]:
    return [file.name for file in folder.iterdir()]


async def test_recording_is_waited_for_until_it_is_as_long_as_asterisk_said(incoming: IncomingRecordings) -> None:
    path = incoming.new()
    write(path, 100)
    asyncio.get_running_loop().call_later(0.05, write, path, 160)
    assert await incoming.take(path, 160) == b"a" * 160
    assert await incoming.take(path, 0) == b""  # it is gone


async def test_recording_of_unknown_length_is_taken_when_it_grows_no_more(incoming: IncomingRecordings) -> None:
    path = incoming.new()
    write(path, 320)
    assert await incoming.take(path, None) == b"a" * 320


async def test_nothing_was_recorded_and_nothing_is_there(incoming: IncomingRecordings) -> None:
    assert await incoming.take(incoming.new(), 0) == b""


async def test_recording_that_is_somewhere_else_is_an_error_and_not_silence(incoming: IncomingRecordings) -> None:
    with pytest.raises(FileNotFoundError, match="another folder"):
        await incoming.take(incoming.new(), 160)


async def test_link_in_the_place_of_a_recording_is_not_followed(incoming: IncomingRecordings, tmp_path: Path) -> None:
    path = incoming.new()
    link_to_a_secret(path, tmp_path)
    with pytest.raises(OSError, match="symbolic"):
        await incoming.take(path, 160)
    assert names_in(tmp_path) == ["secrets.json"]


def test_what_a_killed_engine_has_left_is_removed_and_counted(tmp_path: Path) -> None:
    recordings = IncomingRecordings(tmp_path / "recordings", RandomIds(SystemClock()))
    assert recordings.sweep() == 0
    (tmp_path / "recordings").mkdir()
    (tmp_path / "recordings" / "a.ulaw").write_bytes(b"a")
    (tmp_path / "recordings" / "notes.txt").write_text("somebody's")
    assert recordings.sweep() == 1
    assert [file.name for file in (tmp_path / "recordings").iterdir()] == ["notes.txt"]
