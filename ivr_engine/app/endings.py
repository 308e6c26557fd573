"""Why a line ended: its caller hung up, or Asterisk died under it.

Knows that both look alike on the line, and that the manager connection ends too when Asterisk dies. Must not know how
records are kept: it stands before the one who keeps them and holds a hang-up back until it is sure.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from datetime import datetime
from typing import Final

import structlog

from ivr_engine.adapters.store.faults import DatabaseUnavailableError
from ivr_engine.adapters.store.journal import ASTERISK_DIED, JournalWriter
from ivr_engine.calls.session import CALLER_HUNG_UP
from ivr_engine.values.ids import CallId, CustomerNumber
from ivr_engine.values.language import Language

SETTLE_S: Final = 0.5
"""The connections of a process that dies end within milliseconds of each other; this is for a busy engine."""
UNSURE_MAX_S: Final = 60.0
"""Asterisk is back by then, or it is away for good and the plain answer has to do."""


class Endings:
    """The record of calls as sessions see it (the port `Journal`); `close()` it before the journal itself."""

    def __init__(
        self, journal: JournalWriter, *, settle_s: float = SETTLE_S, unsure_max_s: float = UNSURE_MAX_S
    ) -> None:
        self._journal = journal
        self._settle_s = settle_s
        self._unsure_max_s = unsure_max_s
        self._heard = False
        self._live: dict[CallId, str] = {}
        self._held: dict[CallId, tuple[datetime, asyncio.TimerHandle]] = {}
        self._log = structlog.get_logger()

    def call_started(
        self, call_id: CallId, *, unique_id: str, caller: str, dialled: str, flow: str, flow_hash: str, at: datetime
    ) -> None:
        """Open the record of a call."""
        self._live[call_id] = unique_id
        self._journal.call_started(
            call_id, unique_id=unique_id, caller=caller, dialled=dialled, flow=flow, flow_hash=flow_hash, at=at
        )

    def call_changed(
        self,
        call_id: CallId,
        *,
        answered_at: datetime | None = None,
        language: Language | None = None,
        customer: CustomerNumber | None = None,
    ) -> None:
        """Add what became known."""
        self._journal.call_changed(call_id, answered_at=answered_at, language=language, customer=customer)

    def step_done(
        self,
        call_id: CallId,
        seq: int,
        *,
        at_ms: int,
        flow: str,
        step: str,
        kind: str,
        outcome: str,
        took_ms: int,
        milestone: str | None = None,
        milestone_kind: str | None = None,
    ) -> None:
        """Add a step, and what was reached by it."""
        self._journal.step_done(
            call_id,
            seq,
            at_ms=at_ms,
            flow=flow,
            step=step,
            kind=kind,
            outcome=outcome,
            took_ms=took_ms,
            milestone=milestone,
            milestone_kind=milestone_kind,
        )

    def answer_kept(self, call_id: CallId, question: str, answer: int, *, at: datetime) -> None:
        """Add the answer to a question of a survey."""
        self._journal.answer_kept(call_id, question, answer, at=at)

    def call_ended(self, call_id: CallId, *, at: datetime, reason: str) -> None:
        """Close the record; a hang-up is written as soon as Asterisk is known to live, at the latest after a minute."""
        if reason != CALLER_HUNG_UP:
            self._write(call_id, at, reason)
            return
        timer = asyncio.get_running_loop().call_later(self._settle_s, self._settled, call_id)
        self._held[call_id] = (at, timer)

    def asterisk_lost(self) -> None:
        """Note that Asterisk is not heard any more: it died, or only the connection did."""
        self._heard = False

    async def asterisk_heard(self, *, restarted: bool, unique_ids: Iterable[str]) -> None:
        """Note that Asterisk is heard, whether it is a new one, and which channels it holds."""
        self._heard = True
        self._release(ASTERISK_DIED if restarted else CALLER_HUNG_UP)
        if restarted:
            # A call that began after the list was made is live, though it is not on it.
            alive = {*unique_ids, *self._live.values()}
            try:
                closed = await self._journal.close_lost(alive)
            except DatabaseUnavailableError as error:
                self._log.warning("lost_calls_not_closed", cause=str(error))
            else:
                self._log.warning("asterisk_restarted", calls_closed=closed)

    def close(self) -> None:
        """Write what is held back; harmless when repeated."""
        self._release(CALLER_HUNG_UP)

    def _settled(self, call_id: CallId) -> None:
        at, _ = self._held[call_id]
        if self._heard:
            del self._held[call_id]
            self._write(call_id, at, CALLER_HUNG_UP)
            return
        timer = asyncio.get_running_loop().call_later(self._unsure_max_s, self._give_up, call_id)
        self._held[call_id] = (at, timer)

    def _give_up(self, call_id: CallId) -> None:
        at, _ = self._held.pop(call_id)
        self._write(call_id, at, CALLER_HUNG_UP)

    def _release(self, reason: str) -> None:
        held, self._held = self._held, {}
        for call_id, (at, timer) in held.items():
            timer.cancel()
            self._write(call_id, at, reason)

    def _write(self, call_id: CallId, at: datetime, reason: str) -> None:
        self._live.pop(call_id, None)
        self._journal.call_ended(call_id, at=at, reason=reason)
