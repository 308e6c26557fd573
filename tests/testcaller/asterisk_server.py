"""A real Asterisk of our own for one test module: minimal configuration in a temporary folder, loopback only.

Knows files, ports and the process. Must not know what the tests ask of it beyond extensions and sounds.
"""

from __future__ import annotations

import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from ivr_engine.adapters.asterisk.locate import AsteriskInstall, find_asterisk
from ivr_engine.testcaller.ports import free_ports

PROJECT = Path(__file__).parents[2]
RTP_PORTS = (21300, 21998)
START_WITHIN_S = 20.0
STOP_WITHIN_S = 10.0
MODULES = (
    "res_timing_timerfd res_pjproject res_sorcery_config res_sorcery_memory res_sorcery_astdb "
    "res_pjsip res_pjsip_pubsub res_pjsip_session res_pjsip_sdp_rtp res_pjsip_caller_id "
    "res_pjsip_endpoint_identifier_ip res_pjsip_endpoint_identifier_user "
    "res_pjsip_authenticator_digest res_pjsip_registrar "
    "res_rtp_asterisk res_http_websocket res_musiconhold chan_pjsip "
    "codec_ulaw format_pcm pbx_config app_playback app_read app_dial app_stack app_echo "
    "bridge_simple bridge_native_rtp func_callerid func_channel func_strings app_userevent"
)


@dataclass(frozen=True, slots=True)
class AsteriskServer:
    """A running Asterisk: where its SIP and AMI listen."""

    sip_port: int
    ami_port: int
    folder: Path


def _configure(
    folder: Path, install: AsteriskInstall, sip_port: int, ami_port: int, dialplan: str, sounds: Path
) -> Path:
    settings = folder / "etc"
    for name in ("etc", "run", "log", "spool", "db", "keys", "data"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    (folder / "data/documentation").symlink_to(install.data_dir / "documentation")
    (folder / "data/sounds").symlink_to(sounds.resolve())
    files = {
        "asterisk.conf": f"""
[directories]
astetcdir => {settings}
astmoddir => {install.module_dir}
astvarlibdir => {folder}/data
astdatadir => {folder}/data
astdbdir => {folder}/db
astkeydir => {folder}/keys
astagidir => {folder}
astspooldir => {folder}/spool
astrundir => {folder}/run
astlogdir => {folder}/log
astsbindir => {folder}
[options]
nocolor = yes
hideconnect = yes
""",
        "modules.conf": "[modules]\nautoload=no\n" + "".join(f"load={name}.so\n" for name in MODULES.split()),
        "logger.conf": "[general]\n[logfiles]\nmessages => notice,warning,error\n",
        "extensions.conf": f"[general]\n[callers]\n{dialplan}\n",
        "rtp.conf": f"[general]\nrtpstart={RTP_PORTS[0]}\nrtpend={RTP_PORTS[1]}\nstrictrtp=no\n",
        "musiconhold.conf": f"[default]\nmode=files\ndirectory={sounds}/music\n",
        "manager.conf": f"""
[general]
enabled=yes
bindaddr=127.0.0.1
port={ami_port}
[test]
secret=test
read=system,dtmf,user,call
write=command,system
""",
        "cdr.conf": "[general]\nenable=no\n",
        "cel.conf": "[general]\nenable=no\n",
        "pjsip.conf": f"""
[global]
type=global
endpoint_identifier_order=username,ip
[udp]
type=transport
protocol=udp
bind=127.0.0.1:{sip_port}
[caller]
type=endpoint
context=callers
disallow=all
allow=ulaw
direct_media=no
rtp_symmetric=no
identify_by=ip
[caller_network]
type=identify
endpoint=caller
match=127.0.0.1
[1001]
type=endpoint
context=callers
disallow=all
allow=ulaw
direct_media=no
auth=1001
aors=1001
[1001]
type=auth
auth_type=digest
username=1001
password=not a secret
[1001]
type=aor
max_contacts=1
remove_existing=yes
""",
    }
    for name, text in files.items():
        (settings / name).write_text(text)
    return settings / "asterisk.conf"


def _booted(port: int) -> bool:
    """Log in to AMI and wait for its FullyBooted event; False while nothing listens."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=START_WITHIN_S) as link:
            link.sendall(b"Action: Login\r\nUsername: test\r\nSecret: test\r\n\r\n")
            seen = b""
            while b"FullyBooted" not in seen:
                arrived = link.recv(4096)
                if not arrived:
                    return False
                seen += arrived
    except OSError:
        return False
    return True


def _started(port: int, process: subprocess.Popen[bytes], folder: Path) -> None:
    deadline = time.monotonic() + START_WITHIN_S
    while not _booted(port):
        if process.poll() is not None or time.monotonic() > deadline:
            log = folder / "log/messages"
            text = log.read_text(errors="replace") if log.exists() else "(no log)"
            raise AssertionError(f"Asterisk did not start, exit status {process.returncode}\n{text}")
        time.sleep(0.05)  # polls a real process against a deadline


@contextmanager
def asterisk_with(folder: Path, dialplan: str, sounds: Path) -> Iterator[AsteriskServer]:
    """Run an Asterisk with these extensions (context `callers`) and sounds; stopped on leaving."""
    install = find_asterisk(PROJECT)
    sip_port, ami_port = free_ports(2)
    settings = _configure(folder, install, sip_port, ami_port, dialplan, sounds)
    with (folder / "console").open("wb") as console:
        process = subprocess.Popen(
            [*install.command, "-f", "-C", str(settings)], stdin=subprocess.DEVNULL, stdout=console, stderr=console
        )
        try:
            _started(ami_port, process, folder)
            yield AsteriskServer(sip_port, ami_port, folder)
        finally:
            process.terminate()
            try:
                process.wait(STOP_WITHIN_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
