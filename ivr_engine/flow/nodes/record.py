"""`record`: let the caller leave a voice message.

One step does one thing, so a message is never recorded while a `secret` is asked for.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Final

from pydantic import Field

from ivr_engine.channel.conversation import Interrupt, NoChoice, Timing
from ivr_engine.channel.line import ALL_KEYS, CallerHungUp, Recorded, RecordEnd, RecordingFailedError
from ivr_engine.flow.call import Call
from ivr_engine.flow.fields import Key, MessageMilliseconds, MessageSilence
from ivr_engine.flow.findings import did_you_mean
from ivr_engine.flow.nodes.asking import FIRST_KEY_MS, TRIES
from ivr_engine.flow.nodes.offering import press, written
from ivr_engine.flow.operations import UNAVAILABLE
from ivr_engine.flow.scope import Scope
from ivr_engine.flow.speaking import Part, Speaker, Speech
from ivr_engine.flow.step import Action, By, Step, Way
from ivr_engine.flow.uses import QUEUES
from ivr_engine.flow.values import RECORDING
from ivr_engine.flow.wording import Text
from ivr_engine.values.recording import Recording, voiced_ms
from ivr_engine.values.utterance import Utterance

KEPT: Final = "kept"
NOTHING_RECORDED: Final = "nothing_recorded"

MOST_MS: Final = 120_000
SILENCE_MS: Final = 5000
LEAST_MS: Final = 500
"""How much has to be spoken; less is a cough or a hand on the receiver. Silence does not count."""
REVIEWS_MAX: Final = 5
"""How often a caller may hear their message, or press a wrong key after it, before it is kept as it is."""
HEAR_KEY: Final = "1"
AGAIN_KEY: Final = "2"
TONE: Final = "tone"


class Record(Step):
    """Let the caller speak after a tone, hear it, speak again, and leave it for the people of a queue.

    Who hangs up while speaking, or before saying what is to become of it, has left the message as well.
    """

    WORD: ClassVar[str] = "record"
    SUMMARY: ClassVar[str] = "Let the caller leave a voice message."

    record: str = Field(description="The variable of type `recording` that receives the message.")
    box: str = Field(description="The queue whose people listen to it.")
    prompt: Speech = Field(min_length=1, description="What the caller hears before the tone; a key skips it.")
    most: MessageMilliseconds = Field(default=MOST_MS, description="How long it may be, up to 5 min.")
    silence: MessageSilence = Field(default=SILENCE_MS, description="So much silence ends it: whole seconds, up to 30.")
    finish: Key = Field(default="#", description="The key that ends it; other keys do nothing.")
    review: bool = Field(
        default=True, description="Whether the caller may then hear it (1), speak again (2) or keep it (`finish`)."
    )
    tries: int = Field(default=TRIES, ge=1, le=5, description="How often the caller may speak.")

    def ways(self, scope: Scope) -> tuple[Way, ...]:
        """Kept, silent to the end, or nobody can keep it."""
        del scope
        return (
            Way(KEPT, By.CALLER, Text("leave a message"), 0, frozenset({self.record})),
            Way(NOTHING_RECORDED, By.SILENCE, Text("say nothing")),
            Way(UNAVAILABLE, By.WORLD, Text("no message can be kept")),
        )

    @property
    def rescues(self) -> bool:
        """A message that is kept is heard by a human."""
        return True

    def compile(self, scope: Scope) -> Action:
        """Check the variable, the queue and the keys; record until something is kept or the tries are used up."""
        self._check(scope)
        tone = scope.speech([Part(prompt=TONE)], ())
        sorry = scope.speech([Part(prompt="nothing_recorded")], ())
        prompt = scope.speech(self.prompt, ("prompt",))
        review = self._review(scope) if self.review else None
        heard_ms = prompt.longest_ms + tone.longest_ms
        once_ms = heard_ms + self.most + (review.longest_ms(self.most) if review is not None else 0)
        scope.lasts(prompt.longest_ms, self.tries * once_ms + (self.tries - 1) * sorry.longest_ms)
        asking_ms = sorry.longest_ms + heard_ms + self.most
        ask = _Asking(prompt, tone, self.most, self.silence // 1000, self.finish)
        name, box, tries = self.record, self.box, self.tries

        async def keep(call: Call, recorded: Recorded) -> Recording | None:
            return await call.voice_messages.keep(box, recorded.audio) if _says_something(recorded) else None

        async def act(call: Call) -> str:
            before: Utterance | None = None
            for left in range(tries - 1, -1, -1):
                if before is not None:
                    await call.try_again()
                if not await call.voice_messages.ready(asking_ms):
                    return UNAVAILABLE
                try:
                    recorded = await ask(call, before)
                except RecordingFailedError:
                    return UNAVAILABLE
                if recorded.end is RecordEnd.HUNG_UP:
                    await keep(call, recorded)
                    raise CallerHungUp
                await call.keep_alive()
                before = sorry(call)
                if not _says_something(recorded):
                    call.tally.no_input += left > 0  # the last one is counted with the outcome
                    continue
                try:
                    speaks_again = review is not None and await review(call, recorded.audio, may_again=left > 0)
                except CallerHungUp:
                    await keep(call, recorded)
                    raise
                if speaks_again:
                    before = Utterance(call.language, ())
                    continue
                with call.conversation.hold_off():  # who is called away meanwhile has left a message all the same
                    kept = await call.conversation.listen_while(keep(call, recorded))
                if kept is None:
                    return UNAVAILABLE
                call.variables[name] = kept
                return KEPT
            return NOTHING_RECORDED

        return act

    def _check(self, scope: Scope) -> None:
        declared = scope.variable(self.record, ("record",))
        if declared is not None and declared.type != RECORDING:
            message = Text("'{name}' is {type}, and a message is a recording", name=self.record, type=declared.type)
            scope.finding("E302", ("record",), message, Text("declare it as `recording`"))
        if self.box not in scope.world.queues:
            mend = did_you_mean(self.box, scope.world.queues)
            scope.finding("E701", ("box",), Text("there is no queue '{name}'", name=self.box), mend)
        scope.use(QUEUES, self.box, ("box",))
        if self.review and self.finish in (HEAR_KEY, AGAIN_KEY):
            message = Text("'{key}' ends the message and is asked for after it", key=written(self.finish))
            scope.finding("E223", ("finish",), message, Text("take another key, for example hash"))

    def _review(self, scope: Scope) -> _Review:
        parts = [Part(prompt="hear_your_message"), press(HEAR_KEY)]
        again = [Part(prompt="record_again"), press(AGAIN_KEY)]
        keep = [Part(prompt="keep_message"), press(self.finish)]
        return _Review(scope.speech([*parts, *again, *keep], ()), scope.speech([*parts, *keep], ()), self.finish)


def _says_something(recorded: Recorded) -> bool:
    return voiced_ms(recorded.audio, enough_ms=LEAST_MS) >= LEAST_MS


@dataclass(frozen=True, slots=True)
class _Asking:
    """How a caller is asked to speak."""

    prompt: Speaker
    tone: Speaker
    most_ms: int
    silence_s: int
    finish: str

    async def __call__(self, call: Call, before: Utterance | None) -> Recorded:
        """Say what is to be done, then the tone; a key goes straight to the tone, and nothing else."""
        said = self.prompt(call) + self.tone(call)
        key = await call.conversation.read_back(said if before is None else before + said, stop_on=ALL_KEYS)
        if key is not None:
            await call.conversation.read_back(self.tone(call), stop_on="")
        return await call.conversation.record(most_ms=self.most_ms, silence_s=self.silence_s, finish=self.finish)


@dataclass(frozen=True, slots=True)
class _Review:
    """What a caller is asked about the message before it is kept; silence keeps it."""

    words: Speaker
    last_words: Speaker
    finish: str

    def longest_ms(self, message_ms: int) -> int:
        """How long it may take with a message of this length."""
        return REVIEWS_MAX * (self.words.longest_ms + FIRST_KEY_MS + message_ms)

    async def __call__(self, call: Call, audio: bytes, *, may_again: bool) -> bool:
        """Return whether the caller wants to speak again; the last time nobody is asked that."""
        words = self.words if may_again else self.last_words
        options = frozenset({HEAR_KEY, self.finish, *([AGAIN_KEY] if may_again else [])})
        timing = Timing(FIRST_KEY_MS, FIRST_KEY_MS)
        for _ in range(REVIEWS_MAX):
            chosen = await call.conversation.choose(words(call), options, interrupt=Interrupt.ANY, timing=timing)
            if chosen == HEAR_KEY:
                await call.keep_alive()
                await call.conversation.play_back(audio)
                await call.keep_alive()
            elif chosen is NoChoice.NO_MATCH:
                call.tally.no_match += 1
                await call.keep_alive()
            else:
                return chosen == AGAIN_KEY
        return False
