"""`ivr serve` with something wrong: one message that says what and how to mend it, exit status 2, and no traceback."""

from __future__ import annotations

import shutil
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from ivr_engine.app.secrets_file import FILE, load_or_make
from ivr_engine.app.settings import PROJECT
from ivr_engine.testcaller.ports import free_ports
from tests.app.command import Ran, could_not, ivr, own_ports
from tests.asterisk.hotline import _share_recordings, running_hotline

SIP, AGI, AMI, WEB = range(4)


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder with recordings in which a hotline could start. Not one of pytest's: Asterisk may be another user."""
    with TemporaryDirectory(prefix="ivr-test-") as name:
        path = Path(name)
        path.chmod(0o755)
        _share_recordings(path / "state")
        yield path


@pytest.fixture
def ports() -> list[int]:
    return free_ports(4)


def serve(folder: Path, ports: list[int], **environment: str) -> Ran:
    return ivr("serve", folder=folder, **{**own_ports(folder, ports), **environment})


@pytest.mark.parametrize(
    ("good", "bad", "told"),
    [
        ("then: ask_language", "then: ask_langage", "E206  there is no step 'ask_langage'"),
        ("say: welcome", "say: welcom", "E401  there is no prompt 'welcom'"),
    ],
    ids=["a step that does not exist", "a prompt that does not exist"],
)
def test_a_flow_with_a_finding_is_told_with_its_place_before_anything_is_started(
    folder: Path, ports: list[int], good: str, bad: str, told: str
) -> None:
    flow = Path(shutil.copytree(PROJECT / "flows", folder / "flows")) / "hotline.yaml"
    flow.write_text(flow.read_text().replace(good, bad))
    line = 1 + flow.read_text().split(bad, maxsplit=1)[0].count("\n")
    ran = serve(folder, ports, IVR_FLOWS_DIR=str(flow.parent))
    message = could_not(ran)
    assert f"{flow}:{line}:" in message
    assert told in message
    assert "mend: did you mean" in message
    assert "✓" not in ran.complained


def test_a_first_flow_that_does_not_exist_is_told_with_the_nearest_name(folder: Path, ports: list[int]) -> None:
    message = could_not(serve(folder, ports, IVR_FIRST_FLOW="hotlin"))
    assert "did you mean 'hotline'?" in message
    assert "IVR_FIRST_FLOW" in message


def test_wrong_settings_are_told_all_at_once(folder: Path, ports: list[int]) -> None:
    message = could_not(serve(folder, ports, IVR_LOG_LEVEL="loud", IVR_MAX_CALLS="0", IVR_SIP_PROT="1"))
    assert len(message.splitlines()) == 3


@pytest.mark.asterisk
@pytest.mark.parametrize(
    ("which", "kind", "setting"),
    [
        (SIP, socket.SOCK_DGRAM, "SIP port"),
        (AGI, socket.SOCK_STREAM, "IVR_AGI_PORT"),
        (AMI, socket.SOCK_STREAM, "AMI"),
        (WEB, socket.SOCK_STREAM, "IVR_WEB_PORT"),
    ],
    ids=["SIP", "AGI", "AMI", "web"],
)
def test_a_port_that_another_program_uses_is_told_and_nothing_is_left_running(
    folder: Path, ports: list[int], which: int, kind: socket.SocketKind, setting: str
) -> None:
    with taken(ports[which], kind):
        message = could_not(serve(folder, ports))
    assert setting in message
    assert "use" in message
    assert not (folder / "state" / "asterisk-run" / "run" / "asterisk.ctl").exists()
    with taken(ports[SIP], socket.SOCK_DGRAM):
        pass


@pytest.mark.asterisk
def test_an_address_that_this_machine_does_not_have_is_told(folder: Path, ports: list[int]) -> None:
    message = could_not(serve(folder, ports, IVR_AGI_HOST="203.0.113.7"))
    assert "IVR_AGI_HOST" in message
    assert "Cannot assign requested address" in message


@pytest.mark.asterisk
def test_a_second_hotline_in_the_same_folder_is_refused_and_the_first_goes_on(ports: list[int]) -> None:
    with running_hotline() as first:
        message = could_not(serve(first.folder, ports))
        assert "already runs in" in message
        assert "IVR_STATE_DIR" in message
        assert first.healthy()


def test_without_asterisk_it_says_where_it_looked_and_how_to_get_one(folder: Path, ports: list[int]) -> None:
    message = could_not(serve(folder, ports, IVR_ASTERISK_ROOT="/nonexistent"))
    assert "IVR_ASTERISK_ROOT=/nonexistent" in message
    assert "Mend: " in message


def test_without_a_speech_program_and_without_recordings_it_says_what_to_install(
    tmp_path: Path, ports: list[int]
) -> None:
    message = could_not(serve(tmp_path, ports, PATH=str(tmp_path)))
    assert "espeak-ng" in message


def test_a_database_that_is_away_is_told_before_anything_is_started(folder: Path, ports: list[int]) -> None:
    message = could_not(serve(folder, ports, IVR_DATABASE_URL="postgresql://127.0.0.1:1/x"))
    assert "the database is away" in message
    assert "IVR_DATABASE_URL" in message


@pytest.mark.asterisk
def test_a_bank_that_would_be_reached_in_the_clear_is_refused(folder: Path, ports: list[int]) -> None:
    message = could_not(serve(folder, ports, IVR_BANK_URL="http://bank.example"))
    assert "a PIN must not travel in the clear" in message


def test_a_file_of_secrets_that_is_damaged_or_readable_is_refused(folder: Path, ports: list[int]) -> None:
    secrets = folder / "state" / FILE
    load_or_make(folder / "state", ())
    secrets.chmod(0o644)
    assert f"chmod 600 {secrets}" in could_not(serve(folder, ports))
    secrets.chmod(0o600)
    secrets.write_text("{")
    assert "damaged" in could_not(serve(folder, ports))


def test_a_state_folder_that_cannot_be_made_is_told(tmp_path: Path, ports: list[int]) -> None:
    (tmp_path / "file").write_text("")
    message = could_not(serve(tmp_path, ports, IVR_STATE_DIR=str(tmp_path / "file" / "state")))
    assert "IVR_STATE_DIR" in message
    in_the_way = str(tmp_path / "file" / "state")
    assert could_not(ivr("db", "check", folder=tmp_path, IVR_STATE_DIR=in_the_way)) == message


@contextmanager
def taken(port: int, kind: socket.SocketKind) -> Iterator[None]:
    """Hold a port as another program would."""
    with socket.socket(socket.AF_INET, kind) as holder:
        holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, int(kind is socket.SOCK_STREAM))
        holder.bind(("127.0.0.1", port))
        if kind is socket.SOCK_STREAM:
            holder.listen()
        yield
