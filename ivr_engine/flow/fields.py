"""Small written forms that are shared: durations, lengths, keys, and for editors days and times.

Knows how they are written and what they mean. Must not know any step.
"""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Annotated, Any, Final, Literal

from pydantic import BeforeValidator, Field

from ivr_engine.channel.line import ALL_KEYS
from ivr_engine.flow.findings import NotUnderstoodError
from ivr_engine.flow.wording import Text

DURATION_MS_MAX: Final = 60_000
"""One try of a question stays well within the dialplan's backstop, which is renewed before each try."""
LONG_DURATION_MS_MAX: Final = 600_000
"""What is made of several tries or waits, each of which renews that backstop, may take longer."""
MESSAGE_MS_MAX: Final = 300_000
"""The longest voice message: 2.4 MB."""
MESSAGE_SILENCE_S_MAX: Final = 30
ENTRY_KEYS_MAX: Final = 64
_DURATION: Final = re.compile(r"(\d{1,6}) ?(ms|s|min)", re.ASCII)
_LENGTH: Final = re.compile(r"(\d{1,3})(?:\s*(?:to|-)\s*(\d{1,3}))?", re.ASCII)
_UNITS_MS: Final = (("ms", 1), ("min", 60_000), ("s", 1000))
_NAMED_KEYS: Final = (("star", "*"), ("hash", "#"))


class KeyEvent(StrEnum):
    """What a key can do instead of leading to a step that it names."""

    REPEAT = "repeat"
    """All is heard again, and nothing is counted as wrong."""
    HELP = "help"
    """The question says what helps, and is asked again."""
    BACK = "back"
    """The call goes to the question that the step itself names under `back`."""


EVENTS: Final = frozenset(event.value for event in KeyEvent)


def _milliseconds(written: Any) -> Any:  # noqa: ANN401 # whatever the author wrote
    return _duration(written, DURATION_MS_MAX, "60 s")


def _long(written: Any) -> Any:  # noqa: ANN401 # whatever the author wrote
    return _duration(written, LONG_DURATION_MS_MAX, "10 min")


def _message(written: Any) -> Any:  # noqa: ANN401 # whatever the author wrote
    return _duration(written, MESSAGE_MS_MAX, "5 min")


def _silence(written: Any) -> Any:  # noqa: ANN401 # whatever the author wrote
    milliseconds = _duration(written, MESSAGE_SILENCE_S_MAX * 1000, f"{MESSAGE_SILENCE_S_MAX} s")
    if milliseconds % 1000:
        message = Text("{written} are no whole seconds", written=written)
        raise NotUnderstoodError(message, Text("write for example 5 s"))
    return milliseconds


def _duration(written: object, most_ms: int, most: str) -> int:
    found = _DURATION.fullmatch(str(written))
    if found is None:
        message = Text("'{written}' is no length of time", written=written)
        raise NotUnderstoodError(message, Text("write for example 5 s, 500 ms or 2 min"))
    milliseconds = int(found.group(1)) * dict(_UNITS_MS)[found.group(2)]
    if not 0 < milliseconds <= most_ms:
        message = Text("{written} is too little or too much", written=written)
        raise NotUnderstoodError(message, Text("write more than nothing and at most {most}", most=most))
    return milliseconds


def _length(written: Any) -> Any:  # noqa: ANN401 # whatever the author wrote
    found = _LENGTH.fullmatch(str(written))
    if found is None:
        message = Text("'{written}' is no number of keys", written=written)
        raise NotUnderstoodError(message, Text("write for example 6, or 6 to 10"))
    least = int(found.group(1))
    most = int(found.group(2) or least)
    if not 1 <= least <= most <= ENTRY_KEYS_MAX:
        mend = Text("write 1 to {most} keys, the smaller number first", most=ENTRY_KEYS_MAX)
        raise NotUnderstoodError(Text("'{written}' keys cannot be typed", written=written), mend)
    return (least, most)


def telephone_keys(written: str) -> str | None:
    """Return the keys that `12`, `star` or `hash` stand for, or None when they are no keys of a telephone."""
    keys = dict(_NAMED_KEYS).get(written, written)
    return keys if keys and all(key in ALL_KEYS for key in keys) else None


def _one_key(written: Any) -> Any:  # noqa: ANN401 # whatever the author wrote
    keys = telephone_keys(str(written))
    if keys is None or len(keys) != 1:
        message = Text("'{written}' is not one key of a telephone", written=written)
        raise NotUnderstoodError(message, Text("write one of 0-9, star or hash"))
    return keys


def _at_most(limit: int) -> str:
    """Return a pattern of the whole numbers from 1 to a limit."""
    digits = str(limit)
    parts = [f"[1-9][0-9]{{0,{len(digits) - 2}}}"] if len(digits) > 1 else []
    for place, digit in enumerate(digits):
        least = 1 if place == 0 else 0
        if int(digit) > least:
            rest = len(digits) - place - 1
            parts.append(f"{digits[:place]}[{least}-{int(digit) - 1}]" + (f"[0-9]{{{rest}}}" if rest else ""))
    return f"0*({'|'.join([*parts, digits])})"


def _durations(most_ms: int) -> Any:  # noqa: ANN401 # a type, made of a pattern
    """Return how a length of time up to a limit is written, for the schema."""
    written = "|".join(f"{_at_most(most_ms // each)} ?{unit}" for unit, each in _UNITS_MS if most_ms >= each)
    return Annotated[str, Field(pattern=rf"^({written})$")]


_LEAP_YEAR: Final = r"(\d\d(0[48]|[2468][048]|[13579][26])|([02468][048]|[13579][26])00)"
DAY_WRITTEN: Final = (
    r"(\d{4}-((0[13578]|1[02])-(0[1-9]|[12]\d|3[01])|(0[469]|11)-(0[1-9]|[12]\d|30)|02-(0[1-9]|1\d|2[0-8]))"
    rf"|{_LEAP_YEAR}-02-29)"
)
"""A pattern of the days that a calendar has; what is judged by it has the form of one."""
TIME_WRITTEN: Final = r"([01]\d|2[0-3]):[0-5]\d"
"""A pattern of the times that a clock shows."""

# The second argument of each is how the value is written, for the schema of flow files that editors use.
Milliseconds = Annotated[int, BeforeValidator(_milliseconds, json_schema_input_type=_durations(DURATION_MS_MAX))]
LongMilliseconds = Annotated[int, BeforeValidator(_long, json_schema_input_type=_durations(LONG_DURATION_MS_MAX))]
MessageMilliseconds = Annotated[int, BeforeValidator(_message, json_schema_input_type=_durations(MESSAGE_MS_MAX))]
MessageSilence = Annotated[
    int,
    BeforeValidator(
        _silence,
        json_schema_input_type=Annotated[str, Field(pattern=rf"^{_at_most(MESSAGE_SILENCE_S_MAX)} ?s$")],
    ),
]
Length = Annotated[
    tuple[int, int],
    BeforeValidator(
        _length,
        json_schema_input_type=Annotated[int, Field(ge=1, le=ENTRY_KEYS_MAX)]
        | Annotated[str, Field(pattern=rf"^{_at_most(ENTRY_KEYS_MAX)}(\s*(to|-)\s*{_at_most(ENTRY_KEYS_MAX)})?$")],
    ),
]
Key = Annotated[
    str,
    BeforeValidator(_one_key, json_schema_input_type=Literal["star", "hash", "*", "#", 0, 1, 2, 3, 4, 5, 6, 7, 8, 9]),
]
Written = str | int | bool
