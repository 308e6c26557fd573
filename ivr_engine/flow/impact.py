"""Who is touched when something is changed: the steps that use a prompt, a message, a queue, an operation or a flow.

Knows compiled flows and what their steps use. Must not know files or settings.
"""

from __future__ import annotations

import dataclasses
from collections import deque
from collections.abc import Collection, Iterator, Mapping
from typing import Final

from ivr_engine.flow.findings import Place
from ivr_engine.flow.model import Library, flows_from
from ivr_engine.flow.scope import World
from ivr_engine.flow.uses import FLOWS, MESSAGES, PROMPTS, SKILLS
from ivr_engine.values.language import Language

SORT_WORDS: Final[Mapping[str, str]] = {
    PROMPTS: "prompt",
    "operations": "operation",
    "queues": "queue",
    FLOWS: "flow",
    MESSAGES: "message",
    "destinations": "destination",
    SKILLS: "skill",
}
"""What one of a sort is called; a sort that is not here is called by its own name."""


@dataclasses.dataclass(frozen=True, slots=True, order=True)
class UsedBy:
    """One step that uses the thing."""

    flow: str
    place: Place
    step: str
    word: str


@dataclasses.dataclass(frozen=True, slots=True)
class Impact:
    """What uses one thing.

    `reached_from` has, for each flow that a call may begin with, the flows that run one another down to the nearest
    user.
    """

    sort: str
    name: str
    used_by: tuple[UsedBy, ...]
    reached_from: Mapping[str, tuple[str, ...]]


def known_names(library: Library, world: World) -> dict[str, frozenset[str]]:
    """Return every name that flows can use, by its sort."""
    known: dict[str, frozenset[str]] = {FLOWS: frozenset(library.flows)}
    for field in dataclasses.fields(world):
        names = getattr(world, field.name)
        if field.name == PROMPTS:
            known[PROMPTS] = frozenset(one for language in Language for one in names.ids(language))
        elif field.name == MESSAGES:
            known[MESSAGES] = names.ids()
        elif isinstance(names, Collection):
            known[field.name] = frozenset(names)
    return known


def impacts(library: Library, world: World, name: str) -> tuple[Impact, ...]:
    """Return the impact of everything of this name; none when there is nothing of this name."""
    sorts = [sort for sort, names in known_names(library, world).items() if name in names]
    return tuple(_impact(library, sort, name) for sort in sorts)


def names_used(library: Library, sort: str) -> frozenset[str]:
    """Return every name of a sort that some step uses."""
    steps = (step for flow in library.flows.values() for step in flow.steps.values())
    return frozenset(use.name for step in steps for use in step.uses if use.sort == sort)


def first_flows(library: Library) -> tuple[str, ...]:
    """Return the flows that a call may begin with: those that return to nobody, and that no other flow leads to.

    Of flows that hand over to one another in a circle nobody can say with which one calls begin: all of them may be it.
    """
    leads_to = {name: frozenset(flows_from(library, name)) for name in library.flows}
    led_to = {other for name in library.flows for other in leads_to[name] if name not in leads_to[other]}
    return tuple(name for name, flow in library.flows.items() if name not in led_to and not flow.interface.outcomes)


def _impact(library: Library, sort: str, name: str) -> Impact:
    used_by = tuple(sorted(_used_by(library, sort, name)))
    users = {use.flow for use in used_by}
    reached = {first: _way_down(library, first, users) for first in first_flows(library)}
    if sort == FLOWS and name in reached:
        reached[name] = (name,)
    return Impact(sort, name, used_by, {first: way for first, way in reached.items() if way})


def _used_by(library: Library, sort: str, name: str) -> Iterator[UsedBy]:
    for flow in library.flows.values():
        for step in flow.steps.values():
            for use in step.uses:
                if (use.sort, use.name) == (sort, name):
                    yield UsedBy(flow.name, use.place, step.name, step.word)


def _way_down(library: Library, first: str, users: Collection[str]) -> tuple[str, ...]:
    """Return the shortest chain of flows from the first one to one of the users; empty when there is none."""
    ways: dict[str, tuple[str, ...]] = {first: (first,)}
    todo = deque([first])
    while todo:
        here = todo.popleft()
        if here in users:
            return ways[here]
        for step in library.flows[here].steps.values():
            for name in (*step.inner, step.hands_over_to):
                if name is not None and name in library.flows and name not in ways:
                    ways[name] = (*ways[here], name)
                    todo.append(name)
    return ()
