"""The catalogue of messages: what customers are sent, in every language.

Knows files `<language>.yaml` of a folder, one `id: text` a line, or a block of `text`, `subject` and `title`. Must not
know who is sent what, nor gateways. Mistakes are findings with file, line and column.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Final, Self

from ivr_engine.flow.findings import Finding, Place, did_you_mean, in_order
from ivr_engine.flow.source import Data, Source, read_source
from ivr_engine.flow.source import Path as At
from ivr_engine.flow.templates import BrokenTemplateError, Template, take_apart
from ivr_engine.flow.wording import Text
from ivr_engine.values.language import Language
from ivr_engine.values.medium import Medium

FOLDER: Final = "messages"
"""Where below the prompts the messages stand."""
ID_CHARACTERS_MAX: Final = 60
_ID: Final = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*", re.ASCII)
_KEYS: Final = ("text", "subject", "title")
HEADING_OF: Final[Mapping[Medium, str]] = MappingProxyType({Medium.EMAIL: "subject", Medium.FAX: "title"})
"""The key of what stands above the text, for the media that have such."""
_NOTHING: Final = Template(())


@dataclass(frozen=True, slots=True)
class Message:
    """One message in one language; `headings` by their keys, `subject` and `title`."""

    text: Template
    headings: Mapping[str, Template]
    place: Place

    def heading(self, medium: Medium) -> Template:
        """Return what stands above the text; nothing for a medium that has no such."""
        return self.headings.get(HEADING_OF.get(medium, ""), _NOTHING)

    def placeholders(self, medium: Medium) -> Mapping[str, str]:
        """Return each placeholder's form by its name, for one medium."""
        return {**self.heading(medium).placeholders, **self.text.placeholders}

    @property
    def all_placeholders(self) -> frozenset[tuple[str, str]]:
        """Every placeholder with its form, wherever it stands."""
        parts = (self.text, *self.headings.values())
        return frozenset(pair for part in parts for pair in part.placeholders.items())


@dataclass(frozen=True, slots=True)
class Messages:
    """The messages of all languages; `findings` say what is wrong with the files, and keep every flow from calls."""

    by_language: Mapping[Language, Mapping[str, Message]] = field(
        default_factory=lambda: MappingProxyType({language: MappingProxyType({}) for language in Language})
    )
    findings: tuple[Finding, ...] = ()

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read `<language>.yaml` of a folder; a file that is not there has no messages. Raises `OSError`."""
        files = {language: folder / f"{language.value}.yaml" for language in Language}
        return cls.from_texts(
            {
                language: (str(file), file.read_text(encoding="utf-8", errors="replace"))
                for language, file in files.items()
                if file.is_file()
            }
        )

    @classmethod
    def from_texts(cls, texts: Mapping[Language, tuple[str, str]]) -> Self:
        """Read files given as language -> (name for findings, content)."""
        sources = {language: read_source(file, text) for language, (file, text) in texts.items()}
        found = {language: dict(_messages(source)) for language, source in sources.items()}
        if not any(source.findings for source in sources.values()):
            _check_alike(sources, found)
        findings = in_order(finding for source in sources.values() for finding in source.findings)
        kept = {language: MappingProxyType(found.get(language, {})) for language in Language}
        return cls(MappingProxyType(kept), findings)

    def ids(self) -> frozenset[str]:
        """Return the names of all messages."""
        return frozenset(name for messages in self.by_language.values() for name in messages)

    def has(self, language: Language, name: str) -> bool:
        """Whether a message has a text in a language."""
        return name in self.by_language[language]

    def message(self, language: Language, name: str) -> Message:
        """Return a message; `KeyError` when there is none."""
        return self.by_language[language][name]


def _messages(source: Source) -> Iterator[tuple[str, Message]]:
    if source.findings or source.data is None:
        return
    if not isinstance(source.data, dict):
        mend = Text("write `id: text`, one a line")
        source.finding("E112", source.place(()), Text("a list of messages is expected here"), mend)
        return
    for name, written in source.data.items():
        place = source.place((name,), key=True)
        if not _ID.fullmatch(name) or len(name) > ID_CHARACTERS_MAX:
            mend = Text("write small letters a-z, digits and single _")
            source.finding("E112", place, Text("'{name}' cannot be the name of a message", name=name), mend)
            continue
        message = _message(source, name, written, place)
        if message is not None:
            yield name, message


def _message(source: Source, name: str, written: Data, place: Place) -> Message | None:
    if not isinstance(written, dict):
        text = _template(source, (name,), written)
        return Message(text, MappingProxyType({}), place) if text is not None else None
    for key in written:
        if key not in _KEYS:
            message = Text("'{word}' has no meaning here", word=key)
            source.finding("E110", source.place((name, key), key=True), message, did_you_mean(key, _KEYS))
    if "text" not in written:
        message = Text("`{key}` is missing", key="text")
        source.finding("E111", place, message, Text("add `{key}: ...`", key="text"))
        return None
    parts = {key: _template(source, (name, key), written[key]) for key in _KEYS if key in written}
    whole: dict[str, Template] = {key: part for key, part in parts.items() if part is not None}
    if len(whole) < len(parts):
        return None
    return Message(whole.pop("text"), MappingProxyType(whole), place)


def _template(source: Source, at: At, written: Data) -> Template | None:
    """Read one text; a list is one of lines."""
    lines = written if isinstance(written, list) else [written]
    pieces: list[Template] = []
    for number, line in enumerate(lines):
        place = source.place((*at, number) if isinstance(written, list) else at)
        if isinstance(line, (dict, list)) or line is None or str(line).strip() == "":
            mend = Text("write the text in quotes after the colon, or a list of lines")
            source.finding("E112", place, Text("a text is expected here"), mend)
            return None
        try:
            pieces.append(take_apart(str(line)))
        except BrokenTemplateError as error:
            quoted = source.lines[place.line - 1][place.column - 1 : place.column] in ("'", '"')
            shown = Place(place.file, place.line, place.column + error.at + quoted)
            source.finding("E413", shown, error.message, error.mend)
            return None
    joined = pieces[0].pieces
    for piece in pieces[1:]:
        joined = (*joined, "\n", *piece.pieces)
    return Template(joined)


def _check_alike(sources: Mapping[Language, Source], found: Mapping[Language, Mapping[str, Message]]) -> None:
    """Find messages that another language has, and placeholders that differ between languages."""
    first: dict[str, tuple[Language, Message]] = {}
    for language, messages in found.items():
        for name, message in messages.items():
            first.setdefault(name, (language, message))
    for name, (language, message) in first.items():
        missing = [other for other in Language if name not in found.get(other, {})]
        if missing:
            said = Text("message '{name}' has no text in {languages}", name=name, languages=", ".join(missing))
            mend = Text("add it to prompts/messages/{language}.yaml", language=missing[0].value)
            sources[language].finding("E412", message.place, said, mend)
        for other, messages in found.items():
            if name in messages:
                _check_placeholders(sources[other], name, message, messages[name], language)


def _check_placeholders(source: Source, name: str, first: Message, other: Message, language: Language) -> None:
    if first.headings.keys() != other.headings.keys():
        differ = ", ".join(sorted(first.headings.keys() ^ other.headings.keys()))
        said = Text("message '{name}' has `{keys}` in some languages only", name=name, keys=differ)
        source.finding("E414", other.place, said, Text("write it in every language"))
    differing = sorted(placeholder for placeholder, _ in first.all_placeholders ^ other.all_placeholders)
    if differing:
        said = Text(
            "message '{name}' has other placeholders than in {language}: {placeholders}",
            name=name,
            language=language.value,
            placeholders=", ".join(dict.fromkeys(differing)),
        )
        source.finding("E414", other.place, said, Text("write the same placeholders, in the same form"))
