"""A call played in a terminal: the author reads what a caller would hear, and types the caller's keys.

Knows lines of keys and texts of prompts. Must not know flows' steps, nor what a terminal is: it asks for a line and
gives lines back. Time is virtual: a time-out of six seconds is over as soon as an empty line is given.
"""

from __future__ import annotations

import asyncio
import contextlib
import math
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import groupby
from typing import Final

import structlog

from ivr_engine.banking.core import CoreBank
from ivr_engine.calls.operations import BankOperations
from ivr_engine.channel.conversation import LISTEN_SLICE_MS, Conversation
from ivr_engine.channel.line import (
    ALL_KEYS,
    TERMINATOR,
    CallerHungUp,
    Dialled,
    DialResult,
    KeysEnd,
    KeysRead,
    Played,
    Recorded,
    RecordEnd,
)
from ivr_engine.flow.call import Call, QueueOutcome, Wanted
from ivr_engine.flow.impact import names_used
from ivr_engine.flow.model import Library
from ivr_engine.flow.runner import BudgetExceededError, Runner, StepDone
from ivr_engine.flow.scope import ZONE
from ivr_engine.flow.uses import QUEUES, SKILLS
from ivr_engine.scenarios.model import CALLER
from ivr_engine.simulator.agents import StagedQueues
from ivr_engine.simulator.bank import MemoryBank, sample_bank
from ivr_engine.simulator.leaving import LeftBehind
from ivr_engine.simulator.line import message_of
from ivr_engine.simulator.office import Ports, ports_of
from ivr_engine.simulator.saving import Recorder
from ivr_engine.simulator.virtual_time import run_virtual
from ivr_engine.speech.catalogue import Catalogue
from ivr_engine.values.clock import Clock
from ivr_engine.values.ids import CallId
from ivr_engine.values.language import Language
from ivr_engine.values.recording import RECORDED_BYTES_PER_MS
from ivr_engine.values.secret import SecretDigits
from ivr_engine.values.utterance import Utterance

HANG_UP: Final = "h"
CALLER_HUNG_UP: Final = "caller_hung_up"
BUDGET_EXCEEDED: Final = "budget_exceeded"
KEYS_HELP: Final = "keys 0-9 * #, an empty line to stay silent, h to hang up"
WORD_MS: Final = 1000
"""How long a prompt lasts in virtual time."""
SPOKEN_MS: Final = 3000
"""How long a player speaks into a message, whatever is typed."""

AskLine = Callable[[], str | None]
"""Gives the next line that the player types, or None when there is no more."""
Write = Callable[[str], None]


def lines_of(keys: str, echo: Write | None = None) -> AskLine:
    """Return what types `1,620001#,,h` part by part: keys, an empty part for silence, `h` to hang up.

    `echo` shows each part as a terminal would. An entry that may be longer needs its `#`, as on the telephone.
    """
    parts: Iterator[str] = iter(keys.split(","))

    def ask() -> str | None:
        part = next(parts, None)
        if part is not None and echo is not None:
            echo(f"> {part}")
        return part

    return ask


def spoken(catalogue: Catalogue, what: Utterance) -> list[str]:
    """Return what a caller hears as text: one line for each run of one language, read-outs joined as in speech."""
    lines: list[str] = []
    for language, group in groupby(located(what), key=lambda pair: pair[0]):
        texts = [catalogue.text(language, prompt) for _, prompt in group]
        lines.append((" " if language is Language.ENGLISH else "").join(texts))
    return lines


def located(what: Utterance) -> list[tuple[Language, str]]:
    """Return each recording of an utterance with the language that it is spoken in."""
    parted = [prompt.rpartition("/") for prompt in what.prompts]
    return [(Language(named) if slash else what.language, prompt) for named, slash, prompt in parted]


@dataclass(slots=True)
class TypedLine:
    """A `Line` whose caller types lines of keys whenever the hotline listens; keys left over are typed ahead."""

    ask: AskLine
    write: Write
    catalogue: Catalogue
    recorder: Recorder | None = None
    hung_up: bool = False
    _typed: deque[str] = field(default_factory=deque)

    async def answer(self) -> None:
        """Nothing is to be done: the player is there."""
        self._check()

    async def play(self, what: Utterance, *, stop_on: str = ALL_KEYS, from_ms: int = 0) -> Played:
        """Show what is heard, unless a key typed ahead stops it at once."""
        self._check()
        while self._typed:
            key = self._take()
            if key in stop_on:
                return Played(key, 0)
        if self.recorder is not None:
            self.recorder.heard([f"{language.value}/{prompt}" for language, prompt in located(what)])
        for line in spoken(self.catalogue, what):
            self.write(f"  {line}")
        heard_ms = max(0, WORD_MS * len(what.prompts) - from_ms)
        await asyncio.sleep(heard_ms / 1000)
        return Played(None, heard_ms)

    async def read_key(self, *, within_ms: int) -> str | None:
        """Take a key typed ahead, or ask for a line; while the bank works, nobody is asked."""
        self._check()
        if not self._typed and within_ms > LISTEN_SLICE_MS:
            self._ask()
        if self._typed:
            return self._take()
        if self.recorder is not None and within_ms > LISTEN_SLICE_MS:
            self.recorder.silent()
        await asyncio.sleep(within_ms / 1000)
        return None

    async def read_keys(self, what: Utterance | None, *, max_keys: int, within_ms: int) -> KeysRead:
        """Show the prompt unless keys are typed ahead, and read keys up to `max_keys` or the hash key."""
        self._check()
        if what is not None and not self._typed:
            await self.play(what)
        keys = bytearray()
        while len(keys) < max_keys:
            key = await self.read_key(within_ms=within_ms)
            if key is None or key == TERMINATOR:
                return KeysRead(SecretDigits(keys), KeysEnd.TIME_OUT if key is None else KeysEnd.TERMINATOR)
            keys.extend(key.encode("ascii"))
        return KeysRead(SecretDigits(keys), KeysEnd.FULL)

    async def record(self, *, most_ms: int, silence_s: int, finish: str) -> Recorded:
        """Ask for a line of words, which are the message; an empty line is silence, `h` a hang-up."""
        del silence_s, finish
        self._check()
        self.write("  (speak now: type some words, or an empty line to say nothing)")
        line = self.ask()
        if line is None or line.strip() == HANG_UP:
            self._leave()
            return Recorded(b"", RecordEnd.HUNG_UP)
        spoken_ms = min(SPOKEN_MS, most_ms) if line.strip() else 0
        if self.recorder is not None and spoken_ms:
            self.recorder.spoke(spoken_ms)
        await asyncio.sleep(spoken_ms / 1000)
        return Recorded(message_of(spoken_ms, RecordEnd.SILENCE_OR_LONGEST), RecordEnd.SILENCE_OR_LONGEST)

    async def play_back(self, audio: bytes, *, stop_on: str = ALL_KEYS) -> Played:
        """Show that the message is heard."""
        del stop_on
        self._check()
        heard_ms = len(audio) // RECORDED_BYTES_PER_MS
        self.write(f"  (your message, {heard_ms / 1000:.1f} s)")
        await asyncio.sleep(heard_ms / 1000)
        return Played(None, heard_ms)

    async def music(self, *, on: bool) -> None:
        """Music cannot be shown."""
        del on
        self._check()

    async def dial(self, endpoint: str, *, ring_s: int, whisper: Utterance | None = None) -> Dialled:
        """Nobody can be dialled from here."""
        del endpoint, ring_s, whisper
        self._check()
        return Dialled(DialResult.UNREACHABLE, 0)

    def forget_typed(self) -> None:
        """Drop keys typed ahead, which nobody has heard: they are in no saved test either."""
        self._typed.clear()

    def _check(self) -> None:
        if self.hung_up:
            raise CallerHungUp

    def _leave(self) -> None:
        self.hung_up = True
        if self.recorder is not None:
            self.recorder.hung_up()

    def _take(self) -> str:
        key = self._typed.popleft()
        if self.recorder is not None:
            self.recorder.typed(key)
        return key

    def _ask(self) -> None:
        """Ask until a line can be understood; the end of all lines is a hang-up."""
        while True:
            line = self.ask()
            if line is None or line.strip() == HANG_UP:
                self._leave()
                raise CallerHungUp
            keys = line.replace(" ", "").strip()
            if all(key in ALL_KEYS for key in keys):
                self._typed.extend(keys)
                return
            self.write(f"  ({KEYS_HELP})")


@dataclass(slots=True)
class PlayedQueues:
    """Queues that always end in the same way; `asked` names those that the caller was put into.

    An agent who answers talks for `talks_ms`, in which the caller may hang up; keys are heard by the agent alone.
    `in_talk` is done meanwhile.
    """

    conversation: Conversation
    outcome: QueueOutcome
    write: Write | None = None
    asked: list[str] = field(default_factory=list)
    talks_ms: int = 0
    in_talk: Callable[[], None] = lambda: None

    async def enter(self, wanted: Wanted) -> None:
        """Say what is said before the music, where there is any; keys from before were meant for nobody.

        As in a real call: nobody waits, and hears words of waiting, whom an agent takes at once or who is told at once.
        """
        self.asked.append(wanted.queue)
        self.conversation.forget_typed_ahead()
        if wanted.hold is not None and self.outcome is QueueOutcome.TIMED_OUT:
            await self.conversation.say(wanted.hold)
        self.conversation.forget_typed_ahead()

    async def wait(self, within_ms: int | None = None) -> QueueOutcome:
        """End at once, or after the talk: nobody waits for an outcome that is known."""
        del within_ms
        if self.write is not None:
            self.write(f"  (queue '{self.asked[-1]}': {self.outcome.value.replace('_', ' ')})")
        if self.outcome is QueueOutcome.ANSWERED:
            self.in_talk()
            loop = asyncio.get_running_loop()
            until = loop.time() + self.talks_ms / 1000
            while (left_s := until - loop.time()) > 0:
                await self.conversation.line.read_key(within_ms=math.ceil(left_s * 1000))
        return self.outcome

    @property
    def has_news(self) -> bool:
        """Nothing comes that is not there from the beginning."""
        return False

    def leave(self) -> None:
        """Nobody waits."""


@dataclass(frozen=True, slots=True)
class Scene:
    """What is played: the flows and texts, where the call begins, and how the agents and the bank behave."""

    library: Library
    catalogue: Catalogue
    first_flow: str = "hotline"
    language: Language = Language.MANDARIN
    agents: QueueOutcome = QueueOutcome.ANSWERED
    bank: Callable[[Clock], CoreBank] = sample_bank
    show_steps: bool = False
    recorder: Recorder | None = None
    zone: str = ZONE


async def play(scene: Scene, clock: Clock, *, ask: AskLine, write: Write) -> str:
    """Play one call and return the reason of its end; `KeyError` when there is no flow `scene.first_flow`."""
    recorder = scene.recorder

    told_of = 0

    def note(step: StepDone) -> None:
        nonlocal told_of
        if recorder is not None:
            recorder.step_done(step, asks=scene.library.flows[step.flow].steps[step.step].asks)
        for message in ports.office.read[told_of:]:
            write(f"  ({message.medium.value}: {message.text})")
        told_of = len(ports.office.read)
        if recorder is not None:
            recorder.sent(ports.office.read, ports.office.last_code)
        if scene.show_steps:
            write(f"    [{step.flow}: {step.step}, {step.outcome}]")

    bank = scene.bank(clock)
    line = TypedLine(ask, write, scene.catalogue, recorder)
    conversation = Conversation(line)
    if recorder is not None:
        recorder.conversation = conversation
    call, ports = _call_of(scene, clock, bank, conversation, line)
    operations = ports.operations
    runner = Runner(scene.library, call, clock, on_step=note)
    try:
        reason = await runner.run(scene.first_flow)
    except CallerHungUp:
        reason = CALLER_HUNG_UP
        with contextlib.suppress(TimeoutError, BudgetExceededError):
            await _finish(operations, runner)
            await runner.after_hang_up()
    except BudgetExceededError as error:
        write(f"  ({error})")
        reason = BUDGET_EXCEEDED
    finally:
        await _finish(operations, runner)
        position = runner.position()
        runner.close()
        conversation.forget_typed_ahead()
        await bank.close()
    if recorder is not None:
        if isinstance(bank, MemoryBank):
            recorder.moved(bank.moved)
        step = scene.library.flows[position[-1].flow].steps[position[-1].step]
        recorder.ended(reason, call.language, word=step.word, asks=step.asks)
    write(f"  (the call has ended: {reason.replace('_', ' ')})")
    return reason


def _call_of(
    scene: Scene, clock: Clock, bank: CoreBank, conversation: Conversation, line: TypedLine
) -> tuple[Call, Ports]:
    """Return the call as its flows see it, and its bank, messages and queues."""
    names, skills = (names_used(scene.library, sort) for sort in (QUEUES, SKILLS))
    ports = ports_of(
        bank,
        CallId("play"),
        clock,
        scene.library.messages,
        speaks=lambda: call.language,
        caller=CALLER,
        zone=scene.zone,
        queues=StagedQueues(names, skills, scene.agents, clock, structlog.get_logger()),
    )
    left = LeftBehind(tell=lambda what: line.write(f"  ({what})"))
    call = Call(
        conversation,
        ports.operations,
        PlayedQueues(conversation, scene.agents, line.write, in_talk=line.forget_typed),
        ports.operations,
        scene.language,
        ports.back_office,
        voice_messages=left,
        callbacks=left,
        destinations=left,
    )
    return call, ports


async def _finish(operations: BankOperations, runner: Runner) -> None:
    """Finish a change that a hang-up left behind."""
    late = await operations.finish()
    if late is not None:
        runner.note_late(late.outcome)


def play_now(scene: Scene, *, ask: AskLine, write: Write) -> str:
    """Play one call in virtual time, from a program that runs no loop of its own."""
    return run_virtual(lambda clock: play(scene, clock, ask=ask, write=write))
