"""What one test gives, brought about around one engine: the time, the bank, the people, what is left behind.

Knows how each of them is brought about on a real hotline. Must not know Asterisk, or how the call is placed.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, nullcontext
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from ivr_engine.acd.model import AgentName, Presence
from ivr_engine.app.engine import Engine, Parts
from ivr_engine.app.flow_world import QUEUE
from ivr_engine.app.placing import PlacingError
from ivr_engine.app.staging.ground import AGENT, Ground
from ivr_engine.calls.around import Around
from ivr_engine.calls.queueing import CallQueues
from ivr_engine.flow.call import QueueOutcome, Queues, Wanted
from ivr_engine.flow.nodes.queue import SECURE_DONE, SECURE_NOT_DONE
from ivr_engine.scenarios.model import BEGINNING, Scenario
from ivr_engine.simulator.agents import People, WaitingQueues
from ivr_engine.simulator.leaving import LeavingAsSaid
from ivr_engine.simulator.noted import NotedBackOffice, NotedOperations
from ivr_engine.simulator.orders import ordered
from ivr_engine.simulator.scenario_line import TALK_S
from ivr_engine.testcaller.caller import Caller
from ivr_engine.testcaller.recordings import PromptName, Recordings
from ivr_engine.testcaller.telephone import Telephone
from ivr_engine.values.clock import SystemClock
from ivr_engine.values.language import Language
from ivr_engine.values.utterance import Utterance

ASKS_AFTER_MS: Final = 500
SECURE_KEYS: Final = "*7"
TOLD: Final = frozenset(PromptName(language, told) for language in Language for told in (SECURE_DONE, SECURE_NOT_DONE))
"""What an agent who has asked for a secret hears when the caller is back."""
STAFFED_WITHIN_S: Final = 10.0
LOOK_EVERY_S: Final = 0.02
AFTER_HOLD_MS: Final = 500
"""How long a caller waits after the words before the music, where a test says that nobody comes in time."""


class ShiftedClock:
    """A clock that shows a certain time when it is made, and runs on."""

    def __init__(self, begins: datetime) -> None:
        self._system = SystemClock()
        self._epoch = begins - timedelta(seconds=self._system.monotonic())

    def monotonic(self) -> float:
        """Return the machine's seconds."""
        return self._system.monotonic()

    def now(self) -> datetime:
        """Return the calendar time of the test."""
        return self._epoch + timedelta(seconds=self._system.monotonic())


@dataclass(frozen=True, slots=True)
class _Impatient:
    """The queues of a call whose caller waits just longer than the words before the music last."""

    real: CallQueues
    recordings: Recordings

    async def enter(self, wanted: Wanted) -> None:
        """Put the caller into a queue, for a short while."""
        prompts = wanted.hold.prompts if wanted.hold is not None else ()
        language = wanted.hold.language if wanted.hold is not None else None
        lasts_ms = sum(self.recordings.named(PromptName(language, prompt)).length_ms for prompt in prompts)
        await self.real.enter(replace(wanted, most_ms=lasts_ms + AFTER_HOLD_MS))

    async def wait(self, within_ms: int | None = None) -> QueueOutcome | None:
        """Wait until the time is over, which it nearly is."""
        return await self.real.wait(None if within_ms is None else max(within_ms, 2 * AFTER_HOLD_MS))

    @property
    def has_news(self) -> bool:
        """Whether the wait is over."""
        return self.real.has_news

    @property
    def holds_agent(self) -> bool:
        """Whether the agent waits for the caller."""
        return self.real.holds_agent

    def came_back(self, told: Utterance) -> None:
        """Let the agent be told this."""
        self.real.came_back(told)

    def leave(self) -> None:
        """Wait no longer."""
        self.real.leave()


class Desk:
    """The agent's telephone: it takes calls, or is in use by another one for as long as a test wants it."""

    def __init__(self, telephone: Telephone) -> None:
        self.telephone = telephone
        self.asks_secret = False
        """Whether the agent asks for a secret in the next talk, and waits until the caller is back."""
        self._over = asyncio.Event()
        self._over.set()
        self._talking: Caller | None = None

    async def serve(self) -> None:
        """Take calls until cancelled."""
        await self.telephone.serve(self._talk)

    @asynccontextmanager
    async def in_use(self) -> AsyncIterator[None]:
        """Be in use as long as the context lasts, or until `hang_up`.

        Asterisk is asked now and then which telephones are in use, and is believed, so this one really is. It calls its
        own number, since nobody else is there to talk with.
        """
        self._over.clear()
        try:
            async with self.telephone.dial(AGENT, caller=AGENT) as self._talking:
                yield
        finally:
            self.hang_up()

    def hang_up(self) -> None:
        """End such a talk; harmless when there is none."""
        self._over.set()
        talking, self._talking = self._talking, None
        if talking is not None:
            talking.hang_up()

    async def _talk(self, agent: Caller) -> None:
        if not self._over.is_set():  # the other end of the talk with oneself
            await self._over.wait()
            return
        if self.asks_secret:
            self.asks_secret = False
            await agent.wait(ASKS_AFTER_MS)
            await agent.press(SECURE_KEYS)
            while agent.ended_at is None and not any(one.name in TOLD and one.complete for one in agent.heard):
                await agent.wait(ASKS_AFTER_MS)
        await asyncio.sleep(TALK_S)


class World:
    """What one test gives, brought about around one engine; and what its call asks, noted."""

    def __init__(self, scenario: Scenario, ground: Ground, desk: Desk) -> None:
        self._desk = desk
        self.given = scenario.given
        self.agents = scenario.given.agents or QueueOutcome.ANSWERED
        self.clock = ShiftedClock(scenario.given.begins or BEGINNING)
        self.asked: list[tuple[str, str]] = []
        self.read: list[str] = []
        """Messages with codes as the customer has read them: a code that was used is wiped where it was kept."""
        self._ground = ground
        self._people: People | None = None

    @property
    def parts(self) -> Parts:
        """Return what the engine is built of."""
        around = Around(
            operations=lambda real: NotedOperations(real, self.given.answers, self.asked),
            back_office=lambda real: NotedBackOffice(real, self.given.answers),
            queues=self._queues,
            leaving=lambda real: LeavingAsSaid(real, self.given),
        )
        return Parts(
            clock=self.clock,
            flows=lambda _: self._ground.flows,
            bank=lambda core: ordered(core, self.given),
            around=around,
        )

    @asynccontextmanager
    async def staffed(self, engine: Engine) -> AsyncIterator[None]:
        """Let the agent be there as long as the context lasts, and all have happened that was before the caller came.

        Raises `PlacingError` when the engine does not see the agent's telephone.
        """
        self._desk.asks_secret = self.given.asks_secret
        if self.agents is QueueOutcome.NO_AGENTS:
            yield
            return
        name = AgentName(AGENT)
        try:
            async with asyncio.timeout(STAFFED_WITHIN_S):
                queues = engine.queues
                while queues.state.agents[name].presence is not Presence.REACHABLE:  # noqa: ASYNC110 # nobody tells
                    await asyncio.sleep(LOOK_EVERY_S)
        except TimeoutError:
            message = f"the agent's telephone was not seen by the engine within {STAFFED_WITHIN_S:.0f} s"
            raise PlacingError(message) from None
        self._people = People(queues, [QUEUE], name, self.agents, self.clock, self._desk.hang_up)
        self._people.stage()
        try:
            async with nullcontext() if self.agents is QueueOutcome.ANSWERED else self._desk.in_use():
                yield
        finally:
            self._desk.asks_secret = False
            self._people.close()

    def _queues(self, real: CallQueues) -> Queues:
        if self.agents is QueueOutcome.TIMED_OUT:
            return _Impatient(real, self._ground.recordings)
        return real if self._people is None else WaitingQueues(self._people.begin, real)
