"""A real Asterisk of one's own: a child process in a temporary folder, with only what these tests need.

A call on it has two ends. The engine's end runs `AGI` towards the server under test; the other, "the hand", runs
`AGI` too, so that a test can press keys (`EXEC SendDTMF`) and hang up when it wants, not when a clock says.
"""

from __future__ import annotations

import shutil
import subprocess
import time
from pathlib import Path
from types import TracebackType
from typing import Self

from ivr_engine.adapters.asterisk.locate import find_asterisk
from ivr_engine.app.settings import PROJECT
from ivr_engine.testcaller.ports import free_ports

START_S = 30.0
CLI_S = 10.0
MODULES = """
pbx_config res_agi res_speech app_dial app_senddtmf app_echo app_playback app_verbose res_musiconhold res_clioriginate
res_timing_timerfd bridge_simple bridge_holding format_pcm codec_ulaw func_channel func_timeout func_callerid
func_strings res_pjproject res_sorcery_config res_sorcery_memory res_sorcery_astdb res_rtp_asterisk res_pjsip
res_pjsip_session res_pjsip_sdp_rtp res_pjsip_caller_id res_pjsip_endpoint_identifier_ip
res_pjsip_endpoint_identifier_user res_pjsip_authenticator_digest res_pjsip_pubsub chan_pjsip
"""

EXTENSIONS = """
[engine]
exten => call,1,Set(IVR_DONE=0)
 same => n,AGI(agi://127.0.0.1:{port}/call,{token},first,second argument)
 same => n,Verbose(0,after AGI: done=${{IVR_DONE}} status=${{AGISTATUS}})
 same => n,Hangup()
exten => exit,1,Set(AGIEXITONHANGUP=yes)
 same => n,Goto(call,1)
exten => name,1,Set(CALLERID(all)=\xd5\xc5\xce\xb0 <13800138000>)
 same => n,Goto(call,1)
exten => twice,1,AGI(agi://127.0.0.1:{port}/call,{token})
 same => n,AGI(agi://127.0.0.1:{foreign_port}/foreign,{token})
 same => n,AGI(agi://127.0.0.1:{port}/call,{token})
 same => n,Hangup()
exten => wrong,1,AGI(agi://127.0.0.1:{port}/call,not-the-token-at-all)
 same => n,Verbose(0,after AGI: status=${{AGISTATUS}})
 same => n,Hangup()

[hand]
exten => s,1,Answer()
 same => n,AGI(agi://127.0.0.1:{hand_port}/hand,{token})
 same => n,Hangup()

[agents]
exten => answers,1,Answer()
 same => n,Wait(1.2)
 same => n,Hangup()
exten => rings,1,Ringing()
 same => n,Wait(20)
exten => busy,1,Busy(5)
"""

PJSIP = """
[transport]
type=transport
protocol=udp
bind=127.0.0.1:{sip_port}
[here]
type=identify
endpoint=agents
match=127.0.0.1
[agents]
type=endpoint
context=agents
disallow=all
allow=ulaw
direct_media=no
"""

AGENT = """
[{name}]
type=endpoint
context=agents
disallow=all
allow=ulaw
direct_media=no
aors={name}
[{name}]
type=aor
contact=sip:{name}@127.0.0.1:{sip_port}
"""


class BenchAsterisk:
    """Starts and stops the child; `folder` holds everything it writes."""

    def __init__(self, folder: Path, *, port: int, hand_port: int, foreign_port: int = 1, token: str) -> None:
        self.folder = folder
        self._settings = {
            "port": port,
            "hand_port": hand_port,
            "foreign_port": foreign_port,
            "token": token,
            "sip_port": free_ports(1)[0],
        }
        install = find_asterisk(PROJECT)
        self._modules = install.module_dir
        self._documentation = install.data_dir / "documentation"
        self._command = [*install.command, "-C", str(folder / "etc/asterisk.conf")]
        self._child: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self._write_configuration()
        with (self.folder / "console.txt").open("wb") as console:
            self._child = subprocess.Popen(
                [*self._command, "-f", "-n"], stdin=subprocess.DEVNULL, stdout=console, stderr=console
            )
        deadline = time.monotonic() + START_S
        while "fully booted" not in self.cli("core waitfullybooted"):
            if time.monotonic() > deadline or self._child.poll() is not None:
                self.__exit__(None, None, None)
                raise AssertionError((self.folder / "console.txt").read_text(errors="replace")[-2000:])
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._child is not None:
            # Not SIGTERM: Asterisk would wait for its calls, and nothing of this folder is kept.
            self._child.kill()
            self._child.wait()
            self._child = None

    def cli(self, command: str) -> str:
        """Run one console command and return what it printed."""
        done = subprocess.run([*self._command, "-rx", command], capture_output=True, timeout=CLI_S, check=False)
        return done.stdout.decode("utf-8", "replace")

    def place_call(self, extension: str = "call") -> None:
        """Begin a call between the hand and an extension of the engine's context."""
        self.cli(f"channel originate Local/s@hand/n extension {extension}@engine")

    def log(self) -> str:
        """Return what Asterisk has logged so far."""
        return (self.folder / "log/messages").read_text(errors="replace")

    def _write_configuration(self) -> None:
        folder = self.folder
        for name in ("etc", "run", "log", "spool", "lib", "data", "moh"):
            (folder / name).mkdir(parents=True, exist_ok=True)
        if self._documentation.is_dir():
            shutil.copytree(self._documentation, folder / "data/documentation", dirs_exist_ok=True)
        (folder / "moh/hold.ulaw").write_bytes(bytes(range(128, 208)) * 200)
        agents = "".join(AGENT.format(name=name, **self._settings) for name in ("answers", "rings", "busy"))
        files = {
            "asterisk.conf": (
                f"[directories]\nastetcdir => {folder}/etc\nastmoddir => {self._modules}\n"
                f"astvarlibdir => {folder}/lib\nastdbdir => {folder}/lib\nastkeydir => {folder}/lib\n"
                f"astdatadir => {folder}/data\nastagidir => {folder}/lib\nastspooldir => {folder}/spool\n"
                f"astrundir => {folder}/run\nastlogdir => {folder}/log\n[options]\nverbose = 3\n"
            ),
            "modules.conf": "[modules]\nautoload=no\n" + "".join(f"load={name}.so\n" for name in MODULES.split()),
            "logger.conf": "[logfiles]\nmessages => notice,warning,error,verbose(3)\n",
            "manager.conf": "[general]\nenabled=no\n",
            "musiconhold.conf": f"[default]\nmode=files\ndirectory={folder}/moh\n",
            "pjsip.conf": PJSIP.format(**self._settings) + agents,
            "rtp.conf": "[general]\nrtpstart=23000\nrtpend=23999\n",
        }
        for name in ("stasis", "features", "cdr", "cel", "indications", "udptl", "ccss", "acl", "http", "sorcery"):
            files[f"{name}.conf"] = ""
        for name, text in files.items():
            (folder / "etc" / name).write_text(text)
        # Bytes, because one caller's name is in GB18030 and no UTF-8.
        (folder / "etc/extensions.conf").write_bytes(EXTENSIONS.format(**self._settings).encode("latin-1"))
