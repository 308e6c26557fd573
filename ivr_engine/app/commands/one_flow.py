"""What commands about one flow share: the flows without findings, and the flow that was named."""

from __future__ import annotations

from ivr_engine.app.commands.common import complain, print_findings, shown
from ivr_engine.app.engine import flow_world
from ivr_engine.app.settings import Settings
from ivr_engine.flow.findings import did_you_mean
from ivr_engine.flow.library import load_library
from ivr_engine.flow.model import Library


def library_with(given: Settings, flow: str) -> Library | None:
    """Return the flows, or None after saying what is wrong: findings, or no such flow."""
    library = load_library(shown(given.flows_dir), flow_world(given))
    if library.findings:
        print_findings(library.findings, as_json=False)
        return None
    if flow not in library.flows:
        complain(f"there is no flow '{flow}': {did_you_mean(flow, library.flows)}")
        return None
    return library
