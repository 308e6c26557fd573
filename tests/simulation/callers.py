"""Synthetic callers: what people do to a hotline, drawn at random, and shrunk by Hypothesis to the shortest.

Each persona takes a road through the shipped hotline, by the keys that a patient caller would press, and walks it as
such people do. A road that leads nowhere any more is as good as any: the promises hold for whatever is pressed.
"""

from __future__ import annotations

import pathlib
from collections.abc import Sequence
from itertools import chain
from typing import Final

from hypothesis import strategies as st

from ivr_engine.simulator.line import Deed, HangUp, HearOut, Press, Speak
from tests.flow.calls import Story
from tests.flow.world import PROJECT

FOUND: Final = PROJECT / "flows" / "tests"
KEYS: Final = "0123456789*#"
NUMBER: Final = "620001#"
PIN: Final = "246810"
AMOUNT: Final = "100#"
ROADS: Final = (
    ("3", "1", NUMBER, PIN, "1", "1", "9", "0"),
    ("1", "2", NUMBER, PIN, "1", "0"),
    ("2", "3", NUMBER, PIN, "1", "2", AMOUNT, "1", "1", "1", "9"),
    ("3", "3", NUMBER, PIN, "1", "3", AMOUNT, "2"),
    ("1", "3", NUMBER, PIN, "2", "1", "0*01#", "1"),
)
"""Balance, movements, and transfers that are confirmed, declined and very small."""


def patient(parts: Sequence[str]) -> list[Deed]:
    """Press each part when the words before it have been heard out."""
    return list(chain.from_iterable((HearOut(), Press(part)) for part in parts))


@st.composite
def experts(draw: st.DrawFn) -> list[Deed]:
    """Know the way and type it ahead, as fast as a telephone takes keys."""
    road = draw(st.sampled_from(ROADS))
    split = draw(st.integers(0, len(road)))
    ahead = Press("".join(road[:split]) or "0", draw(st.integers(0, 4000)), draw(st.sampled_from([90, 160, 400])))
    return [ahead, *patient(road[split:])]


@st.composite
def slow(draw: st.DrawFn) -> list[Deed]:
    """Take long for each key, and sometimes too long."""
    road = draw(st.sampled_from(ROADS))
    return [
        deed
        for part in road
        for deed in (HearOut(), Press(part, draw(st.integers(0, 9000)), draw(st.integers(200, 7000))))
    ]


@st.composite
def silent(draw: st.DrawFn) -> list[Deed]:
    """Say nothing from some point on."""
    road = draw(st.sampled_from(ROADS))
    return patient(road[: draw(st.integers(0, len(road)))])


@st.composite
def erring(draw: st.DrawFn) -> list[Deed]:
    """Press anything at all, at any time."""
    presses = st.builds(
        Press, st.text(KEYS, min_size=1, max_size=8), st.integers(0, 12_000), st.sampled_from([60, 100, 500])
    )
    return draw(st.lists(st.one_of(presses, st.just(HearOut())), max_size=20))


@st.composite
def on_a_bad_line(draw: st.DrawFn) -> list[Deed]:
    """Walk a road on a line that loses digits and doubles others."""
    deeds: list[Deed] = []
    for part in draw(st.sampled_from(ROADS)):
        keys = "".join(key * draw(st.sampled_from([1, 1, 1, 1, 0, 2])) for key in part)
        deeds += [HearOut(), *([Press(keys)] if keys else [])]
    return deeds


@st.composite
def guessing(draw: st.DrawFn) -> list[Deed]:
    """Try PINs until somebody stops them, in the same call."""
    pins = draw(st.lists(st.text("0123456789", min_size=6, max_size=6), min_size=1, max_size=8))
    return patient(["3", "1", *chain.from_iterable((NUMBER, pin) for pin in pins)])


@st.composite
def stories(draw: st.DrawFn) -> Story:
    """Draw a caller of any kind, who may hang up at any moment."""
    deeds = draw(st.one_of(experts(), slow(), silent(), erring(), on_a_bad_line(), guessing()))
    leaves_at_s = draw(st.one_of(st.just(float("inf")), st.floats(0, 240, allow_nan=False)))
    return Story(deeds, leaves_at_s=leaves_at_s)


def as_test(story: Story, title: str) -> str:
    """Return a story as a test of flows, so that what was found once is asked for ever."""
    lines = ["ivr_test: 1", f"title: {title}", "language: en", "given: {customer: sample}", "steps:"]
    for deed in story.deeds:
        if isinstance(deed, HearOut):
            lines.append("  - wait: 12 s")
        elif isinstance(deed, HangUp):
            lines.append("  - hang up")
        elif isinstance(deed, Speak):
            lines.append(f"  - speak: {deed.for_ms} ms")
        else:
            if deed.after_ms:
                lines.append(f"  - wait: {deed.after_ms} ms")
            for place, keys in enumerate(deed.keys.split(PIN)):
                lines += ["  - type: pin"] if place else []
                lines += [f'  - {{press: "{keys}", every: {deed.every_ms} ms}}'] if keys else []
    if story.leaves_at_s < float("inf"):
        lines.append("  - hang up")
    return "\n".join([*lines, "expect: {}", ""])


def keep(story: Story, title: str) -> pathlib.Path:
    """Write a story that broke a promise beside the hotline's own tests; the last one written is the shortest."""
    path = FOUND / "found_by_synthetic_callers.test.yaml"
    path.write_text(as_test(story, title), encoding="utf-8")
    return path
