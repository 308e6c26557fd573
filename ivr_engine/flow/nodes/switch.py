"""`switch`: go the way that a choice names."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from pydantic import Field

from ivr_engine.flow.expressions import Evaluate
from ivr_engine.flow.fields import Written
from ivr_engine.flow.nodes.deciding import NO, YES, level_of
from ivr_engine.flow.scope import Scope
from ivr_engine.flow.step import Action, Arm, Decides, Known, Step, Way
from ivr_engine.flow.values import YES_NO
from ivr_engine.flow.wording import Text


class Switch(Step):
    """Go one way for each word that a choice may hold."""

    WORD: ClassVar[str] = "switch"
    SUMMARY: ClassVar[str] = "Go the way that a choice names."

    switch: Written = Field(description="A variable that is `one of` some words, or yes or no.")
    else_: str | None = Field(
        default=None, alias="else", description="The step for every word that has no arm under `when`."
    )

    def ways(self, scope: Scope) -> tuple[Way, ...]:
        """Return one way for each word; of a fact, also what it says of the sign-in."""
        compiled = scope.seen(self.switch)
        if compiled is None or not (compiled.type.members or compiled.type == YES_NO):
            return tuple(Way(outcome) for outcome in self.when)
        if compiled.type == YES_NO:
            holds, fails = compiled.true_when_it_holds, compiled.true_when_it_does_not
            return (
                Way(YES, deed=Text("{condition}", condition=self.switch), at_least=level_of(holds)),
                Way(NO, deed=Text("not: {condition}", condition=self.switch), at_least=level_of(fails)),
            )
        return tuple(
            Way(word, deed=Text("{value} is {word}", value=self.switch, word=word)) for word in compiled.type.members
        )

    def usual(self, scope: Scope) -> str | None:
        """No word of a choice is more usual than another."""
        del scope
        return None

    @property
    def silent(self) -> bool:
        """The caller notices nothing."""
        return True

    def arms(self, scope: Scope) -> Mapping[str, Arm]:
        """Take `else` as the arm of every word that has none."""
        arms = {outcome: Arm(step, ("when", outcome)) for outcome, step in self.when.items()}
        if self.then is not None:
            message, mend = (
                Text("a `switch` has no `then`"),
                Text("write it as `else`, or beside its word under `when`"),
            )
            scope.finding("E209", ("then",), message, mend, key=True)
        if self.else_ is None:
            return arms
        left = [outcome for outcome in self.outcomes(scope) if outcome not in arms]
        if not left and scope.seen(self.switch) is not None:
            message = Text("every word has an arm under `when`, so nothing leads to `else`")
            scope.finding("E241", ("else",), message, Text("remove `else`, or one of the arms"), key=True)
        return arms | {outcome: Arm(self.else_, ("else",)) for outcome in left}

    def compile(self, scope: Scope) -> Action:
        """Check that the value is a choice; look which word it holds."""
        compiled = scope.expression(self.switch, ("switch",))
        if compiled is not None and not (compiled.type.members or compiled.type == YES_NO):
            message = Text("{type} is no choice among words", type=compiled.type)
            mend = Text("name a variable that is `one of` some words, or compare with `if`")
            scope.finding("E240", ("switch",), message, mend)
        evaluate: Evaluate = compiled.evaluate if compiled is not None else lambda _: ""

        def decide(known: Known) -> str:
            value = evaluate(known)
            return str(value) if not isinstance(value, bool) else YES if value else NO

        return Decides(decide)
