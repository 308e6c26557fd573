"""What may differ between two installations of Asterisk.

Knows names, units and sane values. Must not know templates, files or processes; nothing is checked here:
`render` checks every value where it is used.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

PROJECT_DIRECTORY: Final = Path(__file__).resolve().parents[3]


@dataclass(frozen=True, slots=True)
class Agent:
    """An agent's telephone account: the name he registers with, and its password."""

    name: str
    secret: str = field(repr=False)
    browser: bool = False  # a softphone in the browser (WebRTC) instead of a SIP phone


@dataclass(frozen=True, slots=True)
class SecondEngine:
    """Another engine's AGI address; it takes calls up at `/resume`."""

    host: str
    port: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AsteriskSettings:
    """Everything that may differ between two installations. Units are in the names.

    Addresses are written as in `192.0.2.0/24`. Nothing is checked before `render`.
    """

    # Where things stand. The run directory holds control socket, log, spool; the sounds directory the prompts.
    run_directory: Path
    sounds_directory: Path
    module_directory: Path
    data_directory: Path
    music_directory: Path | None = None  # default: `music` below the sounds
    system_name: str = "hotline"

    # SIP
    sip_bind: str = "127.0.0.1"
    sip_port: int = 5060
    sip_tls_port: int = 5061
    tls_certificate: Path | None = None  # both are given, or neither: then there is no TLS transport
    tls_key: Path | None = None
    trunk_addresses: tuple[str, ...] = ("127.0.0.1/32",)
    trunk_media_encrypted: bool = False  # SRTP with keys in the SDP; needs TLS
    agent_addresses: tuple[str, ...] = ("127.0.0.0/8",)
    agents: tuple[Agent, ...] = ()
    webrtc_port: int | None = None  # browser softphones over wss; needs the certificate
    rtp_first_port: int = 10000
    rtp_last_port: int = 19999
    rtp_timeout_s: int = 30
    rtp_timeout_hold_s: int = 300
    qualify_every_s: int = 5
    qualify_timeout_s: int = 2
    max_calls: int = 600

    # The engine
    agi_host: str = "127.0.0.1"
    agi_port: int = 4573
    agi_token: str = field(repr=False)
    second_engine: SecondEngine | None = None
    ami_bind: str = "127.0.0.1"
    ami_port: int = 5038
    ami_permit: str = "127.0.0.1/32"
    ami_engine_name: str = "engine"
    ami_engine_secret: str = field(repr=False)
    ami_doctor_name: str = "doctor"
    ami_doctor_secret: str = field(repr=False)

    # What a caller meets without an engine
    backstop_s: int = 60  # how long a frozen engine can hold a caller
    fallback_wait_s: int = 600
    queue_ring_s: int = 20
    queue_wrap_up_s: int = 10
    queue_callers_max: int = 500
    language: str = "cmn"
    waiting_prompt: str = "cmn/connecting_to_agent"  # below the sounds, without ending; said now and then
    goodbye_prompt: str = "cmn/goodbye"

    templates: Path = PROJECT_DIRECTORY / "asterisk-config"
    dialplans: Path = PROJECT_DIRECTORY / "dialplans"
