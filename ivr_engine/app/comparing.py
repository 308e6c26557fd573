"""Where a real call went otherwise than the same call in virtual time.

Knows what became of both. Must not know how either was made. What can differ by chance is left out, and only that: a
recording that begins while the caller is about to press a key is heard or cut by how quick the caller is.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from typing import Final, TypeVar

from ivr_engine.adapters.store.calls import CallRecord, StepRecord
from ivr_engine.banking.code_policy import CODE_DIGITS
from ivr_engine.flow.wording import Text
from ivr_engine.scenarios.model import Sent
from ivr_engine.scenarios.verdict import Told
from ivr_engine.testcaller.follow import CallReport
from ivr_engine.testcaller.recordings import PromptName
from ivr_engine.values.medium import Medium
from ivr_engine.values.money import Money

ANY_NUMBER: Final = re.compile("[0-9]+")
"""The numbers of a customer who is like the given one, but another."""
CODE: Final = re.compile(rf"(?<![0-9])[0-9]{{{CODE_DIGITS}}}(?![0-9])")
"""A one-time code: nobody can foretell it."""
_TIME: Final = re.compile(r"(?<![0-9:])([0-9]{1,2}):([0-9]{2})(?![0-9:])")
_DAY_MIN: Final = 24 * 60

T = TypeVar("T")
U = TypeVar("U")


def call_differs(
    told: Told, report: CallReport, recorded: tuple[CallRecord, tuple[StepRecord, ...]] | None
) -> Iterator[str]:
    """Yield where the real call went otherwise than the one in virtual time."""
    if report.failure is not None:
        yield report.failure
    if recorded is None:
        yield Text("the hotline has no closed record of the call")
        return
    record, rows = recorded
    if record.end_reason != told.reason:
        yield Text("the record says it ended as '{real}', not as '{told}'", real=record.end_reason, told=told.reason)
    steps = [(row.flow, row.step, row.outcome) for row in rows]
    if (at := _first_difference(told.steps, steps, lambda one, other: one == other)) is not None:
        yield Text("step {n} was {real}, not {told}", n=at + 1, real=_nth(steps, at), told=_nth(told.steps, at))
    heard = [one.name for one in told.heard if not one.cut and not one.by_chance]
    real = report.heard_whole
    if (at := _first_difference(heard, real, _is_among)) is not None:
        shown = [" or ".join(sorted(map(str, names))) for names in real]
        yield Text("recording {n} was {real}, not {told}", n=at + 1, real=_nth(shown, at), told=_nth(heard, at))
    left = iter([one.name for one in told.heard if one.cut])
    for names in report.heard_cut:
        if not any(_is_among(name, names) for name in left):  # in their order; what began by chance may be missing
            yield Text("'{names}' was cut, which it is not in virtual time", names=" or ".join(sorted(map(str, names))))
            return


def money_differs(told: Told, real: Sequence[Money]) -> Iterator[str]:
    """Yield what the accounts hold after the real call, where it is not what they hold in virtual time."""
    if list(real) != list(told.booked.values()):
        shown = [", ".join(map(str, amounts)) for amounts in (real, told.booked.values())]
        yield Text("the accounts hold {real}, not {told}", real=shown[0], told=shown[1])


def messages_differ(
    told: Told, real: Sequence[tuple[str, str, str]], vary: re.Pattern[str] = ANY_NUMBER
) -> Iterator[str]:
    """Yield what was sent in the real call, where it differs in more than the numbers that `vary`.

    A time of day may be a minute earlier or later: a real call takes some hundredths more or less.
    """
    sent = [str(Sent.of(Medium(medium), heading, text)) for medium, heading, text in real]
    due = [str(one) for one in told.sent]
    if len(sent) != len(due) or not all(_says_the_same(one, other, vary) for one, other in zip(sent, due, strict=True)):
        shown = ["; ".join(one) or Text("nothing") for one in (sent, due)]
        yield Text("these messages were sent: {real}, not {told}", real=shown[0], told=shown[1])


def _says_the_same(one: str, other: str, vary: re.Pattern[str]) -> bool:
    times = [[int(hour) * 60 + int(minute) for hour, minute in _TIME.findall(text)] for text in (one, other)]
    shapes = [vary.sub("0", _TIME.sub("time", text)) for text in (one, other)]
    near = all(abs(at - then) % (_DAY_MIN - 1) <= 1 for at, then in zip(*times, strict=False))
    return shapes[0] == shapes[1] and (vary is ANY_NUMBER or near)


def milestones_differ(told: Told, rows: Sequence[StepRecord]) -> Iterator[str]:
    """Yield what the caller has reached, where it is not what they reach in virtual time."""
    real = tuple(row.milestone for row in rows if row.milestone is not None)
    if real != told.milestones:
        yield Text(
            "these milestones were reached: {real}, not {told}", real=_listed(real), told=_listed(told.milestones)
        )


def asked_otherwise(told: Told, real: Sequence[tuple[str, str]]) -> Iterator[str]:
    """Yield the first question to the bank that was another, or ended otherwise."""
    if (at := _first_difference(told.operations, real, lambda one, other: one == other)) is not None:
        yield Text(
            "question {n} to the bank was {real}, not {told}",
            n=at + 1,
            real=_nth([f"{name}: {outcome}" for name, outcome in real], at),
            told=_nth([f"{name}: {outcome}" for name, outcome in told.operations], at),
        )


def left_otherwise(told: Told, messages: int, callbacks: Sequence[str]) -> Iterator[str]:
    """Yield what the caller has left behind, where it is something else than in virtual time."""
    if messages != told.messages:
        yield Text("{real} voice messages were kept, not {told}", real=messages, told=told.messages)
    if tuple(callbacks) != told.callbacks:
        yield Text(
            "these wait to be called back: {real}, not {told}", real=_listed(callbacks), told=_listed(told.callbacks)
        )


def _listed(words: Sequence[str]) -> str:
    return ", ".join(words) or Text("nothing")


def _is_among(name: str, candidates: frozenset[PromptName]) -> bool:
    return any(str(candidate) == name for candidate in candidates)


def _first_difference(told: Sequence[T], real: Sequence[U], alike: Callable[[T, U], bool]) -> int | None:
    for at, (one, other) in enumerate(zip(told, real, strict=False)):
        if not alike(one, other):
            return at
    return min(len(told), len(real)) if len(told) != len(real) else None


def _nth(what: Sequence[object], at: int) -> object:
    return what[at] if at < len(what) else Text("nothing")
