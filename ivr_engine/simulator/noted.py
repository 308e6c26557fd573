"""What a call asks of the bank and of the back office, noted; and what ends as a test says, whatever the bank holds.

Knows the ports of a call and the answers of a test. Must not know whether the call is in virtual time or a real one.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from functools import partial

from ivr_engine.calls.around import CallOperations
from ivr_engine.calls.changes import LateChange
from ivr_engine.flow.call import BackOffice, Outgoing, Shown
from ivr_engine.flow.operations import DEADLINE_MS, Performed
from ivr_engine.flow.values import Value
from ivr_engine.scenarios.model import Answer


@dataclass(slots=True)
class NotedOperations:
    """The bank's operations; some end as the test says, and all are noted with how they ended."""

    real: CallOperations
    answers: Mapping[str, Answer]
    asked: list[tuple[str, str]] = field(default_factory=list)

    async def perform(
        self, name: str, arguments: Mapping[str, Value], *, within_ms: int = DEADLINE_MS, change: int = 0
    ) -> Performed:
        """Carry one operation out, or end it as the test says."""
        work = partial(self.real.perform, name, arguments, within_ms=within_ms, change=change)
        return await _noted(name, self.answers, self.asked, work)

    async def finish(self) -> LateChange | None:
        """Wait for what the caller ordered before hanging up, as a real call does, and note what became of it."""
        late = await self.real.finish()
        if late is not None:
            self.asked.append((late.operation, late.outcome))
        return late


@dataclass(slots=True)
class NotedBackOffice:
    """The back office; some of what it does ends as the test says."""

    real: BackOffice
    answers: Mapping[str, Answer]
    asked: list[tuple[str, str]] = field(default_factory=list)

    async def send(self, message: Outgoing, *, change: int) -> Performed:
        """Hand a message in, or end as the test says."""
        return await self._done(message.medium.value, lambda: self.real.send(message, change=change))

    async def open_case(self, kind: str, data: Mapping[str, Shown], *, change: int) -> Performed:
        """Open a case, or end as the test says."""
        return await self._done("case", lambda: self.real.open_case(kind, data, change=change))

    async def note(self, text: str, *, change: int) -> Performed:
        """Keep a note, or end as the test says."""
        return await self._done("note", lambda: self.real.note(text, change=change))

    def show(self, screen: Mapping[str, Shown]) -> None:
        """Nobody looks at the screen of a test."""
        self.real.show(screen)

    async def _done(self, word: str, work: Callable[[], Awaitable[Performed]]) -> Performed:
        return await _noted(word, self.answers, self.asked, work)


async def _noted(
    word: str, answers: Mapping[str, Answer], asked: list[tuple[str, str]], work: Callable[[], Awaitable[Performed]]
) -> Performed:
    """Do the work, or end as the test says from so many times on; note how it ended."""
    answer = answers.get(word)
    if answer is not None and sum(before == word for before, _ in asked) >= answer.after:
        performed = Performed(answer.outcome)
    else:
        performed = await work()
    asked.append((word, performed.outcome))
    return performed
