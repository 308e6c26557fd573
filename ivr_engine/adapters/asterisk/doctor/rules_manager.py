"""D3xx: manager.conf: who may steer Asterisk, and what each may see."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator
from typing import Final

from ivr_engine.adapters.asterisk.doctor.config import Section
from ivr_engine.adapters.asterisk.doctor.finding import Flaw, Rule, Severity
from ivr_engine.adapters.asterisk.doctor.subject import Configuration, is_no, is_yes, must_be, words

FILE: Final = "manager.conf"
EVERYWHERE: Final = "0.0.0.0"  # noqa: S104  # what Asterisk takes when nothing is written; nothing is bound here
LEAKING_EVENTS: Final = frozenset(
    {"DTMFBegin", "DTMFEnd", "VarSet", "Newexten", "AGIExecStart", "AGIExecEnd", "CEL", "RTCPSent", "RTCPReceived"}
)
KEY_EVENTS: Final = ("DTMFBegin", "DTMFEnd", "VarSet")
FORBIDDEN_READ: Final = frozenset({"all", "dtmf", "dialplan", "agi", "verbose", "log", "command", "config"})
FORBIDDEN_WRITE: Final = frozenset({"all", "system", "command", "config", "dialplan", "agi", "dtmf", "log", "verbose"})
ENGINE_READS: Final = frozenset({"system", "call"})
ENGINE_WRITES: Final = frozenset({"originate", "call", "reporting"})
SECRET_LETTERS: Final = 20
WRITE_TIME_OUT_MS: Final = 1_000
AUTH_TIME_OUT_S: Final = 30

_EXCLUDED: Final = re.compile(r"action\(exclude\).*name\((\w+)\)")


def accounts(configuration: Configuration) -> Iterator[Section]:
    """Give the accounts: every section but [general]."""
    return (section for section in configuration.file(FILE).real_sections() if section.name.lower() != "general")


def engines(configuration: Configuration) -> Iterator[Section]:
    """Give the engines' accounts: those that may originate calls."""
    return (section for section in accounts(configuration) if "originate" in words(section.get("write")))


def is_loopback(address: str) -> bool:
    """Tell whether an address, with or without a port, is this machine's own."""
    host = address.strip()
    if host.startswith("["):
        host = host[1:].partition("]")[0]
    elif host.count(":") == 1:
        host = host.partition(":")[0]
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def events_not_disabled(configuration: Configuration) -> Iterator[Flaw]:
    """D303: the first wall: these events are sent to nobody, whatever an account may read."""
    if FILE not in configuration.files:
        return
    section = configuration.section(FILE, "general")
    lacking = LEAKING_EVENTS - words(section.get("disabledevents"))
    if lacking:
        names = ",".join(sorted(lacking))
        yield Flaw(
            FILE,
            section.line_of("disabledevents"),
            f"events that show keys, variables or arguments are sent: {names}",
            "name them in disabledevents, in one line",
        )


def reads_too_much(configuration: Configuration) -> Iterator[Flaw]:
    """D304: classes whose events show keys, variables, arguments or spoken amounts."""
    for account in accounts(configuration):
        classes = words(account.get("read").lower()) & FORBIDDEN_READ
        if classes:
            what = f"account {account.name} reads {','.join(sorted(classes))}: that shows what callers type or hear"
            yield Flaw(FILE, account.line_of("read"), what, "read = system,call,agent,user,security")


def writes_too_much(configuration: Configuration) -> Iterator[Flaw]:
    """D305: classes that run programs, read files or switch on what shows keys."""
    for account in accounts(configuration):
        classes = words(account.get("write").lower()) & FORBIDDEN_WRITE
        if classes:
            what = f"account {account.name} may write {','.join(sorted(classes))}: who has it has the machine"
            yield Flaw(FILE, account.line_of("write"), what, "write = originate,call,agent,user,reporting")


def no_access_list(configuration: Configuration) -> Iterator[Flaw]:
    """D306: an account that can be used from everywhere."""
    for account in accounts(configuration):
        if not account.get("acl") and not (account.all("deny") and account.all("permit")):
            what = f"account {account.name} may sign in from any address"
            yield Flaw(FILE, account.line, what, "deny = 0.0.0.0/0.0.0.0 and permit = the engine's address")


def cut_off_early(configuration: Configuration) -> Iterator[Flaw]:
    """D307: Asterisk drops a reader that is slower than this, and its events are lost."""
    for account in accounts(configuration):
        value = account.get("writetimeout", "100")
        if not value.isdigit() or int(value) < WRITE_TIME_OUT_MS:
            what = f"account {account.name} is cut off after {value} ms of slow reading"
            yield Flaw(FILE, account.line_of("writetimeout"), what, "writetimeout = 5000")


def no_second_wall(configuration: Configuration) -> Iterator[Flaw]:
    """D308: the account's own filter holds when somebody empties disabledevents."""
    for account in accounts(configuration):
        excluded = {match[1] for entry in account.entries if (match := _EXCLUDED.search(entry.key + entry.value))}
        lacking = [name for name in KEY_EVENTS if name not in excluded]
        if lacking:
            what = f"account {account.name} does not filter out {','.join(lacking)}"
            yield Flaw(FILE, account.line, what, f"eventfilter(action(exclude),name({lacking[0]})) =")


def variables_in_events(configuration: Configuration) -> Iterator[Flaw]:
    """D309: channelvars puts channel variables into every event."""
    section = configuration.section(FILE, "general")
    if section.get("channelvars"):
        yield Flaw(FILE, section.line_of("channelvars"), "channel variables go into every event", "remove channelvars")


def weak_secret(configuration: Configuration) -> Iterator[Flaw]:
    """D310: a secret that can be guessed."""
    for account in accounts(configuration):
        if len(account.get("secret")) < SECRET_LETTERS:
            what = f"account {account.name} has a secret of fewer than {SECRET_LETTERS} letters"
            yield Flaw(FILE, account.line_of("secret"), what, "a random secret of 32 letters")


def engine_is_deaf(configuration: Configuration) -> Iterator[Flaw]:
    """D311: without class system no FullyBooted comes and the engine never gets ready; without call it sees no call."""
    for account in engines(configuration):
        lacking = ENGINE_READS - words(account.get("read").lower())
        if lacking:
            what = f"account {account.name} does not read {','.join(sorted(lacking))}: the engine never gets ready"
            yield Flaw(FILE, account.line_of("read"), what, "read = system,call,agent,user,security")


def engine_is_bound(configuration: Configuration) -> Iterator[Flaw]:
    """D312: call: PlayDTMF, Redirect, Hangup; reporting: CoreStatus and lists of channels and devices."""
    for account in engines(configuration):
        lacking = ENGINE_WRITES - words(account.get("write").lower())
        if lacking:
            what = f"account {account.name} may not write {','.join(sorted(lacking))}"
            yield Flaw(FILE, account.line_of("write"), what, "write = originate,call,agent,user,reporting")


def engines_share(configuration: Configuration) -> Iterator[Flaw]:
    """D313: two engines with one account cannot be told apart, nor one of them shut out."""
    general = configuration.section(FILE, "general").is_on("allowmultiplelogin", default=True)
    for account in engines(configuration):
        if account.is_on("allowmultiplelogin", default=general):
            what = f"account {account.name} may be signed in several times at once"
            yield Flaw(FILE, account.line_of("allowmultiplelogin"), what, "allowmultiplelogin = no")


def no_engine(configuration: Configuration) -> Iterator[Flaw]:
    """D314: nobody may originate, so no engine can work."""
    if FILE in configuration.files and not any(engines(configuration)):
        yield Flaw(FILE, 0, "no account may originate calls: there is none for the engine", "add the engine's account")


def slow_to_give_up(value: str) -> bool:
    """Tell whether a stranger's connection is dropped soon enough."""
    return value.isdigit() and 0 < int(value) <= AUTH_TIME_OUT_S


RULES: Final[tuple[Rule[Configuration], ...]] = (
    Rule(
        "D301",
        Severity.ERROR,
        must_be(
            FILE,
            "general",
            "bindaddr",
            is_loopback,
            EVERYWHERE,
            "others on the network can reach it",
            "bindaddr = 127.0.0.1",
        ),
    ),
    Rule(
        "D302",
        Severity.ERROR,
        must_be(FILE, "general", "webenabled", is_no, "no", "GHSA-3rhj-hhw7-m6fw and others", "webenabled = no"),
    ),
    Rule("D303", Severity.ERROR, events_not_disabled),
    Rule("D304", Severity.ERROR, reads_too_much),
    Rule("D305", Severity.ERROR, writes_too_much),
    Rule("D306", Severity.ERROR, no_access_list),
    Rule("D307", Severity.ERROR, cut_off_early),
    Rule("D308", Severity.WARNING, no_second_wall),
    Rule("D309", Severity.ERROR, variables_in_events),
    Rule("D310", Severity.ERROR, weak_secret),
    Rule("D311", Severity.ERROR, engine_is_deaf),
    Rule("D312", Severity.ERROR, engine_is_bound),
    Rule("D313", Severity.WARNING, engines_share),
    Rule("D314", Severity.ERROR, no_engine),
    Rule(
        "D315",
        Severity.ERROR,
        must_be(FILE, "general", "enabled", is_yes, "no", "the engine cannot connect", "enabled = yes"),
    ),
    Rule(
        "D316",
        Severity.WARNING,
        must_be(
            FILE, "general", "authtimeout", slow_to_give_up, "30", "strangers hold connections open", "authtimeout = 5"
        ),
    ),
)
