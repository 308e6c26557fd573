"""What a mutant is, and the helpers with which mutators walk through flows."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from tests.flow.mutation.files import Flow, Flows, Step, changed, steps_of


@dataclass(frozen=True, slots=True)
class Mutant:
    """Flows with one mistake in them. `missing` is a prompt that one language has lost: (language, prompt)."""

    kind: str
    what: str
    flows: Flows
    missing: tuple[str, str] | None = None


Mutator = Callable[[Flows], Iterator[Mutant]]
Edit = Callable[..., object]
"""Changes a step, or the top of a flow, in place; what stands behind it where it is used are its arguments."""


def edited(flows: Flows, kind: str, flow: str, step: str, what: str, edit: Edit, *arguments: object) -> Mutant:
    """Return the mutant in which one step has been edited."""
    mutated, mine = changed(flows, flow)
    edit(mine["steps"][step], *arguments)
    return Mutant(kind, f"{flow}:{step}: {what}", mutated)


def edited_top(flows: Flows, kind: str, flow: str, what: str, edit: Edit, *arguments: object) -> Mutant:
    """Return the mutant in which the top of a flow has been edited."""
    mutated, mine = changed(flows, flow)
    edit(mine, *arguments)
    return Mutant(kind, f"{flow}: {what}", mutated)


def arms_of(step: Step) -> Iterator[tuple[tuple[str, ...], str]]:
    """Return every arm written in a step: the keys that lead to it, and the step that it names."""
    for key in ("then", "else"):
        if isinstance(step.get(key), str):
            yield (key,), step[key]
    for block in ("when", "keys"):
        for name, target in step.get(block, {}).items() if isinstance(step.get(block), dict) else ():
            if isinstance(target, str):
                yield (block, name), target
            elif isinstance(target, dict) and isinstance(target.get("then"), str):
                yield (block, name, "then"), target["then"]


def put(step: Step, path: tuple[str, ...], value: object) -> None:
    """Write a value at a path of keys."""
    for key in path[:-1]:
        step = step.setdefault(key, {})
    step[path[-1]] = value


def remove(step: Step, path: tuple[str, ...]) -> None:
    """Remove what stands at a path of keys, and a block that is empty then."""
    block = step
    for key in path[:-1]:
        block = block[key]
    del block[path[-1]]
    if not block and len(path) > 1:
        remove(step, path[:-1])


def add(step: Step, block: str, value: object) -> None:
    """Add a value to a list, which is made where there is none."""
    step.setdefault(block, []).append(value)


def misspell(step: Step, path: tuple[str, ...], ending: str = "x") -> None:
    """Write a word with something behind it."""
    block = step
    for key in path[:-1]:
        block = block[key]
    block[path[-1]] = f"{block[path[-1]]}{ending}"


def redirected(flows: Flows, kind: str, what: str, where: Callable[[str, str], str | None]) -> Iterator[Mutant]:
    """Return a mutant for each arm whose target `where(flow, target)` replaces by another step."""
    for flow, name, step in steps_of(flows):
        for path, target in arms_of(step):
            other = where(flow, target)
            if other is not None and other != target:

                def edit(mine: Step, path: tuple[str, ...] = path, other: str = other) -> None:
                    put(mine, path, other)

                yield edited(flows, kind, flow, name, f"{what}: {'.'.join(path)} leads to {other}", edit)


def secrets_of(flow: Flow) -> list[str]:
    """Return the secret variables of a flow."""
    return [name for name, kind in flow.get("variables", {}).items() if str(kind) == "secret"]


def declared(flow: Flow) -> dict[str, str]:
    """Return the variables of a flow with what is written of their types."""
    return {name: str(kind) for name, kind in {**flow.get("inputs", {}), **flow.get("variables", {})}.items()}
