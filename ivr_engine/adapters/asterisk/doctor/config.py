r"""Asterisk's configuration language: sections, templates, includes, comments, each entry with its file and line.

Knows what main/config.c reads: `[a](!)` a template, `[b](a)` its heir, `[a](+)` more of an earlier section, `=` and
`=>` alike, `;` a comment, `\;` a semicolon, `;-- ... --;` a comment over many lines, `#include`, `#tryinclude`,
`#exec`. Must not know what any setting means. Nothing is executed: `#exec` is only noted.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

INCLUDE_DEPTH: Final = 10
"""Files inside files; Asterisk stops at the same number (MAX_INCLUDE_LEVEL in main/config.c)."""
FILE_BYTES: Final = 4_194_304

_SECTION: Final = re.compile(r"\[([^\]]*)\]\s*(?:\(([^)]*)\))?\s*$")
_DIRECTIVE: Final = re.compile(r"#(include|tryinclude|exec)\s+[\"<]?([^\">]+)[\">]?\s*$", re.IGNORECASE)
_ENTRY: Final = re.compile(r"([^=]+?)\s*(\+=|=>|=)\s*(.*)$", re.DOTALL)
_YES: Final = frozenset({"yes", "true", "y", "t", "1", "on"})


@dataclass(frozen=True, slots=True)
class Entry:
    """One `key = value`; keys are compared without regard to case."""

    key: str
    value: str
    file: str
    line: int


@dataclass(slots=True)
class Section:
    """One `[name]`; two sections of the same name stay two (pjsip.conf has one per type)."""

    name: str
    file: str
    line: int
    is_template: bool = False
    entries: list[Entry] = field(default_factory=list)

    def entry(self, key: str) -> Entry | None:
        """Return the entry that counts, the last one, inherited ones being earlier; None when there is none."""
        found = self.all(key)
        return found[-1] if found else None

    def all(self, key: str) -> list[Entry]:
        """Return every entry of that key, in order."""
        return [entry for entry in self.entries if entry.key.lower() == key.lower()]

    def get(self, key: str, default: str = "") -> str:
        """Return the value that counts."""
        entry = self.entry(key)
        return default if entry is None else entry.value

    def line_of(self, key: str) -> int:
        """Return where the key stands, or where the section begins when it does not."""
        entry = self.entry(key)
        return self.line if entry is None else entry.line

    def is_on(self, key: str, *, default: bool) -> bool:
        """Read a yes or no as Asterisk does (ast_true)."""
        return self.get(key).lower() in _YES if self.entry(key) else default


@dataclass(frozen=True, slots=True)
class Fault:
    """Something that Asterisk would not read, or would run."""

    file: str
    line: int
    what: str


@dataclass(slots=True)
class ConfigFile:
    """One file with all that it includes."""

    name: str
    sections: list[Section] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    executes: list[Fault] = field(default_factory=list)
    paths: list[Path] = field(default_factory=list)

    def section(self, name: str) -> Section:
        """Return the section of that name that is no template, or an empty one at line 0."""
        found = [section for section in self.real_sections() if section.name.lower() == name.lower()]
        return found[-1] if found else Section(name, self.name, 0)

    def real_sections(self) -> Iterator[Section]:
        """Give the sections that Asterisk uses: those that are no templates."""
        return (section for section in self.sections if not section.is_template)


def read_config(folder: Path, name: str) -> ConfigFile | None:
    """Read one file of a configuration folder; None when it is not there."""
    if not (folder / name).is_file():
        return None
    config = ConfigFile(name)
    _Reader(folder, config).read(folder / name, 0)
    return config


class _Reader:
    """Reads one file and what it includes into `config`; an include goes on in the section that it stands in."""

    def __init__(self, folder: Path, config: ConfigFile) -> None:
        self._folder = folder
        self._config = config
        self._section: Section | None = None

    def read(self, path: Path, depth: int) -> None:
        name = path.relative_to(self._folder).as_posix() if path.is_relative_to(self._folder) else path.as_posix()
        try:
            data = path.read_bytes()
        except OSError as error:
            self._config.faults.append(Fault(name, 0, f"cannot be read: {error.strerror}"))
            return
        if len(data) > FILE_BYTES:
            self._config.faults.append(Fault(name, 0, f"is larger than {FILE_BYTES} bytes"))
            return
        self._config.paths.append(path)
        lines = data.decode("utf-8", "backslashreplace").splitlines()
        for number, text in _without_comments(lines, name, self._config.faults):
            self._take(text, name, number, depth)

    def _take(self, text: str, name: str, number: int, depth: int) -> None:
        if text.startswith("["):
            self._begin_section(text, name, number)
        elif text.startswith("#"):
            self._obey(text, name, number, depth)
        else:
            self._add_entry(text, name, number)

    def _begin_section(self, text: str, name: str, number: int) -> None:
        match = _SECTION.match(text)
        if match is None:
            self._config.faults.append(Fault(name, number, "begins a section and does not end it"))
            return
        options = [option.strip() for option in (match[2] or "").split(",") if option.strip()]
        if "+" in options:
            earlier = [section for section in self._config.sections if section.name == match[1]]
            if not earlier:
                self._config.faults.append(Fault(name, number, f"adds to section [{match[1]}], which does not exist"))
            self._section = earlier[-1] if earlier else self._new(match[1], name, number)
        else:
            self._section = self._new(match[1], name, number, is_template="!" in options)
        for parent_name in options:
            if parent_name not in ("!", "+"):
                self._inherit(self._section, parent_name, name, number)

    def _new(self, section_name: str, name: str, number: int, *, is_template: bool = False) -> Section:
        section = Section(section_name, name, number, is_template)
        self._config.sections.append(section)
        return section

    def _inherit(self, section: Section, parent_name: str, name: str, number: int) -> None:
        parents = [other for other in self._config.sections if other.name == parent_name and other is not section]
        if not parents:
            self._config.faults.append(Fault(name, number, f"inherits from [{parent_name}], which does not exist"))
            return
        section.entries.extend(parents[0].entries)

    def _obey(self, text: str, name: str, number: int, depth: int) -> None:
        match = _DIRECTIVE.match(text)
        if match is None:
            self._config.faults.append(Fault(name, number, "is no directive that Asterisk knows"))
            return
        word, operand = match[1].lower(), match[2].strip()
        if word == "exec":
            self._config.executes.append(Fault(name, number, f"runs a program while reading the file: {operand}"))
            return
        if depth >= INCLUDE_DEPTH:
            self._config.faults.append(Fault(name, number, f"includes deeper than {INCLUDE_DEPTH} files"))
            return
        if Path(operand).is_absolute():
            found = [Path(operand)] if Path(operand).is_file() else []
        else:
            found = sorted(path for path in self._folder.glob(operand) if path.is_file())
        if not found and word == "include":
            self._config.faults.append(Fault(name, number, f"includes {operand}, which does not exist"))
        for path in found:
            self.read(path, depth + 1)

    def _add_entry(self, text: str, name: str, number: int) -> None:
        match = _ENTRY.match(text)
        if match is None:
            self._config.faults.append(Fault(name, number, "is neither a section nor `key = value`"))
        elif self._section is None:
            self._config.faults.append(Fault(name, number, "stands before the first section"))
        else:
            self._section.entries.append(Entry(match[1].strip(), match[3].strip(), name, number))


def _without_comments(lines: list[str], name: str, faults: list[Fault]) -> Iterator[tuple[int, str]]:
    """Give line numbers and what is left of each line that is not all comment."""
    block_began = 0
    for number, line in enumerate(lines, start=1):
        kept: list[str] = []
        position = 0
        while position < len(line):
            if block_began:
                end = line.find("--;", position)
                if end < 0:
                    break
                block_began, position = 0, end + 3
            elif line.startswith("\\;", position):
                kept.append(";")
                position += 2
            elif line.startswith(";--", position) and not line.startswith(";---", position):
                block_began, position = number, position + 3
            elif line[position] == ";":
                break
            else:
                kept.append(line[position])
                position += 1
        text = "".join(kept).strip()
        if text:
            yield number, text
    if block_began:
        faults.append(Fault(name, block_began, "begins a comment with ;-- that no --; ends: the rest is not read"))
