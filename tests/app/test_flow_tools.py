"""Commands with which operators see and compare flows: what they print, and their exit status."""

from __future__ import annotations

import json
import re
from pathlib import Path

from tests.app.command import ivr


def test_impact_tells_file_line_column_step_and_first_flow(tmp_path: Path) -> None:
    ran = ivr("impact", "service", folder=tmp_path)
    assert ran.status == 0
    lines = ran.printed.splitlines()
    assert lines[0] == "queue service: used by 1 step"
    assert lines[1].endswith("  to_human (queue) in hotline")
    assert lines[2] == "  calls that begin with hotline reach it"
    found = json.loads(ivr("impact", "service", "--json", folder=tmp_path).printed)["impacts"]
    assert [(one["sort"], one["used_by"][0]["step"]) for one in found] == [("queue", "to_human")]


def test_impact_of_an_unknown_name_says_the_nearest(tmp_path: Path) -> None:
    ran = ivr("impact", "welcom", folder=tmp_path)
    assert ran.status == 2
    assert "did you mean 'welcome'?" in ran.complained


def test_impact_knows_what_callers_hear_without_a_flow(tmp_path: Path) -> None:
    assert "said by the engine itself" in ivr("impact", "sorry_technical", folder=tmp_path).printed
    assert "read out in cmn, yue, en" in ivr("impact", "number_1", folder=tmp_path).printed


def test_graph_is_written_as_svg_or_printed_as_svg_or_mermaid(tmp_path: Path) -> None:
    ran = ivr("graph", "library/sign_in", "--out", "sign_in.svg", folder=tmp_path)
    assert (ran.status, ran.printed) == (0, "drawn: sign_in.svg\n")
    written = (tmp_path / "sign_in.svg").read_text(encoding="utf-8")
    assert written.startswith("<svg ")
    assert ivr("graph", "library/sign_in", "--svg", folder=tmp_path).printed == written
    assert ivr("graph", "library/sign_in", folder=tmp_path).printed.startswith("flowchart TD\n")
    ivr("graph", "--mermaid", "--out", "picture.txt", folder=tmp_path)
    assert (tmp_path / "picture.txt").read_text(encoding="utf-8").startswith("flowchart TD\n")


def test_graph_of_an_unknown_flow_says_the_nearest(tmp_path: Path) -> None:
    ran = ivr("graph", "hotlin", "--svg", folder=tmp_path)
    assert (ran.status, ran.printed) == (2, "")
    assert "did you mean 'hotline'?" in ran.complained


def test_prompts_that_no_flow_uses_are_listed_and_are_something_found(tmp_path: Path) -> None:
    ran = ivr("prompts", "--unused", "--into", "nowhere", folder=tmp_path)
    assert ran.status == 1
    listed = ran.printed.partition("Texts that nothing uses:\n")[2].split()
    assert "en/survey" in listed
    assert not {"en/welcome", "en/number_1", "en/sorry_technical", "en/nothing_heard", "en/account_current"} & set(
        listed
    )
    assert "Without audio" not in ran.printed


def test_prompts_say_how_long_they_last_each_and_in_all(tmp_path: Path) -> None:
    ran = ivr("prompts", "--into", "nowhere", folder=tmp_path)
    assert ran.status == 1, "no recording is there"
    assert re.search(r"^cmn: \d+ prompts, about \d+ s, \d+ of them estimated \(~\)$", ran.printed, re.MULTILINE)
    assert re.search(r"^all together: \d+ prompts, about \d+ s", ran.printed, re.MULTILINE)
    assert re.search(r"^  welcome +~\d+\.\d s  Welcome to customer service\.$", ran.printed, re.MULTILINE)


def test_schema_is_printed_or_written_and_knows_names_only_when_asked(tmp_path: Path) -> None:
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
