"""Runs the two outside programs, each with a deadline: espeak-ng speaks, sox resamples.

Knows their options, and how they fail. Must not know prompts, ids or the cache.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from array import array
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Final

from ivr_engine.adapters.voice.ulaw import SAMPLE_RATE
from ivr_engine.values.language import Language

DEADLINE_S: Final = 20.0
"""One text, or one recording. espeak-ng needs some 20 ms; a loaded machine may need a second."""

LONGEST_RECORDING_S: Final = 180
_STDERR_SHOWN = 300

VOICES: Final[Mapping[Language, str]] = MappingProxyType(
    {
        # `cmn` of espeak-ng 1.51 reads Chinese characters as English letters; the pinyin voice reads them right.
        Language.MANDARIN: "cmn-latn-pinyin",
        Language.CANTONESE: "yue",
        Language.ENGLISH: "en-gb-x-rp",
    }
)

_HEADROOM_DB = "-4"  # low-pass filters overshoot; the loudness is set later, so nothing is lost
_LOWEST_HZ = "100"  # hum and breath below the telephone band


class VoiceError(RuntimeError):
    """A prompt could not be made; the message says which program and why, for the operator."""


class EspeakVoice:
    """The default voice; a bank's own speech engine takes its place with the same two members."""

    def __init__(self, *, words_per_minute: int = 160, deadline_s: float = DEADLINE_S) -> None:
        self._speed = str(words_per_minute)
        self._deadline_s = deadline_s

    def fingerprint(self, language: Language) -> str:
        """Return what, besides the text, decides how it sounds; audio is rebuilt when it changes."""
        return f"espeak-ng -v {VOICES[language]} -s {self._speed}"

    def speak(self, language: Language, text: str) -> bytes:
        """Return the text as a WAV file of 22,050 Hz; `VoiceError` when espeak-ng is missing, fails or hangs."""
        options = ["-v", VOICES[language], "-s", self._speed, "-z", "--stdin", "--stdout"]
        return _run("espeak-ng", options, text.encode(), self._deadline_s)


def resampled(wav: bytes | Path, *, deadline_s: float = DEADLINE_S) -> array[int]:
    """Return a WAV of any rate and number of channels as 16-bit mono samples, 8,000 a second.

    Bytes may come from a pipe, whose WAV header does not know its length. Raises `VoiceError`.
    """
    if isinstance(wav, Path):
        source, content = [str(wav.absolute())], b""
    else:
        source, content = ["--ignore-length", "-t", "wav", "-"], wav
    # -D: no dither, so that the same text always gives the same bytes, and silence stays silent.
    target = ["-t", "raw", "-r", str(SAMPLE_RATE), "-e", "signed", "-b", "16", "-L", "-"]
    # `rate -h` is sox's steep low-pass and resampler; `remix -` mixes all channels to one.
    effects = ["gain", _HEADROOM_DB, "remix", "-", "rate", "-h", str(SAMPLE_RATE), "highpass", _LOWEST_HZ]
    limit = ["trim", "0", str(LONGEST_RECORDING_S)]
    raw = _run("sox", ["-D", "-V1", *source, *target, *effects, *limit], content, deadline_s)
    samples = array("h", raw[: len(raw) // 2 * 2])
    if sys.byteorder == "big":
        samples.byteswap()
    return samples


def _run(program: str, arguments: Sequence[str], content: bytes, deadline_s: float) -> bytes:
    path = shutil.which(program)
    if path is None:
        message = f"{program} is not installed; prompts need espeak-ng and sox (apt-get install espeak-ng sox)"
        raise VoiceError(message)
    environment = {"PATH": os.defpath, "LANG": "C.UTF-8", "HOME": os.environ.get("HOME", "/")}
    try:
        done = subprocess.run(  # noqa: S603  # a fixed program; the text goes in by standard input
            [path, *arguments], input=content, capture_output=True, timeout=deadline_s, check=False, env=environment
        )
    except subprocess.TimeoutExpired as error:
        message = f"{program} did not finish within {deadline_s:g} s"
        raise VoiceError(message) from error
    if done.returncode or not done.stdout:
        said = done.stderr.decode(errors="replace").strip()[:_STDERR_SHOWN]
        message = f"{program} failed with status {done.returncode}: {said or 'it gave no audio'}"
        raise VoiceError(message)
    return done.stdout
