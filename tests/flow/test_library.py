"""A folder of flows: read together, read again when it changes, and never worse than before."""

from __future__ import annotations

import dataclasses
import pathlib
import shutil

import pytest

from ivr_engine.flow import library as library_module
from ivr_engine.flow.library import FlowFolder, build_library, load_library
from tests.flow.world import FLOWS, PROJECT, flow, shipped, world

GOOD = flow("begin: {say: welcome, then: end}\nend: {hang_up: done}")
BETTER = flow("begin: {say: goodbye, then: end}\nend: {hang_up: done}")
BROKEN = flow("begin: {say: welcome}")


def write(folder: pathlib.Path, name: str, text: str) -> None:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def codes(folder: pathlib.Path) -> list[tuple[str, str, int]]:
    findings = load_library(folder, world()).findings
    return [(found.code, pathlib.Path(found.place.file).name, found.place.line) for found in findings]


def test_flows_are_named_by_their_path_without_the_suffix(tmp_path: pathlib.Path) -> None:
    write(tmp_path, "hotline.yaml", GOOD)
    write(tmp_path, "cards/lost.yaml", GOOD)
    write(tmp_path, "notes.txt", "no flow")
    assert set(load_library(tmp_path, world()).flows) == {"hotline", "cards/lost"}


@pytest.mark.parametrize(
    ("folder", "first"), [("campaigns/flows", "keys"), ("bench/flows/plain", "call"), ("bench/flows/bank", "call")]
)
def test_flow_that_only_a_long_measurement_calls_has_no_findings_either(folder: str, first: str) -> None:
    """Campaigns and benchmark are slow and need an Asterisk: a flow of theirs that does not load is to be seen here."""
    library = load_library(PROJECT / "tests" / folder, dataclasses.replace(world(), first_flow=first))
    assert [finding.render() for finding in library.findings] == []
    assert set(library.flows) == {first}


def test_test_that_stands_beside_a_flow_is_none(tmp_path: pathlib.Path) -> None:
    write(tmp_path, "hotline.yaml", GOOD)
    write(tmp_path, "tests/balance.test.yaml", "ivr_test: 1\n")
    library = load_library(tmp_path, world())
    assert (set(library.flows), library.findings) == ({"hotline"}, ())


def test_changed_file_is_used_at_the_next_refresh(tmp_path: pathlib.Path) -> None:
    write(tmp_path, "a.yaml", GOOD)
    folder = FlowFolder(tmp_path, world())
    before = folder.refresh()
    write(tmp_path, "a.yaml", BETTER)
    assert folder.current is before
    after = folder.refresh()
    assert folder.current is after
    assert after.version != before.version
    assert after.findings == ()


def test_new_and_removed_files_are_noticed(tmp_path: pathlib.Path) -> None:
    write(tmp_path, "a.yaml", GOOD)
    folder = FlowFolder(tmp_path, world())
    folder.refresh()
    write(tmp_path, "b.yaml", GOOD)
    assert set(folder.refresh().flows) == {"a", "b"}
    (tmp_path / "a.yaml").unlink()
    assert set(folder.refresh().flows) == {"b"}


def test_broken_file_never_replaces_a_good_one_and_its_findings_stay_in_sight(tmp_path: pathlib.Path) -> None:
    write(tmp_path, "a.yaml", GOOD)
    folder = FlowFolder(tmp_path, world())
    good = folder.refresh()
    write(tmp_path, "a.yaml", BROKEN)
    assert [found.code for found in folder.refresh().findings] == ["E204"]
    assert [found.code for found in folder.refresh().findings] == ["E204"]
    assert folder.current is good
    write(tmp_path, "a.yaml", BETTER)
    assert folder.refresh().findings == ()
    assert folder.current is not good


def test_one_broken_file_keeps_all_others_back_as_well(tmp_path: pathlib.Path) -> None:
    write(tmp_path, "a.yaml", GOOD)
    folder = FlowFolder(tmp_path, world())
    good = folder.refresh()
    write(tmp_path, "a.yaml", BETTER)
    write(tmp_path, "b.yaml", BROKEN)
    folder.refresh()
    assert folder.current is good


def test_unchanged_folder_is_not_read_again(tmp_path: pathlib.Path) -> None:
    write(tmp_path, "a.yaml", BROKEN)
    folder = FlowFolder(tmp_path, world())
    assert folder.refresh() is folder.refresh()


def test_call_keeps_the_flows_with_which_it_began(tmp_path: pathlib.Path) -> None:
    write(tmp_path, "a.yaml", GOOD)
    folder = FlowFolder(tmp_path, world())
    begun_with = folder.refresh()
    steps = dict(begun_with.flows["a"].steps)
    write(tmp_path, "a.yaml", BETTER)
    folder.refresh()
    assert begun_with.flows["a"].steps == steps


@pytest.mark.parametrize("make", [True, False])
def test_folder_without_flows_is_a_finding_at_once(tmp_path: pathlib.Path, make: bool) -> None:
    place = tmp_path / "flows"
    if make:
        place.mkdir()
    folder = FlowFolder(place, world())
    assert [found.message for found in folder.refresh().findings] == ["there is no flow in this folder"]
    assert folder.current.flows == {}


def test_file_of_another_encoding_is_a_finding_in_its_line(tmp_path: pathlib.Path) -> None:
    (tmp_path / "a.yaml").write_bytes("ivr: 1\ntitle: 热线\n".encode("gb18030"))
    assert codes(tmp_path) == [("E101", "a.yaml", 2)]


def test_file_that_cannot_be_opened_is_a_finding_and_who_runs_it_is_not_blamed(tmp_path: pathlib.Path) -> None:
    (tmp_path / "called.yaml").mkdir()
    write(tmp_path, "a.yaml", flow("begin: {run: called, when: {good: end}}\nend: {hang_up: done}"))
    assert codes(tmp_path) == [("E101", "called.yaml", 1)]


def test_file_that_vanishes_while_it_is_looked_at_does_no_harm(tmp_path: pathlib.Path) -> None:
    (tmp_path / "gone.yaml").symlink_to(tmp_path / "nowhere.yaml")
    folder = FlowFolder(tmp_path, world())
    assert [found.code for found in folder.refresh().findings] == ["E101"]


def test_more_files_than_a_folder_may_have_are_a_finding(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(library_module, "FILES_MAX", 2)
    for name in "abc":
        write(tmp_path, f"{name}.yaml", GOOD)
    assert [found.message for found in load_library(tmp_path, world()).findings] == [
        "there are more than 2 flows in this folder"
    ]


def test_version_is_of_the_texts_alone(tmp_path: pathlib.Path) -> None:
    shutil.copytree(FLOWS, tmp_path / "copy")
    assert load_library(tmp_path / "copy", world()).version == shipped().version
    texts = {"a": ("a.yaml", GOOD), "b": ("b.yaml", BETTER)}
    swapped = {"a": ("a.yaml", BETTER), "b": ("b.yaml", GOOD)}
    assert build_library(texts, world()).version != build_library(swapped, world()).version


def test_hundred_flows_that_run_one_another_in_a_row_are_refused_and_not_recursed_into() -> None:
    texts = {
        f"f{n:03}": (
            f"f{n:03}.yaml",
            flow(
                f"begin: {{run: f{n + 1:03}, when: {{good: back}}}}\nback: {{return: good}}", top="outcomes: [good]\n"
            ),
        )
        for n in range(99)
    }
    texts["f099"] = ("f099.yaml", flow("begin: {return: good}", top="outcomes: [good]\n"))
    found = build_library(texts, world()).findings
    assert [(finding.code, finding.place.file) for finding in found] == [("E606", "f091.yaml")]
