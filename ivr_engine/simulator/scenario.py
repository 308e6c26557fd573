"""Runs tests of flows in virtual time, on the runner, the conversation and the operations of real calls.

Knows how the world of a test is made and when a test has gone on for too long. Must not know files, or how results are
shown. One loop serves one test after the other; a test that leaves anything behind gets its loop thrown away.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
import signal
import threading
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from types import FrameType
from typing import Final

import structlog
from structlog.typing import FilteringBoundLogger

from ivr_engine.channel.conversation import Conversation
from ivr_engine.channel.line import CallerHungUp
from ivr_engine.flow.call import Call, QueueOutcome, Queues
from ivr_engine.flow.impact import names_used
from ivr_engine.flow.leaving import TransferOutcome
from ivr_engine.flow.model import Library
from ivr_engine.flow.runner import BudgetExceededError, Runner, StepDone
from ivr_engine.flow.scope import ZONE
from ivr_engine.flow.uses import QUEUES, SKILLS
from ivr_engine.flow.wording import Text
from ivr_engine.scenarios.model import BEGINNING, Busy, Given, GivenCustomer, Moved, Press, Scenario, Sent, Typed
from ivr_engine.scenarios.verdict import Failure, Told, judge
from ivr_engine.simulator.agents import StagedQueues
from ivr_engine.simulator.bank import MemoryBank, bank_of
from ivr_engine.simulator.caller import ScenarioCaller
from ivr_engine.simulator.leaving import LeavingAsSaid, LeftBehind
from ivr_engine.simulator.noted import NotedBackOffice, NotedOperations
from ivr_engine.simulator.office import MemoryOffice, ports_of
from ivr_engine.simulator.orders import ordered
from ivr_engine.simulator.play import BUDGET_EXCEEDED, CALLER_HUNG_UP, PlayedQueues
from ivr_engine.simulator.scenario_line import TALK_S, ScenarioLine, TooLongError
from ivr_engine.simulator.virtual_time import StuckError, VirtualClock, VirtualTimeLoop
from ivr_engine.speech.catalogue import Catalogue
from ivr_engine.values.ids import CallId
from ivr_engine.values.language import Language
from ivr_engine.values.money import Money
from ivr_engine.values.secret import SecretDigits

TOO_LONG: Final = "too_long"
CALL: Final = CallId("test")
_SILENT_LEVEL: Final = logging.CRITICAL


@dataclass(frozen=True, slots=True)
class Limits:
    """How long a test may take: virtual seconds of the call, and seconds of the machine."""

    virtual_s: float = 600.0
    real_s: float = 5.0


@dataclass(frozen=True, slots=True)
class Result:
    """One test that was run: what became of the call, and why it failed, if it did."""

    scenario: Scenario
    told: Told
    failures: tuple[Failure, ...]


class TookTooLongError(BaseException):
    """The machine's time for a test is used up; nothing that the test runs may catch this."""


class ScenarioRunner:
    """Runs tests against one library. Use as a context manager: it keeps an event loop."""

    def __init__(
        self,
        library: Library,
        catalogue: Catalogue,
        *,
        first_flow: str = "hotline",
        language: Language = Language.MANDARIN,
        limits: Limits | None = None,
        zone: str = ZONE,
    ) -> None:
        self._library = library
        self._first_flow = first_flow
        self._language = language
        self._limits = limits or Limits()
        self._zone = zone
        self._lasts_ms = _lengths(catalogue)
        self._queues = names_used(library, QUEUES), names_used(library, SKILLS)
        self._loop = VirtualTimeLoop()
        self._log: FilteringBoundLogger = structlog.wrap_logger(
            structlog.ReturnLogger(), processors=[], wrapper_class=structlog.make_filtering_bound_logger(_SILENT_LEVEL)
        )

    def __enter__(self) -> ScenarioRunner:
        return self

    def __exit__(self, *unused: object) -> None:
        self._loop.close()

    def run(self, scenario: Scenario) -> Result:
        """Run one test to its end, whatever happens, within its limits."""
        stage = _Stage(self._loop, scenario, self._language)
        line = ScenarioLine(self._loop, stage.caller, self._lasts_ms, stage.began + self._limits.virtual_s)
        failures: list[Failure] = []
        try:
            with _machine_time(self._limits.real_s):
                reason, left = self._loop.run_until_complete(self._call(scenario, stage, line))
        except TookTooLongError:
            message = Text("the test was ended: it took more than {s} s of the machine", s=self._limits.real_s)
            return self._ended(scenario, stage, message)
        except StuckError as error:
            return self._ended(scenario, stage, Text("the test was ended: {error}", error=error))
        except Exception as error:  # noqa: BLE001 # a border: a bug fails the test that met it, and the others run
            where = traceback.extract_tb(error.__traceback__)[-1]
            place, cause = f"{where.filename}:{where.lineno}", f"{type(error).__name__}: {error}"
            return self._ended(
                scenario, stage, Text("the engine has a bug at {place}: {cause}", place=place, cause=cause)
            )
        if asyncio.all_tasks(self._loop):
            return self._ended(scenario, stage, Text("something still went on when the call was over"))
        stage.caller.call_ended()
        if reason == TOO_LONG:
            message = Text("the test was ended: the call went on for {s} s", s=round(self._limits.virtual_s))
            failures.append(Failure(scenario.top, message))
        elif stage.caller.failure is not None:
            failures.append(stage.caller.failure)
        told = stage.told(reason, self._library)
        failures.extend(judge(scenario, told))
        if left:
            message = Text("{count} secrets were left in memory when the call was over", count=left)
            failures.append(Failure(scenario.top, message))
        return Result(scenario, told, tuple(failures))

    async def _call(self, scenario: Scenario, stage: _Stage, line: ScenarioLine) -> tuple[str, int]:
        """Live the call through; return why it ended, and how many secrets it left in memory."""
        with _secrets_of_this_call() as secrets:
            clock = VirtualClock(self._loop, scenario.given.begins or BEGINNING)
            bank = stage.bank = bank_of(scenario.given.customer, clock)
            conversation = Conversation(line)
            agents = scenario.given.agents or QueueOutcome.ANSWERED
            staged = StagedQueues(*self._queues, agents, clock, self._log)
            ports = ports_of(
                ordered(bank, scenario.given),
                CALL,
                clock,
                self._library.messages,
                speaks=lambda: call.language,
                log=self._log,
                caller=scenario.given.caller,
                zone=self._zone,
                queues=staged,
            )
            operations, stage.office = ports.operations, ports.office
            noted = NotedOperations(operations, scenario.given.answers, stage.asked)
            back_office = NotedBackOffice(ports.back_office, scenario.given.answers)
            left = LeavingAsSaid(stage.left, scenario.given)
            call = stage.call = Call(
                conversation,
                noted,
                _queues_of(scenario.given, staged, line, conversation),
                operations,
                self._language,
                back_office,
                caller=scenario.given.caller or CALL,
                voice_messages=left,
                callbacks=left,
                destinations=left,
            )
            runner = Runner(self._library, call, clock, on_step=stage.note)
            try:
                await line.answer()
                reason = await runner.run(scenario.flow or self._first_flow)
            except CallerHungUp:
                reason = CALLER_HUNG_UP
                await _finish(noted, runner)
                with contextlib.suppress(TimeoutError, BudgetExceededError):
                    await runner.after_hang_up()
            except BudgetExceededError:
                reason = BUDGET_EXCEEDED
            except TooLongError:
                reason = TOO_LONG
            finally:
                await _finish(noted, runner)
                runner.close()
                conversation.forget_typed_ahead()
                await staged.close()
            return reason, sum(len(secret) > 0 and not bank.holds(secret) for secret in secrets())

    def _ended(self, scenario: Scenario, stage: _Stage, message: str) -> Result:
        """End a test that did not end by itself; its loop may hold anything, so the next test gets a new one."""
        with contextlib.suppress(TookTooLongError), _machine_time(self._limits.real_s):
            left = asyncio.all_tasks(self._loop)
            for task in left:
                task.cancel()
            self._loop.run_until_complete(_ended_tasks(left))
        self._loop.close()
        self._loop = VirtualTimeLoop()
        told = stage.told(TOO_LONG, self._library)
        return Result(scenario, told, (Failure(scenario.top, message),))


class _Stage:
    """What one test gathers while it runs."""

    def __init__(self, loop: VirtualTimeLoop, scenario: Scenario, language: Language) -> None:
        self.began = loop.time()
        self.asked: list[tuple[str, str]] = []
        self.trace: list[tuple[StepDone, Language]] = []
        self.call: Call | None = None
        self.bank: MemoryBank | None = None
        self.office: MemoryOffice | None = None
        self.left = LeftBehind(transfer_ends=scenario.given.destinations or TransferOutcome.ANSWERED)
        keys = keys_of(scenario.given.customer, lambda: self.office.last_code if self.office is not None else "")
        self.caller = ScenarioCaller(scenario.steps, keys, self.began)
        self._loop = loop
        self._language = language

    def note(self, step: StepDone) -> None:
        """Keep one line of the trace with the language that was spoken in it."""
        self.trace.append((step, self.call.language if self.call is not None else self._language))

    def told(self, reason: str, library: Library) -> Told:
        """Return what became of the call."""
        rescued = (step.at_ms / 1000 for step, _ in self.trace if library.flows[step.flow].steps[step.step].rescues)
        return Told(
            reason,
            self._loop.time() - self.began,
            tuple(self.caller.heard),
            tuple(self.trace),
            tuple(self.asked),
            next(rescued, None),
            *_ledger(self.bank),
            sent=tuple(Sent.of(one.medium, one.heading, one.text) for one in self.office.read) if self.office else (),
            messages=len(self.left.messages),
            callbacks=tuple(self.left.callbacks),
        )


def _ledger(bank: MemoryBank | None) -> tuple[tuple[Moved, ...], dict[str, Money]]:
    """Return what a bank has moved, and what its accounts hold."""
    if bank is None:
        return (), {}
    return tuple(Moved(sent.debit, sent.credit, sent.amount) for sent in bank.moved), bank.booked


async def _finish(operations: NotedOperations, runner: Runner) -> None:
    late = await operations.finish()
    if late is not None:
        runner.note_late(late.outcome)


async def _ended_tasks(tasks: set[asyncio.Task[object]]) -> None:
    if tasks:
        await asyncio.wait(tasks, timeout=0)


def wrong(pin: SecretDigits) -> SecretDigits:
    """Return a PIN that differs from `pin` in its last digit."""
    digits = pin.reveal()
    return SecretDigits(digits[:-1] + b"%d" % ((digits[-1] - ord("0") + 1) % 10))


def keys_of(customer: GivenCustomer | None, code: Callable[[], str]) -> Callable[[Press], str]:
    """Return what gives the keys of a step; `code` gives the one-time code that was sent last."""

    def keys(step: Press) -> str:
        if step.typed is Typed.KEYS or customer is None:
            return step.keys
        if step.typed in (Typed.CODE, Typed.WRONG_CODE):
            sent = code()
            last = (int(sent[-1:] or 0) + (step.typed is Typed.WRONG_CODE)) % 10
            return f"{sent[:-1]}{last}"
        if step.typed is Typed.NUMBER:
            return f"{customer.number}#"
        pin = customer.pin if step.typed is Typed.PIN else wrong(customer.pin)
        return pin.reveal().decode("ascii")

    return keys


def _lengths(catalogue: Catalogue) -> Callable[[str], int]:
    @cache
    def lasts_ms(name: str) -> int:
        language, _, prompt = name.partition("/")
        return catalogue.lasts_ms(Language(language), prompt)

    return lasts_ms


def _queues_of(given: Given, staged: StagedQueues, line: ScenarioLine, talk: Conversation) -> Queues:
    """Return the queues as a test has them: somebody really waits in them only where the test says how long."""
    if not isinstance(given.agents, Busy):
        outcome = given.agents or QueueOutcome.ANSWERED
        return PlayedQueues(talk, outcome, asks_secret=given.asks_secret, talks_ms=TALK_S * 1000)
    line.agent_asks = staged.ask_secret if given.asks_secret else None
    return staged.of_call(CALL, line, line.wake, talk)


@contextlib.contextmanager
def _machine_time(seconds: float) -> Iterator[None]:
    """End what runs inside after so many seconds of the machine, even if it never waits; the main thread only."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def ring(number: int, frame: FrameType | None) -> None:
        del number, frame
        raise TookTooLongError

    before = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


@contextlib.contextmanager
def _secrets_of_this_call() -> Iterator[Callable[[], list[SecretDigits]]]:
    """Give what lists the secrets made inside; whatever was there before is not looked at."""
    gc.freeze()
    try:
        yield lambda: [found for found in gc.get_objects() if type(found) is SecretDigits]
    finally:
        gc.unfreeze()
