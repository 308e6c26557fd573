"""Failures that an operator can mend, told in one message; any other is a bug and keeps its traceback.

Knows which errors of the parts are expected. Must not know commands.
"""

from __future__ import annotations

from typing import Final

from ivr_engine.adapters.asterisk.locate import AsteriskNotFoundError
from ivr_engine.adapters.asterisk.process import AsteriskError
from ivr_engine.adapters.asterisk.render import RenderError
from ivr_engine.adapters.revisions import RevisionError
from ivr_engine.adapters.store.faults import DatabaseUnavailableError
from ivr_engine.adapters.voice.commands import VoiceError
from ivr_engine.app.engine import EngineError
from ivr_engine.app.placing import PlacingError
from ivr_engine.app.secrets_file import SecretsFileError
from ivr_engine.app.settings import SettingsError
from ivr_engine.app.state_lock import AlreadyRunningError, StateFolderError
from ivr_engine.app.supervisor import WorkerFailedError
from ivr_engine.speech.catalogue import CatalogueError

EXPECTED: Final = (
    SettingsError,
    SecretsFileError,
    AlreadyRunningError,
    StateFolderError,
    CatalogueError,
    VoiceError,
    AsteriskNotFoundError,
    AsteriskError,
    RenderError,
    RevisionError,
    EngineError,
    PlacingError,
    WorkerFailedError,
    DatabaseUnavailableError,
)


def expected(error: Exception) -> str | None:
    """Return the message of an expected failure, alone or in a group, or None when it is a bug."""
    if isinstance(error, EXPECTED):
        return str(error)
    if isinstance(error, ExceptionGroup):
        known, bugs = error.split(EXPECTED)
        if known is not None and bugs is None:
            return expected(known.exceptions[0])
    return None
