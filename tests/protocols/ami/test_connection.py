"""Answers find their actions, lists are whole, and the table of states holds."""

from __future__ import annotations

import pytest

from ivr_engine.protocols.ami.actions import (
    Challenge,
    CoreShowChannels,
    DeviceStateList,
    Login,
    Logoff,
    Originate,
    Ping,
    QueueStatus,
)
from ivr_engine.protocols.ami.connection import Answer, Connection
from ivr_engine.protocols.ami.errors import AmiProtocolError, LocalProtocolError, RemoteProtocolError
from ivr_engine.protocols.ami.events import (
    ChannelCreated,
    ChannelHungUp,
    DeviceState,
    DeviceStateChanged,
    FullyBooted,
    OriginateEnded,
    QueueCallerJoined,
)
from ivr_engine.protocols.ami.message import Event
from ivr_engine.protocols.ami.state import TRANSITIONS, State, Trigger, follow
from tests.protocols.ami import dialogue
from tests.protocols.ami.scripted_server import error, event_list, message, success

GREETING = b"Asterisk Call Manager/11.0.0\r\n"
BOOTED = message(("Event", "FullyBooted"), ("Uptime", "7"))


def logged_in(wanted: frozenset[str] | None = frozenset()) -> Connection:
    connection = Connection(wanted=wanted)
    connection.receive_data(GREETING)
    connection.send(Login("engine", "1", "2"), "login")
    connection.receive_data(success("login") + BOOTED)
    assert connection.state is State.BOOTED
    return connection


def answers(connection: Connection, data: bytes) -> list[Answer]:
    return [item for item in connection.receive_data(data) if isinstance(item, Answer)]


def test_nothing_may_be_written_before_the_greeting() -> None:
    with pytest.raises(LocalProtocolError):
        Connection().send(Challenge(), "1")


def test_nothing_but_login_may_be_written_before_login() -> None:
    connection = Connection()
    connection.receive_data(GREETING)
    with pytest.raises(LocalProtocolError):
        connection.send(Ping(), "1")
    assert connection.pending == frozenset()
    connection.send(Challenge(), "1")


def test_refused_login_ends_the_connection() -> None:
    connection = Connection()
    connection.receive_data(GREETING)
    connection.send(Login("engine", "1", "2"), "login")
    [answer] = answers(connection, error("login", "Authentication failed"))
    assert not answer.response.success
    assert connection.state is State.REFUSED
    with pytest.raises(LocalProtocolError):
        connection.send(Ping(), "2")


def test_answers_that_overtake_each_other_find_their_actions() -> None:
    connection = logged_in()
    connection.send(Ping(), "a")
    connection.send(CoreShowChannels(), "b")
    received = answers(connection, event_list("b", "CoreShowChannels") + success("a", ("Ping", "Pong")))
    assert [answer.action_id for answer in received] == ["b", "a"]
    assert connection.pending == frozenset()


def test_two_lists_at_once_do_not_mix() -> None:
    connection = logged_in()
    connection.send(DeviceStateList(), "a")
    connection.send(DeviceStateList(), "b")
    start = success("a", ("EventList", "start")) + success("b", ("EventList", "start"))

    def item(action_id: str, device: str) -> bytes:
        return message(("Event", "DeviceStateChange"), ("ActionID", action_id), ("Device", device), ("State", "INUSE"))

    def end(action_id: str) -> bytes:
        return message(("Event", "E"), ("ActionID", action_id), ("EventList", "Complete"), ("ListItems", "1"))

    received = answers(connection, start + item("b", "B") + item("a", "A") + end("a") + end("b"))
    assert [(answer.action_id, [one.get("Device") for one in answer.items]) for answer in received] == [
        ("a", ["A"]),
        ("b", ["B"]),
    ]


def test_list_answered_by_an_error_is_done() -> None:
    connection = logged_in()
    connection.send(QueueStatus(), "a")
    [answer] = answers(connection, error("a", "No such queue"))
    assert (answer.response.success, answer.is_list) == (False, False)
    assert connection.pending == frozenset()


def test_english_words_do_not_make_a_list() -> None:
    connection = logged_in()
    connection.send(Ping(), "a")
    [answer] = answers(connection, success("a", ("Message", "Added interface to queue, list will follow")))
    assert not answer.is_list


@pytest.mark.parametrize(("announced", "damaged"), [(1, False), (2, True), (0, True)])
def test_list_with_another_number_of_items_than_announced_is_damaged(announced: int, *, damaged: bool) -> None:
    connection = logged_in()
    connection.send(CoreShowChannels(), "a")
    item = (("Event", "CoreShowChannel"), ("Channel", "x"))
    [answer] = answers(connection, event_list("a", "CoreShowChannels", item, announced=announced))
    assert bool(answer.damage) is damaged


def test_cancelled_list_is_damaged() -> None:
    connection = logged_in()
    connection.send(CoreShowChannels(), "a")
    end = message(("Event", "X"), ("ActionID", "a"), ("EventList", "cancelled"))
    [answer] = answers(connection, success("a", ("EventList", "start")) + end)
    assert "cancelled" in answer.damage


def test_items_of_a_list_given_up_do_not_pass_for_events() -> None:
    connection = logged_in()
    connection.send(DeviceStateList(), "a")
    connection.forget("a")
    item = (("Event", "DeviceStateChange"), ("Device", "PJSIP/1"), ("State", "INUSE"))
    assert connection.receive_data(event_list("a", "DeviceStateList", item)) == []
    assert connection.counts.unmatched_answers == 3


def test_answer_that_nobody_asked_for_is_counted() -> None:
    connection = logged_in()
    assert connection.receive_data(success("other") + message(("Response", "Error"))) == []
    assert connection.counts.unmatched_answers == 2


def test_second_response_inside_a_list_is_the_peers_fault() -> None:
    connection = logged_in()
    connection.send(CoreShowChannels(), "a")
    start = success("a", ("EventList", "start"))
    with pytest.raises(RemoteProtocolError):
        connection.receive_data(start + start)


def test_list_longer_than_its_limit_is_refused() -> None:
    connection = Connection(list_items=2)
    connection.receive_data(GREETING)
    connection.send(Login("engine", "1", "2"), "login")
    connection.receive_data(success("login"))
    connection.send(CoreShowChannels(), "a")
    item = (("Event", "CoreShowChannel"), ("Channel", "x"))
    with pytest.raises(RemoteProtocolError):
        connection.receive_data(event_list("a", "CoreShowChannels", item, item, item))


def test_action_id_in_use_and_too_many_actions_are_refused() -> None:
    connection = Connection(pending_actions=2)
    connection.receive_data(GREETING)
    connection.send(Login("engine", "1", "2"), "login")
    connection.receive_data(success("login"))
    connection.send(Ping(), "a")
    with pytest.raises(LocalProtocolError, match="waiting"):
        connection.send(Ping(), "a")
    connection.send(Ping(), "b")
    with pytest.raises(LocalProtocolError, match="2 actions"):
        connection.send(Ping(), "c")


def test_end_of_stream_names_what_was_never_answered() -> None:
    connection = logged_in()
    connection.send(Originate("PJSIP/1", "c", "s"), "o")
    assert connection.receive_eof() == {"o"}
    assert connection.receive_eof() == frozenset()
    assert connection.state is State.CLOSED


def test_bad_action_changes_nothing() -> None:
    connection = logged_in()
    with pytest.raises(LocalProtocolError):
        connection.send(QueueStatus("a\nb"), "q")
    connection.send(QueueStatus("a"), "q")


def test_events_nobody_wants_are_counted_and_not_parsed() -> None:
    connection = logged_in(frozenset({"UserEvent"}))
    events = message(("Event", "Newexten"), ("A", "1")) + message(("Event", "UserEvent"), ("A", "1"))
    [event] = connection.receive_data(events)
    assert isinstance(event, Event)
    assert event.name == "UserEvent"
    assert connection.counts.skipped_events == 1


def test_event_without_the_header_it_is_about_stays_untyped() -> None:
    [event] = logged_in().receive_data(message(("Event", "Hangup"), ("Cause", "16")))
    assert isinstance(event, Event)


def test_unknown_device_state_is_unknown() -> None:
    data = message(("Event", "DeviceStateChange"), ("Device", "PJSIP/1"), ("State", "SLEEPING"))
    assert logged_in().receive_data(data) == [DeviceStateChanged("PJSIP/1", DeviceState.UNKNOWN)]


def test_the_table_has_a_row_for_every_state_and_only_known_triggers() -> None:
    assert set(TRANSITIONS) == set(State)
    assert all(Trigger.GET_END in row for row in TRANSITIONS.values())


@pytest.mark.parametrize("state", State)
@pytest.mark.parametrize("trigger", Trigger)
def test_missing_transition_blames_who_pulled_the_trigger(state: State, trigger: Trigger) -> None:
    if trigger in TRANSITIONS[state]:
        assert follow(state, trigger) in State
        return
    blamed: type[AmiProtocolError] = LocalProtocolError if trigger.name.startswith("SEND") else RemoteProtocolError
    with pytest.raises(blamed):
        follow(state, trigger)


def test_after_logoff_nothing_is_written() -> None:
    connection = logged_in()
    connection.send(Logoff(), "x")
    with pytest.raises(LocalProtocolError):
        connection.send(Ping(), "y")


# What a real Asterisk said (see record_dialogues.py).


def replay(name: str) -> tuple[Connection, list[object]]:
    """Feed a recorded dialogue, with the recorded actions known by their ids."""
    connection = Connection(wanted=None)
    received: list[object] = []
    for who, data in dialogue.read(name).turns:
        if who == "<":
            received += connection.receive_data(data)
            continue
        for block in data.split(b"\r\n\r\n")[:-1]:
            headers = dict(line.split(": ", 1) for line in block.decode().split("\r\n"))
            login = headers["Action"] == "Login"
            action = Login("x", "1", "2") if login else Logoff() if headers["Action"] == "Logoff" else Ping()
            connection.send(action, headers["ActionID"])
    return connection, received


def test_recorded_lists_and_errors_answer_their_actions() -> None:
    connection, received = replay("lists_and_answers")
    found = {item.action_id: item for item in received if isinstance(item, Answer)}
    assert list(found) == ["login", *(str(number) for number in range(1, 14))]
    assert not any(answer.damage for answer in found.values())
    lists = {action_id: len(answer.items) for action_id, answer in found.items() if answer.is_list}
    assert lists == {"4": 0, "5": 3, "6": 0, "7": len(found["7"].items), "12": 0}
    assert {one.get("Device") for one in found["7"].items} >= {"PJSIP/agent1"}
    refused = {action_id for action_id, answer in found.items() if not answer.response.success}
    assert refused == {"8", "9", "10"}
    assert connection.pending == frozenset()


def test_recorded_login_says_fully_booted_only_to_who_listens_to_class_system() -> None:
    assert replay("lists_and_answers")[0].state is State.LEAVING
    assert FullyBooted in {type(item) for item in replay("lists_and_answers")[1]}
    for name in ("events_off_hides_fully_booted", "account_without_class_system"):
        connection, received = replay(name)
        assert connection.state is State.LOGGED_IN
        assert FullyBooted not in {type(item) for item in received}


def test_recorded_wrong_secret_is_refused() -> None:
    assert replay("wrong_secret")[0].state is State.REFUSED


def test_recorded_command_output_keeps_every_line() -> None:
    _, received = replay("commands")
    first, second = [item for item in received if isinstance(item, Answer)][1:3]
    assert first.response.all("Output")[0] == "Logger queue limit: 1000"
    assert "" in first.response.all("Output")
    assert not second.response.success
    assert len(second.response.all("Output")) == 1


def test_recorded_calls_come_as_typed_events() -> None:
    _, received = replay("calls")
    created = [item for item in received if isinstance(item, ChannelCreated)]
    hung_up = {item.unique_id for item in received if isinstance(item, ChannelHungUp)}
    assert len(created) == 9  # four Local calls of two channels, and the agent that the queue rang
    assert {item.unique_id for item in created[:4]} <= hung_up
    ends = {item.action_id: item for item in received if isinstance(item, OriginateEnded)}
    assert {action_id: end.answered for action_id, end in ends.items()} == {"1": True, "2": False, "3": True, "8": True}
    assert ends["2"].unique_id == ""
    assert ends["3"].unique_id == "woken"
    joined = [item for item in received if isinstance(item, QueueCallerJoined)]
    assert [(item.queue, item.position) for item in joined] == [("support", 1)]
    users = [item for item in received if isinstance(item, Event) and item.name == "UserEvent"]
    assert [item.get("UserEvent") for item in users] == ["Greeting", "Woken"]
    assert users[0].get("Name") == "张伟先生"
