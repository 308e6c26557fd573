"""The engine's AMI client: stays connected, keeps a true picture of Asterisk, and never does a thing twice.

Knows reconnecting, synchronising and handing events over. Must not know the engine's calls or agents.

After every login: wait for FullyBooted, compare Asterisk's start time, switch events on and hold them back, fetch
the lists, hand over gap and snapshot, then the events held back. AMI replays nothing and numbers nothing, so the same
lists are fetched every minute as well, and what they correct is counted; events wait meanwhile. An event handed over
behind a snapshot may be older than the snapshot; applied in order, the events end where Asterisk is.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from random import Random
from typing import Final

import structlog

from ivr_engine.adapters.asterisk.ami_link import (
    ActionOutcomeUnknownError,
    ActionRefusedError,
    AmiError,
    AmiTarget,
    Link,
    LinkFailedError,
    ListDamagedError,
    LoginRefusedError,
    NotConnectedError,
    fetch_lists,
    whole_list,
)
from ivr_engine.adapters.asterisk.ami_state import AmiSnapshot, Picture
from ivr_engine.adapters.asterisk.ami_values import (
    AmiStatistics,
    AmiTimings,
    Delivery,
    Gap,
    LinkState,
    StateListener,
    Subscriber,
)
from ivr_engine.protocols.ami.actions import Action, CoreStatus, Events, Ping
from ivr_engine.protocols.ami.connection import Answer, Connection
from ivr_engine.protocols.ami.errors import AmiProtocolError
from ivr_engine.protocols.ami.events import DeviceState, TypedEvent
from ivr_engine.protocols.ami.message import Event, Response
from ivr_engine.values.clock import Clock

__all__ = [
    "ActionOutcomeUnknownError",
    "ActionRefusedError",
    "AmiClient",
    "AmiError",
    "AmiSnapshot",
    "AmiStatistics",
    "AmiTarget",
    "AmiTimings",
    "Delivery",
    "Gap",
    "LinkState",
    "ListDamagedError",
    "NotConnectedError",
]

_BACK_OFF_DOUBLINGS: Final = 16


class AmiClient:
    """One engine's connection to one Asterisk.

    `deliver` is awaited with gaps, snapshots and events, one at a time and in order; what it raises is logged and
    counted. `state_changed` is called with the new state and the reason in words. `wanted` names events beside the
    typed ones.
    """

    def __init__(
        self,
        target: AmiTarget,
        *,
        deliver: Subscriber,
        clock: Clock,
        jitter: Random,
        timings: AmiTimings | None = None,
        wanted: frozenset[str] = frozenset(),
        state_changed: StateListener | None = None,
    ) -> None:
        self._target = target
        self._deliver = deliver
        self._clock = clock
        self._jitter = jitter
        self._timings = timings or AmiTimings()
        self._wanted = wanted
        self._state_changed = state_changed
        self._state = LinkState.DISCONNECTED
        self._reason = "not started"
        self._link: Link | None = None
        self._tasks: list[asyncio.Task[None]] = []
        self._closed = False
        self._ready = asyncio.Event()
        # One prefix per client: OriginateResponse goes to every AMI session of an Asterisk, not only to who asked.
        self._id_prefix = f"{jitter.getrandbits(48):012x}"
        self._ids = 0
        self._picture = Picture()
        self._refused_lists: Mapping[str, str] = {}
        self._asterisk_started = ""
        self._held: list[TypedEvent | Event] | None = None
        self._queue: deque[Delivery] = deque()
        self._queue_filled = asyncio.Event()
        self._lost_since: datetime | None = None
        self._loss_reason = ""
        self._resync_now = asyncio.Event()
        self.statistics = AmiStatistics()

    @property
    def state(self) -> LinkState:
        """How we stand with Asterisk."""
        return self._state

    @property
    def reason(self) -> str:
        """Why the state is what it is, in words for an operator."""
        return self._reason

    def snapshot(self) -> AmiSnapshot:
        """Return what Asterisk holds as far as is known now (a copy: for screens and watchdogs, not per event)."""
        return self._picture.at(self._clock.now(), self._refused_lists)

    def device(self, name: str) -> DeviceState:
        """Return one device's state as last heard, such as that of `PJSIP/agent1`."""
        return self._picture.device(name)

    async def start(self) -> None:
        """Begin to connect and return at once: the engine runs without AMI too. Raises `RuntimeError` when repeated."""
        if self._tasks or self._closed:
            raise RuntimeError("an AMI client is started once")
        loop = asyncio.get_running_loop()
        # Both tasks are owned by this object: close() cancels and awaits them.
        self._tasks = [loop.create_task(self._stay_connected()), loop.create_task(self._hand_over())]
        for task in self._tasks:
            task.add_done_callback(self._ended)

    async def wait_ready(self, *, within_s: float) -> None:
        """Wait until connected and synchronised; raise `NotConnectedError` with the reason when that takes longer."""
        try:
            async with asyncio.timeout(within_s):
                await self._ready.wait()
        except TimeoutError:
            raise NotConnectedError(f"not ready within {within_s:g} s: {self._reason}") from None

    async def close(self) -> None:
        """Leave and stay away; actions without an answer raise `ActionOutcomeUnknownError`. Harmless when repeated."""
        self._closed = True
        tasks, self._tasks = self._tasks, []
        for task in tasks:
            task.cancel()
        outcomes = await asyncio.gather(*tasks, return_exceptions=True)
        self._move(LinkState.CLOSED, "closed")
        for outcome in outcomes:
            if isinstance(outcome, Exception):
                raise outcome

    async def request(self, action: Action, *, within_s: float, action_id: str | None = None) -> Response:
        """Ask for one thing and return Asterisk's answer, accepted or not; never asks twice.

        `action_id` lets the caller write down the id before an Originate leaves. Raises `NotConnectedError` and
        `LocalProtocolError` (surely not done), `ActionOutcomeUnknownError` (perhaps done).
        """
        return (await self._request(action, within_s=within_s, action_id=action_id)).response

    async def list(self, action: Action, *, within_s: float) -> Sequence[Event]:
        """Ask for a list and return its items, complete.

        Raises what `request` raises, `ActionRefusedError`, and `ListDamagedError` when the list is not whole.
        """
        return whole_list(action, await self._request(action, within_s=within_s))

    async def _request(self, action: Action, *, within_s: float, action_id: str | None = None) -> Answer:
        if self._link is None:
            raise NotConnectedError(f"{action.name} not sent: {self._reason}")
        try:
            return await self._link.request(action, within_s=within_s, action_id=action_id)
        except ActionOutcomeUnknownError:
            self.statistics.outcomes_unknown += 1
            raise

    async def _stay_connected(self) -> None:
        failures = refusals = 0
        while not self._closed:
            connected_before = self.statistics.resyncs
            if refusals < self._timings.refused_tries:
                self._move(LinkState.CONNECTING, "connecting")
            failure = await self._one_connection()
            if self.statistics.resyncs > connected_before:
                failures = refusals = 0
            if isinstance(failure, LoginRefusedError):
                refusals += 1
            failures += 1
            if refusals >= self._timings.refused_tries:
                self._move(LinkState.REFUSED, f"account {self._target.account} refused {refusals} times: {failure}")
                most_s = self._timings.refused_pause_s
            else:
                self._move(LinkState.DISCONNECTED, f"{type(failure).__name__}: {failure}")
                doublings = min(failures - 1, _BACK_OFF_DOUBLINGS)
                most_s = min(self._timings.back_off_most_s, self._timings.back_off_first_s * 2**doublings)
            # Full jitter: engines that lost the same Asterisk must not come back at the same moment.
            await asyncio.sleep(self._jitter.uniform(0, most_s))

    async def _one_connection(self) -> Exception:
        """Live through one connection; return why it ended."""
        try:
            async with asyncio.timeout(self._timings.connect_s):
                streams = await asyncio.open_connection(self._target.host, self._target.port, ssl=self._target.tls)
        except (OSError, TimeoutError) as failure:
            return failure
        link = Link(streams, Connection(wanted=self._wanted), self._new_action_id, self._took, self._clock)
        self._held = []
        failures: list[Exception] = []
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(link.read_until_end())
                await link.log_in(self._target, within_s=self._timings.login_s, booted_within_s=self._timings.booted_s)
                self._link = link
                self.statistics.connects += 1
                self._move(LinkState.SYNCHRONISING, "fetching lists")
                await link.request(Events("on"), within_s=self._timings.list_s)
                await self._synchronise(link)
                self._move(LinkState.READY, "synchronised")
                group.create_task(self._ping(link))
                group.create_task(self._synchronise_again(link))
        except* (AmiError, AmiProtocolError, OSError) as group_of:
            failures = [error for error in group_of.exceptions if isinstance(error, Exception)]
        finally:
            self._link = None
            self._held = None
            if self.statistics.resyncs:
                self._mark_loss("the connection to Asterisk was lost", link.heard_at)
            await link.close()
        return next((failure for failure in failures if isinstance(failure, LoginRefusedError)), failures[0])

    async def _ping(self, link: Link) -> None:
        while True:
            await asyncio.sleep(self._timings.ping_every_s)
            try:
                await link.request(Ping(), within_s=self._timings.ping_s)
            except ActionOutcomeUnknownError as error:
                raise LinkFailedError(f"Asterisk gives no sign of life: {error}") from error

    async def _synchronise_again(self, link: Link) -> None:
        while True:
            try:
                async with asyncio.timeout(self._timings.resync_every_s):
                    await self._resync_now.wait()
            except TimeoutError:
                pass
            await self._synchronise(link)

    async def _synchronise(self, link: Link) -> None:
        """Fetch the lists while events are held back, then hand over gap, snapshot and those events."""
        self._resync_now.clear()
        within_s = self._timings.list_s
        try:
            status = (await link.request(CoreStatus(), within_s=within_s)).response
            started = f"{status.get('CoreStartupDate')} {status.get('CoreStartupTime')}"
            if self._held is None:
                self._held = []
            until = self._clock.now()
            lists = await fetch_lists(link, within_s)
        except (ActionOutcomeUnknownError, ListDamagedError) as error:
            raise LinkFailedError(f"synchronising failed: {error}") from error
        restarted = self._asterisk_started not in ("", started)
        self._asterisk_started = started
        if restarted:
            self._picture.forget()
        held, self._held = self._held or [], None
        first = self.statistics.resyncs == 0
        after_gap = self._lost_since is not None
        corrections = self._picture.replace_by(lists, held, after_gap=after_gap)
        self.statistics.resyncs += 1
        if first or restarted or after_gap:
            corrections = 0  # nothing was claimed about this time, so nothing was wrong
        self.statistics.corrections += corrections
        self._refused_lists = lists.refused
        self._hand_over_gap(until)
        snapshot = self._picture.at(self._clock.now(), lists.refused)
        self._offer(replace(snapshot, asterisk_restarted=restarted, corrections=corrections))
        for event in held:
            self._offer(event)

    def _took(self, event: TypedEvent | Event) -> None:
        """Take one event from the connection; called between reads, so it neither waits nor raises."""
        self.statistics.events += 1
        if self._held is None:
            self._picture.apply(event)
            self._offer(event)
        elif len(self._held) < self._timings.queued_events // 2:
            self._held.append(event)
        else:
            # Lists that take so long are fetched again: the picture would miss this event.
            self.statistics.events_dropped += 1
            self._mark_loss("events came faster than lists")
            self._resync_now.set()

    def _offer(self, item: Delivery) -> None:
        if self._lost_since is not None and not isinstance(item, Gap | AmiSnapshot):
            self.statistics.events_dropped += 1
            return
        if len(self._queue) >= self._timings.queued_events:
            self.statistics.events_dropped += len(self._queue) + 1
            self._queue.clear()
            self._mark_loss("the subscriber was slower than the events")
            self._resync_now.set()
            return
        self._queue.append(item)
        self._queue_filled.set()

    def _mark_loss(self, reason: str, since: datetime | None = None) -> None:
        if self._lost_since is None:
            self._lost_since, self._loss_reason = since or self._clock.now(), reason

    def _hand_over_gap(self, until: datetime) -> None:
        if self._lost_since is None:
            return
        gap = Gap(self._lost_since, max(until, self._lost_since), self._loss_reason)
        self._lost_since = None
        self.statistics.gaps += 1
        self._offer(gap)

    async def _hand_over(self) -> None:
        log = structlog.get_logger()
        while True:
            await self._queue_filled.wait()
            while self._queue:
                item = self._queue.popleft()
                try:
                    await self._deliver(item)
                except Exception:  # a border: the subscriber's bug must not cost the connection
                    self.statistics.subscriber_failures += 1
                    log.exception("ami_subscriber_failed", item=type(item).__name__)
            self._queue_filled.clear()

    def _move(self, state: LinkState, reason: str) -> None:
        changed = (state, reason) != (self._state, self._reason)
        self._state, self._reason = state, reason
        (self._ready.set if state is LinkState.READY else self._ready.clear)()
        if not changed:
            return
        log = structlog.get_logger()
        log.info("ami_link", state=state.value, reason=reason)
        if self._state_changed is not None:
            try:
                self._state_changed(state, reason)
            except Exception:  # a border, as above
                self.statistics.subscriber_failures += 1
                log.exception("ami_state_listener_failed", state=state.value)

    def _ended(self, task: asyncio.Task[None]) -> None:
        if task.cancelled() or task.exception() is None:
            return
        # A bug of ours: close() raises it; until then nobody may believe that the picture is kept.
        self._move(LinkState.CLOSED, f"ended by a fault: {task.exception()!r}")

    def _new_action_id(self) -> str:
        self._ids += 1
        return f"{self._id_prefix}-{self._ids}"
