"""Tests of flows in virtual time: what passes, what fails and with which words, and what is ended by force."""

from __future__ import annotations

import asyncio
from typing import Final

import pytest

from ivr_engine.banking.model import PinVerdict, Posting, PostingOutcome
from ivr_engine.flow.call import QueueOutcome
from ivr_engine.flow.runner import Runner
from ivr_engine.scenarios.model import GivenCustomer
from ivr_engine.simulator import scenario as module
from ivr_engine.simulator.bank import MemoryBank
from ivr_engine.simulator.play import PlayedQueues
from ivr_engine.simulator.scenario import Limits, ScenarioRunner
from ivr_engine.simulator.virtual_time import VirtualClock
from ivr_engine.values.ids import CallId, CustomerNumber
from ivr_engine.values.language import Language
from ivr_engine.values.secret import SecretDigits
from tests.flow.world import catalogue, flow, library_of, shipped
from tests.scenarios.world import messages, run, scenario_of

TO_MENU: Final = "language: en\nsteps:\n  - hear: welcome\n  - press: '3'\n  - hear: main_menu\n"
TO_PIN: Final = (
    "language: en\ngiven: {customer: sample}\nsteps:\n  - hear: welcome\n  - press: '31'\n"
    "  - hear: enter_customer_number\n  - type: customer number\n  - hear: enter_pin\n"
)


def test_caller_who_does_what_is_written_passes() -> None:
    result = run(TO_MENU + "  - hang up\nexpect: {ends: caller_hung_up}\n")
    assert messages(result) == []
    assert result.told.whole == ["cmn/welcome", "en/main_menu"]
    assert result.told.steps[-1] == ("library/language", "done", "chosen")


def test_key_is_pressed_a_moment_after_what_was_waited_for() -> None:
    result = run(TO_MENU + "  - hang up\n")
    welcome, cut = result.told.heard[:2]
    assert (cut.name, cut.cut, cut.by_chance) == ("cmn/choose_language", True, True)
    assert cut.ended_s - welcome.ended_s == pytest.approx(0.2)


def test_recording_that_a_key_is_meant_for_is_heard_or_cut_by_no_chance() -> None:
    result = run(
        "language: en\nsteps:\n  - {press: '3', during: welcome, after: 200 ms}\n  - hear: main_menu\n  - hang up\n"
    )
    welcome, menu = result.told.heard[:2]
    assert (welcome.name, welcome.cut, welcome.by_chance) == ("cmn/welcome", True, False)
    assert (menu.name, menu.cut, menu.by_chance) == ("en/main_menu", False, False)


@pytest.mark.parametrize(("agents", "hears"), [("answered", 0), ("no_agents", 0), ("full", 0), ("timed_out", 1)])
def test_words_before_the_music_are_said_to_those_who_wait_only(agents: str, hears: int) -> None:
    result = run(f"given: {{agents: {agents}}}\n" + TO_MENU + "  - press: '0'\n")
    assert result.told.whole.count("en/connecting_to_agent") == hears


def test_recording_that_never_comes_is_told_with_its_line_and_what_was_heard_instead() -> None:
    result = run(TO_MENU + "  - press: '0'\n  - hear: enter_pin\n")
    instead = "en/survey, en/nothing_heard, en/survey, en/thank_you, en/goodbye"
    assert messages(result) == [f"9: `en/enter_pin` was not heard before the call ended; this was: {instead}"]


def test_caller_hangs_up_when_what_is_waited_for_does_not_come_in_time() -> None:
    result = run(TO_MENU + "  - {hear: goodbye, within: 4 s}\n")
    assert messages(result) == ["8: `en/goodbye` was not heard within 4.0 s; nothing was"]
    assert result.told.reason == "caller_hung_up"


def test_recordings_of_one_list_follow_each_other_without_others_between() -> None:
    strict = run(TO_MENU + "  - press: '0'\n  - hear: [survey, goodbye]\n")
    assert messages(strict) == ["9: after `en/survey` the caller was to hear `en/goodbye`, but heard en/nothing_heard"]
    assert strict.told.seconds >= strict.told.heard[-1].began_s, "the caller hangs up when it is heard, not before"
    loose = run(TO_MENU + "  - press: '0'\n  - hear: [survey, ..., goodbye]\n")
    assert messages(loose) == []


def test_recording_that_an_agent_has_cut_stands_between_two_others() -> None:
    """On a telephone it is heard as well, and no key of the caller explains why it ended."""
    steps = TO_MENU + "  - press: '0'\n  - hear: [connecting_to_agent, {} thank_you]\n    within: 2 min\n"
    agents = "given: {agents: free after 4 s}\n"
    assert messages(run(agents + steps.format("..., "))) == []
    (message, *_) = messages(run(agents + steps.format("")))
    assert "the caller was to hear `en/thank_you`, but heard en/all_agents_busy" in message


def test_recording_in_another_language_is_not_the_one_that_is_waited_for() -> None:
    result = run("language: en\nsteps:\n  - hear: welcome\n  - press: '2'\n  - {hear: main_menu, within: 9 s}\n")
    assert messages(result)[0].startswith("7: `en/main_menu` was not heard within 9.0 s; this was: yue/main_menu")


def test_key_that_the_call_does_not_live_to_see_is_told() -> None:
    result = run(TO_MENU + "  - press: '0'\n  - hear: goodbye\n  - wait: 1 s\n  - press: '1'\n")
    assert messages(result) == ["11: the call ended before this"]


def test_key_may_be_pressed_in_the_middle_of_a_recording() -> None:
    result = run(
        "language: en\nsteps:\n  - {press: '3', during: welcome, after: 700 ms}\n  - hear: main_menu\n  - hang up\n"
    )
    assert messages(result) == []
    assert result.told.heard[0].name == "cmn/welcome"
    assert result.told.heard[0].ended_s == pytest.approx(0.7)


def test_prompt_that_no_key_stops_is_heard_whole_though_keys_are_pressed_during_it() -> None:
    library = library_of(a=flow("begin: {say: welcome, interrupt: none, then: end}\nend: {hang_up: completed}\n"))
    steps = "language: cmn\nsteps:\n  - {press: '12', during: welcome, after: 500 ms}\n  - hear: welcome\n"
    result = run(steps, library=library, flow="a")
    assert messages(result) == []
    assert [(heard.name, heard.cut) for heard in result.told.heard] == [("cmn/welcome", False)]
    assert result.told.heard[0].ended_s == pytest.approx(catalogue_s("welcome"))


def catalogue_s(prompt: str) -> float:
    return catalogue().lasts_ms(Language.MANDARIN, prompt) / 1000


EXPECTATIONS: Final = (
    ("ends: no_human", "the call ended as 'completed', not as 'no_human'"),
    ("never heard: [thank_you]", "`thank_you` was heard"),
    ("operations: [balance]", "the bank was asked otherwise: nothing"),
    ("seconds until a human: under 2", "a human came after"),
    ("heard in order: [cmn/welcome, main_menu, ..., thank_you]", "en/goodbye was heard after the last"),
    ("heard in order: [welcome, ...]", "after the beginning `en/welcome` is listed, but cmn/welcome was heard"),
)


@pytest.mark.parametrize(("expectation", "words"), EXPECTATIONS)
def test_expectation_that_is_not_fulfilled_is_told_at_its_line(expectation: str, words: str) -> None:
    result = run(TO_MENU + "  - press: '0'\n" + f"expect:\n  {expectation}\n")
    (message,) = messages(result)
    assert message.startswith("10: ")
    assert words in message


FULFILLED: Final = (
    "ends: completed",
    "never heard: [sign_in_locked]",
    "operations: []",
    "seconds until a human: under 60",
    "heard in order: [cmn/welcome, main_menu, survey, nothing_heard, survey, thank_you, goodbye]",
    "heard in order: [..., main_menu, ..., goodbye]",
    "heard in order: [cmn/welcome, ...]",
)


@pytest.mark.parametrize("expectation", FULFILLED)
def test_expectation_that_is_fulfilled_is_not_told(expectation: str) -> None:
    assert messages(run(TO_MENU + "  - press: '0'\n" + f"expect:\n  {expectation}\n")) == []


TO_ACCOUNTS: Final = TO_PIN.replace("'31'", "'33'") + "  - type: pin\n  - hear: transfer_from_intro\n"
TO_QUESTION: Final = (
    TO_ACCOUNTS
    + "  - press: '1'\n  - hear: transfer_to_intro\n  - press: '2'\n  - hear: enter_transfer_amount\n"
    + "  - type: 30*50#\n  - hear: confirm_no\n"
)
TRANSFER: Final = TO_QUESTION + "  - press: '1'\n  - hear: [transfer_done, main_menu]\n  - hang up\n"
MOVED: Final = "{from: '6225880012345678', to: '6225880012345686', amount: 30.50 CNY}"
WAS_MOVED: Final = "money was moved otherwise: 30.50 CNY 6225880012345678 > 6225880012345686"


def test_money_that_moves_as_the_test_says_is_right() -> None:
    assert messages(run(TRANSFER + f"expect: {{money moved: {MOVED}}}\n")) == []
    assert messages(run(TRANSFER + f"expect: {{money moved: [{MOVED}], milestones: money_moved}}\n")) == []


def test_no_money_moves_unless_the_test_says_so() -> None:
    assert messages(run(TRANSFER)) == [f"1: {WAS_MOVED}"]
    assert messages(run(TRANSFER + "expect: {ends: caller_hung_up}\n")) == [f"1: {WAS_MOVED}"]
    assert messages(run(TRANSFER + "expect: {money moved: []}\n")) == [f"22: {WAS_MOVED}"]


@pytest.mark.parametrize("wrong", [MOVED.replace("30.50", "30.51"), f"[{MOVED}, {MOVED}]", MOVED.replace("86'", "78'")])
def test_money_that_moves_otherwise_than_the_test_says_is_told(wrong: str) -> None:
    assert messages(run(TRANSFER + f"expect: {{money moved: {wrong}}}\n")) == [f"22: {WAS_MOVED}"]
    nothing = run(TO_QUESTION + f"  - press: '2'\n  - hear: main_menu\n  - hang up\nexpect: {{money moved: {wrong}}}\n")
    assert messages(nothing) == ["22: money was moved otherwise: nothing"]


class WrongBooksBank(MemoryBank):
    """Says that it has booked, and takes the money, but gives it to nobody."""

    async def post(self, posting: Posting) -> PostingOutcome:
        before = self._accounts[posting.credit].ledger
        outcome = await super().post(posting)
        self._accounts[posting.credit].ledger = before
        return outcome


def test_account_that_does_not_hold_what_it_should_afterwards_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    bank_that(WrongBooksBank, monkeypatch)
    assert messages(run(TRANSFER + f"expect: {{money moved: {MOVED}}}\n")) == [
        "22: account 6225880012345686 holds 50000.00 CNY, and not 50030.50 CNY"
    ]


def test_milestones_are_reached_in_their_order_and_no_others() -> None:
    to_human = TO_MENU + "  - press: '0'\n  - hear: goodbye\n"
    assert messages(run(to_human + "expect: {milestones: [human_reached]}\n")) == []
    assert messages(run(TO_MENU + "  - hang up\nexpect: {milestones: []}\n")) == []
    more = run(to_human + "expect: {milestones: [balance_heard, human_reached]}\n")
    assert messages(more) == ["10: the caller reached otherwise: human_reached"]
    fewer = run(to_human + "expect: {milestones: []}\n")
    assert messages(fewer) == ["10: the caller reached otherwise: human_reached"]


def test_money_that_moves_though_the_caller_has_hung_up_is_waited_for_as_in_a_real_call() -> None:
    slow = TO_QUESTION.replace("{customer: sample}", "{customer: sample, bank: answers in 2 s}")
    text = slow + "  - press: '1'\n  - wait: 1 s\n  - hang up\n"
    result = run(text + f"expect: {{ends: caller_hung_up, money moved: {MOVED}}}\n")
    assert messages(result) == []
    assert result.told.operations[-1] == ("transfer", "posted")
    assert result.told.steps[-1] == ("library/transfer", "move", "posted")


def test_what_a_flow_keeps_for_a_hang_up_is_done() -> None:
    library = library_of(
        a=flow(
            """
            begin: {menu: main_menu, keys: {1: end}, when: {no_input: end, no_match: end}}
            last: {set: {known: 1}, milestone: gone, then: end}
            end: {hang_up: completed}
            """,
            top="finally: last\nmilestones: {gone: abandoned_task}\nvariables: {known: number}\n",
        )
    )
    text = "language: cmn\nsteps:\n  - hear: main_menu\n  - hang up\n"
    result = run(text + "expect: {ends: caller_hung_up, milestones: gone}\n", library=library, flow="a")
    assert messages(result) == []
    assert result.told.steps[0] == ("a", "last", "done")


def test_answer_of_the_bank_changes_after_so_many_times() -> None:
    given = "{customer: sample, answers: {account: none after 2 times}}"
    result = run(TO_PIN.replace("{customer: sample}", given) + "  - type: pin\n  - wait: 1 s\n  - hang up\n")
    accounts = [outcome for name, outcome in result.told.operations if name == "account"]
    assert accounts[:3] == ["found", "found", "none"]


def test_who_never_reaches_a_human_does_not_reach_one_in_time() -> None:
    result = run(TO_MENU + "  - hang up\nexpect: {seconds until a human: under 60}\n")
    assert messages(result) == ["9: the caller was never handed to a human"]


def test_pin_is_typed_by_its_name_and_a_wrong_one_is_refused() -> None:
    right = run(
        TO_PIN
        + "  - type: pin\n  - hang up\nexpect: {operations: [sign_in: signed_in, account, account, account, account]}\n"
    )
    assert messages(right) == []
    wrong = run(TO_PIN + "  - type: wrong pin\n  - hear: sign_in_refused\n  - hang up\n")
    assert messages(wrong) == []


def test_bank_of_a_test_is_away_slow_or_mistaken_as_it_says() -> None:
    for bank, outcome in (
        ("bank: away", "unavailable"),
        ("bank: away for sign_in", "unavailable"),
        ("bank: answers in 5 s", "unavailable"),
        ("bank: answers in 1 s", "signed_in"),
        ("answers: {sign_in: locked}", "locked"),
    ):
        text = TO_PIN.replace("{customer: sample}", f"{{customer: sample, {bank}}}")
        result = run(text + "  - type: pin\n  - wait: 6 s\n  - hang up\n")
        assert result.told.operations[0] == ("sign_in", outcome), bank


@pytest.mark.parametrize("agents", QueueOutcome)
def test_agents_of_a_test_do_as_it_says(agents: QueueOutcome) -> None:
    result = run(TO_MENU.replace("steps:", f"given: {{agents: {agents.value}}}\nsteps:", 1) + "  - press: '0'\n")
    assert ("hotline", "to_human", agents.value) in result.told.steps


def test_call_begins_at_the_time_of_the_test_and_days_are_the_banks() -> None:
    given = "given: {customer: sample, time: 2026-03-04 23:59}"
    text = TO_PIN.replace("given: {customer: sample}", given).replace("'31'", "'32'")
    result = run(
        text
        + "  - type: pin\n  - press: '1'\n"
        + "  - hear: [last_transactions_intro, on_date, {date: 2026-03-05}]\n  - hang up\n"
    )
    assert messages(result) == []


def test_call_that_goes_on_for_ever_is_ended_and_said_so() -> None:
    text = "language: en\nsteps: []\n"
    result = run(text, limits=Limits(virtual_s=20))
    assert messages(result) == ["1: the test was ended: the call went on for 20 s"]
    assert result.told.seconds == 20


class BusyBank(MemoryBank):
    async def verify_pin(self, customer: CustomerNumber, pin: SecretDigits, *, call: CallId) -> PinVerdict:
        del customer, pin, call
        while True:
            pass


def bank_that(kind: type[MemoryBank], patch: pytest.MonkeyPatch) -> None:
    def build(customer: GivenCustomer | None, clock: VirtualClock) -> MemoryBank:
        bank = kind(clock)
        if customer is not None:
            bank.add_given(customer)
        return bank

    patch.setattr(module, "bank_of", build)


def test_machine_that_is_busy_for_ever_is_stopped_and_the_next_test_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    busy, quick = scenario_of(TO_PIN + "  - type: pin\n"), scenario_of(TO_MENU + "  - hang up\n")
    with ScenarioRunner(shipped(), catalogue(), limits=Limits(real_s=0.1)) as runner:
        with monkeypatch.context() as patch:
            bank_that(BusyBank, patch)
            result = runner.run(busy)
        assert messages(result) == ["1: the test was ended: it took more than 0.1 s of the machine"]
        assert result.told.steps[-1] == ("library/sign_in", "ask_pin", "collected")
        assert messages(runner.run(quick)) == []


class BuggyBank(MemoryBank):
    async def verify_pin(self, customer: CustomerNumber, pin: SecretDigits, *, call: CallId) -> PinVerdict:
        del customer, pin, call
        raise ZeroDivisionError("three by nothing")


def test_bug_of_the_engine_fails_the_test_that_meets_it_and_the_next_one_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    buggy, quick = scenario_of(TO_PIN + "  - type: pin\n"), scenario_of(TO_MENU + "  - hang up\n")
    with ScenarioRunner(shipped(), catalogue()) as runner:
        with monkeypatch.context() as patch:
            bank_that(BuggyBank, patch)
            (message,) = messages(runner.run(buggy))
        assert "the engine has a bug at " in message
        assert "test_scenario.py:" in message
        assert "ZeroDivisionError: three by nothing" in message
        assert messages(runner.run(quick)) == []


def test_call_in_which_everything_waits_for_nothing_is_ended_and_said_so(monkeypatch: pytest.MonkeyPatch) -> None:
    async def wait(self: PlayedQueues, within_ms: int | None = None) -> QueueOutcome:
        del self, within_ms
        await asyncio.Event().wait()
        return QueueOutcome.ANSWERED

    monkeypatch.setattr(PlayedQueues, "wait", wait)
    (message,) = messages(run(TO_MENU + "  - press: '0'\n"))
    assert "everything waits and nothing is due" in message


class LingeringBank(MemoryBank):
    async def verify_pin(self, customer: CustomerNumber, pin: SecretDigits, *, call: CallId) -> PinVerdict:
        self.lingering = asyncio.get_running_loop().create_task(asyncio.Event().wait())
        return await MemoryBank.verify_pin(self, customer, pin, call=call)

    lingering: asyncio.Task[bool] | None = None


def test_what_still_goes_on_after_the_call_is_told_and_does_not_reach_the_next_test(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with ScenarioRunner(shipped(), catalogue()) as runner:
        with monkeypatch.context() as patch:
            bank_that(LingeringBank, patch)
            result = runner.run(scenario_of(TO_PIN + "  - type: pin\n  - hang up\n"))
        assert messages(result) == ["1: something still went on when the call was over"]
        assert messages(runner.run(scenario_of(TO_MENU + "  - hang up\n"))) == []


def test_secret_that_a_call_leaves_behind_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    library = library_of(
        a=flow(
            """
            begin: {secret: pin, prompt: enter_pin, length: 6, then: listen, when: {no_input: end, too_short: end}}
            listen: {say: welcome, then: end}
            end: {hang_up: completed}
            """,
            top="variables: {pin: secret}\n",
        )
    )
    text = "language: cmn\ngiven: {customer: sample}\nsteps:\n  - hear: enter_pin\n  - type: pin\n  - hear: welcome\n"
    assert messages(run(text, library=library, flow="a")) == []
    monkeypatch.setattr(Runner, "close", lambda _: None)
    assert messages(run(text, library=library, flow="a")) == ["1: 1 secrets were left in memory when the call was over"]


def test_tests_that_share_a_loop_do_not_see_each_others_time_or_bank() -> None:
    again = scenario_of(TO_PIN + "  - type: pin\n  - hear: account_demand_savings\n  - hang up\n")
    with ScenarioRunner(shipped(), catalogue()) as runner:
        first, second = runner.run(again), runner.run(again)
    assert messages(first) == messages(second) == []
    assert first.told.whole == second.told.whole
    assert first.told.seconds == pytest.approx(second.told.seconds)
    assert first.told.steps == second.told.steps
