"""Small written forms that several steps share: durations, lengths, keys.

Knows how they are written and what they mean. Must not know any step.
"""

from __future__ import annotations

import re
from typing import Annotated, Any, Final, Literal

from pydantic import BeforeValidator, Field

from ivr_engine.channel.line import ALL_KEYS
from ivr_engine.flow.findings import NotUnderstoodError

DURATION_MS_MAX: Final = 60_000
"""One try of a question stays well within the dialplan's backstop, which is renewed before each try."""
ENTRY_KEYS_MAX: Final = 64
_DURATION: Final = re.compile(r"(\d{1,6}) ?(ms|s|min)", re.ASCII)
_LENGTH: Final = re.compile(r"(\d{1,3})(?:\s*(?:to|-)\s*(\d{1,3}))?", re.ASCII)
_UNITS_MS: Final = (("ms", 1), ("min", 60_000), ("s", 1000))
_NAMED_KEYS: Final = (("star", "*"), ("hash", "#"))


def _milliseconds(written: Any) -> Any:  # noqa: ANN401 # whatever the author wrote
    found = _DURATION.fullmatch(str(written))
    if found is None:
        raise NotUnderstoodError(f"'{written}' is no length of time", "write for example 5 s, 500 ms or 2 min")
    milliseconds = int(found.group(1)) * dict(_UNITS_MS)[found.group(2)]
    if not 0 < milliseconds <= DURATION_MS_MAX:
        raise NotUnderstoodError(f"{written} is too little or too much", "write more than nothing and at most 60 s")
    return milliseconds


def _length(written: Any) -> Any:  # noqa: ANN401 # whatever the author wrote
    found = _LENGTH.fullmatch(str(written))
    if found is None:
        raise NotUnderstoodError(f"'{written}' is no number of keys", "write for example 6, or 6 to 10")
    least = int(found.group(1))
    most = int(found.group(2) or least)
    if not 1 <= least <= most <= ENTRY_KEYS_MAX:
        mend = f"write 1 to {ENTRY_KEYS_MAX} keys, the smaller number first"
        raise NotUnderstoodError(f"'{written}' keys cannot be typed", mend)
    return (least, most)


def telephone_keys(written: str) -> str | None:
    """Return the keys that `12`, `star` or `hash` stand for, or None when they are no keys of a telephone."""
    keys = dict(_NAMED_KEYS).get(written, written)
    return keys if keys and all(key in ALL_KEYS for key in keys) else None


def _one_key(written: Any) -> Any:  # noqa: ANN401 # whatever the author wrote
    keys = telephone_keys(str(written))
    if keys is None or len(keys) != 1:
        raise NotUnderstoodError(f"'{written}' is not one key of a telephone", "write one of 0-9, star or hash")
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


_DURATION_WRITTEN: Final = "|".join(f"{_at_most(DURATION_MS_MAX // each)} ?{unit}" for unit, each in _UNITS_MS)

# The second argument of each is how the value is written, for the schema of flow files that editors use.
Milliseconds = Annotated[
    int,
    BeforeValidator(_milliseconds, json_schema_input_type=Annotated[str, Field(pattern=rf"^({_DURATION_WRITTEN})$")]),
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
