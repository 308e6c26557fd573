"""What a call may take, and where it goes when that is used up; and what is done when the caller has hung up."""

from __future__ import annotations

from typing import Final

import pytest

from ivr_engine.flow.model import Library
from ivr_engine.flow.runner import GRACE_STEPS, BudgetExceededError
from tests.flow.calls import HUNG_UP, Story, Told, tell
from tests.flow.test_hotline import bank_with, press
from tests.flow.world import flow, library_of

ASKING: Final = """
    begin: {menu: main_menu, keys: {1: begin, 2: ask, 3: end}, when: {no_input: begin, no_match: begin}}
    ask: {collect: n, prompt: enter_pin, length: 3, then: end, when: {no_input: begin, too_short: begin}}
    enough: {say: sorry_technical, then: human}
    human: {queue: service, when: {answered: end, no_agents: end, full: end, timed_out: end}}
    end: {hang_up: done}
    """
LED: Final = "variables: {n: digits}\nbudget: {wrong_entries: 5}\notherwise: {budget_exceeded: enough}\n"


def sound(**texts: str) -> Library:
    library = library_of(**texts)
    assert library.findings == (), "\n".join(finding.render() for finding in library.findings)
    return library


def steps(told: Told) -> list[str]:
    return [step.step for step in told.trace]


def test_silences_and_wrong_keys_are_counted_apart_and_together() -> None:
    told = tell(Story(press("7", "", "2", "12#", "", "123")), library=sound(a=flow(ASKING, top=LED)), flow="a")
    assert (told.tally.no_input, told.tally.no_match) == (2, 2)
    assert told.tally.wrong_entries == 4
    assert (steps(told), told.reason) == (["begin", "ask", "end"], "done")


def test_call_whose_budget_is_used_up_goes_where_the_flow_says() -> None:
    told = tell(Story(), library=sound(a=flow(ASKING, top=LED)), flow="a")
    assert steps(told) == ["begin", "begin", "enough", "human", "end"]
    assert (told.tally.no_input, told.tally.exceeded) == (6, True)
    assert told.queues == ["service"]


def test_budget_is_counted_through_all_flows_and_the_first_one_says_where_the_call_goes() -> None:
    outer = """
        begin: {run: inner, when: {good: begin}}
        enough: {hang_up: enough}
        """
    inner = """
        begin: {secret: pin, prompt: enter_pin, length: 4, then: ask, when: {no_input: leave, too_short: leave}}
        ask: {menu: main_menu, keys: {1: leave}, tries: 1, when: {no_input: leave, no_match: leave}}
        leave: {return: good}
        """
    top = "budget: {wrong_entries: 3}\notherwise: {budget_exceeded: enough}\n"
    library = sound(a=flow(outer, top=top), inner=flow(inner, top="variables: {pin: secret}\noutcomes: [good]\n"))
    told = tell(Story(press("1234", "7", "1234", "8", "1234", "9", "1")), library=library, flow="a")
    assert told.reason == "enough"
    assert len(told.boundaries[-1].stack) == 1
    assert told.secrets_left == 0


def test_call_without_a_way_for_it_exceeds_its_budget() -> None:
    text = flow(ASKING.replace("3: end", "3: enough"), top=LED.partition("otherwise")[0])
    with pytest.raises(BudgetExceededError, match="6 silences and 0 wrong entries; the last step was a:begin"):
        tell(Story(), library=sound(a=text), flow="a")


def test_way_out_of_the_budget_has_a_limit_too() -> None:
    circle = flow(
        "begin: {set: {n: 1}, then: begin}\nenough: {set: {n: 2}, then: more}\nmore: {set: {n: 3}, then: enough}\n",
        top="variables: {n: number}\nbudget: {steps: 20}\notherwise: {budget_exceeded: enough}\n",
    )
    library = library_of(a=circle)
    with pytest.raises(BudgetExceededError, match="more than 20 steps"):
        tell(Story(), library=library, flow="a")
    assert GRACE_STEPS < 100


def test_budget_goes_with_the_call_to_another_engine() -> None:
    library = sound(a=flow(ASKING, top=LED))
    whole = tell(Story(), library=library, flow="a")
    assert steps(whole)[0] == "begin"
    told = tell(Story(), library=library, go_on_from=whole.boundaries[0])
    assert steps(told) == steps(whole)[1:]
    assert (told.tally.no_input, told.tally.steps) == (6, 5)


# --- finally ---------------------------------------------------------------------------------------------------------

FINALLY: Final = flow(
    """
    begin: {run: inner, when: {good: end}}
    end: {hang_up: done}
    out: {do: sign_out, then: look}
    look: {if: signed_in, then: in, else: gone}
    in: {hang_up: still_in}
    gone: {hang_up: gone}
    """,
    top="finally: out\n",
)
INNER: Final = flow("begin: {say: welcome, then: back}\nback: {return: good}\n", top="outcomes: [good]\n")


def test_steps_for_a_hang_up_are_run_and_the_end_stays_a_hang_up() -> None:
    told = tell(Story(leaves_at_s=0.5), library=sound(a=FINALLY, inner=INNER), flow="a")
    assert told.reason == HUNG_UP
    assert [(step.step, step.outcome) for step in told.trace] == [
        ("begin", "entered"),
        ("out", "signed_out"),
        ("look", "no"),
        ("gone", "gone"),
    ]


def test_steps_for_a_hang_up_are_not_run_for_a_caller_who_stays() -> None:
    told = tell(Story(), library=sound(a=FINALLY, inner=INNER), flow="a")
    assert (told.reason, steps(told)[-1]) == ("done", "end")


def test_secrets_are_gone_before_the_steps_for_a_hang_up() -> None:
    text = flow(
        """
        begin: {secret: pin, prompt: enter_pin, length: 4, then: hear, when: {no_input: end, too_short: end}}
        hear: {say: [welcome, goodbye], then: end}
        end: {hang_up: done}
        """,
        top="variables: {pin: secret}\nfinally: end\n",
    )
    told = tell(Story(press("1234"), leaves_at_s=2.5), library=sound(a=text), flow="a")
    assert (told.reason, steps(told), told.variables) == (HUNG_UP, ["begin", "end"], {})
    assert told.secrets_left == 0


def test_bank_that_is_asked_after_a_hang_up_is_not_listened_through() -> None:
    """The line raises for whoever listens to it, so nothing could be asked any more."""
    text = flow(
        """
        begin: {collect: customer, prompt: enter_customer_number, length: 6, then: ask}
        ask: {secret: pin, prompt: enter_pin, length: 6, then: check}
        check: {do: sign_in, with: {customer: customer, pin: pin}, then: hear}
        hear: {say: [welcome, goodbye, welcome], then: end}
        end: {hang_up: done}
        out: {do: profile, then: bye}
        bye: {hang_up: bye}
        """,
        top="""
        variables: {customer: digits, pin: secret}
        finally: out
        otherwise: {no_input: end, too_short: end, refused: end, attempts_used: end, locked: end, unavailable: end,
          none: end}
        """,
    )
    library = library_of(a=text)
    bank = bank_with(answer_after_s=0.5)
    whole = tell(Story(press("620001", "246810"), bank), library=library, flow="a")
    hears = next(step for step in whole.trace if step.step == "hear")
    told = tell(Story(press("620001", "246810"), bank, leaves_at_s=hears.at_ms / 1000 + 0.3), library=library, flow="a")
    assert [(step.step, step.outcome) for step in told.trace][-2:] == [("out", "found"), ("bye", "bye")]
    assert told.seconds == pytest.approx(hears.at_ms / 1000 + 0.8)


def test_steps_for_a_hang_up_end_after_five_seconds() -> None:
    text = flow(
        "begin: {say: [welcome, goodbye], then: end}\nend: {hang_up: done}\n"
        + "".join(f"s{n}: {{do: sign_out, then: s{n + 1}}}\n" for n in range(4))
        + "s4: {hang_up: gone}\n",
        top="finally: s0\n",
    )
    library = sound(a=text)
    told = tell(Story(leaves_at_s=0.5, slow={"sign_out": 2.0}), library=library, flow="a")
    assert (told.reason, steps(told)) == (HUNG_UP, ["s0", "s1"])
    assert told.seconds == pytest.approx(5.5)
    assert told.tasks_left == 0
