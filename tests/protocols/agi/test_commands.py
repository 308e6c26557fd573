from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ivr_engine.protocols.agi import (
    Answer,
    ChannelStatus,
    Command,
    Exec,
    GetData,
    GetVariable,
    Hangup,
    LocalProtocolError,
    RecordFile,
    SetMusic,
    SetVariable,
    StreamFile,
    WaitForDigit,
)
from ivr_engine.protocols.agi.commands import MAX_ARGUMENTS, MAX_COMMAND_BYTES, encode_line

FORBIDDEN = "\x00\r\n"


def words_as_asterisk_reads_them(line: bytes) -> list[bytes]:
    r"""Split a command as `parse_args` of res_agi.c does: quotes group, `\` takes the next byte as it is."""
    words: list[bytearray] = []
    inside, escaped, in_word = False, False, False
    for byte in line.removesuffix(b"\n"):
        if byte == ord("\\") and not escaped:
            escaped = True
            continue
        if byte == ord('"') and not escaped:
            inside = not inside
            if inside and not in_word:
                words.append(bytearray())
                in_word = True
            continue
        if byte in b" \t" and not inside and not escaped:
            in_word = False
            continue
        if not in_word:
            words.append(bytearray())
            in_word = True
        words[-1].append(byte)
        escaped = False
    return [bytes(word) for word in words]


@pytest.mark.parametrize(
    ("command", "line"),
    [
        (Answer(), b"ANSWER\n"),
        (Hangup(), b"HANGUP\n"),
        (ChannelStatus(), b"CHANNEL STATUS\n"),
        (SetMusic(on=True), b"SET MUSIC ON\n"),
        (SetMusic(on=False), b"SET MUSIC OFF\n"),
        (StreamFile("/s/a", "12#", 160), b'STREAM FILE "/s/a" "12#" "160"\n'),
        (GetData("", 5000, 6), b'GET DATA "" "5000" "6"\n'),
        (RecordFile("/r/a", "ulaw", "#", 120_000, 5), b'RECORD FILE "/r/a" "ulaw" "#" "120000" "0" "s=5"\n'),
        (RecordFile("/r/a", "ulaw", "", 1), b'RECORD FILE "/r/a" "ulaw" "" "1" "0"\n'),
        (WaitForDigit(0), b'WAIT FOR DIGIT "0"\n'),
        (SetVariable("TIMEOUT(absolute)", "30"), b'SET VARIABLE "TIMEOUT(absolute)" "30"\n'),
        (GetVariable("IVR_DONE"), b'GET FULL VARIABLE "${IVR_DONE}"\n'),
        (Exec("Dial", "PJSIP/a,20,gm"), b'EXEC "Dial" "PJSIP/a,20,gm"\n'),
    ],
)
def test_a_command_writes_its_line(command: Command, line: bytes) -> None:
    assert command.encode() == line


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters=FORBIDDEN), max_size=300))
def test_any_value_arrives_as_one_argument_and_unchanged(value: str) -> None:
    line = SetVariable("X", value).encode()
    assert line.count(b"\n") == 1
    assert words_as_asterisk_reads_them(line) == [b"SET", b"VARIABLE", b"X", value.encode()]


@given(st.lists(st.text(st.sampled_from('\\" \ta1余'), max_size=12), max_size=8))
def test_quotes_backslashes_and_blanks_never_move_a_border(arguments: list[str]) -> None:
    words = words_as_asterisk_reads_them(encode_line(b"EXEC", *arguments))
    assert words == [b"EXEC", *(argument.encode() for argument in arguments)]


@given(st.text(), st.sampled_from(FORBIDDEN), st.text())
def test_a_control_character_that_ends_a_line_is_refused_wherever_it_stands(
    before: str, character: str, after: str
) -> None:
    for command in (SetVariable("X", before + character + after), Exec("NoOp", before + character + after)):
        with pytest.raises(LocalProtocolError):
            command.encode()


def test_a_lone_surrogate_is_refused() -> None:
    with pytest.raises(LocalProtocolError, match="surrogate"):
        SetVariable("X", "\udce9").encode()


def test_a_line_may_fill_asterisks_buffer_but_for_its_nul() -> None:
    room = MAX_COMMAND_BYTES - len(SetVariable("X", "").encode())
    assert len(SetVariable("X", "v" * room).encode()) == MAX_COMMAND_BYTES
    with pytest.raises(LocalProtocolError, match="at most"):
        SetVariable("X", "v" * (room + 1)).encode()
    with pytest.raises(LocalProtocolError, match="at most"):
        SetVariable("X", "余" * (room // 3 + 1)).encode()


def test_more_words_than_asterisk_has_places_for_are_refused() -> None:
    assert encode_line(b"EXEC", *["x"] * (MAX_ARGUMENTS - 1))
    with pytest.raises(LocalProtocolError, match="words"):
        encode_line(b"EXEC", *["x"] * MAX_ARGUMENTS)


@pytest.mark.parametrize(
    "command",
    [
        StreamFile(""),
        StreamFile("/a&/b"),
        StreamFile("/a\n"),
        StreamFile("/a", "12x"),
        StreamFile("/a", "1", -1),
        GetData("/a&/b", 1000, 1),
        GetData("", 0, 1),
        GetData("", -1, 1),
        GetData("", 1000, 0),
        GetData("", 1000, 1024),
        RecordFile("", "ulaw", "#", 1000),
        RecordFile("/a&/b", "ulaw", "#", 1000),
        RecordFile("/a", "../ulaw", "#", 1000),
        RecordFile("/a", "ulaw", "x", 1000),
        RecordFile("/a", "ulaw", "#", -1),
        RecordFile("/a", "ulaw", "#", 600_001),
        RecordFile("/a", "ulaw", "#", 1000, -1),
        WaitForDigit(-1),
        WaitForDigit(3_600_001),
        SetVariable("", "x"),
        SetVariable("A B", "x"),
        SetVariable("A\n", "x"),
        SetVariable("SHELL(${X})", "x"),
        GetVariable('X"'),
        Exec("", "x"),
        Exec("Dial Me"),
        Exec("Dial\n"),
    ],
)
def test_what_agi_or_sense_forbids_is_refused_before_it_is_sent(command: Command) -> None:
    with pytest.raises(LocalProtocolError):
        command.encode()
