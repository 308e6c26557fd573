"""What prompts there are, what is missing, and the script for the person who records them.

Knows texts, audio files and the index. Must not make audio.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Collection, Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final, Self

from ivr_engine.adapters.voice.builder import AUDIO_SUFFIX, RECORDINGS_FOLDER
from ivr_engine.adapters.voice.index import Index, homophones, read_index
from ivr_engine.speech.catalogue import Catalogue
from ivr_engine.speech.grammars import required_prompts
from ivr_engine.values.language import Language

_MS: Final = 1_000


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
            lines += [f"{language}: {_total(own)}", ""]
            group = ""
            for line in own:
                if line.group != group:
                    group = line.group
                    lines.append(f"  # {group}")
                remark = f"  ({line.remark})" if line.remark else ""
                lines.append(f"  {line.id:<28} {_shown(line)}  {line.text}{remark}")
            lines.append("")
        if len({line.language for line in self.script}) > 1:
            lines += [f"all together: {_total(self.script)}", ""]
        for title, names in self._findings():
            if names:
                lines += [f"{title}:", *(f"  {name}" for name in names), ""]
        return "\n".join(lines)

    def only_unused(self) -> Self:
        """Return the same report of the prompts that nothing uses, and of nothing else."""
        unused = set(self.unused_texts)
        script = tuple(line for line in self.script if f"{line.language}/{line.id}" in unused)
        return type(self)(script, (), (), (), self.unused_texts, {})

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
        """Return everything as one JSON object, with the seconds of each language and of all."""
        seconds: dict[str, float] = {"all": round(sum(line.seconds for line in self.script), 1)}
        for language in dict.fromkeys(line.language for line in self.script):
            own = [line.seconds for line in self.script if line.language is language]
            seconds[language.value] = round(sum(own), 1)
        return json.dumps(asdict(self) | {"seconds": seconds}, ensure_ascii=False, indent=1)

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


def _total(lines: Sequence[ScriptLine]) -> str:
    """Say how many prompts there are, how long they last together, and for how many of them that is estimated."""
    estimated = sum(not line.measured for line in lines)
    seconds = f"about {sum(line.seconds for line in lines):.0f} s"
    count = f"{len(lines)} prompt{'' if len(lines) == 1 else 's'}"
    return f"{count}, {seconds}" + (f", {estimated} of them estimated (~)" if estimated else "")


def _shown(line: ScriptLine) -> str:
    about = "" if line.measured else "~"
    return f"{f'{about}{line.seconds:.1f}':>6} s"


def _script(
    catalogue: Catalogue, recordings: Path, index: Index, languages: tuple[Language, ...]
) -> Iterable[ScriptLine]:
    for language in languages:
        built = index.get(language.value, {})
        for identifier in catalogue.in_file_order(language):
            prompt = catalogue.prompt(language, identifier)
            entry = built.get(identifier)
            seconds = round((entry.ms if entry else catalogue.lasts_ms(language, identifier)) / _MS, 1)
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
