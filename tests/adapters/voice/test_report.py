"""What `ivr prompts` tells an operator."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest

from ivr_engine.adapters.voice.builder import PromptBuilder
from ivr_engine.adapters.voice.report import PromptReport
from ivr_engine.speech.catalogue import Catalogue, PromptText, spoken_ms
from ivr_engine.values.language import Language

ENGLISH = (Language.ENGLISH,)
CATALOGUE = Catalogue(
    {
        Language.ENGLISH: {
            "welcome": PromptText("Welcome, caller.", "Greeting", "smile", "en.yaml", 2),
            "number_1": PromptText("one", "Numbers", "", "en.yaml", 5),
            "number_2": PromptText("two", "Numbers", "", "en.yaml", 6),
        },
        Language.MANDARIN: {},
        Language.CANTONESE: {},
    }
)


def report(root: Path, used: frozenset[str] | None = None) -> PromptReport:
    return PromptReport.make(CATALOGUE, root / "prompts", root / "out", used=used, languages=ENGLISH)


@pytest.fixture
def built(tmp_path: Path) -> Path:
    PromptBuilder(CATALOGUE, tmp_path / "prompts", tmp_path / "out").build(ENGLISH)
    return tmp_path


def test_before_a_build_all_audio_is_missing_and_lengths_are_estimates(tmp_path: Path) -> None:
    found = report(tmp_path)
    assert found.missing_audio == ("en/number_1", "en/number_2", "en/welcome")
    assert not any(line.measured for line in found.script)
    assert [line.seconds for line in found.script] == [
        round(CATALOGUE.lasts_ms(Language.ENGLISH, one) / 1000, 1) for one in ("welcome", "number_1", "number_2")
    ]
    text = found.as_text()
    assert f"  welcome                        ~{found.script[0].seconds} s  Welcome, caller.  (smile)" in text
    total = sum(line.seconds for line in found.script)
    assert text.startswith(f"en: 3 prompts, about {total:.0f} s, 3 of them estimated (~)\n")


def test_after_a_build_nothing_is_missing_and_lengths_are_measured(built: Path) -> None:
    found = report(built)
    assert found.missing_audio == found.orphaned_audio == found.orphaned_recordings == ()
    assert all(line.measured for line in found.script)


def test_audio_and_recordings_without_a_text_are_listed(built: Path) -> None:
    (built / "out" / "en" / "old.ulaw").write_bytes(b"")
    recordings = built / "prompts" / "recordings" / "en"
    recordings.mkdir(parents=True)
    (recordings / "welcom.wav").write_bytes(b"")
    (recordings / "welcome.wav").write_bytes(b"")
    found = report(built)
    assert found.orphaned_audio == ("en/old",)
    assert found.orphaned_recordings == ("en/welcom",)
    assert {line.id: line.recorded for line in found.script} == {"welcome": True, "number_1": False, "number_2": False}


def test_text_that_no_flow_uses_is_listed_but_never_a_read_out(built: Path) -> None:
    assert report(built).unused_texts == ()
    assert report(built, used=frozenset({"welcome"})).unused_texts == ()
    assert report(built, used=frozenset()).unused_texts == ("en/welcome",)


def test_prompts_that_nothing_uses_are_listed_alone_with_their_seconds(built: Path) -> None:
    found = report(built, used=frozenset()).only_unused()
    assert [line.id for line in found.script] == ["welcome"]
    text = found.as_text()
    assert text.startswith("en: 1 prompt, about ")
    assert "estimated" not in text
    assert text.endswith("Texts that nothing uses:\n  en/welcome\n")


def test_seconds_are_summed_for_each_language_and_for_all(built: Path) -> None:
    (built / "out" / "en" / "number_2.ulaw").unlink()
    seconds = json.loads(report(built).as_json())["seconds"]
    assert seconds == {"all": seconds["en"], "en": pytest.approx(sum(line.seconds for line in report(built).script))}


def test_script_reads_like_the_prompt_file(built: Path) -> None:
    (built / "out" / "en" / "number_2.ulaw").unlink()
    text = report(built).as_text()
    lines = text.splitlines()
    assert lines[0].startswith("en: 3 prompts, about ")
    assert "  # Greeting" in lines
    assert lines.count("  # Numbers") == 1
    assert any(
        line.split()[0] == "welcome" and line.endswith(" s  Welcome, caller.  (smile)")
        for line in lines
        if line.strip()
    )
    assert text.endswith("Without audio (build them):\n  en/number_2\n")


def test_script_opens_in_a_spreadsheet(built: Path) -> None:
    rows = list(csv.DictReader(io.StringIO(report(built).as_csv())))
    assert [row["id"] for row in rows] == ["welcome", "number_1", "number_2"]
    assert rows[0]["text"] == "Welcome, caller."
    assert (rows[0]["group"], rows[0]["remark"]) == ("Greeting", "smile")


def test_report_is_json_for_other_programs(built: Path) -> None:
    found = json.loads(report(built).as_json())
    assert found["script"][0]["language"] == "en"
    assert found["homophones"] == {"en": []}


@pytest.mark.parametrize(
    ("language", "text", "least", "most"),
    [
        (Language.ENGLISH, "Thank you for calling.", 1000, 2200),
        (Language.ENGLISH, "Press 3.", 800, 1500),
        (Language.CANTONESE, "多謝你嘅來電。", 1000, 2200),
        (Language.MANDARIN, "一", 250, 500),
    ],
)
def test_estimate_is_near_the_truth(language: Language, text: str, least: int, most: int) -> None:
    assert least <= spoken_ms(language, text) <= most
