"""Messages, cases, notes and screens in a call: what is written, once, and what the caller is told of it."""

from __future__ import annotations

import textwrap
from collections.abc import Callable
from typing import Final

import pytest

from ivr_engine.banking.model import Addresses
from ivr_engine.flow.runner import StackEntry
from ivr_engine.simulator.bank import MemoryBank, sample_bank
from ivr_engine.values.clock import Clock
from ivr_engine.values.ids import CustomerNumber
from ivr_engine.values.language import Language
from tests.flow.calls import Boundary, Story, Told, tell
from tests.flow.world import flow, library_of

OUTCOMES: Final = ("accepted", "no_address", "unavailable")
ACCOUNT: Final = "6225880012345678"


def bank(addresses: Addresses) -> Callable[[Clock], MemoryBank]:
    def build(clock: Clock) -> MemoryBank:
        made = sample_bank(clock)
        made.add_addresses("620001", addresses)
        return made

    return build


def told_by(steps: str, story: Story | None = None, *, signed_in: bool = True) -> Told:
    """Take some steps from `begin` on; each end that they lead to ends the call with its name as the reason."""
    ends = [end for end in (*OUTCOMES, "done") if f": {end}" in steps]
    whole = [
        "ready: {set: {account: \"'6225880012345678'\", amount: 123.45 CNY, lines: \"'one'\"}, then: begin}",
        textwrap.dedent(steps).strip("\n"),
        *(f"{end}: {{hang_up: {end}}}" for end in ends),
    ]
    variables = "{account: personal digits, amount: personal money, lines: personal text, number: digits}"
    library = library_of(a=flow("\n".join(whole), top=f"variables: {variables}\n", start="ready"))
    assert library.findings == (), "\n".join(finding.render() for finding in library.findings)
    customer = CustomerNumber("620001") if signed_in else None
    at = Boundary((StackEntry("a", "ready", {}),), Language.ENGLISH, 0, customer, {}, {})
    return tell(story or Story(), library=library, go_on_from=at)


def sends(word: str, message: str, values: str) -> str:
    arms = ", ".join(f"{outcome}: {outcome}" for outcome in OUTCOMES)
    return f"begin: {{{word}: {message}, with: {{{values}}}, when: {{{arms}}}}}"


BALANCE: Final = sends("sms", "balance_by_sms", "account: account, amount: amount, available: amount")
LONG: Final = "transactions_in_writing"
IN_WRITING: Final = "account: account, lines: lines"


@pytest.mark.parametrize(
    ("steps", "addresses", "address", "heading"),
    [
        (BALANCE, Addresses(mobile="139"), "139", ""),
        (BALANCE.replace("sms: b", "page: b"), Addresses(pager="852"), "852", ""),
        (
            sends("email", "transactions_in_writing", IN_WRITING),
            Addresses(email="a@b"),
            "a@b",
            "Your newest transactions",
        ),
        (sends("fax", "transactions_in_writing", IN_WRITING), Addresses(fax="861"), "861", "Newest transactions"),
    ],
)
def test_message_goes_to_the_address_that_the_bank_has_registered(
    steps: str, addresses: Addresses, address: str, heading: str
) -> None:
    told = told_by(steps, Story(bank=bank(addresses)))
    assert told.reason == "accepted"
    [message] = told.office.messages.values()
    assert (message.address, message.heading, message.customer) == (address, heading, "620001")
    assert "ending in 5678" in message.text
    assert told.tally.changes == 1


@pytest.mark.parametrize("word", ["sms", "page"])
def test_medium_without_an_address_is_told(word: str) -> None:
    steps = BALANCE.replace("sms: b", f"{word}: b")
    told = told_by(steps, Story(bank=bank(Addresses(email="a@b"))))
    assert told.reason == "no_address"
    assert told.office.messages == {}
    assert told.tally.changes == 0


def test_office_or_bank_that_is_away_is_told_and_nothing_is_counted() -> None:
    assert told_by(BALANCE, Story(office_away=True)).reason == "unavailable"

    def away(clock: Clock) -> MemoryBank:
        made = sample_bank(clock)
        made.away_for = frozenset({"addresses"})
        return made

    told = told_by(BALANCE, Story(bank=away))
    assert (told.reason, told.tally.changes) == ("unavailable", 0)


def test_bank_that_is_slow_is_waited_for_three_seconds() -> None:
    def slow(clock: Clock) -> MemoryBank:
        made = sample_bank(clock)
        made.answer_after_s = 30.0
        return made

    told = told_by(BALANCE, Story(bank=slow))
    assert told.reason == "unavailable"
    assert told.seconds == pytest.approx(3.0, abs=0.3)


def test_who_has_not_signed_in_is_sent_nothing() -> None:
    told = told_by(BALANCE, signed_in=False)
    assert told.reason == "unavailable"
    assert told.office.messages == {}
    assert "addresses" not in told.asked


def test_same_step_taken_twice_sends_two_messages_and_gone_on_with_it_is_one() -> None:
    steps = """
        begin: {sms: pin_changed_by_sms, then: second, when: {no_address: no_address, unavailable: unavailable}}
        second: {sms: pin_changed_by_sms, then: done, when: {no_address: no_address, unavailable: unavailable}}
    """
    told = told_by(steps)
    assert told.reason == "done"
    first, second = told.office.messages
    assert first.startswith("call-0-")
    assert second.startswith("call-1-")
    # Another engine goes on from before the first message: it has the same id, so the office keeps it once.
    assert [at.stack[0].tally["changes"] for at in told.boundaries[:3]] == [0, 1, 2]


def test_hang_up_while_a_message_is_handed_in_does_not_stop_it() -> None:
    def slow(clock: Clock) -> MemoryBank:
        made = sample_bank(clock)
        made.answer_after_s = 2.0
        return made

    told = told_by(BALANCE, Story(bank=slow, leaves_at_s=1.0))
    assert told.reason == "caller hung up"
    assert len(told.office.messages) == 1
    assert told.trace[-1].outcome == "accepted"


def test_case_has_a_number_that_can_be_read_out() -> None:
    told = told_by(
        """
        begin: {case: lost_card, with: {account: account, amount: amount, urgent: true}, into: {number: number},
          then: read, when: {unavailable: unavailable}}
        read: {say: [{digits: number}], then: done}
        """
    )
    assert told.reason == "done"
    [case] = told.office.cases.values()
    assert (case.kind, case.customer) == ("lost_card", "620001")
    assert case.data == (
        '{"account":{"type":"digits","value":"6225880012345678"},"amount":{"type":"money","value":[12345,"CNY"]},'
        '"urgent":{"type":"yes_no","value":true}}'
    )
    assert told.words == ["en/number_0"] * 7 + ["en/number_1"]
    assert told.tally.changes == 1


def test_case_may_be_opened_by_somebody_whom_the_bank_does_not_know() -> None:
    told = told_by("begin: {case: call_back, then: done, when: {unavailable: unavailable}}", signed_in=False)
    [case] = told.office.cases.values()
    assert (told.reason, case.customer, case.data) == ("done", None, "{}")


def test_note_is_written_as_its_values_are_said() -> None:
    told = told_by(
        'begin: {note: "asked about {account:masked}: {amount:money}", then: done, when: {unavailable: done}}'
    )
    [kept] = told.office.notes.values()
    assert (kept.text, kept.customer) == ("asked about ending in 5678: CNY 123.45", "620001")


@pytest.mark.parametrize("step", ["case: lost_card", "note: nothing"])
def test_what_cannot_be_written_down_is_told(step: str) -> None:
    told = told_by(f"begin: {{{step}, then: done, when: {{unavailable: unavailable}}}}", Story(office_away=True))
    assert (told.reason, told.tally.changes) == ("unavailable", 0)


def test_screen_gathers_values_and_goes_with_the_call_to_another_engine() -> None:
    told = told_by(
        """
        begin: {screen: {account: account, wanted: "'balance'"}, then: more}
        more: {screen: {wanted: "'transfer'", amount: amount}, then: done}
        """
    )
    assert told.reason == "done"
    assert told.boundaries[-2].stack[0].screen == {
        "account": ("digits", ACCOUNT),
        "wanted": ("text", "transfer"),
        "amount": ("money", [12345, "CNY"]),
    }
