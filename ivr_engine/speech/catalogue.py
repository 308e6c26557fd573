"""The prompt catalogue: what every recording says, in every language.

Knows prompt files (`<language>.yaml` and `<language>.<part>.yaml`, one `id: text` a line) and what makes
them whole. Must not know audio, nor which flow uses which prompt.

All prompt files of a folder together are one catalogue: a bank adds `cmn.cards.yaml` beside `cmn.yaml`.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

import yaml

from ivr_engine.speech.grammars import required_prompts
from ivr_engine.values.language import Language

LONGEST_TEXT: Final = 400
"""Characters of one prompt; about a minute and a half of speech, more than anybody listens to."""

LONGEST_ID: Final = 60
LARGEST_FILE: Final = 1_000_000
"""Characters of one prompt file."""

_CHARACTER_MS: Final[Mapping[Language, int]] = {Language.MANDARIN: 340, Language.CANTONESE: 245, Language.ENGLISH: 72}
"""How long a character of text is heard, signs and spaces not counted."""
_STOP_MS: Final[Mapping[Language, int]] = {Language.MANDARIN: 140, Language.CANTONESE: 260, Language.ENGLISH: 300}
"""How long the silence at a comma or a full stop is."""
_AROUND_MS: Final[Mapping[Language, int]] = {Language.MANDARIN: 220, Language.CANTONESE: 130, Language.ENGLISH: 200}
"""What a prompt takes beside its characters."""
_AROUND_ONE_MS: Final[Mapping[Language, int]] = {**_AROUND_MS, Language.MANDARIN: 120}
"""The same for a prompt of a single character, which is said more quickly in Mandarin.

All of these were fitted to the recordings that espeak-ng makes of the shipped catalogue: as little as may be, with at
most four prompts of a language taking longer than they say, none by more than a tenth.
"""
_LETTERS_OF_A_DIGIT: Final = 4
"""How many letters a digit counts in a language that writes letters: `3` is said as `three`."""
_STOPS: Final = frozenset("。！？，、；：.!?,;:")

_ID = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*", re.ASCII)
_ASCII_DIGIT = re.compile(r"[0-9]", re.ASCII)
_READ_BY_SYLLABLE = frozenset({Language.MANDARIN, Language.CANTONESE})


@dataclass(frozen=True, slots=True)
class PromptText:
    """One prompt: its words, what the speaker is told of its group (comment above) and of itself, and its place."""

    text: str
    group: str
    remark: str
    source: str
    line: int


@dataclass(frozen=True, slots=True)
class PromptProblem:
    """What is wrong with a prompt file, and where; `line` is None when the place is the whole file."""

    source: str
    line: int | None
    message: str

    def __str__(self) -> str:
        place = self.source if self.line is None else f"{self.source}:{self.line}"
        return f"{place}: {self.message}"


class CatalogueError(ValueError):
    """The prompt files cannot be used; `problems` holds all of them, in order of file and line."""

    def __init__(self, problems: Sequence[PromptProblem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(map(str, self.problems)))


@dataclass(frozen=True, slots=True)
class PromptSource:
    """The content of one prompt file and the name under which problems report it."""

    name: str
    language: Language
    content: str


class Catalogue:
    """The texts of all prompts of all languages; immutable, complete and free of problems once it exists."""

    def __init__(self, prompts: Mapping[Language, Mapping[str, PromptText]]) -> None:
        self._prompts = {language: dict(texts) for language, texts in prompts.items()}

    @classmethod
    def load(cls, folder: Path, *, with_gaps: bool = False) -> Self:
        """Read every prompt file of a folder; `CatalogueError` with all problems found, `OSError` from reading.

        Only `with_gaps` may a prompt be missing in some language: for looking at prompts, not for calls.
        """
        sources = [
            PromptSource(path.name, language, path.read_text(encoding="utf-8"))
            for language in Language
            for path in sorted({*folder.glob(f"{language}.yaml"), *folder.glob(f"{language}.*.yaml")})
        ]
        return cls.from_sources(sources, with_gaps=with_gaps)

    @classmethod
    def from_sources(cls, sources: Iterable[PromptSource], *, with_gaps: bool = False) -> Self:
        """Build a catalogue from the content of files; `CatalogueError` with all problems found."""
        prompts: dict[Language, dict[str, PromptText]] = {language: {} for language in Language}
        problems: list[PromptProblem] = []
        for source in sources:
            found, wrong = parse_prompts(source)
            problems += wrong
            known = prompts[source.language]
            for identifier, prompt in found.items():
                first = known.setdefault(identifier, prompt)
                if first is not prompt:
                    message = f"{identifier!r} is already in {first.source}:{first.line}"
                    problems.append(PromptProblem(prompt.source, prompt.line, message))
        problems += [] if with_gaps else _missing(prompts)
        if problems:
            raise CatalogueError(problems)
        return cls(prompts)

    def text(self, language: Language, identifier: str) -> str:
        """Return the words of a prompt; `KeyError` when there is none."""
        return self._prompts[language][identifier].text

    def prompt(self, language: Language, identifier: str) -> PromptText:
        """Return a prompt with its remark and place; `KeyError` when there is none."""
        return self._prompts[language][identifier]

    def has(self, language: Language, identifier: str) -> bool:
        """Tell whether a language has a prompt."""
        return identifier in self._prompts[language]

    def ids(self, language: Language) -> frozenset[str]:
        """Return the ids of all prompts of a language."""
        return frozenset(self._prompts[language])

    def lasts_ms(self, language: Language, identifier: str) -> int:
        """Return about how long a prompt is heard, by its words; `KeyError` when there is none."""
        return spoken_ms(language, self.text(language, identifier))

    def in_file_order(self, language: Language) -> tuple[str, ...]:
        """Return the ids as the files list them, which is the order of a recording script."""
        return tuple(self._prompts[language])

    def suggest(self, identifier: str) -> str | None:
        """Return the known id most like a mistyped one, or None when nothing is near."""
        known = sorted(set().union(*self._prompts.values()))
        near = difflib.get_close_matches(identifier.lower(), known, n=1)
        return near[0] if near else None


def spoken_ms(language: Language, text: str) -> int:
    """Return about how long a text is heard when it is spoken as one prompt."""
    stops = sum(character in _STOPS for character in text)
    characters = sum(
        _LETTERS_OF_A_DIGIT if _ASCII_DIGIT.match(character) else 1
        for character in text
        if character not in _STOPS and not character.isspace()
    )
    around_ms = _AROUND_MS if characters > 1 else _AROUND_ONE_MS
    return around_ms[language] + _CHARACTER_MS[language] * characters + _STOP_MS[language] * stops


def parse_prompts(source: PromptSource) -> tuple[dict[str, PromptText], list[PromptProblem]]:
    """Read one prompt file; return its good prompts by id, in order, and what is wrong with the others."""
    if len(source.content) > LARGEST_FILE:
        return {}, [PromptProblem(source.name, None, f"the file has more than {LARGEST_FILE} characters")]
    try:
        root = yaml.compose(source.content, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else None
        return {}, [PromptProblem(source.name, line, f"not readable as YAML: {error.problem}")]
    except (yaml.YAMLError, RecursionError) as error:  # a forbidden character, nesting without end: no line
        return {}, [PromptProblem(source.name, None, f"not readable as YAML: {error}")]
    if root is None:
        return {}, []
    if not isinstance(root, yaml.MappingNode):
        return {}, [PromptProblem(source.name, root.start_mark.line + 1, "a prompt file is a list of `id: text`")]
    lines = source.content.splitlines()
    prompts: dict[str, PromptText] = {}
    problems: list[PromptProblem] = []
    for key, value in root.value:
        line = key.start_mark.line + 1
        wrong = _wrong_id(key) or _wrong_text(value, source.language)
        if not wrong and key.value in prompts:
            wrong = f"{key.value!r} is already in line {prompts[key.value].line}"
        if wrong:
            problems.append(PromptProblem(source.name, line, wrong))
        else:
            group, remark = _comments(lines, value)
            prompts[key.value] = PromptText(value.value.strip(), group, remark, source.name, line)
    return prompts, problems


def _wrong_id(key: yaml.Node) -> str | None:
    if not isinstance(key, yaml.ScalarNode):
        return "a prompt id is one word"
    if not _ID.fullmatch(key.value) or len(key.value) > LONGEST_ID:
        return f"{key.value!r} is no prompt id: lower case letters, digits and single _, up to {LONGEST_ID}"
    return None


def _wrong_text(value: yaml.Node, language: Language) -> str | None:
    if not isinstance(value, yaml.ScalarNode):
        return "the text of a prompt is one line of words"
    text = value.value.strip()
    if not text:
        return "the text is empty"
    if value.start_mark.line != value.end_mark.line or "\n" in text:
        return "the text of a prompt stands in one line, beside its id"
    if len(text) > LONGEST_TEXT:
        return f"the text has {len(text)} characters; at most {LONGEST_TEXT}"
    if language in _READ_BY_SYLLABLE and _ASCII_DIGIT.search(text):
        return "write numbers as words (一, not 1): a speaking machine reads digits wrongly"
    return None


def _comments(lines: Sequence[str], value: yaml.Node) -> tuple[str, str]:
    """Return the comment lines that head the prompt's group, and the comment behind its text.

    Safe to find by looking for `#`, because every text stands in one line.
    """
    number = value.end_mark.line
    behind = lines[number][value.end_mark.column :].strip().removeprefix("#").strip()
    heading: list[str] = []
    for above in reversed(lines[:number]):
        if above.lstrip().startswith("#"):
            heading.insert(0, above.strip().lstrip("#").strip())
        elif heading:
            break
    return " ".join(heading), behind


def _missing(prompts: Mapping[Language, Mapping[str, PromptText]]) -> list[PromptProblem]:
    """Find read-out prompts without a text, and prompts that another language has."""
    problems: list[PromptProblem] = []
    readouts = {language: required_prompts(language) for language in prompts}
    shared = set().union(*(set(texts) - readouts[language] for language, texts in prompts.items()))
    for language, texts in prompts.items():
        source = f"{language}.yaml"
        for identifier in sorted(readouts[language] - set(texts)):
            message = f"{identifier!r} is needed to read out numbers, money, dates or times"
            problems.append(PromptProblem(source, None, message))
        for identifier in sorted(shared - set(texts) - readouts[language]):
            other = next(texts[identifier] for texts in prompts.values() if identifier in texts)
            message = f"{identifier!r} has no text in this language; {other.source}:{other.line} has one"
            problems.append(PromptProblem(source, None, message))
    return problems
