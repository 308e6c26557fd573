"""Actions become the bytes that Asterisk was seen to take, or are refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ivr_engine.protocols.ami.actions import (
    LINE_BYTES,
    Action,
    CoreShowChannels,
    Getvar,
    Hangup,
    Login,
    Originate,
    PlayDTMF,
    QueueStatus,
    Redirect,
    Setvar,
    encode,
)
from ivr_engine.protocols.ami.errors import LocalProtocolError

CHANNEL = "PJSIP/trunk-00000001"


def test_list_action_is_two_lines_and_an_empty_one() -> None:
    assert encode(CoreShowChannels(), "a-1") == b"Action: CoreShowChannels\r\nActionID: a-1\r\n\r\n"


def test_login_sends_the_hashed_challenge_and_never_the_secret() -> None:
    login = Login("engine", "156138731", "hunter2")
    data = encode(login, "1")
    # What md5sum says of "156138731hunter2".
    assert b"Key: f492adb4609b1cf24796917fcfde01e2\r\n" in data
    assert b"hunter2" not in data
    assert b"Events: system\r\n" in data
    assert "hunter2" not in repr(login)


def test_originate_is_always_asynchronous_and_repeats_variables() -> None:
    call = Originate("PJSIP/100@trunk", "outbound", "s", variables={"A": "1", "B": "x=y"}, caller_id="Bank <95588>")
    assert encode(call, "o").decode().split("\r\n") == [
        "Action: Originate",
        "ActionID: o",
        "Channel: PJSIP/100@trunk",
        "Context: outbound",
        "Exten: s",
        "Priority: 1",
        "Timeout: 30000",
        "Async: true",
        "CallerID: Bank <95588>",
        "Variable: A=1",
        "Variable: B=x=y",
        "",
        "",
    ]


def test_play_dtmf_makes_the_channel_hear_the_key() -> None:
    assert encode(PlayDTMF(CHANNEL, "D"), "1").endswith(
        b"Channel: PJSIP/trunk-00000001\r\nDigit: D\r\nReceive: true\r\n\r\n"
    )


@pytest.mark.parametrize("injected", ["x\r\n\r\nAction: Command", "x\ny", "x\ry", "x\0y"])
@pytest.mark.parametrize(
    "make",
    [
        lambda value: Setvar(CHANNEL, "A", value),
        lambda value: Setvar(CHANNEL, value, "1"),
        lambda value: Getvar(value, "A"),
        lambda value: Redirect(CHANNEL, value, "s"),
        lambda value: Redirect(CHANNEL, "c", value),
        lambda value: Hangup(value),
        lambda value: QueueStatus(value),
        lambda value: PlayDTMF(value, "D"),
        lambda value: Originate(value, "c", "s"),
        lambda value: Originate(CHANNEL, "c", "s", caller_id=value),
        lambda value: Originate(CHANNEL, "c", "s", variables={"A": value}),
        lambda value: Originate(CHANNEL, "c", "s", variables={value: "1"}),
    ],
)
def test_line_break_in_any_value_is_refused_and_not_shown(make: type[Action], injected: str) -> None:
    with pytest.raises(LocalProtocolError) as caught:
        encode(make(injected), "1")  # type: ignore[call-arg]  # each case makes its own action from one text
    assert "Command" not in str(caught.value)


@pytest.mark.parametrize(
    "action",
    [
        Originate("PJSIP/1&PJSIP/2", "c", "s"),
        Originate("PJSIP/1,2", "c", "s"),
        Originate("", "c", "s"),
        Originate("PJSIP/${SHELL(id)}", "c", "s"),
        Originate(CHANNEL, "c", "${EXTEN}"),
        Originate(CHANNEL, "c", "s", caller_id="$[1+1]"),
        Originate(CHANNEL, "c", "s", variables={"A": "1,B=2"}),
        Originate(CHANNEL, "c", "s", variables={"A": "${SHELL(id)}"}),
        Originate(CHANNEL, "c", "s", variables={"CHANNEL(x)": "1"}),
        Hangup("/.*/"),
        PlayDTMF(CHANNEL, "12"),
        PlayDTMF(CHANNEL, ""),
        PlayDTMF(CHANNEL, "x"),
        Setvar(CHANNEL, "A", "\ud800"),
    ],
)
def test_value_that_would_mean_something_else_is_refused(action: Action) -> None:
    with pytest.raises(LocalProtocolError):
        encode(action, "1")


@pytest.mark.parametrize("action_id", ["", "a b", "a\r\nb", "x" * 65, "号"])
def test_action_id_of_other_characters_is_refused(action_id: str) -> None:
    with pytest.raises(LocalProtocolError):
        encode(CoreShowChannels(), action_id)


def test_line_that_asterisk_would_throw_away_is_refused() -> None:
    room = LINE_BYTES - len("Value: ")
    encode(Setvar(CHANNEL, "A", "x" * room), "1")
    with pytest.raises(LocalProtocolError):
        encode(Setvar(CHANNEL, "A", "x" * (room + 1)), "1")


def test_more_headers_than_asterisk_takes_are_refused() -> None:
    with pytest.raises(LocalProtocolError):
        encode(Originate(CHANNEL, "c", "s", variables={f"A{n}": "1" for n in range(121)}), "1")


@given(st.text(max_size=40), st.text(max_size=40))
def test_one_action_never_becomes_two(variable: str, value: str) -> None:
    try:
        data = encode(Setvar(CHANNEL, variable, value), "1")
    except LocalProtocolError:
        return
    assert data.count(b"\r\n\r\n") == 1
    assert data.endswith(b"\r\n\r\n")
    assert b"\n" not in data.replace(b"\r\n", b"")
