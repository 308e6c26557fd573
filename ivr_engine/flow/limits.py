"""What a hotline promises its callers, as figures that the proofs hold flows to."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """Keys to a human from any menu, seconds until one is offered at the slowest, seconds of silence at a stretch."""

    keys_to_human: int = 2
    human_within_s: int = 60
    silence_s: int = 9
