"""Which steps, arms, handlers and languages of flows were reached, and which lines of the flows never were.

Knows compiled flows, the places of their keys, and traces of calls. Must not know how a call was made. An arm of a step
that runs another flow is taken when that flow comes back.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from ivr_engine.flow.findings import Place
from ivr_engine.flow.model import CompiledFlow, CompiledStep, Library
from ivr_engine.flow.runner import StepDone
from ivr_engine.flow.source import Path, Source
from ivr_engine.values.language import Language

ENTERED = "entered"
RETURN = "return"
_HANDLERS = ("otherwise", "everywhere")
_NAMED_KEYS = (("*", "star"), ("#", "hash"))


class What(StrEnum):
    """What is counted."""

    STEP = "steps"
    ARM = "arms"
    HANDLER = "handlers"
    LANGUAGE = "languages"


@dataclass(frozen=True, slots=True, order=True)
class Item:
    """One thing that can be reached: of a flow, of a kind, by name, and where it is written."""

    place: Place
    flow: str
    what: What
    name: str


@dataclass(frozen=True, slots=True)
class FlowCoverage:
    """What there is in one flow, and what of it was never reached."""

    flow: str
    there: Mapping[What, int]
    never: tuple[Item, ...]

    def reached(self, what: What) -> int:
        """Return how many of a kind were reached."""
        return self.there[what] - sum(item.what is what for item in self.never)


@dataclass(slots=True)
class Coverage:
    """Gathers traces against a library. `sources` are the flows' files, by name, for the places of arms."""

    library: Library
    sources: Mapping[str, Source]
    _steps: set[tuple[str, str]] = field(default_factory=set)
    _arms: set[tuple[str, str, str]] = field(default_factory=set)
    _languages: set[tuple[str, Language]] = field(default_factory=set)

    def add(self, trace: Iterable[tuple[StepDone, Language]]) -> None:
        """Count one call."""
        running: list[tuple[str, str]] = []
        for done, language in trace:
            self._steps.add((done.flow, done.step))
            self._languages.add((done.flow, language))
            if (done.flow, done.step) in running:  # it stays while its flow runs, and the caller was called back to it
                del running[running.index((done.flow, done.step)) :]
            if done.outcome == ENTERED and self.library.flows[done.flow].steps[done.step].inner:
                running.append((done.flow, done.step))
                continue
            self._arms.add((done.flow, done.step, done.outcome))
            if done.word == RETURN and running:
                self._arms.add((*running.pop(), done.outcome))

    def by_flow(self) -> tuple[FlowCoverage, ...]:
        """Return the coverage of every flow, in order of name."""
        return tuple(self._of(flow) for _, flow in sorted(self.library.flows.items()))

    def _of(self, flow: CompiledFlow) -> FlowCoverage:
        there = dict.fromkeys(What, 0)
        never: list[Item] = []
        for item, reached in self._items(flow):
            there[item.what] += 1
            if not reached:
                never.append(item)
        return FlowCoverage(flow.name, there, tuple(sorted(never)))

    def _items(self, flow: CompiledFlow) -> Iterator[tuple[Item, bool]]:
        source = self.sources[flow.name]
        handlers: dict[Path, bool] = {}
        for step in flow.steps.values():
            yield Item(step.place, flow.name, What.STEP, step.name), (flow.name, step.name) in self._steps
            for outcome in step.arms:
                taken = (flow.name, step.name, outcome) in self._arms
                path = _arm_path(source, step, outcome)
                place = step.place
                if path is not None and path[0] in _HANDLERS:
                    handlers[path] = handlers.get(path, False) or taken
                elif path is not None:
                    place = source.place(path, key=True)
                yield Item(place, flow.name, What.ARM, f"{step.name}: {outcome}"), taken
        for path, reached in handlers.items():
            name = f"{path[0]}: {path[1]}"
            yield Item(source.place(path, key=True), flow.name, What.HANDLER, name), reached
        for language in flow.languages:
            place = source.place(("languages",), key=True)
            spoken = (flow.name, language) in self._languages
            yield Item(place, flow.name, What.LANGUAGE, language.value), spoken


def _arm_path(source: Source, step: CompiledStep, outcome: str) -> Path | None:
    """Return where the arm for an outcome is written: in the step, or in a block for the whole flow."""
    own: Path = ("steps", step.name)
    key = outcome.removeprefix("key ")
    keys = (key, *(name for sign, name in _NAMED_KEYS if sign == key))
    usual = [(*own, "then")] if step.outcomes[0] == outcome else []
    if outcome == "no":
        usual.append((*own, "else"))
    candidates: list[Path] = [(*own, "when", outcome), *((*own, "keys", one) for one in keys), *usual]
    candidates += [("otherwise", outcome), *(("everywhere", one) for one in keys)]
    return next((path for path in candidates if path in source.keys), None)


def totals(flows: Iterable[FlowCoverage]) -> tuple[int, int]:
    """Return how many things were reached, and how many there are."""
    covered = [(flow.reached(what), flow.there[what]) for flow in flows for what in What]
    return sum(reached for reached, _ in covered), sum(there for _, there in covered)


def percent(reached: int, there: int) -> float:
    """Return a share that is 100 only when all was reached, rounded down to a tenth."""
    return reached * 1000 // there / 10 if there else 100.0
