"""By which means a customer is written to. Knows their names only; gateways and address books know the rest."""

from __future__ import annotations

from enum import StrEnum


class Medium(StrEnum):
    """A text goes out as one of these; flows, tables and metrics use the same words."""

    SMS = "sms"
    FAX = "fax"
    EMAIL = "email"
    PAGE = "page"
