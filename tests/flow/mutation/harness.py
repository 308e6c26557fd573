"""Makes mutants of good flows, has each checked, and says of those that are not refused why that is right.

A survivor is *explained* when it can be shown that nothing a caller lives through has changed, or that what has changed
breaks no promise: `EXPLANATIONS` lists every reason there is, each with a check of its own. A survivor without an
explanation is a hole in the proofs.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from ivr_engine.flow.model import Library
from ivr_engine.flow.scope import Prompts, World
from ivr_engine.values.language import Language
from tests.flow.mutation.breaking_trust import TRUST
from tests.flow.mutation.breaking_ways import WAYS
from tests.flow.mutation.breaking_words import WORDS
from tests.flow.mutation.files import Flows, build
from tests.flow.mutation.mutants import Mutant, Mutator

MUTATORS: Final[tuple[Mutator, ...]] = (*WAYS, *TRUST, *WORDS)


@dataclass(frozen=True, slots=True)
class LosingPrompts:
    """The catalogue without one prompt of one language."""

    whole: Prompts
    lost: tuple[str, str]

    def has(self, language: Language, prompt: str) -> bool:
        """Whether the prompt has a text in this language, and is not the lost one."""
        return (language.value, prompt) != self.lost and self.whole.has(language, prompt)

    def ids(self, language: Language) -> Iterable[str]:
        """Return the ids that are left."""
        return (prompt for prompt in self.whole.ids(language) if (language.value, prompt) != self.lost)

    def lasts_ms(self, language: Language, prompt: str) -> int:
        """Return how long it is heard."""
        return self.whole.lasts_ms(language, prompt)

    def text(self, language: Language, prompt: str) -> str:
        """Return its words."""
        return self.whole.text(language, prompt)


@dataclass(slots=True)
class Report:
    """What became of the mutants, by kind."""

    made: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    explained: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    holes: list[Mutant] = field(default_factory=list)
    codes: Counter[str] = field(default_factory=Counter)

    def table(self) -> str:
        """Return one line for each kind, and the survivors with their reasons."""
        lines = [f"{'kind of mistake':42} {'made':>6} {'refused':>8} {'explained':>10} {'holes':>6}"]
        for kind in sorted(self.made):
            explained = self.explained[kind].total()
            holes = sum(hole.kind == kind for hole in self.holes)
            lines.append(f"{kind:42} {self.made[kind]:6} {self.refused[kind]:8} {explained:10} {holes:6}")
            lines += [f"    {count} explained: {why}" for why, count in self.explained[kind].items()]
        total = (
            self.made.total(),
            self.refused.total(),
            sum(c.total() for c in self.explained.values()),
            len(self.holes),
        )
        lines.append(f"{f'{len(self.made)} kinds':42} {total[0]:6} {total[1]:8} {total[2]:10} {total[3]:6}")
        lines += [f"HOLE: {hole.kind}: {hole.what}" for hole in self.holes]
        return "\n".join(lines)


def mutants(flows: Flows) -> Iterator[Mutant]:
    """Return every mutant of these flows."""
    for mutator in MUTATORS:
        yield from mutator(flows)


def judge(flows: Flows, some: Iterable[Mutant], world: World) -> Report:
    """Have mutants checked; the flows themselves must be sound."""
    sound = build(flows, world)
    assert not sound.findings, sound.findings[0].render()
    report = Report()
    for mutant in some:
        report.made[mutant.kind] += 1
        theirs = (
            world if mutant.missing is None else replace(world, prompts=LosingPrompts(world.prompts, mutant.missing))
        )
        library = build(mutant.flows, theirs)
        if library.findings:
            report.refused[mutant.kind] += 1
            report.codes.update({finding.code for finding in library.findings})
            continue
        why = next((why for why, explains in EXPLANATIONS.items() if explains(sound, library, mutant)), None)
        if why is None:
            report.holes.append(mutant)
        else:
            report.explained[mutant.kind][why] += 1
    return report


def _same_calls(sound: Library, mutated: Library, _mutant: Mutant) -> bool:
    """Every step has the same ways and the same arms: no call can go another way."""
    return _shape(sound) == _shape(mutated)


def _shape(library: Library) -> Mapping[str, object]:
    return {
        name: (flow.start, {step.name: (step.word, step.ways, step.arms, step.reads) for step in flow.steps.values()})
        for name, flow in library.flows.items()
    }


def _falls_to_otherwise(_sound: Library, mutated: Library, mutant: Mutant) -> bool:
    """A dropped arm is replaced by what the file says for all its steps; that is how `otherwise` is meant."""
    flow, step, path = mutant.what.split(":", 2)
    outcome = path.strip().rpartition(".")[2]
    return (
        mutant.kind == "drop an arm"
        and outcome in mutant.flows[flow].get("otherwise", {})
        and step in mutated.flows[flow].steps
    )


def _nobody_reads_it(_sound: Library, mutated: Library, mutant: Mutant) -> bool:
    """A result that no step reads and no flow gives back need not be kept."""
    flow, _step, name = mutant.what.split(":", 2)
    reading = {variable for step in mutated.flows[flow].steps.values() for variable in step.reads}
    return mutant.kind == "leave a variable unset" and name.strip() not in reading


EXPLANATIONS: Final[Mapping[str, Callable[[Library, Library, Mutant], bool]]] = {
    "no call can go another way": _same_calls,
    "`otherwise` leads on, as the file says for all steps": _falls_to_otherwise,
    "nobody reads it": _nobody_reads_it,
}
