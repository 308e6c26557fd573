"""panoramisk's FastAGI application, serving the benchmark's call. It imports nothing of the engine.

`python -m tests.bench.serve_panoramisk PORT KEYS PIN MENU ASK_PIN READ_OUT GOODBYE`
"""

from __future__ import annotations

import asyncio
import sys

from panoramisk.fast_agi import Application, Request


async def serve(port: int, keys: str, pin: str, sounds: tuple[str, str, str, str]) -> None:
    menu, ask_pin, read_out, goodbye = sounds

    async def call(request: Request) -> None:
        await request.send_command("ANSWER")
        choice = await request.send_command(f"GET DATA {menu} 40000 1")
        chosen = choice.get("result", ("",))[0]
        typed = await request.send_command(f"GET DATA {ask_pin} 6000 6") if chosen in keys and chosen else {}
        if typed.get("result", ("",))[0] != pin:
            await request.send_command("EXEC Wait 20")
            return
        await request.send_command(f"EXEC Playback {read_out}")
        await request.send_command(f'STREAM FILE {goodbye} ""')
        await request.send_command("HANGUP")

    application = Application(loop=asyncio.get_running_loop())
    application.add_route("bench", call)
    server = await asyncio.start_server(application.handler, "127.0.0.1", port, backlog=1024)
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1]), sys.argv[2], sys.argv[3], tuple(sys.argv[4:8])))  # type: ignore[arg-type]  # four words
