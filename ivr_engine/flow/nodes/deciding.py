"""`if`: go one way or the other. `set`: put values into variables."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from pydantic import Field

from ivr_engine.flow.call import SIGNED_IN, STEPPED_UP
from ivr_engine.flow.expressions import Evaluate
from ivr_engine.flow.fields import Written
from ivr_engine.flow.operations import Level
from ivr_engine.flow.scope import Scope
from ivr_engine.flow.source import Path
from ivr_engine.flow.step import Action, Arm, By, Decides, Known, Step, Way
from ivr_engine.flow.values import SECRET, YES_NO
from ivr_engine.flow.wording import Text

YES = "yes"
NO = "no"


class If(Step):
    """Go one way when a condition holds, the other when it does not."""

    WORD: ClassVar[str] = "if"
    SUMMARY: ClassVar[str] = "Go one way or the other."

    if_: Written = Field(alias="if", description="The condition.")
    else_: str | None = Field(default=None, alias="else", description="The step when the condition does not hold.")

    def ways(self, scope: Scope) -> tuple[Way, ...]:
        """Return the two ways; a condition that asks whether the caller has signed in says so of its arms."""
        holds, fails = scope.facts_of(self.if_)
        condition = str(self.if_)
        return (
            Way(YES, By.STEP, Text("{condition}", condition=condition), at_least=level_of(holds)),
            Way(NO, By.STEP, Text("not: {condition}", condition=condition), at_least=level_of(fails)),
        )

    @property
    def silent(self) -> bool:
        """The caller notices nothing."""
        return True

    def arms(self, scope: Scope) -> Mapping[str, Arm]:
        """Take `then` and `else` as arms."""
        arms = dict(super().arms(scope))
        if self.else_ is not None:
            if NO in arms:
                message = Text("`else` and `no` under `when` say the same twice")
                scope.finding("E209", ("else",), message, Text("remove one"), key=True)
            arms[NO] = Arm(self.else_, ("else",))
        return arms

    def compile(self, scope: Scope) -> Action:
        """Evaluate the condition."""
        compiled = scope.expression(self.if_, ("if",), YES_NO)
        evaluate: Evaluate = compiled.evaluate if compiled is not None else lambda _: False

        return Decides(lambda known: YES if evaluate(known) else NO)


class Set(Step):
    """Put values into variables, in the order written."""

    WORD: ClassVar[str] = "set"
    SUMMARY: ClassVar[str] = "Put values into variables."

    set_: dict[str, Written] = Field(alias="set", min_length=1, description="Variable and value.")

    def ways(self, scope: Scope) -> tuple[Way, ...]:
        """Setting has one end, where every named variable holds a value."""
        del scope
        return (Way("done", writes=frozenset(self.set_)),)

    @property
    def silent(self) -> bool:
        """The caller notices nothing."""
        return True

    def compile(self, scope: Scope) -> Action:
        """Check each value against its variable."""
        values: list[tuple[str, Evaluate]] = []
        for name, written in self.set_.items():
            at: Path = ("set", name)
            variable = scope.variable(name, at)
            if variable is None:
                continue
            if variable.type == SECRET:
                mend = Text("only a `secret` step fills it")
                scope.finding("E304", at, Text("'{name}' is secret", name=name), mend)
                continue
            if variable.type.members and str(written) in variable.type.members:
                values.append((name, _word(str(written))))
                continue
            compiled = scope.value_for(variable, written, at)
            if compiled is not None:
                values.append((name, compiled.evaluate))

        def decide(known: Known) -> str:
            for name, evaluate in values:
                known.variables[name] = evaluate(known)
            return "done"

        return Decides(decide)


def level_of(facts: frozenset[str]) -> Level | None:
    """Return the sign-in level that is reached where these facts are true."""
    if STEPPED_UP in facts:
        return Level.STEPPED_UP
    return Level.SIGNED_IN if SIGNED_IN in facts else None


def _word(text: str) -> Evaluate:
    return lambda _: text
