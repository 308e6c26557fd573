"""What became of a call, and whether that is what its test expects.

Knows what was heard, done and asked. Must not know whether the call was simulated or real, nor how findings are made.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from types import MappingProxyType
from typing import Final

from ivr_engine.flow.findings import Place
from ivr_engine.flow.runner import StepDone
from ivr_engine.flow.wording import Text
from ivr_engine.scenarios.model import Listing, Moved, Scenario, Sent
from ivr_engine.scenarios.reading import (
    CALLBACKS,
    ENDS,
    HEARD,
    HUMAN,
    MESSAGES,
    MILESTONES,
    MOVED,
    NEVER,
    OPERATIONS,
    SENT,
)
from ivr_engine.values.language import Language
from ivr_engine.values.money import Money
from ivr_engine.values.secret import SecretDigits

_DIGITS: Final = re.compile("[0-9]+")
SHOWN_HEARD_MAX: Final = 12
"""How many recordings a failure lists."""


@dataclass(frozen=True, slots=True)
class HeardPrompt:
    """A recording (`<language>/<id>`) and when it was heard, in seconds since the call began.

    `cut` by a key of the caller or, when they were `called_away`, by what they waited for; or else heard to its end.
    `by_chance` marks one that began while the caller was about to press a key: whether it is heard to its end hangs on
    how quick the caller is.
    """

    name: str
    began_s: float
    ended_s: float
    cut: bool
    by_chance: bool = False
    called_away: bool = False


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a test failed, and the line of it that says otherwise."""

    place: Place
    message: str


@dataclass(frozen=True, slots=True)
class Told:
    """One call that is over. `trace` is each step with the language that was spoken; `reason` why it ended.

    `operations` are those that were asked of the bank, with how they ended; `moved` is the money that it moved, and
    `booked` what each account of the customer holds afterwards, in the order of the accounts. `sent` are the messages.
    """

    reason: str
    seconds: float
    heard: tuple[HeardPrompt, ...]
    trace: tuple[tuple[StepDone, Language], ...] = ()
    operations: tuple[tuple[str, str], ...] = ()
    human_after_s: float | None = None
    moved: tuple[Moved, ...] = ()
    booked: Mapping[str, Money] = field(default_factory=lambda: MappingProxyType({}))
    sent: tuple[Sent, ...] = ()
    messages: int = 0
    callbacks: tuple[str, ...] = ()

    @property
    def whole(self) -> list[str]:
        """What was heard to its end, in order."""
        return [heard.name for heard in self.heard if not heard.cut]

    @property
    def steps(self) -> list[tuple[str, str, str]]:
        """Every (flow, step, outcome), in order."""
        return [(step.flow, step.step, step.outcome) for step, _ in self.trace]

    @property
    def milestones(self) -> tuple[str, ...]:
        """What the caller has reached, in order."""
        return tuple(step.milestone for step, _ in self.trace if step.milestone is not None)


def judge(scenario: Scenario, told: Told) -> list[Failure]:
    """Return every expectation that was not fulfilled; that no other money moves is one of every test."""
    expected = scenario.expected
    failures: list[Failure] = []

    def fail(key: str, message: str) -> None:
        failures.append(Failure(expected.places.get(key, scenario.top), message))

    if expected.ends is not None and told.reason != expected.ends:
        message = Text("the call ended as '{reason}', not as '{expected}'", reason=told.reason, expected=expected.ends)
        fail(ENDS, message)
    for key, difference in _wrongly_heard(scenario, told):
        fail(key, difference)
    if expected.operations is not None and not _same_operations(expected.operations, told.operations):
        asked = ", ".join(f"{name}: {outcome}" for name, outcome in told.operations) or "nothing"
        fail(OPERATIONS, Text("the bank was asked otherwise: {asked}", asked=asked))
    if expected.milestones is not None and told.milestones != expected.milestones:
        reached = ", ".join(told.milestones) or Text("nothing")
        fail(MILESTONES, Text("the caller reached otherwise: {reached}", reached=reached))
    for key, message in (
        *_wrong_books(scenario, told),
        *_left_otherwise(scenario, told),
        *((SENT, message) for message in _wrong_messages(scenario, told)),
    ):
        fail(key, message)
    if expected.human_within_s is not None:
        if told.human_after_s is None:
            fail(HUMAN, Text("the caller was never handed to a human"))
        elif told.human_after_s >= expected.human_within_s:
            fail(HUMAN, Text("a human came after {seconds} s only", seconds=round(told.human_after_s, 1)))
    return failures


def _wrongly_heard(scenario: Scenario, told: Told) -> Iterator[tuple[str, str]]:
    """Yield where what was heard differs, each with the key of what is expected."""
    expected = scenario.expected
    if expected.heard is not None and (difference := difference_of(expected.heard, told.whole)) is not None:
        yield HEARD, difference
    for wanted in expected.never_heard:
        if any(wanted.is_heard_in(heard.name) for heard in told.heard):
            yield NEVER, Text("`{wanted}` was heard", wanted=wanted)


def _left_otherwise(scenario: Scenario, told: Told) -> Iterator[tuple[str, Text]]:
    """Yield what the caller has left behind otherwise than the test says, with its key."""
    expected = scenario.expected
    if expected.messages is not None and told.messages != expected.messages:
        yield MESSAGES, Text("{count} messages were kept", count=told.messages)
    if expected.callbacks is not None and told.callbacks != expected.callbacks:
        numbers = ", ".join(told.callbacks) or Text("nobody")
        yield CALLBACKS, Text("others wait to be called back: {numbers}", numbers=numbers)


def _wrong_books(scenario: Scenario, told: Told) -> Iterator[tuple[str, Text]]:
    """Yield what moved otherwise, and each account that does not hold what it was given, less and more what moved."""
    if told.moved != scenario.expected.moved:
        moved = ", ".join(map(str, told.moved)) or Text("nothing")
        yield MOVED, Text("money was moved otherwise: {moved}", moved=moved)
    customer = scenario.given.customer
    for account in customer.accounts if customer is not None else ():
        due = account.booked
        for move in told.moved:
            if move.debit == account.number:
                due -= move.amount
            if move.credit == account.number:
                due += move.amount
        holds = told.booked.get(account.number, due)
        if holds != due:
            message = Text("account {number} holds {holds}, and not {due}", number=account.number, holds=holds, due=due)
            yield MOVED, message


def _wrong_messages(scenario: Scenario, told: Told) -> Iterator[Text]:
    """Yield what was sent otherwise, and each message that holds the customer's PIN, whatever the test says."""
    wanted = scenario.expected.sent
    fulfilled = len(wanted) == len(told.sent) and all(
        one.is_fulfilled_by(sent) for one, sent in zip(wanted, told.sent, strict=True)
    )
    if not fulfilled:
        sent = "; ".join(map(str, told.sent)) or Text("nothing")
        yield Text("messages were sent otherwise: {sent}", sent=sent)
    customer = scenario.given.customer
    for message in told.sent:
        typed = [SecretDigits(run.encode()) for run in _DIGITS.findall(message.text)]
        if customer is not None and any(customer.pin.same_as(digits) for digits in typed):
            yield Text("the customer's PIN stands in a message")
        for digits in typed:
            digits.wipe()


def _same_operations(wanted: Sequence[tuple[str, str | None]], asked: Sequence[tuple[str, str]]) -> bool:
    if len(wanted) != len(asked):
        return False
    pairs = zip(wanted, asked, strict=True)
    return all(name == other and outcome in (None, end) for (name, outcome), (other, end) in pairs)


def difference_of(listing: Listing, heard: Sequence[str]) -> str | None:
    """Return in words where what was heard differs from a list with `...`, or None where it does not.

    Each run between two `...` is looked for as early as possible; the first and the last stand at the ends.
    """
    at = 0
    runs = _runs(listing)
    for number, (begin, end) in enumerate(runs):
        is_loose = begin in listing.others_before
        latest = len(heard) - (end - begin)
        starts = range(at, latest + 1) if is_loose else range(at, at + 1)
        found = [start for start in starts if _run_is_at(listing, begin, end, heard, start)]
        if not found:
            return _missing(listing, begin, end, heard, at)
        # The last run stands at the end, so the latest is taken; any other leaves most to those after it.
        is_last = number == len(runs) - 1
        at = (found[-1] if is_last else found[0]) + end - begin
    if at < len(heard) and len(listing.wanted) not in listing.others_before:
        return Text("{heard} was heard after the last that is listed", heard=heard[at])
    return None


def _runs(listing: Listing) -> list[tuple[int, int]]:
    cuts = sorted({0, *listing.others_before, len(listing.wanted)})
    return [(begin, end) for begin, end in pairwise(cuts) if begin < end]


def _run_is_at(listing: Listing, begin: int, end: int, heard: Sequence[str], start: int) -> bool:
    if start < 0 or start + end - begin > len(heard):
        return False
    return all(listing.wanted[begin + n].is_heard_in(heard[start + n]) for n in range(end - begin))


def _missing(listing: Listing, begin: int, end: int, heard: Sequence[str], at: int) -> str:
    """Say which recording of a run is the first that is not there."""
    if begin in listing.others_before:
        wanted = ", ".join(str(one) for one in listing.wanted[begin:end])
        return Text("after {before} this was never heard: {wanted}", before=_before(heard, at), wanted=wanted)
    n = 0
    while begin + n < end and at + n < len(heard) and listing.wanted[begin + n].is_heard_in(heard[at + n]):
        n += 1
    wanted = str(listing.wanted[begin + n])
    if at + n >= len(heard):
        return Text("`{wanted}` is listed, but nothing more was heard", wanted=wanted)
    return Text(
        "after {before} `{wanted}` is listed, but {heard} was heard",
        before=_before(heard, at + n),
        wanted=wanted,
        heard=heard[at + n],
    )


def _before(heard: Sequence[str], at: int) -> str:
    return f"`{heard[at - 1]}`" if at else Text("the beginning")
