"""Callers who are handed on to a telephone outside the queues, over real calls: every end has its words."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from ivr_engine.testcaller.agents import AgentPlan, AnsweringAgents
from ivr_engine.testcaller.dialogue import EndedBy
from ivr_engine.testcaller.phone import Phone
from ivr_engine.testcaller.ports import free_ports
from ivr_engine.testcaller.recordings import PromptName, Recordings
from ivr_engine.values.language import Language
from tests.asterisk.hotline import RunningHotline, running_hotline
from tests.waiting import until

pytestmark = pytest.mark.asterisk

TRANSFERRING = """\
ivr: 1
title: Straight to somebody else
start: over
steps:
  over:
    blind_transfer: lost_cards
    ring: 2 s
    when: {answered: answered, busy: busy, no_answer: no_answer, unreachable: unreachable}
  answered: {say: thank_you, then: end}
  busy: {say: system_busy, then: end}
  no_answer: {say: no_agent_available, then: end}
  unreachable: {say: sorry_technical, then: end}
  end: {hang_up: completed}
"""


@pytest.fixture(scope="module")
def transferring(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[RunningHotline, int]]:
    """A hotline whose only flow hands every caller to a telephone behind the trunk, and that telephone's port."""
    flows = tmp_path_factory.mktemp("flows")
    (flows / "hotline.yaml").write_text(TRANSFERRING)
    (port,) = free_ports(1)
    with running_hotline(flows_dir=str(flows), destinations=f"lost_cards=sip:95501@127.0.0.1:{port}") as hotline:
        yield hotline, port


PLANS = {
    "answered": (AgentPlan(talk_ms=500), "thank_you"),
    "busy": (AgentPlan(refusal="486 Busy Here"), "system_busy"),
    "no_answer": (AgentPlan(ring_ms=20_000), "no_agent_available"),
    "unreachable": (AgentPlan(refusal="503 Service Unavailable"), "sorry_technical"),
}


@pytest.mark.parametrize("outcome", list(PLANS))
async def test_caller_is_handed_to_a_telephone_of_the_trunk_and_every_end_has_its_words(
    transferring: tuple[RunningHotline, int], tmp_path: Path, outcome: str
) -> None:
    hotline, port = transferring
    plan, prompt = PLANS[outcome]
    recordings = Recordings.load(hotline.sounds)
    number = f"1370000110{list(PLANS).index(outcome)}"
    async with (
        AnsweringAgents.at(plan, tmp_path, port=port),
        Phone.at(hotline.target, recordings) as phone,
        phone.dial(hotline.number, caller=number) as caller,
    ):
        await caller.hear(PromptName(Language.MANDARIN, prompt), others=True, within_ms=20_000)
        assert await caller.ended() is EndedBy.FAR_END
    query = "SELECT outcome FROM call_step JOIN call ON call.id = call_id WHERE caller_number = ? AND step = 'over'"
    await until(lambda: hotline.rows(query, number) == [(outcome,)], "the step is recorded", within_s=5)
