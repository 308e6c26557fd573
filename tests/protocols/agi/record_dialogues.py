"""Records the dialogues in `dialogues/` from a real Asterisk: `python -m tests.protocols.agi.record_dialogues`.

Needs IVR_ASTERISK_ROOT. Speaks AGI with plain streams, not with the engine's own protocol: what is recorded
must not depend on what it is going to test.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path

from tests.adapters.asterisk.bench_asterisk import BenchAsterisk
from tests.protocols.agi.dialogue import DIALOGUES, Step, written
from tests.waiting import until

HEAR_S = 20.0
TOKEN = "token-of-the-recording"


class Peer:
    """One AGI connection of a recording; `steps` is what went over it."""

    asterisk: BenchAsterisk

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer
        self.steps: list[Step] = []

    async def hear(self) -> bytes:
        line = await asyncio.wait_for(self._reader.readline(), HEAR_S)
        self.steps.append(Step("<", line) if line else Step(".", b""))
        return line

    async def environment(self) -> None:
        while await self.hear() != b"\n":
            pass

    def say(self, line: str) -> None:
        self.steps.append(Step(">", line.encode() + b"\n"))
        self._writer.write(line.encode() + b"\n")

    async def ask(self, line: str) -> None:
        """Say a line and hear its whole answer."""
        self.say(line)
        await self.answer()

    async def answer(self) -> None:
        heard = await self.hear()
        while heard in (b"HANGUP\n", b"\n"):
            heard = await self.hear()
        if heard.startswith(b"520-"):
            while not heard.endswith(b"520 End of proper usage.\n"):
                heard = await self.hear()

    def close(self) -> None:
        self._writer.close()


Script = Callable[[Peer, Peer], Awaitable[None]]
SHORT, LONG = "/bench/short", "/bench/long"


async def press(hand: Peer, keys: str) -> None:
    await hand.ask(f'EXEC SendDTMF "{keys},100,80"')


async def playing(call: Peer, hand: Peer) -> None:
    await call.ask("ANSWER")
    await call.ask("CHANNEL STATUS")
    await call.ask(f'STREAM FILE "{SHORT}" "" "0"')
    await call.ask(f'STREAM FILE "{SHORT}" "0123456789*#" "1600"')
    call.say(f'STREAM FILE "{LONG}" "0123456789*#" "0"')
    await press(hand, "5")
    await call.answer()
    call.say(f'STREAM FILE "{LONG}" "#" "0"')
    await press(hand, "1#")
    await call.answer()
    await call.ask(f'STREAM FILE "{SHORT}" "" "99999999"')
    await call.ask('STREAM FILE "/bench/missing" "" "0"')
    await call.ask('GET DATA "/bench/missing" "500" "4"')
    await call.ask("SET MUSIC ON")
    await call.ask('WAIT FOR DIGIT "300"')
    await call.ask("SET MUSIC OFF")


async def reading_keys(call: Peer, hand: Peer) -> None:
    await call.ask("ANSWER")
    for line, keys in (
        ('WAIT FOR DIGIT "3000"', "*"),
        (f'GET DATA "{LONG}" "1000" "4"', "1234"),
        (f'GET DATA "{LONG}" "1000" "6"', "12#"),
        (f'GET DATA "{LONG}" "1000" "6"', "#"),
        ('GET DATA "" "600" "6"', "98"),
        ('GET DATA "" "1000" "2"', "*0"),
        ('GET DATA "" "1000" "2"', "D#"),
    ):
        call.say(line)
        await press(hand, keys)
        await call.answer()
    await call.ask('WAIT FOR DIGIT "200"')
    await call.ask('WAIT FOR DIGIT "0"')
    await call.ask('GET DATA "" "200" "6"')
    await call.ask(f'GET DATA "{SHORT}" "200" "6"')


async def variables(call: Peer, hand: Peer) -> None:
    del hand
    for value in (
        "hangup", "timeout", "(timeout)", "a) endpos=5 (b", '\\"quoted\\"', "back\\\\slash", "${EXTEN}", "", "-1",
        " two  spaces ", "余额不足", "result=-1", "a\tb",
    ):  # fmt: skip
        await call.ask(f'SET VARIABLE "THING" "{value}"')
        await call.ask('GET VARIABLE "THING"')
        await call.ask('GET FULL VARIABLE "${THING}"')
    await call.ask('GET VARIABLE "NEVER_SET"')
    await call.ask('GET FULL VARIABLE "${NEVER_SET}"')
    await call.ask('SET VARIABLE "TIMEOUT(absolute)" "30"')
    await call.ask('GET VARIABLE "TIMEOUT(absolute)"')
    await call.ask('GET FULL VARIABLE "${CHANNEL(state)}"')
    await call.ask('SET VARIABLE "TIMEOUT(absolute)" "0"')


async def refusals(call: Peer, hand: Peer) -> None:
    del hand
    await call.ask("MAKE TEA")
    await call.ask("")
    await call.ask("HANGUP one two three")
    await call.ask("SET VARIABLE")
    await call.ask("WAIT FOR DIGIT soon")
    await call.ask("STREAM FILE")
    await call.ask('EXEC "NoSuchApplication" ""')
    await call.ask("CHANNEL STATUS")


async def hangup_while_reading(call: Peer, hand: Peer) -> None:
    await call.ask("ANSWER")
    call.say(f'GET DATA "{LONG}" "5000" "6"')
    await press(hand, "12")
    hand.close()  # its dialplan goes on to Hangup
    await call.answer()
    await call.hear()  # HANGUP
    await call.ask('WAIT FOR DIGIT "100"')
    await call.ask('SET VARIABLE "IVR_DONE" "1"')
    await call.ask("CHANNEL STATUS")


async def hangup_between_commands(call: Peer, hand: Peer) -> None:
    await call.ask("ANSWER")
    hand.close()  # its dialplan goes on to Hangup
    await call.hear()
    await call.ask(f'STREAM FILE "{LONG}" "" "0"')
    await call.ask('GET VARIABLE "IVR_DONE"')


async def exit_on_hangup(call: Peer, hand: Peer) -> None:
    await call.ask("ANSWER")
    call.say('WAIT FOR DIGIT "5000"')
    hand.close()  # its dialplan goes on to Hangup
    await call.answer()
    while await call.hear():
        pass


async def own_hangup(call: Peer, hand: Peer) -> None:
    del hand
    await call.ask("ANSWER")
    await call.ask("HANGUP")
    await call.hear()
    await call.ask("ANSWER")


async def dialling(call: Peer, hand: Peer) -> None:
    del hand
    await call.ask("ANSWER")
    for endpoint, seconds in (("answers", 5), ("busy", 5), ("rings", 1), ("nobody", 5)):
        await call.ask(f'EXEC "Dial" "PJSIP/{endpoint},{seconds},gm"')
        await call.ask('GET VARIABLE "DIALSTATUS"')
        await call.ask('GET VARIABLE "ANSWEREDTIME"')


async def hangup_in_talk(call: Peer, hand: Peer) -> None:
    await call.ask("ANSWER")
    call.say('EXEC "Dial" "PJSIP/answers,5,gm"')
    await until(lambda: "answered Local/s@hand" in call.asterisk.log())
    hand.close()  # its dialplan goes on to Hangup
    await call.answer()
    await call.ask('GET VARIABLE "DIALSTATUS"')


async def environment_only(call: Peer, hand: Peer) -> None:
    del call, hand


SCRIPTS: dict[str, tuple[str, Script]] = {
    "playing": ("call", playing),
    "reading_keys": ("call", reading_keys),
    "variables": ("call", variables),
    "refusals": ("call", refusals),
    "hangup_while_reading": ("call", hangup_while_reading),
    "hangup_between_commands": ("call", hangup_between_commands),
    "exit_on_hangup": ("exit", exit_on_hangup),
    "own_hangup": ("call", own_hangup),
    "dialling": ("call", dialling),
    "hangup_in_talk": ("call", hangup_in_talk),
    "gb18030_name": ("name", environment_only),
}


class Ear:
    """Listens for one kind of connection."""

    def __init__(self) -> None:
        self._arrived: asyncio.Queue[Peer] = asyncio.Queue()
        self._server: asyncio.Server | None = None

    async def listen(self) -> int:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0, limit=1 << 20)
        return int(self._server.sockets[0].getsockname()[1])

    async def next(self) -> Peer:
        peer = await asyncio.wait_for(self._arrived.get(), HEAR_S)
        await peer.environment()
        return peer

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await self._arrived.put(Peer(reader, writer))


async def record(folder: Path) -> None:
    calls, hands = Ear(), Ear()
    port, hand_port = await calls.listen(), await hands.listen()
    (folder / "short.ulaw").write_bytes(b"\xff" * 3200)
    (folder / "long.ulaw").write_bytes(b"\xff" * 40_000)
    with BenchAsterisk(folder, port=port, hand_port=hand_port, token=TOKEN) as asterisk:
        for name, (extension, script) in SCRIPTS.items():
            await asyncio.to_thread(asterisk.place_call, extension)
            call, hand = await asyncio.gather(calls.next(), hands.next())
            real, neutral = str(folder).encode(), b"/bench"
            call.asterisk = asterisk
            say = call.say
            call.say = lambda line, say=say: say(line.replace("/bench", str(folder)))  # type: ignore[method-assign, misc]  # paths of this run
            try:
                await script(call, hand)
            except TimeoutError:
                sys.stdout.write("".join(written(step) + "\n" for step in call.steps[-6:] + hand.steps[-6:]))
                sys.stdout.write(asterisk.log()[-2000:])
                raise
            call.close()
            hand.close()
            text = "\n".join(written(Step(step.who, step.line.replace(real, neutral))) for step in call.steps)
            head = (
                f"# {name}, recorded by record_dialogues.py from {asterisk.cli('core show version').split(' built')[0]}"
            )
            (DIALOGUES / f"{name}.txt").write_text(f"{head}\n{text}\n", encoding="utf-8")
            sys.stdout.write(f"{name}: {len(call.steps)} lines\n")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as place:
        asyncio.run(record(Path(place)))
