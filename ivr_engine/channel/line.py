"""The port through which one caller is reached.

Knows the verbs of a telephone line. Must not know AGI, SIP or files. `adapters/asterisk` implements it on a
real channel, `simulator` on a scripted one; both obey the same contract tests.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Protocol

from ivr_engine.values.recording import RECORDED_BYTES_PER_MS
from ivr_engine.values.secret import SecretDigits
from ivr_engine.values.utterance import Utterance

ALL_KEYS: Final = "0123456789*#"
TERMINATOR: Final = "#"
WAKE: Final = "D"
"""A key that no telephone has: whoever has news for a waiting line sends it, and it ends the verb that runs."""


class CallerHungUp(Exception):  # noqa: N818  # not an error: how most calls end
    """The caller is gone; raised by every verb of a line, caught once, by the session."""


class CalledAway(Exception):  # noqa: N818  # not an error: an agent is there, or the wait is over
    """The caller waits for something that has come: raised by the verbs of a line that is watched, like a hang-up."""


class KeysEnd(StrEnum):
    """Why reading several keys ended."""

    TERMINATOR = "terminator"
    FULL = "full"
    TIME_OUT = "time_out"


@dataclass(frozen=True, slots=True)
class Played:
    """How playing ended: by a key (which one, maybe `WAKE`) or at the end; `heard_ms` is how much of it was heard."""

    key: str | None
    heard_ms: int


@dataclass(frozen=True, slots=True)
class KeysRead:
    """Keys without their terminator, and why reading ended.

    The keys are always secret here; who asked for something harmless may reveal them.
    """

    keys: SecretDigits
    end: KeysEnd


class DialResult(StrEnum):
    """How an attempt to join the caller to an agent ended."""

    ANSWERED = "answered"
    NO_ANSWER = "no_answer"
    BUSY = "busy"
    UNREACHABLE = "unreachable"


@dataclass(frozen=True, slots=True)
class Dialled:
    """The result, and the seconds that caller and agent talked (0 if they did not)."""

    result: DialResult
    talk_seconds: int


class RecordEnd(StrEnum):
    """Why recording a caller ended."""

    KEY = "key"
    SILENCE_OR_LONGEST = "silence_or_longest"
    HUNG_UP = "hung_up"


@dataclass(frozen=True, slots=True)
class Recorded:
    """What a caller has said, as 8 kHz µ-law, and why recording ended."""

    audio: bytes
    end: RecordEnd

    @property
    def milliseconds(self) -> int:
        """How long it is."""
        return len(self.audio) // RECORDED_BYTES_PER_MS


class RecordingFailedError(Exception):
    """What a caller says cannot be written down: the disk is full, or the folder is not ours."""


class Line(Protocol):
    """One caller's line. Every method raises `CallerHungUp`; only one may be running at a time."""

    async def answer(self) -> None:
        """Answer the call; harmless when already answered."""
        ...

    async def play(self, what: Utterance, *, stop_on: str = ALL_KEYS, from_ms: int = 0) -> Played:
        """Play from `from_ms` on; a key in `stop_on` ends it and is returned, others are not seen.

        `WAKE` may be among them.
        """
        ...

    async def read_key(self, *, within_ms: int) -> str | None:
        """Return the next key, or None when none was pressed in time, or the line was woken."""
        ...

    async def read_keys(self, what: Utterance | None, *, max_keys: int, within_ms: int) -> KeysRead:
        """Play `what` (the first key stops it) and read keys up to `max_keys` or the terminator `#`.

        `within_ms` is the longest silence before the first key (from the end of the prompt) and between keys.
        The keys appear in no log, event or variable.
        """
        ...

    async def record(self, *, most_ms: int, silence_s: int, finish: str) -> Recorded:
        """Record the caller until the key `finish`, so much silence, the longest time, or until they hang up.

        A hang-up is an end like the others here, and what was said before it is returned; the next verb raises
        `CallerHungUp`. No other key does anything. Raises `RecordingFailedError`.
        """
        ...

    async def play_back(self, audio: bytes, *, stop_on: str = ALL_KEYS) -> Played:
        """Play what a caller has said to this same caller; a key in `stop_on` ends it and is returned."""
        ...

    async def music(self, *, on: bool) -> None:
        """Play hold music under `read_key`, or stop it."""
        ...

    async def dial(
        self, endpoint: str, *, ring_s: int, whisper: Utterance | None = None, secure: bool = False
    ) -> Dialled:
        """Join the caller to an agent's telephone and return when the agent has left.

        `whisper` is what the agent alone hears before both are joined. With `secure` the agent may ask, by keys that
        the caller does not have, to be taken out of the talk: then it ends as well, and who dialled learns of it.
        Raises `CallerHungUp` also when the caller leaves the talk first.
        """
        ...
