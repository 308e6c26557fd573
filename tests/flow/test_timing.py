"""The longest way to a human: found whatever circles there are, and never longer than a call can be."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence

from hypothesis import given
from hypothesis import strategies as st

from ivr_engine.flow.model import Library
from ivr_engine.flow.timing import HUMAN, Task, Timing, circles, longest_way, tasks_of
from ivr_engine.flow.uses import OPERATIONS
from tests.flow.world import flow, library_of, shipped

NAMES = "abcdef"
GRAPHS = st.dictionaries(
    st.sampled_from(NAMES), st.dictionaries(st.sampled_from(NAMES), st.integers(0, 90), max_size=5), max_size=6
)


def by_hand(edges: Mapping[str, Sequence[tuple[str, int]]], goals: Mapping[str, int]) -> int | None:
    """Return the longest time by trying every order of steps."""
    found = []
    for length in range(len(NAMES)):
        for middle in itertools.permutations(NAMES[1:], length):
            way = ("a", *middle)
            legs = [dict(edges[here]).get(there) for here, there in itertools.pairwise(way)]
            if way[-1] in goals and None not in legs:
                found.append(sum(leg or 0 for leg in legs) + goals[way[-1]])
    return max(found, default=None)


@given(GRAPHS, st.dictionaries(st.sampled_from(NAMES), st.integers(0, 50), max_size=3))
def test_longest_way_is_what_trying_every_way_gives(
    written: Mapping[str, Mapping[str, int]], goals: Mapping[str, int]
) -> None:
    edges = {name: list(written.get(name, {}).items()) for name in NAMES}
    found = longest_way(edges, "a", goals)
    assert (found.ms if found is not None else None) == by_hand(edges, goals)
    if found is not None:
        assert found.exact
        assert len(set(found.steps)) == len(found.steps)
        legs = [dict(edges[here])[there] for here, there in itertools.pairwise(found.steps)]
        assert found.at_ms == tuple(itertools.accumulate(legs, initial=0))
        assert found.ms == found.at_ms[-1] + goals[found.steps[-1]]


@given(GRAPHS)
def test_steps_that_lead_to_each_other_are_in_one_circle(written: Mapping[str, Mapping[str, int]]) -> None:
    edges = {name: list(written.get(name, {})) for name in NAMES}
    reached = {name: {name} for name in NAMES}
    for _ in NAMES:
        for name in NAMES:
            reached[name] |= {one for there in edges[name] for one in reached[there]}
    number = circles(edges)
    for one, other in itertools.product(NAMES, NAMES):
        assert (number[one] == number[other]) == (other in reached[one] and one in reached[other])
        if other in reached[one]:
            assert number[one] >= number[other]


def test_too_many_ways_are_not_all_tried_and_the_answer_says_so() -> None:
    names = [f"s{number}" for number in range(40)]
    edges = {name: [(other, 1 + (3 * i + 7 * j) % 11) for j, other in enumerate(names)] for i, name in enumerate(names)}
    found = longest_way(edges, "s0", {"s39": 0})
    assert found is not None
    assert not found.exact
    assert found.ms > 100


def test_longest_way_goes_through_flows_that_are_run_and_ends_with_the_first_human() -> None:
    library = library_of(
        a=flow(
            """
            begin: {run: b, when: {good: human, bad: end}}
            human: {queue: service, when: {answered: more, no_agents: more, full: more, timed_out: more}}
            more: {say: welcome, then: again}
            again: {queue: service, when: {answered: end, no_agents: end, full: end, timed_out: end}}
            end: {hang_up: done}
            """
        ),
        b=flow(
            """
            begin: {menu: main_menu, keys: {1: wait, 2: bad}, when: {no_input: bad, no_match: bad}}
            wait: {say: welcome, then: good}
            good: {return: good}
            bad: {return: bad}
            """,
            top="outcomes: [good, bad]\n",
        ),
    )
    assert library.findings == ()
    inside = library.flows["b"].steps
    found = Timing(library).to_task("a", HUMAN)
    assert found is not None
    assert found.steps == ("begin", "human")
    assert found.ms == inside["begin"].longest_ms + inside["wait"].longest_ms


def test_human_within_a_flow_that_is_run_is_reached_in_the_step_that_runs_it() -> None:
    library = library_of(
        a=flow("begin: {say: welcome, then: go}\ngo: {run: b, when: {good: end}}\nend: {hang_up: done}"),
        b=flow(
            """
            begin: {say: welcome, then: human}
            human: {queue: service, when: {answered: end, no_agents: end, full: end, timed_out: end}}
            end: {return: good}
            """,
            top="outcomes: [good]\n",
        ),
    )
    assert library.findings == ()
    found = Timing(library).to_task("a", HUMAN)
    assert found is not None
    assert found.steps == ("begin", "go")
    assert found.ms == 2 * library.flows["a"].steps["begin"].longest_ms


def test_tasks_of_the_shipped_hotline_are_a_human_and_what_the_bank_is_asked() -> None:
    names = [
        *("account", "balance", "exchange_rate", "interest_rate", "sign_in", "statement", "transaction", "transfer"),
    ]
    assert tasks_of(shipped(), "hotline") == (HUMAN, *(Task(OPERATIONS, name) for name in names))
    assert all(Timing(shipped()).to_task("hotline", task) is not None for task in tasks_of(shipped(), "hotline"))


QUEUE = (
    "human: {queue: service, when: {answered: end, no_agents: end, full: end, timed_out: end}}\nend: {hang_up: done}"
)


def sound(**texts: str) -> Library:
    library = library_of(**texts)
    assert library.findings == (), "\n".join(finding.render() for finding in library.findings)
    return library


def longest_ms(library: Library, flow_name: str) -> int:
    found = Timing(library).to_task(flow_name, HUMAN)
    assert found is not None
    assert found.exact
    return found.ms


def test_flow_that_is_run_again_takes_its_time_each_time() -> None:
    called = flow(
        """
        begin: {menu: main_menu, keys: {4: more, 5: enough}, when: {no_input: enough, no_match: enough}}
        more: {say: welcome, then: say_more}
        say_more: {return: more}
        enough: {return: enough}
        """,
        top="outcomes: [more, enough]\n",
    )
    begin = "begin: {run: b, times: 3, while: more, when: {more: human, enough: end}}\n"
    library = sound(a=flow(begin + QUEUE), b=called)
    steps = library.flows["b"].steps
    round_ms = steps["begin"].longest_ms + steps["more"].longest_ms
    assert longest_ms(library, "a") == 3 * round_ms
    early = sound(a=flow(begin.replace("{more: human, enough: end}", "{more: end, enough: human}") + QUEUE), b=called)
    assert longest_ms(early, "a") == 2 * round_ms + steps["begin"].longest_ms


def test_human_in_a_flow_that_is_run_again_is_met_in_the_last_run_at_the_latest() -> None:
    called = flow(
        f"begin: {{menu: main_menu, keys: {{0: human}}, when: {{no_input: more, no_match: more}}}}\n"
        f"{QUEUE}\nmore: {{return: more}}",
        top="outcomes: [more]\n",
    )
    library = sound(a=flow("begin: {run: b, times: 4, while: more, when: {more: end}}\nend: {hang_up: done}"), b=called)
    assert longest_ms(library, "a") == 4 * library.flows["b"].steps["begin"].longest_ms


def test_longest_way_goes_on_after_handing_over_and_enters_no_flow_twice() -> None:
    library = sound(
        a=flow(
            f"begin: {{menu: main_menu, keys: {{7: go, 0: human}}, when: {{no_input: go, no_match: go}}}}\n"
            f"go: {{hand_over: b}}\n{QUEUE}"
        ),
        b=flow(
            f"begin: {{menu: main_menu, keys: {{8: human, 9: begin_again}}, when: {{no_input: wait, no_match: end}}}}\n"
            f"wait: {{say: welcome, then: human}}\nbegin_again: {{hand_over: a}}\n{QUEUE}"
        ),
    )
    first, second = library.flows["a"].steps, library.flows["b"].steps
    assert longest_ms(library, "a") == sum(
        step.longest_ms for step in (first["begin"], second["begin"], second["wait"])
    )
    both_ms = first["begin"].longest_ms + second["begin"].longest_ms
    assert longest_ms(library, "b") == both_ms
    assert both_ms > second["begin"].longest_ms + second["wait"].longest_ms


def test_tasks_of_flows_that_are_handed_over_to_are_tasks_too() -> None:
    library = sound(a=flow("begin: {hand_over: b}"), b=flow(f"begin: {{say: welcome, then: human}}\n{QUEUE}"))
    assert tasks_of(library, "a") == (HUMAN,)


def test_flows_that_all_hand_over_to_each_other_are_not_all_tried_and_the_answer_says_so() -> None:
    names = [f"f{number}" for number in range(14)]
    others = {name: [other for other in names if other != name] for name in names}
    texts = {
        name: flow(
            "\n".join(
                [
                    f"s{number}: {{if: signed_in, then: go{number}, else: s{number + 1}}}\n"
                    f"go{number}: {{hand_over: {other}}}"
                    for number, other in enumerate(others[name])
                ]
                + [f"s{len(others[name])}: {{say: welcome, then: human}}", QUEUE]
            ),
            start="s0",
        )
        for name in names
    }
    found = Timing(library_of(**texts)).to_task("f0", HUMAN)
    assert found is not None
    assert not found.exact
