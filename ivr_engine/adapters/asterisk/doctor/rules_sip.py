"""D4xx: pjsip.conf, http.conf, rtp.conf, queues.conf: who gets in, and how keys and sound travel."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from ivr_engine.adapters.asterisk.doctor.config import Section
from ivr_engine.adapters.asterisk.doctor.finding import Flaw, Rule, Severity
from ivr_engine.adapters.asterisk.doctor.rules_manager import EVERYWHERE, is_loopback
from ivr_engine.adapters.asterisk.doctor.subject import Configuration, is_no, is_yes, must_be, words

FILE: Final = "pjsip.conf"
PASSWORD_LETTERS: Final = 12
PORTS_PER_CALL: Final = 4
"""Two legs of a call, RTP and RTCP each."""
DEFAULT_MOST_PORT: Final = 31_000
DEFAULT_LEAST_PORT: Final = 5_000
DEFAULT_ORDER: Final = "ip,username,anonymous"


def of_type(configuration: Configuration, kind: str) -> list[Section]:
    """Return the sections of one type; several may have one name."""
    sections = configuration.file(FILE).real_sections()
    return [section for section in sections if section.get("type").lower() == kind]


def anonymous_endpoint(configuration: Configuration) -> Iterator[Flaw]:
    """D401: an endpoint of that name takes calls from everybody."""
    for endpoint in of_type(configuration, "endpoint"):
        if endpoint.name.lower() == "anonymous" or endpoint.name.lower().startswith("anonymous@"):
            yield Flaw(endpoint.file, endpoint.line, "calls from strangers are taken", "remove endpoint [anonymous]")


def keys_in_signalling(configuration: Configuration) -> Iterator[Flaw]:
    """D402: SIP INFO shows keys in every SIP trace; in-band tones are in every recording."""
    for endpoint in of_type(configuration, "endpoint"):
        mode = endpoint.get("dtmf_mode", "rfc4733").lower()
        if mode not in ("rfc4733", "none"):
            what = f"endpoint {endpoint.name} takes keys by {mode}"
            yield Flaw(endpoint.file, endpoint.line_of("dtmf_mode"), what, "dtmf_mode = rfc4733")


def no_access_list(configuration: Configuration) -> Iterator[Flaw]:
    """D403: requests from anywhere reach the SIP stack."""
    if FILE not in configuration.files:
        return
    if not any(section.all("deny") and section.all("permit") for section in of_type(configuration, "acl")) and not any(
        section.get("acl") for section in of_type(configuration, "acl")
    ):
        yield Flaw(
            FILE, 0, "no access list: SIP is answered to every address", "a section with type = acl, deny, permit"
        )


def nobody_asked(configuration: Configuration) -> Iterator[Flaw]:
    """D404: an endpoint without password that is not known by its address is anybody who says its name."""
    by_address = {section.get("endpoint") for section in of_type(configuration, "identify")}
    for endpoint in of_type(configuration, "endpoint"):
        ways = words(endpoint.get("identify_by", "username,ip").lower())
        if not endpoint.get("auth") and (endpoint.name not in by_address or "username" in ways):
            what = f"endpoint {endpoint.name} has no password and can be named by anybody"
            yield Flaw(
                endpoint.file,
                endpoint.line,
                what,
                "type = identify with match = its address, and identify_by = ip; or auth",
            )


def identified_anonymously(configuration: Configuration) -> Iterator[Flaw]:
    """D405: the order must name the ways of identifying, and anonymous must not be one."""
    if FILE not in configuration.files:
        return
    sections = of_type(configuration, "global") or [Section("global", FILE, 0)]
    order = words(sections[-1].get("endpoint_identifier_order", DEFAULT_ORDER).lower())
    if "anonymous" in order:
        line = sections[-1].line_of("endpoint_identifier_order")
        yield Flaw(
            FILE, line, "strangers are identified as endpoint anonymous", "endpoint_identifier_order = ip,username"
        )


def sip_is_traced(configuration: Configuration) -> Iterator[Flaw]:
    """D406: the SIP logger writes keys sent by INFO and every caller's number."""
    for section in of_type(configuration, "global"):
        if section.get("debug", "no").lower() != "no":
            yield Flaw(section.file, section.line_of("debug"), "every SIP message is written down", "remove debug")


def strangers_not_reported(configuration: Configuration) -> Iterator[Flaw]:
    """D407: without a count, scans are not reported."""
    for section in of_type(configuration, "global"):
        if section.get("unidentified_request_count", "5") == "0":
            line = section.line_of("unidentified_request_count")
            yield Flaw(section.file, line, "scans are not reported", "unidentified_request_count = 5")


def weak_password(configuration: Configuration) -> Iterator[Flaw]:
    """D408: a password that can be guessed places calls at the bank's cost."""
    for section in of_type(configuration, "auth"):
        if section.get("auth_type").lower() != "google_oauth" and not section.get("password_digest"):
            password = section.get("password")
            if not section.get("md5_cred") and len(password) < PASSWORD_LETTERS:
                what = f"{section.name} has a password of fewer than {PASSWORD_LETTERS} letters"
                yield Flaw(section.file, section.line_of("password"), what, "a random password")


def transfers_allowed(configuration: Configuration) -> Iterator[Flaw]:
    """D409: REFER sends a call anywhere, past the engine and its journal."""
    for endpoint in of_type(configuration, "endpoint"):
        if endpoint.is_on("allow_transfer", default=True):
            what = f"endpoint {endpoint.name} may transfer calls by itself"
            yield Flaw(endpoint.file, endpoint.line_of("allow_transfer"), what, "allow_transfer = no")


def unlimited_contacts(configuration: Configuration) -> Iterator[Flaw]:
    """D410: a second phone with an agent's name rings along and listens."""
    for section in of_type(configuration, "aor"):
        value = section.get("max_contacts", "0")
        if value.isdigit() and int(value) > 1:
            what = f"{value} phones may register as {section.name}"
            yield Flaw(section.file, section.line_of("max_contacts"), what, "max_contacts = 1, remove_existing = yes")


def http_open(configuration: Configuration) -> Iterator[Flaw]:
    """D421: Asterisk's plain web server, reachable from other machines."""
    section = configuration.section("http.conf", "general")
    if section.is_on("enabled", default=False) and not is_loopback(section.get("bindaddr", EVERYWHERE)):
        line = section.line_of("bindaddr")
        yield Flaw("http.conf", line, "plain HTTP is open to the network", "enabled = no, or bindaddr = 127.0.0.1")


def too_few_ports(configuration: Configuration) -> Iterator[Flaw]:
    """D431: a call without a port is a call without sound."""
    if "rtp.conf" not in configuration.files:
        return
    section = configuration.section("rtp.conf", "general")
    first, last = section.get("rtpstart", str(DEFAULT_LEAST_PORT)), section.get("rtpend", str(DEFAULT_MOST_PORT))
    calls = configuration.section("asterisk.conf", "options").get("maxcalls", "0")
    if not (first.isdigit() and last.isdigit() and calls.isdigit()):
        yield Flaw("rtp.conf", section.line_of("rtpstart"), "the range of ports is no range", "rtpstart and rtpend")
    elif int(last) - int(first) + 1 < int(calls) * PORTS_PER_CALL:
        what = f"ports {first} to {last} are too few for maxcalls = {calls}"
        yield Flaw("rtp.conf", section.line_of("rtpend"), what, f"{PORTS_PER_CALL} ports for each call")


def queue_records(configuration: Configuration) -> Iterator[Flaw]:
    """D441: a queue that records cannot be muted while a caller types a PIN."""
    for section in configuration.file("queues.conf").real_sections():
        if section.get("monitor-format") or section.get("monitor-type"):
            key = "monitor-format" if section.get("monitor-format") else "monitor-type"
            what = f"queue {section.name} records calls, keys and all"
            yield Flaw(section.file, section.line_of(key), what, f"remove {key}")


def no_queue(configuration: Configuration) -> Iterator[Flaw]:
    """D442: without a queue nobody catches the callers when no engine answers."""
    sections = configuration.file("queues.conf").real_sections()
    if "queues.conf" in configuration.files and not any(section.name != "general" for section in sections):
        yield Flaw("queues.conf", 0, "there is no queue for callers without an engine", "a queue with the agents in it")


RULES: Final[tuple[Rule[Configuration], ...]] = (
    Rule("D401", Severity.ERROR, anonymous_endpoint),
    Rule("D402", Severity.ERROR, keys_in_signalling),
    Rule("D403", Severity.ERROR, no_access_list),
    Rule("D404", Severity.ERROR, nobody_asked),
    Rule("D405", Severity.ERROR, identified_anonymously),
    Rule("D406", Severity.ERROR, sip_is_traced),
    Rule("D407", Severity.WARNING, strangers_not_reported),
    Rule("D408", Severity.ERROR, weak_password),
    Rule("D409", Severity.WARNING, transfers_allowed),
    Rule("D410", Severity.WARNING, unlimited_contacts),
    Rule("D421", Severity.ERROR, http_open),
    Rule(
        "D422",
        Severity.ERROR,
        must_be("http.conf", "general", "enable_static", is_no, "no", "files are served", "enable_static = no"),
    ),
    Rule(
        "D423",
        Severity.WARNING,
        must_be("http.conf", "general", "enable_status", is_no, "yes", "GHSA-v6hp-wh3r-cwxh", "enable_status = no"),
    ),
    Rule("D431", Severity.ERROR, too_few_ports),
    Rule(
        "D432",
        Severity.ERROR,
        must_be(
            "rtp.conf",
            "general",
            "strictrtp",
            lambda value: is_yes(value) or value.lower() in ("seqno", "comedia"),
            "yes",
            "anybody can speak into a call",
            "strictrtp = yes",
        ),
    ),
    Rule("D441", Severity.ERROR, queue_records),
    Rule("D442", Severity.ERROR, no_queue),
)
