"""`ivr messages`, `ivr callbacks` and what `ivr doctor` says of them, as staff use them."""

from __future__ import annotations

import asyncio
import json
import wave
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from ivr_engine.adapters.store.database import Database
from ivr_engine.adapters.store.left_behind import CallbackRequests, KeptMessages
from ivr_engine.adapters.store.message_files import MessageFiles
from ivr_engine.adapters.store.migrate import upgrade
from ivr_engine.calls.ports import NewCallback, NewMessage
from ivr_engine.flow.leaving import CallbackOutcome
from ivr_engine.simulator.line import VOICE
from ivr_engine.values.clock import SystemClock
from ivr_engine.values.ids import CallId, CustomerNumber, RandomIds
from tests.app.command import could_not, ivr
from tests.waiting import PATIENCE_S

CALL = CallId("01CALL")
NUMBER = "13800000000"
TWO_HOURS_AGO = datetime.now(UTC) - timedelta(hours=2)


async def leave(state: Path) -> str:
    """Leave a message and a callback, both two hours old; return the message's id."""
    url = f"sqlite:///{state / 'hotline.db'}"
    await upgrade(url)
    database, ids = Database(url, deadline_s=PATIENCE_S), RandomIds(SystemClock())
    try:
        messages = KeptMessages(database, MessageFiles(state / "messages", most_bytes=10**9), ids)
        message = NewMessage(CALL, "service", NUMBER, CustomerNumber("620001"), TWO_HOURS_AGO)
        kept = await messages.keep(message, VOICE * 16_000)
        wish = NewCallback(CALL, "service", NUMBER, None, TWO_HOURS_AGO, TWO_HOURS_AGO - timedelta(minutes=3))
        assert await CallbackRequests(database, ids).register(wish) is CallbackOutcome.REGISTERED
    finally:
        await database.close()
    assert kept is not None
    return kept.id


@pytest.fixture
def left(tmp_path: Path) -> tuple[Mapping[str, str], str]:
    state = tmp_path / "state"
    state.mkdir(mode=0o700)
    (state / "asterisk-conf").mkdir()
    return {"IVR_STATE_DIR": str(state)}, asyncio.run(leave(state))


def test_new_message_is_listed_heard_and_dealt_with(left: tuple[Mapping[str, str], str], tmp_path: Path) -> None:
    environment, message = left
    ran = ivr("messages", folder=tmp_path, **environment)
    head, line = ran.printed.splitlines()
    assert head.split() == ["id", "recorded", "box", "caller", "customer", "seconds", "state", "call"]
    assert line.split()[0] == message
    assert line.split()[-6:] == ["service", NUMBER, "620001", "2", "new", CALL]

    (row,) = json.loads(ivr("messages", "--json", folder=tmp_path, **environment).printed)
    assert (row["id"], row["caller"], row["seconds"], row["state"]) == (message, NUMBER, 2, "new")

    assert ivr("messages", "export", message, folder=tmp_path, **environment).status == 0
    with wave.open(str(tmp_path / f"{message}.wav")) as sound:
        assert sound.getnframes() == 16_000
    again = ivr("messages", "export", message, folder=tmp_path, **environment)
    assert "there is a file" in could_not(again)

    assert ivr("messages", "done", message, folder=tmp_path, **environment).printed == f"{message} is done\n"
    assert ivr("messages", folder=tmp_path, **environment).printed == "no new messages\n"
    assert " done " in ivr("messages", "--all", folder=tmp_path, **environment).printed
    assert list((tmp_path / "state" / "messages").iterdir()) == []
    gone = ivr("messages", "export", message, "--out", "b.wav", folder=tmp_path, **environment)
    assert "no message" in could_not(gone)
    assert not (tmp_path / "b.wav").exists()


def test_who_waits_for_a_callback_is_listed_by_the_place_and_marked_as_called(
    left: tuple[Mapping[str, str], str], tmp_path: Path
) -> None:
    environment, _ = left
    (row,) = json.loads(ivr("callbacks", "--json", folder=tmp_path, **environment).printed)
    assert (row["number"], row["queue"], row["state"], row["customer"]) == (NUMBER, "service", "waiting", None)
    assert row["place"] < row["asked"]
    assert NUMBER in ivr("callbacks", folder=tmp_path, **environment).printed
    assert ivr("callbacks", "done", row["id"], folder=tmp_path, **environment).status == 0
    assert ivr("callbacks", folder=tmp_path, **environment).printed == "nobody waits to be called back\n"
    assert NUMBER in ivr("callbacks", "--all", folder=tmp_path, **environment).printed
    assert "nobody waits under" in could_not(ivr("callbacks", "done", row["id"], folder=tmp_path, **environment))


def test_doctor_warns_of_what_has_waited_longer_than_promised(
    left: tuple[Mapping[str, str], str], tmp_path: Path
) -> None:
    environment, _ = left
    ran = ivr("doctor", folder=tmp_path, **environment, IVR_LEFT_OPEN_H="1", IVR_AMI_PORT="9")
    assert "LEFT01 warning: 1 messages wait, the oldest since" in ran.printed
    assert "LEFT01 warning: 1 callbacks wait, the oldest since" in ran.printed
    assert "see ivr callbacks" in ran.printed
    patient = ivr("doctor", folder=tmp_path, **environment, IVR_LEFT_OPEN_H="3", IVR_AMI_PORT="9")
    assert "LEFT01" not in patient.printed
