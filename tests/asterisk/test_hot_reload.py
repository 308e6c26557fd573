"""A flow file is edited while calls are live."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from ivr_engine.app.settings import PROJECT
from ivr_engine.testcaller.caller import Caller
from ivr_engine.testcaller.phone import Phone
from ivr_engine.testcaller.recordings import PromptName, Recordings
from ivr_engine.values.language import Language
from tests.asterisk.hotline import RunningHotline, running_hotline
from tests.waiting import until

pytestmark = pytest.mark.asterisk

TAKEN_WITHIN_S = 5.0
GREETING = "say: welcome"
OTHER_GREETING = "say: system_busy"


@pytest.fixture(scope="module")
def flows(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return Path(shutil.copytree(PROJECT / "flows", tmp_path_factory.mktemp("edited") / "flows"))


@pytest.fixture(scope="module")
def hotline(flows: Path) -> Iterator[RunningHotline]:
    with running_hotline(flows_dir=str(flows)) as running:
        yield running


@pytest.fixture(scope="module")
def voices(hotline: RunningHotline) -> Recordings:
    return Recordings.load(hotline.sounds)


@pytest.fixture(autouse=True)
async def _as_it_was(flows: Path, hotline: RunningHotline) -> None:
    """Begin with the project's own flows."""
    taken_before = hotline.log.count("flows_changed")
    write(flows, (PROJECT / "flows" / "hotline.yaml").read_text())
    await until(lambda: hotline.log.count("flows_changed") > taken_before, "it is taken", within_s=TAKEN_WITHIN_S)


async def test_a_changed_flow_is_used_by_the_next_call_and_not_by_a_live_one(
    flows: Path, hotline: RunningHotline, voices: Recordings
) -> None:
    async with Phone.at(hotline.target, voices) as phone, phone.dial(hotline.number) as live:
        await live.hear_beginning(mandarin("welcome"))
        await live.press("1")
        await live.hear_beginning(mandarin("main_menu"), others=True)
        await change(flows, hotline, GREETING, OTHER_GREETING)
        await change(flows, hotline, "star: main_menu", "star: greet")
        async with phone.dial(hotline.number) as later:
            await later.hear_beginning(mandarin("system_busy"))
            await into_main_menu(later)
            await later.press("*")
            await later.hear_beginning(mandarin("system_busy"), others=True)
        await live.press("*")
        await live.hear_beginning(mandarin("main_menu"), after_ms=200, others=True)


async def test_a_broken_flow_never_replaces_the_good_one_and_is_told_once_with_its_place(
    flows: Path, hotline: RunningHotline, voices: Recordings
) -> None:
    good = (flows / "hotline.yaml").read_text()
    line = 1 + good[: good.index("then: ask_language")].count("\n")
    told_before = hotline.log.count("flows_refused")
    write(flows, good.replace("then: ask_language", "then: ask_langage"))
    await until(lambda: hotline.metric("ivr_flow_findings") > 0, "a finding", within_s=TAKEN_WITHIN_S)
    place = f"{flows / 'hotline.yaml'}:{line}:"
    assert place in hotline.log
    async with Phone.at(hotline.target, voices) as phone, phone.dial(hotline.number) as caller:
        await caller.hear(mandarin("welcome"))
        await caller.hear_beginning(mandarin("choose_language"))
    assert hotline.log.count("flows_refused") == told_before + 1, "the same finding is told once"

    # Back to what it was before: there is nothing new to take, but nothing is wrong any more.
    write(flows, good)
    await until(lambda: hotline.metric("ivr_flow_findings") == 0, "it is mended", within_s=TAKEN_WITHIN_S)


async def test_a_flow_that_was_broken_and_is_mended_is_taken(
    flows: Path, hotline: RunningHotline, voices: Recordings
) -> None:
    good = (flows / "hotline.yaml").read_text()
    write(flows, good.replace(GREETING, "say: welcom"))
    await until(lambda: hotline.metric("ivr_flow_findings") > 0, "a finding", within_s=TAKEN_WITHIN_S)
    write(flows, good.replace(GREETING, OTHER_GREETING))
    await until(lambda: hotline.metric("ivr_flow_findings") == 0, "it is mended", within_s=TAKEN_WITHIN_S)
    async with Phone.at(hotline.target, voices) as phone, phone.dial(hotline.number) as caller:
        await caller.hear_beginning(mandarin("system_busy"))


async def test_a_flow_that_is_taken_away_while_another_runs_it_is_a_finding_and_calls_go_on(
    flows: Path, hotline: RunningHotline, voices: Recordings
) -> None:
    away = flows / "library" / "language.yaml"
    kept = away.read_text()
    away.unlink()
    try:
        await until(lambda: hotline.metric("ivr_flow_findings") > 0, "a finding", within_s=TAKEN_WITHIN_S)
        async with Phone.at(hotline.target, voices) as phone, phone.dial(hotline.number) as caller:
            await caller.hear(mandarin("welcome"))
            await caller.hear_beginning(mandarin("choose_language"))
    finally:
        away.write_text(kept)


def mandarin(prompt: str) -> PromptName:
    return PromptName(Language.MANDARIN, prompt)


async def into_main_menu(caller: Caller) -> None:
    await caller.press("1")
    await caller.hear_beginning(mandarin("main_menu"), others=True)


def write(flows: Path, text: str) -> None:
    """Replace the file as editors do, whole at one moment."""
    new = flows / "hotline.new"
    new.write_text(text)
    new.replace(flows / "hotline.yaml")


async def change(flows: Path, hotline: RunningHotline, old: str, new: str) -> None:
    """Edit the flow and wait until the hotline has taken it."""
    text = (flows / "hotline.yaml").read_text()
    assert old in text
    taken_before = hotline.log.count("flows_changed")
    write(flows, text.replace(old, new))
    await until(lambda: hotline.log.count("flows_changed") > taken_before, "it is taken", within_s=TAKEN_WITHIN_S)
