"""Asterisk's configuration language is read as Asterisk reads it, with file and line."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ivr_engine.adapters.asterisk.doctor.config import INCLUDE_DEPTH, ConfigFile, read_config


def read(folder: Path, text: str, **others: str) -> ConfigFile:
    for name, content in others.items():
        (folder / f"{name}.conf").write_text(content)
    (folder / "a.conf").write_text(text)
    config = read_config(folder, "a.conf")
    assert config is not None
    return config


def test_file_that_is_not_there_is_none(tmp_path: Path) -> None:
    assert read_config(tmp_path, "none.conf") is None


def test_both_equal_signs_and_blanks_around_them_mean_the_same(tmp_path: Path) -> None:
    section = read(tmp_path, "[s]\na=1\nb => 2\n c   =   3  \nD =>4\n").section("s")
    assert [section.get(key) for key in "abcd"] == ["1", "2", "3", "4"]


def test_last_of_several_entries_counts_and_all_are_kept(tmp_path: Path) -> None:
    section = read(tmp_path, "[s]\nallow=ulaw\nAllow=alaw\n").section("s")
    assert section.get("allow") == "alaw"
    assert [(entry.value, entry.line) for entry in section.all("allow")] == [("ulaw", 2), ("alaw", 3)]


def test_heir_takes_its_templates_entries_first_and_the_template_is_no_section(tmp_path: Path) -> None:
    config = read(tmp_path, "[t](!)\na=1\nb=1\n[u](!,t)\nb=2\n[s](u)\na=3\n")
    assert [section.name for section in config.real_sections()] == ["s"]
    section = config.section("s")
    assert (section.get("a"), section.get("b"), section.line_of("b")) == ("3", "2", 5)


def test_section_with_a_plus_adds_to_the_earlier_one(tmp_path: Path) -> None:
    config = read(tmp_path, "[s]\na=1\n[s](+)\nb=2\n")
    assert len(config.sections) == 1
    assert config.section("s").get("b") == "2"


def test_sections_of_one_name_stay_two(tmp_path: Path) -> None:
    config = read(tmp_path, "[8001]\ntype=auth\n[8001]\ntype=aor\n")
    assert [section.get("type") for section in config.sections] == ["auth", "aor"]


@pytest.mark.parametrize(
    ("line", "value"),
    [
        (r"a=one\;two", "one;two"),
        ("a=one ; two", "one"),
        ("a=one ;-- two --; three", "one  three"),
        ("a=one ;--- two", "one"),
        ("a=", ""),
        ("a=b=c", "b=c"),
    ],
)
def test_comments_end_where_asterisk_ends_them(tmp_path: Path, line: str, value: str) -> None:
    assert read(tmp_path, f"[s]\n{line}\n").section("s").get("a") == value


def test_comment_over_many_lines_hides_them_and_keeps_the_count(tmp_path: Path) -> None:
    config = read(tmp_path, "[s]\n;-- a=1\nb=2\n--; c=3\nd=4\n")
    assert [(entry.key, entry.line) for entry in config.section("s").entries] == [("c", 4), ("d", 5)]
    assert not config.faults


def test_comment_without_end_is_a_fault(tmp_path: Path) -> None:
    [fault] = read(tmp_path, "[s]\n;-- a=1\nb=2\n").faults
    assert fault.line == 2


def test_included_files_are_read_in_place_with_their_own_lines(tmp_path: Path) -> None:
    text = '[s]\n#include "b.conf"\n#tryinclude none.conf\n#include <c*.conf>\nz=1\n'
    config = read(tmp_path, text, b="b=1\n[t]\n", c1="c=1\n", c2="d=1\n")
    assert not config.faults
    entries = [(entry.key, entry.file, entry.line) for section in config.sections for entry in section.entries]
    assert entries == [("b", "b.conf", 1), ("c", "c1.conf", 1), ("d", "c2.conf", 1), ("z", "a.conf", 5)]
    assert [path.name for path in config.paths] == ["a.conf", "b.conf", "c1.conf", "c2.conf"]


def test_file_that_includes_itself_ends_with_a_fault(tmp_path: Path) -> None:
    config = read(tmp_path, '#include "a.conf"\n[s]\n')
    assert len(config.paths) == INCLUDE_DEPTH + 1
    assert "deeper" in config.faults[0].what


@pytest.mark.parametrize(
    "line", ["[s", "no equal sign", "#include none.conf", "#define x", "[x](nobody)", "[x](+)", "eventfilter(name(A))"]
)
def test_line_that_asterisk_passes_over_is_a_fault_with_its_line(tmp_path: Path, line: str) -> None:
    assert read(tmp_path, f"[s]\n{line}\n").faults[0].line == 2


def test_program_to_run_is_noted_and_not_run(tmp_path: Path) -> None:
    config = read(tmp_path, f"#exec touch {tmp_path}/ran\n")
    assert len(config.executes) == 1
    assert not (tmp_path / "ran").exists()


@given(st.text(max_size=200))
def test_no_text_makes_the_reader_fail(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    folder = tmp_path_factory.mktemp("any")
    (folder / "a.conf").write_bytes(text.encode("utf-8", "surrogatepass"))
    assert read_config(folder, "a.conf") is not None
