"""What the flows of this hotline are checked against, by its settings.

Knows settings, prompts, operations and queues. Must not know engines or calls: commands that only look at flows start
without them.
"""

from __future__ import annotations

from typing import Final

from ivr_engine.app.settings import Settings
from ivr_engine.calls.signatures import signatures
from ivr_engine.flow.limits import Limits
from ivr_engine.flow.messages import FOLDER, Messages
from ivr_engine.flow.scope import World
from ivr_engine.speech.catalogue import Catalogue

QUEUE: Final = "service"


def read_messages(settings: Settings) -> Messages:
    """Return what customers are sent, with what is wrong in it; the texts stand below those of the prompts."""
    return Messages.load(settings.prompts_dir / FOLDER)


def flow_world(settings: Settings, prompts: Catalogue | None = None) -> World:
    """Return what flows are checked against; `prompts` are others than those that calls use."""
    return World(
        prompts or Catalogue.load(settings.prompts_dir),
        signatures(settings.caller_lists),
        frozenset({QUEUE}),
        environment=settings.environment,
        zone=settings.zone,
        destinations=frozenset(settings.destinations),
        first_flow=settings.first_flow,
        skills=frozenset(skill for known in settings.skills.values() for skill in known),
        limits=Limits(
            keys_to_human=settings.keys_to_human,
            human_within_s=settings.human_within_s,
            silence_s=settings.silence_s,
            options=settings.menu_options,
            menus=settings.menus_before_task,
            menu_s=settings.menu_s,
            written_results=settings.written_results,
        ),
        messages=read_messages(settings),
    )
