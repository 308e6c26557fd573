"""Whatever a caller does: the call ends with a reason, in its budget, leaves no secret, and no money goes astray."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from contextlib import contextmanager

from hypothesis import given, settings

from ivr_engine.banking.model import PostingOutcome
from ivr_engine.flow.model import STEPS_PER_CALL_MAX
from ivr_engine.simulator.bank import MemoryBank, sample_bank
from ivr_engine.simulator.line import Deed, HearOut, Press
from ivr_engine.simulator.virtual_time import VirtualClock
from ivr_engine.speech.grammars import grammar_for
from ivr_engine.values.language import Language
from ivr_engine.values.money import Money
from tests.flow.calls import HUNG_UP, Story, Told, tell
from tests.flow.world import shipped
from tests.simulation.callers import AMOUNT, NUMBER, PIN, ROADS, as_test, keep, patient, stories

MINUTES_MAX = 30
MANY = settings(max_examples=250)


@contextmanager
def kept(story: Story) -> Iterator[None]:
    """Keep the caller who breaks a promise as a test of the flows."""
    try:
        yield
    except AssertionError as error:
        raise AssertionError(f"{error}\nkept as {keep(story, 'Found by a synthetic caller')}") from error


def call(story: Story) -> tuple[Told, MemoryBank]:
    banks: list[MemoryBank] = []

    def bank(clock: VirtualClock) -> MemoryBank:
        banks.append(sample_bank(clock))
        return banks[-1]

    told = tell(dataclasses.replace(story, bank=bank))
    return told, banks[-1]


def booked(bank: MemoryBank) -> Money | int:
    """Return what all accounts hold together, in minor units: money is moved, never made."""
    return sum(book.ledger.booked.minor for book in bank._accounts.values())


TOTAL = booked(call(Story())[1])


@MANY
@given(stories())
def test_every_call_ends_with_a_reason_within_its_budget_and_leaves_nothing(story: Story) -> None:
    told, bank = call(story)
    with kept(story):
        assert told.reason == HUNG_UP or told.reason in {"completed", "no_human", "budget_exceeded"}
        assert len(told.trace) <= STEPS_PER_CALL_MAX + 20
        assert told.seconds < MINUTES_MAX * 60
        assert told.secrets_left == 0
        assert told.tasks_left == 0
        assert booked(bank) == TOTAL


@MANY
@given(stories())
def test_money_moves_only_after_a_yes_to_just_that_amount(story: Story) -> None:
    told, bank = call(story)
    moved = [posting for posting, outcome in bank._postings.values() if outcome is PostingOutcome.POSTED]
    confirmed = [step for step in told.trace if step.word == "confirm" and step.outcome == "confirmed"]
    spoken = [utterance.prompts for utterance in told.played]
    with kept(story):
        assert len(moved) <= len(confirmed)
        for posting in moved:
            amounts = [grammar_for(language).amount(posting.amount) for language in Language]
            assert any(
                amount == said[place : place + len(amount)]
                for amount in amounts
                for said in spoken
                for place in range(len(said))
            )


@MANY
@given(stories())
def test_who_has_not_signed_in_hears_nothing_of_an_account(story: Story) -> None:
    told, _ = call(story)
    signed_in_at = next((n for n, step in enumerate(told.trace) if step.outcome == "signed_in"), len(told.trace))
    with kept(story):
        for step in told.trace[:signed_in_at]:
            flow = shipped().flows[step.flow].steps[step.step]
            assert not flow.tells
            assert flow.needs == 0


def test_roads_lead_where_they_say() -> None:
    """Else the callers above would all end at the first menu."""
    _, bank = call(Story(patient(ROADS[2])))
    assert [posting.amount.minor for posting, _ in bank._postings.values()] == [10_000]
    assert ("hotline", "read_balance", "said") in call(Story(patient(ROADS[0])))[0].arms
    assert ("library/transfer", "is_right", "declined") in call(Story(patient(ROADS[3])))[0].arms


def test_caller_who_is_kept_is_a_test_without_a_pin() -> None:
    deeds: list[Deed] = [HearOut(), Press("3"), Press(NUMBER + PIN + AMOUNT, 500)]
    text = as_test(Story(deeds), "A test")
    assert PIN not in text
    assert [line.strip() for line in text.splitlines() if "press" in line or "type" in line] == [
        '- {press: "3", every: 100 ms}',
        '- {press: "620001#", every: 100 ms}',
        "- type: pin",
        '- {press: "100#", every: 100 ms}',
    ]
