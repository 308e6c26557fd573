"""espeak-ng and sox: what they give, and what is said when they cannot."""

from __future__ import annotations

import subprocess
from array import array
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from ivr_engine.adapters.voice.commands import VOICES, EspeakVoice, VoiceError, resampled
from ivr_engine.adapters.voice.pronunciation import Pronunciation
from ivr_engine.speech.catalogue import Catalogue
from ivr_engine.values.language import Language
from tests.adapters.voice.measure import tone
from tests.adapters.voice.wav import wav

PROMPTS = Path(__file__).parents[3] / "prompts"


def strength(samples: array[int]) -> float:
    """Return the RMS of the middle of a recording."""
    middle = np.array(samples[800:-800], np.float64)
    return float(np.sqrt((middle**2).mean()))


@pytest.mark.parametrize("rate", [8_000, 16_000, 22_050, 44_100, 48_000])
@pytest.mark.parametrize("channels", [1, 2])
def test_recording_of_any_rate_and_channels_becomes_telephone_samples(tmp_path: Path, rate: int, channels: int) -> None:
    path = tmp_path / "tone.wav"
    path.write_bytes(wav(tone(1_000, 1, rate), rate, channels))
    samples = resampled(path)
    assert len(samples) == pytest.approx(8_000, abs=8)
    spectrum = np.abs(np.fft.rfft(np.array(samples, np.float64), 8_000))
    assert int(np.argmax(spectrum)) == 1_000
    assert strength(samples) == pytest.approx(0.3 * 32_767 / 2**0.5 * 10 ** (-4 / 20), rel=0.03)


def test_sound_above_the_telephone_band_does_not_fold_back() -> None:
    kept = strength(resampled(wav(tone(3_000, 1, 22_050), 22_050)))
    folded = strength(resampled(wav(tone(5_000, 1, 22_050), 22_050)))  # would be heard as 3,000 Hz
    assert folded < kept / 1_000


def test_the_same_text_gives_the_same_audio() -> None:
    voice = EspeakVoice()
    assert voice.speak(Language.ENGLISH, "one") == voice.speak(Language.ENGLISH, "one")


def test_text_that_looks_like_an_option_is_spoken() -> None:
    assert len(resampled(EspeakVoice().speak(Language.ENGLISH, "--help me, please"))) > 4_000


@pytest.mark.parametrize("language", [Language.MANDARIN, Language.CANTONESE])
def test_no_chinese_prompt_is_read_as_english(language: Language) -> None:
    """espeak-ng marks a change of language in its phonemes: (en) where it did not know a character."""
    catalogue = Catalogue.load(PROMPTS)
    pronunciation = Pronunciation.load(PROMPTS)
    texts = [pronunciation.spoken(language, catalogue.text(language, one)) for one in catalogue.ids(language)]
    said = subprocess.run(
        ["espeak-ng", "-q", "-x", "-v", VOICES[language]],
        input="\n\n".join(texts).encode(),
        capture_output=True,
        check=True,
        timeout=30,
    ).stdout.decode()
    assert "(" not in said


@pytest.mark.parametrize(
    ("text", "phonemes"),
    # 重听 is chóng, not zhòng; 万 is wàn and no English letter; 四 and 十 differ in tone and consonant.
    [("重听", "ts.h'ong35"), ("万", "w'A51n"), ("四", "s'i[51"), ("十", "s.'i.35"), ("银行", "X'a35N")],
)
def test_mandarin_words_are_pronounced_right(text: str, phonemes: str) -> None:
    spoken = Pronunciation.load(PROMPTS).spoken(Language.MANDARIN, text)
    command = ["espeak-ng", "-q", "-x", "-v", VOICES[Language.MANDARIN], spoken]
    said = subprocess.run(command, capture_output=True, check=True, timeout=30, text=True).stdout
    assert phonemes.lower() in said.lower()


@pytest.mark.parametrize(
    ("program", "use"),
    [
        ("espeak-ng", lambda: EspeakVoice().speak(Language.ENGLISH, "one")),
        ("sox", lambda: resampled(b"")),
    ],
)
def test_missing_program_is_named_with_the_way_to_install_it(
    program: str, use: Callable[[], object], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(VoiceError, match=rf"^{program} is not installed.*apt-get install espeak-ng sox"):
        use()


def test_program_that_hangs_is_ended_at_its_deadline() -> None:
    with pytest.raises(VoiceError, match=r"espeak-ng did not finish within 0\.001 s"):
        EspeakVoice(deadline_s=0.001).speak(Language.ENGLISH, "one " * 1_000)


def test_file_that_is_no_recording_is_refused_with_the_programs_own_words(tmp_path: Path) -> None:
    path = tmp_path / "broken.wav"
    path.write_bytes(b"this is no sound")
    with pytest.raises(VoiceError, match=r"sox failed with status \d: .*broken\.wav"):
        resampled(path)
