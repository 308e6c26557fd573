"""Records what a real Asterisk says to us: `python -m tests.protocols.ami.record_dialogues`.

Each file of `dialogues/` is one connection: lines that begin with `>` were sent by us, with `<` received, in order;
line ends are CR LF on the wire, and bytes that are no printable ASCII are written as \\xNN.
"""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path

from tests.protocols.ami.asterisk_process import SECRET, AsteriskProcess, running_asterisk

FOLDER = Path(__file__).parent / "dialogues"
QUIET_S = 0.6

CALL = "Action: Originate\nActionID: {id}\nChannel: Local/hold@test/n\nContext: test\nExten: {exten}\nPriority: 1\n"
DIALOGUES: dict[str, tuple[str, str, list[str]]] = {
    # file: (account, event mask at login, actions)
    "lists_and_answers": (
        "engine",
        "system",
        [
            "Action: Ping\nActionID: 1",
            "Action: CoreStatus\nActionID: 2",
            "Action: CoreSettings\nActionID: 3",
            "Action: CoreShowChannels\nActionID: 4",
            "Action: QueueStatus\nActionID: 5",
            "Action: QueueStatus\nActionID: 6\nQueue: none",
            "Action: DeviceStateList\nActionID: 7",
            "Action: PJSIPShowContacts\nActionID: 8",
            "Action: NoSuchAction\nActionID: 9",
            "Action: Redirect\nActionID: 10\nChannel: none\nContext: test\nExten: hold\nPriority: 1",
            "Action: Getvar\nActionID: 11\nVariable: NONE",
            "Action: Hangup\nActionID: 12\nChannel: /^none/",
            "Action: Logoff\nActionID: 13",
        ],
    ),
    "events_off_hides_fully_booted": ("engine", "off", ["Action: Ping\nActionID: 1"]),
    "account_without_class_system": ("without_system", "on", ["Action: Ping\nActionID: 1"]),
    "wrong_secret": ("nobody", "on", []),
    "commands": (
        "doctor",
        "off",
        [
            "Action: Command\nActionID: 1\nCommand: logger show channels",
            "Action: Command\nActionID: 2\nCommand: no such command",
            "Action: PJSIPShowContacts\nActionID: 3",
            "Action: ModuleCheck\nActionID: 4\nModule: res_agi",
        ],
    ),
    "calls": (
        "engine",
        "on",
        [
            CALL.format(id="1", exten="greet") + "Async: true\nVariable: A=1\nVariable: B=2",
            CALL.format(id="2", exten="hold").replace("hold@test", "none@test") + "Async: true",
            CALL.format(id="3", exten="key") + "Async: true\nChannelId: woken",
            "Action: PlayDTMF\nActionID: 4\nChannel: Local/hold@test-00000002;2\nDigit: D\nReceive: true",
            "Action: PlayDTMF\nActionID: 5\nChannel: Local/hold@test-00000002;1\nDigit: D\nReceive: true",
            "Action: CoreShowChannels\nActionID: 6",
            "Action: Hangup\nActionID: 7\nChannel: Local/hold@test-00000002;1\nCause: 16",
            CALL.format(id="8", exten="queue") + "Async: true",
            "Action: QueueStatus\nActionID: 9",
        ],
    ),
}


def write(text: bytes) -> str:
    """Write wire bytes as a readable line."""
    return "".join(chr(byte) if 32 <= byte < 127 and byte != 92 else f"\\x{byte:02x}" for byte in text)


async def record(asterisk: AsteriskProcess, name: str) -> None:
    """Play one dialogue and write its file."""
    account, mask, actions = DIALOGUES[name]
    secret = "wrong" if account == "nobody" else SECRET
    login = f"Action: Login\nActionID: login\nUsername: {account}\nSecret: {secret}\nEvents: {mask}"
    here = str(asterisk.folder).encode()
    lines: list[str] = []
    reader, writer = await asyncio.open_connection("127.0.0.1", asterisk.ami_port)
    for action in [login, *actions]:
        writer.write(action.replace("\n", "\r\n").encode() + b"\r\n\r\n")
        shown = action.replace(SECRET, "secret").split("\n")
        received = b""
        while True:
            try:
                async with asyncio.timeout(QUIET_S if action is not login else 2.0):
                    data = await reader.read(65_536)
            except TimeoutError:
                break
            received += data
            if not data:
                break
        greeting, received = received.split(b"\r\n", 1) if action is login else (b"", received)
        lines += ["<" + write(greeting)] if greeting else []
        lines += [f">{line}" for line in [*shown, ""]]
        lines += ["<" + write(line) for line in received.replace(here, b"/asterisk").split(b"\r\n")[:-1]]
    writer.close()
    (FOLDER / f"{name}.txt").write_text("\n".join(lines) + "\n")


async def main() -> None:
    """Record every dialogue, each from the same Asterisk."""
    FOLDER.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        async with running_asterisk(Path(folder)) as asterisk:
            await asterisk.command("core waitfullybooted")
            for name in DIALOGUES:
                await record(asterisk, name)


if __name__ == "__main__":
    asyncio.run(main())
