"""The language in which authors of flows are spoken to: chosen, set up, or the terminal's."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from ivr_engine.app.commands.common import language_in_force
from ivr_engine.app.settings import PROJECT
from ivr_engine.flow.codes import explained
from ivr_engine.flow.wording import Wording
from ivr_engine.scenarios.findings import explained as explained_of_tests
from tests.app.command import ivr


@pytest.fixture
def broken(tmp_path: Path) -> Path:
    """Return a folder with the project's flows, one of which names a step that there is not."""
    hotline = Path(shutil.copytree(PROJECT / "flows", tmp_path / "flows")) / "hotline.yaml"
    hotline.write_text(hotline.read_text().replace("then: ask_language", "then: ask_langage"))
    return tmp_path


def test_check_speaks_chinese_when_asked_to(broken: Path) -> None:
    ran = ivr("check", "flows", "--language", "zh", folder=broken)
    assert ran.status == 1
    assert "  修改方法：是不是想写“ask_language”？详见：ivr explain E206\n" in ran.printed
    assert ran.printed.endswith(" 个步骤：发现 1 个问题\n")


def test_setting_chooses_the_language_and_the_command_line_wins_over_it(broken: Path) -> None:
    set_up = {"IVR_LANGUAGE_OF_FINDINGS": "zh", "LC_ALL": "en_GB.UTF-8"}
    assert "修改方法" in ivr("check", "flows", folder=broken, **set_up).printed
    assert "mend: did you mean" in ivr("check", "flows", "--language", "en", folder=broken, **set_up).printed


def test_language_that_authors_are_not_spoken_to_in_is_refused_with_the_choice(broken: Path) -> None:
    ran = ivr("check", "--language", "fr", folder=broken)
    assert ran.status == 2
    assert "zh" in ran.complained


def test_check_as_json_holds_both_languages_and_the_facts(broken: Path) -> None:
    ran = ivr("check", "flows", "--json", folder=broken)
    (row,) = json.loads(ran.printed)["findings"]
    assert row["end_column"] == row["column"] + len("ask_langage")
    assert row["message"] == "there is no step 'ask_langage'"
    assert row["mend"] == "did you mean 'ask_language'?"
    assert row["mend_zh"] == "是不是想写“ask_language”？"
    assert row["facts"]["mend"] == {"name": "ask_language"}


def test_mistakes_in_tests_are_explained_in_chinese_as_well(tmp_path: Path) -> None:
    meaning = explained_of_tests("T106", Wording.CHINESE)
    assert ivr("explain", "T106", "--language", "zh", folder=tmp_path).printed.startswith(f"T106：{meaning.title}\n")


def test_explain_speaks_chinese_in_a_chinese_terminal(tmp_path: Path) -> None:
    chinese = explained("E204", Wording.CHINESE)
    one = ivr("explain", "E204", folder=tmp_path, LC_ALL="zh_CN.UTF-8")
    assert one.printed == f"E204：{chinese.title}\n\n{chinese.explanation}\n"
    assert f"E204  {chinese.title}\n" in ivr("explain", folder=tmp_path, LC_ALL="zh_CN.UTF-8").printed


def test_explain_works_where_the_settings_do_not(tmp_path: Path) -> None:
    (tmp_path / "ivr.toml").write_text("sip_prot = 1\n")
    assert ivr("explain", "E204", folder=tmp_path).status == 0


@pytest.mark.parametrize(
    ("environment", "language"),
    [
        ({"LANG": "zh_CN.UTF-8"}, Wording.CHINESE),
        ({"LC_ALL": "", "LANG": "zh_CN.UTF-8"}, Wording.CHINESE),
        ({"LC_ALL": "en_GB.UTF-8", "LANG": "zh_CN.UTF-8"}, Wording.ENGLISH),
        ({"LC_MESSAGES": "zh_CN.UTF-8", "LANG": "en_GB.UTF-8"}, Wording.CHINESE),
        ({"LANG": "C.UTF-8"}, Wording.ENGLISH),
        ({}, Wording.ENGLISH),
    ],
)
def test_language_of_the_terminal_is_taken_when_none_is_chosen(
    environment: dict[str, str], language: Wording, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("IVR_LANGUAGE_OF_FINDINGS", raising=False)
    assert language_in_force(None, environment) is language


def test_language_that_is_chosen_wins_over_the_terminal() -> None:
    assert language_in_force(Wording.ENGLISH, {"LANG": "zh_CN.UTF-8"}) is Wording.ENGLISH
