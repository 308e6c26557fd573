"""A caller's line on a real Asterisk: each verb of `channel.line.Line` as one AGI command.

Knows which command does what a verb promises, and how long Asterisk may take for it. Must not know flows,
banks or queues. One command for each verb is not thrift alone: keys pressed while no command runs are lost, so a
verb with two commands would have a hole in its ear.

No verb writes a key into a variable, an event or a log: `GET DATA` shows its keys nowhere, unlike `Read()`.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from typing import Final

from ivr_engine.adapters.asterisk.agi_session import AgiSession
from ivr_engine.adapters.asterisk.recording import FORMAT, IncomingRecordings
from ivr_engine.adapters.asterisk.sounds import BYTES_PER_MS, SoundFolder
from ivr_engine.channel.line import (
    ALL_KEYS,
    CallerHungUp,
    Dialled,
    DialResult,
    KeysEnd,
    KeysRead,
    Played,
    Recorded,
    RecordEnd,
    RecordingFailedError,
)
from ivr_engine.protocols.agi import (
    Answer,
    CommandFailedError,
    Exec,
    GetData,
    GetVariable,
    LocalProtocolError,
    RecordFile,
    RemoteProtocolError,
    Reply,
    SetMusic,
    SetVariable,
    StreamFile,
    WaitForDigit,
)
from ivr_engine.values.utterance import Utterance

ANSWER_S: Final = 5.0
"""Seconds for Asterisk to do what takes no time, on a box under full load."""

PLAY_SLACK_S: Final = 15.0
"""Seconds that playing and reading may take beyond their own time (a stalled media thread)."""

MAX_TALK_S: Final = 4 * 3600.0
"""Seconds that a caller may talk with an agent before the line is given up."""

MAX_RING_S: Final = 300
"""Seconds that an agent's telephone may ring."""

DIAL_OPTIONS: Final = "gm"
"""`g`: the call comes back to us when the agent leaves. `m`: hold music until the agent answers.

Music rather than ringing (`r`): a waiting caller hears music already, and a sudden ringing tone would sound
as if he were being connected anew. Not given: `t`/`T`, `h`/`H` and the like, which would make keys of the talk into
commands; `k`/`K` parking; `x`/`X` recording.
"""

SECURE_CONTEXT: Final = "secure"
"""Where the dialplan gives an agent the keys to ask for a secret, and where it takes one who has asked."""
HOLD_SCRIPT: Final = "hold"
CONSULT_CONTEXT: Final = "consult"
"""Where the dialplan takes whoever answers, to be asked by us before both are joined (option `U` of Dial)."""

_NUMBER = re.compile(r"[0-9A-Z]{26}", re.ASCII)

_CHANNEL = re.compile(r"PJSIP/[A-Za-z0-9_-]{1,120}", re.ASCII)

_ENDPOINT = re.compile(
    r"PJSIP/[A-Za-z0-9_-]{1,80}(/sip:[A-Za-z0-9_.-]{1,64}@([A-Za-z0-9.-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\])(:[0-9]{1,5})?)?",
    re.ASCII,
)
"""An account of this Asterisk, or a SIP address that is reached through one."""

_RESULTS: Final[Mapping[str, DialResult]] = {
    "ANSWER": DialResult.ANSWERED,
    "NOANSWER": DialResult.NO_ANSWER,
    "BUSY": DialResult.BUSY,
    "CONGESTION": DialResult.UNREACHABLE,
    "CHANUNAVAIL": DialResult.UNREACHABLE,
}


class AsteriskLine:
    """A `Line` over one AGI session; its verbs raise `CallerHungUp` and the errors of `AgiSession.execute`.

    `close()` at the end of a call removes what was joined for it.
    """

    def __init__(self, session: AgiSession, sounds: SoundFolder, recordings: IncomingRecordings | None = None) -> None:
        self._session = session
        self._sounds = sounds
        self._recordings = recordings
        self._key = session.environment.unique_id
        self._music_wanted = False
        self._music_stopped_by_prompt = False

    async def answer(self) -> None:
        """Answer the call; harmless when already answered."""
        await self._session.execute(Answer(), within_s=ANSWER_S)

    async def play(self, what: Utterance, *, stop_on: str = ALL_KEYS, from_ms: int = 0) -> Played:
        """Play from `from_ms` on; a key in `stop_on` ends it and is returned, others are not seen.

        `heard_ms` counts from `from_ms`. Raises `SoundError` for an unknown recording.
        """
        if not what.prompts:
            return Played(None, 0)
        path = self._sounds.path_for(what, self._key)
        left_ms = max(0, self._sounds.duration_ms(what) - from_ms)
        reply = await self._session.execute(
            StreamFile(path, stop_on, from_ms * BYTES_PER_MS), within_s=left_ms / 1000 + PLAY_SLACK_S
        )
        self._music_stopped_by_prompt = self._music_wanted
        position_ms = (reply.end_position or 0) // BYTES_PER_MS
        return Played(reply.key, max(0, position_ms - from_ms))

    async def read_key(self, *, within_ms: int) -> str | None:
        """Return the next key, or None when none was pressed in time.

        A prompt stops hold music in Asterisk for good; it starts again here, where it is to be heard.
        """
        if self._music_stopped_by_prompt:
            await self.music(on=True)
        reply = await self._session.execute(WaitForDigit(within_ms), within_s=within_ms / 1000 + PLAY_SLACK_S)
        # A key that no telephone has (`WAKE`) comes from AMI PlayDTMF: it wakes a waiting line and means nothing else.
        return reply.key if reply.key is not None and reply.key in ALL_KEYS else None

    async def read_keys(self, what: Utterance | None, *, max_keys: int, within_ms: int) -> KeysRead:
        """Play `what` (the first key stops it) and read keys up to `max_keys` or the terminator `#`."""
        read = await self._get_data(what, max_keys, within_ms)
        typed = len(read.keys)
        keys = read.keys.only(ALL_KEYS)
        if typed and not len(keys):
            # Nothing but a late wake-up (see below): it has cut the words, or the silence after them.
            return await self.read_keys(what, max_keys=max_keys, within_ms=within_ms)
        if len(keys) == typed or read.end is not KeysEnd.FULL:
            return KeysRead(keys, read.end)
        # A late wake-up (a key of A-D, see read_key) took the place of a caller's key: the rest is still to come.
        rest = await self.read_keys(None, max_keys=max_keys - len(keys), within_ms=within_ms)
        return KeysRead(keys.joined(rest.keys), rest.end)

    async def record(self, *, most_ms: int, silence_s: int, finish: str) -> Recorded:
        """Record the caller until `finish`, so much silence, the longest time or a hang-up; else as the port says."""
        if self._recordings is None:
            raise RecordingFailedError("this line has no folder for recordings")
        path = self._recordings.new()
        command = RecordFile(path, FORMAT, finish, most_ms, silence_s)
        try:
            reply = await self._session.ask(command, within_s=most_ms / 1000 + PLAY_SLACK_S)
        except CallerHungUp:
            # Before it began, or while it went on: what was written is there, and Asterisk writes no more.
            return await self._taken(path, None, RecordEnd.HUNG_UP)
        if reply.dead_channel:
            raise CallerHungUp
        if reply.code != 200 or reply.flag in ("writefile", "randomerror"):
            why = reply.flag or f"{reply.code} {reply.text}"
            message = f"Asterisk could not record: {why}"
            raise RecordingFailedError(message)
        end = RecordEnd.HUNG_UP if reply.failed else RecordEnd.SILENCE_OR_LONGEST
        if reply.flag == "dtmf":
            end = RecordEnd.KEY
        return await self._taken(path, reply.end_position, end)

    async def _taken(self, path: str, samples: int | None, end: RecordEnd) -> Recorded:
        assert self._recordings is not None  # noqa: S101 # asked by record()
        try:
            return Recorded(await self._recordings.take(path, samples), end)
        except OSError as error:
            message = f"what was recorded cannot be read: {error.strerror}"
            raise RecordingFailedError(message) from error

    async def play_back(self, audio: bytes, *, stop_on: str = ALL_KEYS) -> Played:
        """Play what a caller has said to this same caller, from a file in memory that goes with the call."""
        if not audio:
            return Played(None, 0)
        path = self._sounds.path_for_audio(audio, self._key)
        within_s = len(audio) / BYTES_PER_MS / 1000 + PLAY_SLACK_S
        reply = await self._session.execute(StreamFile(path, stop_on), within_s=within_s)
        return Played(reply.key, (reply.end_position or 0) // BYTES_PER_MS)

    async def music(self, *, on: bool) -> None:
        """Play hold music under `read_key`, or stop it."""
        await self._session.execute(SetMusic(on), within_s=ANSWER_S)
        self._music_wanted = on
        self._music_stopped_by_prompt = False

    async def dial(
        self, endpoint: str, *, ring_s: int, whisper: Utterance | None = None, secure: bool = False
    ) -> Dialled:
        """Join the caller to an agent's telephone and return when the agent has left.

        `whisper` is one joined file, like all that is said: the caller hears nothing of it, and the agent no gap.
        Raises `CallerHungUp` also when the caller leaves the talk first, `LocalProtocolError` for an
        endpoint that is not `PJSIP/<letters, digits, _ and ->`, with or without a SIP address that is reached through
        it: nothing else reaches `Dial`.
        """
        options = DIAL_OPTIONS
        if whisper is not None and whisper.prompts:
            options += f"A({self._sounds.path_for(whisper, self._key)})"
        if secure:
            options += f"b({SECURE_CONTEXT}^asks^1)"
        return await self._dial(endpoint, ring_s, options)

    async def consult(self, endpoint: str, *, ring_s: int, number: str) -> Dialled:
        """Dial as `dial` does; who answers is handed to the engine first, by another AGI session with this number.

        Raises `LocalProtocolError` also for a number that is not 26 digits and capitals.
        """
        if not _NUMBER.fullmatch(number):
            raise LocalProtocolError("the number of a consultation has 26 digits and capitals")
        return await self._dial(endpoint, ring_s, f"{DIAL_OPTIONS}U({CONSULT_CONTEXT}^{number})")

    async def rejoin(self, channel: str) -> Dialled:
        """Join the caller again to the agent on a channel; the agent is hung up on when the caller leaves.

        Raises `LocalProtocolError` for what is no channel of an agent.
        """
        if not _CHANNEL.fullmatch(channel):
            raise LocalProtocolError("a channel is PJSIP/ and letters, digits, _ and -")
        began = asyncio.get_running_loop().time()
        await self._session.execute(Exec("Bridge", f"{channel},x"), within_s=MAX_TALK_S)
        self._music_stopped_by_prompt = self._music_wanted
        if await self._variable("BRIDGERESULT") != "SUCCESS":
            return Dialled(DialResult.UNREACHABLE, 0)
        return Dialled(DialResult.ANSWERED, round(asyncio.get_running_loop().time() - began))

    async def take_call(self) -> None:
        """Let Dial join both when our session on this, the dialled channel has ended; else it hangs up on it."""
        await self._session.execute(SetVariable("GOSUB_RESULT", ""), within_s=ANSWER_S)

    async def _dial(self, endpoint: str, ring_s: int, options: str) -> Dialled:
        if not _ENDPOINT.fullmatch(endpoint):
            raise LocalProtocolError("an endpoint is PJSIP/ and letters, digits, _ and -, and maybe a SIP address")
        if not 1 <= ring_s <= MAX_RING_S:
            message = f"an agent's telephone rings 1 to {MAX_RING_S} s"
            raise LocalProtocolError(message)
        await self._session.execute(Exec("Dial", f"{endpoint},{ring_s},{options}"), within_s=ring_s + MAX_TALK_S)
        self._music_stopped_by_prompt = self._music_wanted
        status = await self._variable("DIALSTATUS")
        result = _RESULTS.get(status)
        if result is None:
            message = f"Dial ended with the unknown status {status[:40]!r}"
            raise RemoteProtocolError(message)
        if result is not DialResult.ANSWERED:
            return Dialled(result, 0)
        return Dialled(result, _whole_seconds(await self._variable("ANSWEREDTIME")))

    async def renew_backstop(self, seconds: int) -> None:
        """Let the dialplan take the caller back in `seconds` unless this is called again; 0 means never.

        It is what saves a caller from an engine that hangs: `TIMEOUT(absolute)` runs in Asterisk.
        """
        await self._session.execute(SetVariable("TIMEOUT(absolute)", str(int(seconds))), within_s=ANSWER_S)

    async def mark_done(self) -> None:
        """Tell the dialplan that the call ended as it should, and needs no fallback.

        AGISTATUS cannot tell: it is SUCCESS also when the engine was killed in the middle of a call.
        """
        await self._session.execute(SetVariable("IVR_DONE", "1"), within_s=ANSWER_S)

    async def mark_agent_spoke(self, *, spoke: bool) -> None:
        """Tell the dialplan whether the caller was served by a human: if the engine dies, nobody queues twice.

        Who waits for another agent was not: DIALSTATUS of the talk before is wiped too, for the dialplan reads it.
        """
        await self._session.execute(SetVariable("AGENT_SPOKE", "1" if spoke else "0"), within_s=ANSWER_S)
        if not spoke:
            await self._session.execute(SetVariable("DIALSTATUS", ""), within_s=ANSWER_S)

    def close(self) -> None:
        """Remove the files that were joined for this call; harmless when repeated."""
        self._sounds.forget(self._key)

    async def _get_data(self, what: Utterance | None, max_keys: int, within_ms: int) -> KeysRead:
        path, duration_ms = "", 0
        if what is not None and what.prompts:
            path = self._sounds.path_for(what, self._key)
            duration_ms = self._sounds.duration_ms(what)
        longest_ms = duration_ms + within_ms * max_keys
        reply = await self._session.execute(
            GetData(path, within_ms, max_keys), within_s=longest_ms / 1000 + PLAY_SLACK_S
        )
        if path:
            self._music_stopped_by_prompt = self._music_wanted
        return _keys_read(reply, max_keys)

    async def _variable(self, name: str) -> str:
        reply = await self._session.execute(GetVariable(name), within_s=ANSWER_S)
        return reply.value or ""


def _keys_read(reply: Reply, max_keys: int) -> KeysRead:
    keys = reply.digits
    if keys is None:
        raise CommandFailedError("GET DATA gave no keys", reply.code)
    if reply.timed_out:
        return KeysRead(keys, KeysEnd.TIME_OUT)
    return KeysRead(keys, KeysEnd.FULL if len(keys) >= max_keys else KeysEnd.TERMINATOR)


def _whole_seconds(text: str) -> int:
    return int(text) if text.isascii() and text.isdecimal() else 0
