"""All prompts that are shipped, built once and listened to by measuring."""

from __future__ import annotations

from pathlib import Path

import pytest

from ivr_engine.adapters.voice.builder import HOLD_MUSIC, MUSIC_FOLDER, BuildResult, PromptBuilder
from ivr_engine.adapters.voice.report import PromptReport
from ivr_engine.adapters.voice.ulaw import PACKET
from ivr_engine.speech.catalogue import Catalogue
from ivr_engine.values.language import Language
from tests.adapters.voice.measure import active_level_dbfs, decoded, sox_stats

PROMPTS = Path(__file__).parents[3] / "prompts"
Built = tuple[Catalogue, Path, BuildResult]


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    catalogue = Catalogue.load(PROMPTS)
    out = tmp_path_factory.mktemp("audio")
    return catalogue, out, PromptBuilder(catalogue, PROMPTS, out).build()


def prompts_of(out: Path) -> list[Path]:
    return sorted(path for language in Language for path in (out / language).glob("*.ulaw"))


def test_every_prompt_of_every_language_is_built(built: Built) -> None:
    catalogue, out, result = built
    assert result.made == sum(len(catalogue.ids(language)) for language in Language) + 1
    found = PromptReport.make(catalogue, PROMPTS, out)
    assert found.missing_audio == found.orphaned_audio == found.orphaned_recordings == ()


def test_no_prompt_is_silent_or_clipped(built: Built) -> None:
    for path in prompts_of(built[1]):
        stats = sox_stats(path)
        assert -28 < stats["RMS lev dB"] < -17, path
        assert -12 < stats["Pk lev dB"] < -2.5, path


def test_all_prompts_are_within_three_decibels_of_each_other(built: Built) -> None:
    levels = {path: active_level_dbfs(decoded(path)) for path in prompts_of(built[1])}
    assert max(levels.values()) - min(levels.values()) < 3


def test_all_prompts_are_whole_packets_of_sensible_length(built: Built) -> None:
    catalogue, out, _ = built
    for path in prompts_of(out):
        assert path.stat().st_size % PACKET == 0
        seconds = path.stat().st_size / 8_000
        estimate = catalogue.lasts_ms(Language(path.parent.name), path.stem) / 1000
        assert 0.2 < seconds < 20
        assert estimate / 2.5 < seconds < estimate * 2.5, path


@pytest.mark.parametrize("language", Language)
def test_estimate_is_seldom_shorter_than_the_recording_never_by_more_than_a_tenth_and_not_far_longer(
    built: Built, language: Language
) -> None:
    """What the proofs promise about seconds stands on these estimates: they may be too long, hardly ever too short."""
    catalogue, out, _ = built
    recorded = {one: (out / language / f"{one}.ulaw").stat().st_size / 8 for one in catalogue.ids(language)}
    ratios = {one: catalogue.lasts_ms(language, one) / recorded[one] for one in recorded}
    too_short = {one: round(ratio, 2) for one, ratio in ratios.items() if ratio < 1}
    assert len(too_short) <= 4, too_short
    assert min(ratios.values()) >= 1 / 1.1, too_short
    assert sum(ratios.values()) / len(ratios) < 1.4
    assert sum(catalogue.lasts_ms(language, one) for one in recorded) < 1.3 * sum(recorded.values())


def test_no_two_prompts_of_a_language_sound_alike(built: Built) -> None:
    assert built[2].homophones == dict.fromkeys(Language, ())


def test_hold_music_is_built(built: Built) -> None:
    assert (built[1] / MUSIC_FOLDER / f"{HOLD_MUSIC}.ulaw").stat().st_size == 256_000


def test_second_build_keeps_everything(built: Built) -> None:
    catalogue, out, first = built
    again = PromptBuilder(catalogue, PROMPTS, out).build()
    assert (again.made, again.kept) == (0, first.made)
