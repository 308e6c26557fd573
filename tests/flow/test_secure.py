"""What is proved of a flow that an agent can ask for in the talk: it is entered, and left, at every level there is."""

from __future__ import annotations

import pytest

from ivr_engine.flow.impact import impacts
from ivr_engine.flow.operations import Level
from ivr_engine.flow.proof.exploring import Explorer
from ivr_engine.flow.uses import FLOWS
from ivr_engine.scenarios.model import Busy
from ivr_engine.simulator.line import Press
from tests.flow.calls import Story, tell
from tests.flow.test_hotline import press
from tests.flow.world import flow, library_of, proved_library_of, shipped, world

TALK = flow(
    """
    begin:
      queue: service
      secure: secure
      when: {answered: after, no_agents: end, full: end, timed_out: end}
    after: {if: signed_in, then: profile, else: end}
    profile: {do: profile, when: {found: end, age_unknown: end, none: end, unavailable: end}}
    end: {hang_up: completed}
    """
)
SECURE = flow(
    """
    begin: {secret: pin, prompt: enter_pin, length: 6, then: check, when: {no_input: failed, too_short: failed}}
    check:
      do: sign_in
      with: {customer: "'620001'", pin: pin}
      when: {signed_in: good, refused: failed, attempts_used: failed, locked: failed, unavailable: failed}
    good: {return: done}
    failed: {return: not_done}
    """,
    top="outcomes: [done, not_done]\nvariables: {pin: secret}\n",
)


def codes(**texts: str) -> list[str]:
    return [finding.code for finding in proved_library_of(**texts).findings]


def test_flow_that_an_agent_asks_for_is_sound_with_the_queue_that_allows_it() -> None:
    assert codes(a=TALK, secure=SECURE) == []


def test_what_needs_a_sign_in_is_not_asked_in_it_before_one() -> None:
    assert codes(
        a=TALK,
        secure=SECURE.replace(
            "begin: {secret",
            "begin: {do: profile, when: {found: ask, age_unknown: ask, none: ask, unavailable: ask}}\n  ask: {secret",
            1,
        ),
    ) == ["E801"]


def test_sign_in_that_was_made_in_it_need_not_have_been_made_when_the_agent_has_left() -> None:
    needs = TALK.replace("if: signed_in, then: profile, else: end", "say: please_wait, then: profile")
    assert codes(a=needs, secure=SECURE) == ["E801"], "the agent need not have asked for it"


def test_sign_out_that_was_made_in_it_counts_afterwards() -> None:
    signed_in = flow(
        """
        begin: {run: secure, when: {done: talk, not_done: end}}
        talk:
          queue: service
          secure: leaves
          when: {answered: profile, no_agents: end, full: end, timed_out: end}
        profile: {do: profile, when: {found: end, age_unknown: end, none: end, unavailable: end}}
        end: {hang_up: completed}
        """
    )
    nothing = flow("begin: {say: please_wait, then: back}\nback: {return: done}", top="outcomes: [done]\n")
    out = nothing.replace("then: back}", "then: out}\n  out: {do: sign_out, then: back}", 1)
    assert "E801" not in codes(a=signed_in, secure=SECURE, leaves=nothing)
    assert "E801" in codes(a=signed_in, secure=SECURE, leaves=out)


def test_nothing_personal_is_said_in_it_before_a_sign_in() -> None:
    says = flow(
        """
        begin: {collect: number, prompt: enter_customer_number, length: 6 to 10, then: says,
                when: {no_input: back, too_short: back}}
        says: {say: {digits: number}, then: back}
        back: {return: done}
        """,
        top="outcomes: [done]\nvariables: {number: personal digits}\n",
    )
    assert codes(a=TALK, secure=says) == ["E802"]


def test_agent_may_ask_at_every_level_that_the_caller_can_have_reached_meanwhile() -> None:
    """Who has signed in while waiting is signed in when the agent asks, and who has not is not."""
    waits = TALK.replace("secure: secure", "secure: profiles\n    meanwhile: secure").replace(
        "answered: after", "answered: after, not_done: end"
    )
    profiles = flow(
        "begin: {do: profile, when: {found: back, age_unknown: back, none: back, unavailable: back}}\n"
        "back: {return: done}",
        top="outcomes: [done]\n",
    )
    assert codes(a=waits, secure=SECURE, profiles=profiles) == ["E801"]
    asks_first = profiles.replace("begin: {do", "begin: {if: signed_in, then: ask, else: back}\n  ask: {do", 1)
    assert codes(a=waits, secure=SECURE, profiles=asks_first) == []


def test_agent_may_ask_who_was_called_away_from_where_they_were_signed_in_only_for_a_while() -> None:
    waits = TALK.replace("secure: secure", "secure: asks\n    meanwhile: meanwhile")
    meanwhile = (
        SECURE.replace("good: {return: done}", "good: {do: sign_out, then: out}\n  out: {return: done}")
        .replace("failed: {return: not_done}", "failed: {return: done}")
        .replace("outcomes: [done, not_done]", "outcomes: [done]")
    )
    asks = flow("begin: {say: please_wait, then: back}\nback: {return: done}", top="outcomes: [done]\n")
    library = proved_library_of(a=waits, meanwhile=meanwhile, asks=asks)
    assert library.findings == ()
    entered = {level for name, level in Explorer(library.flows, "a").visits if name == "asks"}
    assert entered == {Level.NOBODY, Level.SIGNED_IN}


def test_flows_that_run_each_other_by_it_are_a_circle() -> None:
    circle = flow("begin: {run: a, when: {done: back}}\nback: {return: done}", top="outcomes: [done]\n")
    host = TALK.replace("start: begin\n", "start: begin\noutcomes: [done]\n").replace(
        "end: {hang_up: completed}", "end: {return: done}"
    )
    assert "E602" in codes(a=host, secure=circle)


def test_silence_in_it_is_a_finding() -> None:
    quiet = flow(
        "begin: {do: profile, when: {found: again, age_unknown: again, none: again, unavailable: again}}\n"
        "again: {do: profile, when: {found: three, age_unknown: three, none: three, unavailable: three}}\n"
        "three: {do: profile, when: {found: back, age_unknown: back, none: back, unavailable: back}}\n"
        "back: {return: done}",
        top="outcomes: [done]\n",
    )
    signed = SECURE.replace("good: {return: done}", "good: {run: quiet, when: {done: back}}\n  back: {return: done}")
    assert "E806" in codes(a=TALK, secure=signed, quiet=quiet)


@pytest.mark.parametrize(("keys", "told", "sure"), [("246810", "secure_done", "yes"), ("", "secure_not_done", "no")])
def test_caller_goes_through_it_once_and_back_to_the_agent(keys: str, told: str, sure: str) -> None:
    library = library_of(a=TALK, secure=SECURE)
    lived = tell(Story(press(keys) if keys else (), asks_secret=True), library=library, flow="a")
    assert [(step.flow, step.step, step.outcome) for step in lived.trace][:2] == [
        ("a", "begin", "entered"),
        ("secure", "begin", "collected" if keys else "no_input"),
    ]
    assert ("a", "begin", "answered") in lived.arms
    assert ("a", "after", sure) in lived.arms, "a sign-in counts afterwards"
    assert [what.prompts for what in lived.told_to_agent] == [(told,)]
    assert (lived.secrets_left, lived.tasks_left) == (0, 0)


def test_agent_who_comes_after_a_wait_may_ask_as_well() -> None:
    library = library_of(a=TALK, secure=SECURE)
    lived = tell(
        Story([Press("246810", after_ms=82_000)], agents=Busy(20_000), asks_secret=True), library=library, flow="a"
    )
    assert [(step.flow, step.outcome) for step in lived.trace if step.step == "begin"] == [
        ("a", "entered"),
        ("secure", "collected"),
        ("a", "answered"),
    ]
    assert (lived.secrets_left, lived.tasks_left) == (0, 0)


@pytest.mark.parametrize("at_s", [0.5, 5, 79.9, 81, 82.5, 83.5, 100])
def test_hang_up_at_any_moment_leaves_nothing_behind(at_s: float) -> None:
    library = library_of(a=TALK, secure=SECURE)
    lived = tell(
        Story(press("246810"), agents=Busy(20_000), asks_secret=True, leaves_at_s=at_s), library=library, flow="a"
    )
    assert (lived.secrets_left, lived.tasks_left) == (0, 0)


def test_flow_that_is_asked_for_is_one_that_the_step_uses() -> None:
    (impact,) = impacts(shipped(), world(), "library/secure_sign_in")
    assert impact.sort == FLOWS
    assert [(use.flow, use.step) for use in impact.used_by] == [("hotline", "to_human")]
