"""What prompts there are, what is missing, and the script for the person who records them.

Knows texts, audio files and the index. Must not make audio.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Collection, Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final, Self

from ivr_engine.adapters.voice.builder import AUDIO_SUFFIX, RECORDINGS_FOLDER
from ivr_engine.adapters.voice.index import Index, homophones, read_index
from ivr_engine.speech.catalogue import Catalogue
from ivr_engine.speech.grammars import required_prompts
from ivr_engine.values.language import Language

_MS_PER_SYLLABLE: Final = 240
_MS_PER_ENGLISH_LETTER: Final = 72
_SHORTEST_MS: Final = 300
_MS = 1_000


@dataclass(frozen=True, slots=True)
class ScriptLine:
    """One line of a recording script. `seconds` is measured when the audio exists, else estimated."""

    language: Language
    id: str
    text: str
    group: str
    remark: str
    seconds: float
    measured: bool
    recorded: bool


@dataclass(frozen=True, slots=True)
class PromptReport:
    """The state of all prompts; names are `<language>/<id>`, sorted.

    `orphaned_audio` are files in the output, and `orphaned_recordings` files of the bank, that no text names;
    `unused_texts` are prompts that neither a flow nor a read-out uses.
    """

    script: tuple[ScriptLine, ...]
    missing_audio: tuple[str, ...]
    orphaned_audio: tuple[str, ...]
    orphaned_recordings: tuple[str, ...]
    unused_texts: tuple[str, ...]
    homophones: dict[Language, tuple[tuple[str, ...], ...]]

    @classmethod
    def make(
        cls,
        catalogue: Catalogue,
        prompts: Path,
        out: Path,
        *,
        used: Collection[str] | None = None,
        languages: Iterable[Language] = tuple(Language),
    ) -> Self:
        """Look at texts and files. `used` are the ids that flows name; without it no text counts as unused."""
        wanted = tuple(languages)
        index = read_index(out)
        recordings = prompts / RECORDINGS_FOLDER
        texts = {f"{language}/{one}" for language in wanted for one in catalogue.ids(language)}
        audio = _files(out, wanted, AUDIO_SUFFIX)
        return cls(
            script=tuple(_script(catalogue, recordings, index, wanted)),
            missing_audio=tuple(sorted(texts - audio)),
            orphaned_audio=tuple(sorted(audio - texts)),
            orphaned_recordings=tuple(sorted(_files(recordings, wanted, ".wav") - texts)),
            unused_texts=tuple(_unused(catalogue, wanted, used)),
            homophones={language: homophones(index.get(language.value, {})) for language in wanted},
        )

    def as_text(self) -> str:
        """Return the recording script and the findings for reading."""
        lines: list[str] = []
        for language in dict.fromkeys(line.language for line in self.script):
            own = [line for line in self.script if line.language is language]
            total = sum(line.seconds for line in own)
            lines += [f"{language}: {len(own)} prompts, about {total:.0f} s", ""]
            group = ""
            for line in own:
                if line.group != group:
                    group = line.group
                    lines.append(f"  # {group}")
                remark = f"  ({line.remark})" if line.remark else ""
                lines.append(f"  {line.id:<28} {line.seconds:5.1f} s  {line.text}{remark}")
            lines.append("")
        for title, names in self._findings():
            if names:
                lines += [f"{title}:", *(f"  {name}" for name in names), ""]
        return "\n".join(lines)

    def as_csv(self) -> str:
        """Return the recording script as CSV with a heading (RFC 4180), for a spreadsheet."""
        target = io.StringIO()
        writer = csv.writer(target)
        writer.writerow(("language", "id", "text", "group", "remark", "seconds", "measured", "recorded"))
        for line in self.script:
            row = (line.language.value, line.id, line.text, line.group, line.remark, f"{line.seconds:.1f}")
            writer.writerow((*row, line.measured, line.recorded))
        return target.getvalue()

    def as_json(self) -> str:
        """Return everything as one JSON object."""
        return json.dumps(asdict(self), ensure_ascii=False, indent=1)

    def _findings(self) -> tuple[tuple[str, tuple[str, ...]], ...]:
        alike = tuple(
            f"{language}: {' = '.join(ids)}" for language, classes in self.homophones.items() for ids in classes
        )
        return (
            ("Without audio (build them)", self.missing_audio),
            ("Audio without a text (delete it)", self.orphaned_audio),
            ("Recordings without a text (rename or delete them)", self.orphaned_recordings),
            ("Texts that nothing uses", self.unused_texts),
            ("Sounding exactly alike", alike),
        )


def estimated_seconds(language: Language, text: str) -> float:
    """Return about how long it takes to say a text."""
    each_ms = _MS_PER_ENGLISH_LETTER if language is Language.ENGLISH else _MS_PER_SYLLABLE
    spoken_ms = each_ms * len(text)
    return round(max(spoken_ms, _SHORTEST_MS) / _MS, 1)


def _script(
    catalogue: Catalogue, recordings: Path, index: Index, languages: tuple[Language, ...]
) -> Iterable[ScriptLine]:
    for language in languages:
        built = index.get(language.value, {})
        for identifier in catalogue.in_file_order(language):
            prompt = catalogue.prompt(language, identifier)
            entry = built.get(identifier)
            seconds = round(entry.ms / _MS, 1) if entry else estimated_seconds(language, prompt.text)
            recorded = (recordings / language.value / f"{identifier}.wav").is_file()
            measured = entry is not None
            yield ScriptLine(
                language, identifier, prompt.text, prompt.group, prompt.remark, seconds, measured, recorded
            )


def _files(folder: Path, languages: tuple[Language, ...], suffix: str) -> set[str]:
    return {
        f"{language}/{path.stem}" for language in languages for path in (folder / language.value).glob(f"*{suffix}")
    }


def _unused(catalogue: Catalogue, languages: tuple[Language, ...], used: Collection[str] | None) -> Iterable[str]:
    if used is None:
        return []
    return [
        f"{language}/{identifier}"
        for language in languages
        for identifier in sorted(catalogue.ids(language) - required_prompts(language) - set(used))
    ]
