"""What callers leave behind, in the database and on the disk, on SQLite and PostgreSQL."""

from __future__ import annotations

import stat
import wave
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from ivr_engine.adapters.store.database import Database, Statement
from ivr_engine.adapters.store.journal import JournalWriter
from ivr_engine.adapters.store.left_behind import CallbackRequests, KeptMessages, LeftBehind, State
from ivr_engine.adapters.store.message_files import LONGEST_BYTES, MessageFiles
from ivr_engine.calls.ports import NewCallback, NewMessage
from ivr_engine.flow.leaving import CallbackOutcome
from ivr_engine.simulator.line import VOICE
from ivr_engine.values.ids import CallId, CustomerNumber, RandomIds
from tests.banking.clock import SetClock
from tests.waiting import PATIENCE_S

CALL = CallId("01CALL")
NUMBER = "13800000000"
AUDIO = VOICE * 8000


@pytest.fixture
def clock() -> SetClock:
    return SetClock()


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    database = Database(database_url, deadline_s=PATIENCE_S)
    yield database
    await database.close()


def files_in(folder: Path, **limits: int) -> MessageFiles:
    return MessageFiles(folder / "messages", most_bytes=limits.get("most_bytes", 10**9), reserve_bytes=0)


def message(clock: SetClock, *, customer: str | None = None) -> NewMessage:
    return NewMessage(CALL, "service", NUMBER, CustomerNumber(customer) if customer else None, clock.now())


def wish(clock: SetClock, *, call: str = CALL, number: str = NUMBER) -> NewCallback:
    queued_at = clock.now() - timedelta(minutes=5)
    return NewCallback(CallId(call), "service", number, None, clock.now(), queued_at)


async def test_message_is_kept_with_who_left_it_and_what_was_said(
    database: Database, clock: SetClock, tmp_path: Path
) -> None:
    files = files_in(tmp_path)
    messages, left = KeptMessages(database, files, RandomIds(clock)), LeftBehind(database, clock)
    kept = await messages.keep(message(clock, customer="620001"), AUDIO)
    assert kept is not None
    assert kept.milliseconds == 1000
    assert files.read(kept.id) == AUDIO
    (found,) = await left.messages()
    assert (found.id, found.call, found.box, found.caller) == (kept.id, CALL, "service", NUMBER)
    assert (found.customer, found.milliseconds, found.recorded_at) == ("620001", 1000, clock.now())
    assert (found.state, found.done_at) == (State.NEW, None)


async def test_message_that_is_done_leaves_the_list_once(database: Database, clock: SetClock, tmp_path: Path) -> None:
    messages, left = KeptMessages(database, files_in(tmp_path), RandomIds(clock)), LeftBehind(database, clock)
    kept = await messages.keep(message(clock), AUDIO)
    assert kept is not None
    clock.move(timedelta(hours=1))
    assert await left.message_done(kept.id)
    assert not await left.message_done(kept.id)
    assert await left.messages() == ()
    (found,) = await left.messages(everything=True)
    assert (found.state, found.done_at) == (State.DONE, clock.now())


async def test_new_messages_are_listed_from_the_oldest(database: Database, clock: SetClock, tmp_path: Path) -> None:
    messages, left = KeptMessages(database, files_in(tmp_path), RandomIds(clock)), LeftBehind(database, clock)
    ids = []
    for _ in range(3):
        kept = await messages.keep(message(clock), AUDIO)
        assert kept is not None
        ids.append(kept.id)
        clock.move(timedelta(minutes=1))
    assert [found.id for found in await left.messages()] == ids


async def test_message_that_cannot_be_written_is_not_listed(
    database: Database, clock: SetClock, tmp_path: Path
) -> None:
    (tmp_path / "messages").write_text("a file in the way")
    messages, left = KeptMessages(database, files_in(tmp_path), RandomIds(clock)), LeftBehind(database, clock)
    assert not await messages.has_room()
    assert await messages.keep(message(clock), AUDIO) is None
    assert await left.messages() == ()


async def test_message_whose_row_cannot_be_written_is_told_and_its_file_stays(clock: SetClock, tmp_path: Path) -> None:
    away = Database(f"sqlite:///{tmp_path}/no/such/folder/db.sqlite3")
    files = files_in(tmp_path)
    assert await KeptMessages(away, files, RandomIds(clock)).keep(message(clock), AUDIO) is None
    assert [file.stat().st_size for file in (tmp_path / "messages").iterdir()] == [len(AUDIO)]
    await away.close()


def test_what_was_said_can_be_read_by_its_owner_only(tmp_path: Path) -> None:
    files = files_in(tmp_path)
    files.write("01ABC", AUDIO)
    folder = tmp_path / "messages"
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert stat.S_IMODE((folder / "01ABC.ulaw").stat().st_mode) == 0o600
    with pytest.raises(FileNotFoundError):
        files.read("../secrets")


def test_messages_take_no_more_bytes_than_they_may(tmp_path: Path) -> None:
    files = files_in(tmp_path, most_bytes=LONGEST_BYTES + len(AUDIO))
    assert files.has_room()
    files.write("01ABC", AUDIO)
    assert files.has_room()
    files.write("01ABD", AUDIO)
    assert not files.has_room()
    files.remove("01ABC")
    files.remove("01ABC")
    assert files.has_room()
    assert not MessageFiles(tmp_path / "messages", most_bytes=10**9, reserve_bytes=10**15).has_room()


def test_message_is_exported_as_a_file_that_any_player_plays(tmp_path: Path) -> None:
    files = files_in(tmp_path)
    files.write("01ABC", AUDIO)
    files.export("01ABC", tmp_path / "heard.wav")
    with wave.open(str(tmp_path / "heard.wav")) as sound:
        assert (sound.getnchannels(), sound.getsampwidth(), sound.getframerate()) == (1, 2, 8000)
        assert sound.getnframes() == 8000
    with pytest.raises(FileExistsError):
        files.export("01ABC", tmp_path / "heard.wav")


async def test_number_waits_once_and_may_be_registered_anew_when_it_was_called(
    database: Database, clock: SetClock
) -> None:
    requests, left = CallbackRequests(database, RandomIds(clock)), LeftBehind(database, clock)
    assert await requests.register(wish(clock)) is CallbackOutcome.REGISTERED
    assert await requests.register(wish(clock)) is CallbackOutcome.REGISTERED  # the same call asks again
    assert await requests.register(wish(clock, call="02CALL")) is CallbackOutcome.ALREADY_REGISTERED
    clock.move(timedelta(seconds=1))
    assert await requests.register(wish(clock, number="13900000000")) is CallbackOutcome.REGISTERED
    first, second = await left.callbacks()
    assert (first.number, first.state, first.queue, first.call) == (NUMBER, State.WAITING, "service", CALL)
    assert first.asked_at - first.queued_at == timedelta(minutes=5)
    assert second.number == "13900000000"

    assert await left.callback_done(first.id)
    assert not await left.callback_done(first.id)
    assert [found.number for found in await left.callbacks()] == ["13900000000"]
    assert await requests.register(wish(clock, call="03CALL")) is CallbackOutcome.REGISTERED
    assert len(await left.callbacks(everything=True)) == 3


async def test_callbacks_are_listed_by_the_place_that_was_kept(database: Database, clock: SetClock) -> None:
    requests, left = CallbackRequests(database, RandomIds(clock)), LeftBehind(database, clock)
    late = wish(clock, number="13900000000")
    early = replace(wish(clock), queued_at=clock.now() - timedelta(hours=1))
    for one in (late, early):
        await requests.register(one)
    assert [found.number for found in await left.callbacks()] == [NUMBER, "13900000000"]


async def test_callback_is_unavailable_while_the_database_is_away(clock: SetClock, tmp_path: Path) -> None:
    away = Database(f"sqlite:///{tmp_path}/no/such/folder/db.sqlite3")
    assert await CallbackRequests(away, RandomIds(clock)).register(wish(clock)) is CallbackOutcome.UNAVAILABLE
    await away.close()


async def test_what_waits_is_counted_with_its_oldest(database: Database, clock: SetClock, tmp_path: Path) -> None:
    left = LeftBehind(database, clock)
    assert await left.is_there()
    waiting = await left.open()
    assert (waiting.messages, waiting.oldest_message, waiting.callbacks, waiting.oldest_callback) == (0, None, 0, None)
    began = clock.now()
    messages = KeptMessages(database, files_in(tmp_path), RandomIds(clock))
    for _ in range(2):
        await messages.keep(message(clock), AUDIO)
        clock.move(timedelta(hours=1))
    await CallbackRequests(database, RandomIds(clock)).register(wish(clock))
    waiting = await left.open()
    assert (waiting.messages, waiting.oldest_message) == (2, began)
    assert (waiting.callbacks, waiting.oldest_callback) == (1, clock.now())


async def test_database_of_an_earlier_version_has_nothing_of_it(empty_database_url: str, clock: SetClock) -> None:
    database = Database(empty_database_url, deadline_s=PATIENCE_S)
    assert not await LeftBehind(database, clock).is_there()
    await database.close()


async def test_later_answer_to_the_same_question_replaces_the_first(database: Database, clock: SetClock) -> None:
    journal = JournalWriter(database, engine_id="engine-1", clock=clock)
    journal.answer_kept(CALL, "service", 2, at=clock.now())
    await journal.flush()
    journal.answer_kept(CALL, "service", 5, at=clock.now())
    journal.answer_kept(CALL, "x" * 100, 10**30, at=clock.now())
    await journal.flush()
    rows = await database.fetch(Statement("SELECT question, answer FROM survey_answer ORDER BY question"))
    assert [tuple(row) for row in rows] == [("service", 5), ("x" * 64, 10**15)]
    assert journal.dropped == 0
