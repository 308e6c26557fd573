"""What one call sends to its customer and writes down for the bank's people (the `BackOffice` of the flow).

Knows who has signed in, where the bank says they are written to, and what is kept. Must not know SQL or gateways. No
text and no value is logged: only media, names of messages, and why something could not be done.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from typing import Final

import structlog
from structlog.typing import FilteringBoundLogger

from ivr_engine.banking.core import CoreBank, CoreUnavailableError
from ivr_engine.calls.desk import Desk
from ivr_engine.calls.office import (
    CASE_DATA_BYTES_MAX,
    HEADING_CHARACTERS_MAX,
    NOTE_CHARACTERS_MAX,
    TEXT_BYTES_MAX,
    CallNote,
    OfficeUnavailableError,
    OutboxMessage,
    Posted,
    ServiceCase,
    expires_at,
    id_of,
)
from ivr_engine.calls.operations import BankOperations
from ivr_engine.flow.call import Outgoing, Shown
from ivr_engine.flow.operations import UNAVAILABLE, Performed
from ivr_engine.values.clock import Clock
from ivr_engine.values.ids import CallId, CustomerNumber

DEADLINE_S: Final = 3.0

Show = Callable[[Mapping[str, Shown]], None]
"""Takes the whole screen of the call, and returns at once."""


def shown_to_nobody(screen: Mapping[str, Shown]) -> None:
    """Show a screen to nobody: for calls that no agent is offered."""
    del screen


class CallBackOffice:
    """The back office as one call sees it; what it has begun goes on when the caller hangs up."""

    def __init__(
        self,
        bank: CoreBank,
        call: CallId,
        clock: Clock,
        desk: Desk,
        operations: BankOperations,
        *,
        show: Show = shown_to_nobody,
        log: FilteringBoundLogger | None = None,
    ) -> None:
        self._bank = bank
        self._call = call
        self._clock = clock
        self._office = desk.office
        self._operations = operations
        self._show = show
        self._log = log if log is not None else structlog.get_logger()

    async def send(self, message: Outgoing, *, change: int) -> Performed:
        """Hand a message in for the address that the bank has registered."""
        return await self._carry_out(message.medium.value, lambda: self._send(message, change))

    async def open_case(self, kind: str, data: Mapping[str, Shown], *, change: int) -> Performed:
        """Open a case; without a customer when nobody has signed in."""
        return await self._carry_out("case", lambda: self._open_case(kind, data, change))

    async def note(self, text: str, *, change: int) -> Performed:
        """Keep a note."""
        return await self._carry_out("note", lambda: self._note(text, change))

    def show(self, screen: Mapping[str, Shown]) -> None:
        """Pass the screen on."""
        self._show(screen)

    async def _carry_out(self, word: str, work: Callable[[], Awaitable[Performed]]) -> Performed:
        async def within() -> Performed:
            try:
                async with asyncio.timeout(DEADLINE_S):
                    return await work()
            except (CoreUnavailableError, OfficeUnavailableError) as error:
                self._log.warning("back_office_unavailable", what=word, cause=str(error))
            except TimeoutError:
                self._log.warning("back_office_too_slow", what=word, deadline_s=DEADLINE_S)
            return Performed(UNAVAILABLE)

        return await self._operations.changes.carry_out(word, within())

    async def _send(self, message: Outgoing, change: int) -> Performed:
        customer = self._signed_in()
        if customer is None:
            # The checker lets no flow get here; a sign-in that has run out may.
            return Performed(UNAVAILABLE)
        size, most = len(message.text.encode()), TEXT_BYTES_MAX[message.medium]
        if size > most or len(message.heading) > HEADING_CHARACTERS_MAX:
            self._log.error("message_too_long", medium=message.medium.value, message=message.message, bytes=size)
            return Performed(UNAVAILABLE)
        address = (await self._bank.addresses(customer)).reached_by(message.medium)
        if address is None:
            return Performed("no_address")
        now = self._clock.now()
        content = (message.medium.value, message.message, message.language.value, message.heading, message.text)
        posted = await self._office.post(
            OutboxMessage(
                id=id_of(self._call, change, customer, *content),
                call=self._call,
                customer=customer,
                medium=message.medium,
                message=message.message,
                language=message.language,
                address=address,
                heading=message.heading,
                text=message.text,
                at=now,
                expires_at=expires_at(now),
            )
        )
        if posted is Posted.TOO_MANY:
            self._log.warning("too_many_messages", medium=message.medium.value, message=message.message)
            return Performed(UNAVAILABLE)
        return Performed("accepted")

    async def _open_case(self, kind: str, data: Mapping[str, Shown], change: int) -> Performed:
        written = as_json(data)
        if len(written.encode()) > CASE_DATA_BYTES_MAX:
            self._log.error("case_too_long", kind=kind)
            return Performed(UNAVAILABLE)
        identity = id_of(self._call, change, "case", kind, written)
        case = ServiceCase(identity, self._call, self._signed_in(), kind, written, self._clock.now())
        return Performed("opened", {"number": await self._office.open_case(case)})

    async def _note(self, text: str, change: int) -> Performed:
        kept = text[:NOTE_CHARACTERS_MAX]
        identity = id_of(self._call, change, "note", kept)
        await self._office.note(CallNote(identity, self._call, self._signed_in(), kept, self._clock.now()))
        return Performed("noted")

    def _signed_in(self) -> CustomerNumber | None:
        return self._operations.customer if self._operations.signed_in else None


def as_json(data: Mapping[str, Shown]) -> str:
    """Return values as one line of JSON: name -> {type, value}."""
    return json.dumps(
        {name: {"type": kind, "value": value} for name, (kind, value) in data.items()},
        ensure_ascii=False,
        separators=(",", ":"),
    )
