from __future__ import annotations

import pytest

from ivr_engine.protocols.agi import AgiConnection, Environment, RemoteProtocolError
from ivr_engine.protocols.agi.environment import MAX_ENVIRONMENT_BYTES, MAX_VARIABLES
from tests.protocols.agi.dialogue import all_dialogues, from_asterisk


def read(stream: bytes) -> Environment:
    connection = AgiConnection()
    connection.receive_data(stream)
    (environment,) = connection.events()
    assert isinstance(environment, Environment)
    return environment


def recorded(name: str) -> Environment:
    stream = from_asterisk(all_dialogues()[name])
    return read(stream[: stream.index(b"\n\n") + 2])


def test_a_recorded_call_says_who_called_whom() -> None:
    environment = recorded("playing")
    assert environment.script == "call"
    assert environment.arguments == ("token-of-the-recording", "first", "second argument")
    assert environment.channel.startswith("Local/s@hand-")
    assert "." in environment.unique_id
    assert environment.dialled_number == "call"
    assert environment.context == "engine"
    assert environment.language == "en"
    assert environment.account_code == ""
    assert environment.caller_number is None
    assert environment.caller_name is None


def test_a_callers_name_in_gb18030_keeps_its_bytes_and_can_be_read() -> None:
    environment = recorded("gb18030_name")
    assert environment.raw["agi_calleridname"] == "张伟".encode("gb18030")
    assert environment.text("agi_calleridname", "gb18030") == "张伟"
    assert environment.caller_name is not None
    environment.caller_name.encode()  # whatever was replaced, the text can be stored and sent
    assert environment.caller_number == "13800138000"


def test_a_name_may_hold_colons_spaces_and_every_byte_but_a_line_feed() -> None:
    odd = bytes(byte for byte in range(256) if byte != 10)
    assert read(b"agi_calleridname:  a: b \nagi_x: " + odd + b"\n\n").raw == {
        "agi_calleridname": b" a: b ",
        "agi_x": odd,
    }


def test_printing_an_environment_shows_no_token() -> None:
    assert "secret-token" not in repr(read(b"agi_arg_1: secret-token\n\n"))


@pytest.mark.parametrize(
    "stream",
    [
        b"\n",
        b"GET / HTTP/1.1\r\n",
        b"agi_a: 1\nagi_a: 2\n",
        b"agi_: 1\n",
        b"AGI_A: 1\n",
        b"agi_a 1\n",
        b"\x16\x03\x01\x02\x00\n",
    ],
    ids=["empty", "http", "a name twice", "no name", "capitals", "no colon", "tls"],
)
def test_what_is_no_environment_is_refused(stream: bytes) -> None:
    connection = AgiConnection()
    connection.receive_data(stream)
    with pytest.raises(RemoteProtocolError):
        list(connection.events())


def test_an_environment_with_too_many_variables_is_refused() -> None:
    lines = [b"agi_%d: x\n" % number for number in range(MAX_VARIABLES)]
    assert len(read(b"".join(lines) + b"\n").raw) == MAX_VARIABLES
    connection = AgiConnection()
    connection.receive_data(b"".join(lines) + b"agi_more: x\n")
    with pytest.raises(RemoteProtocolError, match="more than"):
        list(connection.events())


def test_an_environment_with_too_many_bytes_is_refused() -> None:
    lines = [b"agi_%d: " % number + b"x" * (MAX_ENVIRONMENT_BYTES // 8) + b"\n" for number in range(8)]
    connection = AgiConnection()
    connection.receive_data(b"".join(lines))
    with pytest.raises(RemoteProtocolError, match="longer than"):
        list(connection.events())
