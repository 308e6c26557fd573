"""The shipped flows, called in virtual time by callers who obey, err, say nothing and hang up anywhere."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Callable, Sequence
from functools import partial
from types import MappingProxyType
from typing import Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ivr_engine.banking.core import CoreUnavailableError
from ivr_engine.banking.model import (
    AccountKind,
    Addresses,
    Balance,
    InterestRate,
    Posting,
    PostingOutcome,
    Product,
    Term,
)
from ivr_engine.banking.pin_policy import PinFailures
from ivr_engine.calls.signatures import (
    BALANCE,
    EXCHANGE_RATE,
    INTEREST_RATE,
    SIGNATURES,
    STATEMENT,
    TRANSACTION,
    TRANSFER,
)
from ivr_engine.flow.call import QueueOutcome
from ivr_engine.flow.leaving import CallbackOutcome
from ivr_engine.flow.model import flows_from
from ivr_engine.scenarios.model import Busy
from ivr_engine.simulator.bank import MemoryBank, sample_bank
from ivr_engine.simulator.leaving import LeftBehind
from ivr_engine.simulator.line import Deed, HangUp, HearOut, Press, Speak
from ivr_engine.speech.grammars import grammar_for
from ivr_engine.values.clock import Clock
from ivr_engine.values.ids import AccountNumber, CustomerNumber
from ivr_engine.values.language import Language
from ivr_engine.values.money import Currency, Money
from tests.flow.calls import HUNG_UP, Story, Told, leaving_at, tell
from tests.flow.world import shipped

NUMBER: Final = "620001#"
PIN: Final = "246810"
WRONG: Final = "000000"
LANGUAGE_KEYS: Final = MappingProxyType({Language.MANDARIN: "1", Language.CANTONESE: "2", Language.ENGLISH: "3"})
SHORT: Final = "12#"


def press(*keys: str) -> tuple[Deed, ...]:
    """Press each of these when the prompts before it have been heard out; an empty one stays silent for one try."""
    return tuple(itertools.chain.from_iterable((HearOut(), Press(part)) if part else (HearOut(),) for part in keys))


def to_balance(*after: str) -> tuple[Deed, ...]:
    return press("3", "1", NUMBER, PIN, "1", *after)


def away_at(term: Term) -> Callable[[Clock], MemoryBank]:
    """Return what makes a bank that is away when it is asked for the interest of this term."""

    class Away(MemoryBank):
        async def interest_rate(self, product: Product, term_asked: Term) -> InterestRate | None:
            if term_asked is term:
                raise CoreUnavailableError("away")
            return await MemoryBank.interest_rate(self, product, term_asked)

    return Away


def bank_with(
    *, away: bool = False, away_for: frozenset[str] = frozenset(), answer_after_s: float = 0.0
) -> Callable[[Clock], MemoryBank]:
    def build(clock: Clock) -> MemoryBank:
        bank = sample_bank(clock)
        bank.away, bank.away_for, bank.answer_after_s = away, away_for, answer_after_s
        return bank

    return build


def bank_of(*accounts: Money, movements: int = 0) -> Callable[[Clock], MemoryBank]:
    """Return a bank whose one customer has these accounts, each with so many movements."""

    def build(clock: Clock) -> MemoryBank:
        bank = MemoryBank(clock)
        bank.add_customer("620001", PIN.encode())
        for n, booked in enumerate(accounts):
            lines = [(Money(100 + line, booked.currency), "in") for line in range(movements)]
            bank.add_account("620001", f"622588000000{n:04}", AccountKind.CURRENT, booked, movements=lines)
        return bank

    return build


def with_mobile(build: Callable[[Clock], MemoryBank]) -> Callable[[Clock], MemoryBank]:
    """Return the same bank, which knows the customer's mobile number."""

    def again(clock: Clock) -> MemoryBank:
        bank = build(clock)
        bank.add_addresses("620001", Addresses(mobile="13900620001"))
        return bank

    return again


class ClosingBank(MemoryBank):
    """An account is closed between the moment it is offered and the moment its balance is asked for."""

    async def balance(self, account: AccountNumber) -> Balance | None:
        self._accounts.pop(account)
        return await super().balance(account)


class SlowlyPostingBank(MemoryBank):
    """Everything is answered at once but what moves money."""

    async def post(self, posting: Posting) -> PostingOutcome:
        self.answer_after_s = 1.0
        return await super().post(posting)


def closing_bank(clock: Clock) -> MemoryBank:
    bank = ClosingBank(clock)
    bank.add_customer("620001", PIN.encode())
    bank.add_account("620001", "6225880000000001", AccountKind.CURRENT, Money(1, Currency.CNY))
    return bank


def locked_bank(clock: Clock) -> MemoryBank:
    """Four wrong PINs were typed in other calls; one more locks."""
    bank = sample_bank(clock)
    bank._failures[CustomerNumber("620001")] = PinFailures(4, clock.now())
    return bank


CNY: Final = Currency.CNY
ONE: Final = bank_of(Money(12345, CNY), movements=7)
ONE_WITH_MOBILE: Final = with_mobile(ONE)
ONE_WITHOUT_MOVEMENTS: Final = bank_of(Money(12345, CNY))
TWO: Final = bank_of(Money(100, CNY), Money(200, CNY), movements=2)
NONE_AT_ALL: Final = bank_of()
MOVE: Final = ("1", "2", "2#")
"""From the first account to the second, two yuan."""
THREE_WRONG: Final = (NUMBER, WRONG) * 3

TRANSFERS_END: Final = MappingProxyType(
    {
        f"transfer that ends in {outcome}": Story(
            press("3", "3", NUMBER, PIN, *MOVE, "1", "0"), TWO, forced={TRANSFER: outcome}
        )
        for outcome in SIGNATURES[TRANSFER].outcome_names
        if outcome not in ("unavailable", "unknown", "different_under_same_id")
    }
)
STORIES: Final = MappingProxyType(
    {
        **TRANSFERS_END,
        "transfer under an id that is taken": Story(
            press("3", "3", NUMBER, PIN, *MOVE, "1"), TWO, forced={TRANSFER: "different_under_same_id"}
        ),
        "balance, then again, another account, the menu, an agent": Story(
            press("3", "1", NUMBER, PIN, "2", "1", "2", "1", "9", "1", "1", "0"), TWO
        ),
        "balance of the only account, then silence": Story(press("1", "1", NUMBER, PIN), ONE),
        "balance, then wrong keys": Story(press("2", "1", NUMBER, PIN, "7", "7", "7"), ONE),
        "transactions, more than five": Story(press("3", "2", NUMBER, PIN, "0"), ONE),
        "transactions, fewer than five": Story(press("3", "2", NUMBER, PIN, "1", "9", "0"), TWO),
        "balance by text message, then silence": Story(press("3", "1", NUMBER, PIN, "3"), ONE_WITH_MOBILE),
        "no mobile number for the balance": Story(press("3", "1", NUMBER, PIN, "3", "0"), ONE),
        "balance cannot be sent": Story(press("3", "1", NUMBER, PIN, "3", "0"), ONE_WITH_MOBILE, office_away=True),
        "transactions by text message": Story(press("3", "2", NUMBER, PIN, "1", "0"), ONE_WITH_MOBILE),
        "no mobile number for the transactions": Story(press("3", "2", NUMBER, PIN, "1", "0"), ONE),
        "transactions cannot be sent": Story(press("3", "2", NUMBER, PIN, "1"), ONE_WITH_MOBILE, office_away=True),
        "transactions, then an agent": Story(press("3", "2", NUMBER, PIN, "0"), ONE),
        "transactions, then another account": Story(press("3", "2", NUMBER, PIN, "2", "9", "0"), ONE),
        "transactions, then silence": Story(press("3", "2", NUMBER, PIN), ONE),
        "transactions, then a wrong key": Story(press("3", "2", NUMBER, PIN, "5", "0"), ONE),
        **{
            f"statement for a message: {outcome}": Story(
                press("3", "2", NUMBER, PIN, "1", "0"), ONE, forced={STATEMENT: outcome}
            )
            for outcome in ("none", "not_yours", "unavailable")
        },
        "no transactions": Story(press("3", "2", NUMBER, PIN, "0"), ONE_WITHOUT_MOVEMENTS),
        "no accounts": Story(press("3", "1", NUMBER, PIN, "0"), NONE_AT_ALL),
        "accounts heard again, then an agent": Story(press("3", "1", NUMBER, PIN, "*", "0"), TWO),
        "accounts in pages, then the fifth": Story(press("3", "1", NUMBER, PIN, "9", "7", "9", "2", "0")),
        "accounts offered, silence": Story(press("3", "1", NUMBER, PIN), TWO),
        "accounts offered, wrong keys": Story(press("3", "1", NUMBER, PIN, "7", "7", "7"), TWO),
        "account closed meanwhile": Story(press("3", "1", NUMBER, PIN, "0"), closing_bank),
        "account of somebody else": Story(press("3", "2", NUMBER, PIN, "0"), ONE, forced={TRANSACTION: "not_yours"}),
        "menu heard again": Story(press("3", "*", "0")),
        "main menu, silence": Story(press("3")),
        "main menu, wrong keys": Story(press("3", "7", "8", "9")),
        "rates, all of them, then the main menu": Story(press("3", "5", "1", "2", "3", "*", "8", "9", "0")),
        "rates, an agent": Story(press("3", "5", "0")),
        "rates, silence": Story(press("3", "5")),
        "rates, wrong keys": Story(press("3", "5", "7", "7", "7")),
        "rates, none": Story(press("3", "5", "1", "3", "0"), forced={EXCHANGE_RATE: "none", INTEREST_RATE: "none"}),
        "exchange rates, bank away": Story(press("3", "5", "1"), bank_with(away_for=frozenset({"exchange_rate"}))),
        **{
            f"interest, bank away at {term}": Story(press("3", "5", "3"), away_at(term))
            for term in (Term.NO_TERM, Term.THREE_MONTHS, Term.ONE_YEAR, Term.THREE_YEARS)
        },
        "language, silence": Story(),
        "language, wrong keys": Story(press("9", "9", "9")),
        "number, silence": Story(press("3", "1")),
        "number, too short": Story(press("3", "1", SHORT, SHORT, SHORT)),
        "PIN, silence": Story(press("3", "1", NUMBER)),
        "PIN, too short": Story(press("3", "1", NUMBER, SHORT, SHORT, SHORT)),
        "three wrong PINs, an agent": Story(press("3", "1", *THREE_WRONG, "1")),
        "three wrong PINs, silence": Story(press("3", "1", *THREE_WRONG)),
        "three wrong PINs, a wrong key": Story(press("3", "1", *THREE_WRONG, "5")),
        "locked, an agent": Story(press("3", "1", NUMBER, WRONG, "1"), locked_bank),
        "locked, silence": Story(press("3", "1", NUMBER, WRONG), locked_bank),
        "locked, a wrong key": Story(press("3", "1", NUMBER, WRONG, "5"), locked_bank),
        "bank away at sign-in": Story(press("3", "1", NUMBER, PIN), bank_with(away=True)),
        "bank away at the accounts": Story(press("3", "1", NUMBER, PIN), bank_with(away_for=frozenset({"accounts"}))),
        "bank away at the balance": Story(to_balance(), bank_with(away_for=frozenset({"balance"}))),
        "bank away at the statement": Story(
            press("3", "2", NUMBER, PIN, "1"), bank_with(away_for=frozenset({"statement"}))
        ),
        "transfer, more than there is, then another, then an agent": Story(
            press("3", "3", NUMBER, PIN, *MOVE, "1", "3", *MOVE[:2], "0*50#", "1", "0"), TWO
        ),
        "transfer not confirmed": Story(press("3", "3", NUMBER, PIN, *MOVE, "2", "0"), TWO),
        "transfer, silence when it is read back": Story(press("3", "3", NUMBER, PIN, *MOVE), TWO),
        "transfer, wrong keys when it is read back": Story(press("3", "3", NUMBER, PIN, *MOVE, "7", "7", "7"), TWO),
        "transfer, an agent when it is read back": Story(press("3", "3", NUMBER, PIN, *MOVE, "0"), TWO),
        "transfer, no amount": Story(press("3", "3", NUMBER, PIN, *MOVE[:2]), TWO),
        "transfer of too much": Story(press("3", "3", NUMBER, PIN, *MOVE[:2], *("90000#",) * 3), TWO),
        "transfer without accounts": Story(press("3", "3", NUMBER, PIN, "0"), NONE_AT_ALL),
        "transfer to the same account": Story(press("3", "3", NUMBER, PIN, "1", "1", "0"), TWO),
        "transfer, silence at the accounts": Story(press("3", "3", NUMBER, PIN), TWO),
        "transfer, bank away at the accounts": Story(
            press("3", "3", NUMBER, PIN), bank_with(away_for=frozenset({"accounts"}))
        ),
        "transfer, bank away": Story(press("3", "3", NUMBER, PIN, *MOVE, "1"), bank_with(away_for=frozenset({"post"}))),
        "transfer, nobody knows": Story(press("3", "3", NUMBER, PIN, *MOVE, "1"), TWO, forced={TRANSFER: "unknown"}),
        "bank slow": Story(press("3", "1", NUMBER, PIN), bank_with(answer_after_s=30.0)),
        "waits, then an agent": Story(press("3", "0"), agents=Busy(90_000)),
        "waits behind others and hears how long": Story(press("3", "0"), agents=Busy(90_000, 3, 120_000)),
        "waits, hears it again, waits on": Story(press("3", "0", "*", "0"), agents=Busy(90_000)),
        "waits, a wrong key": Story(press("3", "0", "7"), agents=Busy(90_000)),
        "waits, leaves the queue": Story(press("3", "0", "1", "0"), agents=Busy(5 * 60_000)),
        "no agents": Story(press("3", "0"), agents=QueueOutcome.NO_AGENTS),
        "queue full": Story(press("3", "0"), agents=QueueOutcome.FULL),
        "agents too slow": Story(press("3", "0"), agents=QueueOutcome.TIMED_OUT),
    }
)

NOBODY: Final = QueueOutcome.NO_AGENTS
TO_MESSAGE: Final = (*press("3", "0", "1"), HearOut())
LEAVING: Final = MappingProxyType(
    {
        "message kept": Story((*TO_MESSAGE, Speak(), *press("#")), agents=NOBODY),
        "message, nothing said": Story(TO_MESSAGE, agents=NOBODY),
        "message, none can be kept": Story(TO_MESSAGE, agents=NOBODY, left=lambda: LeftBehind(messages_away=True)),
        "offer, wrong keys": Story(press("3", "0", "7", "7"), agents=NOBODY),
        "callback to the caller": Story(press("3", "0", "2", "1"), agents=NOBODY),
        "callback to another number": Story(press("3", "0", "2", "2", "02087654321#", "1"), agents=NOBODY),
        "callback, number withheld and too short": Story(
            press("3", "0", "2", SHORT, SHORT, SHORT), agents=NOBODY, caller=""
        ),
        "callback, silence at the number": Story(press("3", "0", "2"), agents=NOBODY),
        "callback, wrong keys at the number": Story(press("3", "0", "2", "7", "7", "7"), agents=NOBODY),
        **{
            f"callback that ends in {outcome.value}": Story(
                press("3", "0", "2", "1"), agents=NOBODY, left=partial(LeftBehind, callback=outcome)
            )
            for outcome in CallbackOutcome
        },
        "survey answered": Story(press("3", "0", "4")),
        "survey, wrong keys": Story(press("3", "0", "7", "7")),
        "survey, a human again": Story(press("3", "0", "0", "5")),
        "an agent asks, and the caller signs in": Story(press("3", "0", NUMBER, PIN, "5"), asks_secret=True),
        "an agent asks, and the caller is silent": Story(press("3", "0", "", "", "", "5"), asks_secret=True),
        "an agent asks, and the PIN is wrong": Story(press("3", "0", *THREE_WRONG, "1", "5"), asks_secret=True),
    }
)
"""What callers leave behind, and do when an agent asks; a call does not go on in the middle of it as it was, for nobody
speaks twice alike."""


def contains(words: Sequence[str], part: Sequence[str]) -> bool:
    return any(list(words[at : at + len(part)]) == list(part) for at in range(len(words)))


def assert_clean(told: Told) -> None:
    assert told.secrets_left == 0
    assert told.tasks_left == 0


@pytest.mark.parametrize("name", [*STORIES, *LEAVING])
def test_every_story_ends_with_a_reason_and_leaves_no_secret_and_no_task(name: str) -> None:
    told = tell({**STORIES, **LEAVING}[name])
    assert told.reason in ("completed", "no_human")
    assert_clean(told)


def never_taken(taken: set[tuple[str, str, str]]) -> list[str]:
    """Return the steps and arms of the shipped flows that are not among those taken, each with its place."""
    missing = []
    flows = [
        shipped().flows[name] for name in flows_from(shipped(), "hotline")
    ]  # others have their tests in flows/tests
    for flow, step in ((one, each) for one in flows for each in one.steps.values()):
        if step.runs is not None:
            inner = [name for name, one in shipped().flows[step.runs].steps.items() if one.word == "return"]
            left = [out for out in step.from_flow if not any((step.runs, name, out) in taken for name in inner)]
            missing += [f"{step.place}: '{step.runs}' never came back with '{outcome}'" for outcome in left]
        own = [outcome for outcome in step.outcomes if outcome not in step.from_flow]
        left = [outcome for outcome in own if (flow.name, step.name, outcome) not in taken]
        missing += [f"{step.place}: step '{step.name}' never ended in '{outcome}'" for outcome in left]
        if (flow.name, step.name) not in {(name, reached) for name, reached, _ in taken}:
            missing.append(f"{step.place}: step '{step.name}' was never reached")
    return missing


def taken_by_stories() -> set[tuple[str, str, str]]:
    return {arm for story in (*STORIES.values(), *LEAVING.values()) for arm in tell(story).arms}


def test_every_arm_of_every_flow_of_the_hotline_is_taken_by_some_story() -> None:
    missing = never_taken(taken_by_stories())
    assert not missing, "\n" + "\n".join(missing)


def test_arm_that_no_story_takes_would_be_noticed() -> None:
    taken = taken_by_stories()
    menu = {("hotline", "main_menu", "key 0")}
    lonely = {("library/sign_in", "leave", "given_up")}
    assert [line.rpartition(": ")[2] for line in never_taken(taken - menu)] == [
        "step 'main_menu' never ended in 'key 0'"
    ]
    assert [line.rpartition(": ")[2] for line in never_taken(taken - lonely)] == [
        "'library/sign_in' never came back with 'given_up'",
        "step 'leave' was never reached",
        "'library/sign_in' never came back with 'given_up'",
    ]


@pytest.mark.parametrize("language", Language)
@settings(max_examples=25)
@given(minor=st.integers(-(10**11), 10**11), currency=st.sampled_from(Currency), held=st.integers(0, 10**6))
def test_balance_is_heard_exactly_as_the_grammar_speaks_it(
    language: Language, minor: int, currency: Currency, held: int
) -> None:
    booked = Money(minor, currency)

    def bank(clock: Clock) -> MemoryBank:
        built = MemoryBank(clock)
        built.add_customer("620001", PIN.encode())
        built.add_account("620001", "6225880012345678", AccountKind.CREDIT_CARD, booked, held=Money(held, currency))
        return built

    told = tell(Story(press(LANGUAGE_KEYS[language], "1", NUMBER, PIN), bank))
    grammar = grammar_for(language)
    expected = (
        "account_credit_card",
        *grammar.masked("5678"),
        "your_balance_is",
        *grammar.amount(booked),
        "available_balance_is",
        *grammar.amount(Money(minor - held, currency)),
    )
    whole = [heard.prompt for heard in told.heard if heard.complete]
    assert contains(whole, [f"{language.value}/{prompt}" for prompt in expected])


@pytest.mark.parametrize("language", Language)
def test_what_belongs_to_the_customer_is_marked_as_personal_audio_and_nothing_else_is(language: Language) -> None:
    told = tell(Story(press(LANGUAGE_KEYS[language], "1", NUMBER, PIN, "1", "9", "2", "1")))
    personal = {"your_balance_is", "press_1", "on_date"}
    for what in told.played:
        assert what.personal is bool(personal & set(what.prompts)), what


@pytest.mark.parametrize("language", Language)
def test_after_the_choice_everything_is_heard_in_the_chosen_language(language: Language) -> None:
    told = tell(Story(press(LANGUAGE_KEYS[language], "2", NUMBER, PIN, "1", "0")))
    at = told.words.index(f"{language.value}/main_menu")
    assert {word.partition("/")[0] for word in told.words[at:]} == {language.value}


def test_keys_typed_ahead_reach_the_balance_without_a_prompt() -> None:
    told = tell(Story((Press(f"31{NUMBER}{PIN}#1", after_ms=200),)))
    whole = [heard.prompt for heard in told.heard if heard.complete]
    assert whole[0] == "en/account_demand_savings"
    assert "en/your_balance_is" in whole


def test_fifth_account_is_on_the_second_page() -> None:
    told = tell(STORIES["accounts in pages, then the fifth"])
    at = told.words.index("en/your_balance_is")
    assert contains(
        told.words[at:],
        [f"en/{prompt}" for prompt in grammar_for(Language.ENGLISH).amount(Money(152025, Currency.USD))],
    )


def test_at_most_five_transactions_are_read_the_newest_first() -> None:
    told = tell(STORIES["transactions, more than five"])
    assert told.words.count("en/transaction_in") == 5
    first = told.words.index("en/transaction_in")
    amount = [f"en/{prompt}" for prompt in grammar_for(Language.ENGLISH).amount(Money(100, CNY))]
    assert told.words[first + 1 : first + 1 + len(amount)] == amount


def test_third_wrong_pin_is_the_last_and_a_human_is_offered_at_once() -> None:
    told = tell(STORIES["three wrong PINs, an agent"])
    assert told.words.count("en/sign_in_refused") == 2
    assert contains(told.words, ["en/attempts_used_agent_offer", "en/survey"])
    assert told.queues == ["service"]
    assert "en/your_balance_is" not in told.words


def test_right_pin_after_two_wrong_ones_signs_in() -> None:
    told = tell(Story(press("3", "1", NUMBER, WRONG, NUMBER, WRONG, NUMBER, PIN, "1")))
    assert "en/your_balance_is" in told.words


def test_locked_customer_hears_so_and_is_offered_a_human() -> None:
    told = tell(STORIES["locked, an agent"])
    assert contains(told.words, ["en/sign_in_locked", "en/attempts_used_agent_offer", "en/survey"])


def test_unknown_number_and_wrong_pin_sound_alike() -> None:
    wrong_pin = tell(Story(press("3", "1", NUMBER, WRONG)))
    unknown = tell(Story(press("3", "1", "999999#", WRONG)))
    assert wrong_pin.heard == unknown.heard
    assert wrong_pin.seconds == pytest.approx(unknown.seconds)


def test_caller_who_says_nothing_at_all_reaches_a_human_within_a_minute() -> None:
    told = tell(Story())
    assert told.queues == ["service"]
    waiting = next(step for step in told.trace if step.word == "queue")
    assert waiting.at_ms < 60_000


@pytest.mark.parametrize(
    "name",
    [name for name in STORIES if name.endswith(("silence", "wrong keys", "too short")) and "wrong PINs" not in name],
)
def test_caller_who_gives_up_reaches_a_human_or_a_goodbye(name: str) -> None:
    told = tell(STORIES[name])
    assert told.queues == ["service"] or told.words[-1].endswith("/goodbye")


@pytest.mark.parametrize("name", [name for name in STORIES if name.startswith("bank ")])
def test_caller_hears_that_the_bank_is_away_and_reaches_a_human(name: str) -> None:
    told = tell(STORIES[name])
    assert contains(told.words, ["en/system_busy", "en/survey"])
    assert told.queues == ["service"]


@pytest.mark.parametrize("name", ["no agents", "queue full", "agents too slow"])
def test_caller_hears_that_nobody_is_there_and_the_record_says_so(name: str) -> None:
    told = tell(STORIES[name])
    offer = ["no_agent_available", "to_leave_message", "press_1", "to_be_called_back", "press_2"]
    assert told.words[-5:] == [f"en/{prompt}" for prompt in offer]
    assert told.reason == "no_human"


def test_balance_is_asked_of_the_bank_for_each_hearing_of_another_account_only() -> None:
    told = tell(STORIES["balance, then again, another account, the menu, an agent"])
    assert told.asked[BALANCE] == 3
    assert told.words.count("en/your_balance_is") == 4


LONG: Final = (
    "balance, then again, another account, the menu, an agent",
    "transactions, more than five",
    "three wrong PINs, an agent",
    "bank slow",
    "no agents",
)


def every_quarter_second(story: Story) -> list[float]:
    whole = tell(story)
    return [quarter / 4 for quarter in range(int(whole.seconds * 4))]


@pytest.mark.parametrize("name", LONG)
def test_caller_may_hang_up_at_any_quarter_of_a_second(name: str) -> None:
    story = STORIES[name]
    for moment in every_quarter_second(story):
        told = tell(leaving_at(story, moment))
        assert told.reason == HUNG_UP, moment
        assert told.seconds == pytest.approx(moment, abs=0.001), moment
        assert_clean(told)


@pytest.mark.parametrize("name", LONG)
def test_caller_may_hang_up_after_any_key(name: str) -> None:
    deeds = list(STORIES[name].deeds)
    keys = sum(len(deed.keys) for deed in deeds if isinstance(deed, Press))
    for kept in range(keys + 1):
        left = kept
        cut: list[Deed] = []
        for deed in deeds:
            if isinstance(deed, Press):
                cut.append(Press(deed.keys[:left]))
                left -= len(deed.keys)
            elif left > 0:
                cut.append(deed)
            if left <= 0:
                break
        cut = [deed for deed in cut if deed != Press("")]
        told = tell(dataclasses.replace(STORIES[name], deeds=(*cut, HangUp(after_ms=1))))
        assert told.reason == HUNG_UP, kept
        assert_clean(told)


def test_transfer_is_read_back_and_moves_what_was_confirmed() -> None:
    banks: list[MemoryBank] = []

    def bank(clock: Clock) -> MemoryBank:
        banks.append(bank_of(Money(100_000, CNY), Money(0, CNY))(clock))
        return banks[-1]

    told = tell(Story(press("3", "3", NUMBER, PIN, "1", "2", "123*4#", "1", "0"), bank))
    english, amount = grammar_for(Language.ENGLISH), Money(12_340, CNY)
    read_back = ["you_transfer", *english.amount(amount), "from_account", *english.masked("622588000000" + "0000")]
    assert contains(told.words, [f"en/{prompt}" for prompt in read_back])
    assert "en/transfer_done" in told.words
    booked = [banks[0]._accounts[AccountNumber(f"622588000000{n:04}")].ledger.booked.minor for n in (0, 1)]
    assert booked == [100_000 - 12_340, 12_340]
    assert ("money_moved", "self_service") in [(step.milestone, step.milestone_kind) for step in told.trace]


@pytest.mark.parametrize("keys", [("2",), ("7", "7", "7"), ()])
def test_transfer_that_is_not_confirmed_moves_nothing(keys: tuple[str, ...]) -> None:
    told = tell(Story(press("3", "3", NUMBER, PIN, *MOVE, *keys), TWO))
    assert "post" not in told.asked


def test_yes_typed_ahead_confirms_no_transfer() -> None:
    """Whoever types everything at once has not heard what would be moved."""
    told = tell(Story((*press("3", "3", NUMBER, PIN, "1", "2"), HearOut(), Press("0*50#1")), TWO))
    assert "post" not in told.asked


def test_caller_who_hangs_up_while_money_moves_has_moved_it_and_the_trace_says_so() -> None:
    def slow_bank(clock: Clock) -> MemoryBank:
        bank, two = SlowlyPostingBank(clock), TWO(clock)
        bank._customers, bank._accounts = two._customers, two._accounts
        return bank

    story = Story(press("3", "3", NUMBER, PIN, *MOVE[:2], "0*50#", "1"), slow_bank)
    moves = next(step for step in tell(story).trace if step.step == "move")
    told = tell(leaving_at(story, moves.at_ms / 1000 + 0.5))
    assert told.reason == HUNG_UP
    assert told.asked["post"] == 1
    assert (told.trace[-1].step, told.trace[-1].outcome) == ("move", "posted")
    assert_clean(told)
