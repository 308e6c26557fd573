"""Asking a running Asterisk: one question at a time, each behind a deadline, off the call path.

Two ways: AMI through panoramisk, a client that is not ours, with the doctor's own account that changes nothing; and the
console of the same machine (`asterisk -rx`), because no AMI account may run commands. Must not know what is right.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from panoramisk import Manager

from ivr_engine.adapters.asterisk.ami_link import AmiTarget
from ivr_engine.adapters.asterisk.doctor.rules_manager import is_loopback
from ivr_engine.adapters.asterisk.doctor.rules_modules import plain_name
from ivr_engine.adapters.asterisk.doctor.subject import Running

OUTPUT_BYTES: Final = 1_048_576
QUESTIONS: Final = (
    "core waitfullybooted",  # before that, modules are missing that are only late
    "core show settings",
    "manager show settings",
    "logger show channels",
    "module show",
)
EXPECTED: Final = (
    "Version",
    "Root console verbosity",
    "Debug level",
    "Trace level",
    "Dump core on crash",
    "Shell on remote consoles",
    "Web Manager (AMI/HTTP)",
    "Disabled events",
)
"""What rules D702 to D712 read; asked of Asterisk 22.10.1."""


class _OneShot(Manager):  # type: ignore[misc]  # panoramisk ships no types
    """A panoramisk manager that connects once: the library comes back by itself, even after close()."""

    _used = False

    def connect(self, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401  # the library's signature
        if self._used:
            return None
        self._used = True
        return super().connect(*args, **kwargs)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002  # the library's signature
        self._connected = False


async def version_by_ami(target: AmiTarget, *, within_s: float) -> tuple[str, str]:
    """Return Asterisk's version, or an empty text and what went wrong."""
    if target.tls is None and not is_loopback(target.host):
        return "", f"{target.host} is another machine and has no TLS: panoramisk would send the secret in clear"
    manager = _OneShot(
        loop=asyncio.get_running_loop(),
        host=target.host,
        port=target.port,
        username=target.account,
        secret=target.secret,
        ssl=target.tls or False,
        events="off",
    )
    try:
        async with asyncio.timeout(within_s):
            await manager.connect()
            # The library's own callback ran before this line: the login is on its way, its answer a future.
            await manager.authenticated_future
            if not manager.authenticated:
                return "", f"AMI refuses account {target.account}"
            # Never leave as_list to the library: it guesses from English words.
            answer = await manager.send_action({"Action": "CoreSettings"}, as_list=False)
            if not answer.success:
                return "", f"account {target.account} may not ask CoreSettings (it needs write class reporting)"
            return str(answer.asteriskversion), ""
    except TimeoutError:  # an OSError too, so it stands first
        return "", f"AMI does not answer within {within_s:g} s"
    except OSError as error:
        return "", f"AMI does not answer at {target.host}:{target.port}: {error}"
    finally:
        manager.close()


async def ask_console(console: Sequence[str], words: str, *, within_s: float) -> tuple[str, str]:
    """Return what a console command prints, or an empty text and what went wrong."""
    try:
        process = await asyncio.create_subprocess_exec(
            *console,
            "-rx",
            words,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            limit=OUTPUT_BYTES,
        )
    except OSError as error:
        return "", f"the console does not start: {error}"
    try:
        async with asyncio.timeout(within_s):
            output, _ = await process.communicate()
    except TimeoutError:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()
        return "", f"the console does not answer `{words}` within {within_s:g} s"
    if process.returncode != 0:
        return "", f"the console refuses `{words}`: {output.decode(errors='backslashreplace').strip()[:200]}"
    return output.decode(errors="backslashreplace"), ""


async def ask(ami: AmiTarget | None, console: Sequence[str] | None, *, within_s: float) -> Running:
    """Ask everything that can be asked; what fails is told among the troubles."""
    version, trouble = await version_by_ami(ami, within_s=within_s) if ami is not None else ("", "")
    troubles = [trouble] if trouble else []
    if console is None:
        return Running(version=version, troubles=tuple(troubles))
    outputs: dict[str, str] = {}
    for words in QUESTIONS:
        outputs[words], trouble = await ask_console(console, words, within_s=within_s)
        if trouble:
            return Running(version=version, troubles=(*troubles, trouble))
    running = _understood(outputs)
    return replace(running, version=version or running.version, troubles=(*troubles, *running.troubles))


def _understood(outputs: Mapping[str, str]) -> Running:
    settings = _labelled(outputs["core show settings"])
    manager = _labelled(outputs["manager show settings"])
    loggers = tuple(line for line in outputs["logger show channels"].splitlines() if " Enabled " in line)
    # A question whose answer is not understood must not pass for a good answer.
    unsaid = [label for label in EXPECTED if label not in settings and label not in manager]
    troubles = [f"the console does not tell: {', '.join(unsaid)}"] if unsaid else []
    troubles += [] if loggers else ["the console names no log"]
    return Running(
        version=settings.get("Version", ""),
        settings=settings,
        manager=manager,
        loggers=loggers,
        modules=frozenset(
            plain_name(line.split()[0]) for line in outputs["module show"].splitlines() if " Running " in line
        ),
        troubles=tuple(troubles),
    )


def _labelled(output: str) -> dict[str, str]:
    """Read `  Label:   value` lines."""
    found: dict[str, str] = {}
    for line in output.splitlines():
        label, colon, value = line.partition(":")
        if colon:
            found[label.strip()] = value.strip()
    return found
