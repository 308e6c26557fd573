"""A live call from arrival to end, in virtual time: what is recorded, and what the dialplan is told."""

from __future__ import annotations

import pathlib

import pytest
from structlog.testing import capture_logs

from ivr_engine.calls.operations import BankOperations
from ivr_engine.channel.line import CallerHungUp, Played
from ivr_engine.simulator.line import Deed, HangUp, HearOut, Press
from ivr_engine.values.utterance import Utterance
from tests.calls.live import LiveWorld, RescuedLine, live

BALANCE: list[Deed] = [
    HearOut(),
    Press("3"),
    HearOut(),
    Press("1"),
    HearOut(),
    Press("620001#"),
    HearOut(),
    Press("246810"),
]

ENDLESS = """
ivr: 1
title: a menu that a caller may hear for ever
start: again
steps:
  again: {menu: main_menu, keys: {1: again, 0: human}, when: {no_input: human, no_match: human}}
  human: {queue: service, when: {answered: end, no_agents: end, full: end, timed_out: end}}
  end: {hang_up: completed}
"""
SHORT = """
ivr: 1
title: a greeting and no more
start: greet
steps:
  greet:
    say: welcome
    then: end
  end:
    hang_up: completed
"""


class BrokenLine(RescuedLine):
    """A line whose first prompt meets a bug of ours."""

    async def play(self, what: Utterance, *, stop_on: str = "", from_ms: int = 0) -> Played:
        if what.prompts == ("welcome",):
            raise ZeroDivisionError("a bug of ours")
        return await RescuedLine.play(self, what, stop_on=stop_on, from_ms=from_ms)


class TornLine(RescuedLine):
    """A line whose AGI session breaks."""

    async def play(self, what: Utterance, *, stop_on: str = "", from_ms: int = 0) -> Played:
        raise ConnectionError(f"the session broke at {what} {stop_on} {from_ms}")


@pytest.fixture
def flows(tmp_path: pathlib.Path) -> pathlib.Path:
    return tmp_path


def write(flows: pathlib.Path, text: str) -> pathlib.Path:
    (flows / "hotline.yaml").write_text(text, encoding="utf-8")
    return flows


def test_finished_call_tells_the_dialplan_and_hangs_up(flows: pathlib.Path) -> None:
    async def test(world: LiveWorld) -> None:
        reason, line = await world.call([])
        assert reason == "completed"
        assert line.dialplan == ["done"]
        assert line.hung_up_by == "engine"
        assert world.journal.ends == ["completed"]
        assert world.journal.steps == [(0, "hotline:greet", "said"), (1, "hotline:end", "completed")]

    live(test, flows=write(flows, SHORT))


def test_record_holds_who_called_in_which_language_and_who_signed_in() -> None:
    async def test(world: LiveWorld) -> None:
        reason, _ = await world.call([*BALANCE, HearOut(), Press("1"), HearOut(), HangUp()])
        assert reason == "caller_hung_up"
        known = world.journal.known
        assert (known["caller"], known["dialled"], known["language"], known["customer"]) == (
            "13800000000",
            "95588",
            "en",
            "620001",
        )
        assert world.journal.ends == ["caller_hung_up"]

    live(test)


def test_hang_up_at_any_moment_closes_the_record_once() -> None:
    async def test(world: LiveWorld) -> None:
        for quarter in range(80):
            await world.call([Press("3"), Press("1", after_ms=500), HangUp(after_ms=quarter * 250)])
        assert set(world.journal.ends) == {"caller_hung_up"}
        assert len(world.journal.ends) == len(world.journal.started) == 80

    live(test)


def test_bug_in_a_step_is_an_apology_and_a_human() -> None:
    async def test(world: LiveWorld) -> None:
        line = BrokenLine([])
        reason = await world.session(line).run()
        assert reason == "engine_fault"
        assert [heard.prompt for heard in line.heard] == ["en/sorry_technical"]
        assert line.dialplan[-1] == "done"
        assert world.journal.ends == ["engine_fault"]

    live(test)


def test_call_that_takes_too_many_steps_is_put_through_to_a_human(flows: pathlib.Path) -> None:
    async def test(world: LiveWorld) -> None:
        reason, line = await world.call([Press("1" * 600)])
        assert reason == "budget_exceeded"
        assert line.heard[-1].prompt == "en/sorry_technical"

    live(test, flows=write(flows, ENDLESS))


def test_broken_session_leaves_the_caller_to_the_dialplan() -> None:
    async def test(world: LiveWorld) -> None:
        line = TornLine([])
        reason = await world.session(line).run()
        assert reason == "handed_to_dialplan"
        assert "done" not in line.dialplan
        assert line.hung_up_by == ""
        assert world.journal.ends == ["handed_to_dialplan"]

    live(test)


def test_long_call_renews_the_backstop(flows: pathlib.Path) -> None:
    async def test(world: LiveWorld) -> None:
        _, line = await world.call([HearOut(), Press("1")] * 200)
        assert line.dialplan.count("backstop 180") > 5

    live(test, flows=write(flows, ENDLESS))


def test_caller_who_hangs_up_before_the_answer_is_recorded() -> None:
    class GoneLine(RescuedLine):
        async def answer(self) -> None:
            raise CallerHungUp

    async def test(world: LiveWorld) -> None:
        assert await world.session(GoneLine([])).run() == "caller_hung_up"
        assert "answered_at" not in world.journal.known
        assert world.journal.ends == ["caller_hung_up"]

    live(test)


REACHES = """
ivr: 1
title: a greeting that is what the caller wanted
start: greet
milestones: {greeted: self_service}
steps:
  greet:
    say: welcome
    milestone: greeted
    then: end
  end:
    hang_up: completed
"""


def test_what_the_caller_reached_is_recorded_and_can_be_counted(flows: pathlib.Path) -> None:
    async def test(world: LiveWorld) -> None:
        session = world.session(RescuedLine([]))
        await session.run()
        assert world.journal.milestones == session.milestones == [("greeted", "self_service")]

    live(test, flows=write(flows, REACHES))


LEAVES = """
ivr: 1
title: a greeting, and something to be done for who leaves
start: greet
finally: out
steps:
  greet:
    say: welcome
    then: end
  end:
    hang_up: completed
  out:
    do: sign_out
    then: gone
  gone:
    hang_up: gone
"""


def test_steps_for_a_hang_up_are_recorded_and_the_call_still_ended_by_it(flows: pathlib.Path) -> None:
    async def test(world: LiveWorld) -> None:
        reason, _ = await world.call([HangUp(after_ms=300)])
        assert reason == "caller_hung_up"
        assert world.journal.steps == [(0, "hotline:out", "signed_out"), (1, "hotline:gone", "gone")]
        assert world.journal.ends == ["caller_hung_up"]

    live(test, flows=write(flows, LEAVES))


def test_bug_in_the_steps_for_a_hang_up_is_logged_and_the_record_is_closed(
    flows: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def test(world: LiveWorld) -> None:
        session = world.session(RescuedLine([HangUp(after_ms=300)]))
        monkeypatch.setattr(BankOperations, "_PERFORM", {})
        with capture_logs() as logs:
            assert await session.run() == "caller_hung_up"
        assert "finally_failed" in [entry["event"] for entry in logs]
        assert world.journal.ends == ["caller_hung_up"]

    live(test, flows=write(flows, LEAVES))
