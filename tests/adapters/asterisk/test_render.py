"""Settings become files that a real Asterisk reads without a complaint."""

from __future__ import annotations

import asyncio
import dataclasses
import re
import shutil
import ssl
import subprocess
from pathlib import Path
from typing import Any

import pytest

from ivr_engine.adapters.asterisk.ami_link import AmiTarget
from ivr_engine.adapters.asterisk.doctor.examination import DoctorTarget, examine
from ivr_engine.adapters.asterisk.locate import find_asterisk
from ivr_engine.adapters.asterisk.render import RenderError, render
from ivr_engine.adapters.asterisk.settings import (
    PROJECT_DIRECTORY,
    Agent,
    AsteriskSettings,
    SecondEngine,
)
from ivr_engine.app.secrets_file import load_or_make
from ivr_engine.testcaller.ports import free_ports
from tests.adapters.asterisk.loopback import HOTLINE, caller, open_folder, running_asterisk


def settings_for(folder: Path) -> AsteriskSettings:
    secrets = load_or_make(folder / "secrets", ("1001",))
    return AsteriskSettings(
        run_directory=folder / "run",
        sounds_directory=folder / "sounds",
        module_directory=Path("/usr/lib/asterisk/modules"),
        data_directory=Path("/usr/share/asterisk"),
        agi_token=secrets.agi_token,
        ami_engine_secret=secrets.ami_engine,
        ami_doctor_secret=secrets.ami_doctor,
        agents=(Agent("1001", secrets.agents["1001"]),),
    )


@pytest.fixture
def settings(tmp_path: Path) -> AsteriskSettings:
    return settings_for(tmp_path)


def rendered(settings: AsteriskSettings, target: Path, name: str) -> str:
    return next(path for path in render(settings, target) if path.name == name).read_text(encoding="utf-8")


def active_lines(text: str) -> list[str]:
    return [line for line in text.splitlines() if line.strip() and not line.lstrip().startswith(";")]


def test_every_template_is_written_with_closed_permissions(settings: AsteriskSettings, tmp_path: Path) -> None:
    written = render(settings, tmp_path / "conf")
    templates = {
        path.name for folder in ("asterisk-config", "dialplans") for path in (PROJECT_DIRECTORY / folder).glob("*.conf")
    }
    assert {path.name for path in written} == templates
    assert {path.stat().st_mode & 0o777 for path in written} == {0o640}
    assert (tmp_path / "conf").stat().st_mode & 0o777 == 0o750


def test_no_placeholder_is_left_over(settings: AsteriskSettings, tmp_path: Path) -> None:
    for path in render(settings, tmp_path / "conf"):
        assert not re.search(r"@[A-Z_]+@", path.read_text(encoding="utf-8")), path


def test_second_rendering_replaces_the_first_and_leaves_nothing_else(
    settings: AsteriskSettings, tmp_path: Path
) -> None:
    first = render(settings, tmp_path / "conf")
    second = render(dataclasses.replace(settings, sip_port=5099), tmp_path / "conf")
    assert first == second
    assert sorted((tmp_path / "conf").iterdir()) == first
    assert "bind = 127.0.0.1:5099" in (tmp_path / "conf/pjsip.conf").read_text(encoding="utf-8")


def own_templates(settings: AsteriskSettings, folder: Path) -> AsteriskSettings:
    shutil.copytree(settings.templates, folder / "templates")
    return dataclasses.replace(settings, templates=folder / "templates")


def test_unknown_placeholder_is_named_with_file_and_line(settings: AsteriskSettings, tmp_path: Path) -> None:
    settings = own_templates(settings, tmp_path)
    template = settings.templates / "acl.conf"
    template.write_text("; one\n; two\nkey = @NO_SUCH_VALUE@\n", encoding="utf-8")
    with pytest.raises(RenderError, match=rf"{re.escape(str(template))}:3: @NO_SUCH_VALUE@ is no known value"):
        render(settings, tmp_path / "conf")
    assert not (tmp_path / "conf").exists()


def test_value_that_no_template_uses_is_an_error(settings: AsteriskSettings, tmp_path: Path) -> None:
    settings = own_templates(settings, tmp_path)
    template = settings.templates / "rtp.conf"
    template.write_text(template.read_text(encoding="utf-8").replace("@RTP_LAST_PORT@", "9"), encoding="utf-8")
    with pytest.raises(RenderError, match="no template uses @RTP_LAST_PORT@"):
        render(settings, tmp_path / "conf")


def test_piece_that_ignores_a_value_is_an_error(settings: AsteriskSettings, tmp_path: Path) -> None:
    settings = own_templates(settings, tmp_path)
    (settings.templates / "parts/member.conf").write_text("member => PJSIP/1\n", encoding="utf-8")
    with pytest.raises(RenderError, match=r"member\.conf: does not use @NAME@"):
        render(settings, tmp_path / "conf")


@pytest.mark.parametrize("letter", ["\n", "\r", ";", "\0", "\x1b", ",", "${X}", "&", "@", " ", ")", "]"])
@pytest.mark.parametrize(
    "name", ["agi_token", "ami_engine_secret", "agi_host", "system_name", "language", "ami_engine_name"]
)
def test_letter_that_could_start_another_setting_is_refused(
    settings: AsteriskSettings, tmp_path: Path, name: str, letter: str
) -> None:
    value = f"abcdefgh{letter}ijklmnop"
    changes: dict[str, Any] = {name: value}
    with pytest.raises(RenderError, match=rf"^{name}: ") as caught:
        render(dataclasses.replace(settings, **changes), tmp_path / "conf")
    assert value not in str(caught.value)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"sip_port": 0}, "sip_port: 0 is not between"),
        ({"backstop_s": 1}, "backstop_s: 1 is not between"),
        ({"sip_bind": "localhost"}, "sip_bind: 'localhost' is no IP address"),
        ({"trunk_addresses": ()}, "trunk_addresses: name the carrier's addresses"),
        ({"trunk_addresses": ("192.0.2.1/24",)}, "trunk_addresses: 192.0.2.1/24 has host bits set"),
        ({"agents": (Agent("trunk", "x" * 32),)}, "agents.name"),
        ({"agents": (Agent("1", "x" * 32), Agent("1", "y" * 32))}, "a name stands there twice"),
        ({"agents": (Agent("1", "short"),)}, "agents.secret"),
        ({"agents": (Agent("1", "x" * 32, browser=True),)}, "needs webrtc_port"),
        ({"webrtc_port": 8089}, "browsers speak over TLS only"),
        ({"trunk_media_encrypted": True}, "keys would travel in clear"),
        ({"tls_certificate": Path("/c")}, "give both, or neither"),
        ({"ami_doctor_name": "engine"}, "must differ"),
        ({"rtp_first_port": 10000, "rtp_last_port": 10001}, "no room for two call legs"),
        ({"sounds_directory": Path("/a;b")}, "music_directory"),
        ({"run_directory": Path("/" + "r" * 110)}, "too long for a control socket"),
    ],
)
def test_wrong_setting_is_named(
    settings: AsteriskSettings, tmp_path: Path, changes: dict[str, object], words: str
) -> None:
    with pytest.raises(RenderError, match=re.escape(words)):
        render(dataclasses.replace(settings, **changes), tmp_path / "conf")  # type: ignore[arg-type]  # wrong on purpose


def test_settings_print_no_secret(settings: AsteriskSettings) -> None:
    hidden = (settings.agi_token, settings.ami_engine_secret, settings.ami_doctor_secret, settings.agents[0].secret)
    assert not any(secret in repr(settings) for secret in hidden)


def test_address_comes_before_name_when_trunk_and_agents_stand_apart(
    settings: AsteriskSettings, tmp_path: Path
) -> None:
    apart = dataclasses.replace(settings, trunk_addresses=("192.0.2.0/24",), agent_addresses=("198.51.100.0/24",))
    assert "endpoint_identifier_order = ip,username" in rendered(apart, tmp_path / "conf", "pjsip.conf")


def test_name_comes_before_address_on_a_machine_where_both_are_on_loopback(
    settings: AsteriskSettings, tmp_path: Path
) -> None:
    assert "endpoint_identifier_order = username,ip" in rendered(settings, tmp_path / "conf", "pjsip.conf")


@pytest.mark.parametrize(
    ("bind", "bound"), [("192.0.2.7", True), ("2001:db8::7", True), ("0.0.0.0", False), ("::", False)]
)
def test_audio_is_bound_to_the_address_of_sip(
    settings: AsteriskSettings, tmp_path: Path, bind: str, *, bound: bool
) -> None:
    lines = active_lines(rendered(dataclasses.replace(settings, sip_bind=bind), tmp_path / "conf", "pjsip.conf"))
    expected = 2 if bound else 0  # the trunk, and the one agent
    assert lines.count(f"media_address = {bind}") == expected
    assert lines.count("bind_rtp_to_media_address = yes") == expected


def test_second_engine_is_asked_to_resume_with_a_new_backstop(settings: AsteriskSettings, tmp_path: Path) -> None:
    two = dataclasses.replace(settings, second_engine=SecondEngine("192.0.2.9", 4574), backstop_s=45)
    dialplan = active_lines(rendered(two, tmp_path / "conf", "extensions.conf"))
    first = next(n for n, line in enumerate(dialplan) if "/incoming," in line)
    second = next(n for n, line in enumerate(dialplan) if "agi://192.0.2.9:4574/resume," in line)
    assert first < second
    assert "Set(TIMEOUT(absolute)=45)" in dialplan[second - 1]
    assert "IVR_DONE" in dialplan[second + 1]


def test_only_recordings_that_exist_are_played(settings: AsteriskSettings, tmp_path: Path) -> None:
    folder = settings.sounds_directory / "cmn"
    folder.mkdir(parents=True)
    assert not any("Playback(" in line for line in active_lines(rendered(settings, tmp_path / "a", "extensions.conf")))
    (folder / "goodbye.ulaw").write_bytes(b"\x7f")
    played = [
        line for line in active_lines(rendered(settings, tmp_path / "b", "extensions.conf")) if "Playback(" in line
    ]
    assert played == [f" same => n(goodbye),Playback({folder}/goodbye)"]


def test_waiting_words_come_from_the_queue_after_it_has_taken_the_caller(
    settings: AsteriskSettings, tmp_path: Path
) -> None:
    dialplan = active_lines(rendered(settings, tmp_path / "conf", "extensions.conf"))
    queues = active_lines(rendered(settings, tmp_path / "conf", "queues.conf"))
    queued = next(n for n, line in enumerate(dialplan) if "Queue(" in line)
    assert "Answer()" in dialplan[queued - 1]
    assert f"periodic-announce = {settings.sounds_directory}/cmn/connecting_to_agent" in queues


def test_callers_can_reach_no_dial_and_no_open_pattern(settings: AsteriskSettings, tmp_path: Path) -> None:
    lines = active_lines(rendered(settings, tmp_path / "conf", "extensions.conf"))
    contexts: dict[str, list[str]] = {}
    for line in lines:
        if line.startswith("["):
            contexts[line.strip("[]")] = current = []
        else:
            current.append(line)
    assert not any("Dial(" in line for name in ("from-trunk", "hotline", "fallback") for line in contexts[name])
    assert not any(re.search(r"=> _[^,]*[.!]", line) for line in lines)
    assert not any(line.startswith("include") for line in lines)
    assert [line for line in contexts["agents"] if "Dial(" in line] == ["exten => 1001,1,Dial(PJSIP/1001,30)"]


def test_no_account_reads_keys_and_no_log_level_writes_them(settings: AsteriskSettings, tmp_path: Path) -> None:
    manager = active_lines(rendered(settings, tmp_path / "conf", "manager.conf"))
    read = {word for line in manager if line.startswith("read") for word in line.split("=")[1].strip().split(",")}
    write = {word for line in manager if line.startswith("write =") for word in line.split("=")[1].strip().split(",")}
    assert not read & {"all", "dtmf", "dialplan", "agi", "verbose", "cdr"}
    assert not write & {"all", "system", "command", "config"}
    logger = active_lines(rendered(settings, tmp_path / "conf", "logger.conf"))
    levels = {level for line in logger if "=>" in line for level in line.split("=>")[1].strip().split(",")}
    assert levels == {"notice", "warning", "error", "security"}


@pytest.mark.asterisk
async def test_asterisk_starts_without_error_and_without_warning() -> None:
    async with running_asterisk() as running:
        assert running.process.warnings == []
        assert not [line for line in running.log.splitlines() if " ERROR[" in line or " WARNING[" in line]


@pytest.mark.asterisk
async def test_doctor_finds_nothing_wrong_with_what_is_shipped() -> None:
    async with running_asterisk() as running:
        settings = running.settings
        ami = AmiTarget("127.0.0.1", settings.ami_port, settings.ami_doctor_name, settings.ami_doctor_secret)
        config = running.folder / "conf"
        console = (*find_asterisk(PROJECT_DIRECTORY).command, "-C", str(config / "asterisk.conf"))
        findings = await examine(DoctorTarget(config=config, ami=ami, console=console))
    assert findings == []


@pytest.mark.asterisk
async def test_exactly_the_allowed_modules_are_running() -> None:
    async with running_asterisk() as running:
        shown = await running.process.cli("module show")
        text = (running.folder / "conf/modules.conf").read_text(encoding="utf-8")
    # Modules without .so are parts of the program itself.
    loaded = {line.split()[0] for line in shown.splitlines() if " Running " in line and ".so" in line}
    assert loaded == set(re.findall(r"^require = (\S+)$", text, re.MULTILINE))
    assert 40 <= len(loaded) <= 60


def self_signed(folder: Path) -> tuple[Path, Path]:
    certificate, key = folder / "certificate.pem", folder / "key.pem"
    options = ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=test"]
    subprocess.run(
        ["openssl", *options, "-keyout", key, "-out", certificate], check=True, capture_output=True, timeout=30
    )
    key.chmod(0o644)
    return certificate, key


@pytest.mark.asterisk
async def test_browser_softphones_open_one_tls_socket_and_no_plain_one() -> None:
    with open_folder() as keys:
        certificate, key = self_signed(keys)
        webrtc_port, sip_tls_port = free_ports(2)
        browser = Agent("2001", "s" * 32, browser=True)
        async with running_asterisk(
            tls_certificate=certificate,
            tls_key=key,
            webrtc_port=webrtc_port,
            sip_tls_port=sip_tls_port,
            agents=(browser,),
        ) as running:
            status = await running.process.cli("http show status")
            transports = await running.process.cli("pjsip show transports")
            endpoint = await running.process.cli("pjsip show endpoint 2001")
            trusted = ssl.create_default_context(cafile=certificate)
            trusted.check_hostname = False
            _, writer = await asyncio.open_connection("127.0.0.1", webrtc_port, ssl=trusted)
            writer.close()
    assert "Server Disabled" in status  # the plain one
    assert "/ws => Asterisk HTTP WebSocket" in status
    assert {"transport-wss", "transport-tls"} <= set(transports.split())
    assert re.search(r"webrtc +: yes", endpoint)
    assert re.search(r"media_encryption +: dtls", endpoint)


@pytest.mark.asterisk
async def test_dialplan_hands_token_and_dialled_number_to_the_engine() -> None:
    asked: asyncio.Future[dict[str, str]] = asyncio.get_running_loop().create_future()

    async def engine(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        text = (await reader.readuntil(b"\n\n")).decode()
        asked.set_result(dict(line.split(": ", 1) for line in text.splitlines() if ": " in line))
        writer.close()

    server = await asyncio.start_server(engine, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server, running_asterisk(agi_port=port) as running, caller(running):
        async with asyncio.timeout(5):
            request = await asked
    assert request["agi_network_script"] == "incoming"
    assert request["agi_arg_1"] == running.settings.agi_token
    assert request["agi_dnid"] == HOTLINE
    assert request["agi_callerid"] == "13800138000"
    assert request["agi_calleridname"] == "unknown"
