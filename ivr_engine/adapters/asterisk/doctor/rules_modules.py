"""D2xx: modules.conf: what is loaded can be attacked, and what is not loaded is missed at the worst moment."""

from __future__ import annotations

import fnmatch
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Final

from ivr_engine.adapters.asterisk.doctor.config import Entry
from ivr_engine.adapters.asterisk.doctor.finding import Flaw, Rule, Severity
from ivr_engine.adapters.asterisk.doctor.subject import Configuration, is_no, must_be

FORBIDDEN: Final = (
    "app_system",
    "func_shell",
    "func_env",
    "func_curl",
    "app_externalivr",
    "app_dtmfstore",
    "app_disa",
    "app_originate",
    "app_exec",
    "pbx_spool",
    "pbx_realtime",
    "pbx_lua",
    "pbx_ael",
    "pbx_dundi",
    "chan_iax2",
    "chan_unistim",
    "chan_motif",
    "chan_console",
    "res_ari",
    "res_ari_*",
    "res_phoneprov",
    "res_snmp",
    "res_xmpp",
    "res_config_ldap",
    "res_config_curl",
    "res_curl",
    "res_clioriginate",
    "app_sms",
    "format_ogg_speex",
    "codec_codec2",
    "cel_*",
    "cdr_manager",
    "res_pjsip_logger",
    "res_pjsip_history",
    "res_hep",
    "res_hep_*",
    "res_pjsip_endpoint_identifier_anonymous",
    "res_pjsip_dtmf_info",
    "res_resolver_unbound",
    "res_pjsip_phoneprov_provider",
    "res_http_post",
    "res_stasis_snoop",
    "app_chanspy",
    "app_mixmonitor",
    "app_record",
    "app_read",
    "app_readexten",
)
"""Each can run a program, open a door to the network, or write down keys."""

KNOWN: Final = (
    "res_timing_*",
    "res_sorcery_config",
    "res_sorcery_memory",
    "res_sorcery_astdb",
    "res_pjproject",
    "res_pjsip",
    "res_pjsip_*",
    "chan_pjsip",
    "res_rtp_asterisk",
    "res_srtp",
    "res_crypto",
    "res_http_websocket",
    "res_websocket_client",
    "res_musiconhold",
    "res_security_log",
    "res_speech",
    "res_agi",
    "res_manager_devicestate",
    "res_fax",
    "res_fax_spandsp",
    "bridge_*",
    "codec_ulaw",
    "codec_alaw",
    "codec_a_mu",
    "codec_g722",
    "codec_resample",
    "codec_opus*",
    "format_pcm",
    "format_wav",
    "format_sln",
    "format_g722",
    "pbx_config",
    "app_dial",
    "app_queue",
    "app_playback",
    "app_stack",
    "app_userevent",
    "app_senddtmf",
    "app_voicemail",
    "app_verbose",
    "app_amd",
    "func_callerid",
    "func_channel",
    "func_logic",
    "func_strings",
    "func_timeout",
    "func_cut",
    "func_dialplan",
    "func_hangupcause",
    "func_pjsip_*",
    "func_devstate",
    "res_convert",
    "res_format_attr_*",
    "chan_bridge_media",
    "app_bridgewait",
)
"""What the engine, phones and trunks use; anything else has to be argued for."""

NEEDED: Final[Mapping[str, str]] = MappingProxyType(
    {
        "pbx_config": "no dialplan is read without it",
        "chan_pjsip": "no call comes in without it",
        "res_agi": "the engine is reached through it",
        "app_queue": "callers wait in it when no engine answers",
        "app_dial": "callers are joined to agents by it",
        "func_timeout": "TIMEOUT(absolute) is the backstop against a frozen engine",
        "func_strings": "FILTER() cleans callers' numbers",
        "func_callerid": "the caller's number is read through it",
        "res_rtp_asterisk": "there is no audio without it",
        "app_userevent": "the engine is told by it that an agent asks for a secret",
        "app_senddtmf": "manager action PlayDTMF, which wakes waiting callers, is in it",
        "res_manager_devicestate": "manager action DeviceStateList, which tells who is free, is in it",
        "res_security_log": "failed sign-ins are written by it",
    }
)
LINKED: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        # Seen on 22.10.1: the module on the left does not load without those on the right.
        "res_agi": ("res_speech",),
        "chan_pjsip": ("res_pjsip", "res_pjsip_session", "res_pjsip_pubsub"),
        "res_pjsip": ("res_pjproject", "res_sorcery_config", "res_sorcery_memory", "res_sorcery_astdb"),
        "res_pjsip_transport_websocket": ("res_http_websocket",),
        "res_fax_spandsp": ("res_fax",),
    }
)


def matches(name: str, patterns: tuple[str, ...]) -> bool:
    """Tell whether a module is one of a list; `*` stands for any ending."""
    return any(fnmatch.fnmatchcase(name, pattern) for pattern in patterns)


def plain_name(value: str) -> str:
    """Return a module's name without `.so`."""
    return value.strip().removesuffix(".so")


def loaded(configuration: Configuration) -> dict[str, Entry]:
    """Return the modules that modules.conf names to be loaded and does not take back."""
    section = configuration.section("modules.conf", "modules")
    taken_back = {plain_name(entry.value) for entry in section.all("noload")}
    keys = ("load", "preload", "require", "preload-require")
    entries = [entry for entry in section.entries if entry.key.lower() in keys]
    return {name: entry for entry in entries if (name := plain_name(entry.value)) not in taken_back}


def forbidden(configuration: Configuration) -> Iterator[Flaw]:
    """D202: named to be loaded although it must not be."""
    for name, entry in loaded(configuration).items():
        if matches(name, FORBIDDEN):
            yield Flaw(entry.file, entry.line, f"{name} can leak keys, run programs or be attacked", "remove the line")


def unknown(configuration: Configuration) -> Iterator[Flaw]:
    """D203: nobody has argued for it."""
    for name, entry in loaded(configuration).items():
        if not matches(name, KNOWN) and not matches(name, FORBIDDEN):
            yield Flaw(
                entry.file, entry.line, f"{name} is used by nothing here", "remove the line, or say why it stays"
            )


def needed(configuration: Configuration) -> Iterator[Flaw]:
    """D204: not loaded although the engine leans on it."""
    if "modules.conf" not in configuration.files:
        return
    names = loaded(configuration)
    section = configuration.section("modules.conf", "modules")
    for name, why in NEEDED.items():
        if name not in names and not section.is_on("autoload", default=True):
            yield Flaw("modules.conf", section.line, f"{name} is not loaded: {why}", f"require = {name}.so")


def linked(configuration: Configuration) -> Iterator[Flaw]:
    """D205: a module that another one is built on is not loaded, so neither loads."""
    names = loaded(configuration)
    if configuration.section("modules.conf", "modules").is_on("autoload", default=True):
        return
    for name, others in LINKED.items():
        for other in others:
            if name in names and other not in names:
                entry = names[name]
                yield Flaw(entry.file, entry.line, f"{name} does not load without {other}", f"require = {other}.so")


RULES: Final[tuple[Rule[Configuration], ...]] = (
    Rule(
        "D201",
        Severity.ERROR,
        must_be(
            "modules.conf",
            "modules",
            "autoload",
            is_no,
            "yes",
            "every module of the package is loaded, some 350",
            "autoload = no, and a require line for each module in use",
        ),
    ),
    Rule("D202", Severity.ERROR, forbidden),
    Rule("D203", Severity.WARNING, unknown),
    Rule("D204", Severity.ERROR, needed),
    Rule("D205", Severity.ERROR, linked),
)
