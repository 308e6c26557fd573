"""The proofs agree with walking through every configuration of random hotlines."""

from __future__ import annotations

import heapq
from collections.abc import Mapping
from math import inf

from hypothesis import given, settings
from hypothesis import strategies as st

from ivr_engine.flow.graphs import strong_parts
from ivr_engine.flow.limits import Limits
from ivr_engine.flow.model import CompiledFlow
from ivr_engine.flow.operations import Level
from ivr_engine.flow.proof.endless import check_circles
from ivr_engine.flow.proof.exploring import Explorer
from ivr_engine.flow.proof.humans import Keys, is_menu, presses
from ivr_engine.flow.proof.levels import check_levels
from ivr_engine.flow.proof.offers import Offers
from ivr_engine.flow.proof.silence import check_silence
from ivr_engine.flow.source import Source
from ivr_engine.flow.step import By
from tests.flow.proof.hotlines import Configuration, Walk, hotlines

Hotline = Mapping[str, CompiledFlow]
THOROUGH = settings(max_examples=120)
ANY = st.one_of(hotlines(), hotlines(waits=True))
"""Every second one begins with a caller who waits, which is rare otherwise."""


def sources_of(flows: Hotline) -> dict[str, Source]:
    return {name: Source(f"{name}.yaml", []) for name in flows}


def run_flows(flows: Hotline) -> set[str]:
    """Return the flows that the first one gets to, itself included."""
    walk = Walk(flows).from_start("f0")
    return {flow for stack, _ in walk.moves for flow, _ in stack}


@THOROUGH
@given(ANY)
def test_states_that_are_reached_are_those_that_walking_reaches(flows: Hotline) -> None:
    walked = {(*stack[-1], level) for stack, level in Walk(flows).from_start("f0").moves}
    explorer = Explorer({name: flows[name] for name in run_flows(flows)}, "f0")
    explored = {
        (visit.flow.name, step.name, level) for visit in explorer.visits.values() for step, level in visit.states()
    }
    assert explored == walked


@THOROUGH
@given(ANY)
def test_step_is_refused_just_when_walking_gets_to_it_below_the_level_that_it_needs(flows: Hotline) -> None:
    met = run_flows(flows)
    sources = sources_of(flows)
    check_levels(Explorer({name: flows[name] for name in met}, "f0"), sources)
    told = {(finding.place.file, finding.place.line) for source in sources.values() for finding in source.findings}
    walk = Walk(flows).from_start("f0")
    low = {
        (walk.at(place).place.file, walk.at(place).place.line)
        for place in walk.moves
        if place[1] < walk.at(place).needs
    }
    assert told == low


def circles(flows: Hotline) -> bool:
    """Say whether a caller who does nothing on purpose can come back to where they were."""
    walk = Walk(flows).from_start("f0")
    names = {configuration: str(number) for number, configuration in enumerate(walk.moves)}
    edges = {
        names[before]: [names[after] for way, after in moves if way is None or way.by is not By.CALLER]
        for before, moves in walk.moves.items()
    }
    return any(len(part) > 1 or part[0] in edges[part[0]] for part in strong_parts(edges))


@THOROUGH
@given(ANY)
def test_circle_is_told_wherever_walking_goes_round(flows: Hotline) -> None:
    sources = sources_of(flows)
    told = check_circles(Explorer(flows, "f0"), sources)
    assert told or not circles(flows)


@THOROUGH
@given(ANY)
def test_no_circle_is_told_where_all_is_reached_and_levels_play_no_part_and_walking_does_not_go_round(
    flows: Hotline,
) -> None:
    walk = Walk(flows).from_start("f0")
    reached = {place for stack, _ in walk.moves for place in stack}
    everything = {(name, step) for name, flow in flows.items() for step in flow.steps}
    decides_by_level = any(way.at_least for flow in flows.values() for step in flow.steps.values() for way in step.ways)
    if reached == everything and not decides_by_level and not circles(flows):
        assert not check_circles(Explorer(flows, "f0"), sources_of(flows))


def keys_by_walking(walk: Walk) -> dict[tuple[str, str], float]:
    """Return, for each menu, the greatest of the fewest keys to a human over all configurations in which it stands."""
    farthest: dict[tuple[str, str], float] = {}
    for start in walk.moves:
        standing = walk.at(start)
        below = [walk.flows[flow].steps[name] for flow, name in start[0][:-1]]
        waits = any(step.stays or step.secures for step in below)
        if not waits and standing.runs is None and standing.ways and is_asked(walk, start):
            away = _fewest_keys(walk, start)
            where = start[0][-1]
            farthest[where] = max(away, farthest.get(where, -inf))
    return farthest


def is_asked(walk: Walk, place: Configuration) -> bool:
    standing = walk.at(place)
    return standing.asks and is_menu(standing)


def _fewest_keys(walk: Walk, start: Configuration) -> float:
    todo: list[tuple[float, int, Configuration]] = [(0, 0, start)]
    seen: set[Configuration] = set()
    count = 0
    while todo:
        away, _, place = heapq.heappop(todo)
        if walk.at(place).rescues:
            return away
        if place in seen:
            continue
        seen.add(place)
        for way, after in walk.moves[place]:
            if way is None or way.by not in (By.SILENCE, By.MISTAKE):
                count += 1
                heapq.heappush(todo, (away + (presses(way) if way is not None else 0), count, after))
    return inf


@THOROUGH
@given(ANY)
def test_keys_to_a_human_are_as_many_as_walking_needs(flows: Hotline) -> None:
    keys = Keys(Explorer(flows, "f0"))
    keys.look_from(["f0"])
    walked = keys_by_walking(Walk(flows).from_start("f0"))
    counted = {(flow, step): away for (_, step), (flow, away) in keys.farthest.items()}
    for where, away in walked.items():
        assert counted[where] == away


@THOROUGH
@given(ANY)
def test_time_until_a_human_is_offered_is_never_less_than_a_walk_takes(flows: Hotline) -> None:
    offers = Offers(flows)
    slowest = offers.slowest("f0", frozenset())
    if offers.circles:
        return
    assert (slowest.offered_ms or 0) >= _slowest_walk(Walk(flows).from_start("f0"))


def _slowest_walk(walk: Walk) -> int:
    """Return the longest time to a first offer, by looking at every path (there are no circles without an offer)."""

    def rescued(place: Configuration, seen: frozenset[Configuration]) -> bool:
        if walk.at(place).rescues:
            return True
        if walk.at(place).asks or place in seen:
            return False
        return any(rescued(after, seen | {place}) for _, after in walk.moves[place])

    def offered(place: Configuration) -> bool:
        return any(
            way is not None
            and (way.by is By.SILENCE or (way.by is By.CALLER and way.presses <= 1))
            and rescued(after, frozenset())
            for way, after in walk.moves[place]
        )

    def longest(place: Configuration) -> int:
        standing = walk.at(place)
        if standing.rescues:
            return 0
        if standing.asks and offered(place):
            return standing.heard_ms
        took_ms = 0 if standing.runs or standing.returns or standing.hands_over_to else standing.longest_ms
        rest = [longest(after) for _, after in walk.moves[place]]
        known = [ms for ms in rest if ms >= 0]
        return took_ms + max(known) if known else -1

    (start,) = [place for place in walk.moves if len(place[0]) == 1][:1]
    return longest(start)


@given(ANY, st.integers(0, 20))
def test_proofs_never_fail_on_any_hotline(flows: Hotline, limit: int) -> None:
    sources = sources_of(flows)
    explorer = Explorer(flows, "f0")
    if not check_circles(explorer, sources):
        check_silence(explorer, sources, Limits(silence_s=limit))
    assert all(level in Level for _, level in explorer.visits)
