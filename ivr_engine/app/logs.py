"""Logs: one JSON line an event on standard error, or readable lines on a terminal; the call id on every line of a call.

Knows structlog. Must not know what is logged. Values of secret types cannot be printed by their own doing; this adds no
second list of names to hide.
"""

from __future__ import annotations

import json
import logging
import sys
from typing import Final

import structlog

_JSON: Final = json.JSONEncoder(default=repr)
"""Made once: `json.dumps` makes one for every line when it is given a `default`."""


def set_up(level: str) -> None:
    """Set logging up for the process."""
    number = logging.getLevelNamesMapping()[level.upper()]
    readable = sys.stderr.isatty()
    renderer: structlog.typing.Processor = (
        structlog.dev.ConsoleRenderer() if readable else structlog.processors.JSONRenderer(_as_json)
    )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=structlog.WriteLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    logging.basicConfig(stream=sys.stderr, level=max(number, logging.WARNING))


def _as_json(event: structlog.typing.EventDict, **_: object) -> str:
    return _JSON.encode(event)
