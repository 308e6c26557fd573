"""Settings from file and environment; whatever is wrong is told, all of it, with the name to use."""

from __future__ import annotations

from pathlib import Path

import pytest

from ivr_engine.app.flow_world import flow_world
from ivr_engine.app.settings import AsteriskMode, Settings, SettingsError, load_settings
from ivr_engine.values.language import Language


def test_without_file_and_environment_the_defaults_hold(tmp_path: Path) -> None:
    assert load_settings(tmp_path, {}) == Settings()


def test_the_file_is_read_and_the_environment_wins_over_it(tmp_path: Path) -> None:
    (tmp_path / "ivr.toml").write_text(
        'sip_port = 5070\nweb_port = 8090\nagents = ["2001", "2002"]\nasterisk = "external"\n'
    )
    settings = load_settings(tmp_path, {"IVR_WEB_PORT": "8091", "IVR_DEFAULT_LANGUAGE": "yue", "HOME": "elsewhere"})
    assert (settings.sip_port, settings.web_port) == (5070, 8091)
    assert settings.agents == ("2001", "2002")
    assert settings.asterisk is AsteriskMode.EXTERNAL
    assert settings.default_language is Language.CANTONESE


def test_a_list_in_the_environment_is_separated_by_commas(tmp_path: Path) -> None:
    assert load_settings(tmp_path, {"IVR_AGENTS": "1001, 1002,,1003 "}).agents == ("1001", "1002", "1003")
    assert load_settings(tmp_path, {"IVR_AGENTS": ""}).agents == ()


def test_skills_of_agents_are_words_behind_their_account(tmp_path: Path) -> None:
    settings = load_settings(tmp_path, {"IVR_AGENT_SKILLS": "1001: en  credit_cards, 1002:en"})
    assert settings.skills == {"1001": {"en", "credit_cards"}, "1002": {"en"}}
    assert flow_world(settings).skills == {"en", "credit_cards"}
    assert load_settings(tmp_path, {}).skills == {}


@pytest.mark.parametrize("written", ["1001", "1001: ", "1001: EN", "en 1001", "1003: en"])
def test_skills_that_are_none_or_of_nobody_are_refused(tmp_path: Path, written: str) -> None:
    assert "agent_skills (IVR_AGENT_SKILLS)" in refusal(tmp_path, {"IVR_AGENT_SKILLS": written})


def test_variables_of_the_set_up_scripts_are_no_settings(tmp_path: Path) -> None:
    assert load_settings(tmp_path, {"IVR_ASTERISK_ROOT": "anywhere"}) == Settings()


def test_unknown_names_and_wrong_values_are_told_all_at_once_and_by_their_names(tmp_path: Path) -> None:
    (tmp_path / "ivr.toml").write_text('sip_prot = 5070\nlog_level = "loud"\n')
    told = refusal(tmp_path, {"IVR_WEB_PORT": "99999", "IVR_MAX_CALLS": "many", "IVR_QUEUE": "x"})
    lines = told.splitlines()
    assert len(lines) == 5
    assert "there is no setting 'sip_prot': did you mean 'sip_port'?" in lines
    assert any(line.startswith("there is no setting 'queue':") for line in lines)
    for name, value in (("log_level", "loud"), ("web_port", "99999"), ("max_calls", "many")):
        assert any(line.startswith(f"setting {name} (IVR_{name.upper()}):") and f"'{value}'" in line for line in lines)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("sip_bind", "localhost"),
        ("trunk_addresses", "192.0.2.1/24"),
        ("agi_peers", "everybody"),
        ("dial", "12"),
        ("prompts_dir", "/nowhere/at/all"),
        ("asterisk", "maybe"),
        ("default_language", "fr"),
        ("engine_id", "Engine 1"),
        ("zone", "Mars/Olympus"),
        ("environment", "Pre Production"),
        ("ring_s", "0"),
        ("max_wait_s", "-1"),
        ("rtp_first_port", "19999"),
    ],
)
def test_a_wrong_value_is_refused_under_the_name_of_its_setting(tmp_path: Path, name: str, value: str) -> None:
    told = refusal(tmp_path, {f"IVR_{name.upper()}": value})
    assert told.startswith(f"setting {name} (IVR_{name.upper()})")
    assert len(told.splitlines()) == 1


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("database_url", "mysql://bank:opensesame@host/calls"),
        ("database_url", "opensesame"),
        ("database_url", "sqlite://"),
        ("bank_url", "ftp://bank:opensesame@host"),
    ],
)
def test_a_wrong_address_is_refused_without_showing_the_password_in_it(tmp_path: Path, name: str, value: str) -> None:
    told = refusal(tmp_path, {f"IVR_{name.upper()}": value, "IVR_RTP_FIRST_PORT": "19999"})
    assert f"IVR_{name.upper()}" in told
    assert "opensesame" not in told


def test_settings_that_do_not_fit_together_are_told_without_showing_all_others(tmp_path: Path) -> None:
    told = refusal(tmp_path, {"IVR_RTP_LAST_PORT": "9999", "IVR_DATABASE_URL": "postgresql://u:opensesame@h/d"})
    assert "rtp_first_port" in told
    assert "opensesame" not in told


@pytest.mark.parametrize("text", ["sip_port =", "\xff", "[[[", "sip_port = 1\nsip_port = 2"])
def test_a_file_that_is_no_toml_is_refused_with_its_path(tmp_path: Path, text: str) -> None:
    (tmp_path / "ivr.toml").write_bytes(text.encode("latin-1"))
    assert str(tmp_path / "ivr.toml") in refusal(tmp_path, {})


def refusal(folder: Path, environment: dict[str, str]) -> str:
    with pytest.raises(SettingsError) as refused:
        load_settings(folder, environment)
    return str(refused.value)
