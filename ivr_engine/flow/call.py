"""What one call offers to the steps of a flow.

Knows the conversation, the variables of the flow that runs now, and the ports to operations and queues. Must not know
sessions, journals or Asterisk.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Final, Protocol

from ivr_engine.channel.conversation import Conversation
from ivr_engine.flow.leaving import Callbacks, Destinations, NothingLeft, VoiceMessages
from ivr_engine.flow.operations import Operations, Performed
from ivr_engine.flow.values import YES_NO, Encoded, Type, Value, one_of
from ivr_engine.values.clock import Clock
from ivr_engine.values.language import Language
from ivr_engine.values.medium import Medium
from ivr_engine.values.utterance import Utterance


class QueueOutcome(StrEnum):
    """How waiting for a human ended, in order of precedence."""

    ANSWERED = "answered"
    NO_AGENTS = "no_agents"
    FULL = "full"
    TIMED_OUT = "timed_out"


@dataclass(frozen=True, slots=True)
class Wanted:
    """For whom a caller waits, and how.

    `hold` is said before the music. After `most_ms` the caller waits no longer, though the queue itself would let them;
    an agent who rings then is still waited for. A higher `priority` goes first. Until `relax_ms` are over (None: as
    long as it takes) only agents with all `skills` are offered. `whisper` is what the agent hears before both are
    joined. With `secure` the agent can send the caller away from the talk, and wait for them.
    """

    queue: str
    hold: Utterance | None = None
    most_ms: int | None = None
    priority: int = 0
    skills: frozenset[str] = frozenset()
    relax_ms: int | None = None
    whisper: Utterance | None = None
    secure: bool = False


class Queues(Protocol):
    """Lets a caller wait for an agent and joins the two."""

    async def enter(self, wanted: Wanted) -> None:
        """Put the caller into a queue and say the words before the music; who waits there already keeps the place."""
        ...

    async def wait(self, within_ms: int | None = None) -> QueueOutcome | None:
        """Play music until an agent has answered and left again, or there is none: then the queue is left.

        None when the caller still waits after `within_ms`, or has pressed a key before, which is kept. From then on
        `CalledAway` rises in the conversation as soon as there is news; it is heard of by waiting again.
        """
        ...

    @property
    def has_news(self) -> bool:
        """Whether an agent is offered, or the wait is over."""
        ...

    @property
    def holds_agent(self) -> bool:
        """Whether an agent waits, with music, until the caller comes back and waits again (`wait`).

        `wait` has returned None then. An agent who has hung up until then is replaced by the next one who is free.
        """
        ...

    def came_back(self, told: Utterance) -> None:
        """Let the agent who waits be told this before both are joined again."""
        ...

    def leave(self) -> None:
        """Wait no longer; harmless when repeated."""
        ...


class Identity(Protocol):
    """Who the caller has proved to be."""

    @property
    def signed_in(self) -> bool:
        """Whether the caller has signed in, and it still holds."""
        ...

    @property
    def stepped_up(self) -> bool:
        """Whether the caller has proved it a second time, and it still holds."""
        ...

    @property
    def customer(self) -> str | None:
        """The customer who signed in last, though it may not hold any more."""
        ...


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A message to the customer who has signed in; `message` is its name, `heading` a subject or title, or empty."""

    medium: Medium
    message: str
    language: Language
    heading: str = field(repr=False)
    text: str = field(repr=False)


Shown = tuple[str, Encoded]
"""A value as it is kept for people: the name of its type, and itself."""


class BackOffice(Protocol):
    """Sends to the caller, and writes down for the bank's people. `change` counts as it does for operations.

    The same number with the same content in one call is the same, sent or written once however often it is asked for.
    """

    async def send(self, message: Outgoing, *, change: int) -> Performed:
        """Hand a message in; `accepted`, `no_address` or `unavailable`."""
        ...

    async def open_case(self, kind: str, data: Mapping[str, Shown], *, change: int) -> Performed:
        """Open a case; `opened` with its `number`, or `unavailable`."""
        ...

    async def note(self, text: str, *, change: int) -> Performed:
        """Keep a note with the call; `noted` or `unavailable`."""
        ...

    def show(self, screen: Mapping[str, Shown]) -> None:
        """Show the bank's people this of the call, whole; it returns at once and never fails."""
        ...


CALLED_AWAY: Final = "called away"
"""How a flow ended that was run while the caller waited, when what they waited for has come."""
SIGNED_IN: Final = "signed_in"
STEPPED_UP: Final = "stepped_up"
FACTS: Final[Mapping[str, Type]] = MappingProxyType(
    {"language": one_of(Language), SIGNED_IN: YES_NO, STEPPED_UP: YES_NO}
)
"""Read-only names that every expression may use."""


async def nothing_to_renew() -> None:
    """Do nothing: for calls that no dialplan watches over."""


@dataclass(slots=True)
class Tally:
    """What is counted over a whole call, through all its flows; it goes with the call to another engine.

    `steps` are those begun, `no_input` and `no_match` the tries that ended in silence and in keys that mean nothing,
    `changes` the operations that changed something and were answered. `exceeded` is 1 when the budget was used up, and
    the caller was led to what the flow has for that.
    """

    steps: int = 0
    no_input: int = 0
    no_match: int = 0
    changes: int = 0
    exceeded: int = 0

    @property
    def wrong_entries(self) -> int:
        """Silences and wrong keys together."""
        return self.no_input + self.no_match


@dataclass(slots=True)
class Visits:
    """Which steps the caller has been to, of those that say something else the second time; they go with the call.

    A step is `flow:step`. It counts when it has ended: who was cut off in it hears it once more as it was.
    """

    been_to: set[str] = field(default_factory=set)
    _step: str = ""
    _tries_again: bool = False
    _asked: bool = False

    def come_to(self, step: str) -> None:
        """Note that the caller has come to a step."""
        self._step, self._tries_again, self._asked = step, False, False

    def try_again(self) -> None:
        """Note that the step asks once more."""
        self._tries_again = True

    def again(self) -> bool:
        """Say whether the caller hears this step for the second time, or more often."""
        self._asked = True
        return self._tries_again or self._step in self.been_to

    def leave(self) -> None:
        """Note that the step has ended; where nothing is said otherwise the next time, nothing is kept."""
        if self._asked:
            self.been_to.add(self._step)


@dataclass(slots=True)
class Call:
    """One call, as a step sees it. `variables` are those of the flow that runs now."""

    conversation: Conversation
    operations: Operations
    queues: Queues
    identity: Identity
    language: Language
    back_office: BackOffice
    clock: Clock = field(init=False)
    """Lent by the runner, when it takes the call."""
    caller: str = ""
    """The caller's number, or where it is withheld what stands for this one call."""
    variables: dict[str, Value] = field(default_factory=dict)
    gone: bool = False
    """Whether the caller has hung up: nothing is said any more, and nobody is listened to."""
    tally: Tally = field(default_factory=Tally)
    visits: Visits = field(default_factory=Visits)
    screen: dict[str, Shown] = field(default_factory=dict)
    """What the agent will see of the call, by name; it goes with the call to another engine."""
    voice_messages: VoiceMessages = field(default_factory=NothingLeft)
    callbacks: Callbacks = field(default_factory=NothingLeft)
    destinations: Destinations = field(default_factory=NothingLeft)
    returned: str | None = None
    """For a step that stays while its flow runs: how that has ended; None when the call comes to the step."""
    keep_alive: Callable[[], Awaitable[None]] = nothing_to_renew
    """Awaited now and then by whatever takes long, so that the dialplan does not take the caller for forgotten."""

    async def try_again(self) -> None:
        """Begin another try of a question: the line is kept alive, and what is said differently then is said so."""
        self.visits.try_again()
        await self.keep_alive()

    def fact(self, name: str) -> Value:
        """Return a read-only fact (a key of `FACTS`)."""
        if name == STEPPED_UP:
            return self.identity.stepped_up
        return self.language.value if name == "language" else self.identity.signed_in
