from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ivr_engine.protocols.agi import (
    AgiConnection,
    Answer,
    EndOfStream,
    Event,
    GetData,
    GetVariable,
    HangupNotice,
    LocalProtocolError,
    RemoteProtocolError,
    Reply,
    SetVariable,
    State,
    StreamFile,
    WaitForDigit,
)
from ivr_engine.protocols.agi.connection import MAX_LINE_BYTES, MAX_USAGE_LINES
from ivr_engine.protocols.agi.states import TRANSITIONS, Signal
from tests.protocols.agi.dialogue import all_dialogues
from tests.protocols.agi.told import ENVIRONMENT, answered, asked, begun, replayed, told

DIALOGUES = all_dialogues()
BYTES_OF: dict[Signal, bytes] = {
    Signal.ENVIRONMENT_LINE: b"agi_x: y\n",
    Signal.ENVIRONMENT_END: b"\n",
    Signal.REPLY: b"200 result=0\n",
    Signal.USAGE_BEGINS: b"520-Usage follows:\n",
    Signal.USAGE_ENDS: b"520 End of proper usage.\n",
    Signal.HANGUP: b"HANGUP\n",
}


def in_state(state: State) -> AgiConnection:
    match state:
        case State.ENVIRONMENT:
            connection = AgiConnection()
            connection.receive_data(b"agi_first: 1\n")
        case State.IDLE:
            connection = begun()
        case State.AWAITING_REPLY:
            connection = asked(Answer())
        case State.AWAITING_USAGE:
            connection = asked(Answer())
            connection.receive_data(b"520-Usage follows:\n")
        case State.CLOSED:
            connection = begun()
            connection.receive_eof()
        case State.BROKEN:
            connection = begun()
            connection.receive_data(b"200 result=0\n")
            with pytest.raises(RemoteProtocolError):
                connection.next_event()
            return connection
    list(connection.events())
    assert connection.state is state
    return connection


@pytest.mark.parametrize("state", [s for s in State if s not in (State.CLOSED, State.BROKEN)])
@pytest.mark.parametrize("signal", BYTES_OF)
def test_every_signal_in_every_state_does_what_the_table_says(state: State, signal: Signal) -> None:
    connection = in_state(state)
    connection.receive_data(BYTES_OF[signal])
    after = TRANSITIONS[state].get(signal)
    if state is State.AWAITING_USAGE and signal is not Signal.USAGE_ENDS:
        after = State.AWAITING_USAGE  # any other line there is a line of the page
    if state is State.AWAITING_REPLY and signal is Signal.USAGE_ENDS:
        after = State.IDLE  # without its beginning it is a one-line 520
    if after is None:
        with pytest.raises(RemoteProtocolError):
            list(connection.events())
        assert connection.state is State.BROKEN
    else:
        list(connection.events())
        assert connection.state is after


@pytest.mark.parametrize("state", State)
def test_a_command_can_be_sent_only_where_the_table_allows_it(state: State) -> None:
    connection = in_state(state)
    if Signal.COMMAND in TRANSITIONS[state]:
        assert connection.send(Answer()) == b"ANSWER\n"
    else:
        with pytest.raises(LocalProtocolError):
            connection.send(Answer())


@pytest.mark.parametrize("state", [s for s in State if s is not State.BROKEN])
def test_the_end_of_the_stream_is_an_event_and_no_error_in_every_state(state: State) -> None:
    connection = in_state(state)
    connection.receive_eof()
    connection.receive_eof()
    expected = [] if state is State.CLOSED else [EndOfStream(while_in=state)]
    assert list(connection.events()) == expected
    assert list(connection.events()) == []
    assert connection.hung_up


def test_every_state_and_signal_of_the_table_is_reachable() -> None:
    assert set(TRANSITIONS) == set(State)
    assert {signal for row in TRANSITIONS.values() for signal in row} == set(Signal)
    reached = {after for row in TRANSITIONS.values() for after in row.values()}
    assert reached == set(State)


@pytest.mark.parametrize("name", DIALOGUES)
def test_a_recorded_dialogue_tells_the_same_however_its_bytes_are_cut(name: str) -> None:
    whole = replayed(DIALOGUES[name])
    for pieces in (1, 2, 3, 5, 7, 64):
        assert replayed(DIALOGUES[name], pieces) == whole
    answers = sum(1 for step in DIALOGUES[name] if step.who == ">")
    assert sum(1 for event in whole if isinstance(event[0], int)) == answers


def test_an_answer_split_at_any_byte_is_the_same_answer() -> None:
    answer = b"520-Usage:\nHANGUP\n\ntext 520 End of proper usage.\n"
    whole = told(answered(Answer(), answer))
    for cut in range(1, len(answer)):
        connection = asked(Answer())
        connection.receive_data(answer[:cut])
        events = list(connection.events())
        connection.receive_data(answer[cut:])
        events += connection.events()
        assert [told(event) for event in events] == [whole]


def test_a_hangup_before_the_answer_leaves_the_answer_to_its_command() -> None:
    connection = asked(GetVariable("X"))
    connection.receive_data(b"HANGUP\n200 result=1 (x)\nHANGUP\n")
    first, second, third = connection.events()
    assert isinstance(first, HangupNotice)
    assert isinstance(second, Reply)
    assert second.value == "x"
    assert isinstance(third, HangupNotice)
    assert connection.state is State.IDLE


def test_an_answer_that_came_before_the_next_command_is_no_answer_to_it() -> None:
    connection = begun()
    connection.receive_data(b"200 result=1 (somebody else's balance)\n")
    with pytest.raises(LocalProtocolError, match="before everything received was read"):
        connection.send(GetVariable("BALANCE"))
    with pytest.raises(RemoteProtocolError):
        list(connection.events())


def test_an_application_that_is_answered_twice_breaks_the_session() -> None:
    connection = asked(Answer())
    connection.receive_data(b"200 result=1\n520-Invalid command syntax.  Proper usage follows:\n")
    assert isinstance(connection.next_event(), Reply)
    with pytest.raises(RemoteProtocolError):
        connection.next_event()


def test_a_variable_with_a_line_feed_in_it_breaks_the_session() -> None:
    connection = asked(GetVariable("X"))
    connection.receive_data(b"200 result=1 (first\nsecond)\n")
    with pytest.raises(RemoteProtocolError):
        list(connection.events())


def test_what_arrives_after_an_error_is_refused() -> None:
    connection = in_state(State.BROKEN)
    connection.receive_data(b"200 result=0\n")
    with pytest.raises(RemoteProtocolError, match="broken"):
        connection.next_event()


def test_bytes_after_the_end_of_the_stream_are_our_mistake() -> None:
    connection = begun()
    connection.receive_eof()
    with pytest.raises(LocalProtocolError):
        connection.receive_data(b"x")


def test_a_refused_command_changes_nothing() -> None:
    connection = begun()
    with pytest.raises(LocalProtocolError):
        connection.send(SetVariable("X", "a\nHANGUP"))
    assert connection.state is State.IDLE
    assert connection.send(Answer()) == b"ANSWER\n"


@pytest.mark.parametrize("tail", [b"", b"\n"])
def test_a_line_that_never_ends_is_refused_at_its_limit(tail: bytes) -> None:
    connection = asked(Answer())
    connection.receive_data(b"2" * (MAX_LINE_BYTES + 1) + tail)
    with pytest.raises(RemoteProtocolError, match="longer than"):
        connection.next_event()


def test_a_line_of_exactly_the_limit_is_read() -> None:
    value = "x" * (MAX_LINE_BYTES - len("200 result=1 ()"))
    reply = answered(GetVariable("X"), f"200 result=1 ({value})\n".encode())
    assert reply.value == value


def test_a_usage_page_that_never_ends_is_refused_at_its_limit() -> None:
    connection = asked(Answer())
    connection.receive_data(b"520-Usage:\n" + b"line\n" * (MAX_USAGE_LINES + 1))
    with pytest.raises(RemoteProtocolError, match="usage page"):
        list(connection.events())


@pytest.mark.parametrize("command", [GetData("", 1000, 6), WaitForDigit(1000), StreamFile("x", "1")])
def test_an_error_about_a_secret_answer_does_not_repeat_it(
    command: GetData | WaitForDigit | StreamFile,
) -> None:
    connection = asked(command)
    connection.receive_data(b"200 result=839183 (what)?\n")
    with pytest.raises(RemoteProtocolError) as caught:
        list(connection.events())
    assert "839183" not in str(caught.value)


@given(cuts=st.lists(st.integers(1, 40), max_size=12), hangups=st.integers(0, 3))
def test_any_cutting_of_a_call_tells_the_same(cuts: list[int], hangups: int) -> None:
    stream = ENVIRONMENT
    connection = AgiConnection()
    events: list[Event] = []
    for cut in cuts:
        connection.receive_data(stream[:cut])
        stream = stream[cut:]
        events += connection.events()
    connection.receive_data(stream)
    events += connection.events()
    assert len(events) == 1
    connection.send(WaitForDigit(1))
    stream = b"HANGUP\n" * hangups + b"200 result=55\n"
    for cut in cuts:
        connection.receive_data(stream[:cut])
        stream = stream[cut:]
    connection.receive_data(stream)
    kinds = [told(event) for event in connection.events()]
    assert kinds[:-1] == [("hangup",)] * hangups
    assert kinds[-1][1] == 55
