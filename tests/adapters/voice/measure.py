"""Measures telephone audio with other means than those that made it: sox decodes, numpy counts."""

from __future__ import annotations

import math
import subprocess
from pathlib import Path

import numpy as np
import numpy.typing as npt

_RAW_ULAW = ["-t", "raw", "-r", "8000", "-e", "mu-law", "-b", "8", "-c", "1"]
_RAW_LINEAR = ["-t", "raw", "-r", "8000", "-e", "signed", "-b", "16", "-c", "1", "-L"]
_WINDOW = 160
_P56_MARGIN_DB = 15.9
_ROUNDS = 20

Samples = npt.NDArray[np.float64]


def decoded(audio: bytes | Path) -> Samples:
    """Return the samples of µ-law audio, -1 to 1, as sox understands them."""
    content = audio.read_bytes() if isinstance(audio, Path) else audio
    command = ["sox", "-D", *_RAW_ULAW, "-", *_RAW_LINEAR, "-"]
    raw = subprocess.run(command, input=content, capture_output=True, check=True, timeout=20).stdout
    return np.frombuffer(raw, "<i2").astype(np.float64) / 32_768


def sox_stats(path: Path) -> dict[str, float]:
    """Return what `sox stats` says of a µ-law file: `Pk lev dB`, `RMS lev dB`, `Length s`, `Flat factor`."""
    command = ["sox", *_RAW_ULAW, str(path), "-n", "stats"]
    said = subprocess.run(command, capture_output=True, check=True, timeout=20, text=True).stderr
    rows = (line.rsplit(maxsplit=1) for line in said.splitlines() if line.strip())
    return {name.strip(): float(value) for name, value in rows if value.replace("-", "").replace(".", "").isdigit()}


def active_level_dbfs(samples: Samples) -> float:
    """Return the level of what is spoken, in the manner of ITU-T P.56: pauses 15.9 dB below it do not count."""
    windows = samples[: len(samples) // _WINDOW * _WINDOW].reshape(-1, _WINDOW)
    powers = (windows**2).mean(axis=1)
    level = float(powers.mean())
    for _ in range(_ROUNDS):
        level = float(powers[powers > level / 10 ** (_P56_MARGIN_DB / 10)].mean())
    return 10 * math.log10(level)


def tone(frequency: float, seconds: float, rate: int, amplitude: float = 0.3) -> npt.NDArray[np.int16]:
    """Return a sine wave."""
    moments = np.arange(round(seconds * rate)) / rate
    wave = amplitude * 32_767 * np.sin(2 * np.pi * frequency * moments)
    return wave.round().astype(np.int16)
