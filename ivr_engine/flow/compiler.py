"""Compile one flow: names resolved, types checked, arms joined, every outcome led somewhere.

Knows steps only by their frame. Must not know files on disk, nor what a step does.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from ivr_engine.flow.call import FACTS
from ivr_engine.flow.expressions import is_name
from ivr_engine.flow.findings import Place, did_you_mean
from ivr_engine.flow.model import CompiledFlow, CompiledStep, FlowFile
from ivr_engine.flow.reading import read_step
from ivr_engine.flow.scope import Interface, Scope, World
from ivr_engine.flow.source import Path, Source
from ivr_engine.flow.step import Arm, Step
from ivr_engine.flow.uses import FLOWS, Notes, WatchedMapping, said_in
from ivr_engine.flow.values import SECRET


def interface_of(file: FlowFile) -> Interface:
    """Return what a flow shows to the flows that run it."""
    declared = {**file.inputs, **file.variables}
    outputs = {name: declared[name] for name in file.outputs if name in declared}
    return Interface(file.inputs, outputs, file.outcomes, file.languages)


def compile_flow(
    name: str, source: Source, file: FlowFile, world: World, interfaces: Mapping[str, Interface | None]
) -> CompiledFlow:
    """Compile a flow; findings are noted in its source, and only a flow without any may run."""
    _check_top(source, file)
    variables = {**file.inputs, **file.variables}
    steps: dict[str, CompiledStep] = {}
    for step_name, written in file.steps.items():
        step = read_step(source, step_name, written)
        if step is None:
            continue
        notes = Notes()
        scope = Scope(
            source,
            ("steps", step_name),
            notes.watched(world),
            variables,
            file.languages,
            WatchedMapping(interfaces, FLOWS, notes),
            own_outcomes=file.outcomes,
            own_outputs=tuple(name for name in file.outputs if name in variables),
            everywhere=file.everywhere,
        )
        steps[step_name] = _compile_step(step_name, step, scope, file, notes)
    return CompiledFlow(
        name=name,
        title=file.title,
        start=file.start,
        languages=file.languages,
        interface=interface_of(file),
        variables=MappingProxyType(variables),
        steps=MappingProxyType(steps),
    )


def _check_top(source: Source, file: FlowFile) -> None:
    if file.start not in file.steps:
        mend = did_you_mean(file.start, file.steps)
        source.finding("E206", source.place(("start",)), f"there is no step '{file.start}'", mend)
    for block, targets in (("otherwise", file.otherwise), ("everywhere", file.everywhere)):
        for name, step in targets.items():
            _check_target(source, file, step, (block, name))
    _check_declarations(source, file)


def _check_declarations(source: Source, file: FlowFile) -> None:
    declared = {**file.inputs, **file.variables}
    for index, name in enumerate(file.outputs):
        if name not in declared:
            mend = did_you_mean(name, declared)
            source.finding("E301", source.place(("outputs", index)), f"there is no variable '{name}'", mend)
        elif declared[name].type == SECRET:
            place = source.place(("outputs", index))
            source.finding("E304", place, f"'{name}' is secret", "hand it to an operation in this flow")
    for name, variable in file.inputs.items():
        if variable.type == SECRET:
            place = source.place(("inputs", name))
            source.finding("E304", place, f"'{name}' is secret", "ask for it with a `secret` step in this flow")
    for block, names in (("inputs", file.inputs), ("variables", file.variables)):
        for name in names:
            _check_name(source, source.place((block, name), key=True), name)
    for name in file.variables:
        if name in file.inputs:
            place = source.place(("variables", name), key=True)
            source.finding("E102", place, f"'{name}' is an input as well", "give one of them another name")


def _check_name(source: Source, place: Place, name: str) -> None:
    """A name that an expression could not read, or would read as something else, is refused where it is declared."""
    if name in FACTS:
        source.finding("E112", place, f"'{name}' is known of every call and cannot be declared", "take another name")
    elif not is_name(name):
        mend = "write letters a-z, digits and _, beginning with a letter"
        source.finding("E112", place, f"'{name}' cannot be the name of a variable", mend)


def _compile_step(name: str, step: Step, scope: Scope, file: FlowFile, notes: Notes) -> CompiledStep:
    action = step.compile(scope)
    ways = step.ways(scope)
    arms = step.arms(scope)
    outcomes = tuple(way.outcome for way in ways)
    return CompiledStep(
        name=name,
        word=step.WORD,
        place=scope.source.place(scope.path, key=True),
        action=action,
        ways=ways,
        arms=MappingProxyType(_join_arms(name, outcomes, arms, scope, file)),
        reads=frozenset(scope.reads),
        forgets=step.forgets(scope),
        runs=step.runs,
        returns=step.returns,
        by_default=frozenset(outcome for outcome in outcomes if outcome not in arms),
        uses=notes.uses(scope, step.WORD, file.steps[name], (arm.path for arm in arms.values())),
        says=said_in(file.steps[name], (arm.path for arm in arms.values())),
        results_into=step.results_into,
        needs=step.needs(scope),
        spends=step.spends(scope),
        rescues=step.rescues,
        tells=frozenset(scope.tells),
        heard_ms=scope.heard_ms,
        longest_ms=scope.longest_ms,
    )


def _join_arms(
    name: str, outcomes: tuple[str, ...], arms: Mapping[str, Arm], scope: Scope, file: FlowFile
) -> dict[str, str]:
    joined: dict[str, str] = {}
    for outcome, arm in arms.items():
        if outcome not in outcomes:
            if outcomes:
                message = f"step '{name}' cannot end in '{outcome}'; it can end in: {', '.join(outcomes)}"
                scope.finding("E205", arm.path, message, did_you_mean(outcome, outcomes), key=True)
            else:
                scope.finding("E205", arm.path, f"nothing follows step '{name}'", "remove this arm", key=True)
            continue
        _check_target(scope.source, file, arm.step, (*scope.path, *arm.path))
        joined[outcome] = arm.step
    for outcome in outcomes:
        if outcome in joined:
            continue
        if outcome in file.otherwise:
            joined[outcome] = file.otherwise[outcome]
            continue
        usual = outcome == outcomes[0] and not outcome.startswith("key ")
        then = "add `then: <step>`, or" if usual else "add"
        mend = f"{then} `{outcome}: <step>` under `when`"
        scope.finding("E204", (), f"step '{name}' has no arm for '{outcome}'", mend, key=True)
    return joined


def _check_target(source: Source, file: FlowFile, step: str, path: Path) -> None:
    if step not in file.steps:
        source.finding("E206", source.place(path), f"there is no step '{step}'", did_you_mean(step, file.steps))
