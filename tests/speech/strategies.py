"""Numbers worth trying: any, and those with long runs of noughts, where counting goes wrong."""

from __future__ import annotations

from hypothesis import strategies as st

from ivr_engine.speech.grammar import LARGEST_NUMBER

_GAPPED = st.text(alphabet="000125", min_size=1, max_size=15).map(int)
_GROUPS = st.lists(st.sampled_from((0, 0, 1, 2, 10, 12, 20, 100, 102, 200, 1000, 2000, 1002, 2020, 9999)), max_size=3)

WHOLE_NUMBERS = (
    st.integers(0, LARGEST_NUMBER)
    | _GAPPED
    | _GROUPS.map(lambda groups: sum(group * 10_000**level for level, group in enumerate(groups)))
    | st.integers(0, 2_000_000)
)
