"""What is said the first time, and what from the second time on."""

from __future__ import annotations

import dataclasses
import json
from typing import Final

import pytest

from ivr_engine.flow.runner import StackEntry
from ivr_engine.values.money import Currency, Money
from tests.flow.calls import Story, Told, tell
from tests.flow.test_hotline import NUMBER, PIN, bank_of, press
from tests.flow.test_runner import run
from tests.flow.world import FLOWS, flow, library_of

MENU: Final = flow(
    """
    begin: {say: {first: welcome, again: thank_you}, then: offer}
    offer:
      menu: [{first: [welcome, recording_notice], again: try_again}, main_menu]
      keys: {1: begin, 2: offer, 0: end}
    end: {hang_up: done}
    """,
    top="otherwise: {no_input: end, no_match: end}\n",
)
LONG: Final = ["en/welcome", "en/recording_notice", "en/main_menu"]
SHORT: Final = ["en/try_again", "en/main_menu"]


def test_caller_who_comes_back_to_a_step_hears_the_other_words() -> None:
    told = run(MENU, Story(press("1", "2", "2", "0")))
    assert told.words == ["en/welcome", *LONG, "en/thank_you", *SHORT, *SHORT, *SHORT]


def test_further_try_of_a_question_is_said_the_other_way() -> None:
    told = run(MENU, Story(press("", "7", "0")))
    assert told.words == ["en/welcome", *LONG, "en/nothing_heard", *SHORT, "en/wrong_key", *SHORT]


def test_step_of_a_flow_that_is_run_again_is_known_from_the_first_time() -> None:
    called = flow(
        "begin: {say: {first: welcome, again: thank_you}, then: back}\nback: {return: good}", top="outcomes: [good]\n"
    )
    steps = "begin: {run: called, when: {good: more}}\nmore: {run: called, when: {good: end}}\nend: {hang_up: done}\n"
    assert run(flow(steps), called=called).words == ["en/welcome", "en/thank_you"]


def test_steps_of_one_name_in_two_flows_are_two_steps() -> None:
    called = flow(
        "begin: {say: {first: welcome, again: thank_you}, then: back}\nback: {return: good}", top="outcomes: [good]\n"
    )
    steps = "begin: {say: {first: goodbye, again: try_again}, then: more}\nmore: {run: called, when: {good: end}}\n"
    assert run(flow(steps + "end: {hang_up: done}\n"), called=called).words == ["en/goodbye", "en/welcome"]


ENTRY: Final = flow(
    """
    begin: {collect: n, prompt: {first: [enter_customer_number, recording_notice], again: enter_customer_number},
      length: 3, then: end, when: {no_input: end, too_short: end}}
    end: {hang_up: done}
    """,
    top="variables: {n: digits}\n",
)


def test_prompt_of_an_entry_is_shorter_at_the_second_try() -> None:
    told = run(ENTRY, Story(press("", "123")))
    ask = "en/enter_customer_number"
    assert told.words == [ask, "en/recording_notice", "en/nothing_heard", ask]


def test_values_are_read_out_either_way_and_only_those_of_both_are_confirmed() -> None:
    steps = """
        begin: {set: {m: 2.00 CNY, d: "'12'"}, then: check}
        check: {confirm: [{first: [you_entered, {amount: m}, {digits: d}], again: {amount: m}}], then: end,
          when: {declined: end, no_input: end, no_match: end}}
        end: {hang_up: done}
        """
    text = flow(steps, top="variables: {m: money, d: personal digits}\n")
    step = library_of(a=text).flows["a"].steps["check"]
    assert step.ways[0].confirms == {"m"}
    assert step.reads == {"m", "d"}
    assert step.tells == {"d"}
    told = run(text, Story(press("", "1")))
    assert told.words.count("en/you_entered") == 1
    assert told.words.count("en/currency_cny") == 2
    assert told.played[0].personal


def test_label_of_a_key_and_item_of_a_list_may_be_shorter_the_second_time() -> None:
    steps = """
        begin: {run: library/sign_in, when: {signed_in: pick, human: end, given_up: end}}
        pick: {choose: account, into: {number: account}, then: end,
          offer: [{first: account_current, again: account_credit_card}, {masked: account}],
          when: {none: end, no_input: end, no_match: end, unavailable: end}}
        end: {hang_up: done}
        """
    sign_in = (FLOWS / "library" / "sign_in.yaml").read_text(encoding="utf-8")
    library = library_of(a=flow(steps, top="variables: {account: personal digits}\n"), **{"library/sign_in": sign_in})
    bank = bank_of(*[Money(100, Currency.CNY)] * 2)
    told = tell(Story(press(NUMBER, PIN, "*", "", "1"), bank), library=library, flow="a")
    assert told.words.count("en/account_current") == 4  # a page that is heard again is no further try
    assert told.words.count("en/account_credit_card") == 2


def test_longer_of_the_two_counts_for_how_long_a_step_lasts() -> None:
    def heard_ms(say: str) -> int:
        return (
            library_of(a=flow(f"begin: {{say: {say}, then: end}}\nend: {{hang_up: done}}\n"))
            .flows["a"]
            .steps["begin"]
            .heard_ms
        )

    both = heard_ms("[{first: [welcome, recording_notice], again: welcome}, goodbye]")
    assert both == heard_ms("[welcome, recording_notice, goodbye]")
    assert both == heard_ms("[{first: welcome, again: [welcome, recording_notice]}, goodbye]")


def through_json(told: Told, at: int) -> tuple[StackEntry, ...]:
    written = json.dumps([dataclasses.asdict(entry) for entry in told.boundaries[at].stack])
    return tuple(StackEntry(**entry) for entry in json.loads(written))


@pytest.mark.parametrize("at", range(5))
def test_visits_go_with_the_call_to_another_engine(at: int) -> None:
    keys = ("1", "2", "2", "0")
    library = library_of(a=MENU)
    whole = tell(Story(press(*keys)), library=library, flow="a")
    assert [step.step for step in whole.trace] == ["begin", "offer", "begin", "offer", "offer", "offer", "end"]
    boundary = whole.boundaries[at]
    assert through_json(whole, at) == boundary.stack
    rest = tell(Story(press(*keys[boundary.keys_taken :])), library=library, flow="a", go_on_from=boundary)
    assert rest.words == whole.words[len(whole.words) - len(rest.words) :]
    heard_before = sum(len(words) for words in (["en/welcome"], LONG, ["en/thank_you"], SHORT, SHORT)[: at + 1])
    assert len(rest.words) == len(whole.words) - heard_before


def test_nothing_is_kept_of_steps_that_always_say_the_same() -> None:
    told = run(MENU, Story(press("0")))
    assert [boundary.stack[0].been_to for boundary in told.boundaries[:2]] == [["a:begin"], ["a:begin", "a:offer"]]
    plain = run(flow("begin: {say: welcome, then: end}\nend: {hang_up: done}\n"))
    assert plain.boundaries[0].stack[0].been_to == []


def test_caller_who_was_cut_off_in_a_step_hears_it_once_more_as_it_was() -> None:
    library = library_of(a=MENU)
    cut_off = tell(Story(press(), leaves_at_s=1.5), library=library, flow="a")
    again = tell(Story(press("0")), library=library, flow="a", go_on_from=cut_off.boundaries[-1])
    assert again.words == LONG
