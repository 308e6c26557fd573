"""What the rules look at: the configuration folder, and a running Asterisk's own words.

Knows where to find each file and how a running Asterisk is described. Must not know what is right.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from ivr_engine.adapters.asterisk.doctor.config import ConfigFile, Section, read_config
from ivr_engine.adapters.asterisk.doctor.finding import Flaw

FILES: Final = (
    "asterisk.conf",
    "modules.conf",
    "manager.conf",
    "logger.conf",
    "cel.conf",
    "pjsip.conf",
    "http.conf",
    "rtp.conf",
    "queues.conf",
    "features.conf",
    "extensions.conf",
)
SECRET_FILES: Final = ("manager.conf", "pjsip.conf")


@dataclass(frozen=True, slots=True)
class Configuration:
    """The files of one Asterisk, read once; a file that is missing is an empty one."""

    folder: Path
    files: Mapping[str, ConfigFile]

    @classmethod
    def read(cls, folder: Path) -> Configuration:
        """Read every file that a rule asks about."""
        found = {name: config for name in FILES if (config := read_config(folder, name)) is not None}
        return cls(folder, found)

    def file(self, name: str) -> ConfigFile:
        """Return one file."""
        return self.files.get(name) or ConfigFile(name)

    def section(self, file_name: str, section_name: str) -> Section:
        """Return one section of a file, empty when there is none."""
        return self.file(file_name).section(section_name)


@dataclass(frozen=True, slots=True)
class Running:
    """A running Asterisk, by its own words; an empty text is a question that was not asked or not answered.

    `settings` is what `core show settings` says, `manager` what `manager show settings` says, label to value; `loggers`
    are the lines of `logger show channels`; `modules` are the loaded ones without `.so`, None when not known.
    """

    version: str = ""
    settings: Mapping[str, str] = field(default_factory=dict)
    manager: Mapping[str, str] = field(default_factory=dict)
    loggers: tuple[str, ...] = ()
    modules: frozenset[str] | None = None
    troubles: tuple[str, ...] = ()


def must_be(
    file_name: str, section_name: str, key: str, good: Callable[[str], bool], default: str, what: str, mend: str
) -> Callable[[Configuration], Iterator[Flaw]]:
    """Make the commonest rule: one value in one section; `default` is what Asterisk takes when it is not there."""

    def check(configuration: Configuration) -> Iterator[Flaw]:
        if file_name not in configuration.files:
            return
        section = configuration.section(file_name, section_name)
        value = section.get(key, default)
        if not good(value):
            yield Flaw(file_name, section.line_of(key), f"{key} = {value or '(nothing)'}: {what}", mend)

    return check


def is_yes(value: str) -> bool:
    """Tell whether Asterisk takes a value for yes."""
    return value.lower() in ("yes", "true", "y", "t", "1", "on")


def is_no(value: str) -> bool:
    """Tell whether Asterisk takes a value for anything but yes."""
    return not is_yes(value)


def words(value: str) -> frozenset[str]:
    """Split a list at its commas."""
    return frozenset(word.strip() for word in value.split(",") if word.strip())
