"""Advice about what callers live through: nothing here keeps a flow from being called.

Knows the limits beyond which callers are known to give up, and the conventions of telephones: 0 is a human, a label
comes before its key. Must not know what kinds of steps do. A menu here is a step whose keys lead to different things;
what only confirms or picks is part of a task, and an entry asks for digits.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from math import inf
from types import MappingProxyType
from typing import Final

from ivr_engine.flow.findings import Place
from ivr_engine.flow.graphs import nearest, reached_from
from ivr_engine.flow.limits import Limits
from ivr_engine.flow.model import CompiledFlow, CompiledStep
from ivr_engine.flow.proof.humans import is_menu
from ivr_engine.flow.proof.offers import Offers
from ivr_engine.flow.scope import Prompts, World
from ivr_engine.flow.source import Source
from ivr_engine.flow.step import By
from ivr_engine.flow.uses import PROMPTS
from ivr_engine.flow.wording import Text
from ivr_engine.values.language import Language

_OWN_KEYS: Final = frozenset({"key 0", "key star", "key hash"})
"""Outcomes by keys of convention (a human, again or back, the end), which are no options."""
_KEY_BEFORE_LABEL: Final[Mapping[Language, re.Pattern[str]]] = MappingProxyType(
    {
        Language.ENGLISH: re.compile(r"\bpress (?:\w+) (?:for|to) (?!hear this again)", re.IGNORECASE),
        Language.MANDARIN: re.compile(r"按[零一二三四五六七八九](?:键)?(?:查|办|转|听取|咨询)"),
        Language.CANTONESE: re.compile(r"按[零一二三四五六七八九](?:字)?(?:查|辦|轉|聽取|諮詢)"),
    }
)


_IN_WRITING: Final = frozenset({"sms", "email", "fax"})
"""Words of steps after which a caller has in writing what they have heard; a pager holds too little."""
_QUESTIONS_BEFORE_WRITING: Final = 1
"""Questions between what is read out and its message: further away it is another matter's."""

_Spot = tuple[str, str]
"""A flow and a step of it."""


@dataclass(frozen=True, slots=True)
class Advice:
    """One piece of advice about a step."""

    code: str
    step: CompiledStep
    message: Text
    mend: Text


def advise(flows: Mapping[str, CompiledFlow], sources: Mapping[str, Source], world: World) -> None:
    """Note advice in the sources of flows that are proved; codes begin with W."""
    for flow in flows.values():
        given = [*_of_menus(flow, world), *_asked_twice(flow)]
        for advice in given:
            sources[flow.name].advise(advice.code, advice.step.place, advice.message, advice.mend)
    for name, advice in _only_heard(flows) if world.limits.written_results else ():
        sources[name].advise(advice.code, advice.step.place, advice.message, advice.mend)
    first = flows.get(world.first_flow)
    if first is not None:
        for name, advice in (*_key_0(flows, first), *_far_tasks(flows, first, world.limits)):
            sources[name].advise(advice.code, advice.step.place, advice.message, advice.mend)


def _is_crossroads(step: CompiledStep) -> bool:
    """Say whether a step's keys lead to different things, rather than confirming or picking one."""
    return is_menu(step) and not any(way.writes or way.confirms for way in step.ways)


def _of_menus(flow: CompiledFlow, world: World) -> Iterator[Advice]:
    limits = world.limits
    for step in flow.steps.values():
        if not _is_crossroads(step):
            continue
        count = sum(way.by is By.CALLER and way.outcome not in _OWN_KEYS for way in step.ways)
        if count > limits.options:
            message = Text(
                "menu '{step}' has {count} options; callers keep {limit} in mind",
                step=step.name,
                count=count,
                limit=limits.options,
            )
            yield Advice("W901", step, message, Text("put those that few want behind one key"))
        if step.heard_ms > limits.menu_s * 1000:
            seconds = step.heard_ms // 1000
            message = Text("menu '{step}' speaks for {seconds} s", step=step.name, seconds=seconds)
            yield Advice("W902", step, message, Text("say what most want first, and shorten the rest"))
        yield from _keys_before_labels(flow, step, world.prompts)


def _key_0(flows: Mapping[str, CompiledFlow], first: CompiledFlow) -> Iterator[tuple[str, Advice]]:
    """Find menus whose key 0 leads to something else, in any place where their flow is run."""
    offers = Offers(flows)
    todo: list[tuple[CompiledFlow, frozenset[str]]] = [(first, frozenset())]
    seen: set[tuple[str, frozenset[str]]] = set()
    told: set[Place] = set()
    while todo:
        flow, after = todo.pop()
        if (flow.name, after) in seen:
            continue
        seen.add((flow.name, after))
        rescued = offers.rescued(flow.name, after)
        for step in flow.steps.values():
            if step.secures is not None:  # whatever its outcome, the caller goes back to a human
                todo.append((flows[step.secures], frozenset(flows[step.secures].interface.outcomes)))
            if step.runs is not None:
                inner = frozenset(outcome for outcome, target in step.arms.items() if target in rescued)
                if step.stays:  # to wait on is to get to a human
                    inner |= frozenset(flows[step.runs].interface.outcomes) - step.from_flow
                todo.append((flows[step.runs], inner))
            elif step.hands_over_to is not None:
                todo.append((flows[step.hands_over_to], frozenset()))
            elif is_menu(step) and step.place not in told and "key 0" in step.arms.keys() - _rescuing(step, rescued):
                told.add(step.place)
                message = Text("key 0 of menu '{step}' does not lead to a human", step=step.name)
                mend = Text("callers know 0 as the way to a human: give that option another key")
                yield flow.name, Advice("W904", step, message, mend)


def _rescuing(step: CompiledStep, rescued: frozenset[str]) -> set[str]:
    return {outcome for outcome, target in step.arms.items() if target in rescued}


def _keys_before_labels(flow: CompiledFlow, step: CompiledStep, prompts: Prompts) -> Iterator[Advice]:
    for use in sorted(use for use in step.uses if use.sort == PROMPTS):
        for language in flow.languages:
            if prompts.has(language, use.name) and _KEY_BEFORE_LABEL[language].search(prompts.text(language, use.name)):
                message = Text(
                    "prompt '{prompt}' names the key before what it is for ({language})",
                    prompt=use.name,
                    language=language.value,
                )
                yield Advice(
                    "W903", step, message, Text("write 'For your balance, press 1': who hears it keeps the key in mind")
                )


def _asked_twice(flow: CompiledFlow) -> Iterator[Advice]:
    """Find entries with the same prompts, one after the other on a path: a caller is asked for what they have given."""
    entries = [step for step in flow.steps.values() if step.asks and not is_menu(step)]
    for step in entries:
        after = [step.arms[way.outcome] for way in step.ways if way.by is By.CALLER]
        reached: set[str] = set()
        for target in after:
            reached |= reached_from(target, lambda name: flow.steps[name].arms.values())
        for other in entries:
            if other is not step and other.name in reached and _prompts(other) == _prompts(step):
                message = Text(
                    "step '{step}' asks again what step '{before}' has asked", step=other.name, before=step.name
                )
                yield Advice(
                    "W906", other, message, Text("keep what was typed in a variable, and read it back if in doubt")
                )


def _only_heard(flows: Mapping[str, CompiledFlow]) -> Iterator[tuple[str, Advice]]:
    """Find steps that read out something personal where no message of it is offered with at most one question."""
    run_by: dict[str, list[_Spot]] = {}
    for flow in flows.values():
        for step in flow.steps.values():
            if step.runs is not None:
                run_by.setdefault(step.runs, []).append((flow.name, step.name))
    for flow in flows.values():
        for step in flow.steps.values():
            if step.tells and not _asks(step) and not _is_offered_in_writing(flows, run_by, (flow.name, step.name)):
                names = ", ".join(sorted(step.tells))
                message = Text(
                    "what step '{step}' reads out ({names}) is not offered in writing", step=step.name, names=names
                )
                mend = Text("let a menu that follows lead to an `sms`, `email` or `fax` step")
                yield flow.name, Advice("W907", step, message, mend)


def _asks(step: CompiledStep) -> bool:
    """Say whether a step is a question, whatever it is answered with."""
    return step.asks or any(way.by in (By.SILENCE, By.MISTAKE) for way in step.ways)


def _is_offered_in_writing(
    flows: Mapping[str, CompiledFlow], run_by: Mapping[str, Iterable[_Spot]], spot: _Spot
) -> bool:
    """Follow every path from a step, through flows that are run and back to those that run this one."""
    questions: dict[_Spot, int] = {}
    todo = [(spot, 0)]
    while todo:
        here, asked = todo.pop()
        if asked > _QUESTIONS_BEFORE_WRITING or questions.get(here, _QUESTIONS_BEFORE_WRITING + 1) <= asked:
            continue
        questions[here] = asked
        flow, step = flows[here[0]], flows[here[0]].steps[here[1]]
        if here != spot and step.word in _IN_WRITING:
            return True
        after = asked + _asks(step)
        if step.returns is not None:
            arms = [(name, flows[name].steps[at].arms) for name, at in run_by.get(flow.name, ())]
            # A step that stays has no arm for the outcome after which its caller waits on.
            todo.extend(((name, led[step.returns]), after) for name, led in arms if step.returns in led)
        elif step.runs is not None or step.hands_over_to is not None:
            inner = flows[str(step.runs or step.hands_over_to)]
            todo.append(((inner.name, inner.start), after))
        else:
            todo.extend(((flow.name, target), after) for target in step.arms.values())
    return False


def _prompts(step: CompiledStep) -> frozenset[str]:
    return frozenset(use.name for use in step.uses if use.sort == PROMPTS)


def _far_tasks(flows: Mapping[str, CompiledFlow], first: CompiledFlow, limits: Limits) -> Iterator[tuple[str, Advice]]:
    """Find what the bank is asked only after more menus than callers follow, by the shortest way over all flows."""
    menus = _Menus(flows)
    for flow, before in menus.before(first).items():
        for name, cost in menus.within(flow).items():
            step = flows[flow].steps[name]
            asks_bank = step.longest_ms > 0 and any(way.by is By.WORLD for way in step.ways) and not step.rescues
            if asks_bank and before + cost > limits.menus:
                message = Text(
                    "step '{step}' comes after {count} menus; callers follow {limit}",
                    step=name,
                    count=int(before + cost),
                    limit=limits.menus,
                )
                yield flow, Advice("W905", step, message, Text("lead to it from an earlier menu"))


class _Menus:
    """Counts menus on the shortest ways."""

    def __init__(self, flows: Mapping[str, CompiledFlow]) -> None:
        self._flows = flows
        self.within = cache(self._within)

    def before(self, first: CompiledFlow) -> dict[str, float]:
        """Return how many menus come before each flow that is reached."""
        found: dict[str, float] = {}
        todo: list[tuple[str, float]] = [(first.name, 0)]
        while todo:
            name, menus = todo.pop()
            if found.get(name, inf) <= menus:
                continue
            found[name] = menus
            for step, cost in self.within(name).items():
                here = self._flows[name].steps[step]
                todo.extend((other, menus + cost) for other in (here.runs, here.hands_over_to) if other is not None)
        return found

    def _within(self, name: str) -> dict[str, float]:
        flow = self._flows[name]
        return nearest(flow.start, lambda step: self._edges(flow.steps[step]))

    def _edges(self, step: CompiledStep) -> Iterator[tuple[str, float]]:
        for outcome, target in step.arms.items():
            if outcome not in step.from_flow:
                yield target, 1 if _is_crossroads(step) else 0
        if step.runs is None:
            return
        inner = self._flows[step.runs].steps
        for name, menus in self.within(step.runs).items():
            returns = inner[name].returns
            if returns is not None and returns in step.from_flow:
                yield step.arms[returns], menus
