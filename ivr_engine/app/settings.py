"""Settings: what an operator may change, from `ivr.toml` and from environment variables `IVR_...`.

Knows names, defaults and limits. Must not know who uses them. The environment wins over the file; an unknown name is an
error with a suggestion, so that a misspelt setting never passes unnoticed.
"""

from __future__ import annotations

import ipaddress
import os
import pathlib
import re
import tomllib
from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Any, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator
from pydantic.fields import FieldInfo

from ivr_engine.calls.leaving import is_allowed, is_pattern
from ivr_engine.calls.signatures import CALLER_LISTS
from ivr_engine.flow.findings import did_you_mean
from ivr_engine.flow.scope import PRODUCTION, ZONE
from ivr_engine.flow.wording import Wording
from ivr_engine.values.language import Language

PREFIX: Final = "IVR_"
FILE: Final = "ivr.toml"
NOT_SETTINGS: Final = frozenset({"IVR_ASTERISK_ROOT"})
"""Variables of the set-up scripts that share the prefix."""
_SKILLS: Final = re.compile(r"\s*[A-Za-z0-9_-]{1,80}\s*:\s*[a-z][a-z0-9_]*(\s+[a-z][a-z0-9_]*)*\s*", re.ASCII)
_MAY_HOLD_PASSWORDS: Final = frozenset({"database_url", "bank_url"})
_ACCOUNT: Final = re.compile(r"[A-Za-z0-9_-]{1,40}", re.ASCII)
_SIP_ADDRESS: Final = re.compile(r"sip:([A-Za-z0-9_.-]{1,64})@[A-Za-z0-9.-]{1,253}(:[0-9]{1,5})?", re.ASCII)
SHORT_NUMBER_DIGITS: Final = 5
"""A number of the house, or a service number of the country: it is no premium number and not abroad."""
PROJECT: Final = pathlib.Path(__file__).resolve().parents[2]


class SettingsError(Exception):
    """What is wrong with the settings, one line each."""


class AsteriskMode(StrEnum):
    """Who runs Asterisk."""

    EMBEDDED = "embedded"
    """`ivr serve` starts it and stops it."""
    EXTERNAL = "external"
    """It runs elsewhere with the configuration that `ivr serve` wrote (a container, a service)."""


def _network(text: str) -> str:
    try:
        ipaddress.ip_network(text)
    except ValueError as error:
        message = f"{error} (write it as 192.0.2.0/24)"
        raise ValueError(message) from None
    return text


def _address(text: str) -> str:
    ipaddress.ip_address(text)  # its error says what is wrong
    return text


def _database_url(text: str) -> str:
    if not text:
        return text
    # SQLAlchemy takes longer to load than most commands take to run; who sets no database does not wait for it.
    from sqlalchemy.exc import ArgumentError

    from ivr_engine.adapters.store.database import driver_url

    try:
        driver_url(text)
    except ArgumentError:
        raise ValueError("is sqlite:///file or postgresql://user@host/name, or empty") from None
    return text


def _bank_url(text: str) -> str:
    if text and not text.startswith(("https://", "http://")):
        raise ValueError("is https://host[:port][/path], or empty for the embedded core")
    return text


def _zone(text: str) -> str:
    try:
        ZoneInfo(text)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError("is the name of a time zone, such as Asia/Shanghai") from None
    return text


def _folder(path: pathlib.Path) -> pathlib.Path:
    if not path.is_dir():
        raise ValueError("there is no such folder")
    return path


CallerList = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,39}$")]


def _number_pattern(text: str) -> str:
    if not is_pattern(text):
        raise ValueError("a pattern is digits, X (0-9), Z (1-9), N (2-9) and sets such as [3-9]")
    return text


def _destination(text: str) -> str:
    if not (_ACCOUNT.fullmatch(text) or _SIP_ADDRESS.fullmatch(text)):
        raise ValueError("a destination is the account of a telephone, or sip:number@host[:port] through the trunk")
    return text


def _skills(text: str) -> str:
    if _SKILLS.fullmatch(text) is None:
        raise ValueError("is an agent's account with what they know, as 1001: en credit_cards")
    return " ".join(text.split())


Skilled = Annotated[str, AfterValidator(_skills)]
Network = Annotated[str, AfterValidator(_network)]
Address = Annotated[str, AfterValidator(_address)]
NumberPattern = Annotated[str, AfterValidator(_number_pattern)]
Destination = Annotated[str, AfterValidator(_destination)]
DestinationName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,40}$")]


class Settings(BaseModel):
    """Everything an operator may change; each setting is also an environment variable, `sip_port` as IVR_SIP_PORT."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    state_dir: pathlib.Path = Field(default=PROJECT / ".ivr", description="Where the hotline keeps what it makes.")
    flows_dir: pathlib.Path = Field(default=PROJECT / "flows", description="The flows.")
    prompts_dir: Annotated[pathlib.Path, AfterValidator(_folder)] = Field(
        default=PROJECT / "prompts", description="The texts of the prompts."
    )
    first_flow: str = Field(default="hotline", description="The flow that a call begins with.")
    environment: str = Field(
        default=PRODUCTION, pattern=r"^[a-z][a-z0-9_]{0,40}$", description="Which constants of the flows are in force."
    )
    zone: Annotated[str, AfterValidator(_zone)] = Field(
        default=ZONE, description="The time zone of opening hours and of the bank's calendar."
    )
    caller_lists: tuple[CallerList, ...] = Field(
        default=CALLER_LISTS, min_length=1, description="The lists of callers that the bank keeps, by name."
    )
    default_language: Language = Field(default=Language.MANDARIN, description="Spoken before the caller has chosen.")
    keys_to_human: int = Field(default=2, ge=1, le=9, description="Keys from any menu to a human, at most: proved.")
    human_within_s: int = Field(default=60, ge=5, le=600, description="Until a human is offered, at most: proved.")
    silence_s: int = Field(default=9, ge=4, le=60, description="Silence at a stretch, at most: proved.")
    menu_options: int = Field(default=5, ge=1, le=12, description="Options of a menu; beyond them there is advice.")
    menus_before_task: int = Field(default=3, ge=1, le=9, description="Menus on the way to a task; the same.")
    menu_s: int = Field(default=20, ge=5, le=120, description="How long a menu speaks; the same.")
    written_results: bool = Field(
        default=True, description="What is read out and personal should be offered in writing too: else advice."
    )
    screen_kept_min: int = Field(
        default=60, ge=1, le=1440, description="Minutes for which what an agent sees of a call is kept."
    )
    dial: str = Field(default="95588", pattern=r"^[0-9]{3,15}$", description="The hotline's number.")

    database_url: Annotated[str, AfterValidator(_database_url)] = Field(
        default="", description="SQLite in the state folder, or postgresql://user@host/name."
    )
    bank_url: Annotated[str, AfterValidator(_bank_url)] = Field(
        default="", description="A core behind REST; empty: the embedded core."
    )
    demo_data: bool = Field(default=True, description="Put demonstration customers into an empty embedded core.")

    asterisk: AsteriskMode = Field(default=AsteriskMode.EMBEDDED, description="Who runs Asterisk.")
    sip_bind: Address = Field(default="127.0.0.1", description="The address for SIP.")
    sip_port: int = Field(default=5060, ge=1, le=65535)
    trunk_addresses: tuple[Network, ...] = Field(default=("127.0.0.1/32",), description="Who may send calls.")
    agents: tuple[str, ...] = Field(default=("1001", "1002"), description="SIP accounts of the agents.")
    agent_skills: tuple[Skilled, ...] = Field(
        default=(), description="What agents know that a queue step may ask for, as 1001: en credit_cards."
    )
    rtp_first_port: int = Field(default=10000, ge=1024, le=65535)
    rtp_last_port: int = Field(default=19999, ge=1024, le=65535)
    agi_host: str = Field(default="127.0.0.1", description="The address on which the engine serves FastAGI.")
    agi_port: int = Field(default=4573, ge=1, le=65535)
    agi_peers: tuple[Network, ...] = Field(default=("127.0.0.0/8",), description="From where Asterisk may call.")
    ami_host: str = Field(default="127.0.0.1", description="Where Asterisk's manager interface is.")
    ami_port: int = Field(default=5038, ge=1, le=65535)
    web_host: str = Field(default="127.0.0.1")
    web_port: int = Field(default=8080, ge=1, le=65535)
    engine_id: str = Field(default="engine-1", pattern=r"^[a-z0-9-]{1,40}$", description="Unique for each engine.")
    max_calls: int = Field(default=600, ge=1, le=5000)
    ring_s: int = Field(default=15, ge=1, le=120, description="How long an agent's telephone rings.")
    wrap_up_s: float = Field(default=10.0, ge=0, le=600)
    max_wait_s: float = Field(default=900.0, ge=1, le=7200)
    destinations: dict[DestinationName, Destination] = Field(
        default_factory=dict,
        description="Whom flows may transfer callers to, by name: lost_cards=1001, or =sip:number@host of the trunk.",
    )
    numbers_allowed: tuple[NumberPattern, ...] = Field(
        default=("1[3-9]XXXXXXXXX", "0[1-9]XXXXXXXX", "0[1-9]XXXXXXXXX", "0[1-9]XXXXXXXXXX"),
        description="Numbers that callers may be called back at or transferred to; none abroad, no premium ones.",
    )
    messages_mb: int = Field(
        default=2000, ge=3, le=1_000_000, description="How many megabytes of voice messages are kept in all."
    )
    left_open_h: int = Field(
        default=24, ge=1, le=720, description="Hours that a message or callback may wait before ivr doctor warns."
    )
    log_level: str = Field(default="info", pattern="^(debug|info|warning|error)$")
    language_of_findings: Wording | None = Field(
        default=None, description="Mistakes in flows are told in en or zh; by default as LC_ALL or LANG say."
    )
    use_uvloop: bool = Field(default=True, description="Run on uvloop where it is installed.")

    @model_validator(mode="after")
    def _ports_in_order(self) -> Settings:
        if self.rtp_first_port >= self.rtp_last_port:
            raise ValueError("setting rtp_first_port (IVR_RTP_FIRST_PORT) has to be below rtp_last_port")
        return self

    @model_validator(mode="after")
    def _skills_of_agents(self) -> Settings:
        for name in self.skills:
            if name not in self.agents:
                message = f"setting agent_skills (IVR_AGENT_SKILLS): there is no agent {name}; set agents as well"
                raise ValueError(message)
        return self

    @model_validator(mode="after")
    def _destinations_may_be_called(self) -> Settings:
        for name, destination in self.destinations.items():
            found = _SIP_ADDRESS.fullmatch(destination)
            number = found.group(1) if found is not None else ""
            short = number.isdecimal() and len(number) <= SHORT_NUMBER_DIGITS
            if number[:1].isdecimal() and not short and not is_allowed(number, self.numbers_allowed):
                message = (
                    f"setting destinations (IVR_DESTINATIONS): '{name}' is {number}, which no pattern of "
                    "numbers_allowed (IVR_NUMBERS_ALLOWED) allows"
                )
                raise ValueError(message)
        return self

    @property
    def endpoints(self) -> dict[str, str]:
        """Return each destination as Asterisk dials it: an account, or an address through the trunk."""
        return {
            name: f"PJSIP/trunk/{where}" if where.startswith("sip:") else f"PJSIP/{where}"
            for name, where in self.destinations.items()
        }

    @property
    def messages_dir(self) -> pathlib.Path:
        """Where voice messages stand."""
        return self.state_dir / "messages"

    @property
    def skills(self) -> Mapping[str, frozenset[str]]:
        """What each agent knows, for those who know anything in particular."""
        parted = (one.split(":") for one in self.agent_skills)
        return {name.strip(): frozenset(known.split()) for name, known in parted}

    @property
    def sounds_dir(self) -> pathlib.Path:
        """Where built recordings stand."""
        return self.state_dir / "sounds"

    @property
    def run_dir(self) -> pathlib.Path:
        """Where Asterisk keeps its control socket, log and spool."""
        return self.state_dir / "asterisk-run"

    @property
    def asterisk_conf_dir(self) -> pathlib.Path:
        """Where the rendered configuration of Asterisk stands."""
        return self.state_dir / "asterisk-conf"

    @property
    def database(self) -> str:
        """The URL of the database in force."""
        return self.database_url or f"sqlite:///{self.state_dir / 'hotline.db'}"


def load_settings(folder: pathlib.Path, environment: Mapping[str, str] | None = None) -> Settings:
    """Read `ivr.toml` in `folder`, then the environment; raise `SettingsError` with all that is wrong."""
    given = {**_from_file(folder / FILE), **_from_environment(os.environ if environment is None else environment)}
    unknown = [name for name in given if name not in Settings.model_fields]
    lines = [f"there is no setting '{name}': {did_you_mean(name, Settings.model_fields)}" for name in unknown]
    try:
        found = Settings.model_validate({name: value for name, value in given.items() if name not in unknown})
    except ValidationError as error:
        lines += [_line(complaint) for complaint in error.errors(include_url=False)]
        raise SettingsError("\n".join(lines)) from None
    if lines:
        raise SettingsError("\n".join(lines))
    return found


def _from_file(path: pathlib.Path) -> dict[str, Any]:
    if not path.exists():
        return {}
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, OSError, UnicodeDecodeError) as error:
        message = f"{path} cannot be read: {error}"
        raise SettingsError(message) from None


def _from_environment(environment: Mapping[str, str]) -> dict[str, Any]:
    given: dict[str, Any] = {}
    for variable, text in environment.items():
        if not variable.startswith(PREFIX) or variable in NOT_SETTINGS:
            continue
        name = variable.removeprefix(PREFIX).lower()
        field = Settings.model_fields.get(name)
        given[name] = _value(field, text) if field is not None else text
    return given


def _value(field: FieldInfo, text: str) -> Any:  # noqa: ANN401 # pydantic judges it next
    """Return a list written `a, b`, a block written `name=value, name=value`, or the text as it is."""
    parts = [part.strip() for part in text.split(",") if part.strip()]
    if field.default_factory is dict:
        pairs = (part.partition("=") for part in parts)
        return {name.strip(): value.strip() for name, _, value in pairs}
    return tuple(parts) if isinstance(field.default, tuple) else text


def _line(complaint: Mapping[str, Any]) -> str:
    message = str(complaint["msg"]).removeprefix("Value error, ")
    if not complaint["loc"]:
        return message  # about several settings, which it names
    name = str(complaint["loc"][0])
    told = f"setting {name} (IVR_{name.upper()}): {message}"
    # An address may hold a password.
    return told if name in _MAY_HOLD_PASSWORDS else f"{told}; it is '{complaint['input']}'"
