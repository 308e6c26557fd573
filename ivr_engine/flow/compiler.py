"""Compile one flow: names resolved, types checked, arms joined, every outcome led somewhere.

Knows steps only by their frame. Must not know files on disk, nor what a step does.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict
from types import MappingProxyType

from ivr_engine.flow.call import FACTS
from ivr_engine.flow.constants import CONSTANTS, ENVIRONMENTS, read_constants
from ivr_engine.flow.expressions import is_name
from ivr_engine.flow.fields import EVENTS
from ivr_engine.flow.findings import Place, did_you_mean
from ivr_engine.flow.hours import HOURS, read_hours
from ivr_engine.flow.model import BUDGET, BUDGET_EXCEEDED, MILESTONES, Budget, CompiledFlow, CompiledStep, FlowFile
from ivr_engine.flow.reading import read_step
from ivr_engine.flow.scope import Interface, Scope, World
from ivr_engine.flow.source import Path, Source
from ivr_engine.flow.step import Arm, By, Step, Way
from ivr_engine.flow.uses import said_in
from ivr_engine.flow.values import SECRET
from ivr_engine.flow.wording import Text


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
    constants = read_constants(source, file.constants, file.environments, world.environment)
    hours = read_hours(source, file.hours)
    used: set[tuple[str, str]] = set()
    steps: dict[str, CompiledStep] = {}
    for step_name, written in file.steps.items():
        step = read_step(source, step_name, written)
        if step is None:
            continue
        scope = Scope(
            source,
            ("steps", step_name),
            world,
            variables,
            file.languages,
            interfaces,
            own_outcomes=file.outcomes,
            own_outputs=tuple(name for name in file.outputs if name in variables),
            everywhere=file.everywhere,
            constants=constants,
            hours=hours,
            used=used,
        )
        steps[step_name] = _compile_step(step_name, step, scope, file)
    if not source.findings:
        _check_used(source, file, used)
        _check_finally(source, file, steps)
    return CompiledFlow(
        name=name,
        title=file.title,
        owner=file.owner,
        start=file.start,
        languages=file.languages,
        interface=interface_of(file),
        variables=MappingProxyType(variables),
        milestones=MappingProxyType(file.milestones),
        budget=file.budget,
        budget_exceeded=file.otherwise.get(BUDGET_EXCEEDED),
        finally_=file.finally_,
        declared=_declared(file),
        everywhere=MappingProxyType(file.everywhere),
        steps=MappingProxyType(steps),
    )


def _declared(file: FlowFile) -> Mapping[tuple[str, str], str]:
    """Return what stands at the top of a file beside variables, each with its text, so that two can be compared."""
    budget = file.budget or Budget()
    return MappingProxyType(
        {
            **{(CONSTANTS, name): str(written) for name, written in file.constants.items()},
            **{
                (ENVIRONMENTS, f"{environment}: {name}"): str(written)
                for environment, block in file.environments.items()
                for name, written in block.items()
            },
            **{(HOURS, name): said_in(block, ()) for name, block in file.hours.items()},
            **{(MILESTONES, name): kind.value for name, kind in file.milestones.items()},
            **{(BUDGET, name): str(most) for name, most in asdict(budget).items() if most is not None},
        }
    )


def _check_top(source: Source, file: FlowFile) -> None:
    if file.start not in file.steps:
        mend = did_you_mean(file.start, file.steps)
        source.finding("E206", source.place(("start",)), Text("there is no step '{name}'", name=file.start), mend)
    for block, targets in (("otherwise", file.otherwise), ("everywhere", file.everywhere)):
        for name, step in targets.items():
            if block == "otherwise" or not _is_event(source, file, step, (block, name)):
                _check_target(source, file, step, (block, name))
    _check_keys(source, file)
    if file.finally_ is not None:
        _check_target(source, file, file.finally_, ("finally",))
    of_first_flows: tuple[tuple[Path, object], ...] = (
        (("budget",), file.budget),
        (("otherwise", BUDGET_EXCEEDED), file.otherwise.get(BUDGET_EXCEEDED)),
        (("finally",), file.finally_),
    )
    for path, written in of_first_flows:
        if written is not None and file.outcomes:
            message = Text("`{key}` can stand in the first flow of a call only", key=path[-1])
            mend = Text("write it in the flow with which calls begin")
            source.finding("E127", source.place(path, key=True), message, mend)
    _check_declarations(source, file)


def _is_event(source: Source, file: FlowFile, target: str, path: Path) -> bool:
    """Say whether a key means something instead of a step; a step of that name would leave open which."""
    if target not in EVENTS:
        return False
    if target in file.steps:
        message = Text("'{word}' is what a key can do, and a step has that name", word=target)
        source.finding("E225", source.place(path), message, Text("give the step another name"))
    return True


def _check_keys(source: Source, file: FlowFile) -> None:
    for name, step in file.steps.items():
        keys = step.get("keys")
        for key, written in keys.items() if isinstance(keys, dict) else ():
            path: Path = ("steps", name, "keys", key)
            if isinstance(written, dict):
                written, path = written.get("then"), (*path, "then")
            if isinstance(written, str):
                _is_event(source, file, written, path)


def _check_declarations(source: Source, file: FlowFile) -> None:
    declared = {**file.inputs, **file.variables}
    for index, name in enumerate(file.outputs):
        if name not in declared:
            message = Text("there is no variable '{name}'", name=name)
            source.finding("E301", source.place(("outputs", index)), message, did_you_mean(name, declared))
        elif declared[name].type == SECRET:
            mend = Text("hand it to an operation in this flow")
            source.finding("E304", source.place(("outputs", index)), Text("'{name}' is secret", name=name), mend)
    for name, variable in file.inputs.items():
        if variable.type == SECRET:
            mend = Text("ask for it with a `secret` step in this flow")
            source.finding("E304", source.place(("inputs", name)), Text("'{name}' is secret", name=name), mend)
    blocks: list[tuple[Path, Mapping[str, object], Text]] = [
        (("inputs",), file.inputs, Text("'{name}' is an input as well")),
        (("variables",), file.variables, Text("'{name}' is a variable as well")),
        ((CONSTANTS,), file.constants, Text("'{name}' is a constant as well")),
        *(((ENVIRONMENTS, name), block, Text("")) for name, block in file.environments.items()),
    ]
    for number, (path, names, _) in enumerate(blocks):
        for name in names:
            place = source.place((*path, name), key=True)
            _check_name(source, place, name)
            taken = next((taken for _, earlier, taken in blocks[: min(number, 3)] if name in earlier), None)
            if taken is not None:
                mend = Text("give one of them another name")
                source.finding("E102", place, Text(taken.template, name=name), mend)


def _check_used(source: Source, file: FlowFile, used: set[tuple[str, str]]) -> None:
    """What no step uses is left over, or was meant where something else is written."""
    first = next(iter(file.environments), "")
    declared: tuple[tuple[str, Path, Iterable[str]], ...] = (
        (CONSTANTS, (CONSTANTS,), file.constants),
        (CONSTANTS, (ENVIRONMENTS, first), file.environments.get(first, {})),
        (HOURS, (HOURS,), file.hours),
        (MILESTONES, (MILESTONES,), file.milestones),
    )
    for block, path, names in declared:
        for name in names:
            if (block, name) not in used:
                place = source.place((*path, name), key=True)
                message = Text("no step uses '{name}'", name=name)
                source.finding("E121", place, message, Text("use it, or remove it"))


def _check_name(source: Source, place: Place, name: str) -> None:
    """A name that an expression could not read, or would read as something else, is refused where it is declared."""
    if name in FACTS:
        message = Text("'{name}' is known of every call and cannot be declared", name=name)
        source.finding("E112", place, message, Text("take another name"))
    elif not is_name(name):
        mend = Text("write letters a-z, digits and _, beginning with a letter")
        source.finding("E112", place, Text("'{name}' cannot be the name of a variable", name=name), mend)


def _compile_step(name: str, step: Step, scope: Scope, file: FlowFile) -> CompiledStep:
    action = step.compile(scope)
    ways = step.ways(scope)
    arms = step.arms(scope)
    outcomes = tuple(dict.fromkeys(way.outcome for way in ways))
    return CompiledStep(
        name=name,
        word=step.WORD,
        place=scope.source.place(scope.path, key=True),
        action=action,
        ways=ways,
        wrong=MappingProxyType(_wrong(ways)),
        usual=step.usual(scope),
        milestone=_milestone(step, scope, file),
        arms=MappingProxyType(_join_arms(name, outcomes, arms, step.usual(scope), scope, file)),
        goes_back_to=step.goes_back_to,
        reads=frozenset(scope.reads),
        forgets=step.forgets(scope),
        runs=step.runs,
        secures=step.secures,
        from_flow=_from_flow(step, outcomes, scope),
        returns=step.returns,
        repeated=step.repeated,
        hands_over_to=step.hands_over_to,
        by_default=frozenset(name for name in outcomes if name not in arms or arms[name].path[0] == "everywhere"),
        uses=frozenset(scope.uses.values()),
        says=said_in(file.steps[name], (arm.path for arm in arms.values())),
        results_into=step.results_into,
        needs=step.needs(scope),
        spends=step.spends(scope),
        rescues=step.rescues,
        silent=step.silent,
        tells=frozenset(scope.tells),
        heard_ms=scope.heard_ms,
        longest_ms=scope.longest_ms,
    )


def _wrong(ways: Iterable[Way]) -> dict[str, By]:
    """Return the outcomes that count against the caller's budget; of several ways to one, the first says by whom."""
    by: dict[str, By] = {}
    for way in ways:
        by.setdefault(way.outcome, way.by)
    return {outcome: who for outcome, who in by.items() if who in (By.SILENCE, By.MISTAKE)}


def _from_flow(step: Step, outcomes: tuple[str, ...], scope: Scope) -> frozenset[str]:
    """Return the outcomes that the flow brings about which a step runs."""
    if step.runs is None:
        return frozenset()
    interface = scope.interfaces.get(step.runs)
    return frozenset(outcomes) if interface is None else frozenset(outcomes) & frozenset(interface.outcomes)


def _check_finally(source: Source, file: FlowFile, steps: Mapping[str, CompiledStep]) -> None:
    """Nobody hears what is said after a hang-up, and nobody answers."""
    todo, seen = [file.finally_] if file.finally_ is not None else [], set[str]()
    while todo:
        name = todo.pop()
        if name in seen:
            continue
        seen.add(name)
        if not steps[name].silent:
            message = Text("step '{name}' needs a caller, and `finally` leads to it when they have hung up", name=name)
            mend = Text("lead `finally` to steps that neither speak nor ask, and end with `hang_up`")
            source.finding("E128", steps[name].place, message, mend)
            continue
        todo.extend(steps[name].arms.values())


def _milestone(step: Step, scope: Scope, file: FlowFile) -> str | None:
    """Check what is reached by a step: it is declared, and it is clear when it is reached."""
    if step.milestone is None:
        return None
    scope.used.add((MILESTONES, step.milestone))
    if step.milestone not in file.milestones:
        message = Text("there is no milestone '{name}'", name=step.milestone)
        scope.finding("E125", ("milestone",), message, did_you_mean(step.milestone, file.milestones))
    elif step.returns or (step.usual(scope) is None and step.outcomes(scope)):
        message = Text("after `{word}` nobody can say whether it is reached", word=step.WORD)
        scope.finding("E126", ("milestone",), message, Text("write it in a step before or after this one"), key=True)
    return step.milestone


def _join_arms(
    name: str,
    outcomes: tuple[str, ...],
    arms: Mapping[str, Arm],
    usual: str | None,
    scope: Scope,
    file: FlowFile,
) -> dict[str, str]:
    joined: dict[str, str] = {}
    for outcome, arm in arms.items():
        if outcome not in outcomes:
            if outcomes:
                message = Text(
                    "step '{name}' cannot end in '{outcome}'; it can end in: {possible}",
                    name=name,
                    outcome=outcome,
                    possible=", ".join(outcomes),
                )
                scope.finding("E205", arm.path, message, did_you_mean(outcome, outcomes), key=True)
            else:
                message = Text("nothing follows step '{name}'", name=name)
                scope.finding("E205", arm.path, message, Text("remove this arm"), key=True)
            continue
        _check_target(scope.source, file, arm.step, (*scope.path, *arm.path))
        joined[outcome] = arm.step
    for outcome in outcomes:
        if outcome in joined:
            continue
        if outcome in file.otherwise:
            joined[outcome] = file.otherwise[outcome]
            continue
        mend = Text("add `{outcome}: <step>` under `when`", outcome=outcome)
        if outcome == usual:
            mend = Text("add `then: <step>`, or `{outcome}: <step>` under `when`", outcome=outcome)
        message = Text("step '{name}' has no arm for '{outcome}'", name=name, outcome=outcome)
        scope.finding("E204", (), message, mend, key=True)
    return joined


def _check_target(source: Source, file: FlowFile, step: str, path: Path) -> None:
    if step not in file.steps:
        message = Text("there is no step '{name}'", name=step)
        source.finding("E206", source.place(path), message, did_you_mean(step, file.steps))
