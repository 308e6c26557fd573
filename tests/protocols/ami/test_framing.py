"""Messages come out of a stream whole, whatever the reads cut."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ivr_engine.protocols.ami.errors import RemoteProtocolError
from ivr_engine.protocols.ami.events import TYPED_NAMES
from ivr_engine.protocols.ami.framing import Framer, Limits, parse, unwanted
from ivr_engine.protocols.ami.message import Event, Response
from tests.protocols.ami import dialogue

GREETING = b"Asterisk Call Manager/11.0.0\r\n"


def frames(data: bytes, *cuts: int, limits: Limits | None = None) -> list[bytes]:
    framer = Framer(limits or Limits())
    out: list[bytes] = []
    for start, end in zip((0, *cuts), (*cuts, len(data)), strict=True):
        out += framer.feed(data[start:end])
    return out


@pytest.mark.parametrize("name", dialogue.names())
def test_recorded_dialogue_reads_the_same_when_cut_at_every_byte(name: str) -> None:
    data = dialogue.read(name).received[:6_000]
    whole = frames(data)
    assert whole
    for cut in range(1, len(data)):
        assert frames(data, cut) == whole, cut


def test_recorded_dialogue_reads_the_same_byte_by_byte() -> None:
    data = dialogue.read("calls").received
    assert frames(data, *range(1, len(data))) == frames(data)


def test_chinese_name_cut_inside_a_character_arrives_whole() -> None:
    frame = "Event: UserEvent\r\nName: 张伟先生\r\n\r\n".encode()
    for cut in range(1, len(frame)):
        data = GREETING + frame
        [raw] = frames(data, len(GREETING) + cut)
        assert parse(raw, Limits()).get("Name") == "张伟先生"


def test_bytes_that_are_no_utf8_stay_readable() -> None:
    message = parse("Event: X\r\nName: 张伟".encode("gb18030"), Limits())
    assert message.get("Name") == r"\xd5\xc5\xce\xb0"


def test_empty_values_and_repeated_headers_are_kept() -> None:
    message = parse(b"Event: X\r\nAccountCode:\r\nCode: \r\nVariable: A=1\r\nVariable: B=2\r\nLast:", Limits())
    assert ("AccountCode" in message, message.get("AccountCode")) == (True, "")
    assert ("Code" in message, "last" in message, "Other" in message) == (True, True, False)
    assert message.all("variable") == ("A=1", "B=2")


def test_blanks_inside_a_value_are_kept() -> None:
    message = parse(b"Response: Success\r\nOutput:   two  \r\nOutput: ", Limits())
    assert message.all("Output") == ("  two  ", "")


def test_line_without_a_colon_is_kept_apart() -> None:
    assert parse(b"Event: X\r\nrest of a value", Limits()).unparsed == ("rest of a value",)


def test_line_feed_inside_a_value_does_not_end_it() -> None:
    # Seen: PJSIPShowContacts says "No Contacts found" with a line feed of its own.
    data = GREETING + b"Response: Error\r\nMessage: No Contacts found\n\r\n\r\nEvent: X\r\n\r\n"
    first, second = [parse(frame, Limits()) for frame in frames(data)]
    assert isinstance(first, Response)
    assert first.text == "No Contacts found"
    assert isinstance(second, Event)


def test_message_shows_names_but_no_values_when_printed() -> None:
    assert repr(parse(b"Event: X\r\nCallerIDNum: 13900001111", Limits())) == "<Event Event CallerIDNum>"


@pytest.mark.parametrize(
    "greeting", [b"SSH-2.0-OpenSSH\r\n", b"HTTP/1.1 400 Bad\r\n", b"\r\n", b"Asterisk Call Manage/"]
)
def test_other_greeting_is_refused_at_its_first_wrong_byte(greeting: bytes) -> None:
    with pytest.raises(RemoteProtocolError):
        frames(greeting)


def test_greeting_without_end_is_refused_at_its_limit() -> None:
    framer = Framer(Limits(banner_bytes=100))
    framer.feed(b"Asterisk Call Manager/" + b"1" * 70)
    with pytest.raises(RemoteProtocolError):
        framer.feed(b"1" * 20)


def test_message_without_end_is_refused_at_its_limit_in_many_reads() -> None:
    framer = Framer(Limits(message_bytes=1_000))
    framer.feed(GREETING)
    for _ in range(100):
        framer.feed(b"Event: abc")
    with pytest.raises(RemoteProtocolError, match="longer than 1000 bytes"):
        framer.feed(b"E")


@pytest.mark.parametrize(
    ("limits", "what"),
    [
        (Limits(message_bytes=50), "message longer"),
        (Limits(line_bytes=50), "line longer"),
        (Limits(headers=3), "more than 3 headers"),
    ],
)
def test_each_limit_has_its_own_words(limits: Limits, what: str) -> None:
    frame = b"Event: X\r\nA: 1\r\nB: 2\r\nC: " + b"x" * 60
    with pytest.raises(RemoteProtocolError, match=what):
        parse(frame, limits)


@pytest.mark.parametrize("frame", [b"Hello: 1", b"no colon", b"Action: Login"])
def test_message_that_is_neither_event_nor_response_is_refused(frame: bytes) -> None:
    with pytest.raises(RemoteProtocolError):
        parse(frame, Limits())


def test_unwanted_events_are_told_by_their_first_line() -> None:
    wanted = frozenset({b"Hangup"})
    assert unwanted(b"Event: Newexten\r\nChannel: a", wanted)
    assert unwanted(b"Event: HangupRequest\r\nChannel: a", wanted)
    assert unwanted(b"Event: Newexten", wanted)
    assert not unwanted(b"Event: Hangup\r\nChannel: a", wanted)
    assert not unwanted(b"Event: QueueMember\r\nActionID: 1", wanted)
    assert not unwanted(b"Response: Success", wanted)


@pytest.mark.parametrize("name", dialogue.names())
def test_skipping_agrees_with_parsing_on_every_recorded_message(name: str) -> None:
    wanted = frozenset(known.encode() for known in TYPED_NAMES)
    for frame in frames(dialogue.read(name).received):
        message = parse(frame, Limits())
        asked = not isinstance(message, Event) or message.name in TYPED_NAMES or "ActionID" in message
        assert unwanted(frame, wanted) is not asked


text = st.text(st.characters(codec="utf-8", exclude_characters="\r\n"), max_size=30)
name = st.from_regex(r"[A-Za-z][A-Za-z-]{0,10}", fullmatch=True)


@given(st.lists(st.lists(st.tuples(name, text), max_size=5), min_size=1, max_size=4), st.data())
def test_written_messages_are_read_back_however_they_are_cut(
    messages: list[list[tuple[str, str]]], data: st.DataObject
) -> None:
    expected = [[("Event", "X"), *headers] for headers in messages]
    wire = GREETING + b"".join(
        b"".join(f"{key}: {value}\r\n".encode() for key, value in headers) + b"\r\n" for headers in expected
    )
    cuts = sorted(data.draw(st.lists(st.integers(0, len(wire)), max_size=6)))
    read = [list(parse(frame, Limits()).headers) for frame in frames(wire, *cuts)]
    assert read == expected
