"""Random small hotlines, and everything that can happen in them found by walking, without any of the proofs' ideas.

A configuration is the whole stack of flows with the step in each, and the level. The walk visits every configuration
that can be reached: slow, simple, and an oracle for the proofs, which never look at stacks.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

from hypothesis import strategies as st

from ivr_engine.flow.findings import Place
from ivr_engine.flow.model import CompiledFlow, CompiledStep
from ivr_engine.flow.operations import Level
from ivr_engine.flow.scope import Interface
from ivr_engine.flow.step import By, Way
from ivr_engine.flow.wording import Text
from ivr_engine.values.language import Language

OUTCOMES: Final = ("good", "bad")
WAITS_ON: Final = Way("good", By.CALLER)
Stack = tuple[tuple[str, str], ...]
Configuration = tuple[Stack, Level]


async def _never(_: object) -> str:
    raise AssertionError("these flows are only looked at")


def step(name: str, flow: str, ways: Sequence[tuple[Way, str]] = (), **facts: object) -> CompiledStep:
    """Return a step that leads by each way to the step beside it."""
    place = Place(f"{flow}.yaml", 1 + int(name[1:]), 1)
    given: dict[str, object] = {
        "word": "say",
        "usual": None,
        "milestone": None,
        "arms": {way.outcome: target for way, target in ways},
        "ways": tuple(way for way, _ in ways),
        "wrong": {},
        "reads": frozenset(),
        "forgets": frozenset(),
        "runs": None,
        "secures": None,
        "from_flow": frozenset(way.outcome for way, _ in ways if facts.get("runs") and way.by is By.STEP),
        "returns": None,
        "repeated": None,
        "hands_over_to": None,
        "by_default": frozenset(),
        "uses": frozenset(),
        "says": name,
        "silent": False,
        "goes_back_to": None,
        "results_into": {},
        "needs": Level.NOBODY,
        "spends": None,
        "rescues": False,
        "tells": frozenset(),
        "heard_ms": 0,
        "longest_ms": 0,
    }
    return CompiledStep(name=name, place=place, action=_never, **{**given, **facts})  # type: ignore[arg-type]  # facts of any of its fields


def flow_of(name: str, steps: Sequence[CompiledStep], outcomes: tuple[str, ...] = ()) -> CompiledFlow:
    """Return a flow that starts with its first step."""
    interface = Interface({}, {}, outcomes, tuple(Language))
    return CompiledFlow(
        owner=None,
        everywhere=MappingProxyType({}),
        name=name,
        title=name,
        start=steps[0].name,
        languages=tuple(Language),
        interface=interface,
        variables={},
        milestones={},
        budget=None,
        budget_exceeded=None,
        finally_=None,
        declared={},
        steps={step.name: step for step in steps},
    )


@st.composite
def hotlines(draw: st.DrawFn, *, waits: bool = False) -> dict[str, CompiledFlow]:
    """Draw one first flow and up to two others.

    Some return, and may be run by those before them; to the rest a caller may be handed over, also in a circle. Some
    that return do nothing that cannot be done while waiting, and may run while a caller waits for a human; if the
    hotline `waits`, its calls begin with that.
    """
    number = draw(st.integers(2 if waits else 1, 3))
    returning = {f"f{place}" for place in range(1, number) if waits or draw(st.integers(0, 2))}
    quiet = {name for name in sorted(returning) if waits or draw(st.booleans())}
    flows = {}
    for place in range(number):
        name = f"f{place}"
        later = [f"f{other}" for other in range(place + 1, number) if f"f{other}" in returning]
        plain = [f"f{other}" for other in range(number) if f"f{other}" not in returning]
        meanwhile = [one for one in later if one in quiet]
        if name in quiet:
            later, plain, meanwhile = meanwhile, [], []
        names = [f"s{n}" for n in range(draw(st.integers(1, 5)))]
        kinds = [
            "say",
            "ask",
            "bank",
            "if",
            *(["human", "end"] if name not in quiet else []),
            *(["over"] if len(plain) > 1 else []),
            *(["run"] * 2 if later else []),
            *(["wait", "wait", "talk", "talk"] if meanwhile else []),
            *(["return"] * 2 if name in returning else []),
        ]
        drawn = [draw(st.sampled_from(kinds)) for _ in names]
        if waits and place == 0:
            drawn[0] = draw(st.sampled_from(["wait", "talk"]))
        steps = [
            draw(_steps(kind, one, name, names, later, plain, meanwhile))
            for kind, one in zip(drawn, names, strict=True)
        ]
        flows[name] = flow_of(name, steps, OUTCOMES if name in returning else ())
    return flows


@st.composite
def _steps(
    draw: st.DrawFn,
    kind: str,
    name: str,
    flow: str,
    names: list[str],
    later: list[str],
    plain: list[str],
    meanwhile: list[str],
) -> CompiledStep:
    target = st.sampled_from(names)
    needs = draw(st.sampled_from([Level.NOBODY, Level.NOBODY, Level.SIGNED_IN, Level.STEPPED_UP]))
    heard_ms = draw(st.sampled_from([0, 1000, 5000]))
    if kind == "say":
        return step(name, flow, [(Way("said"), draw(target))], heard_ms=heard_ms, longest_ms=heard_ms, needs=needs)
    level_shown = st.sampled_from([None, None, None, Level.SIGNED_IN])
    if kind == "ask":
        ways = [
            (
                Way(f"key {n}", By.CALLER, Text("press"), draw(st.integers(1, 2)), at_least=draw(level_shown)),
                draw(target),
            )
            for n in range(draw(st.integers(1, 2)))
        ]
        ways += [
            (Way("no_input", By.SILENCE, Text("stay silent")), draw(target)),
            (Way("no_match", By.MISTAKE, Text("err")), draw(target)),
        ]
        return step(name, flow, ways, heard_ms=1000, longest_ms=9000)
    if kind == "bank":
        level = draw(st.sampled_from([None, *Level]))
        ways = [
            (Way("found", By.WORLD, Text("found"), level=level), draw(target)),
            (Way("away", By.WORLD, Text("away")), draw(target)),
        ]
        return step(name, flow, ways, longest_ms=4000, needs=needs)
    if kind == "if":
        return step(name, flow, [(Way("yes", at_least=Level.SIGNED_IN), draw(target)), (Way("no"), draw(target))])
    if kind == "human":
        return step(name, flow, [(Way("answered", By.WORLD, Text("answered")), draw(target))], rescues=True)
    if kind == "wait":
        waits = [(Way("answered", By.WORLD, Text("answered")), draw(target)), (Way("bad"), draw(target))]
        return step(name, flow, waits, runs=draw(st.sampled_from(meanwhile)), rescues=True)
    if kind == "talk":  # with an agent who may ask for a flow; before it one may run while the caller waits, or not
        runs_too = draw(st.sampled_from([None, *meanwhile]))
        talks = [(Way("answered", By.WORLD, Text("answered")), draw(target))]
        talks += [(Way("bad"), draw(target))] if runs_too is not None else []
        return step(name, flow, talks, runs=runs_too, secures=draw(st.sampled_from(meanwhile)), rescues=True)
    if kind == "run":
        runs = [(Way(outcome), draw(target)) for outcome in OUTCOMES]
        return step(name, flow, runs, runs=draw(st.sampled_from(later)))
    if kind == "over":
        return step(name, flow, hands_over_to=draw(st.sampled_from(plain)))
    if kind == "return":
        return step(name, flow, returns=draw(st.sampled_from(OUTCOMES)))
    return step(name, flow)


@dataclass(slots=True)
class Walk:
    """Every configuration that can be reached from a first flow, and every move between them."""

    flows: Mapping[str, CompiledFlow]
    moves: dict[Configuration, list[tuple[Way | None, Configuration]]] = field(default_factory=dict)

    def from_start(self, first: str) -> Walk:
        """Walk from the start of a first flow."""
        todo: list[Configuration] = [(((first, self.flows[first].start),), Level.NOBODY)]
        while todo:
            configuration = todo.pop()
            if configuration not in self.moves:
                self.moves[configuration] = list(self._moves(configuration))
                todo.extend(after for _, after in self.moves[configuration])
        return self

    def at(self, configuration: Configuration) -> CompiledStep:
        """Return the step in which a configuration stands."""
        flow, name = configuration[0][-1]
        return self.flows[flow].steps[name]

    def _moves(self, configuration: Configuration) -> Iterator[tuple[Way | None, Configuration]]:
        stack, level = configuration
        standing = self.at(configuration)
        yield from self._moves_of_who_waits(stack, level)
        if standing.secures is not None:
            yield WAITS_ON, ((*stack, (standing.secures, self.flows[standing.secures].start)), level)
        if standing.returns is not None:
            flow, caller = stack[-2]
            below = self.flows[flow].steps[caller]
            if below.secures is not None and stack[-1][0] != below.runs:
                yield WAITS_ON, (stack[:-1], level)
            elif standing.returns in below.from_flow:
                yield None, ((*stack[:-2], (flow, below.arms[standing.returns])), level)
            else:  # the caller waits on; the queue's own limit ends that, so it is no circle
                yield WAITS_ON, (stack[:-1], level)
        elif standing.hands_over_to is not None:
            yield None, (((standing.hands_over_to, self.flows[standing.hands_over_to].start),), level)
        elif standing.runs is not None:
            yield None, ((*stack, (standing.runs, self.flows[standing.runs].start)), level)
        else:
            for way in standing.ways:
                if way.at_least is None or level >= way.at_least:
                    after = level if way.level is None else way.level
                    yield way, ((*stack[:-1], (stack[-1][0], standing.arms[way.outcome])), after)

    def _moves_of_who_waits(self, stack: Stack, level: Level) -> Iterator[tuple[Way | None, Configuration]]:
        """Whoever waits may be called away, wherever they are meanwhile; but not while an agent waits for them."""
        for depth, (flow, name) in enumerate(stack):
            waits = self.flows[flow].steps[name]
            above = stack[depth + 1][0] if depth + 1 < len(stack) else waits.runs
            if not waits.stays or above != waits.runs:
                continue
            for way in waits.ways:
                if way.outcome not in waits.from_flow:
                    yield way, ((*stack[:depth], (flow, waits.arms[way.outcome])), level)
            if waits.secures is not None and depth + 1 < len(stack):
                yield WAITS_ON, (stack[: depth + 1], level)
