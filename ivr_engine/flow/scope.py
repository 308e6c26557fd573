"""What a step may refer to while it is checked and compiled, and where its findings go.

Knows the names in force: variables, facts, prompts, operations, queues, flows. Must not know kinds of steps.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final, Protocol

from ivr_engine.flow.call import FACTS
from ivr_engine.flow.constants import CONSTANTS
from ivr_engine.flow.expressions import NO_CONSTANTS, Compiled, ExpressionError, compile_expression
from ivr_engine.flow.findings import did_you_mean, suggest
from ivr_engine.flow.hours import OpeningHours
from ivr_engine.flow.limits import Limits
from ivr_engine.flow.operations import Signature
from ivr_engine.flow.source import Path, Source
from ivr_engine.flow.speaking import Part, Speaker, SpeechBuilder
from ivr_engine.flow.uses import QUEUES, Use
from ivr_engine.flow.values import DIGITS, NUMBER, SECRET, TEXT, YES_NO, Constant, DataClass, Type, Variable
from ivr_engine.flow.wording import Text
from ivr_engine.values.language import Language

PRODUCTION: Final = "production"
"""The environment that is in force unless the hotline is set up for another."""
ZONE: Final = "Asia/Shanghai"
"""The time zone of opening hours unless the hotline is set up for another."""


class Prompts(Protocol):
    """Which prompts there are."""

    def has(self, language: Language, prompt: str) -> bool:
        """Whether the prompt has a text in this language."""
        ...

    def ids(self, language: Language) -> Iterable[str]:
        """Return the ids of all prompts of a language."""
        ...

    def lasts_ms(self, language: Language, prompt: str) -> int:
        """Return how long a prompt is heard, in milliseconds; near enough for a bound."""
        ...

    def text(self, language: Language, prompt: str) -> str:
        """Return the words of a prompt; `KeyError` when there is none."""
        ...


@dataclass(frozen=True, slots=True)
class World:
    """What the flows of a hotline are checked against.

    `environment` says which of their constants are in force, `zone` (a name of the IANA database) what time it is.
    `skills` are what any agent knows that a caller may ask for.
    """

    prompts: Prompts
    operations: Mapping[str, Signature]
    queues: frozenset[str]
    limits: Limits = field(default_factory=Limits)
    first_flow: str = "hotline"
    environment: str = PRODUCTION
    zone: str = ZONE
    skills: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Interface:
    """What one flow shows to the flows that run it."""

    inputs: Mapping[str, Variable]
    outputs: Mapping[str, Variable]
    outcomes: tuple[str, ...]
    languages: tuple[Language, ...]


@dataclass(slots=True)
class Scope:
    """The names in force for one step of one flow.

    `reads` gathers the variables that the step reads, `tells` the personal ones that it reads out, `heard_ms` and
    `longest_ms` how long its prompt and the whole step last. `used` gathers, for all steps of the flow, what they use
    of the top of the file, as (block, name); `uses` what this step uses of the hotline, by (sort, name).
    `interfaces` has None for a flow that exists and cannot be read: its own findings say why, and nothing more is said.
    """

    source: Source
    path: Path
    world: World
    variables: Mapping[str, Variable]
    languages: tuple[Language, ...]
    interfaces: Mapping[str, Interface | None]
    own_outcomes: tuple[str, ...]
    own_outputs: tuple[str, ...]
    everywhere: Mapping[str, str] = field(default_factory=dict)
    constants: Mapping[str, Constant] = field(default_factory=lambda: NO_CONSTANTS)
    hours: Mapping[str, OpeningHours] = field(default_factory=dict)
    used: set[tuple[str, str]] = field(default_factory=set)
    uses: dict[tuple[str, str], Use] = field(default_factory=dict)
    reads: set[str] = field(default_factory=set)
    tells: set[str] = field(default_factory=set)
    heard_ms: int = 0
    longest_ms: int = 0

    def finding(self, code: str, at: Path, message: Text, mend: Text, *, key: bool = False) -> None:
        """Note a finding at a path within the step (`key`: at the key itself, not its value)."""
        self.source.finding(code, self.source.place((*self.path, *at), key=key), message, mend)

    def expression(self, text: str | int | bool, at: Path, expected: Type | None = None) -> Compiled | None:  # noqa: FBT001 # a YAML scalar, not a switch
        """Compile an expression written at `at`; note a finding and return None when it is wrong."""
        written = str(text).lower() if isinstance(text, bool) else str(text)
        try:
            compiled = compile_expression(written, self.variables, FACTS, self.constants)
        except ExpressionError as error:
            place = self.source.place((*self.path, *at))
            shown = type(place)(place.file, place.line, place.column + error.column - 1)
            self.source.finding(error.code, shown, error.message, error.mend)
            return None
        self.reads.update(compiled.reads)
        self.used.update((CONSTANTS, name) for name in compiled.constants)
        if expected is not None and not _fits(compiled.type, expected):
            message = Text("{expected} is expected here, this is {actual}", expected=expected, actual=compiled.type)
            self.finding("E302", at, message, _type_mend(expected))
            return None
        return compiled

    def facts_of(self, text: str | int | bool) -> tuple[frozenset[str], frozenset[str]]:  # noqa: FBT001 # a YAML scalar, not a switch
        """Return the facts that are true where a condition holds, and where it does not; none for a wrong one."""
        compiled = self.seen(text)
        if compiled is None:
            return frozenset(), frozenset()
        return compiled.true_when_it_holds, compiled.true_when_it_does_not

    def seen(self, text: str | int | bool) -> Compiled | None:  # noqa: FBT001 # a YAML scalar, not a switch
        """Return an expression, or None when it is wrong, without noting anything: to say in which ways a step ends."""
        try:
            return compile_expression(str(text), self.variables, FACTS, self.constants)
        except ExpressionError:
            return None

    def value_for(self, variable: Variable, text: str | int | bool, at: Path) -> Compiled | None:  # noqa: FBT001 # a YAML scalar, not a switch
        """Compile the value that is put into a variable: of its type, and not more sensitive than it is declared."""
        compiled = self.expression(text, at, variable.type)
        if compiled is not None and variable.data_class is DataClass.PUBLIC:
            personal = sorted(name for name in compiled.reads if self.variables[name].data_class is DataClass.PERSONAL)
            if personal:
                message = Text("'{name}' is personal, and what it is put into is public", name=personal[0])
                mend = Text("declare what receives it as `personal {type}`", type=variable.type)
                self.finding("E302", at, message, mend)
                return None
        return compiled

    def variable(self, name: str, at: Path) -> Variable | None:
        """Return a variable that is to be written; note a finding when it is not declared."""
        if name in self.variables:
            return self.variables[name]
        if name in self.constants:
            message = Text("'{name}' is a constant, and nothing changes it", name=name)
            self.finding("E124", at, message, Text("declare it under `variables` if it is to change"))
            return None
        near = suggest(name, self.variables)
        mend = Text("declare it under `variables`")
        if near is not None:
            mend = Text("did you mean '{near}'? If not, declare it under `variables`", near=near)
        self.finding("E301", at, Text("there is no variable '{name}'", name=name), mend)
        return None

    def secret(self, name: object, at: Path) -> str | None:
        """Return the name of a secret variable that is handed on; note a finding when it is none."""
        if isinstance(name, str) and name in self.variables and self.variables[name].type == SECRET:
            self.reads.add(name)
            return name
        mend = Text("name the variable of a `secret` step")
        self.finding("E304", at, Text("a secret variable is expected here"), mend)
        return None

    def queue(self, name: object, at: Path) -> str | None:
        """Return the name of a queue, and note that it is used; note a finding when there is none of this name."""
        self.use(QUEUES, str(name), at)
        if isinstance(name, str) and name in self.world.queues:
            return name
        mend = did_you_mean(str(name), self.world.queues)
        self.finding("E701", at, Text("there is no queue '{name}'", name=name), mend)
        return None

    def use(self, sort: str, name: str, at: Path) -> None:
        """Note a name of the hotline that the step uses, where it is first written; with no path, at the step itself.

        Every kind that looks a name up notes it here: pictures, tasks and `ivr impact` know of no other.
        """
        place = self.source.place((*self.path, *at), key=not at)
        self.uses.setdefault((sort, name), Use(sort, name, place))

    def speech(self, parts: list[Part], at: Path) -> Speaker:
        """Check the parts of something to be spoken and return what says them."""
        return SpeechBuilder(self, at).build(parts)

    def lasts(self, heard_ms: int, longest_ms: int) -> None:
        """Note how long the step's prompt is heard, and how long the step may take in all."""
        self.heard_ms, self.longest_ms = heard_ms, longest_ms


def _type_mend(expected: Type) -> Text:
    if expected == YES_NO:
        return Text("compare it with a value, for example `position = 1`")
    if expected in (TEXT, DIGITS):
        return Text("""use a variable of that type, or put a text in quotes within quotes: "'123'\"""")
    return Text("use a variable of that type")


def _fits(actual: Type, expected: Type) -> bool:
    if actual == expected or (actual in (TEXT, DIGITS) and expected in (TEXT, DIGITS)):
        return True
    return expected == TEXT and bool(actual.members) and actual != NUMBER
