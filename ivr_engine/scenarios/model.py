"""One test: what is given, what the caller hears and does, and what must be true at the end.

Knows values only. Must not know YAML, calls, or whether the caller is simulated. A PIN is a secret here as well: no
step holds one, only the word for it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from ivr_engine.banking.model import AccountKind, Addresses, Segment
from ivr_engine.flow.call import QueueOutcome
from ivr_engine.flow.findings import Place
from ivr_engine.flow.leaving import CallbackOutcome, TransferOutcome
from ivr_engine.values.language import Language
from ivr_engine.values.medium import Medium
from ivr_engine.values.money import Money
from ivr_engine.values.secret import SecretDigits

BEGINNING: Final = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
"""When a call begins, unless its test says so."""
CALLER: Final = "13800000000"
"""Who calls, unless a test says so."""
HEAR_WITHIN_MS: Final = 60_000
EVERY_MS: Final = 160
"""From the beginning of one key to that of the next, as a quick caller presses them."""
REACTION_MS: Final = 200
"""From the end of what was waited for to the first key, or to the hang-up."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """A recording that is to be heard; without a language it may be in any."""

    prompt: str
    language: Language | None = None

    def is_heard_in(self, name: str) -> bool:
        """Say whether `name` (`<language>/<id>`) is this recording."""
        if not name.endswith(self.prompt):  # nearly always, and quick
            return False
        language, _, prompt = name.partition("/")
        return prompt == self.prompt and self.language in (None, language)

    def __str__(self) -> str:
        return self.prompt if self.language is None else f"{self.language.value}/{self.prompt}"


@dataclass(frozen=True, slots=True)
class Listing:
    """Recordings in order, directly after one another but where `others_before` allows others in between.

    A number in `others_before` is a position in `wanted`; its length means the end.
    """

    wanted: tuple[Wanted, ...]
    others_before: frozenset[int] = frozenset()


class Typed(StrEnum):
    """What keys stand for; all but `keys` are known only when the test runs."""

    KEYS = "keys"
    NUMBER = "customer number"
    PIN = "pin"
    WRONG_PIN = "wrong pin"
    CODE = "code"
    """The one-time code that was sent last."""
    WRONG_CODE = "wrong code"


@dataclass(frozen=True, slots=True)
class Hear:
    """The caller listens until these were heard to their ends; others may come before the first."""

    place: Place
    listing: Listing
    within_ms: int = HEAR_WITHIN_MS


@dataclass(frozen=True, slots=True)
class Press:
    """The caller presses keys, at once or when `after_ms` of a recording were heard."""

    place: Place
    typed: Typed
    keys: str = ""
    every_ms: int = EVERY_MS
    during: Wanted | None = None
    after_ms: int = 0


@dataclass(frozen=True, slots=True)
class Wait:
    """The caller does nothing for a while, whatever is heard."""

    place: Place
    milliseconds: int


@dataclass(frozen=True, slots=True)
class Speak:
    """The caller speaks as soon as a message is recorded, for so long."""

    place: Place
    milliseconds: int


@dataclass(frozen=True, slots=True)
class HangUp:
    """The caller hangs up, so long after what was done or heard before.

    0 is the instant when the last key is released: then a real server may hear of both in either order.
    """

    place: Place
    after_ms: int = REACTION_MS


Step = Hear | Press | Wait | Speak | HangUp


@dataclass(frozen=True, slots=True)
class Movement:
    """One movement of an account; positive is money in. It was on a day, or so many days before the call."""

    amount: Money
    on: date | None = None
    days_ago: int = 0
    text: str = ""

    def at(self, now: datetime) -> datetime:
        """Return when it was booked, for a call that begins now."""
        if self.on is None:
            return now - timedelta(days=self.days_ago)
        return datetime.combine(self.on, time(12), UTC)


@dataclass(frozen=True, slots=True)
class GivenAccount:
    """An account; its `movements` are the newest first.

    What `booked` is more or less than its movements was moved before them, in one movement more.
    """

    number: str
    kind: AccountKind
    booked: Money
    held: Money
    credit_line: Money
    movements: tuple[Movement, ...] = ()

    @property
    def all_movements(self) -> tuple[Movement, ...]:
        """Every movement, the newest first, that of the beginning included where there is one."""
        rest = self.booked
        for movement in self.movements:
            rest -= movement.amount
        oldest = self.movements[-1] if self.movements else Movement(rest)
        opening = Movement(rest, oldest.on, oldest.days_ago, "opening")
        return (*self.movements, opening) if rest.minor else self.movements


@dataclass(frozen=True, slots=True, eq=False)
class GivenCustomer:
    """A customer of the bank, who need not be the caller. `wrong_pins` were typed in other calls today."""

    number: str
    pin: SecretDigits
    name: str = ""
    accounts: tuple[GivenAccount, ...] = ()
    addresses: Addresses = field(default_factory=Addresses)
    wrong_pins: int = 0
    segment: Segment = Segment.STANDARD
    born: date | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """How an operation ends whatever the bank holds, when the bank itself has decided `after` times."""

    outcome: str
    after: int = 0


@dataclass(frozen=True, slots=True)
class Busy:
    """Agents who are all busy when the caller begins to wait, until one is free for this caller.

    `waiting_before` are callers who wait already, and are served by others until then. `talks_ms` is how long the
    recent talks lasted, so that the wait can be guessed; None where there were too few to say.
    """

    free_after_ms: int
    waiting_before: int = 0
    talks_ms: int | None = None


@dataclass(frozen=True, slots=True)
class Given:
    """The world of one test; `caller` is the number that the network shows, empty where it is withheld.

    `answers` are operations that end otherwise than the bank would; `agents` is None where nobody said what they do.
    `asks_secret`: the agent asks once, in the talk, for what the agent does not hear.
    """

    customer: GivenCustomer | None = None
    bank_away: bool = False
    answer_after_s: float = 0.0
    answers: Mapping[str, Answer] = field(default_factory=lambda: MappingProxyType({}))
    agents: QueueOutcome | Busy | None = None
    begins: datetime | None = None
    caller: str = CALLER
    messages_away: bool = False
    callbacks: CallbackOutcome | None = None
    destinations: TransferOutcome | None = None
    asks_secret: bool = False

    @property
    def leaving(self) -> bool:
        """Whether the test says what becomes of messages, callbacks or transfers."""
        return self.messages_away or self.callbacks is not None or self.destinations is not None


@dataclass(frozen=True, slots=True)
class Moved:
    """Money that went from one account to another."""

    debit: str
    credit: str
    amount: Money

    def __str__(self) -> str:
        return f"{self.amount} {self.debit} > {self.credit}"


@dataclass(frozen=True, slots=True)
class Sent:
    """A message that was sent: by which means, and what it says, what stands above it first."""

    medium: Medium
    text: str

    @classmethod
    def of(cls, medium: Medium, heading: str, text: str) -> Sent:
        """Return a message with what stands above its text."""
        return cls(medium, f"{heading}\n{text}" if heading else text)

    def __str__(self) -> str:
        return f"{self.medium.value}: {self.text}"


@dataclass(frozen=True, slots=True)
class WantedMessage:
    """A message that must have been sent; its text contains all of these."""

    medium: Medium
    contains: tuple[str, ...]

    def is_fulfilled_by(self, sent: Sent) -> bool:
        """Say whether a message is this one."""
        return sent.medium is self.medium and all(part in sent.text for part in self.contains)


@dataclass(frozen=True, slots=True)
class Expected:
    """What must be true when the call is over; None where nothing is said. Places are those of the values.

    `moved` is all the money that the call may move, `sent` every message that it may send, in order: none unless the
    test says so. `messages` is how many are kept, `callbacks` are the numbers that are to be called back.
    """

    ends: str | None = None
    heard: Listing | None = None
    never_heard: tuple[Wanted, ...] = ()
    operations: tuple[tuple[str, str | None], ...] | None = None
    milestones: tuple[str, ...] | None = None
    moved: tuple[Moved, ...] = ()
    sent: tuple[WantedMessage, ...] = ()
    human_within_s: float | None = None
    messages: int | None = None
    callbacks: tuple[str, ...] | None = None
    places: Mapping[str, Place] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True, slots=True)
class Scenario:
    """One test of one conversation."""

    file: str
    title: str
    flow: str | None
    language: Language
    given: Given
    steps: tuple[Step, ...]
    expected: Expected

    @property
    def top(self) -> Place:
        """Where a failure is told that is about the whole test."""
        return Place(self.file, 1, 1)
