"""The hotline's own secrets: made once, kept, and never trusted when others could have read or damaged them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ivr_engine.app.secrets_file import FILE, SecretsFileError, load_or_make

AGENTS = ("1001", "1002")


def test_secrets_are_made_once_and_kept_over_starts(tmp_path: Path) -> None:
    first = load_or_make(tmp_path / "state", AGENTS)
    assert load_or_make(tmp_path / "state", AGENTS) == first
    assert set(first.agents) == set(AGENTS)
    values = [first.pin_key, first.agi_token, first.ami_engine, first.ami_doctor, first.bank_token]
    values += first.agents.values()
    assert len(set(values)) == len(values)
    assert all(len(value) >= 43 for value in values), "256 bits each"


def test_only_the_owner_can_read_the_file(tmp_path: Path) -> None:
    load_or_make(tmp_path, AGENTS)
    assert (tmp_path / FILE).stat().st_mode & 0o777 == 0o600
    assert [path.name for path in tmp_path.iterdir()] == [FILE]


def test_a_new_agent_gets_a_password_and_all_others_keep_theirs(tmp_path: Path) -> None:
    before = load_or_make(tmp_path, ("1001",))
    after = load_or_make(tmp_path, AGENTS)
    assert after.agents["1001"] == before.agents["1001"]
    assert after.pin_key == before.pin_key


def test_an_agent_who_was_taken_out_and_is_put_back_keeps_the_password_of_the_telephone(tmp_path: Path) -> None:
    before = load_or_make(tmp_path, AGENTS)
    load_or_make(tmp_path, ("1001",))
    assert load_or_make(tmp_path, AGENTS) == before


def test_secrets_show_themselves_in_no_text(tmp_path: Path) -> None:
    secrets = load_or_make(tmp_path, AGENTS)
    assert secrets.pin_key not in repr(secrets)
    assert secrets.agents["1001"] not in f"{secrets}"


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o666])
def test_a_file_that_others_can_read_is_refused_with_the_command_that_mends_it(tmp_path: Path, mode: int) -> None:
    load_or_make(tmp_path, AGENTS)
    (tmp_path / FILE).chmod(mode)
    with pytest.raises(SecretsFileError, match="chmod 600"):
        load_or_make(tmp_path, AGENTS)


@pytest.mark.parametrize("text", ["", "{", "[]", "null", "{}", '{"pin_key": 5}', '{"pin_key": "short"}', "\xff\xfe"])
def test_a_damaged_file_is_refused_and_left_as_it_is_because_a_new_key_would_lock_customers_out(
    tmp_path: Path, text: str
) -> None:
    path = tmp_path / FILE
    path.write_bytes(text.encode("latin-1"))
    path.chmod(0o600)
    with pytest.raises(SecretsFileError, match="damaged"):
        load_or_make(tmp_path, AGENTS)
    assert path.read_bytes() == text.encode("latin-1")


def test_a_secret_that_is_missing_beside_a_good_key_is_made(tmp_path: Path) -> None:
    before = load_or_make(tmp_path, AGENTS)
    path = tmp_path / FILE
    known = json.loads(path.read_text())
    del known["agi_token"]
    path.write_text(json.dumps(known))
    after = load_or_make(tmp_path, AGENTS)
    assert after.pin_key == before.pin_key
    assert len(after.agi_token) >= 43
