"""What commands about flows share: the flows without findings, the one that was named, what the engine says itself."""

from __future__ import annotations

from typing import Final

from ivr_engine.app.commands.common import complain, print_findings, shown
from ivr_engine.app.engine import flow_world
from ivr_engine.app.settings import Settings
from ivr_engine.calls.session import APOLOGY
from ivr_engine.flow.findings import did_you_mean
from ivr_engine.flow.library import load_library
from ivr_engine.flow.model import Library

SAID_BY_THE_ENGINE: Final = frozenset({APOLOGY})
"""Prompts that callers hear without any flow."""


def sound_library(given: Settings) -> Library | None:
    """Return the flows, or None after saying what is wrong with them."""
    library = load_library(shown(given.flows_dir), flow_world(given))
    if library.findings:
        print_findings(library.findings, as_json=False)
        return None
    return library


def library_with(given: Settings, flow: str) -> Library | None:
    """Return the flows, or None after saying what is wrong: findings, or no such flow."""
    library = sound_library(given)
    if library is not None and flow not in library.flows:
        complain(f"there is no flow '{flow}': {did_you_mean(flow, library.flows)}")
        return None
    return library
