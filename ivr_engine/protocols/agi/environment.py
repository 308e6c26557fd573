"""What Asterisk tells about a call before the first command: the `agi_*` variables.

Knows their names (`res_agi.c`, setup_env and launch_netscript) and that their values are bytes of unknown
encoding. Must not know what the engine does with a caller.

Text is made from bytes with `errors="replace"`, after framing. A caller's name can be any bytes; surrogates
would carry them through Python unharmed and then stop the first database, log or JSON writer far from here.
Nothing is lost by replacing, because `raw` keeps the bytes, and `text` reads them in another encoding
(GB18030 behind some exchanges).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

from ivr_engine.protocols.agi.errors import RemoteProtocolError

MAX_VARIABLES: Final = 200
"""Variables in one environment: Asterisk sends 23 of its own and at most 127 arguments."""

MAX_ENVIRONMENT_BYTES: Final = 65_536
"""Bytes of a whole environment; an ordinary one has 600."""

_UNKNOWN: Final = b"unknown"
_LINE = re.compile(rb"(agi_[a-z0-9_]{1,60}):(?: (.*))?", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Environment:
    """The variables of one call; `raw` maps names like `agi_channel` to bytes exactly as received.

    Printing it shows none of them: arguments may hold a token, the rest is a caller's.
    """

    raw: Mapping[str, bytes] = field(repr=False)

    def text(self, name: str, encoding: str = "utf-8") -> str:
        """Return a variable as text, "" if it was not sent; bytes that do not fit become U+FFFD."""
        return self.raw.get(name, b"").decode(encoding, "replace")

    @property
    def script(self) -> str:
        """The path of the AGI URL, without its first slash."""
        return self.text("agi_network_script")

    @property
    def arguments(self) -> tuple[str, ...]:
        """The arguments that the dialplan gave after the URL, in order; a gap ends them."""
        found: list[str] = []
        while (name := f"agi_arg_{len(found) + 1}") in self.raw:
            found.append(self.text(name))
        return tuple(found)

    @property
    def channel(self) -> str:
        """The channel's name, as `PJSIP/trunk-00000001`."""
        return self.text("agi_channel")

    @property
    def unique_id(self) -> str:
        """Asterisk's identifier of the channel."""
        return self.text("agi_uniqueid")

    @property
    def caller_number(self) -> str | None:
        """The calling number as the network claims it (never proof of identity), or None."""
        return self._known("agi_callerid")

    @property
    def caller_name(self) -> str | None:
        """The caller's name as the network claims it (text from a stranger), or None."""
        return self._known("agi_calleridname")

    @property
    def dialled_number(self) -> str:
        """The number that the caller dialled; the extension where the network did not say it.

        A dialplan may have moved on to an extension of its own (`s`) before it ran the session.
        """
        return self._known("agi_dnid") or self.text("agi_extension")

    @property
    def context(self) -> str:
        """The dialplan context that runs the session."""
        return self.text("agi_context")

    @property
    def language(self) -> str:
        """The channel's language as Asterisk has it."""
        return self.text("agi_language")

    @property
    def account_code(self) -> str:
        """The channel's account code."""
        return self.text("agi_accountcode")

    def _known(self, name: str) -> str | None:
        value = self.raw.get(name, b"")
        return None if value in (b"", _UNKNOWN) else self.text(name)


class EnvironmentBuilder:
    """Collects the lines of one environment and holds them to their limits."""

    __slots__ = ("_bytes", "_variables")

    def __init__(self) -> None:
        self._variables: dict[str, bytes] = {}
        self._bytes = 0

    def add(self, lines: Iterable[bytes]) -> None:
        """Take lines without their line feeds; they come many at a time.

        A name that comes twice is refused: no Asterisk sends one, but a value with a line feed in it could
        forge one (an argument that holds a token, say). Raises `RemoteProtocolError`.
        """
        variables = self._variables
        for line in lines:
            match = _LINE.fullmatch(line)
            if match is None:
                raise _unknown_form(line)
            name = match[1].decode("ascii")
            if name in variables:
                message = f"the environment names {name} twice"
                raise RemoteProtocolError(message)
            self._bytes += len(line) + 1
            if self._bytes > MAX_ENVIRONMENT_BYTES:
                message = f"the environment is longer than {MAX_ENVIRONMENT_BYTES} bytes"
                raise RemoteProtocolError(message)
            if len(variables) >= MAX_VARIABLES:
                message = f"the environment has more than {MAX_VARIABLES} variables"
                raise RemoteProtocolError(message)
            variables[name] = match[2] or b""

    def build(self) -> Environment:
        """Return what was collected; raises `RemoteProtocolError` if that is nothing."""
        if not self._variables:
            raise RemoteProtocolError("the environment is empty")
        return Environment(MappingProxyType(self._variables))


def _unknown_form(line: bytes) -> RemoteProtocolError:
    message = f"a line of {len(line)} bytes in the environment is not of the form agi_name: value"
    return RemoteProtocolError(message)
