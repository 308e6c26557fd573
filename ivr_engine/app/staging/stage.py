"""One hotline of our own, on which tests of flows are placed as real calls, one after the other.

Knows how each thing that a test gives is brought about on a real hotline. Must not know how results are shown, or that
there are other stages. Asterisk, the callers and the agent's telephone stay; the engine and its database are new for
each test, so that nothing is left of the test before. All that a test does not name is as `ivr serve` has it.
"""

from __future__ import annotations

import asyncio
import contextlib
import shutil
from collections import deque
from collections.abc import AsyncIterator, Coroutine, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from types import MappingProxyType
from typing import Any, Final

from ivr_engine.adapters.asterisk.process import AsteriskProcess
from ivr_engine.adapters.asterisk.render import render
from ivr_engine.adapters.bank.embedded import EmbeddedCore
from ivr_engine.adapters.bank.seeding import NotBookedError, seed_given
from ivr_engine.adapters.store.calls import CallHistory
from ivr_engine.adapters.store.database import Database
from ivr_engine.adapters.store.left_behind import LeftBehind
from ivr_engine.adapters.store.office import messages_to, text_sent_last
from ivr_engine.app.comparing import (
    CODE,
    asked_otherwise,
    call_differs,
    left_otherwise,
    messages_differ,
    milestones_differ,
    money_differs,
)
from ivr_engine.app.engine import running_engine
from ivr_engine.app.failures import EXPECTED, expected
from ivr_engine.app.placing import Placed, PlacingError
from ivr_engine.app.prepare import asterisk_settings
from ivr_engine.app.settings import Settings
from ivr_engine.app.staging.ground import AGENT, DESTINATION, Ground, fresh_settings
from ivr_engine.app.staging.world import LOOK_EVERY_S, Desk, World
from ivr_engine.calls.step_up import CODE_MESSAGE
from ivr_engine.flow.call import QueueOutcome
from ivr_engine.flow.leaving import TransferOutcome
from ivr_engine.flow.wording import Text
from ivr_engine.scenarios.model import Press, Scenario, Typed
from ivr_engine.simulator.scenario import Result, keys_of, wrong
from ivr_engine.simulator.scenario_line import TALK_S
from ivr_engine.testcaller.follow import STAYS_MS, CallReport, KeysOf, follow
from ivr_engine.testcaller.phone import Phone, Target
from ivr_engine.testcaller.sip import Account
from ivr_engine.testcaller.telephone import Telephone
from ivr_engine.values.ids import CustomerNumber, RandomIds
from ivr_engine.values.secret import SecretDigits

OVER_WITHIN_S: Final = 60.0
"""How long what the caller ordered may go on when they have hung up."""
WITHHELD: Final = "anonymous"
"""Who calls where the network does not say (RFC 3323 section 4.1.1.3)."""
_REFUSALS: Final[Mapping[TransferOutcome, str]] = MappingProxyType(
    {TransferOutcome.BUSY: "486 Busy Here", TransferOutcome.UNREACHABLE: "404 Not Found"}
)


class Stage:
    """One such hotline. Use `Stage.at(...)`; one test at a time."""

    def __init__(self, ground: Ground, settings: Settings, group: int | None) -> None:
        self._ground = ground
        self._settings = settings
        self._group = group
        self._account = Account(AGENT, ground.secrets.agents[AGENT])
        self._signed_in = False
        self._phone: Phone
        self._desk: Desk
        self._destination: Telephone | None = None

    @classmethod
    @asynccontextmanager
    async def at(cls, ground: Ground, number: int, ports: Sequence[int]) -> AsyncIterator[Stage]:
        """Start Asterisk on these free `PORTS` and the telephones; end them, whatever happens, on leaving.

        Raises what `ivr serve` raises when it cannot start.
        """
        settings = fresh_settings(ground, number, ports)
        settings.state_dir.mkdir(parents=True)
        settings.sounds_dir.symlink_to(ground.given.sounds_dir.resolve())
        target = Target(settings.sip_bind, settings.sip_port)
        async with AsyncExitStack() as stack:
            if ground.given.destinations:
                destination = await stack.enter_async_context(Telephone.at(target, ground.recordings))
                address = f"sip:{DESTINATION}@{target.local_host}:{destination.port}"
                names = dict.fromkeys(ground.given.destinations, address)
                settings = settings.model_copy(update={"destinations": names})
            render(asterisk_settings(settings, ground.secrets, ground.install), settings.asterisk_conf_dir)
            asterisk = AsteriskProcess(
                ground.install,
                settings.asterisk_conf_dir,
                settings.run_dir,
                readable=[ground.given.sounds_dir.resolve()],
            )
            stack.push_async_callback(asterisk.stop)
            await asterisk.start()
            stage = cls(ground, settings, asterisk.group_id)
            stage._phone = await stack.enter_async_context(Phone.at(target, ground.recordings))
            at_work = replace(target, account=stage._account)
            stage._desk = Desk(await stack.enter_async_context(Telephone.at(at_work, ground.recordings)))
            await stack.enter_async_context(_meanwhile(stage._desk.serve()))
            if ground.given.destinations:
                stage._destination = destination
            yield stage

    async def place(self, scenario: Scenario, virtual: Result) -> Placed:
        """Place a test whose call in virtual time is known, and compare the two."""
        database = self._new_database()
        world = World(scenario, self._ground, self._desk)
        try:
            await self._seed(scenario, database, world)
            await self._sign_in(wanted=world.agents is not QueueOutcome.NO_AGENTS)
            report = await self._call(scenario, virtual, database, world)
            return await self._compared(scenario, virtual, report, database, world)
        except NotBookedError as error:
            return Placed(scenario, virtual, None, None, (str(error),))
        except (*EXPECTED, ExceptionGroup) as error:
            if (message := expected(error)) is None:
                raise
            return Placed(scenario, virtual, None, None, (message,))
        finally:
            await database.close()
            shutil.rmtree(self._settings.messages_dir, ignore_errors=True)

    async def _call(self, scenario: Scenario, virtual: Result, database: Database, world: World) -> CallReport:
        settings = self._settings
        if scenario.flow is not None:
            settings = settings.model_copy(update={"first_flow": scenario.flow})
        engine_runs = running_engine(settings, self._ground.secrets, sounds_group=self._group, parts=world.parts)
        async with engine_runs as engine, _meanwhile(self._at_destination(scenario)), world.staffed(engine):
            report = await follow(
                scenario.steps,
                self._phone,
                settings.dial,
                keys_of=_keys_of(scenario, database, world.read),
                caller=scenario.given.caller or WITHHELD,
                title=scenario.title,
                stays_ms=STAYS_MS + round(virtual.told.seconds * 1000),
            )
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(OVER_WITHIN_S):
                    while engine.server.open_sessions:  # noqa: ASYNC110 # the server wakes nobody who only looks
                        await asyncio.sleep(LOOK_EVERY_S)
            return report

    async def _compared(
        self, scenario: Scenario, virtual: Result, report: CallReport, database: Database, world: World
    ) -> Placed:
        """Compare when the engine has ended, and written all that it knows."""
        told = virtual.told
        if report.answered_s is None:
            return Placed(scenario, virtual, None, report, (report.failure or Text("nobody answered"),))
        history = CallHistory(database)
        calls = await history.calls(1)
        recorded = await history.call(calls[0].id) if calls else None
        left = LeftBehind(database, world.clock)
        callbacks = [one.number for one in await left.callbacks()]
        differences = [
            *call_differs(told, report, recorded),
            *asked_otherwise(told, world.asked),
            *milestones_differ(told, recorded[1] if recorded is not None else ()),
            *left_otherwise(told, len(await left.messages()), callbacks),
        ]
        if scenario.given.customer is not None:
            customer = CustomerNumber(scenario.given.customer.number)
            core = EmbeddedCore(database, pin_key=self._pin_key, clock=world.clock)
            balances = [await core.balance(account.number) for account in await core.accounts(customer)]
            differences.extend(money_differs(told, [one.booked for one in balances if one is not None]))
            differences.extend(messages_differ(told, _as_read(await messages_to(database, customer), world.read), CODE))
        return Placed(scenario, virtual, None, report, tuple(differences))

    def _new_database(self) -> Database:
        file = self._settings.state_dir / "hotline.db"
        for left in file.parent.glob(f"{file.name}*"):
            left.unlink()
        shutil.copyfile(self._ground.database, file)
        return Database(self._settings.database)

    async def _seed(self, scenario: Scenario, database: Database, world: World) -> None:
        customer = scenario.given.customer
        if customer is None:
            return
        mistyped = wrong(customer.pin)
        ids = RandomIds(world.clock)
        try:
            await seed_given(database, self._pin_key, customer, mistyped, clock=world.clock, ids=ids)
        finally:
            mistyped.wipe()

    async def _sign_in(self, *, wanted: bool) -> None:
        """Sign the agent in or out, before the engine asks who is there; who is in says so again, or is forgotten."""
        try:
            if wanted:
                await self._desk.telephone.register(self._account)
            elif self._signed_in:
                await self._desk.telephone.register(self._account, expires_s=0)
        except ConnectionError as error:
            message = f"the agent's telephone cannot be signed in: {error}"
            raise PlacingError(message) from None
        self._signed_in = wanted

    async def _at_destination(self, scenario: Scenario) -> None:
        """Let the telephone to which callers are handed do as the test says, until cancelled."""
        ends = scenario.given.destinations or TransferOutcome.ANSWERED
        if self._destination is None or ends is TransferOutcome.NO_ANSWER:
            return
        if ends in _REFUSALS:
            await self._destination.refuse(_REFUSALS[ends])
        await self._destination.serve(lambda _: asyncio.sleep(TALK_S))

    @property
    def _pin_key(self) -> bytes:
        return bytes.fromhex(self._ground.secrets.pin_key)


@asynccontextmanager
async def _meanwhile(work: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    """Do this as long as the context lasts."""
    async with asyncio.TaskGroup() as group:
        task = group.create_task(work)
        try:
            yield
        finally:
            task.cancel()


def _as_read(kept: Sequence[tuple[str, str, str]], read: Sequence[str]) -> list[tuple[str, str, str]]:
    """Return the messages as the customer has read them, those that were wiped since included."""
    wiped = deque(text for text in dict.fromkeys(read) if all(text != other for _, _, other in kept))
    return [(medium, heading, text or (wiped.popleft() if wiped else "")) for medium, heading, text in kept]


def _keys_of(scenario: Scenario, database: Database, read: list[str]) -> KeysOf:
    """Return what gives the keys of a step: as in virtual time, but that a code is read where it waits to be sent."""
    customer = scenario.given.customer

    async def keys(step: Press) -> str | SecretDigits:
        sent = ""
        if step.typed in (Typed.CODE, Typed.WRONG_CODE) and customer is not None:
            read.append(await text_sent_last(database, CustomerNumber(customer.number), CODE_MESSAGE))
            found = CODE.search(read[-1])
            sent = found[0] if found is not None else ""
        typed = keys_of(customer, lambda: sent)(step)
        return typed if step.typed in (Typed.KEYS, Typed.NUMBER) else SecretDigits(typed.encode("ascii"))

    return keys
