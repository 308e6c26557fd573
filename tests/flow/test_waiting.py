"""A flow that runs while its caller waits for a human: when it runs, what ends it, and what is left of it."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ivr_engine.flow.impact import impacts
from ivr_engine.flow.model import Library
from ivr_engine.scenarios.model import Busy
from ivr_engine.simulator.line import Deed, HearOut, Press
from tests.flow.calls import HUNG_UP, Story, Told, tell
from tests.flow.test_hotline import press
from tests.flow.world import findings_of, flow, library_of, proved_library_of, world

PATIENT: Final = flow(
    """
    begin:
      queue: service
      meanwhile: waiting
      every: 10 s
      most: 2 min
      when: {answered: served, left_by_key: left, no_agents: end, full: end, timed_out: late}
    served: {menu: main_menu, keys: {1: one, 2: two, 0: begin}, tries: 1, when: {no_input: nothing, no_match: nothing}}
    one: {hang_up: one}
    two: {hang_up: two}
    nothing: {hang_up: served}
    left: {menu: main_menu, keys: {1: one, 2: two, 0: begin}, tries: 1, when: {no_input: gone, no_match: gone}}
    gone: {hang_up: left}
    late: {hang_up: late}
    end: {hang_up: completed}
    """
)
MEANWHILE: Final = flow(
    """
    begin:
      menu: please_wait
      keys: {1: speak, 2: number, 3: pin, 9: leave}
      tries: 1
      first_key: 2 s
      when: {no_input: back, no_match: back}
    speak: {say: [main_menu, main_menu, main_menu], then: back}
    number:
      {collect: digits, prompt: please_wait, length: 4 to 8, tries: 1, first_key: 30 s, between_keys: 30 s, then: back,
      when: {no_input: back, too_short: back}}
    pin: {secret: pin, prompt: please_wait, length: 6, tries: 1, then: check, when: {no_input: back, too_short: back}}
    check:
      do: sign_in
      with: {customer: "'620001'", pin: pin}
      when: {signed_in: ask, refused: back, attempts_used: back, locked: back, unavailable: back}
    ask: {do: profile, when: {found: back, age_unknown: back, none: back, unavailable: back}}
    back: {return: wait_on}
    leave: {return: left_by_key}
    """,
    top="""
    outcomes: [wait_on, left_by_key]
    variables: {digits: digits, pin: secret}
    """,
)
PROMPT_S: Final = 1.0
ROUND_S: Final = PROMPT_S + 2 + 10
"""The question with its silence, and the music: after so long it is asked again."""


def library() -> Library:
    built = proved_library_of(a=PATIENT, waiting=MEANWHILE)
    assert built.findings == (), "\n".join(finding.render() for finding in built.findings)
    return built


def wait(*keys: str, free_after_s: float, **story: object) -> Told:
    """Return a call whose caller presses each of these at the next question, until an agent is free."""
    return wait_doing(press(*keys), free_after_s, **story)


def wait_doing(deeds: Sequence[Deed], free_after_s: float, **story: object) -> Told:
    story = {"agents": Busy(round(free_after_s * 1000)), **story}
    told = tell(Story(deeds, **story), library=library(), flow="a")  # type: ignore[arg-type]  # fields of a story
    assert (told.secrets_left, told.tasks_left) == (0, 0)
    return told


def steps(told: Told, name: str) -> list[tuple[str, float]]:
    """Return how a step ended each time, and at which second of the call."""
    return [(done.outcome, (done.at_ms + done.took_ms) / 1000) for done in told.trace if done.step == name]


def test_flow_runs_at_once_and_again_after_each_pause_until_an_agent_is_free() -> None:
    told = wait(free_after_s=30)
    asked_at = [done.at_ms / 1000 for done in told.trace if (done.flow, done.step) == ("waiting", "begin")]
    assert asked_at == [0, ROUND_S, 2 * ROUND_S]
    assert [done.at_ms / 1000 for done in told.trace if done.outcome == "answered"] == [30 - 1]
    assert told.reason == "served"


def test_agent_who_is_free_at_once_is_not_kept_waiting_by_the_flow() -> None:
    told = wait(free_after_s=0)
    assert [done.step for done in told.trace][:1] == ["begin"]
    assert told.seconds < 61 + PROMPT_S + 6.1


def test_agent_cuts_a_prompt() -> None:
    told = wait("1", free_after_s=2.5)
    assert steps(told, "speak") == [("interrupted", 2.5)]
    assert [heard.complete for heard in told.heard if heard.prompt == "en/main_menu"][:3] == [True, False, True]
    assert told.reason == "served"


def test_agent_cuts_a_question_and_the_music() -> None:
    for free_after_s, ended in ((2.5, ("interrupted", 2.5)), (7.0, ("no_input", 3.0))):
        told = wait(free_after_s=free_after_s)
        (first, *_) = [step for step in told.trace if step.flow == "waiting"]
        assert (first.outcome, (first.at_ms + first.took_ms) / 1000) == ended
        assert steps(told, "begin")[-1][0] == "answered"
        assert told.seconds == pytest.approx(free_after_s + 60 + PROMPT_S + 6)


def test_half_of_a_number_is_dropped_and_chooses_nothing_afterwards() -> None:
    told = wait("2", "12", free_after_s=20)
    assert steps(told, "number") == [("interrupted", 20.0)]
    assert told.reason == "served", "neither 1 nor 2 was taken by the menu that followed"


def test_pin_that_nobody_has_begun_to_type_is_given_up() -> None:
    told = wait("3", free_after_s=6)
    assert steps(told, "pin") == [("interrupted", 6.0)]


def test_pin_that_is_being_typed_is_finished_first_and_overwritten() -> None:
    told = wait_doing([*press("3"), HearOut(), Press("246810", every_ms=2000)], 8)
    ((outcome, at_s),) = steps(told, "pin")
    assert (outcome, at_s > 8) == ("collected", True)
    assert "check" not in [done.step for done in told.trace], "whoever has typed a PIN is called away before it is used"
    assert steps(told, "begin")[-1][0] == "answered"
    assert PIN_HEARD_BY_AGENT not in str(told.variables)


PIN_HEARD_BY_AGENT: Final = "246810"


def test_sign_in_that_is_asked_for_is_finished_first() -> None:
    told = wait("3", "246810", free_after_s=4, slow={"sign_in": 3.0})
    ((outcome, at_s),) = steps(told, "check")
    assert (outcome, at_s > 4) == ("signed_in", True)
    assert "ask" not in [done.step for done in told.trace]


def test_question_to_the_bank_that_changes_nothing_is_broken_off() -> None:
    told = wait("3", "246810", free_after_s=4, slow={"profile": 3.5})
    assert steps(told, "ask") == [("interrupted", 4.0)]


@pytest.mark.parametrize("keys", [(), ("1",), ("2", "12"), ("3",)])
def test_longest_wait_goes_on_counting_and_ends_whatever_runs_meanwhile(keys: tuple[str, ...]) -> None:
    told = wait(*keys, free_after_s=500)
    assert told.reason == "late"
    assert told.seconds == pytest.approx(120, abs=0.01)


def test_longest_wait_of_the_queue_itself_ends_a_prompt() -> None:
    host = PATIENT.replace("    most: 2 min\n", "").replace("every: 10 s", "every: 1 s")
    speaking = MEANWHILE.replace("no_input: back, no_match: back", "no_input: speak, no_match: back", 1)
    told = tell(Story(agents=Busy(1_000_000)), library=library_of(a=host, waiting=speaking), flow="a")
    assert told.reason == "late"
    assert told.seconds == pytest.approx(900, abs=0.01)
    outcome, at_s = steps(told, "speak")[-1]
    assert (outcome, round(at_s)) == ("interrupted", 900)


def test_other_outcome_leaves_the_queue_and_keys_typed_ahead_answer_what_follows() -> None:
    told = wait_doing([HearOut(), Press("92")], 60)
    assert told.reason == "two"
    assert [done.outcome for done in told.trace if (done.flow, done.step) == ("a", "begin")] == [
        "entered",
        "left_by_key",
    ]


def test_key_in_the_music_ends_it_and_is_taken_by_the_flow() -> None:
    told = wait_doing([Press("9", after_ms=5000)], 60)
    assert told.reason == "left"
    assert steps(told, "leave") == [("left_by_key", 5.0)]


def test_what_happens_while_waiting_uses_up_no_budget_but_changes_are_kept() -> None:
    host = PATIENT.replace("start: begin\n", "start: begin\nbudget: {steps: 10, wrong_entries: 2}\n")
    told = tell(Story(agents=Busy(110_000)), library=library_of(a=host, waiting=MEANWHILE), flow="a")
    assert len(told.trace) > 20
    assert told.reason == "served"
    assert (told.tally.steps, told.tally.no_input) == (3, 1), "the queue, the menu afterwards, the end"


def test_call_stands_at_the_queue_step_whatever_runs_meanwhile_and_goes_on_there() -> None:
    whole = wait("1", free_after_s=40)
    inside = [at for at, done in enumerate(whole.trace) if done.flow == "waiting"]
    assert len(inside) > 4
    for at in inside:
        (entry,) = whole.boundaries[at].stack
        assert (entry.flow, entry.step, entry.tally["steps"]) == ("a", "begin", 1)
    again = tell(Story(agents=Busy(5000)), library=library(), go_on_from=whole.boundaries[inside[1]])
    assert [(done.flow, done.step, done.outcome) for done in again.trace][:2] == [
        ("a", "begin", "entered"),
        ("waiting", "begin", "no_input"),
    ]
    assert again.reason == "served"


def test_flow_that_the_in_queue_flow_runs_is_cut_as_well() -> None:
    inner = flow(
        "begin: {say: [main_menu, main_menu, main_menu], then: back}\nback: {return: done}", top="outcomes: [done]\n"
    )
    outer = flow(
        "begin: {run: inner, when: {done: back}}\nback: {return: wait_on}", top="outcomes: [wait_on, left_by_key]\n"
    )
    told = tell(Story(agents=Busy(2500)), library=library_of(a=PATIENT, waiting=outer, inner=inner), flow="a")
    assert [(done.flow, done.outcome) for done in told.trace][:4] == [
        ("a", "entered"),
        ("waiting", "entered"),
        ("inner", "interrupted"),
        ("a", "answered"),
    ]


@settings(max_examples=60)
@given(
    at_s=st.floats(0, 40),
    keys=st.lists(st.sampled_from(["1", "2", "3", "12", "246810", "9"]), max_size=3),
    free_s=st.floats(1, 60),
)
def test_hang_up_at_any_moment_leaves_nothing_behind(at_s: float, keys: list[str], free_s: float) -> None:
    told = wait(*keys, free_after_s=free_s, leaves_at_s=at_s)
    assert told.reason in (HUNG_UP, "left", "one", "two", "served")


def test_steps_for_a_hang_up_are_run_after_one_in_the_in_queue_flow() -> None:
    host = PATIENT.replace("start: begin\n", "start: begin\nfinally: note\nvariables: {n: number}\n")
    host += "  note: {set: {n: 1}, then: gone}\n  gone: {hang_up: gone}\n"
    told = tell(Story(agents=Busy(60_000), leaves_at_s=2.5), library=library_of(a=host, waiting=MEANWHILE), flow="a")
    assert told.reason == HUNG_UP
    assert [done.step for done in told.trace][-2:] == ["note", "gone"]


QUESTIONS: Final = flow(
    """
    begin: {do: queue_state, with: {queue: service}, into: {waiting: waiting, staffed: staffed, minutes: minutes},
            when: {known: say_known, wait_unknown: say_unknown}}
    say_known: {say: [{number: waiting}, {ordinal: minutes}], then: end}
    say_unknown: {if: staffed, then: end, else: nobody}
    end: {hang_up: completed}
    nobody: {hang_up: nobody}
    """,
    top="variables: {waiting: number, staffed: yes_no, minutes: number}\n",
)


def test_state_of_a_queue_is_told_with_minutes_only_where_they_are_known() -> None:
    questions = library_of(a=QUESTIONS)
    assert questions.findings == ()
    known = tell(Story(agents=Busy(60_000, 2, 150_000)), library=questions, flow="a")
    assert known.words == ["en/number_2", "en/ordinal_8"], "3 x 150 s, rounded up"
    unknown = tell(Story(agents=Busy(60_000, 2)), library=questions, flow="a")
    assert unknown.trace[0].outcome == "wait_unknown"
    assert unknown.reason == "completed"


def test_place_in_a_queue_is_that_of_the_caller_who_waits() -> None:
    place = flow(
        """
        begin: {do: place_in_queue, into: {position: position, minutes: minutes},
                when: {known: say, wait_unknown: say_only}}
        say: {say: [{ordinal: position}, {number: minutes}], then: back}
        say_only: {say: {ordinal: position}, then: back}
        back: {return: wait_on}
        """,
        top="outcomes: [wait_on, left_by_key]\nvariables: {position: number, minutes: number}\n",
    )
    flows = library_of(a=PATIENT, waiting=place)
    assert flows.findings == ()
    told = tell(Story(agents=Busy(5000, 2)), library=flows, flow="a")
    assert told.words[0] == "en/ordinal_3"
    told = tell(Story(agents=Busy(5000, 2, 60_000)), library=flows, flow="a")
    assert told.words[:2] == ["en/ordinal_3", "en/number_3"]


def test_priority_may_follow_from_what_is_known_and_stays_within_its_bounds() -> None:
    asks = "queue: service, when: {answered: end, no_agents: end, full: end, timed_out: end}"
    good = flow(f"begin: {{priority: n + 1, {asks}}}\nend: {{hang_up: completed}}", top="inputs: {n: number}\n")
    assert [finding.code for finding in findings_of(good)] == []
    wrong = findings_of(flow(f"begin: {{priority: 10, {asks}}}\nend: {{hang_up: completed}}"))
    assert [finding.code for finding in wrong] == ["E112"]


def test_story_of_a_caller_who_waits_can_be_told_twice_alike() -> None:
    first, second = (wait("1", "2", "12", free_after_s=33.3) for _ in range(2))
    assert dataclasses.astuple(first)[:3] == dataclasses.astuple(second)[:3]


def test_queue_that_is_asked_about_is_one_that_the_flow_uses() -> None:
    (impact,) = impacts(library_of(a=QUESTIONS, b=PATIENT, waiting=MEANWHILE), world(), "service")
    assert [(use.flow, use.step, use.word) for use in impact.used_by] == [("a", "begin", "do"), ("b", "begin", "queue")]


def test_skill_that_is_asked_for_is_one_that_the_flow_uses() -> None:
    asks = PATIENT.replace("queue: service\n", "queue: service\n    skills: [en, credit_cards]\n")
    used = library_of(a=asks, waiting=MEANWHILE)
    assert used.findings == ()
    (impact,) = impacts(used, world(), "credit_cards")
    assert [(use.step, impact.sort) for use in impact.used_by] == [("begin", "skills")]
