"""A call that was played becomes a test: what was heard, and what was typed.

Knows what happened in which order, and which keys were asked for as a secret. Must not know terminals. Keys of a secret
never reach the text: the sample customer's PIN is written as `pin`, another as `wrong pin`, too few as noughts.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Final

from ivr_engine.banking.model import Posting
from ivr_engine.calls.office import OutboxMessage
from ivr_engine.channel.conversation import Conversation
from ivr_engine.flow.runner import StepDone
from ivr_engine.scenarios.reading import HEARD, MILESTONES, MOVED, SENT
from ivr_engine.scenarios.reading_steps import pin_at
from ivr_engine.scenarios.sample import SAMPLE, sample_customer
from ivr_engine.scenarios.updating import in_brackets, name_in
from ivr_engine.speech.grammars import required_prompts
from ivr_engine.values.language import Language
from ivr_engine.values.secret import SecretDigits

SECRET_STEP: Final = "secret"  # noqa: S105 # the word of a step, not a password
SILENCE: Final = "silence"
HUNG_UP: Final = "hung up"
SPOKE: Final = "spoke "
WIDTH: Final = 110
_ENTRIES: Final = re.compile("[^#]*#|[^#]+")


@dataclass(slots=True)
class Recorder:
    """Notes what is heard and typed in one played call, and every step that is done.

    Keys are noted as they are taken from the line; to which step each belongs is known when the step is done, by how
    many are still waiting in the conversation. Keys that a step took without having asked for any were dropped: nobody
    knows what they were meant for, so they are hidden as a secret is.
    """

    conversation: Conversation | None = None
    _events: list[str | int] = field(default_factory=list)
    """`<language>/<id>` heard, `silence`, `spoke <ms>`, `hung up`, or the number of a key."""
    _keys: list[str] = field(default_factory=list)
    _hidden: list[int] = field(default_factory=list)
    """For each key that a step took: 0, or the number of that step when the key is to be hidden."""
    _steps_done: int = 0
    _reason: str = ""
    _milestones: list[str] = field(default_factory=list)
    _moved: Sequence[Posting] = ()
    _sent: Sequence[OutboxMessage] = ()
    _codes: set[str] = field(default_factory=set)
    _language: Language = Language.MANDARIN

    def heard(self, names: Sequence[str]) -> None:
        """Recordings were heard."""
        self._events.extend(names)

    def typed(self, key: str) -> None:
        """A key was taken from the line."""
        self._events.append(len(self._keys))
        self._keys.append(key)

    def silent(self) -> None:
        """The player stayed silent until a time-out."""
        self._events.append(SILENCE)

    def spoke(self, milliseconds: int) -> None:
        """The player spoke into a message."""
        self._events.append(f"{SPOKE}{milliseconds}")

    def hung_up(self) -> None:
        """The player hung up."""
        self._events.append(HUNG_UP)

    def step_done(self, step: StepDone, *, asks: bool) -> None:
        """A step took what was typed, but for what still waits in the conversation."""
        self._steps_done += 1
        if step.milestone is not None:
            self._milestones.append(step.milestone)
        waiting = len(self.conversation.keys) if self.conversation is not None else 0
        taken = len(self._keys) - waiting - len(self._hidden)
        self._hidden.extend([0 if asks and step.word != SECRET_STEP else self._steps_done] * taken)

    def moved(self, postings: Sequence[Posting]) -> None:
        """The bank has moved this money, and nothing else."""
        self._moved = postings

    def sent(self, messages: Sequence[OutboxMessage], code: str) -> None:
        """The customer has been sent these messages until now, and nothing else; `code` is the last that was sent."""
        self._sent = tuple(messages)
        self._codes.add(code)

    def ended(self, reason: str, language: Language, *, word: str, asks: bool) -> None:
        """The call is over; `language` was spoken last. A step that was not done is taken to be of this kind."""
        self._reason, self._language = reason, language
        shown = asks and word != SECRET_STEP
        self._hidden.extend([0 if shown else self._steps_done + 1] * (len(self._keys) - len(self._hidden)))

    def as_test(self, title: str, flow: str, given: Sequence[str] = ()) -> str:
        """Return the text of a test in which the sample customer lives the call through again."""
        reason, language = self._reason, self._language
        lines = ["ivr_test: 1", f"title: {_quoted(title)}", f"flow: {flow}", f"language: {language.value}", "given:"]
        lines += [f"  {line}" for line in (f"customer: {SAMPLE}", *given)]
        lines += ["steps:", *(f"  {line}" for line in self._steps(language))]
        heard = [event for event in self._events if isinstance(event, str) and "/" in event]
        before = f"  {HEARD}: "
        listed = in_brackets([name_in(language, name) for name in heard], before)
        lines += ["expect:", f"  ends: {reason}", f"{before}{listed}"]
        if self._milestones:
            lines.append(f"  {MILESTONES}: [{', '.join(self._milestones)}]")
        if self._moved:
            lines += [f"  {MOVED}:", *(f"    - {{{_moved(posting)}}}" for posting in self._moved)]
        if self._sent:
            lines.append(f"  {SENT}: [{', '.join(message.medium.value for message in self._sent)}]")
        return "\n".join(lines) + "\n"

    def _steps(self, language: Language) -> Iterator[str]:
        heard: list[str] = []
        keys: list[int] = []
        silent = False
        for event in [*self._events, ""]:
            if isinstance(event, int):
                yield from _hear(heard, language)
                heard = []
                keys.append(event)
                continue
            yield from self._typed(keys)
            keys = []
            if "/" in event:
                if silent:
                    yield "- stay silent"
                silent = False
                heard.append(event)
                continue
            yield from _hear(heard, language)
            heard, silent = [], event == SILENCE
            if event == HUNG_UP:
                yield "- hang up"
            elif event.startswith(SPOKE):
                yield f"- speak: {event.removeprefix(SPOKE)} ms"

    def _typed(self, keys: Sequence[int]) -> Iterator[str]:
        """Yield what presses some keys: each run of hidden ones is one entry."""
        customer = sample_customer()
        for hidden, group in groupby(keys, key=lambda key: self._hidden[key]):
            text = "".join(self._keys[key] for key in group)
            if hidden:
                yield from _secret_entries(text, customer.pin, self._codes)
                continue
            while (at := pin_at(text, customer.pin)) is not None:
                yield from _plain_entry(text[:at], customer.number)
                yield "- type: pin"
                text = text[at + len(customer.pin) :]
            yield from _plain_entry(text, customer.number)
        customer.pin.wipe()


def _plain_entry(text: str, number: str) -> Iterator[str]:
    if text == f"{number}#":
        yield "- type: customer number"
    elif text:
        yield f'- press: "{text}"'


def _secret_entries(text: str, pin: SecretDigits, codes: Collection[str]) -> Iterator[str]:
    """Yield one entry after the other: each ends with the hash key, or where nothing more was typed."""
    for entry in _ENTRIES.findall(text):
        if entry in codes:
            yield "- type: code"
            continue
        typed = SecretDigits(entry.removesuffix("#").encode("ascii"))
        if len(typed) == len(pin):
            yield "- type: pin" if typed.same_as(pin) else "- type: wrong pin"
            if entry.endswith("#"):
                yield '- press: "#"'
        else:
            yield f'- type: "{"0" * len(typed)}{"#" * entry.endswith("#")}"'
        typed.wipe()


def _hear(heard: Sequence[str], language: Language) -> Iterator[str]:
    """Yield what waits for these recordings; of read-outs, which stand whole under `heard in order`, a `...`."""
    names: list[str] = []
    for name in heard:
        spoken, _, prompt = name.partition("/")
        if prompt not in required_prompts(Language(spoken)):
            names.append(name_in(language, name))
        elif names and names[-1] != "...":
            names.append("...")
    while names and names[-1] == "...":
        names.pop()
    if names:
        one_line = f"- hear: [{', '.join(names)}]" if len(names) > 1 else f"- hear: {names[0]}"
        if len(one_line) <= WIDTH:
            yield one_line
        else:
            yield "- hear:"
            yield from (f"    - {name}" for name in names)


def _moved(posting: Posting) -> str:
    return f'from: "{posting.debit}", to: "{posting.credit}", amount: {posting.amount}'


def _quoted(title: str) -> str:
    plain = title.replace('"', "'").replace("\\", "/")
    return f'"{plain}"'
