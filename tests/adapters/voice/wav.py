"""Writes WAV files as a bank's studio might deliver them."""

from __future__ import annotations

import io
import wave

import numpy as np
import numpy.typing as npt


def wav(samples: npt.NDArray[np.int16], rate: int, channels: int = 1) -> bytes:
    """Return a WAV file; several channels hold the same sound."""
    target = io.BytesIO()
    with wave.open(target, "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(np.repeat(samples, channels).astype("<i2").tobytes())
    return target.getvalue()
