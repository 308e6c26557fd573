"""What is proved of flows before they may be called: every path, over all flows together.

`prove` runs every proof; each stands in a file of its own and says in its head what it proves and how. A proof knows a
step by its ways (`flow.step.Way`) and its few other facts (`flow.model.CompiledStep`), never by its kind.

The language is finite (menus, tries, closed outcomes, no recursion), so the proofs look at everything that can happen.
Flows that are run by others are looked at once for each level of sign-in with which they are entered, and what they
found is used wherever they are run: work grows with the number of steps, not with the number of paths.
"""

from __future__ import annotations

from collections.abc import Mapping

from ivr_engine.flow.limits import Limits
from ivr_engine.flow.model import CompiledFlow
from ivr_engine.flow.proof.confirming import check_confirmations
from ivr_engine.flow.proof.endless import check_circles
from ivr_engine.flow.proof.exploring import Explorer
from ivr_engine.flow.proof.going_back import check_going_back
from ivr_engine.flow.proof.humans import check_humans
from ivr_engine.flow.proof.levels import check_levels
from ivr_engine.flow.proof.silence import check_silence
from ivr_engine.flow.source import Source

__all__ = ["Limits", "prove"]


def prove(flows: Mapping[str, CompiledFlow], sources: Mapping[str, Source], limits: Limits, first_flow: str) -> None:
    """Note in `sources` whatever cannot be proved of these flows, which are sound each by itself."""
    explorer = Explorer(flows, first_flow)
    check_levels(explorer, sources)
    check_confirmations(explorer, sources)
    check_going_back(flows, sources)
    if check_circles(explorer, sources):
        return  # what goes round for ever has no longest path, and its circle is told already
    check_silence(explorer, sources, limits)
    check_humans(explorer, sources, limits)
