"""What is built anew and what is kept; a bank's recording wins; failures name the prompt."""

from __future__ import annotations

import json
import threading
from pathlib import Path

import pytest

from ivr_engine.adapters.voice.builder import HOLD_MUSIC, MUSIC_FOLDER, Progress, PromptBuilder
from ivr_engine.adapters.voice.commands import EspeakVoice, VoiceError
from ivr_engine.adapters.voice.index import read_index
from ivr_engine.adapters.voice.ulaw import PACKET, SILENCE
from ivr_engine.speech.catalogue import Catalogue, PromptText
from ivr_engine.values.language import Language
from tests.adapters.voice.measure import decoded, tone
from tests.adapters.voice.wav import wav

ENGLISH = (Language.ENGLISH,)


def catalogue(**texts: str) -> Catalogue:
    prompts = {one: PromptText(text, "", "", "en.yaml", 1) for one, text in texts.items()}
    return Catalogue({Language.ENGLISH: prompts, Language.MANDARIN: {}, Language.CANTONESE: {}})


class CountingVoice:
    """The real voice, and what it was asked to say."""

    def __init__(self, words_per_minute: int = 160) -> None:
        self._voice = EspeakVoice(words_per_minute=words_per_minute)
        self._lock = threading.Lock()
        self.said: list[str] = []

    def fingerprint(self, language: Language) -> str:
        return self._voice.fingerprint(language)

    def speak(self, language: Language, text: str) -> bytes:
        with self._lock:
            self.said.append(text)
        return self._voice.speak(language, text)


class Folders:
    """The two folders of a build, and building."""

    def __init__(self, root: Path) -> None:
        self.prompts = root / "prompts"
        self.out = root / "out"

    def build(self, texts: Catalogue, voice: CountingVoice | None = None) -> list[str]:
        """Build English and return what was said for it, sorted."""
        voice = voice or CountingVoice()
        PromptBuilder(texts, self.prompts, self.out, voice=voice).build(ENGLISH)
        return sorted(voice.said)

    def audio(self, identifier: str) -> bytes:
        return (self.out / "en" / f"{identifier}.ulaw").read_bytes()

    def record(self, identifier: str, content: bytes) -> None:
        path = self.prompts / "recordings" / "en" / f"{identifier}.wav"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


@pytest.fixture
def folders(tmp_path: Path) -> Folders:
    return Folders(tmp_path)


def test_second_build_makes_nothing(folders: Folders) -> None:
    texts = catalogue(one="one", two="two")
    assert folders.build(texts) == ["one", "two"]
    assert folders.build(texts) == []


def test_only_what_changed_is_built_anew(folders: Folders) -> None:
    folders.build(catalogue(one="one", two="two"))
    before = folders.audio("one")
    assert folders.build(catalogue(one="one!", two="two", three="three")) == ["one!", "three"]
    assert folders.audio("one") != before


def test_other_speed_of_the_voice_builds_everything_anew(folders: Folders) -> None:
    folders.build(catalogue(one="one"))
    assert folders.build(catalogue(one="one"), CountingVoice(words_per_minute=120)) == ["one"]


def test_other_pronunciation_builds_its_prompts_anew(folders: Folders) -> None:
    texts = catalogue(bank="our bank", two="two")
    folders.build(texts)
    folders.prompts.mkdir()
    (folders.prompts / "pronunciation.yaml").write_text("en:\n  bank: baank\n", encoding="utf-8")
    assert folders.build(texts) == ["our baank"]


@pytest.mark.parametrize("harm", ["missing", "cut"])
def test_lost_or_cut_audio_is_built_anew(folders: Folders, harm: str) -> None:
    folders.build(catalogue(one="one"))
    path = folders.out / "en" / "one.ulaw"
    good = path.read_bytes()
    if harm == "missing":
        path.unlink()
    else:
        path.write_bytes(good[:PACKET])
    assert folders.build(catalogue(one="one")) == ["one"]
    assert path.read_bytes() == good


@pytest.mark.parametrize("content", ["", "{", "[]", '{"form": 0}', '{"form": 1, "audio": {"en": {"one": {"x": 1}}}}'])
def test_unreadable_index_means_building_anew(folders: Folders, content: str) -> None:
    folders.out.mkdir()
    (folders.out / "index.json").write_text(content, encoding="utf-8")
    assert folders.build(catalogue(one="one")) == ["one"]


def test_recording_of_the_bank_wins_over_the_voice(folders: Folders) -> None:
    folders.build(catalogue(one="one"))
    folders.record("one", wav(tone(1_000, 0.5, 44_100), 44_100, channels=2))
    assert folders.build(catalogue(one="one")) == []
    heard = decoded(folders.audio("one"))
    assert len(heard) == pytest.approx(4_000, abs=600)
    folders.record("one", wav(tone(500, 1.0, 16_000), 16_000))
    folders.build(catalogue(one="one"))
    assert len(folders.audio("one")) > len(heard)
    (folders.prompts / "recordings" / "en" / "one.wav").unlink()
    assert folders.build(catalogue(one="one")) == ["one"]


def test_files_are_whole_packets_and_end_with_the_pause_that_their_text_asks_for(folders: Folders) -> None:
    folders.build(catalogue(joined="one", comma="one,", sentence="one.", half="a.m."))
    silent = {one: len(folders.audio(one)) - len(folders.audio(one).rstrip(SILENCE)) for one in ("joined", "comma")}
    silent |= {one: len(folders.audio(one)) - len(folders.audio(one).rstrip(SILENCE)) for one in ("sentence", "half")}
    assert silent["joined"] < 400
    assert silent["half"] < 400
    assert 120 * 8 <= silent["comma"] < 120 * 8 + 400
    assert 260 * 8 <= silent["sentence"] < 260 * 8 + 400
    assert all(path.stat().st_size % PACKET == 0 for path in folders.out.glob("*/*.ulaw"))


def test_index_tells_how_long_each_prompt_is(folders: Folders) -> None:
    folders.build(catalogue(one="one"))
    index = json.loads((folders.out / "index.json").read_text(encoding="utf-8"))
    assert index["audio"]["en"]["one"]["ms"] * 8 == len(folders.audio("one"))
    assert index["audio"][MUSIC_FOLDER][HOLD_MUSIC]["ms"] == 32_000
    assert (folders.out / MUSIC_FOLDER / f"{HOLD_MUSIC}.ulaw").stat().st_size == 32_000 * 8


def test_prompt_without_a_text_leaves_the_index(folders: Folders) -> None:
    folders.build(catalogue(one="one", two="two"))
    folders.build(catalogue(two="two"))
    assert set(read_index(folders.out)["en"]) == {"two"}


def test_prompts_that_sound_alike_are_listed(folders: Folders) -> None:
    texts = catalogue(right="right", write="write", wrong="wrong")
    result = PromptBuilder(texts, folders.prompts, folders.out).build(ENGLISH)
    assert result.homophones == {Language.ENGLISH: (("right", "write"),)}
    assert (result.made, result.kept) == (4, 0)
    again = PromptBuilder(texts, folders.prompts, folders.out).build(ENGLISH)
    assert again.homophones == result.homophones
    assert (again.made, again.kept) == (0, 4)
    index = json.loads((folders.out / "index.json").read_text(encoding="utf-8"))
    assert index["homophones"] == {"cmn": [], "yue": [], "en": [["right", "write"]]}


def test_other_languages_are_left_as_they_are(folders: Folders) -> None:
    folders.build(catalogue(one="one"))
    PromptBuilder(catalogue(), folders.prompts, folders.out).build([Language.MANDARIN])
    assert set(read_index(folders.out)["en"]) == {"one"}


def test_progress_counts_up_to_all_files(folders: Folders) -> None:
    seen: list[Progress] = []
    texts = catalogue(one="one", two="two")
    PromptBuilder(texts, folders.prompts, folders.out).build(ENGLISH, seen.append)
    assert [(progress.done, progress.total) for progress in seen] == [(1, 3), (2, 3), (3, 3)]
    assert {progress.name for progress in seen} == {"en/one", "en/two", "music/hold"}


def test_failure_names_the_prompt_and_keeps_what_was_built(folders: Folders) -> None:
    folders.build(catalogue(one="one"))
    folders.record("two", b"this is no sound")
    with pytest.raises(VoiceError, match=r"^en/two: sox failed"):
        folders.build(catalogue(one="one", two="two"))
    assert set(read_index(folders.out)["en"]) == {"one"}
    assert not list(folders.out.glob("*/.*")), "no temporary files are left"


def test_silent_recording_is_refused(folders: Folders) -> None:
    folders.record("one", wav(tone(440, 1, 8_000, amplitude=0), 8_000))
    with pytest.raises(VoiceError, match=r"^en/one: the recording is silent"):
        folders.build(catalogue(one="one"))


def test_missing_program_gives_one_clear_error(
    folders: Folders, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(VoiceError, match="espeak-ng is not installed"):
        folders.build(catalogue(one="one", two="two", three="three"))


def test_what_is_built_needs_no_program_any_more(
    folders: Folders, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folders.build(catalogue(one="one"))
    monkeypatch.setenv("PATH", str(tmp_path))
    assert folders.build(catalogue(one="one")) == []
