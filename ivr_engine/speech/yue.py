"""Cantonese read-outs, in the formal style of banks (元, 角, 分; not 蚊, 毫, 仙).

Knows Cantonese's two choices. Must not know how Chinese counts: `chinese.py` does.
"""

from __future__ import annotations

from typing import Final

from ivr_engine.speech.chinese import ChineseGrammar, Place

LOENG_BEFORE: Final = frozenset({Place.MYRIAD, Place.HUNDRED_MILLION, Place.YUAN, Place.JIAO, Place.FEN, Place.OCLOCK})
"""Where 2 is 兩. Formal Cantonese keeps 二百 and 二千 (so does CLDR's spell-out for `yue`), and says 兩萬, 兩元."""

DIGIT_ONE: Final = "number_1"
"""一 (jat1): Cantonese has no 幺, and jat1 is not like cat1 (七) to its speakers."""


def cantonese() -> ChineseGrammar:
    """Return the grammar of Cantonese."""
    return ChineseGrammar(pair_before=LOENG_BEFORE, digit_one=DIGIT_ONE)
