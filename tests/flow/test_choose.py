"""Picking from what the bank lists: pages, keys that mean something, and lists of one and of none."""

from __future__ import annotations

from typing import Final

import pytest

from ivr_engine.flow.nodes.choose import TURNS_MAX
from ivr_engine.flow.operations import Level
from ivr_engine.simulator.line import Press
from ivr_engine.values.money import Currency, Money
from tests.flow.calls import Story, Told, tell
from tests.flow.test_hotline import NUMBER, PIN, bank_of, bank_with, press
from tests.flow.world import FLOWS, flow, library_of, proved_library_of

SIGN_IN: Final = (FLOWS / "library" / "sign_in.yaml").read_text(encoding="utf-8")
STEPS: Final = """
    begin: {run: library/sign_in, when: {signed_in: pick, human: end, given_up: end}}
    pick:
      choose: account
      into: {number: account}
      offer: [account_current, {masked: account}]
      then: picked
    picked: {hang_up: picked}
    none: {hang_up: none}
    human: {hang_up: human}
    no_input: {hang_up: no_input}
    no_match: {hang_up: no_match}
    unavailable: {hang_up: unavailable}
    end: {hang_up: done}
    """
TOP: Final = """
    variables: {account: personal digits}
    everywhere: {0: human}
    otherwise: {none: none, no_input: no_input, no_match: no_match, unavailable: unavailable}
    """
PICK: Final = flow(STEPS, top=TOP)
AGAIN: Final = ["en/hear_again", "en/press_star"]
MORE: Final = ["en/more_choices", "en/press_9"]
BEFORE: Final = ["en/choices_before", "en/press_7"]


def pick(accounts: int, *keys: str, text: str = PICK) -> Told:
    """Sign in as a customer with so many accounts, whose numbers end in 0000, 0001, ...; press keys at the offers."""
    library = library_of(a=text, **{"library/sign_in": SIGN_IN})
    assert library.findings == (), "\n".join(finding.render() for finding in library.findings)
    bank = bank_of(*[Money(100, Currency.CNY)] * accounts)
    return tell(Story(press(NUMBER, PIN, *keys), bank), library=library, flow="a")


ONE_OF_ONE: Final = """
    pin: {secret: pin, prompt: enter_pin, length: 6, then: check}
    check: {do: sign_in, with: {customer: "'620001'", pin: pin}, when: {signed_in: pick}}
    pick:
      choose: account
      into: {number: account}
      offer: [account_current, {masked: account}]
      when: {picked: ask}
    ask: {do: balance, with: {account: account}, into: {booked: booked}}
    human: {queue: service, when: {answered: end, no_agents: end, full: end, timed_out: end}}
    end: {hang_up: completed}
    """


@pytest.mark.parametrize(("filler", "codes"), [("", ["E806"]), (", filler: please_wait", [])])
def test_list_of_one_is_silent_in_the_proofs_and_a_filler_is_heard(filler: str, codes: list[str]) -> None:
    outcomes = ["refused", "attempts_used", "locked", "unavailable", "found", "none", "not_yours", "no_input"]
    otherwise = ", ".join(f"{outcome}: human" for outcome in (*outcomes, "no_match", "too_short"))
    top = "variables: {pin: secret, account: personal digits, booked: personal money}\n"
    text = flow(ONE_OF_ONE, top=f"{top}otherwise: {{{otherwise}}}\n", start="pin")
    text = text.replace("when: {signed_in: pick}", f"when: {{signed_in: pick}}{filler}")
    text = text.replace("into: {booked: booked}", f"into: {{booked: booked}}{filler}")
    assert [finding.code for finding in proved_library_of(a=text).findings] == codes


def test_page_that_the_bank_gives_too_slowly_is_given_up_after_the_time_of_one_answer() -> None:
    library = library_of(a=PICK, **{"library/sign_in": SIGN_IN})
    slow = Story(press(NUMBER, PIN), bank_of(*[Money(100, Currency.CNY)] * 3), slow={"account": 1.5})
    told = tell(slow, library=library, flow="a")
    assert told.reason == "unavailable"
    (step,) = [step for step in told.trace if step.step == "pick"]
    assert step.took_ms < 5_000


def item(number: int, key: int) -> list[str]:
    digits = [f"en/number_{digit}" for digit in f"{number:04}"]
    return ["en/account_current", "en/ending_in", *digits, f"en/press_{key}"]


def heard(told: Told) -> list[str]:
    return told.words[2:]


def picked(told: Told) -> int:
    assert told.reason == "picked"
    return int(str(told.variables["account"])[-4:])


def test_each_item_is_said_and_then_its_key() -> None:
    told = pick(2, "2")
    assert heard(told) == [*item(0, 1), *item(1, 2), *AGAIN]
    assert picked(told) == 1


def test_only_item_is_picked_without_asking() -> None:
    told = pick(1)
    assert (heard(told), picked(told)) == ([], 0)


def test_empty_list_has_its_own_outcome() -> None:
    told = pick(0)
    assert (told.reason, heard(told)) == ("none", [])


def test_list_is_offered_in_pages_and_keys_are_spoken_only_where_they_lead_somewhere() -> None:
    first = [*item(0, 1), *item(1, 2), *item(2, 3)]
    middle = [*item(3, 1), *item(4, 2), *item(5, 3)]
    told = pick(7, "9", "9", "1")
    assert heard(told) == [*first, *MORE, *AGAIN, *middle, *MORE, *BEFORE, *AGAIN, *item(6, 1), *BEFORE, *AGAIN]
    assert picked(told) == 6


def test_page_that_the_list_just_fills_is_the_last_one() -> None:
    assert heard(pick(3, "3")) == [*item(0, 1), *item(1, 2), *item(2, 3), *AGAIN]


def test_caller_goes_back_and_hears_a_page_again() -> None:
    told = pick(4, "9", "7", "*", "2")
    assert picked(told) == 1
    assert heard(told).count("en/press_3") == 3


@pytest.mark.parametrize("key", ["9", "7", "3", "8"])
def test_key_that_leads_nowhere_here_is_a_wrong_key(key: str) -> None:
    told = pick(2, key, "1")
    assert picked(told) == 0
    assert heard(told) == [*item(0, 1), *item(1, 2), *AGAIN, "en/wrong_key", *item(0, 1), *item(1, 2), *AGAIN]


def test_silence_and_wrong_keys_use_the_tries_up() -> None:
    assert pick(2).reason == "no_input"
    assert pick(2, "8", "8", "8").reason == "no_match"
    assert pick(2).words.count("en/nothing_heard") == 2


def test_turning_pages_does_not_use_the_tries_up() -> None:
    assert picked(pick(4, *["9", "7"] * 2, "1")) == 0


def test_pages_are_turned_so_often_and_no_more() -> None:
    told = pick(2, *["*"] * (TURNS_MAX + 1), "1")
    assert picked(told) == 0
    assert heard(told).count("en/hear_again") == TURNS_MAX
    assert heard(told).count("en/wrong_key") == 1


def test_key_that_works_everywhere_works_here_and_is_not_spoken() -> None:
    told = pick(2, "0")
    assert (told.reason, heard(told)) == ("human", [*item(0, 1), *item(1, 2), *AGAIN])


def test_keys_typed_ahead_pick_without_a_word() -> None:
    library = library_of(a=PICK, **{"library/sign_in": SIGN_IN})
    bank = bank_of(*[Money(100, Currency.CNY)] * 4)
    told = tell(Story((Press(f"{NUMBER}{PIN}91", after_ms=200),), bank), library=library, flow="a")
    assert picked(told) == 3


def test_pages_and_keys_may_be_set() -> None:
    text = PICK.replace(
        "choose: account", "page: 1\n    next: 2\n    previous: star\n    repeat: hash\n    choose: account"
    )
    told = pick(3, "2", "2", "*", "#", "1", text=text)
    assert picked(told) == 1
    middle = ["en/more_choices", "en/press_2", "en/choices_before", "en/press_star", "en/hear_again", "en/press_hash"]
    assert heard(told)[-13:] == [*item(1, 1), *middle]


def test_bank_that_is_away_ends_the_step_with_its_outcome() -> None:
    library = library_of(a=PICK, **{"library/sign_in": SIGN_IN})
    away = bank_with(away_for=frozenset({"accounts"}))
    assert tell(Story(press(NUMBER, PIN), away), library=library, flow="a").reason == "unavailable"


def test_offer_leaves_the_variables_of_the_flow_alone_until_one_is_picked() -> None:
    text = PICK.replace("signed_in: pick", "signed_in: before").replace(
        "  pick:\n", "  before: {set: {account: \"'9999'\"}, then: pick}\n  pick:\n"
    )
    assert pick(2, "0", text=text).variables["account"] == "9999"
    assert picked(pick(2, "2", text=text)) == 1


def test_what_the_proofs_know_of_it() -> None:
    step = library_of(a=PICK, **{"library/sign_in": SIGN_IN}).flows["a"].steps["pick"]
    ways = {way.outcome: way for way in step.ways}
    assert list(ways) == ["picked", "none", "key 0", "no_input", "no_match", "unavailable"]
    assert ways["picked"].writes == {"account"}
    assert all(not way.writes for outcome, way in ways.items() if outcome != "picked")
    assert step.needs is Level.SIGNED_IN
    assert not step.reads
    assert step.tells == {"account"}
    assert step.asks
    assert 0 < step.heard_ms < step.longest_ms


def test_further_arguments_are_read_and_the_item_is_not() -> None:
    steps = """
        begin: {set: {account: "'6225'"}, then: pick}
        pick:
          choose: transaction
          with: {account: account}
          into: {on: day, amount: amount, direction: direction}
          offer: [{date: day}, 'transaction_{direction}', {amount: amount}]
          when: {picked: end, none: end, no_input: end, no_match: end, unavailable: end, not_yours: end}
        end: {hang_up: done}
        """
    top = """
        variables: {account: personal digits, day: personal date, amount: personal money, direction: 'one of (in, out)'}
        """
    library = library_of(a=flow(steps, top=top))
    assert library.findings == ()
    step = library.flows["a"].steps["pick"]
    assert step.reads == {"account"}
    assert step.tells == {"day", "amount"}
