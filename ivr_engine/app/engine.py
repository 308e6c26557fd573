"""One engine process: everything concrete is built and joined here, and taken down in the opposite order.

Knows every concrete class. Must not decide anything about a call.
"""

from __future__ import annotations

import asyncio
import hashlib
import ipaddress
import os
import pathlib
import random
import shutil
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final

import structlog
from aiohttp import web

from ivr_engine.acd.model import QueueName, QueueSettings
from ivr_engine.adapters.asterisk.agi_session import AgiSession, AgiTimings
from ivr_engine.adapters.asterisk.ami import AmiClient, AmiSnapshot, AmiTarget, Delivery, LinkState
from ivr_engine.adapters.asterisk.fastagi import FastAgiServer, Handler
from ivr_engine.adapters.asterisk.line import CONSULT_CONTEXT, HOLD_SCRIPT, AsteriskLine
from ivr_engine.adapters.asterisk.recording import IncomingRecordings
from ivr_engine.adapters.asterisk.render import RECORDINGS_FOLDER
from ivr_engine.adapters.asterisk.sounds import SoundFolder
from ivr_engine.adapters.bank.embedded import EmbeddedCore
from ivr_engine.adapters.bank.rest import RestCore
from ivr_engine.adapters.store.database import Database
from ivr_engine.adapters.store.faults import DatabaseUnavailableError
from ivr_engine.adapters.store.journal import JournalWriter
from ivr_engine.adapters.store.left_behind import CallbackRequests, KeptMessages, LeftBehind
from ivr_engine.adapters.store.message_files import MessageFiles
from ivr_engine.adapters.store.office import OfficeStore
from ivr_engine.app.endings import Endings
from ivr_engine.app.flow_world import QUEUE, flow_world, read_messages
from ivr_engine.app.metrics import Metrics
from ivr_engine.app.secrets_file import Secrets
from ivr_engine.app.settings import Settings
from ivr_engine.app.telephones import WANTED, Telephones
from ivr_engine.banking.core import CoreBank
from ivr_engine.calls.around import Around, as_it_is
from ivr_engine.calls.consulting import Consultations
from ivr_engine.calls.desk import Desk
from ivr_engine.calls.leaving import LeavingSettings
from ivr_engine.calls.office import OfficeUnavailableError
from ivr_engine.calls.ports import Arrival
from ivr_engine.calls.queueing import AgentQueues
from ivr_engine.calls.session import CallSession, Hotline
from ivr_engine.flow.findings import did_you_mean
from ivr_engine.flow.library import FlowFolder
from ivr_engine.values.clock import Clock, SystemClock
from ivr_engine.values.ids import RandomIds
from ivr_engine.web.service import service_application

FLOWS_LOOKED_AT_EVERY_S: Final = 0.5
TIDIED_UP_EVERY_S: Final = 60.0
LEFT_LOOKED_AT_EVERY_S: Final = 5.0
DRAIN_S: Final = 5.0
MEMORY_FOLDER: Final = pathlib.Path("/dev/shm")  # noqa: S108 # memory, not disk: read-outs are personal data


class EngineError(Exception):
    """The engine cannot start; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class Engine:
    """A running engine."""

    agi_port: int
    server: FastAgiServer
    queues: AgentQueues
    journal: JournalWriter
    flows: FlowFolder


@dataclass(frozen=True, slots=True)
class Parts:
    """What an engine is built of where it may be another than the hotline's own: the defaults are the hotline.

    `flows` reads the flows, `bank` takes the core and returns what calls ask; `around` is what stands around each call.
    """

    clock: Clock = field(default_factory=SystemClock)
    flows: Callable[[Settings], FlowFolder] = lambda settings: read_flows(settings)
    bank: Callable[[CoreBank], CoreBank] = as_it_is
    around: Around = field(default_factory=Around)


@asynccontextmanager
async def running_engine(
    settings: Settings, secrets: Secrets, *, sounds_group: int | None = None, parts: Parts | None = None
) -> AsyncIterator[Engine]:
    """Run an engine as long as the context lasts; raise `EngineError` when it cannot start."""
    parts = parts or Parts()
    clock, log, metrics = parts.clock, structlog.get_logger(), Metrics()
    ids = RandomIds(clock)
    async with asyncio.TaskGroup() as group, AsyncExitStack() as stack:
        flows = parts.flows(settings)
        database, journal, core = await _open_store(stack, settings, secrets, clock)
        bank = parts.bank(core)
        endings = Endings(journal)
        stack.callback(endings.close)
        joined = _joined_folder(settings, sounds_group)
        stack.callback(shutil.rmtree, joined, ignore_errors=True)
        sounds = SoundFolder(settings.sounds_dir, joined, ids=ids)
        recordings = _incoming(settings, ids)

        ami, queues, consultations = _join_humans(settings, secrets, clock, ids, endings)
        office = OfficeStore(database, key=bytes.fromhex(secrets.pin_key), clock=clock)
        desk = Desk(office, read_messages(settings), ids)
        hotline = Hotline(
            flows,
            bank,
            desk,
            queues,
            journal,
            endings,
            clock,
            ids,
            settings.first_flow,
            settings.default_language,
            QUEUE,
            settings.zone,
            _leaving(settings, database, ids, consultations),
            parts.around,
        )
        server = _server(settings, secrets, _handler(hotline, sounds, recordings, metrics, consultations), metrics)
        watches = (_watch_flows(flows, metrics), _watch_left(LeftBehind(database, clock), metrics))
        for work in (queues.run(), *watches, _tidy_up(office, settings)):
            stack.callback(group.create_task(work).cancel)
        await ami.start()
        stack.push_async_callback(ami.close)

        async def health() -> Mapping[str, str]:
            return await _health(database, ami, flows)

        def refresh() -> None:
            metrics.calls_live.set(server.open_sessions - consultations.running - queues.holds.running)
            metrics.callers_waiting.set(len(queues.state.callers))
            metrics.ami_ready.set(ami.state is LinkState.READY)
            metrics.journal_rows_waiting.set(journal.waiting)

        await _serve_web(stack, settings, service_application(metrics.registry, health, refresh))
        with _port_told("FastAGI", "AGI", settings.agi_host, settings.agi_port):
            port = await server.start(settings.agi_host, settings.agi_port)
        stack.push_async_callback(server.close)
        log.info("engine_ready", agi_port=port, flows=flows.current.version)
        yield Engine(port, server, queues, journal, flows)
        await server.drain(DRAIN_S)


def _server(settings: Settings, secrets: Secrets, handler: Handler, metrics: Metrics) -> FastAgiServer:
    return FastAgiServer(
        token=secrets.agi_token,
        handler=handler,
        allowed_peers=[ipaddress.ip_network(network) for network in settings.agi_peers],
        timings=AgiTimings(think=metrics.engine_seconds.observe),
    )


def _handler(
    hotline: Hotline,
    sounds: SoundFolder,
    recordings: IncomingRecordings,
    metrics: Metrics,
    consultations: Consultations,
) -> Callable[[AgiSession], Awaitable[None]]:
    async def serve_other(session: AgiSession) -> None:
        """Ask who was dialled whether they take the call; be with an agent who waits for a caller."""
        line = AsteriskLine(session, sounds)
        try:
            if session.environment.script == CONSULT_CONTEXT:
                await consultations.ask(next(iter(session.arguments), ""), line)
            else:
                await hotline.queues.holds.keep(session.environment.channel, line)
        finally:
            line.close()

    async def handle(session: AgiSession) -> None:
        environment = session.environment
        if environment.script in (CONSULT_CONTEXT, HOLD_SCRIPT):
            await serve_other(session)
            return
        arrival = Arrival(
            environment.unique_id,
            environment.channel,
            environment.caller_number or "",
            environment.dialled_number,
        )
        line = AsteriskLine(session, sounds, recordings)
        call = CallSession(hotline, line, arrival)
        metrics.calls_started.inc()
        with structlog.contextvars.bound_contextvars(call_id=call.call_id):
            try:
                reason = await call.run()
                metrics.calls_ended.labels(reason).inc()
            finally:
                line.close()
                metrics.keys_taken.inc(call.keys_taken)
                for reached in call.milestones:
                    metrics.milestones.labels(*reached).inc()

    return handle


def _incoming(settings: Settings, ids: RandomIds) -> IncomingRecordings:
    """Return the folder into which Asterisk records, without what a killed engine has left there."""
    recordings = IncomingRecordings(settings.run_dir / RECORDINGS_FOLDER, ids)
    if left := recordings.sweep():
        structlog.get_logger().warning("recordings_of_a_killed_engine_removed", files=left)
    return recordings


def _leaving(settings: Settings, database: Database, ids: RandomIds, consultations: Consultations) -> LeavingSettings:
    files = MessageFiles(settings.messages_dir, most_bytes=settings.messages_mb * 1_000_000)
    return LeavingSettings(
        KeptMessages(database, files, ids),
        CallbackRequests(database, ids),
        consultations,
        settings.endpoints,
        settings.numbers_allowed,
    )


async def _watch_left(left: LeftBehind, metrics: Metrics) -> None:
    """Show how much waits for staff, also what was dealt with elsewhere; while the database is away, as it was."""
    while True:
        with suppress(DatabaseUnavailableError):
            waiting = await left.open()
            metrics.messages_new.set(waiting.messages)
            metrics.callbacks_waiting.set(waiting.callbacks)
        await asyncio.sleep(LEFT_LOOKED_AT_EVERY_S)


def read_flows(settings: Settings) -> FlowFolder:
    """Return the flows of the folder; raise `EngineError` unless calls can begin with them."""
    flows = FlowFolder(settings.flows_dir, flow_world(settings))
    library = flows.refresh()
    if library.findings:
        shown = "\n".join(finding.render() for finding in library.findings)
        message = f"the flows have findings; mend them, then start again:\n{shown}"
        raise EngineError(message)
    if settings.first_flow not in library.flows:
        nearest = did_you_mean(settings.first_flow, library.flows)
        message = f"there is no flow '{settings.first_flow}' to begin with ({nearest}): set IVR_FIRST_FLOW"
        raise EngineError(message)
    return flows


async def _watch_flows(flows: FlowFolder, metrics: Metrics) -> None:
    """Use a changed flow from the next call on; findings are logged once, and the good flows stay.

    Flows are read and proved in a thread: a thousand steps take a fifth of a second, in which a caller's key is lost.
    """
    log = structlog.get_logger()
    seen = flows.refresh()
    while True:
        await asyncio.sleep(FLOWS_LOOKED_AT_EVERY_S)
        read = await asyncio.to_thread(flows.refresh)
        if read is seen:
            continue
        seen = read
        metrics.flow_findings.set(len(read.findings))
        if read.findings:
            log.error("flows_refused", findings=[finding.render() for finding in read.findings])
        else:
            log.info("flows_changed", version=read.version)


async def _tidy_up(office: OfficeStore, settings: Settings) -> None:
    """Wipe, once a minute, codes and texts that have expired and screens that nobody needs any more."""
    log = structlog.get_logger()
    kept = timedelta(minutes=settings.screen_kept_min)
    while True:
        try:
            wiped = await office.tidy_up(screens_kept_for=kept)
        except OfficeUnavailableError as error:
            log.warning("tidy_up_failed", cause=str(error))
        else:
            if wiped:
                log.info("messages_expired", count=wiped)
        await asyncio.sleep(TIDIED_UP_EVERY_S)


def _bank(settings: Settings, secrets: Secrets, database: Database, clock: Clock) -> CoreBank:
    if settings.bank_url:
        try:
            return RestCore(settings.bank_url, token=secrets.bank_token)
        except ValueError as error:
            message = f"setting bank_url (IVR_BANK_URL): {error}"
            raise EngineError(message) from None
    return EmbeddedCore(database, pin_key=bytes.fromhex(secrets.pin_key), clock=clock)


async def _open_store(
    stack: AsyncExitStack, settings: Settings, secrets: Secrets, clock: Clock
) -> tuple[Database, JournalWriter, CoreBank]:
    """Open the database, the record of calls and the bank; they are closed in the opposite order."""
    database = Database(settings.database)
    stack.push_async_callback(database.close)
    journal = JournalWriter(database, engine_id=settings.engine_id, clock=clock)
    bank = _bank(settings, secrets, database, clock)
    stack.push_async_callback(bank.close)
    await _open_journal(journal, settings.engine_id)
    stack.push_async_callback(journal.close)
    return database, journal, bank


def _join_humans(
    settings: Settings, secrets: Secrets, clock: Clock, ids: RandomIds, endings: Endings
) -> tuple[AmiClient, AgentQueues, Consultations]:
    """Join the queues with what Asterisk says of the agents' telephones, and the records with whether it lives."""
    telephones = Telephones(settings.agents, QUEUE, settings.skills)

    async def deliver(item: Delivery) -> None:
        await telephones.deliver(item)
        if isinstance(item, AmiSnapshot):
            await endings.asterisk_heard(restarted=item.asterisk_restarted, unique_ids=item.channels)

    def link_changed(state: LinkState, reason: str) -> None:
        del reason  # the client logs it
        if state not in (LinkState.SYNCHRONISING, LinkState.READY):
            endings.asterisk_lost()

    ami = AmiClient(
        AmiTarget(settings.ami_host, settings.ami_port, "engine", secrets.ami_engine),
        deliver=deliver,
        state_changed=link_changed,
        clock=clock,
        jitter=random.Random(),  # noqa: S311 # spreads reconnects, guards nothing
        wanted=WANTED,
    )
    queue = QueueSettings(
        QueueName(QUEUE), ring_s=settings.ring_s, wrap_up_s=settings.wrap_up_s, max_wait_s=settings.max_wait_s
    )
    queues = AgentQueues([queue], clock, telephones.wake, fetch=telephones.fetch)
    telephones.join(queues, ami)
    return ami, queues, Consultations(ids, telephones.has_left)


async def _open_journal(journal: JournalWriter, engine_id: str) -> None:
    try:
        await journal.close_orphans(engine_id)
    except DatabaseUnavailableError as error:
        message = f"the database is away: {error}. Start it, or set IVR_DATABASE_URL; see ivr db check"
        raise EngineError(message) from None
    await journal.start()


def _joined_folder(settings: Settings, group: int | None) -> pathlib.Path:
    """Return the folder in memory for joined recordings, one for each state folder, readable by Asterisk's group."""
    base = MEMORY_FOLDER if MEMORY_FOLDER.is_dir() else pathlib.Path(tempfile.gettempdir())
    digest = hashlib.sha256(str(settings.state_dir.resolve()).encode()).hexdigest()[:12]
    folder = base / f"ivr-{settings.engine_id}-{digest}"
    folder.mkdir(mode=0o750, exist_ok=True)
    if group is not None:
        os.chown(folder, -1, group)
    return folder


async def _serve_web(stack: AsyncExitStack, settings: Settings, application: web.Application) -> None:
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    stack.push_async_callback(runner.cleanup)
    with _port_told("the web", "WEB", settings.web_host, settings.web_port):
        await web.TCPSite(runner, settings.web_host, settings.web_port).start()


@contextmanager
def _port_told(what: str, setting: str, host: str, port: int) -> Iterator[None]:
    """Say what to do when an address cannot be listened on."""
    try:
        yield
    except OSError as error:
        # A name that cannot be looked up has a number of another kind, and its own words.
        why = os.strerror(error.errno) if error.errno is not None and error.errno > 0 else str(error.strerror)
        message = (
            f"{host}:{port} for {what} cannot be listened on: {why}. "
            f"End what uses it, or set IVR_{setting}_HOST or IVR_{setting}_PORT"
        )
        raise EngineError(message) from None


async def _health(database: Database, ami: AmiClient, flows: FlowFolder) -> Mapping[str, str]:
    parts = {"flows": "ok" if flows.current.flows else "none loaded"}
    parts["asterisk"] = "ok" if ami.state is LinkState.READY else ami.reason
    try:
        await database.ping()
        parts["database"] = "ok"
    except DatabaseUnavailableError as error:
        parts["database"] = str(error)
    return parts
