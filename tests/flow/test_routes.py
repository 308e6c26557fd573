"""By which keys callers get what they call for."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ivr_engine.flow.model import Library
from ivr_engine.flow.operations import Level
from ivr_engine.flow.routes import ANSWERS_AFTER_MS, Route, Routes, keys_of
from ivr_engine.flow.standing import Standing, decided
from ivr_engine.flow.step import Decides, Known
from ivr_engine.flow.timing import HUMAN, Task
from ivr_engine.flow.uses import OPERATIONS
from ivr_engine.simulator.line import HearOut, Press
from ivr_engine.values.language import Language
from tests.flow.calls import Story, tell
from tests.flow.world import flow, library_of, shipped

QUEUE = (
    "human: {queue: service, when: {answered: end, no_agents: end, full: end, timed_out: end}}\nend: {hang_up: done}"
)


def route(library: Library, task: Task = HUMAN, first: str = "a") -> Route:
    found = Routes(library, Language.ENGLISH).to_task(first, task)
    assert found is not None
    return found


def sound(**texts: str) -> Library:
    library = library_of(**texts)
    assert library.findings == (), "\n".join(finding.render() for finding in library.findings)
    return library


SIGNED_IN = ("(customer)", "(pin)")
TYPED = {"(customer)": "620001#", "(pin)": "246810", "(pick one)": "1", "(amount)": "100#"}


@pytest.mark.parametrize(
    ("name", "keys"),
    [
        ("sign_in", ("1", "1", *SIGNED_IN)),
        ("account", ("1", "1", *SIGNED_IN)),
        ("balance", ("1", "1", *SIGNED_IN, "(pick one)")),
        ("transaction", ("1", "2", *SIGNED_IN, "(pick one)")),
        ("transfer", ("1", "3", *SIGNED_IN, "(pick one)", "(pick one)", "(amount)", "1")),
    ],
)
def test_keys_to_what_the_bank_is_asked_in_the_shipped_hotline_lead_there_in_a_call(
    name: str, keys: tuple[str, ...]
) -> None:
    task = Task(OPERATIONS, name)
    assert route(shipped(), task, "hotline").keys == keys
    typed = [TYPED.get(key, key) for key in keys]
    if keys.count("(pick one)") == 2:  # money moves between two accounts
        typed[len(keys) - 1 - keys[::-1].index("(pick one)")] = "2"
    told = tell(Story([part for key in typed for part in (HearOut(), Press(key))]))
    there = next(n for n, done in enumerate(told.trace) if task.ends_in(shipped().flows[done.flow].steps[done.step]))
    tally = told.boundaries[there - 1].stack[0].tally
    assert (tally["no_input"], tally["no_match"]) == (0, 0)


def test_seconds_to_the_balance_are_those_of_a_caller_who_hears_everything_out() -> None:
    flows = shipped().flows
    heard = [
        flows["hotline"].steps["greet"],
        flows["library/language"].steps["offer"],
        flows["hotline"].steps["main_menu"],
        flows["library/sign_in"].steps["ask_number"],
        flows["library/sign_in"].steps["ask_pin"],
        flows["library/pick_account"].steps["pick"],
    ]
    found = route(shipped(), Task(OPERATIONS, "balance"), "hotline")
    assert found.ms == sum(step.heard_ms for step in heard) + len(found.keys) * ANSWERS_AFTER_MS


def test_keys_to_a_human_in_the_shipped_hotline_are_those_that_a_caller_would_press() -> None:
    found = route(shipped(), HUMAN, "hotline")
    assert found.keys == ("1", "0")
    assert found.presses == 2
    told = tell(Story([part for key in found.keys for part in (HearOut(), Press(key))]))
    assert ("hotline", "to_human", "answered") in told.arms
    assert told.secrets_left == 0


def test_route_with_the_fewest_keys_is_taken_even_when_it_lasts_longer() -> None:
    library = sound(
        a=flow(
            f"""
            begin: {{menu: goodbye, keys: {{1: second, 12: human}}, when: {{no_input: end, no_match: end}}}}
            second: {{say: [sign_in_locked, survey], then: third}}
            third: {{say: [sign_in_locked, survey], then: human}}
            {QUEUE.splitlines()[0]}
            {QUEUE.splitlines()[1]}
            """
        )
    )
    assert route(library).keys == ("1",)


def test_usual_time_is_prompts_heard_out_and_two_seconds_for_each_answer() -> None:
    library = sound(
        a=flow(
            f"begin: {{say: welcome, then: ask}}\n"
            f"ask: {{menu: main_menu, keys: {{0: human}}, when: {{no_input: human, no_match: human}}}}\n{QUEUE}"
        )
    )
    steps = library.flows["a"].steps
    found = route(library)
    assert found.ms == steps["begin"].heard_ms + steps["ask"].heard_ms + ANSWERS_AFTER_MS
    assert found.odd == 0


def test_silence_is_a_route_only_when_there_is_no_key() -> None:
    menu = "begin: {menu: main_menu, keys: {1: end}, when: {no_input: human, no_match: end}}"
    found = route(sound(a=flow(f"{menu}\n{QUEUE}")))
    assert (found.odd, found.keys) == (1, ())
    assert str(found) == "no key"


def test_way_that_only_a_signed_in_caller_can_go_is_open_after_the_sign_in() -> None:
    library = sound(
        a=flow(
            f"""
            begin: {{menu: main_menu, keys: {{1: known}}, when: {{no_input: end, no_match: end}}}}
            known: {{if: signed_in, then: human, else: number}}
            number: {{collect: customer, prompt: enter_customer_number, length: 6, then: pin, when: {{no_input: end,
              too_short: end}}}}
            pin: {{secret: pin, prompt: enter_pin, length: 6, then: check, when: {{no_input: end, too_short: end}}}}
            check: {{do: sign_in, with: {{customer: customer, pin: pin}}, when: {{signed_in: begin, refused: end,
              attempts_used: end, locked: end, unavailable: end}}}}
            {QUEUE.splitlines()[0]}
            {QUEUE.splitlines()[1]}
            """,
            top="variables: {customer: personal digits, pin: secret}\n",
        )
    )
    assert route(library).keys == ("1", "(customer)", "(pin)", "1")


def test_choice_that_was_made_decides_later_which_way_is_open() -> None:
    library = sound(
        a=flow(
            f"""
            begin: {{menu: main_menu, keys: {{1: one, 2: two}}, when: {{no_input: end, no_match: end}}}}
            one: {{set: {{wanted: balance, count: 1}}, then: which}}
            two: {{set: {{wanted: other}}, then: which}}
            which: {{if: wanted = other, then: human, else: end}}
            {QUEUE.splitlines()[0]}
            {QUEUE.splitlines()[1]}
            """,
            top="variables: {wanted: 'one of (balance, other)', count: number}\n",
        )
    )
    assert route(library).keys == ("2",)


def test_counter_leaves_both_ways_open_and_there_is_an_end() -> None:
    library = sound(
        a=flow(
            f"""
            begin: {{set: {{count: 1}}, then: more}}
            more: {{set: {{count: count + 1}}, then: enough}}
            enough: {{if: count > 1000, then: human, else: more}}
            {QUEUE.splitlines()[0]}
            {QUEUE.splitlines()[1]}
            """,
            top="variables: {count: number}\n",
        )
    )
    assert route(library) == Route()


@pytest.mark.parametrize("part", ["few", "many"])
def test_nobody_can_say_to_which_part_of_a_split_a_caller_belongs(part: str) -> None:
    ways = {"few": "end", "many": "end", part: "human"}
    split = f"begin: {{split: {{few: 1, many: 99}}, when: {{few: {ways['few']}, many: {ways['many']}}}}}"
    assert route(sound(a=flow(f"{split}\n{QUEUE}"))) == Route()


def test_step_that_reads_what_is_not_known_leaves_every_way_open() -> None:
    steps = "begin: {switch: wanted, when: {balance: end, other: end}}\nend: {hang_up: done}"
    made = library_of(a=flow(steps, top="variables: {wanted: 'one of (balance, other)'}\n")).flows["a"]
    step = made.steps["begin"]
    nobody = Standing(Level.NOBODY, Language.ENGLISH)
    assert decided(step, nobody, made.variables) is None
    known = replace(nobody, known=frozenset({("wanted", "other")}))
    assert decided(step, known, made.variables) == ("other", known)


@pytest.mark.parametrize("error", [TypeError, AttributeError, KeyError])
def test_bug_of_a_step_that_decides_is_not_taken_for_something_unknown(error: type[Exception]) -> None:
    def broken(known: Known) -> str:
        raise error(known.language)

    step = sound(a=flow("begin: {language: en, then: end}\nend: {hang_up: done}")).flows["a"].steps["begin"]
    with pytest.raises(error):
        decided(replace(step, action=Decides(broken)), Standing(Level.NOBODY, Language.ENGLISH), {})


def test_language_that_was_chosen_in_a_flow_that_was_run_holds_afterwards() -> None:
    library = sound(
        a=flow(
            f"begin: {{run: b, when: {{good: which}}}}\nwhich: {{if: language = yue, then: human, else: end}}\n{QUEUE}"
        ),
        b=flow(
            """
            begin: {menu: main_menu, keys: {1: one, 2: two}, when: {no_input: good, no_match: good}}
            one: {language: cmn, then: good}
            two: {language: yue, then: good}
            good: {return: good}
            """,
            top="outcomes: [good]\n",
        ),
    )
    assert route(library).keys == ("2",)


def test_task_that_cannot_be_reached_has_no_route() -> None:
    library = sound(a=flow("begin: {hang_up: done}"))
    assert Routes(library, Language.ENGLISH).to_task("a", HUMAN) is None


def test_what_is_typed_is_named_and_what_is_pressed_is_shown() -> None:
    steps = shipped().flows["library/sign_in"].steps
    assert keys_of(steps["ask_pin"].ways[0]) == "(pin)"
    assert keys_of(shipped().flows["hotline"].steps["main_menu"].ways[0]) == "1"


@pytest.mark.parametrize("name", shipped().flows)
def test_only_steps_that_do_nothing_but_decide_are_asked_themselves(name: str) -> None:
    made = shipped().flows[name]
    standing = Standing(Level.NOBODY, Language.ENGLISH)
    for step in made.steps.values():
        if step.asks or step.rescues or step.runs or step.heard_ms or not step.ways:
            assert decided(step, standing, made.variables) is None


def test_route_goes_on_in_the_flow_to_which_the_call_is_handed_over() -> None:
    library = sound(
        a=flow("begin: {menu: main_menu, keys: {7: go}, when: {no_input: go, no_match: go}}\ngo: {hand_over: b}"),
        b=flow(
            f"begin: {{menu: main_menu, keys: {{8: human, 9: begin_again}}, when: {{no_input: end, no_match: end}}}}\n"
            f"begin_again: {{hand_over: a}}\n{QUEUE}"
        ),
    )
    assert route(library).keys == ("7", "8")
    assert route(library, first="b").keys == ("8",)


def test_route_goes_on_where_a_flow_that_is_run_hands_the_call_over_instead_of_coming_back() -> None:
    library = sound(
        a=flow(
            "begin: {run: b, when: {good: end}}\nother: {run: c, when: {good: begin}}\nend: {hang_up: done}"
        ).replace("start: begin", "start: other"),
        b=flow(
            "begin: {menu: main_menu, keys: {1: good, 2: leave}, when: {no_input: good, no_match: good}}\n"
            "leave: {hand_over: d}\ngood: {return: good}",
            top="outcomes: [good]\n",
        ),
        c=flow("begin: {return: good}", top="outcomes: [good]\n"),
        d=flow(f"begin: {{menu: main_menu, keys: {{3: human}}, when: {{no_input: end, no_match: end}}}}\n{QUEUE}"),
    )
    assert route(library).keys == ("2", "3")


REPEATED = flow(
    f"begin: {{run: b, for: round, times: 3, while: more, when: {{more: human, enough: end}}}}\n{QUEUE}",
)
ROUND = flow(
    """
    begin: {menu: main_menu, keys: {4: more, 5: enough}, when: {no_input: enough, no_match: enough}}
    more: {return: more}
    enough: {return: enough}
    """,
    top="outcomes: [more, enough]\ninputs: {round: number}\n",
)


def test_flow_that_is_run_again_is_gone_through_as_often_as_it_runs_before_its_step_ends() -> None:
    assert route(sound(a=REPEATED, b=ROUND)).keys == ("4", "4", "4")
    early = REPEATED.replace("{more: human, enough: end}", "{more: end, enough: human}")
    assert route(sound(a=early, b=ROUND)).keys == ("5",)


def test_key_that_works_everywhere_is_a_route_from_every_question() -> None:
    library = sound(
        a=flow(
            f"begin: {{menu: main_menu, keys: {{1: end}}, when: {{no_input: end, no_match: end}}}}\n{QUEUE}",
            top="everywhere: {0: human}\n",
        )
    )
    assert route(library).keys == ("0",)


def test_budget_that_is_used_up_is_no_route() -> None:
    steps = f"begin: {{menu: main_menu, keys: {{1: end}}, when: {{no_input: end, no_match: end}}}}\n{QUEUE}"
    library = sound(a=flow(steps, top="budget: {steps: 100}\notherwise: {budget_exceeded: human}\n"))
    assert Routes(library, Language.ENGLISH).to_task("a", HUMAN) is None
