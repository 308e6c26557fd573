"""Mandarin read-outs, as mainland banks speak them.

Knows Mandarin's two choices. Must not know how Chinese counts: `chinese.py` does.
"""

from __future__ import annotations

from typing import Final

from ivr_engine.speech.chinese import ChineseGrammar, Place

LIANG_BEFORE: Final = frozenset(Place)
"""Where 2 is 两. Banks say 两百, 两千 and 两元: over the telephone 二 (èr) is easily lost before another syllable,
and 两 cannot be taken for 一. 二 stays inside a number (二十二) and in single digits. Take a place out for a bank
that says 二百; the catalogue then asks for `hundreds_2` instead of `hundreds_pair`."""

DIGIT_ONE: Final = "digit_one"
"""幺 (yāo): in card and customer numbers 一 (yī) is taken for 七 (qī)."""


def mandarin() -> ChineseGrammar:
    """Return the grammar of Mandarin."""
    return ChineseGrammar(pair_before=LIANG_BEFORE, digit_one=DIGIT_ONE)
