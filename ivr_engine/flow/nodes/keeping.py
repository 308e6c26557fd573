"""`case`, `note`, `screen`: write down for the bank's people what a call is about.

A case has a number that the caller is told; a note stays with the call; a screen is what an agent sees when the call is
offered. These are steps and not operations: what is written has names that the author chooses.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import ClassVar, Final

from pydantic import Field

from ivr_engine.flow.call import Call
from ivr_engine.flow.expressions import Evaluate
from ivr_engine.flow.fields import Written
from ivr_engine.flow.findings import did_you_mean
from ivr_engine.flow.nodes.writing import VALUES_MAX, WRITING_MS, given, gives_of, kept, names_only
from ivr_engine.flow.operations import UNAVAILABLE
from ivr_engine.flow.scope import Scope
from ivr_engine.flow.step import Action, By, Step, Way
from ivr_engine.flow.templates import FORMS, BrokenTemplateError, Template, take_apart
from ivr_engine.flow.values import DIGITS
from ivr_engine.flow.wording import Text

OPENED: Final = "opened"
NOTED: Final = "noted"
SHOWN: Final = "shown"
NUMBER: Final = "number"
_DEEDS: Final[Mapping[str, Text]] = MappingProxyType(
    {
        OPENED: Text("a case is opened"),
        NOTED: Text("the note is kept"),
        UNAVAILABLE: Text("nothing can be written down"),
    }
)


class Case(Step):
    """Open a case, which has a number."""

    WORD: ClassVar[str] = "case"
    SUMMARY: ClassVar[str] = "Open a case for the bank's people; it has a number that the caller can be told."

    case: str = Field(
        pattern=r"^[a-z][a-z0-9_]*$", max_length=64, description="Of which kind it is: small letters, digits and _."
    )
    with_: dict[str, Written] = Field(
        default_factory=dict,
        alias="with",
        max_length=VALUES_MAX,
        description="What is known: name and value.",
        json_schema_extra=names_only,
    )
    into: dict[str, str] = Field(default_factory=dict, description="The variable that receives its `number`.")

    def ways(self, scope: Scope) -> tuple[Way, ...]:
        """It has a number, or cannot be opened now."""
        del scope
        number = frozenset(self.into.values())
        return (Way(OPENED, By.WORLD, _DEEDS[OPENED], writes=number), Way(UNAVAILABLE, By.WORLD, _DEEDS[UNAVAILABLE]))

    @property
    def silent(self) -> bool:
        """The number is said by the step that follows."""
        return True

    def compile(self, scope: Scope) -> Action:
        """Check the values and where the number goes."""
        scope.lasts(0, WRITING_MS)
        gives = gives_of(scope, self.with_, "with")
        for result, name in self.into.items():
            variable = scope.variable(name, ("into", result))
            if result != NUMBER:
                message = Text("a case has no '{name}'", name=result)
                scope.finding("E504", ("into", result), message, did_you_mean(result, [NUMBER]), key=True)
            elif variable is not None and variable.type != DIGITS:
                message = Text("'{name}' is {type}, and a number of a case is digits", name=name, type=variable.type)
                scope.finding("E302", ("into", result), message, Text("declare it as `digits`"))
        kind, number = self.case, self.into.get(NUMBER)

        async def act(call: Call) -> str:
            work = call.back_office.open_case(kind, given(call, gives), change=call.tally.changes)
            performed = await kept(call, work)
            if number is not None and NUMBER in performed.results:
                call.variables[number] = performed.results[NUMBER]
            return performed.outcome

        return act


class Note(Step):
    """Keep a remark with the call and the customer."""

    WORD: ClassVar[str] = "note"
    SUMMARY: ClassVar[str] = "Keep a note with the call."

    note: str = Field(
        min_length=1,
        max_length=400,
        description="The text; {account:masked} is a variable and how it is written.",
    )

    def ways(self, scope: Scope) -> tuple[Way, ...]:
        """It is kept, or cannot be now."""
        del scope
        return (Way(NOTED, By.WORLD, _DEEDS[NOTED]), Way(UNAVAILABLE, By.WORLD, _DEEDS[UNAVAILABLE]))

    @property
    def silent(self) -> bool:
        """The caller notices nothing."""
        return True

    def compile(self, scope: Scope) -> Action:
        """Check that every placeholder is a variable of its type."""
        scope.lasts(0, WRITING_MS)
        template, values = Template(()), dict[str, Evaluate]()
        try:
            template = take_apart(self.note)
        except BrokenTemplateError as error:
            scope.finding("E413", ("note",), error.message, error.mend)
        for name, form in template.placeholders.items():
            compiled = scope.expression(name, ("note",), FORMS[form])
            if compiled is not None:
                values[name] = compiled.evaluate

        async def act(call: Call) -> str:
            text = template.filled(call.language, {name: evaluate(call) for name, evaluate in values.items()})
            return (await kept(call, call.back_office.note(text, change=call.tally.changes))).outcome

        return act


class Screen(Step):
    """Keep values for the agent who is offered the call; a name that is written again has the newer value."""

    WORD: ClassVar[str] = "screen"
    SUMMARY: ClassVar[str] = "Show the agent who is offered the call what is known."

    screen: dict[str, Written] = Field(
        min_length=1,
        max_length=VALUES_MAX,
        description="Name and value; a newer value replaces an older one.",
        json_schema_extra=names_only,
    )

    def ways(self, scope: Scope) -> tuple[Way, ...]:
        """Showing has one end."""
        del scope
        return (Way(SHOWN),)

    @property
    def silent(self) -> bool:
        """The caller notices nothing."""
        return True

    def compile(self, scope: Scope) -> Action:
        """Check the values."""
        gives = gives_of(scope, self.screen, "screen")

        async def act(call: Call) -> str:
            call.screen.update(given(call, gives))
            call.back_office.show(call.screen)
            return SHOWN

        return act
