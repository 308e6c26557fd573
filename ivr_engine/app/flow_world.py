"""What the flows of this hotline are checked against, by its settings.

Knows settings, prompts, operations and queues. Must not know engines or calls: commands that only look at flows start
without them.
"""

from __future__ import annotations

from typing import Final

from ivr_engine.app.settings import Settings
from ivr_engine.calls.operations import SIGNATURES
from ivr_engine.flow.limits import Limits
from ivr_engine.flow.scope import World
from ivr_engine.speech.catalogue import Catalogue

QUEUE: Final = "service"


def flow_world(settings: Settings, prompts: Catalogue | None = None) -> World:
    """Return what flows are checked against; `prompts` are others than those that calls use."""
    return World(
        prompts or Catalogue.load(settings.prompts_dir),
        SIGNATURES,
        frozenset({QUEUE}),
        environment=settings.environment,
        zone=settings.zone,
        first_flow=settings.first_flow,
        skills=frozenset(skill for known in settings.skills.values() for skill in known),
        limits=Limits(
            keys_to_human=settings.keys_to_human,
            human_within_s=settings.human_within_s,
            silence_s=settings.silence_s,
            options=settings.menu_options,
            menus=settings.menus_before_task,
            menu_s=settings.menu_s,
        ),
    )
