"""Commands with which operators see and compare flows: what they print, and their exit status."""

from __future__ import annotations

import json
import os
import re
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from ivr_engine.app.cli import main
from ivr_engine.app.settings import PROJECT
from tests.adapters.test_revisions import git
from tests.app.command import KEPT, Ran, could_not

Ivr = Callable[..., Ran]


@pytest.fixture
def ivr(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Ivr:
    """Return what runs `ivr` like `tests.app.command.ivr`, in this process: these commands only read and print."""

    def run(*words: str, folder: Path, **environment: str) -> Ran:
        with monkeypatch.context() as here:
            for name in [name for name in os.environ if name.startswith("IVR_") and name not in KEPT]:
                here.delenv(name)
            for name, value in environment.items():
                here.setenv(name, value)
            here.chdir(folder)
            here.setattr(sys, "argv", ["ivr", *words])
            status = main()
        printed = capsys.readouterr()
        return Ran(status, printed.out, printed.err)

    return run


def test_impact_tells_file_line_column_step_and_first_flow(ivr: Ivr, tmp_path: Path) -> None:
    ran = ivr("impact", "service", folder=tmp_path)
    assert ran.status == 0
    lines = ran.printed.splitlines()
    assert lines[0] == "queue service: used by 4 steps"
    assert lines[1].endswith("  to_human (queue) in hotline")
    assert lines[2].endswith("  leave_message (record) in library/message_or_callback")
    assert lines[3].endswith("  call_back (callback) in library/message_or_callback")
    assert lines[4].endswith("  to_human (queue) in pin_service")
    assert lines[5:] == [f"  calls that begin with {flow} reach it" for flow in ("hotline", "pin_service")]
    found = json.loads(ivr("impact", "service", "--json", folder=tmp_path).printed)["impacts"]
    assert [(one["sort"], one["used_by"][0]["step"]) for one in found] == [("queue", "to_human")]


def test_impact_of_an_unknown_name_says_the_nearest(ivr: Ivr, tmp_path: Path) -> None:
    ran = ivr("impact", "welcom", folder=tmp_path)
    assert ran.status == 2
    assert "did you mean 'welcome'?" in ran.complained


def test_impact_knows_what_callers_hear_without_a_flow(ivr: Ivr, tmp_path: Path) -> None:
    assert "said by the engine itself" in ivr("impact", "sorry_technical", folder=tmp_path).printed
    assert "read out in cmn, yue, en" in ivr("impact", "number_1", folder=tmp_path).printed


def test_graph_is_written_as_svg_or_printed_as_svg_or_mermaid(ivr: Ivr, tmp_path: Path) -> None:
    ran = ivr("graph", "library/sign_in", "--out", "sign_in.svg", folder=tmp_path)
    assert (ran.status, ran.printed) == (0, "drawn: sign_in.svg\n")
    written = (tmp_path / "sign_in.svg").read_text(encoding="utf-8")
    assert written.startswith("<svg ")
    assert ivr("graph", "library/sign_in", "--svg", folder=tmp_path).printed == written
    assert ivr("graph", "library/sign_in", folder=tmp_path).printed.startswith("flowchart TD\n")
    ivr("graph", "--mermaid", "--out", "picture.txt", folder=tmp_path)
    assert (tmp_path / "picture.txt").read_text(encoding="utf-8").startswith("flowchart TD\n")


def test_graph_of_an_unknown_flow_says_the_nearest(ivr: Ivr, tmp_path: Path) -> None:
    ran = ivr("graph", "hotlin", "--svg", folder=tmp_path)
    assert (ran.status, ran.printed) == (2, "")
    assert "did you mean 'hotline'?" in ran.complained


def test_prompts_that_no_flow_uses_are_listed_and_are_something_found(ivr: Ivr, tmp_path: Path) -> None:
    ran = ivr("prompts", "--unused", "--into", "nowhere", folder=tmp_path)
    assert ran.status == 1
    listed = ran.printed.partition("Texts that nothing uses:\n")[2].split()
    assert "en/you_entered" in listed
    assert not {"en/welcome", "en/number_1", "en/sorry_technical", "en/nothing_heard", "en/account_current"} & set(
        listed
    )
    assert "Without audio" not in ran.printed


def test_prompts_say_how_long_they_last_each_and_in_all(ivr: Ivr, tmp_path: Path) -> None:
    ran = ivr("prompts", "--into", "nowhere", folder=tmp_path)
    assert ran.status == 1, "no recording is there"
    assert re.search(r"^cmn: \d+ prompts, about \d+ s, \d+ of them estimated \(~\)$", ran.printed, re.MULTILINE)
    assert re.search(r"^all together: \d+ prompts, about \d+ s", ran.printed, re.MULTILINE)
    assert re.search(r"^  welcome +~\d+\.\d s  Welcome to customer service\.$", ran.printed, re.MULTILINE)


def test_schema_is_printed_or_written_and_knows_names_only_when_asked(ivr: Ivr, tmp_path: Path) -> None:
    plain = ivr("schema", folder=tmp_path)
    assert plain.status == 0
    ran = ivr("schema", "--out", "flow.schema.json", folder=tmp_path)
    assert (ran.status, ran.printed) == (0, "written: flow.schema.json\n")
    assert (tmp_path / "flow.schema.json").read_text(encoding="utf-8") == plain.printed
    assert json.loads(plain.printed)["$schema"].endswith("draft-07/schema#")
    named = ivr("schema", "--with-names", folder=tmp_path)
    assert named.status == 0
    assert '"connecting_to_agent"' in named.printed
    queue = json.loads(named.printed)["definitions"]["step_queue"]["properties"]["queue"]
    assert queue["allOf"] == [{"if": {"type": "string"}, "then": {"enum": ["service"]}}]


@pytest.fixture
def changed(tmp_path: Path) -> Path:
    folder = Path(shutil.copytree(PROJECT / "flows", tmp_path / "changed"))
    hotline = folder / "hotline.yaml"
    hotline.write_text(hotline.read_text(encoding="utf-8").replace("      1: want_balance", "      6: want_balance"))
    return folder


def test_diff_tells_what_callers_notice(ivr: Ivr, changed: Path) -> None:
    ran = ivr("diff", str(PROJECT / "flows"), "changed", folder=changed.parent)
    assert ran.status == 1
    assert ran.printed.splitlines()[0] == "what callers call for:"
    moved = "balance moves from 1-1-(customer)-(pin)-(pick one) to 1-6-(customer)-(pin)-(pick one)"
    assert f"  hotline: {moved}\n" in ran.printed
    assert "menus:\n  hotline: main_menu: what leads to want_balance moves from 1 to 6\n" in ran.printed
    rows = json.loads(ivr("diff", str(PROJECT / "flows"), "changed", "--json", folder=changed.parent).printed)[
        "changes"
    ]
    assert ("menus", "main_menu", "1", "6") in [(row["topic"], row["step"], row["old"], row["new"]) for row in rows]


def test_diff_of_folders_takes_the_prompts_beside_each(ivr: Ivr, tmp_path: Path) -> None:
    for side in ("old", "new"):
        shutil.copytree(PROJECT / "flows", tmp_path / side / "flows")
        shutil.copytree(PROJECT / "prompts", tmp_path / side / "prompts")
    english = tmp_path / "new" / "prompts" / "en.yaml"
    english.write_text(english.read_text(encoding="utf-8").replace("\ngoodbye: Goodbye.", "\ngoodbye: Bye."))
    ran = ivr("diff", "old/flows", "new/flows", folder=tmp_path)
    assert ran.status == 1
    assert "prompts:\n  goodbye has other words in en: Goodbye. → Bye.\n" in ran.printed


def test_diff_of_the_same_flows_is_nothing(ivr: Ivr, changed: Path) -> None:
    ran = ivr("diff", "changed", "changed", folder=changed.parent)
    assert (ran.status, ran.printed) == (0, "callers notice nothing\n")


def test_diff_with_flows_that_do_not_load_shows_their_findings(ivr: Ivr, changed: Path) -> None:
    (changed / "hotline.yaml").write_text("ivr: 1\n")
    ran = ivr("diff", str(PROJECT / "flows"), "changed", folder=changed.parent)
    assert ran.status == 2
    assert "changed/hotline.yaml:1:1  E111" in ran.printed


@pytest.mark.parametrize("words", [(), ("one",), ("one", "two", "three"), ("one", "two", "--git", "HEAD")])
def test_diff_needs_two_folders_or_a_revision(ivr: Ivr, tmp_path: Path, words: tuple[str, ...]) -> None:
    ran = ivr("diff", *words, folder=tmp_path)
    assert ran.status == 2
    assert "name two folders of flows" in ran.complained


def test_diff_with_a_revision_compares_with_what_git_has(ivr: Ivr, tmp_path: Path, changed: Path) -> None:
    prompts = Path(shutil.copytree(PROJECT / "prompts", tmp_path / "prompts"))
    git(tmp_path, "init", "-q")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-qm", "first")
    own = {"IVR_FLOWS_DIR": str(changed), "IVR_PROMPTS_DIR": str(prompts)}
    assert ivr("diff", "--git", "HEAD", folder=tmp_path, **own).status == 0
    hotline = changed / "hotline.yaml"
    hotline.write_text(hotline.read_text(encoding="utf-8").replace("      0: to_human", "      8: to_human"))
    english = prompts / "en.yaml"
    english.write_text(english.read_text(encoding="utf-8").replace("goodbye: Goodbye.", "goodbye: Bye."))
    ran = ivr("diff", "--git", "HEAD", folder=tmp_path, **own)
    assert ran.status == 1
    assert "  hotline: a human moves from 1-0 to 1-8\n" in ran.printed
    assert "  goodbye has other words in en: Goodbye. → Bye.\n" in ran.printed
    assert "git knows no revision 'nowhere'" in could_not(ivr("diff", "--git", "nowhere", folder=tmp_path, **own))


@pytest.mark.parametrize("command", ["graph", "schema"])
def test_file_that_cannot_be_written_is_told_in_one_message(ivr: Ivr, tmp_path: Path, command: str) -> None:
    assert "cannot be written" in could_not(ivr(command, "--out", "no/such/folder/file", folder=tmp_path))
