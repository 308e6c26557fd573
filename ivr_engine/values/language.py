"""The languages a caller can choose. Knows their codes only; speech/ knows how they count."""

from __future__ import annotations

from enum import StrEnum


class Language(StrEnum):
    """ISO 639-3 codes, except English, which everybody writes `en`."""

    MANDARIN = "cmn"
    CANTONESE = "yue"
    ENGLISH = "en"
