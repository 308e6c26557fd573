"""From settings to Asterisk's configuration files.

Knows the templates in `asterisk-config/` and `dialplans/` and what may be put into them. Must not know how
Asterisk is started, nor where settings and secrets are stored.

A template is a file of Asterisk's own syntax in which a word between two at signs stands for a value. `parts/` holds
pieces that are repeated or left out. Filling in is strict both ways: a word without a value is an error with
file and line, and so is a value that no template asks for.
"""

from __future__ import annotations

import ipaddress
import os
import re
import stat
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from ivr_engine.adapters.asterisk.settings import AsteriskSettings

RECORDINGS_FOLDER: Final = "recordings"
"""Where Asterisk writes what callers say, until the engine takes it."""
RUN_FOLDERS: Final = ("run", "log", "lib", "spool", RECORDINGS_FOLDER)
"""What asterisk.conf, and the engine, expect below the run directory."""

CONTROL_SOCKET: Final = "run/asterisk.ctl"
SOCKET_PATH_BYTES_MAX: Final = 107
"""Longest path of a UNIX socket (sockaddr_un holds 108 with its end mark)."""

DIALLED_DIGITS_MIN: Final = 3
DIALLED_DIGITS_MAX: Final = 15
"""The longest international number (ITU-T E.164)."""

_RAW: Final = ("ulaw", "alaw")
"""Endings of the recordings that format_pcm plays."""

_PLACEHOLDER = re.compile(r"@([A-Z][A-Z0-9_]*)@")
# A line break is a second setting, a semicolon a comment; the rest would be read by the dialplan.
_FORBIDDEN = re.compile(r"[\x00-\x1f\x7f;,$&|\"'{}()\[\]<>\\@]")
_NAME = re.compile(r"[A-Za-z0-9_-]{1,40}")
_HOST = re.compile(r"[A-Za-z0-9.-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\]")
_AGENT_NAME = re.compile(r"(?!trunk$)[A-Za-z0-9_-]{1,40}")
_SECRET = re.compile(r"[A-Za-z0-9_-]{16,128}")


class RenderError(ValueError):
    """A setting or a template is wrong; the message names the setting, or file and line."""


def render(settings: AsteriskSettings, target: Path) -> list[Path]:
    """Write all configuration files into `target` and return their paths, sorted.

    Files get mode 0640, the folder 0750. Each file is replaced as a whole; nothing is written when anything is
    wrong. Raises RenderError.
    """
    target = target.absolute()
    values = _values(settings, target)
    unused = set(values)
    rendered: dict[str, str] = {}
    for folder in (settings.templates, settings.dialplans):
        for template in sorted(folder.glob("*.conf")):
            rendered[template.name] = _fill(template, values, unused)
    if not rendered:
        raise RenderError(f"{settings.templates}: holds no templates (*.conf)")
    if unused:
        raise RenderError(
            f"{settings.templates}: no template uses @{'@, @'.join(sorted(unused))}@; remove the value or use it"
        )
    target.mkdir(parents=True, exist_ok=True)
    # A folder whose files belong to another group on purpose (set-group-id: Asterisk in a container) stays so.
    target.chmod(0o750 | target.stat().st_mode & stat.S_ISGID)
    return [_replace(target / name, text) for name, text in sorted(rendered.items())]


def _fill(template: Path, values: Mapping[str, str], unused: set[str] | None = None) -> str:
    """Fill one template in; `unused` loses the names it asked for."""
    try:
        lines = template.read_text(encoding="utf-8").splitlines()
    except OSError as reason:
        raise RenderError(f"{template}: cannot be read: {reason.strerror}") from reason
    filled = []
    for number, line in enumerate(lines, start=1):
        for name in _PLACEHOLDER.findall(line):
            if name not in values:
                raise RenderError(f"{template}:{number}: @{name}@ is no known value")
            if unused is not None:
                unused.discard(name)
        filled.append(_PLACEHOLDER.sub(lambda found: values[found[1]], line))
    return "\n".join(filled) + "\n"


def _part(template: Path, values: Mapping[str, str]) -> str:
    """Fill a piece in; all its values have to be used by it, as for the whole."""
    unused = set(values)
    text = _fill(template, values, unused)
    if unused:
        raise RenderError(f"{template}: does not use @{'@, @'.join(sorted(unused))}@")
    return text.rstrip("\n")


def _replace(path: Path, text: str) -> Path:
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
        Path(temporary).chmod(0o640)
        if path.exists():
            # A folder that Asterisk's group may read stays readable for it.
            os.chown(temporary, -1, path.stat().st_gid)
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
    return path


# --- Values: every one is checked here, once --------------------------------------------------------------


def _values(settings: AsteriskSettings, target: Path) -> dict[str, str]:
    run = settings.run_directory.absolute()
    socket = str(run / CONTROL_SOCKET)
    if len(os.fsencode(socket)) > SOCKET_PATH_BYTES_MAX:
        raise RenderError(
            f"run_directory: {socket} is longer than {SOCKET_PATH_BYTES_MAX} bytes, too long for a control socket"
        )
    sounds = settings.sounds_directory.absolute()
    music = settings.music_directory or sounds / "music"
    first, last = settings.rtp_first_port, settings.rtp_last_port
    if last - first < 3:
        raise RenderError(f"rtp_first_port, rtp_last_port: {first} to {last} is no room for two call legs")
    return {
        "CONFIG_DIRECTORY": _path("target", target),
        "MODULE_DIRECTORY": _path("module_directory", settings.module_directory),
        "DATA_DIRECTORY": _path("data_directory", settings.data_directory),
        "RUN_DIRECTORY": _path("run_directory", run),
        "MUSIC_DIRECTORY": _path("music_directory", music.absolute()),
        "SYSTEM_NAME": _matching(_NAME, "system_name", settings.system_name),
        "MAX_CALLS": _number("max_calls", settings.max_calls, 1, 100_000),
        "RTP_FIRST_PORT": _port("rtp_first_port", first),
        "RTP_LAST_PORT": _port("rtp_last_port", last),
        **_engine_values(settings),
        **_sip_values(settings),
        **_queue_values(settings, sounds),
    }


def _engine_values(settings: AsteriskSettings) -> dict[str, str]:
    token = _matching(_SECRET, "agi_token", settings.agi_token)
    backstop = _number("backstop_s", settings.backstop_s, 5, 3600)
    second = ""
    if settings.second_engine is not None:
        second = _part(
            settings.dialplans / "parts/second_engine.conf",
            {
                "BACKSTOP_S": backstop,
                "HOST": _matching(_HOST, "second_engine.host", settings.second_engine.host),
                "PORT": _port("second_engine.port", settings.second_engine.port),
                "AGI_TOKEN": token,
            },
        )
    if settings.ami_engine_name == settings.ami_doctor_name:
        raise RenderError("ami_engine_name, ami_doctor_name: must differ, they have different rights")
    return {
        "AGI_HOST": _matching(_HOST, "agi_host", settings.agi_host),
        "AGI_PORT": _port("agi_port", settings.agi_port),
        "AGI_TOKEN": token,
        "BACKSTOP_S": backstop,
        "SECOND_ENGINE": second or "; (no second engine)",
        "AMI_BIND": _address("ami_bind", settings.ami_bind),
        "AMI_PORT": _port("ami_port", settings.ami_port),
        "AMI_PERMIT": _network("ami_permit", settings.ami_permit),
        "AMI_ENGINE_NAME": _matching(_NAME, "ami_engine_name", settings.ami_engine_name),
        "AMI_ENGINE_SECRET": _matching(_SECRET, "ami_engine_secret", settings.ami_engine_secret),
        "AMI_DOCTOR_NAME": _matching(_NAME, "ami_doctor_name", settings.ami_doctor_name),
        "AMI_DOCTOR_SECRET": _matching(_SECRET, "ami_doctor_secret", settings.ami_doctor_secret),
    }


def _sip_values(settings: AsteriskSettings) -> dict[str, str]:
    trunks = [_network("trunk_addresses", address) for address in settings.trunk_addresses]
    agents = [_network("agent_addresses", address) for address in settings.agent_addresses]
    if not trunks:
        raise RenderError("trunk_addresses: name the carrier's addresses; without any nobody could call")
    permitted = list(dict.fromkeys([*trunks, *agents]))
    # Agents behind the trunk's own address would be taken for the trunk, so there the name has to come first.
    # Anywhere else the address comes first: a caller cannot pretend to be an agent by his From header.
    shared = any(_overlap(trunk, agent) for trunk in trunks for agent in agents)
    return {
        "SIP_BIND": _address("sip_bind", settings.sip_bind),
        "SIP_PORT": _port("sip_port", settings.sip_port),
        "SIP_PERMIT": ",".join(permitted),
        "TRUNK_ADDRESSES": ",".join(trunks),
        "IDENTIFY_ORDER": "username,ip" if shared else "ip,username",
        "IDENTIFY_REASON": (
            "agents and trunk share an address here (a test machine), so an agent's name is looked at first."
            if shared
            else "the carrier's address is looked at first, so no caller can take an agent's name."
        ),
        "LANGUAGE": _matching(_NAME, "language", settings.language),
        "RTP_TIMEOUT_S": _number("rtp_timeout_s", settings.rtp_timeout_s, 0, 3600),
        "RTP_TIMEOUT_HOLD_S": _number("rtp_timeout_hold_s", settings.rtp_timeout_hold_s, 0, 7200),
        "MEDIA_ADDRESS": _media_address(settings),
        "TRUNK_MEDIA_ENCRYPTION": "media_encryption = sdes" if settings.trunk_media_encrypted else "",
        "TRUNK_EXTENSIONS": "\n".join(
            _part(settings.dialplans / "parts/number.conf", {"PATTERN": f"_{plus}{'X' * digits}"})
            for plus in ("", "+")
            for digits in range(DIALLED_DIGITS_MIN, DIALLED_DIGITS_MAX + 1)
        ),
        **_agent_values(settings),
        **_tls_values(settings),
    }


def _media_address(settings: AsteriskSettings) -> str:
    address = _address("sip_bind", settings.sip_bind).strip("[]")
    if ipaddress.ip_address(address).is_unspecified:
        return "; (SIP is bound to all addresses: this machine's host name has to stand in /etc/hosts)"
    return f"media_address = {address}\nbind_rtp_to_media_address = yes"


def _agent_values(settings: AsteriskSettings) -> dict[str, str]:
    endpoints, extensions, members = [], [], []
    names = [agent.name for agent in settings.agents]
    if len(set(names)) != len(names):
        raise RenderError("agents: a name stands there twice")
    shared = {
        "RTP_TIMEOUT_S": str(settings.rtp_timeout_s),
        "RTP_TIMEOUT_HOLD_S": str(settings.rtp_timeout_hold_s),
        "QUALIFY_EVERY_S": _number("qualify_every_s", settings.qualify_every_s, 1, 3600),
        "QUALIFY_TIMEOUT_S": _number("qualify_timeout_s", settings.qualify_timeout_s, 1, 60),
    }
    for agent in settings.agents:
        name = _matching(_AGENT_NAME, "agents.name", agent.name)
        if agent.browser and settings.webrtc_port is None:
            raise RenderError(f"agents: {name} uses a browser, which needs webrtc_port")
        account = {
            "NAME": name,
            "SECRET": _matching(_SECRET, "agents.secret", agent.secret),
            # Encrypted audio, ICE and one port for all: what a browser insists on.
            # A browser's candidates are other addresses than the one SIP is bound to.
            "MEDIA": "webrtc = yes" if agent.browser else _media_address(settings),
            **shared,
        }
        endpoints.append(_part(settings.templates / "parts/agent.conf", account))
        extensions.append(_part(settings.dialplans / "parts/agent.conf", {"NAME": name}))
        members.append(_part(settings.templates / "parts/member.conf", {"NAME": name}))
    return {
        "AGENT_ENDPOINTS": "\n".join(endpoints),
        "AGENT_EXTENSIONS": "\n".join(extensions) or "; (no agents)",
        "QUEUE_MEMBERS": "\n".join(members) or "; (no agents)",
    }


def _tls_values(settings: AsteriskSettings) -> dict[str, str]:
    certificate, key = settings.tls_certificate, settings.tls_key
    if (certificate is None) != (key is None):
        raise RenderError("tls_certificate, tls_key: give both, or neither")
    if settings.trunk_media_encrypted and certificate is None:
        raise RenderError("trunk_media_encrypted: without tls_certificate the audio's keys would travel in clear")
    values = {"TLS_TRANSPORT": "", "WSS_TRANSPORT": "", "HTTP_TLS": "", "OPTIONAL_MODULES": ""}
    if certificate is None or key is None:
        if settings.webrtc_port is not None:
            raise RenderError("webrtc_port: browsers speak over TLS only; give tls_certificate and tls_key")
        return values
    files = {
        "TLS_CERTIFICATE": _path("tls_certificate", certificate.absolute()),
        "TLS_KEY": _path("tls_key", key.absolute()),
    }
    bind = {"SIP_BIND": _address("sip_bind", settings.sip_bind)}
    parts = settings.templates / "parts"
    tls_port = _port("sip_tls_port", settings.sip_tls_port)
    values["TLS_TRANSPORT"] = _part(parts / "tls_transport.conf", {**bind, **files, "SIP_TLS_PORT": tls_port})
    if settings.webrtc_port is not None:
        port = _port("webrtc_port", settings.webrtc_port)
        values["WSS_TRANSPORT"] = _part(parts / "wss_transport.conf", bind)
        values["HTTP_TLS"] = _part(parts / "http_tls.conf", {**bind, **files, "WEBRTC_PORT": port})
        values["OPTIONAL_MODULES"] = _part(parts / "webrtc_modules.conf", {})
    return values


def _queue_values(settings: AsteriskSettings, sounds: Path) -> dict[str, str]:
    return {
        "FALLBACK_WAIT_S": _number("fallback_wait_s", settings.fallback_wait_s, 10, 7200),
        "QUEUE_RING_S": _number("queue_ring_s", settings.queue_ring_s, 5, 120),
        "QUEUE_WRAP_UP_S": _number("queue_wrap_up_s", settings.queue_wrap_up_s, 0, 600),
        "QUEUE_MAX_CALLERS": _number("queue_callers_max", settings.queue_callers_max, 1, 100_000),
        "WAITING_PROMPT": _path("waiting_prompt", sounds / settings.waiting_prompt),
        "GOODBYE_PROMPT": _prompt(settings, sounds, "goodbye_prompt", settings.goodbye_prompt, "(goodbye)"),
    }


def _prompt(settings: AsteriskSettings, sounds: Path, name: str, prompt: str, label: str) -> str:
    """Play a recording that exists; an absent one would only be a warning for every caller."""
    path = _path(name, sounds / prompt)
    if not any(Path(f"{path}.{ending}").is_file() for ending in _RAW):
        return f" same => n{label},NoOp(there is no recording of the prompt)"
    return _part(settings.dialplans / "parts/prompt.conf", {"LABEL": label, "PROMPT": path})


def _matching(pattern: re.Pattern[str], name: str, value: str) -> str:
    if not pattern.fullmatch(value):
        # The value is not repeated: it may be a secret.
        raise RenderError(f"{name}: has a letter, or a length, that it may not have (allowed: {pattern.pattern})")
    return value


def _path(name: str, path: Path) -> str:
    text = str(path)
    found = _FORBIDDEN.search(text)
    if found:
        raise RenderError(
            f"{name}: {text!r} holds {found[0]!r}, which Asterisk's files cannot hold; use another folder"
        )
    return text


def _number(name: str, value: int, least: int, most: int) -> str:
    if not least <= value <= most:
        raise RenderError(f"{name}: {value} is not between {least} and {most}")
    return str(value)


def _port(name: str, value: int) -> str:
    return _number(name, value, 1, 65535)


def _address(name: str, value: str) -> str:
    try:
        address = ipaddress.ip_address(value)
    except ValueError as reason:
        raise RenderError(f"{name}: {value!r} is no IP address") from reason
    return f"[{address}]" if address.version == 6 else str(address)


def _network(name: str, value: str) -> str:
    try:
        return str(ipaddress.ip_network(value))
    except ValueError as reason:
        raise RenderError(f"{name}: {reason} (write it as 192.0.2.0/24)") from reason


def _overlap(one: str, other: str) -> bool:
    first, second = ipaddress.ip_network(one), ipaddress.ip_network(other)
    return first.version == second.version and first.overlaps(second)
