"""`run`: let another flow take over and come back. `hand_over`: for good. `return`: go back to who ran this one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Final

from pydantic import Field

from ivr_engine.flow.call import Call
from ivr_engine.flow.expressions import Evaluate
from ivr_engine.flow.fields import Written
from ivr_engine.flow.findings import did_you_mean
from ivr_engine.flow.scope import Interface, Scope
from ivr_engine.flow.step import Action, Enter, HandOver, Repeat, Return, Step, Way
from ivr_engine.flow.uses import FLOWS
from ivr_engine.flow.values import NUMBER, Value
from ivr_engine.flow.wording import Text

TIMES_MAX: Final = 20


class Run(Step):
    """Run another flow; the outcome that it returns is the outcome of this step."""

    WORD: ClassVar[str] = "run"
    SUMMARY: ClassVar[str] = "Run another flow and come back."

    run: str = Field(description="The flow, as a path within flows/ without `.yaml`.")
    with_: dict[str, Written] = Field(default_factory=dict, alias="with", description="Its inputs.")
    into: dict[str, str] = Field(default_factory=dict, description="Which output goes into which variable.")
    times: int | None = Field(
        default=None, ge=2, le=TIMES_MAX, description="How often it is run at most, as long as `while` holds."
    )
    while_: str | None = Field(
        default=None, alias="while", description="It is run again when it ends in this outcome and `times` allow it."
    )
    for_: str | None = Field(
        default=None, alias="for", description="An input of the other flow, a number, that counts the runs: 1, 2, 3."
    )

    def ways(self, scope: Scope) -> tuple[Way, ...]:
        """Return the outcomes that the other flow declares; after the first of them its outputs are set."""
        interface = scope.interfaces.get(self.run)
        outputs = frozenset(self.into.values())
        if interface is None:
            return tuple(Way(outcome, writes=outputs) for outcome in (*self.usual_unknown, *self.when))
        return tuple(
            Way(outcome, writes=frozenset() if place else outputs) for place, outcome in enumerate(interface.outcomes)
        )

    @property
    def runs(self) -> str | None:
        """The flow that is run."""
        return self.run

    @property
    def repeated(self) -> Repeat | None:
        """How often it is run again."""
        if self.times is None or self.while_ is None:
            return None
        return Repeat(self.times, self.while_, self.for_)

    @property
    def results_into(self) -> Mapping[str, str]:
        """Which output goes into which variable."""
        return self.into

    def compile(self, scope: Scope) -> Action:
        """Check inputs and outputs against the other flow's declaration."""
        interface = interface_named(scope, "run", self.run)
        if interface is None:
            return _never
        counted = self._check_repeat(scope, interface)
        inputs = _inputs(scope, interface, ("run", self.run), self.with_, counted)
        self._check_outputs(scope, interface)
        flow = self.run

        async def act(call: Call) -> Enter:
            return Enter(flow, _values(call, inputs))

        return act

    def _check_repeat(self, scope: Scope, interface: Interface) -> str | None:
        """Check how often it is run; return the input that counts."""
        if self.repeated is None:
            lonely = [("times", self.times), ("while", self.while_), ("for", self.for_)]
            for key, written in lonely:
                if written is not None:
                    mend = Text("write `times: 5` and `while: <outcome>`, or remove `{key}`", key=key)
                    message = Text("`{key}` says how a flow is run again, and not all of it is written", key=key)
                    scope.finding("E610", (key,), message, mend, key=True)
                    break
            return self.for_
        if self.while_ not in interface.outcomes:
            message = Text("'{flow}' never ends in '{outcome}'", flow=self.run, outcome=self.while_)
            scope.finding("E611", ("while",), message, did_you_mean(str(self.while_), interface.outcomes))
        if self.for_ is None:
            return None
        if self.for_ not in interface.inputs:
            message = Text("'{flow}' has no input '{name}'", flow=self.run, name=self.for_)
            scope.finding("E502", ("for",), message, did_you_mean(self.for_, interface.inputs))
        elif interface.inputs[self.for_].type != NUMBER:
            message = Text(
                "'{name}' is {type}, and runs are counted", name=self.for_, type=interface.inputs[self.for_].type
            )
            scope.finding("E302", ("for",), message, Text("name an input that is a number"))
        elif self.for_ in self.with_:
            message = Text("'{name}' is counted, and cannot be given as well", name=self.for_)
            scope.finding("E102", ("with", self.for_), message, Text("remove it here, or remove `for`"), key=True)
        return self.for_

    def _check_outputs(self, scope: Scope, interface: Interface) -> None:
        for output, name in self.into.items():
            variable = scope.variable(name, ("into", output))
            if output not in interface.outputs:
                message = Text("'{flow}' has no output '{name}'", flow=self.run, name=output)
                scope.finding("E504", ("into", output), message, did_you_mean(output, interface.outputs), key=True)
            elif variable is not None and variable != interface.outputs[output]:
                given = interface.outputs[output]
                alike = f"{given.data_class.value} {given.type}".removeprefix("public ")
                message = Text("'{output}' is {type}, '{name}' is not", output=output, type=alike, name=name)
                mend = Text("declare '{name}' as `{type}`", name=name, type=alike)
                scope.finding("E302", ("into", output), message, mend)


class HandOverStep(Step):
    """Go on in another flow for good: nothing of the flows that ran until now is left, and nobody waits for it."""

    WORD: ClassVar[str] = "hand_over"
    SUMMARY: ClassVar[str] = "Go on in another flow, and do not come back."

    hand_over: str = Field(description="The flow, as a path within flows/ without `.yaml`; one without outcomes.")
    with_: dict[str, Written] = Field(default_factory=dict, alias="with", description="Its inputs.")

    def ways(self, scope: Scope) -> tuple[Way, ...]:
        """Nothing follows in this flow."""
        del scope
        return ()

    @property
    def hands_over_to(self) -> str | None:
        """The flow in which the call goes on."""
        return self.hand_over

    def compile(self, scope: Scope) -> Action:
        """Check the inputs, and that the other flow does not mean to come back."""
        interface = interface_named(scope, "hand_over", self.hand_over)
        if interface is None:
            return _never
        if interface.outcomes:
            message = Text("'{flow}' goes back to the flow that ran it, and here none waits", flow=self.hand_over)
            scope.finding("E612", ("hand_over",), message, Text("use `run`, and say under `when` what follows"))
        inputs = _inputs(scope, interface, ("hand_over", self.hand_over), self.with_, None)
        flow = self.hand_over

        async def act(call: Call) -> HandOver:
            return HandOver(flow, _values(call, inputs))

        return act


def interface_named(scope: Scope, word: str, flow: str) -> Interface | None:
    """Return what another flow shows; note a finding when there is none, or when it speaks other languages."""
    interface = scope.interfaces.get(flow)
    if interface is None:
        if flow not in scope.interfaces:
            message = Text("there is no flow '{name}'", name=flow)
            scope.finding("E601", (word,), message, did_you_mean(flow, scope.interfaces))
        return None
    scope.use(FLOWS, flow, (word,))
    if set(interface.languages) != set(scope.languages):
        theirs, ours = ", ".join(interface.languages), ", ".join(scope.languages)
        message = Text("'{flow}' is spoken in {theirs}; this flow in {ours}", flow=flow, theirs=theirs, ours=ours)
        scope.finding("E605", (word,), message, Text("give both the same `languages`"))
    return interface


def _inputs(
    scope: Scope,
    interface: Interface,
    named: tuple[str, str],
    written: Mapping[str, Written],
    counted: str | None,
) -> dict[str, Evaluate]:
    """Compile the inputs of another flow, `named` by the word of the step and its name; one may be `counted`."""
    word, flow = named
    inputs: dict[str, Evaluate] = {}
    for name, value in written.items():
        if name not in interface.inputs:
            message = Text("'{flow}' has no input '{name}'", flow=flow, name=name)
            scope.finding("E502", ("with", name), message, did_you_mean(name, interface.inputs), key=True)
            continue
        compiled = scope.value_for(interface.inputs[name], value, ("with", name))
        if compiled is not None:
            inputs[name] = compiled.evaluate
    for name in interface.inputs:
        if name not in written and name != counted:
            message = Text("'{flow}' needs the input '{name}'", flow=flow, name=name)
            scope.finding("E503", (word,), message, Text("add `{name}: ...` under `with`", name=name))
    return inputs


def _values(call: Call, inputs: Mapping[str, Evaluate]) -> dict[str, Value]:
    return {name: evaluate(call) for name, evaluate in inputs.items()}


async def _never(call: Call) -> Return:
    del call
    raise AssertionError("a flow with findings never runs")


class ReturnStep(Step):
    """Go back to the flow that ran this one."""

    WORD: ClassVar[str] = "return"
    SUMMARY: ClassVar[str] = "Go back to the flow that ran this one."

    return_: str = Field(alias="return", description="One of the outcomes that this flow declares.")

    def ways(self, scope: Scope) -> tuple[Way, ...]:
        """Nothing follows in this flow."""
        del scope
        return ()

    @property
    def returns(self) -> str | None:
        """The outcome that the other flow sees."""
        return self.return_

    def compile(self, scope: Scope) -> Action:
        """Check that the outcome is declared."""
        if self.return_ not in scope.own_outcomes:
            if scope.own_outcomes:
                message = Text("'{outcome}' is not among the flow's outcomes", outcome=self.return_)
                scope.finding("E603", ("return",), message, did_you_mean(self.return_, scope.own_outcomes))
            else:
                mend = Text("declare them under `outcomes` at the top, or end the call with `hang_up`")
                scope.finding("E604", ("return",), Text("this flow declares no outcomes"), mend)
        elif self.return_ == scope.own_outcomes[0]:
            scope.reads.update(scope.own_outputs)  # who runs this flow may count on them
        result = Return(self.return_)

        async def act(call: Call) -> Return:
            del call
            return result

        return act
