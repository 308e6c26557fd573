"""The shape of a flow file, and what compiling makes of it.

Knows the keys at the top of a file and the compiled form. Must not know kinds of steps.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from ivr_engine.flow.fields import Written
from ivr_engine.flow.findings import Finding, Place
from ivr_engine.flow.operations import Level
from ivr_engine.flow.scope import Interface
from ivr_engine.flow.step import Action, By, Repeat, Way
from ivr_engine.flow.uses import Use
from ivr_engine.flow.values import TYPE_WRITTEN, Variable
from ivr_engine.values.language import Language

STEPS_MAX: Final = 10_000
FLOWS_DEEP_MAX: Final = 8
"""How many flows may run one another at a time."""


def _variable(written: Any) -> Any:  # noqa: ANN401 # whatever the author wrote
    return Variable.parse(written) if isinstance(written, str) else written


Declared = Annotated[
    Variable, BeforeValidator(_variable, json_schema_input_type=Annotated[str, Field(pattern=TYPE_WRITTEN)])
]


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
    constants: dict[str, Written] = Field(default_factory=dict, description="Values that have a name and never change.")
    environments: dict[str, dict[str, Written]] = Field(
        default_factory=dict, description="Constants that are other ones in each environment, by its name."
    )
    hours: dict[str, dict[str, Any]] = Field(default_factory=dict, description="Opening hours, by name.")
    otherwise: dict[str, str] = Field(default_factory=dict, description="Arms for outcomes that a step has none for.")
    everywhere: dict[str, str] = Field(
        default_factory=dict, description="Keys that every question by keys takes, unless it uses them itself."
    )
    steps: dict[str, dict[str, Any]] = Field(min_length=1, max_length=STEPS_MAX, description="The steps by name.")


@dataclass(frozen=True, slots=True)
class CompiledStep:
    """A step that is ready to run: what it does, where each outcome leads, and what the proofs know of it.

    `tells` are the personal variables that it reads out. `heard_ms` is how long the caller listens before the first
    answer counts, `longest_ms` how long the step may take in all. `longest_ms` of a step that runs a flow is without
    that flow, which is run once, or as often as `repeats` says; `hands_over_to` is a flow that does not come back.
    `by_default` are the outcomes whose arms stand at the top of the file, under `otherwise`. `uses` are the names that
    the step looks up, each with its place.
    """

    name: str
    word: str
    place: Place
    action: Action
    ways: tuple[Way, ...]
    arms: Mapping[str, str]
    reads: frozenset[str]
    forgets: frozenset[str]
    runs: str | None
    returns: str | None
    repeats: Repeat | None
    hands_over_to: str | None
    by_default: frozenset[str]
    uses: frozenset[Use]
    results_into: Mapping[str, str]
    needs: Level
    spends: frozenset[str] | None
    rescues: bool
    tells: frozenset[str]
    heard_ms: int
    longest_ms: int

    @property
    def outcomes(self) -> tuple[str, ...]:
        """Every outcome, the usual one first."""
        return tuple(dict.fromkeys(way.outcome for way in self.ways))

    @property
    def asks(self) -> bool:
        """Whether the caller is asked for something."""
        return any(way.by is By.CALLER for way in self.ways)


@dataclass(frozen=True, slots=True)
class CompiledFlow:
    """One flow, compiled; usable only when there are no findings in its library."""

    name: str
    title: str
    start: str
    languages: tuple[Language, ...]
    interface: Interface
    variables: Mapping[str, Variable]
    steps: Mapping[str, CompiledStep]


@dataclass(frozen=True, slots=True)
class Library:
    """All flows of a folder at one moment; `version` is the hash of their texts."""

    version: str
    flows: Mapping[str, CompiledFlow]
    findings: tuple[Finding, ...]
