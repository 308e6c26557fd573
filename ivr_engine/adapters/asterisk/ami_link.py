"""One TCP connection to AMI, from its greeting to its end.

Knows the socket, deadlines and who waits for which answer. Must not know reconnecting or what events mean (`ami.py`).
"""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

from ivr_engine.adapters.asterisk.ami_state import Lists
from ivr_engine.protocols.ami.actions import (
    Action,
    Challenge,
    CoreShowChannels,
    DeviceStateList,
    Login,
    Logoff,
    QueueStatus,
)
from ivr_engine.protocols.ami.connection import Answer, Connection
from ivr_engine.protocols.ami.errors import AmiProtocolError, LocalProtocolError
from ivr_engine.protocols.ami.events import FullyBooted, TypedEvent
from ivr_engine.protocols.ami.message import Event, Response
from ivr_engine.protocols.ami.state import State
from ivr_engine.values.clock import Clock

READ_BYTES: Final = 65_536
CLOSE_WITHIN_S: Final = 0.5


class AmiError(Exception):
    """Base of what an AMI client raises."""


class NotConnectedError(AmiError):
    """The action was not written, so it was surely not done."""


class ActionOutcomeUnknownError(AmiError):
    """The action was written and its answer never came: it may have been done, and is never sent again by itself."""

    def __init__(self, action_name: str, action_id: str, reason: str) -> None:
        super().__init__(f"{action_name} {action_id}: {reason}")
        self.action_id = action_id


class ActionRefusedError(AmiError):
    """Asterisk answered a list with an error; `response` holds its words."""

    def __init__(self, action_name: str, response: Response) -> None:
        super().__init__(f"{action_name} refused: {response.text}")
        self.response = response


class ListDamagedError(AmiError):
    """A list came cut, cancelled, or as no list."""


class LinkFailedError(AmiError):
    """The connection is of no use any more; the message says why."""


class LoginRefusedError(LinkFailedError):
    """Asterisk knows no such account, or another secret, or does not let this address in."""


@dataclass(frozen=True, slots=True)
class AmiTarget:
    """Where AMI listens and who we are there; `tls` for another machine than this one."""

    host: str
    port: int
    account: str
    secret: str = field(repr=False)
    tls: ssl.SSLContext | None = None


class Link:
    """One connection; `on_event` is called with every event as it is read and must not raise or wait.

    `heard_at` is when the peer last sent anything.
    """

    def __init__(
        self,
        streams: tuple[asyncio.StreamReader, asyncio.StreamWriter],
        connection: Connection,
        new_action_id: Callable[[], str],
        on_event: Callable[[TypedEvent | Event], None],
        clock: Clock,
    ) -> None:
        self._reader, self._writer = streams
        self._connection = connection
        self._new_action_id = new_action_id
        self._on_event = on_event
        self._waiting: dict[str, tuple[Action, asyncio.Future[Answer]]] = {}
        self._greeted = asyncio.Event()
        self._booted = asyncio.Event()
        self._ended = False
        self._refusal = ""
        self._clock = clock
        self.heard_at = clock.now()

    async def read_until_end(self) -> None:
        """Read until the stream ends, then raise `LinkFailedError`; raise `RemoteProtocolError` for garbage."""
        failure: Exception = LinkFailedError("Asterisk closed the connection")
        try:
            await self._read()
        except (AmiProtocolError, OSError) as error:
            failure = error
        # Not when cancelled: then the peer is still there to be told good-bye.
        self._end("the connection broke before the answer")
        # A refusal and the end of the stream are often read together: the refusal is what counts.
        raise LoginRefusedError(self._refusal) if self._refusal else failure

    async def _read(self) -> None:
        while data := await self._reader.read(READ_BYTES):
            self.heard_at = self._clock.now()
            for received in self._connection.receive_data(data):
                if isinstance(received, Answer):
                    self._answered(received)
                    continue
                if isinstance(received, FullyBooted):
                    self._booted.set()
                self._on_event(received)
            if self._connection.state is not State.AWAITING_GREETING:
                self._greeted.set()

    async def log_in(self, target: AmiTarget, *, within_s: float, booted_within_s: float) -> None:
        """Log in and wait until Asterisk is fully booted.

        Raises `LoginRefusedError`, or `LinkFailedError` when a step takes too long.
        """
        try:
            async with asyncio.timeout(within_s):
                await self._greeted.wait()
        except TimeoutError:
            raise LinkFailedError(f"no greeting within {within_s:g} s") from None
        challenge = await self._must(Challenge(), within_s)
        if not challenge.get("Challenge"):
            raise LoginRefusedError(challenge.text or "no challenge given")
        login = Login(target.account, challenge.get("Challenge"), target.secret)
        accepted = await self._must(login, within_s)
        if not accepted.success:
            raise LoginRefusedError(accepted.text or "login refused")
        try:
            async with asyncio.timeout(booted_within_s):
                await self._booted.wait()
        except TimeoutError:
            raise LinkFailedError(
                f"no FullyBooted within {booted_within_s:g} s: Asterisk is still starting, "
                f"or account {target.account} does not read class system"
            ) from None

    async def _must(self, action: Action, within_s: float) -> Response:
        try:
            return (await self.request(action, within_s=within_s)).response
        except ActionOutcomeUnknownError as error:
            raise LinkFailedError(str(error)) from error

    async def request(self, action: Action, *, within_s: float, action_id: str | None = None) -> Answer:
        """Write one action and wait for its whole answer.

        Raises `NotConnectedError` or `LocalProtocolError` (nothing was written), `ActionOutcomeUnknownError`
        (deadline over, or the connection broke).
        """
        if self._ended:
            raise NotConnectedError("the connection has ended")
        action_id = action_id or self._new_action_id()
        data = self._connection.send(action, action_id)
        answer: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._waiting[action_id] = (action, answer)
        # Not drained: unanswered actions are limited in number and each in length, so this buffer is too.
        self._writer.write(data)
        try:
            async with asyncio.timeout(within_s):
                return await answer
        except TimeoutError:
            raise ActionOutcomeUnknownError(action.name, action_id, f"no answer within {within_s:g} s") from None
        finally:
            self._waiting.pop(action_id, None)
            self._connection.forget(action_id)

    async def close(self) -> None:
        """Say good-bye if that is still possible and drop the connection; harmless when repeated."""
        if not self._ended:
            # Not logged in, or no room for an action: the closed socket says the same.
            with contextlib.suppress(LocalProtocolError):
                self._writer.write(self._connection.send(Logoff(), self._new_action_id()))
        self._end("the connection was closed before the answer")
        self._writer.close()
        try:
            async with asyncio.timeout(CLOSE_WITHIN_S):
                await self._writer.wait_closed()
        except TimeoutError:
            self._writer.transport.abort()
        except OSError:
            pass  # it broke before it was closed: closed it is

    def _answered(self, answer: Answer) -> None:
        waiting = self._waiting.get(answer.action_id)
        if waiting is None:
            return
        action, future = waiting
        if isinstance(action, Login | Challenge) and not answer.response.success:
            self._refusal = answer.response.text or f"{action.name} refused"
        if not future.done():
            future.set_result(answer)

    def _end(self, reason: str) -> None:
        if self._ended:
            return
        self._ended = True
        self._connection.receive_eof()
        for action_id, (action, answer) in self._waiting.items():
            if not answer.done():
                answer.set_exception(ActionOutcomeUnknownError(action.name, action_id, reason))


async def fetch_lists(link: Link, within_s: float) -> Lists:
    """Fetch every list; a list that Asterisk refuses (its module is not loaded) is named, the others count."""
    items: dict[str, tuple[Event, ...]] = {}
    refused: dict[str, str] = {}
    for action in (CoreShowChannels(), QueueStatus(), DeviceStateList()):
        try:
            items[action.name] = tuple(whole_list(action, await link.request(action, within_s=within_s)))
        except ActionRefusedError as error:
            refused[action.name] = error.response.text
    return Lists(
        channels=items.get(CoreShowChannels.name),
        devices=items.get(DeviceStateList.name),
        queues=items.get(QueueStatus.name),
        refused=refused,
    )


def whole_list(action: Action, answer: Answer) -> Sequence[Event]:
    """Return the items of a list; raise `ActionRefusedError`, or `ListDamagedError` when it is not whole."""
    if not answer.response.success:
        raise ActionRefusedError(action.name, answer.response)
    if not answer.is_list:
        raise ListDamagedError(f"{action.name} was answered, but by no list")
    if answer.damage:
        raise ListDamagedError(f"{action.name}: {answer.damage}")
    return answer.items
