"""Whole small hotlines, each with one mistake as operators make it: its code, its place, its words in both languages.

The words stand beside each hotline in a file of their own; run this file with `--update` to write them anew.
"""

from __future__ import annotations

import pathlib
from types import MappingProxyType
from typing import Final

import pytest

from ivr_engine.flow.findings import Finding
from ivr_engine.flow.library import build_library
from ivr_engine.flow.wording import Wording
from tests.flow.world import world

BROKEN: Final = pathlib.Path(__file__).with_name("broken")
FOUND: Final = MappingProxyType(
    {
        "dead_end": "E204 79:3",
        "missing_language": "E402 28:9",
        "step_misspelt": "E206 82:11",
        "pin_into_log": "E304 46:18",
        "unreachable_step": "E207 25:3",
        "two_keys_alike": "E102 23:7",
        "full_width_colon": "E101 17:9",
        "silent_time_out": "E806 44:3",
        "endless_menu": "E805 14:3",
        "balance_before_sign_in": "E801 37:3",
        "transfer_without_confirmation": "E804 84:3",
        "confirm_one_amount_send_another": "E804 98:3",
    }
)
"""The code, line and column of the only finding in each."""


def findings_in(*names: str) -> tuple[Finding, ...]:
    """Return the findings of a folder with these hotlines."""
    files = {name: BROKEN / f"{name}.yaml" for name in names}
    texts = {name: (file.name, file.read_text(encoding="utf-8")) for name, file in files.items()}
    return build_library(texts, world()).findings


def only_finding(name: str) -> Finding:
    """Return the one finding of a broken hotline."""
    found = findings_in(name)
    assert len(found) == 1, "\n".join(finding.render() for finding in found)
    return found[0]


@pytest.mark.parametrize("name", FOUND)
def test_mistake_of_an_operator_is_found_at_its_place(name: str) -> None:
    found = only_finding(name)
    assert f"{found.code} {found.place.line}:{found.place.column}" == FOUND[name]


@pytest.mark.parametrize("name", FOUND)
def test_mistake_of_an_operator_is_told_in_both_languages(name: str, request: pytest.FixtureRequest) -> None:
    told = "\n\n".join(only_finding(name).render(language) for language in Wording) + "\n"
    golden = BROKEN / f"{name}.txt"
    if request.config.getoption("--update"):
        golden.write_text(told, encoding="utf-8")
    assert told == golden.read_text(encoding="utf-8")


def test_broken_hotlines_in_one_folder_hide_nothing_of_each_other() -> None:
    assert findings_in(*FOUND) == tuple(sorted(only_finding(name) for name in FOUND))


@pytest.mark.parametrize("name", FOUND)
def test_broken_hotline_says_at_its_head_what_the_mistake_is(name: str) -> None:
    assert (BROKEN / f"{name}.yaml").read_text(encoding="utf-8").startswith("# The mistake: ")


def test_every_broken_hotline_is_looked_at_and_has_its_words() -> None:
    assert {file.stem for file in BROKEN.glob("*.yaml")} == set(FOUND)
    assert {file.stem for file in BROKEN.glob("*.txt")} == set(FOUND)
