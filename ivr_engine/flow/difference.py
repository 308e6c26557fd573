"""What a change of flows means to callers: which keys, which seconds, which menus, which words.

Knows two libraries. Must not know files, nor what is printed where. A step that only has another name is a rename.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from ivr_engine.flow.constants import CONSTANTS, ENVIRONMENTS
from ivr_engine.flow.hours import HOURS
from ivr_engine.flow.impact import first_flows
from ivr_engine.flow.model import BUDGET, MILESTONES, CompiledFlow, CompiledStep, Library
from ivr_engine.flow.renames import matched_steps
from ivr_engine.flow.routes import Routes, keys_of
from ivr_engine.flow.step import By
from ivr_engine.flow.timing import Task, Timing, tasks_of
from ivr_engine.flow.uses import PROMPTS
from ivr_engine.flow.wording import Text
from ivr_engine.values.language import Language

NO_PROMPT: Final = frozenset({"E401", "E402"})
"""Findings of a prompt that is missing: the flows can be compared all the same, and that is what is told."""


class Topic(StrEnum):
    """What a change is about, in the order in which it is told."""

    TASKS = "what callers call for"
    MENUS = "menus"
    ARMS = "what leads elsewhere"
    PROMPTS = "prompts"
    STEPS = "steps"
    FLOWS = "flows"


@dataclass(frozen=True, slots=True)
class Change:
    """One difference in words, and what was and is there, as far as that is a short text."""

    topic: Topic
    flow: str
    step: str
    words: Text
    old: str = ""
    new: str = ""


Words = Callable[[Language, str], str | None]
"""The text of a prompt in a language, or None."""


def differences(
    old: Library, new: Library, language: Language, words: tuple[Words, Words] | None = None
) -> tuple[Change, ...]:
    """Return every difference, by topic; `language` is spoken before a caller has chosen, `words` are the texts."""
    changes = [*_tasks(old, new, language), *_flows(old, new), *_prompts(old, new, words)]
    for name in sorted(old.flows.keys() & new.flows.keys()):
        changes += _within(old.flows[name], new.flows[name])
    topics = list(Topic)
    return tuple(sorted(changes, key=lambda change: topics.index(change.topic)))


def _tasks(old: Library, new: Library, language: Language) -> Iterator[Change]:
    routes = Routes(old, language), Routes(new, language)
    timings = Timing(old), Timing(new)
    for flow in sorted(set(first_flows(old)) & set(first_flows(new))):
        known = tuple(dict.fromkeys((*tasks_of(old, flow), *tasks_of(new, flow))))
        for task in known:
            yield from _keys(flow, task, routes)
            yield from _seconds(flow, task, routes, timings)


def _keys(flow: str, task: Task, routes: tuple[Routes, Routes]) -> Iterator[Change]:
    before, after = (one.to_task(flow, task) for one in routes)
    was, now = str(before or ""), str(after or "")
    if before is None and after is not None:
        words = Text("{task} is new: {keys}", task=task.name, keys=now)
    elif before is not None and after is None:
        words = Text("{task} can no longer be reached; it was {keys}", task=task.name, keys=was)
    elif was != now:
        words = Text("{task} moves from {old} to {new}", task=task.name, old=was, new=now)
    else:
        return
    yield Change(Topic.TASKS, flow, "", words, was, now)


def _seconds(flow: str, task: Task, routes: tuple[Routes, Routes], timings: tuple[Timing, Timing]) -> Iterator[Change]:
    usual = [one.to_task(flow, task) for one in routes]
    longest = [one.to_task(flow, task) for one in timings]
    for said, (before, after) in (
        (Text("usual time to {task}", task=task.name), usual),
        (Text("longest time to {task}", task=task.name), longest),
    ):
        if before is not None and after is not None and before.seconds != after.seconds:
            words = Text("{time}: {old} s → {new} s", time=said, old=before.seconds, new=after.seconds)
            yield Change(Topic.TASKS, flow, "", words, f"{before.seconds} s", f"{after.seconds} s")


def _flows(old: Library, new: Library) -> Iterator[Change]:
    for name in sorted(new.flows.keys() - old.flows.keys()):
        yield Change(Topic.FLOWS, name, "", Text("flow {flow} is new", flow=name), "", new.flows[name].title)
    for name in sorted(old.flows.keys() - new.flows.keys()):
        yield Change(Topic.FLOWS, name, "", Text("flow {flow} is gone", flow=name), old.flows[name].title)


def _prompts(old: Library, new: Library, words: tuple[Words, Words] | None) -> Iterator[Change]:
    before, after = _prompts_of(old), _prompts_of(new)
    for prompt in sorted(after.keys() - before.keys()):
        yield Change(Topic.PROMPTS, "", "", Text("{prompt} is said now", prompt=prompt), "", prompt)
    for prompt in sorted(before.keys() - after.keys()):
        yield Change(Topic.PROMPTS, "", "", Text("{prompt} is said no longer", prompt=prompt), prompt)
    for finding in new.findings:
        if finding.code in NO_PROMPT:
            missing = Text("missing: {what} ({place})", what=finding.message, place=finding.place)
            yield Change(Topic.PROMPTS, "", "", missing)
    for prompt in sorted(before.keys() & after.keys()) if words is not None else ():
        for language in sorted(before[prompt] | after[prompt]):
            was, now = (text(language, prompt) for text in words or ())
            if was is not None and now is not None and was != now:
                said = Text("{prompt} has other words in {language}", prompt=prompt, language=language.value)
                yield Change(Topic.PROMPTS, "", "", said, was, now)


def _prompts_of(library: Library) -> dict[str, frozenset[Language]]:
    """Return every prompt that is used, with the languages of the flows that use it."""
    found: dict[str, frozenset[Language]] = {}
    for flow in library.flows.values():
        for step in flow.steps.values():
            for use in step.uses:
                if use.sort == PROMPTS:
                    found[use.name] = found.get(use.name, frozenset()) | frozenset(flow.languages)
    return found


def _within(old: CompiledFlow, new: CompiledFlow) -> Iterator[Change]:
    names = matched_steps(old, new)
    if old.title != new.title:
        yield Change(Topic.FLOWS, new.name, "", Text("the title is another"), old.title, new.title)
    if old.owner != new.owner:
        yield Change(Topic.FLOWS, new.name, "", Text("the owner is another"), old.owner or "", new.owner or "")
    told = tuple(_everywhere(old, new, names))
    yield from (change for _, change in told)
    told_keys = frozenset(key for key, _ in told)
    for was, now in names.items():
        if was != now:
            words = Text("{old} is now called {new}", old=was, new=now)
            yield Change(Topic.STEPS, new.name, now, words, was, now)
        yield from _step(new.name, old.steps[was], new.steps[now], names, told_keys)
    for name in new.steps:
        if name not in names.values():
            yield Change(Topic.STEPS, new.name, name, Text("{step} is new", step=name), "", name)
    for name in old.steps:
        if name not in names:
            yield Change(Topic.STEPS, new.name, name, Text("{step} is gone", step=name), name)
    yield from _entries(old, new, names)
    yield from _declared(new.name, _top_of(old), _top_of(new))
    for words, before, after in (
        (Text("other languages"), old.languages, new.languages),
        (Text("other outcomes"), old.interface.outcomes, new.interface.outcomes),
        (Text("other inputs"), tuple(old.interface.inputs), tuple(new.interface.inputs)),
        (Text("other outputs"), tuple(old.interface.outputs), tuple(new.interface.outputs)),
    ):
        if before != after:
            yield Change(Topic.FLOWS, new.name, "", words, ", ".join(before), ", ".join(after))


def _entries(old: CompiledFlow, new: CompiledFlow, names: Mapping[str, str]) -> Iterator[Change]:
    """Compare where a call begins in the flow: at its start, when its budget is used up, and after a hang-up."""
    if names.get(old.start) != new.start:
        words = Text("begins with {new} instead of {old}", new=new.start, old=old.start)
        yield Change(Topic.ARMS, new.name, new.start, words, old.start, new.start)
    for entry, was, now in (
        (Text("a call whose budget is used up"), old.budget_exceeded, new.budget_exceeded),
        (Text("a call whose caller has hung up"), old.finally_, new.finally_),
    ):
        if was is None and now is not None:
            words = Text("{entry} goes on with {new} now", entry=entry, new=now)
        elif was is not None and now is None:
            words = Text("{entry} no longer goes on with {old}", entry=entry, old=was)
        elif was is not None and now is not None and names.get(was) != now:
            words = Text("{entry} goes on with {new} instead of {old}", entry=entry, new=now, old=was)
        else:
            continue
        yield Change(Topic.ARMS, new.name, now or "", words, was or "", now or "")


def _everywhere(old: CompiledFlow, new: CompiledFlow, names: Mapping[str, str]) -> Iterator[tuple[str, Change]]:
    """Compare the keys that every question takes, each once for the whole flow."""
    for key in sorted(old.everywhere.keys() | new.everywhere.keys()):
        was, now = old.everywhere.get(key, ""), new.everywhere.get(key, "")
        if not was:
            words = Text("key {keys} of every question is new and leads to {new}", keys=key, new=now)
        elif not now:
            words = Text("key {keys} of every question is gone; it led to {old}", keys=key, old=was)
        elif names.get(was, was) != now:
            words = Text("key {keys} of every question leads to {new} instead of {old}", keys=key, new=now, old=was)
        else:
            continue
        yield key, Change(Topic.MENUS, new.name, "", words, was, now)


def _step(
    flow: str, old: CompiledStep, new: CompiledStep, names: Mapping[str, str], told: frozenset[str]
) -> Iterator[Change]:
    found = [*_options(flow, old, new, names, told), *_arms(flow, old, new, names)]
    yield from found
    if old.says == new.says:
        return
    spoken = _uses(old, prompts=True), _uses(new, prompts=True)
    used = _uses(old, prompts=False), _uses(new, prompts=False)
    if spoken[0] != spoken[1]:
        words = Text("{step} says something else", step=new.name)
        yield Change(Topic.PROMPTS, flow, new.name, words, *_only(*spoken))
    if used[0] != used[1]:
        words = Text("{step} uses something else", step=new.name)
        yield Change(Topic.STEPS, flow, new.name, words, *_only(*used))
    if spoken[0] != spoken[1] or used[0] != used[1]:
        return
    if old.longest_ms != new.longest_ms:
        was, now = f"{old.longest_ms / 1000:.0f} s", f"{new.longest_ms / 1000:.0f} s"
        yield Change(Topic.STEPS, flow, new.name, Text("{step} lasts differently at most", step=new.name), was, now)
    elif not found:
        yield Change(Topic.STEPS, flow, new.name, Text("{step} is written differently", step=new.name))


def _uses(step: CompiledStep, *, prompts: bool) -> frozenset[str]:
    return frozenset(use.name for use in step.uses if (use.sort == PROMPTS) == prompts)


def _only(old: frozenset[str], new: frozenset[str]) -> tuple[str, str]:
    """Return what only one of the two has, in words."""
    return ", ".join(sorted(old - new)), ", ".join(sorted(new - old))


def _options(
    flow: str, old: CompiledStep, new: CompiledStep, names: Mapping[str, str], told: frozenset[str]
) -> Iterator[Change]:
    """Compare what a caller may press or type, by the keys themselves; those of every question are told already."""
    before, after = _choices(old), _choices(new)
    for key in told & (before.keys() | after.keys()):
        if all(_is_default(step, key) for step, there in ((old, before), (new, after)) if key in there):
            before.pop(key, None)
            after.pop(key, None)
    gone = {keys: target for keys, target in before.items() if keys not in after}
    added = {keys: target for keys, target in after.items() if keys not in before}
    for was, target in list(gone.items()):
        now = next((keys for keys, leads in added.items() if leads == names.get(target)), None)
        if now is not None:
            target = added[now]
            words = Text(
                "{step}: what leads to {target} moves from {old} to {new}",
                step=new.name,
                target=target,
                old=was,
                new=now,
            )
            yield Change(Topic.MENUS, flow, new.name, words, was, now)
            del gone[was], added[now]
    for keys, target in gone.items():
        words = Text("{step}: {keys} is gone; it led to {old}", step=new.name, keys=keys, old=target)
        yield Change(Topic.MENUS, flow, new.name, words, target)
    for keys, target in added.items():
        words = Text("{step}: {keys} is new and leads to {new}", step=new.name, keys=keys, new=target)
        yield Change(Topic.MENUS, flow, new.name, words, "", target)
    for keys in sorted(before.keys() & after.keys()):
        was, now = before[keys], after[keys]
        if names.get(was) != now:
            words = Text("{step}: {keys} leads to {new} instead of {old}", step=new.name, keys=keys, new=now, old=was)
            yield Change(Topic.MENUS, flow, new.name, words, was, now)


def _is_default(step: CompiledStep, key: str) -> bool:
    return f"key {key}" in step.by_default


def _choices(step: CompiledStep) -> dict[str, str]:
    return {
        keys_of(way): step.arms[way.outcome] for way in step.ways if way.by is By.CALLER and way.outcome in step.arms
    }


def _arms(flow: str, old: CompiledStep, new: CompiledStep, names: Mapping[str, str]) -> Iterator[Change]:
    before, after = _others(old), _others(new)
    for outcome in sorted(before.keys() | after.keys()):
        was, now = before.get(outcome), after.get(outcome)
        shown = outcome.replace("_", " ")
        if now is None:
            words = Text("{step} can no longer end in `{outcome}`", step=new.name, outcome=shown)
        elif was is None:
            words = Text("{step} can also end in `{outcome}`, then {new}", step=new.name, outcome=shown, new=now)
        elif names.get(was) != now:
            words = Text(
                "{step}: `{outcome}` leads to {new} instead of {old}", step=new.name, outcome=shown, new=now, old=was
            )
        else:
            continue
        yield Change(Topic.ARMS, flow, new.name, words, was or "", now or "")


def _others(step: CompiledStep) -> dict[str, str]:
    own = {way.outcome for way in step.ways if way.by is By.CALLER}
    return {outcome: target for outcome, target in step.arms.items() if outcome not in own}


def _top_of(flow: CompiledFlow) -> dict[tuple[str, str], str]:
    variables = {("", name): f"{one.data_class.value} {one.type}" for name, one in flow.variables.items()}
    return {**variables, **flow.declared}


def _declared(flow: str, old: Mapping[tuple[str, str], str], new: Mapping[tuple[str, str], str]) -> Iterator[Change]:
    for block, name in sorted(old.keys() | new.keys()):
        was, now = old.get((block, name), ""), new.get((block, name), "")
        if was == now:
            continue
        what = _SORTS[block]
        words = Text("{what} {name} is another", what=what, name=name)
        if not was:
            words = Text("{what} {name} is new", what=what, name=name)
        elif not now:
            words = Text("{what} {name} is gone", what=what, name=name)
        yield Change(Topic.FLOWS, flow, "", words, was, now)


_SORTS: Final[Mapping[str, Text]] = MappingProxyType(
    {
        "": Text("variable"),
        CONSTANTS: Text("constant"),
        ENVIRONMENTS: Text("constant"),
        HOURS: Text("opening hours"),
        MILESTONES: Text("milestone"),
        BUDGET: Text("limit of a call"),
    }
)
