"""What the README shows is what a newcomer sees who types it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from ivr_engine.app.settings import PROJECT
from ivr_engine.flow.library import build_library
from tests.app.command import ivr
from tests.flow.world import FLOWS, shipped, world

README: Final = (PROJECT / "README.md").read_text(encoding="utf-8")
SIGN_IN: Final = "library/sign_in"


def shown_after(command: str) -> list[str]:
    """What stands indented below a command, up to the next text or to dots."""
    block = README.partition(f"    $ {command}\n")[2].partition("\n\n")[0].partition("\n    ...")[0]
    return [line.removeprefix("    ") for line in block.splitlines()]


def test_call_in_the_readme_is_heard_like_that(tmp_path: Path) -> None:
    shown = shown_after(".venv/bin/ivr play --keys 3,1,620001#,246810,1")
    assert len(shown) > 5
    played = ivr("play", "--keys", "3,1,620001#,246810,1", folder=tmp_path).printed
    assert played.splitlines()[: len(shown)] == shown


def test_steps_in_the_readme_are_those_of_the_flow() -> None:
    sample = re.search(r"```yaml\n(.*?)```", README, re.DOTALL)
    assert sample is not None
    assert sample[1] in (FLOWS / f"{SIGN_IN}.yaml").read_text(encoding="utf-8")


def test_finding_in_the_readme_is_what_that_change_would_give() -> None:
    sources = {
        name: (f"flows/{name}.yaml", (FLOWS / f"{name}.yaml").read_text(encoding="utf-8")) for name in shipped().flows
    }
    file, text = sources[SIGN_IN]
    broken = text.replace("      locked: say_locked\n", "")
    assert broken != text
    findings = build_library({**sources, SIGN_IN: (file, broken)}, world()).findings
    assert [line for found in findings for line in found.render().splitlines()] == shown_after(".venv/bin/ivr check")


def test_commands_and_files_that_the_readme_names_exist() -> None:
    linked = re.findall(r"\]\(([^)#]+)\)", README)
    assert linked
    assert [path for path in linked if not (PROJECT / path).exists()] == []
    modules = re.findall(r"python -m (tests[\w.]+)", README)
    assert modules
    found = [PROJECT / name.replace(".", "/") for name in modules]
    assert [
        path.name for path in found if not (path.with_suffix(".py").exists() or (path / "__main__.py").exists())
    ] == []
    makefile = (PROJECT / "Makefile").read_text(encoding="utf-8")
    targets = re.findall(r"`?\bmake (\w+)`?", README)
    assert [name for name in targets if f"\n{name}:" not in makefile] == []
