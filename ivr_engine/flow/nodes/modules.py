"""`run`: let another flow take over and come back. `return`: go back to the flow that ran this one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from pydantic import Field

from ivr_engine.flow.call import Call
from ivr_engine.flow.expressions import Evaluate
from ivr_engine.flow.fields import Written
from ivr_engine.flow.findings import did_you_mean
from ivr_engine.flow.scope import Interface, Scope
from ivr_engine.flow.step import Action, Enter, Return, Step, Way


class Run(Step):
    """Run another flow; the outcome that it returns is the outcome of this step."""

    WORD: ClassVar[str] = "run"
    SUMMARY: ClassVar[str] = "Run another flow and come back."

    run: str = Field(description="The flow, as a path within flows/ without `.yaml`.")
    with_: dict[str, Written] = Field(default_factory=dict, alias="with", description="Its inputs.")
    into: dict[str, str] = Field(default_factory=dict, description="Which output goes into which variable.")

    def ways(self, scope: Scope) -> tuple[Way, ...]:
        """Return the outcomes that the other flow declares; after the first of them its outputs are set."""
        interface = scope.interfaces.get(self.run)
        if interface is None:
            return tuple(Way(outcome) for outcome in self.when)
        outputs = frozenset(self.into.values())
        return tuple(
            Way(outcome, writes=frozenset() if place else outputs) for place, outcome in enumerate(interface.outcomes)
        )

    @property
    def runs(self) -> str | None:
        """The flow that is run."""
        return self.run

    @property
    def results_into(self) -> Mapping[str, str]:
        """Which output goes into which variable."""
        return self.into

    def compile(self, scope: Scope) -> Action:
        """Check inputs and outputs against the other flow's declaration."""
        interface = scope.interfaces.get(self.run)
        if interface is None:
            if self.run not in scope.interfaces:
                message = f"there is no flow '{self.run}'"
                scope.finding("E601", ("run",), message, did_you_mean(self.run, scope.interfaces))
            return _never
        if set(interface.languages) != set(scope.languages):
            theirs, ours = ", ".join(interface.languages), ", ".join(scope.languages)
            message = f"'{self.run}' is spoken in {theirs}; this flow in {ours}"
            scope.finding("E605", ("run",), message, "give both the same `languages`")
        inputs = self._inputs(scope, interface)
        self._check_outputs(scope, interface)
        flow = self.run

        async def act(call: Call) -> Enter:
            return Enter(flow, {name: evaluate(call) for name, evaluate in inputs.items()})

        return act

    def _inputs(self, scope: Scope, interface: Interface) -> dict[str, Evaluate]:
        inputs: dict[str, Evaluate] = {}
        for name, written in self.with_.items():
            if name not in interface.inputs:
                message = f"'{self.run}' has no input '{name}'"
                scope.finding("E502", ("with", name), message, did_you_mean(name, interface.inputs), key=True)
                continue
            compiled = scope.value_for(interface.inputs[name], written, ("with", name))
            if compiled is not None:
                inputs[name] = compiled.evaluate
        for name in interface.inputs:
            if name not in self.with_:
                scope.finding(
                    "E503", ("run",), f"'{self.run}' needs the input '{name}'", f"add `{name}: ...` under `with`"
                )
        return inputs

    def _check_outputs(self, scope: Scope, interface: Interface) -> None:
        for output, name in self.into.items():
            variable = scope.variable(name, ("into", output))
            if output not in interface.outputs:
                message = f"'{self.run}' has no output '{output}'"
                scope.finding("E504", ("into", output), message, did_you_mean(output, interface.outputs), key=True)
            elif variable is not None and variable != interface.outputs[output]:
                given = interface.outputs[output]
                alike = f"{given.data_class.value} {given.type}".removeprefix("public ")
                message = f"'{output}' is {alike}, '{name}' is not"
                scope.finding("E302", ("into", output), message, f"declare '{name}' as `{alike}`")


async def _never(call: Call) -> Enter:
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
        """The outcome that it names."""
        return self.return_

    def compile(self, scope: Scope) -> Action:
        """Check that the outcome is declared."""
        if self.return_ not in scope.own_outcomes:
            if scope.own_outcomes:
                message = f"'{self.return_}' is not among the flow's outcomes"
                scope.finding("E603", ("return",), message, did_you_mean(self.return_, scope.own_outcomes))
            else:
                mend = "declare them under `outcomes` at the top, or end the call with `hang_up`"
                scope.finding("E604", ("return",), "this flow declares no outcomes", mend)
        elif self.return_ == scope.own_outcomes[0]:
            scope.reads.update(scope.own_outputs)  # who runs this flow may count on them
        result = Return(self.return_)

        async def act(call: Call) -> Return:
            del call
            return result

        return act
