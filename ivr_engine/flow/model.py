"""The shape of a flow file, and what compiling makes of it.

Knows the keys at the top of a file and the compiled form. Must not know kinds of steps.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Annotated, Any, ClassVar, Final, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from ivr_engine.flow.constants import WrittenConstant
from ivr_engine.flow.findings import Finding, NotUnderstoodError, Place, did_you_mean
from ivr_engine.flow.hours import WrittenHours
from ivr_engine.flow.messages import Messages
from ivr_engine.flow.operations import Level
from ivr_engine.flow.scope import Interface
from ivr_engine.flow.step import Action, By, Repeat, Way
from ivr_engine.flow.uses import Use
from ivr_engine.flow.values import TYPE_WRITTEN, Variable
from ivr_engine.flow.wording import Text
from ivr_engine.values.language import Language

MILESTONES: Final = "milestones"
STEPS_MAX: Final = 10_000
STEPS_PER_CALL_MAX: Final = 500
"""How many steps a call may take at most, whatever its flow says."""
_BUDGETS: Final[Mapping[str, tuple[int, int]]] = MappingProxyType(
    {"steps": (10, STEPS_PER_CALL_MAX), "wrong_entries": (1, 100)}
)
BUDGET: Final = "budget"
BUDGET_EXCEEDED: Final = "budget_exceeded"
"""The key under `otherwise` that says where a call goes whose budget is used up."""
FLOWS_DEEP_MAX: Final = 8
"""How many flows may run one another at a time."""


def _variable(written: object) -> Variable:
    if isinstance(written, str):
        return Variable.parse(written)
    raise NotUnderstoodError(
        Text("the type of a variable is expected here, in one text"), Text("write for example `personal digits`")
    )


Declared = Annotated[
    Variable, BeforeValidator(_variable, json_schema_input_type=Annotated[str, Field(pattern=TYPE_WRITTEN)])
]


def _limited(key: str, description: str) -> Any:  # noqa: ANN401 # what pydantic makes of a field
    least, most = _BUDGETS[key]
    return Field(ge=least, le=most, description=description)


@dataclass(frozen=True, slots=True)
class Budget:
    """What one call may take: steps, and silences and wrong keys together (None: as many as the steps allow)."""

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    steps: Annotated[int, _limited("steps", "How many steps at most.")] = STEPS_PER_CALL_MAX
    wrong_entries: Annotated[int, _limited("wrong_entries", "How many silences and wrong keys at most.")] | None = None


def _budget(written: Any) -> Any:  # noqa: ANN401 # whatever the author wrote
    if not isinstance(written, dict):
        return written
    for key, number in written.items():
        if key not in _BUDGETS:
            raise NotUnderstoodError(Text("'{key}' is no limit of a call", key=key), did_you_mean(key, _BUDGETS))
        least, most = _BUDGETS[key]
        if type(number) is not int or not least <= number <= most:
            message = Text("`{key}` is a number from {least} to {most}", key=key, least=least, most=most)
            raise NotUnderstoodError(message, Text("write for example `{{{key}: {least}}}`", key=key, least=least))
    return Budget(**written)


class MilestoneKind(StrEnum):
    """What a milestone says of the caller who has reached it."""

    SELF_SERVICE = "self_service"
    """Got what they called for, without a human."""
    HUMAN = "human"
    """Got a human."""
    ABANDONED_TASK = "abandoned_task"
    """Did not get what they had begun."""


class FlowFile(BaseModel):
    """The top of a flow file; its steps are read one by one, each by its kind."""

    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True)

    ivr: Literal[1] = Field(description="The version of the language.")
    title: str = Field(description="What the flow is for, in a few words.")
    owner: str | None = Field(default=None, description="Who answers for it.")
    languages: tuple[Language, ...] = Field(default=tuple(Language), min_length=1, description="Spoken languages.")
    start: str = Field(description="The first step.")
    inputs: dict[str, Declared] = Field(default_factory=dict, description="Variables given by the flow that runs it.")
    outputs: tuple[str, ...] = Field(default=(), description="Variables given back.")
    outcomes: tuple[str, ...] = Field(default=(), description="How it can return, the usual outcome first.")
    variables: dict[str, Declared] = Field(default_factory=dict, description="Its own variables, with their types.")
    constants: dict[str, WrittenConstant] = Field(
        default_factory=dict, description="Values that have a name and never change."
    )
    environments: dict[str, dict[str, WrittenConstant]] = Field(
        default_factory=dict, description="Constants that are other ones in each environment, by its name."
    )
    milestones: dict[str, MilestoneKind] = Field(
        default_factory=dict, description="What callers reach, with its kind: self_service, human or abandoned_task."
    )
    hours: dict[str, WrittenHours] = Field(default_factory=dict, description="Opening hours, by name.")
    budget: Annotated[Budget | None, BeforeValidator(_budget, json_schema_input_type=Budget)] = Field(
        default=None, description="For the first flow: how many steps and wrong entries a call may take."
    )
    finally_: str | None = Field(
        default=None, alias="finally", description="For the first flow: the step to run when the caller has hung up."
    )
    otherwise: dict[str, str] = Field(default_factory=dict, description="Arms for outcomes that a step has none for.")
    everywhere: dict[str, str] = Field(
        default_factory=dict,
        description="Keys that every question by keys takes, unless it uses them itself: each with a step, or with "
        "`repeat`, `help` or `back`.",
    )
    steps: dict[str, dict[str, Any]] = Field(min_length=1, max_length=STEPS_MAX, description="The steps by name.")


@dataclass(frozen=True, slots=True)
class CompiledStep:
    """A step that is ready to run: what it does, where each outcome leads, and what the proofs know of it.

    `tells` are the personal variables that it reads out. `heard_ms` is how long the caller listens before the first
    answer counts, `longest_ms` how long the step may take in all. `longest_ms` of a step that runs a flow is without
    that flow, which is run once, or as often as `repeated` says; `hands_over_to` is a flow that does not come back.
    `from_flow` are the outcomes that the flow brings about which the step runs: all of them, or, of a step that stays
    with the caller meanwhile, those by which that flow ends the stay.
    `wrong` are the outcomes that a caller brings about by silence or mistakes, and by which of both.
    `usual` is the outcome that `then` stands for, and after which `milestone` is reached. `goes_back_to` is the
    question that a key for `back` leads to. `by_default` are the outcomes whose arms stand at the top of the file,
    under `otherwise` or `everywhere`. `uses` are the names that the step looks up, each with its place. `says` is what
    is written in the step but for where its arms lead, in one form, so that two steps can be compared.
    """

    name: str
    word: str
    place: Place
    action: Action
    ways: tuple[Way, ...]
    wrong: Mapping[str, By]
    usual: str | None
    milestone: str | None
    arms: Mapping[str, str]
    goes_back_to: str | None
    reads: frozenset[str]
    forgets: frozenset[str]
    runs: str | None
    secures: str | None
    from_flow: frozenset[str]
    returns: str | None
    repeated: Repeat | None
    hands_over_to: str | None
    by_default: frozenset[str]
    uses: frozenset[Use]
    says: str
    results_into: Mapping[str, str]
    needs: Level
    spends: frozenset[str] | None
    rescues: bool
    silent: bool
    tells: frozenset[str]
    heard_ms: int
    longest_ms: int

    @property
    def outcomes(self) -> tuple[str, ...]:
        """Every outcome, the usual one first."""
        return tuple(dict.fromkeys(way.outcome for way in self.ways))

    @property
    def inner(self) -> tuple[str, ...]:
        """The flows that the step runs, from which the call comes back to it."""
        return tuple(name for name in (self.runs, self.secures) if name is not None)

    @property
    def stays(self) -> bool:
        """Whether the step waits for a human while the flow runs that it runs: again and again, until one is there."""
        return self.rescues and self.runs is not None

    @property
    def asks(self) -> bool:
        """Whether the caller is asked for something."""
        return any(way.by is By.CALLER for way in self.ways)


@dataclass(frozen=True, slots=True)
class CompiledFlow:
    """One flow, compiled; usable only when there are no findings in its library.

    A call may come to `budget_exceeded` and `finally_` from any step, with no more known than at the start. `declared`
    is what else stands at the top of the file, as (block, name) -> its text, so that two flows can be compared, and
    `everywhere` which keys every question takes, each with what it leads to.
    """

    name: str
    title: str
    owner: str | None
    start: str
    languages: tuple[Language, ...]
    interface: Interface
    variables: Mapping[str, Variable]
    milestones: Mapping[str, MilestoneKind]
    budget: Budget | None
    budget_exceeded: str | None
    finally_: str | None
    declared: Mapping[tuple[str, str], str]
    everywhere: Mapping[str, str]
    steps: Mapping[str, CompiledStep]

    @property
    def entries(self) -> tuple[str, ...]:
        """The steps at which a call may begin in this flow, the start first."""
        return (self.start, *(step for step in (self.budget_exceeded, self.finally_) if step is not None))


@dataclass(frozen=True, slots=True)
class Library:
    """All flows of a folder at one moment; `version` is the hash of their texts. `advice` keeps no flow from a call.

    `messages` are those that its flows send.
    """

    version: str
    flows: Mapping[str, CompiledFlow]
    findings: tuple[Finding, ...]
    advice: tuple[Finding, ...] = ()
    messages: Messages = field(default_factory=Messages)


def flows_from(library: Library, flow: str) -> tuple[str, ...]:
    """Return a flow and all others in which its calls can go on: those that are run, and those handed over to."""
    found, todo = {flow: None}, [flow]
    while todo:
        for step in library.flows[todo.pop()].steps.values():
            for name in (*step.inner, step.hands_over_to):
                if name in library.flows and name not in found:
                    found[str(name)] = None
                    todo.append(str(name))
    return tuple(found)
