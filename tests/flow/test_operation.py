"""`do`: how long it is waited for, how often it is asked, and what is heard meanwhile."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import pytest

from ivr_engine.banking.core import CoreUnavailableError
from ivr_engine.channel.conversation import LISTEN_SLICE_MS
from ivr_engine.flow.runner import StackEntry
from ivr_engine.simulator.bank import MemoryBank, sample_bank
from ivr_engine.simulator.line import Press
from ivr_engine.values.clock import Clock
from ivr_engine.values.ids import CustomerNumber
from ivr_engine.values.language import Language
from tests.flow.calls import HUNG_UP, Boundary, Story, Told, tell
from tests.flow.test_hotline import bank_with
from tests.flow.world import findings_of, flow, library_of

SIGNED_IN: Final = Boundary((StackEntry("a", "begin", {}),), Language.ENGLISH, 0, CustomerNumber("620001"), {}, {})
SLICE_S: Final = LISTEN_SLICE_MS / 1000
"""How much longer keys may be listened for than the bank works."""
FILLER: Final = "en/please_wait"


def asks(keys: str) -> str:
    return flow(
        f"""
        begin: {{do: account, with: {{position: 1}}, {keys}, when: {{found: pick, none: end, unavailable: away}}}}
        pick: {{menu: main_menu, keys: {{1: one, 2: two}}, tries: 1, when: {{no_input: end, no_match: end}}}}
        one: {{hang_up: one}}
        two: {{hang_up: two}}
        away: {{hang_up: away}}
        end: {{hang_up: done}}
        """
    )


def ask(keys: str, story: Story) -> Told:
    library = library_of(a=asks(keys))
    assert library.findings == (), "\n".join(finding.render() for finding in library.findings)
    return tell(story, library=library, go_on_from=SIGNED_IN)


@dataclass(slots=True)
class WeakBank(MemoryBank):
    """Is away for the first questions, and answers the next."""

    weak_for: int = 0

    async def _answer(self, question: str) -> None:
        await MemoryBank._answer(self, question)
        if self.asked[question] <= self.weak_for:
            raise CoreUnavailableError("not yet")


def weak(times: int, answer_after_s: float = 0.0) -> Callable[[Clock], MemoryBank]:
    def make(clock: Clock) -> MemoryBank:
        bank, sample = WeakBank(clock, weak_for=times, answer_after_s=answer_after_s), sample_bank(clock)
        bank._customers, bank._accounts = sample._customers, sample._accounts
        return bank

    return make


@pytest.mark.parametrize(("within", "seconds"), [("within: 2 s", 2.0), ("retry: 1", 4.0)])
def test_caller_waits_as_long_as_is_written_and_no_longer(within: str, seconds: float) -> None:
    told = ask(within, Story(bank=bank_with(answer_after_s=30)))
    assert told.reason == "away"
    assert told.seconds == pytest.approx(seconds, abs=SLICE_S)
    assert told.asked == {"accounts": 1}


@pytest.mark.parametrize(("away_for", "reason", "asked"), [(1, "done", 2), (2, "done", 3), (3, "away", 3)])
def test_bank_that_was_away_is_asked_again(away_for: int, reason: str, asked: int) -> None:
    told = ask("retry: 2", Story(bank=weak(away_for)))
    assert (told.reason, told.asked) == (reason, {"accounts": asked})


def test_all_tries_together_take_no_longer_than_one() -> None:
    told = ask("retry: 3, within: 3 s", Story(bank=weak(9, answer_after_s=1.0)))
    assert told.reason == "away"
    assert told.seconds == pytest.approx(3.0, abs=SLICE_S)
    assert told.asked == {"accounts": 3}


def test_bank_is_asked_once_where_nothing_says_otherwise() -> None:
    assert ask("within: 2 s", Story(bank=weak(1))).asked == {"accounts": 1}


def test_filler_is_said_once_when_the_answer_takes_long() -> None:
    told = ask("filler: please_wait", Story(bank=bank_with(answer_after_s=3.5)))
    assert told.words[0] == FILLER
    assert told.words.count(FILLER) == 1
    begun = next(step for step in told.trace if step.step == "begin")
    assert begun.took_ms == pytest.approx(3500, abs=LISTEN_SLICE_MS)


def test_filler_is_not_said_when_the_answer_comes_soon() -> None:
    assert FILLER not in ask("filler: please_wait", Story(bank=bank_with(answer_after_s=1.4))).words


def test_filler_that_has_begun_is_heard_to_its_end_and_the_answer_is_not_lost() -> None:
    told = ask("filler: please_wait", Story(bank=bank_with(answer_after_s=1.6)))
    assert told.heard[0].complete
    assert told.trace[0].outcome == "found"


@pytest.mark.parametrize("after_ms", [700, 1800, 2900])
def test_keys_typed_before_during_and_after_the_filler_are_kept(after_ms: int) -> None:
    told = ask("filler: please_wait", Story((Press("2", after_ms=after_ms),), bank_with(answer_after_s=3.5)))
    assert told.reason == "two"


@pytest.mark.parametrize("seconds", [0.5, 2.0, 3.0])
def test_caller_may_hang_up_before_during_and_after_the_filler(seconds: float) -> None:
    told = ask("filler: please_wait", Story(bank=bank_with(answer_after_s=3.5), leaves_at_s=seconds))
    assert told.reason == HUNG_UP
    assert told.seconds == pytest.approx(seconds)
    assert told.tasks_left == 0


def test_time_that_a_step_may_take_counts_the_filler() -> None:
    plain, filled = (library_of(a=asks(keys)).flows["a"].steps["begin"] for keys in ("retry: 1", "filler: please_wait"))
    assert plain.longest_ms == 4000
    assert filled.longest_ms > 4500


CURRENCY: Final = "variables: {few: one of (USD), other: 'one of (USD, EUR)', buys: rate}\n"
RATES: Final = "when: {found: end, none: end, unavailable: end}}\nend: {hang_up: done}\n"


@pytest.mark.parametrize(
    ("written", "found"),
    [
        ("USD", []),
        ("few", []),  # whoever takes all words takes some of them
        ("other", [("E302", "is expected here")]),
        ("EUR", [("E302", "'EUR' is not one of (USD, HKD)")]),
        ("\"'USD'\"", [("E302", "one of (USD, HKD) is expected here")]),
    ],
)
def test_argument_that_is_a_choice_is_one_of_its_words_or_a_variable(
    written: str, found: list[tuple[str, str]]
) -> None:
    steps = "begin: {set: {few: USD, other: USD}, then: ask}\n"
    steps += f"ask: {{do: exchange_rate, with: {{currency: {written}}}, into: {{buys: buys}}, {RATES}"
    text = flow(steps, top=CURRENCY)
    told = [(finding.code, finding.message) for finding in findings_of(text)]
    assert [code for code, _ in told] == [code for code, _ in found]
    assert all(words in message for (_, words), (_, message) in zip(found, told, strict=True))
