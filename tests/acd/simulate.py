"""A hotline of random callers and agents on a virtual clock, judged at every step.

`python -m tests.acd.simulate --calls 100000 --seed 1` prints what happened and how fast the dispatcher decided.
The same seed gives the same decisions, whose digest is printed.
"""

from __future__ import annotations

import argparse
import hashlib
import heapq
import random
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from ivr_engine.acd.dispatcher import decide, next_due
from ivr_engine.acd.messages import (
    AgentAppeared,
    AgentEngaged,
    AgentGone,
    AgentNotReady,
    AgentReachable,
    AgentReady,
    AgentUnreachable,
    CallerEntered,
    CallerLeft,
    Decision,
    Event,
    LeaveReason,
    Offer,
    OfferEnded,
    OfferResult,
    Resync,
    TalkEnded,
    Tick,
    Withdraw,
    WrapUpOver,
)
from ivr_engine.acd.model import AgentName, Device, Presence, QueueName, QueueSettings, Talking
from ivr_engine.acd.state import AcdState, empty_state
from ivr_engine.values.ids import CallId
from tests.acd.audit import Auditor, check_indexes

START_S = 1_700_000_000.0
INDEX_CHECK_EVERY = 500


@dataclass(frozen=True)
class World:
    """How large and how unruly the hotline is; times in seconds."""

    calls: int
    agents: int = 12
    queues: int = 4
    arrival_s: float = 4.0
    talk_s: float = 40.0
    trouble_s: float = 5.0
    audit: bool = True


@dataclass
class Outcome:
    """What a run showed."""

    events: int = 0
    decide_s: float = 0.0
    slowest_s: float = 0.0
    most_waiting: int = 0
    virtual_s: float = 0.0
    digest: str = ""
    counts: dict[str, int] = field(default_factory=dict)


class Hotline:
    """Carries decisions out as telephones and people would, late and sometimes twice."""

    def __init__(self, world: World, seed: int) -> None:
        self.world = world
        self.random = random.Random(seed)
        self.names = [QueueName(f"queue{number}") for number in range(world.queues)]
        self.agents = [AgentName(f"agent{number:03}") for number in range(world.agents)]
        settings = [
            QueueSettings(
                name, rest_s=20, wrap_up_s=8, max_waiting=5 + 20 * number, max_wait_s=300, unstaffed_grace_s=10 * number
            )
            for number, name in enumerate(self.names)
        ]
        self.state: AcdState = empty_state(settings, START_S)
        self.now = START_S
        self.outcome = Outcome()
        self.auditor = Auditor()
        self._plan: list[tuple[float, int, Callable[[], Event | None]]] = []
        self._planned = 0
        self._hash = hashlib.sha256()
        self._entered = 0
        self._withdrawn: set[int] = set()

    def run(self) -> Outcome:
        """Play until every caller is gone."""
        for agent in self.agents:
            self._feed(self._appear(agent))
        self._later(0.0, self._arrive)
        self._later(1.0, self._trouble)
        while self._plan or (self.state.callers and next_due(self.state) is not None):
            due = next_due(self.state)
            if due is not None and (not self._plan or due <= self._plan[0][0]):
                self.now = max(self.now, due)
                self._feed(Tick())
                continue
            self.now, _, action = heapq.heappop(self._plan)
            event = action()
            if event is not None:
                self._feed(event)
                if self.random.random() < 0.02:
                    self._feed(event)
        self.outcome.digest = self._hash.hexdigest()[:16]
        self.outcome.virtual_s = self.now - START_S
        self.outcome.counts = dict(sorted(self.auditor.counts.items()))
        return self.outcome

    def _later(self, after_s: float, action: Callable[[], Event | None]) -> None:
        self._planned += 1
        heapq.heappush(self._plan, (self.now + after_s, self._planned, action))

    def _feed(self, event: Event) -> None:
        before = self.state
        began = time.perf_counter()
        self.state, decisions = decide(before, event, self.now)
        took_s = time.perf_counter() - began
        outcome = self.outcome
        outcome.events += 1
        outcome.decide_s += took_s
        outcome.slowest_s = max(outcome.slowest_s, took_s)
        outcome.most_waiting = max(outcome.most_waiting, len(self.state.callers))
        if self.world.audit:
            self.auditor.saw(before, event, self.state, decisions)
            if outcome.events % INDEX_CHECK_EVERY == 0:
                check_indexes(self.state)
        for decision in decisions:
            self._hash.update(repr(decision).encode())
            self._carry_out(decision)

    def _carry_out(self, decision: Decision) -> None:
        match decision:
            case Withdraw(number=number):
                self._withdrawn.add(number)
            case Offer() as offer:
                chance = self.random.random()
                if chance < 0.75:
                    self._later(self.random.uniform(0.5, 14), lambda: self._answer(offer))
                elif chance < 0.98:
                    result = self.random.choice([OfferResult.NO_ANSWER, OfferResult.BUSY, OfferResult.UNREACHABLE])
                    self._later(self.random.uniform(0.1, 15), lambda: _ended(offer, result))
                # Otherwise the report is lost, and the dispatcher has to help itself.
            case _:
                pass

    def _answer(self, offer: Offer) -> Event | None:
        if offer.number in self._withdrawn and self.random.random() < 0.9:
            # Otherwise the agent was faster than the order to stop ringing.
            return None
        talk_s = self.random.expovariate(1 / self.world.talk_s)
        chance = self.random.random()
        if chance < 0.1:
            return _ended(offer, OfferResult.ANSWERED, talk_s)
        if chance < 0.98:
            # Otherwise the end of the talk is lost, and a snapshot has to help.
            self._later(talk_s, lambda: TalkEnded(offer.call, offer.agent, offer.number, talk_s))
        return _ended(offer, OfferResult.ANSWERED)

    def _arrive(self) -> Event | None:
        if self._entered >= self.world.calls:
            return None
        self._entered += 1
        call = CallId(f"call{self._entered:07}")
        self._later(self.random.expovariate(1 / self.world.arrival_s), self._arrive)
        if self.random.random() < 0.3:
            reason = self.random.choice(list(LeaveReason))
            self._later(self.random.expovariate(1 / 60), lambda: CallerLeft(call, reason))
        returning = self.random.random() < 0.02
        entered_at = self.now - self.random.uniform(0, 200) if returning else self.now
        priority = self.random.choice([0, 0, 0, 0, 1, 5])
        most_s = self.random.choice([None, None, None, 40.0])
        skills = frozenset(self.random.choice([(), (), (), ("en",), ("cards", "en"), ("yue",)]))
        relax_s = self.random.choice([None, 5.0, 60.0]) if skills else None
        queue = self.random.choice(self.names)
        return CallerEntered(call, queue, entered_at, priority, returning, most_s, skills, relax_s)

    def _trouble(self) -> Event | None:
        if self._entered >= self.world.calls and not self.state.callers:
            return None
        self._later(self.random.expovariate(1 / self.world.trouble_s), self._trouble)
        agent = self.random.choice(self.agents)
        kind = self.random.choices(range(9), weights=[2, 2, 8, 2, 8, 3, 3, 0.5, 1])[0]
        match kind:
            case 0:
                return AgentNotReady(agent)
            case 1:
                return AgentUnreachable(agent)
            case 2:
                return AgentReady(agent)
            case 3:
                return AgentEngaged(agent)
            case 4:
                return AgentReachable(agent)
            case 5:
                return WrapUpOver(agent)
            case 6:
                return self._appear(agent)
            case 7:
                return AgentGone(agent)
            case _:
                return self._snapshot()

    def _appear(self, agent: AgentName) -> AgentAppeared:
        count = self.random.choice([1, 1, 2, 3])
        queues = tuple(self.random.sample(self.names, min(count, len(self.names))))
        skills = frozenset(self.random.choice([(), ("en",), ("cards", "en")]))
        return AgentAppeared(agent, f"PJSIP/{agent}", queues, Presence.REACHABLE, skills=skills)

    def _snapshot(self) -> Resync:
        devices = {}
        for name, agent in self.state.agents.items():
            talking = isinstance(agent.occupation, Talking)
            usual = Device.IN_USE if talking and self.random.random() < 0.9 else Device.FREE
            odd = self.random.random() < 0.1
            devices[name] = self.random.choice(list(Device)) if odd else usual
        return Resync(devices)


def _ended(offer: Offer, result: OfferResult, talk_s: float | None = None) -> OfferEnded:
    return OfferEnded(offer.call, offer.agent, offer.number, result, talk_s)


def measure_large(waiting: int, agents: int, events: int) -> tuple[float, float]:
    """Return the mean and the slowest microseconds of a decision with so many waiting and so many agents at work.

    Every event frees one agent, who is at once offered the next of a line in which one more has entered.
    """
    queues = [QueueName(f"queue{number}") for number in range(5)]
    state = empty_state([QueueSettings(name, max_waiting=waiting, wrap_up_s=0) for name in queues], START_S)
    offers: list[Offer] = []
    for number in range(agents):
        serves = (queues[number % 5], queues[(number + 1) % 5])
        state, _ = decide(state, AgentAppeared(AgentName(f"agent{number}"), "PJSIP/a", serves), START_S)
    for number in range(waiting + agents):
        entered = CallerEntered(CallId(f"call{number}"), queues[number % 5], START_S)
        state, decisions = decide(state, entered, START_S + number / 1000)
        offers += [decision for decision in decisions if isinstance(decision, Offer)]
    times: list[float] = []
    for number in range(events):
        offer = offers[number]
        step: list[Event] = [
            CallerEntered(CallId(f"later{number}"), queues[number % 5], START_S + 2 + number),
            _ended(offer, OfferResult.ANSWERED),
            TalkEnded(offer.call, offer.agent, offer.number, 1.0),
        ]
        for event in step:
            began = time.perf_counter()
            state, decisions = decide(state, event, START_S + 2 + number / 1000)
            times.append(time.perf_counter() - began)
            offers += [decision for decision in decisions if isinstance(decision, Offer)]
    return sum(times) / len(times) * 1e6, max(times) * 1e6


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--calls", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--agents", type=int, default=12)
    asked = parser.parse_args()
    outcome = Hotline(World(calls=asked.calls, agents=asked.agents), asked.seed).run()
    mean_us = outcome.decide_s / outcome.events * 1e6
    lines = [f"{name:>18} {count}" for name, count in outcome.counts.items()]
    lines += [
        f"{outcome.events} events in {outcome.virtual_s / 3600:.1f} virtual hours, no promise broken",
        f"decide: {mean_us:.1f} us in the mean, at most {outcome.slowest_s * 1e3:.2f} ms",
        f"most callers at once {outcome.most_waiting}",
        f"digest of all decisions (seed {asked.seed}): {outcome.digest}",
    ]
    mean_us, slowest_us = measure_large(waiting=1000, agents=500, events=5000)
    lines.append(f"1,000 waiting, 500 agents: {mean_us:.1f} us on average, slowest {slowest_us:.0f} us")
    sys.stdout.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
