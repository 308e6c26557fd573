"""Reading YAML: places of keys and values, and the traps."""

from __future__ import annotations

from typing import Final

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from ivr_engine.flow.codes import CODES
from ivr_engine.flow.findings import Place
from ivr_engine.flow.library import flow_files
from ivr_engine.flow.source import DEPTH_MAX, FINDINGS_MAX, SHOWN_CHARACTERS_MAX, Data, Source, read_source
from ivr_engine.flow.wording import Wording
from tests.flow.world import FLOWS, library_of

SAMPLE: Final = """\
ivr: 1
title: A test
steps:
  begin:
    say:
      - welcome
      - amount: balance
    when: {said: end}
"""


def read(text: str) -> Source:
    return read_source("a.yaml", text)


def at(source: Source, *path: str | int, key: bool = False) -> tuple[int, int]:
    place = source.place(path, key=key)
    return place.line, place.column


def test_each_key_and_value_has_its_place() -> None:
    source = read(SAMPLE)
    assert at(source, "title", key=True) == (2, 1)
    assert at(source, "title") == (2, 8)
    assert at(source, "steps", "begin", key=True) == (4, 3)
    assert at(source, "steps", "begin", "say", 0) == (6, 9)
    assert at(source, "steps", "begin", "say", 1, "amount", key=True) == (7, 9)
    assert at(source, "steps", "begin", "say", 1, "amount") == (7, 17)
    assert at(source, "steps", "begin", "when", "said") == (8, 18)


def test_what_is_not_written_has_the_place_of_the_nearest_block_around_it() -> None:
    source = read(SAMPLE)
    assert at(source, "steps", "begin", "then") == (4, 3)
    assert at(source, "steps", "begin", "say", 5, "prompt") == (5, 5)
    assert at(source, "nowhere") == (1, 1)


def test_only_item_of_a_list_written_without_a_list_has_the_place_of_the_value() -> None:
    source = read("steps: {begin: {say: welcome}}")
    assert at(source, "steps", "begin", "say", 0) == (1, 22)


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("5", 5),
        ("0", 0),
        ("-5", -5),
        ("007", "007"),
        ("0x10", "0x10"),
        ("1_000", "1_000"),
        ("1.5", "1.5"),
        ("1e3", "1e3"),
        ("12:30", "12:30"),
        ("2026-01-05", "2026-01-05"),
        ("1234567890123456789", "1234567890123456789"),
        ("true", True),
        ("false", False),
        ("True", "True"),
        ("yes", "yes"),
        ("no", "no"),
        ("on", "on"),
        ("off", "off"),
        ("y", "y"),
        ("null", None),
        ("~", None),
        ("", None),
        ("'5'", "5"),
        ('"true"', "true"),
        ("''", ""),
        ("[1, on, 'x']", [1, "on", "x"]),
        ("５", "５"),
    ],
)
def test_value_is_what_was_written(written: str, meant: Data) -> None:
    source = read(f"key: {written}")
    assert source.findings == []
    assert source.data == {"key": meant}


def test_keys_are_always_texts() -> None:
    assert read("1: a\ntrue: b\nnull: c\n01: d\n").data == {"1": "a", "true": "b", "null": "c", "01": "d"}


def test_block_of_text_is_text() -> None:
    assert read("note: |\n  one\n  two\n").data == {"note": "one\ntwo\n"}


@pytest.mark.parametrize("text", ["\ufeffivr: 1\n", "ivr: 1\r\n", "ivr: 1", "---\nivr: 1\n", "ivr: 1\n...\n"])
def test_files_of_other_editors_are_read(text: str) -> None:
    assert read(text).findings == []
    assert read(text).data == {"ivr": 1}


def test_comment_with_a_full_width_colon_is_not_blamed_for_another_mistake() -> None:
    source = read("# 备注：临时\ntitle: 'open\n")
    assert [(found.place.line, found.message) for found in source.findings] == [
        (2, "a quote is opened here and never closed")
    ]


def test_every_full_width_colon_after_a_key_is_told_at_once() -> None:
    found = read("ivr： 1\ntitle：A\n备注 = '：'\nsteps:\n  - a：b\n").findings
    assert [(finding.place.line, finding.place.column) for finding in sorted(found)] == [(1, 4), (2, 6), (5, 6)]


def test_finding_knows_where_a_key_or_a_value_ends() -> None:
    source = read("steps:\n  begin: {say: '欢迎', then: end}\n")
    found = library_of(a="ivr: 1\ntitle: A\nstart: begn\nsteps: {begin: {hang_up: done, thn: x}}\n").findings
    assert source.ends[source.place(("steps", "begin", "say"))] == 20
    assert [(finding.place.column, finding.end_column) for finding in found] == [(8, 12), (32, 35)]


def test_text_in_quotes_may_hold_a_full_width_colon() -> None:
    assert read("title: '通知：新'\nother: 通知：新\n").findings == []


def test_finding_shows_no_more_than_a_part_of_an_endless_line() -> None:
    found = read("# " + "x" * 2_000_000).findings[0]
    assert len(found.source_line) == SHOWN_CHARACTERS_MAX


def test_blocks_nested_up_to_the_limit_are_read() -> None:
    assert read("[" * DEPTH_MAX + "]" * DEPTH_MAX).findings == []
    assert [found.code for found in read("[" * (DEPTH_MAX + 1) + "]" * (DEPTH_MAX + 1)).findings] == ["E103"]


@pytest.mark.parametrize("opening", ["[", "{a: ", "- ", "? "])
def test_file_of_a_hundred_thousand_open_blocks_does_not_end_the_process(opening: str) -> None:
    source = read(opening * 100_000)
    assert source.data is None
    assert len(source.findings) == 1


def test_of_very_many_findings_the_first_are_kept() -> None:
    assert len(read("a: 1\n" * 1000).findings) == FINDINGS_MAX


characters = st.characters(exclude_categories=())  # also half pairs, controls and characters of no use
yaml_like = st.lists(
    st.sampled_from(
        [
            *"abc019 :-[]{}#&*!|>'\"%@`,?~=\t\n",
            "\n  ",
            "\n- ",
            ": ",
            "：",
            "key: ",
            "<<: ",
            "---\n",
            "\r\n",
            "\u2028",
            "\x85",
            "\ufeff",
        ]
    ),
    max_size=60,
).map("".join)


@given(st.text(characters, max_size=200) | yaml_like)
def test_any_text_gives_data_or_findings_and_never_an_error(text: str) -> None:
    source = read(text)
    assert source.findings or library_of(a=text).findings  # nothing that is made up at random is a flow
    for found in source.findings:
        assert found.code in CODES
        assert found.place.line >= 1
        assert found.place.column >= 1
        for language in Wording:
            assert found.render(language).encode()


@given(yaml_like)
def test_any_text_as_a_flow_gives_findings_and_never_an_error(text: str) -> None:
    assert library_of(a=text).findings
    assert isinstance(library_of(a=f"ivr: 1\ntitle: A\nstart: a\nsteps:\n  a:\n    {text}").findings, tuple)


shipped_text = st.sampled_from(flow_files(FLOWS)).map(lambda path: path.read_text(encoding="utf-8"))


@given(shipped_text, st.data())
def test_shipped_flow_with_one_line_changed_gives_findings_or_none_but_never_an_error(
    text: str, data: st.DataObject
) -> None:
    lines = text.splitlines()
    number = data.draw(st.integers(0, len(lines) - 1))
    change = data.draw(st.sampled_from(["drop", "double", "indent", "cut", "colon", "tab"]))
    line = lines[number]
    lines[number : number + 1] = {
        "drop": [],
        "double": [line, line],
        "indent": ["  " + line],
        "cut": [line[: len(line) // 2]],
        "colon": [line.replace(":", "：", 1)],
        "tab": ["\t" + line.lstrip()],
    }[change]
    for found in library_of(a="\n".join(lines)).findings:
        assert found.code in CODES
        assert found.render(Wording.CHINESE).encode()
        assert 1 <= found.place.line <= len(lines) + 1


words = st.text("abc xyz", min_size=1, max_size=8).filter(lambda text: text.strip() == text)
plain_data = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**17), 10**17) | words,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=3),
    max_leaves=8,
)


@given(plain_data)
def test_plain_data_is_read_back_as_it_was_written(data: Data) -> None:
    source = read(yaml.safe_dump({"key": data}, width=10_000))
    assert source.findings == []
    assert source.data == {"key": data}
    assert source.place(("key",), key=True) == Place("a.yaml", 1, 1)
