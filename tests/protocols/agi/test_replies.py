from __future__ import annotations

import pytest

from ivr_engine.protocols.agi import (
    Answer,
    Command,
    Exec,
    GetData,
    GetVariable,
    RecordFile,
    RemoteProtocolError,
    StreamFile,
    WaitForDigit,
)
from ivr_engine.values.secret import MASK
from tests.protocols.agi.told import answered, asked

KEYS = GetData("", 1000, 6)


def keys_of(answer: bytes) -> tuple[bytes, bool]:
    reply = answered(KEYS, answer)
    assert reply.digits is not None
    return reply.digits.reveal(), reply.timed_out


def test_keys_come_with_and_without_the_time_out_flag() -> None:
    assert keys_of(b"200 result=1234\n") == (b"1234", False)
    assert keys_of(b"200 result=5 (timeout)\n") == (b"5", True)
    assert keys_of(b"200 result= (timeout)\n") == (b"", True)
    assert keys_of(b"200 result=\n") == (b"", False)
    assert keys_of(b"200 result=*0D\n") == (b"*0D", False)


def test_minus_one_is_a_failure_and_no_keys() -> None:
    reply = answered(KEYS, b"200 result=-1\n")
    assert reply.failed
    assert reply.digits is None


@pytest.mark.parametrize("value", ["hangup", "timeout", "(timeout)", "a) endpos=5 (b", "", "-1", ")", "余额"])
def test_a_variables_value_is_never_taken_for_a_flag(value: str) -> None:
    reply = answered(GetVariable("X"), f"200 result=1 ({value})\n".encode())
    assert reply.value == value
    assert not reply.timed_out
    assert not reply.failed


def test_a_variable_that_is_not_set_has_no_value() -> None:
    assert answered(GetVariable("X"), b"200 result=0\n").value is None


def test_playing_tells_the_key_and_how_far_it_came() -> None:
    reply = answered(StreamFile("x", "1"), b"200 result=49 endpos=8000\n")
    assert (reply.key, reply.end_position) == ("1", 8000)
    assert answered(StreamFile("x"), b"200 result=0 endpos=9\n").key is None


@pytest.mark.parametrize(
    ("answer", "flag", "samples", "failed"),
    [
        (b"200 result=35 (dtmf) endpos=16000\n", "dtmf", 16_000, False),
        # The number is what was left of the time, and no key.
        (b"200 result=54980 (timeout) endpos=48000\n", "timeout", 48_000, False),
        (b"200 result=0 (timeout) endpos=48000\n", "timeout", 48_000, False),
        (b"200 result=-1 (hangup) endpos=12480\n", "hangup", 12_480, True),
        (b"200 result=-1 (waitfor) endpos=160\n", "waitfor", 160, True),
        (b"200 result=-1 (writefile)\n", "writefile", None, True),
        (b"200 result=-1 (randomerror) endpos=0\n", "randomerror", 0, True),
    ],
)
def test_recording_tells_why_it_ended_and_how_much_there_is(
    answer: bytes, flag: str, samples: int | None, *, failed: bool
) -> None:
    reply = answered(RecordFile("x", "ulaw", "#", 60_000), answer)
    assert (reply.flag, reply.end_position, reply.failed) == (flag, samples, failed)
    assert reply.key == "#" if flag == "dtmf" else True
    if not failed:
        assert f"result={MASK}" in repr(reply)


def test_a_result_that_is_no_key_is_refused_as_one() -> None:
    reply = answered(WaitForDigit(1), b"200 result=1005\n")
    with pytest.raises(RemoteProtocolError):
        _ = reply.key


@pytest.mark.parametrize(
    ("answer", "code", "text"),
    [
        (b"510 Invalid or unknown command\n", 510, "Invalid or unknown command"),
        (b"511 Command Not Permitted on a dead channel or intercept routine\n", 511, "Command Not Permitted"),
        (b"520 Invalid command syntax.  Proper usage not available.\n", 520, "Invalid command syntax."),
        (b"503 Busy\n", 503, "Busy"),
        (b"503\n", 503, ""),
    ],
)
def test_a_refusal_tells_its_code_and_words(answer: bytes, code: int, text: str) -> None:
    reply = answered(KEYS, answer)
    assert reply.code == code
    assert reply.text.startswith(text)
    assert reply.dead_channel == (code == 511)


@pytest.mark.parametrize("glue", [b"", b"\n"], ids=["glued", "on its own line"])
def test_a_usage_page_ends_with_its_last_line_even_if_that_is_glued_on(glue: bytes) -> None:
    page = b"520-Invalid command syntax.\n Usage: HANGUP\nHANGUP\n\n last" + glue + b"520 End of proper usage.\n"
    reply = answered(Answer(), page)
    assert reply.code == 520
    assert reply.usage == (" Usage: HANGUP", "HANGUP", "", " last")


@pytest.mark.parametrize(
    ("command", "answer"),
    [
        (KEYS, b"200 result=12 34\n"),
        (KEYS, b"200 result=1234 (hangup)\n"),
        (GetVariable("X"), b"200 result=1\n"),
        (GetVariable("X"), b"200 result=1 (x\n"),
        (Answer(), b"200 result=\n"),
        (Answer(), b"200\n"),
        (Answer(), b"100 Trying\n"),
        (Answer(), b"result=0\n"),
        (Answer(), b"\n"),
        (Answer(), b"200 result=" + b"9" * 5000 + b"\n"),
    ],
)
def test_an_answer_of_no_known_form_is_refused(command: Command, answer: bytes) -> None:
    connection = asked(command)
    connection.receive_data(answer)
    with pytest.raises(RemoteProtocolError):
        list(connection.events())


@pytest.mark.parametrize(
    ("command", "answer"),
    [
        (KEYS, b"200 result=839183\n"),
        (WaitForDigit(1), b"200 result=57\n"),
        (StreamFile("x", "9"), b"200 result=57 endpos=160\n"),
    ],
)
def test_printing_a_reply_shows_no_key(command: Command, answer: bytes) -> None:
    printed = repr(answered(command, answer))
    assert MASK in printed
    assert "839183" not in printed
    assert "57" not in printed


def test_printing_a_reply_shows_no_variables_value() -> None:
    assert "12345" not in repr(answered(GetVariable("X"), b"200 result=1 (12345)\n"))


def test_printing_a_reply_shows_what_is_no_secret() -> None:
    assert repr(answered(Exec("NoOp"), b"200 result=-2\n")) == "Reply(code=200, result=-2)"
    assert "timed_out" in repr(answered(KEYS, b"200 result= (timeout)\n"))
    assert "510" in repr(answered(Answer(), b"510 What\n"))
