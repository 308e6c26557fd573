"""A real Asterisk with AMI, for the tests of our client and of the doctor: files, a free port and the process.

Must not know what the tests ask of it. Everything listens on loopback; nothing outside its own folder is written.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from ivr_engine.adapters.asterisk.ami import AmiTarget
from ivr_engine.adapters.asterisk.locate import AsteriskInstall, find_asterisk
from ivr_engine.testcaller.ports import free_ports

PROJECT = Path(__file__).resolve().parents[3]
START_WITHIN_S = 30.0
STOP_WITHIN_S = 10.0
SECRET = "for-this-test-only"

MODULES = """
res_timing_timerfd res_pjproject res_sorcery_config res_sorcery_memory res_sorcery_astdb res_pjsip res_pjsip_pubsub
res_pjsip_session res_pjsip_sdp_rtp res_pjsip_endpoint_identifier_ip res_pjsip_authenticator_digest
res_rtp_asterisk res_http_websocket res_websocket_client res_musiconhold res_speech res_agi res_manager_devicestate
chan_pjsip codec_ulaw format_pcm pbx_config app_dial app_queue app_stack app_userevent app_senddtmf app_echo
bridge_simple bridge_builtin_features func_channel func_devstate func_strings
"""

READ = "system,call,agent,user,security,reporting"
WRITE = "originate,call,agent,reporting,user"

FILES: Mapping[str, str] = {
    "logger.conf": "[logfiles]\nmessages => notice,warning,error\n",
    "queues.conf": "[general]\n[support]\nstrategy=rrmemory\nmember => PJSIP/agent1\n[empty]\nstrategy=rrmemory\n",
    "extensions.conf": """
[test]
exten => hold,1,Answer()
 same => n,Wait(60)
exten => greet,1,Answer()
 same => n,UserEvent(Greeting,Name: 张伟先生,Empty:)
 same => n,Hangup()
exten => queue,1,Answer()
 same => n,Queue(support,,,,20)
exten => device,1,Set(DEVICE_STATE(Custom:desk)=INUSE)
 same => n,Set(DEVICE_STATE(Custom:desk)=NOT_INUSE)
 same => n,Hangup()
exten => key,1,Answer()
 same => n,WaitExten(20)
exten => D,1,UserEvent(Woken)
 same => n,Wait(60)
""",
}
EMPTY = "acl ccss cdr cel features http indications musiconhold pjproject rtp stasis udptl websocket_client"


@dataclass
class AsteriskProcess:
    """One Asterisk in its folder; `start` and `stop` as often as a test likes."""

    folder: Path
    install: AsteriskInstall
    ami_port: int
    _process: asyncio.subprocess.Process | None = field(default=None, repr=False)

    def target(self, account: str = "engine", secret: str = SECRET) -> AmiTarget:
        """Return where its AMI listens."""
        return AmiTarget("127.0.0.1", self.ami_port, account, secret)

    @property
    def pid(self) -> int:
        """The process."""
        assert self._process is not None
        return self._process.pid

    async def start(self) -> None:
        """Start and wait until AMI greets; raise AssertionError with the log when it does not."""
        config = self.folder / "etc/asterisk.conf"
        output = (self.folder / "output.txt").open("ab")
        with output:
            self._process = await asyncio.create_subprocess_exec(
                *self.install.command, "-C", str(config), "-f", stdout=output, stderr=output, cwd=self.folder
            )
        deadline = asyncio.get_running_loop().time() + START_WITHIN_S
        while asyncio.get_running_loop().time() < deadline and self._process.returncode is None:
            with contextlib.suppress(OSError):
                reader, writer = await asyncio.open_connection("127.0.0.1", self.ami_port)
                greeting = await reader.readline()
                writer.close()
                await writer.wait_closed()
                if greeting.startswith(b"Asterisk Call Manager/"):
                    return
            await asyncio.sleep(0.05)
        raise AssertionError(f"Asterisk did not start:\n{(self.folder / 'output.txt').read_text(errors='replace')}")

    async def stop(self) -> None:
        """Kill it as a crash would; harmless when it does not run."""
        process, self._process = self._process, None
        if process is None or process.returncode is not None:
            return
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        async with asyncio.timeout(STOP_WITHIN_S):
            await process.wait()

    async def command(self, words: str) -> str:
        """Run a console command, as an operator at the machine would."""
        process = await asyncio.create_subprocess_exec(
            *self.install.command,
            "-C",
            str(self.folder / "etc/asterisk.conf"),
            "-rx",
            words,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        async with asyncio.timeout(STOP_WITHIN_S):
            output, _ = await process.communicate()
        return output.decode()


def configure(folder: Path) -> AsteriskProcess:
    """Write a configuration and return the Asterisk that would use it, not started."""
    install = find_asterisk(PROJECT)
    ami_port, sip_port = free_ports(2)
    for name in ("etc", "run", "log", "spool", "db", "keys"):
        (folder / name).mkdir(parents=True)
    directories = {
        "astetcdir": folder / "etc",
        "astmoddir": install.module_dir,
        "astvarlibdir": folder / "db",
        "astdbdir": folder / "db",
        "astkeydir": folder / "keys",
        "astdatadir": install.data_dir,
        "astagidir": folder / "db",
        "astspooldir": folder / "spool",
        "astrundir": folder / "run",
        "astlogdir": folder / "log",
    }
    accounts = {
        "engine": (READ, WRITE),
        "other": (READ, WRITE),
        "without_system": ("call,agent", WRITE),
        "doctor": ("", "command,reporting,system"),
    }
    files = {
        "asterisk.conf": "[directories]\n" + "".join(f"{key} => {path}\n" for key, path in directories.items()),
        "modules.conf": "[modules]\nautoload=no\n" + "".join(f"load={name}.so\n" for name in MODULES.split()),
        "manager.conf": f"[general]\nenabled=yes\nbindaddr=127.0.0.1\nport={ami_port}\n"
        + "".join(
            f"[{name}]\nsecret={SECRET}\nread={read}\nwrite={write}\nwritetimeout=5000\n"
            for name, (read, write) in accounts.items()
        ),
        "pjsip.conf": f"[udp]\ntype=transport\nprotocol=udp\nbind=127.0.0.1:{sip_port}\n"
        "[agent1]\ntype=endpoint\ncontext=test\ndisallow=all\nallow=ulaw\naors=agent1\n"
        "[agent1]\ntype=aor\ncontact=sip:agent1@127.0.0.1:9\n",
        **FILES,
        **{f"{name}.conf": "" for name in EMPTY.split()},
    }
    for file_name, text in files.items():
        (folder / "etc" / file_name).write_text(text)
    return AsteriskProcess(folder, install, ami_port)


@contextlib.asynccontextmanager
async def running_asterisk(folder: Path) -> AsyncIterator[AsteriskProcess]:
    """Run a real Asterisk while the block runs."""
    asterisk = configure(folder)
    try:
        await asterisk.start()
        yield asterisk
    finally:
        await asterisk.stop()
