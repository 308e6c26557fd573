"""Tests of flows placed as real calls through a running hotline, and compared with the same calls in virtual time.

Knows what of a test can be brought about on a real system, the embedded bank, the telephone and the record of calls.
Must not start a hotline. Each call is made by a fresh customer, from a number that nobody else calls from.
"""

from __future__ import annotations

import asyncio
import dataclasses
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Final

from ivr_engine.adapters.bank.embedded import EmbeddedCore
from ivr_engine.adapters.bank.seeding import NotBookedError, forget_pin, seed_fresh
from ivr_engine.adapters.store.calls import CallHistory, CallRecord, StepRecord
from ivr_engine.adapters.store.database import Database
from ivr_engine.adapters.store.office import messages_to
from ivr_engine.app.comparing import call_differs, messages_differ, money_differs
from ivr_engine.app.secrets_file import load_or_make
from ivr_engine.app.settings import Settings
from ivr_engine.calls.signatures import CALLER_NUMBER
from ivr_engine.flow.wording import Text
from ivr_engine.scenarios.model import CALLER, Press, Scenario, Typed
from ivr_engine.scenarios.verdict import Told
from ivr_engine.simulator.scenario import Result, ScenarioRunner, wrong
from ivr_engine.testcaller.follow import CallReport, KeysOf, follow
from ivr_engine.testcaller.phone import Phone, Target
from ivr_engine.testcaller.recordings import Recordings
from ivr_engine.testcaller.voice import VOICE_MS, speech
from ivr_engine.values.clock import SystemClock
from ivr_engine.values.ids import CustomerNumber, RandomIds
from ivr_engine.values.money import Money
from ivr_engine.values.secret import SecretDigits

RECORDED_WITHIN_S: Final = 10.0
LOOK_EVERY_S: Final = 0.1
_CALLS_LOOKED_AT: Final = 200
_AS_DIGITS: Final = str.maketrans({letter: str(ord(letter) % 10) for letter in "ABCDEFGHIJKLMNOPQRSTUVWXYZ"})


class PlacingError(Exception):
    """No call can be placed from here; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Placed:
    """One test as a real call: why it was not placed, or how it went and where it differs from virtual time."""

    scenario: Scenario
    virtual: Result
    skipped: str | None = None
    report: CallReport | None = None
    differences: tuple[str, ...] = ()

    @property
    def passed(self) -> bool:
        """Whether the call went as the test says, in both worlds, and alike."""
        return self.skipped is None and not self.differences


def why_not(scenario: Scenario, told: Told, given: Settings) -> str | None:
    """Return why a test cannot be brought about on a real hotline, or None."""
    world = scenario.given
    if world.bank_away or world.answer_after_s or world.answers:
        return Text("a real bank is not away, slow or mistaken to order")
    if world.leaving:
        return Text("what is left behind is kept by a real hotline, and a real telephone does as it likes")
    if world.caller != CALLER or any(name == CALLER_NUMBER for name, _ in told.operations):
        return Text("a real call has a number of its own")
    if world.begins is not None:
        return Text("a real call begins when it is placed")
    if world.agents is not None or told.human_after_s is not None:
        return Text("it reaches the bank's people, who do as they like")
    if any(isinstance(step, Press) and step.typed in (Typed.CODE, Typed.WRONG_CODE) for step in scenario.steps):
        return Text("a code is sent to a telephone that nobody here can read")
    if scenario.flow not in (None, given.first_flow):
        return Text("a real call begins with flow '{flow}'", flow=given.first_flow)
    if given.bank_url:
        return Text("the bank behind this hotline is a real one")
    return None


def rehearse(scenario: Scenario, runner: ScenarioRunner, given: Settings) -> Placed:
    """Run a test in virtual time as if it began now, before any real call; say whether it can be placed."""
    now = dataclasses.replace(scenario.given, begins=scenario.given.begins or SystemClock().now())
    virtual = runner.run(dataclasses.replace(scenario, given=now))
    differences = tuple(failure.message for failure in virtual.failures)
    return Placed(scenario, virtual, why_not(scenario, virtual.told, given), differences=differences)


class Placer:
    """Places tests that were rehearsed. Use as an asynchronous context manager."""

    def __init__(self, given: Settings) -> None:
        self._given = given
        self._clock = SystemClock()
        self._ids = RandomIds(self._clock)
        self._stack = AsyncExitStack()
        self._phone: Phone | None = None
        self._database = Database(given.database)

    async def __aenter__(self) -> Placer:
        target = Target(self._given.sip_bind, self._given.sip_port)
        try:
            recordings = Recordings.load(self._given.sounds_dir, voice=speech(VOICE_MS))
        except ValueError as error:
            message = f"{error}; is the hotline running (`make run`)? Else: ivr prompts build"
            raise PlacingError(message) from None
        self._stack.push_async_callback(self._database.close)
        self._phone = await self._stack.enter_async_context(Phone.at(target, recordings, ids=self._ids))
        return self

    async def __aexit__(self, *unused: object) -> None:
        await self._stack.aclose()

    async def place(self, rehearsed: Placed) -> Placed:
        """Place a test, unless it cannot be brought about or failed in virtual time already."""
        if rehearsed.skipped is not None or rehearsed.differences:
            return rehearsed
        scenario, virtual = rehearsed.scenario, rehearsed.virtual
        try:
            number = await self._seed(scenario)
        except NotBookedError as error:
            return Placed(scenario, virtual, str(error))
        try:
            return await self._placed(rehearsed, number)
        finally:
            if number is not None:
                await forget_pin(self._database, number)

    async def _placed(self, rehearsed: Placed, number: CustomerNumber | None) -> Placed:
        assert self._phone is not None  # noqa: S101 # entered: says the type
        scenario, virtual = rehearsed.scenario, rehearsed.virtual
        caller = f"139{self._ids.new()[-12:]}".translate(_AS_DIGITS)
        report = await follow(
            scenario.steps,
            self._phone,
            self._given.dial,
            keys_of=_keys_of(scenario, number),
            caller=caller,
            title=scenario.title,
        )
        if report.answered_s is None:
            return Placed(scenario, virtual, None, report, (report.failure or Text("nobody answered"),))
        recorded = await self._record(caller)
        differences = [*call_differs(virtual.told, report, recorded)]
        if number is not None:
            differences.extend(money_differs(virtual.told, await self._booked(number)))
            differences.extend(messages_differ(virtual.told, await messages_to(self._database, number)))
        return Placed(scenario, virtual, None, report, tuple(differences))

    async def _seed(self, scenario: Scenario) -> CustomerNumber | None:
        customer = scenario.given.customer
        if customer is None:
            return None
        key = self._pin_key()
        mistyped = wrong(customer.pin)
        try:
            return await seed_fresh(self._database, key, customer, mistyped, clock=self._clock, ids=self._ids)
        finally:
            mistyped.wipe()

    def _pin_key(self) -> bytes:
        return bytes.fromhex(load_or_make(self._given.state_dir, self._given.agents).pin_key)

    async def _booked(self, customer: CustomerNumber) -> list[Money]:
        """Return what the accounts of the fresh customer hold now, in their order; their numbers are fresh as well."""
        core = EmbeddedCore(self._database, pin_key=self._pin_key(), clock=self._clock)
        balances = [await core.balance(account.number) for account in await core.accounts(customer)]
        return [balance.booked for balance in balances if balance is not None]

    async def _record(self, caller: str) -> tuple[CallRecord, tuple[StepRecord, ...]] | None:
        """Return the hotline's own record of the call from this number, when it is closed."""
        history = CallHistory(self._database)
        for _ in range(round(RECORDED_WITHIN_S / LOOK_EVERY_S)):
            calls = await history.calls(_CALLS_LOOKED_AT)
            mine = next((call for call in calls if call.caller == caller and call.ended_at is not None), None)
            if mine is not None:
                return await history.call(mine.id)
            await asyncio.sleep(LOOK_EVERY_S)
        return None


def _keys_of(scenario: Scenario, number: CustomerNumber | None) -> KeysOf:
    """Return what gives the keys of a step: the number of the fresh customer in place of the given one's."""

    async def keys(step: Press) -> str | SecretDigits:
        customer = scenario.given.customer
        if customer is None or step.typed is Typed.KEYS:
            return step.keys
        if step.typed is Typed.NUMBER:
            return f"{number}#"
        return customer.pin if step.typed is Typed.PIN else wrong(customer.pin)

    return keys
