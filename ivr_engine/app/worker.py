"""The engine's own process: runs one engine and says every half second that its event loop turns.

Knows the pipe to its supervisor. Must not know how it is restarted. `python -m ivr_engine.app.worker` is not meant for
people; `ivr serve` starts it.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import os
import pathlib
import signal
import sys
from typing import Final

import structlog

from ivr_engine.app import logs
from ivr_engine.app.engine import running_engine
from ivr_engine.app.failures import expected
from ivr_engine.app.secrets_file import Secrets, load_or_make
from ivr_engine.app.settings import Settings, load_settings
from ivr_engine.app.supervisor import BEAT, COULD_NOT_RUN, READY

BEAT_EVERY_S: Final = 0.5
YOUNG_OBJECTS: Final = 50_000
"""Objects made before the collector looks for circles among them: a call leaves none, so it may look seldom."""


class SupervisorGoneError(Exception):
    """Nobody watches this engine any more."""


def main() -> int:
    """Run until told to stop; return 2 when the engine cannot start."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--beat-fd", type=int, required=True)
    parser.add_argument("--asterisk-group", type=int)
    arguments = parser.parse_args()
    try:
        settings = load_settings(pathlib.Path.cwd())
        logs.set_up(settings.log_level)
        with asyncio.Runner(loop_factory=loop_factory(settings)) as runner:
            runner.run(_run(settings, arguments.beat_fd, arguments.asterisk_group))
    except Exception as error:
        message = expected(error)
        if message is None:
            raise
        sys.stderr.write(f"ivr: {message}\n")
        return COULD_NOT_RUN
    return 0


def loop_factory(settings: Settings) -> type[asyncio.AbstractEventLoop] | None:
    """Return uvloop's loop where it is wanted and installed (it halves the engine's time per call)."""
    if not settings.use_uvloop:
        return None
    try:
        import uvloop
    except ImportError:
        return None
    loop: type[asyncio.AbstractEventLoop] = uvloop.Loop
    return loop


async def _run(settings: Settings, beat_fd: int, group: int | None) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    secrets = load_or_make(settings.state_dir, settings.agents)
    try:
        await _live(settings, secrets, beat_fd, group, stop)
    except* SupervisorGoneError:
        structlog.get_logger().error("supervisor_gone")


async def _live(settings: Settings, secrets: Secrets, beat_fd: int, group: int | None, stop: asyncio.Event) -> None:
    async with running_engine(settings, secrets, sounds_group=group):
        _leave_loaded_code_to_itself()
        os.set_blocking(beat_fd, False)
        signs = READY
        while not stop.is_set():
            try:
                os.write(beat_fd, signs)
            except BlockingIOError:
                pass  # the supervisor is stopped; it will read later
            except BrokenPipeError:
                # Leave at once: the next supervisor's engine needs the ports and the manager account, and until it
                # is there, callers are better off with humans than in a dialogue that would be cut.
                raise SupervisorGoneError from None
            signs = BEAT
            try:
                async with asyncio.timeout(BEAT_EVERY_S):
                    await stop.wait()
            except TimeoutError:
                continue


def _leave_loaded_code_to_itself() -> None:
    """Let the garbage collector never look again at what is loaded by now: nearly all of it stays for good.

    A full collection would walk over these 100,000 objects and hold every call up for 35 ms, and on a busy machine for
    more than the 80 ms in which a key is lost.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG_OBJECTS, 20, 50)


if __name__ == "__main__":
    sys.exit(main())
