"""The container files agree with the project and keep its walls."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from ivr_engine.app.settings import PREFIX, Settings

PROJECT = Path(__file__).resolve().parents[2]
COMPOSE = PROJECT / "docker/compose.yaml"
CONTAINERFILE = PROJECT / "docker/Containerfile"


@pytest.fixture
def services() -> dict[str, dict[str, Any]]:
    services: dict[str, dict[str, Any]] = yaml.safe_load(COMPOSE.read_text(encoding="utf-8"))["services"]
    return services


def test_every_setting_of_the_engine_exists(services: dict[str, dict[str, Any]]) -> None:
    names = {name.removeprefix(PREFIX).lower() for name in services["engine"]["environment"]}
    assert names <= set(Settings.model_fields)


def test_no_password_is_written_down(services: dict[str, dict[str, Any]]) -> None:
    assert services["postgresql"]["environment"]["POSTGRES_PASSWORD"].startswith("${POSTGRES_PASSWORD:?")
    assert "ivr:${POSTGRES_PASSWORD:?" in services["engine"]["environment"]["IVR_DATABASE_URL"]
    assert re.search(
        r"^POSTGRES_PASSWORD=$", (PROJECT / "docker/example.env").read_text(encoding="utf-8"), re.MULTILINE
    )


@pytest.mark.parametrize("name", ["asterisk", "engine"])
def test_service_has_no_rights_and_writes_only_into_its_volumes(services: dict[str, dict[str, Any]], name: str) -> None:
    service = services[name]
    assert service["cap_drop"] == ["ALL"]
    assert service["read_only"] is True
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["ulimits"]["core"] == 0


def test_asterisk_cannot_change_its_configuration_nor_see_the_engines_state(
    services: dict[str, dict[str, Any]],
) -> None:
    volumes = dict(volume.split(":", 1) for volume in services["asterisk"]["volumes"])
    assert "state" not in volumes
    assert volumes["config"].endswith(":ro")
    assert volumes["sounds"].endswith(":ro")


def test_database_is_reachable_from_this_machine_only(services: dict[str, dict[str, Any]]) -> None:
    assert all(port.startswith("127.0.0.1:") for port in services["postgresql"]["ports"])


def test_images_are_set_up_by_the_same_scripts_and_do_not_run_as_root() -> None:
    text = CONTAINERFILE.read_text(encoding="utf-8")
    for script in ("docker/setup/asterisk", "docker/setup/packages run", "docker/setup/python"):
        assert f"RUN {script}" in text
    stages = re.split(r"^FROM ", text, flags=re.MULTILINE)[1:]
    assert [re.findall(r"^USER (\w+)$", stage, re.MULTILINE)[-1] for stage in stages] == ["asterisk", "engine"]


def test_everything_that_is_copied_into_the_images_exists() -> None:
    for line in re.findall(r"^COPY (.+)$", CONTAINERFILE.read_text(encoding="utf-8"), re.MULTILINE):
        for source in line.split()[:-1]:
            assert (PROJECT / source).exists(), source
