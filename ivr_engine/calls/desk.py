"""What all calls of an engine write with: the texts of messages, what keeps them, and random digits."""

from __future__ import annotations

from dataclasses import dataclass

from ivr_engine.calls.office import Office
from ivr_engine.flow.messages import Messages
from ivr_engine.values.ids import Ids


@dataclass(frozen=True, slots=True)
class Desk:
    """The port to what is kept, the catalogue of messages, and ids."""

    office: Office
    messages: Messages
    ids: Ids
