"""What a hotline promises its callers, as figures that the proofs hold flows to."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """Promises that flows are proved to keep, then figures beyond which there is advice.

    Keys to a human from any menu, seconds until one is offered at the slowest, seconds of silence at a stretch; options
    of a menu, menus before what the bank is asked, seconds that a menu speaks, and whether what is read out should be
    offered in writing too.
    """

    keys_to_human: int = 2
    human_within_s: int = 60
    silence_s: int = 9
    options: int = 5
    menus: int = 3
    menu_s: int = 20
    written_results: bool = True
