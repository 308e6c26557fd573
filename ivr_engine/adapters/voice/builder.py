"""Builds the audio of every prompt that has changed since the last time.

Knows where audio comes from (a bank's recording first, else the voice) and what makes it out of date.
Must not know Asterisk: it reads `<out>/<language>/<id>.ulaw` like any other sound file.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

from ivr_engine.adapters.voice import music, ulaw
from ivr_engine.adapters.voice.commands import EspeakVoice, VoiceError, resampled
from ivr_engine.adapters.voice.index import Built, Index, homophones, read_index, write_index, write_whole
from ivr_engine.adapters.voice.levels import SilentRecordingError, shaped
from ivr_engine.adapters.voice.pronunciation import Pronunciation
from ivr_engine.speech.catalogue import Catalogue
from ivr_engine.values.language import Language

RECIPE: Final = 1
"""Change it with the shaping of audio: everything is built anew."""

WORKERS: Final = 2
"""Programs running at once; a build shares its machine with others."""

RECORDINGS_FOLDER: Final = "recordings"
MUSIC_FOLDER: Final = "music"
HOLD_MUSIC: Final = "hold"
AUDIO_SUFFIX: Final = ".ulaw"

PAUSE_AFTER_SENTENCE_MS: Final = 260
PAUSE_AFTER_COMMA_MS: Final = 120
_SENTENCE_ENDS = "。！？.!?"
_COMMAS = "，、,；;：:"


class Voice(Protocol):
    """A speaking machine."""

    def fingerprint(self, language: Language) -> str:
        """Return what, besides the text, decides how it sounds; audio is rebuilt when it changes."""
        ...

    def speak(self, language: Language, text: str) -> bytes:
        """Return the text as a WAV file; `VoiceError` when that fails."""
        ...


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a build has come: `done` of `total` files, the last one being `name`."""

    done: int
    total: int
    name: str


@dataclass(frozen=True, slots=True)
class BuildResult:
    """What a build did: files made, files still good, and the ids of each language that sound alike."""

    made: int
    kept: int
    homophones: dict[Language, tuple[tuple[str, ...], ...]]


@dataclass(frozen=True, slots=True)
class _Task:
    """One file to make."""

    folder: str
    identifier: str
    hash: str
    make: Callable[[], bytes]


class PromptBuilder:
    """Makes `<out>/<language>/<id>.ulaw`, `<out>/music/hold.ulaw` and `<out>/index.json`.

    `prompts` is the folder that holds `recordings/` and `pronunciation.yaml`; neither need exist.
    """

    def __init__(self, catalogue: Catalogue, prompts: Path, out: Path, *, voice: Voice | None = None) -> None:
        self._catalogue = catalogue
        self._recordings = prompts / RECORDINGS_FOLDER
        self._pronunciation = Pronunciation.load(prompts)
        self._out = out
        self._voice = voice or EspeakVoice()

    def build(
        self,
        languages: Iterable[Language] = tuple(Language),
        on_progress: Callable[[Progress], None] | None = None,
    ) -> BuildResult:
        """Make what is missing or out of date; languages not named are left as they are.

        Raises `VoiceError` at the first prompt that cannot be made, naming it; what was made before is kept
        and not made again. `on_progress` is called in the calling thread after every file.
        """
        wanted = tuple(languages)
        index = read_index(self._out)
        tasks = [task for language in wanted for task in self._prompt_tasks(language)] + [_music_task()]
        stale = [task for task in tasks if not self._is_good(task, index)]
        self._forget_removed(index, tasks, wanted)
        try:
            self._make_all(stale, index, on_progress)
        finally:
            write_index(self._out, index)
        alike = {language: homophones(index.get(language.value, {})) for language in wanted}
        return BuildResult(len(stale), len(tasks) - len(stale), alike)

    def _prompt_tasks(self, language: Language) -> list[_Task]:
        return [self._prompt_task(language, one) for one in self._catalogue.in_file_order(language)]

    def _prompt_task(self, language: Language, identifier: str) -> _Task:
        text = self._catalogue.text(language, identifier)
        pause_ms = _pause_ms(text)
        recording = self._recordings / language.value / f"{identifier}.wav"
        if recording.is_file():
            content = recording.read_bytes()
            digest = _digest("recording", hashlib.sha256(content).hexdigest(), pause_ms)
            return _Task(language.value, identifier, digest, lambda: _telephone_audio(recording, pause_ms))
        spoken = self._pronunciation.spoken(language, text)
        digest = _digest("voice", self._voice.fingerprint(language), spoken, pause_ms)
        voice = self._voice
        return _Task(
            language.value, identifier, digest, lambda: _telephone_audio(voice.speak(language, spoken), pause_ms)
        )

    def _is_good(self, task: _Task, index: Index) -> bool:
        entry = index.get(task.folder, {}).get(task.identifier)
        if entry is None or entry.hash != task.hash:
            return False
        try:
            return ulaw.milliseconds(self._path(task).stat().st_size) == entry.ms
        except OSError:
            return False

    def _make_all(self, tasks: list[_Task], index: Index, on_progress: Callable[[Progress], None] | None) -> None:
        with ThreadPoolExecutor(WORKERS, thread_name_prefix="prompts") as pool:
            running: dict[Future[Built], _Task] = {pool.submit(self._make, task): task for task in tasks}
            try:
                for done, future in enumerate(as_completed(running), 1):
                    task = running[future]
                    index.setdefault(task.folder, {})[task.identifier] = future.result()
                    if on_progress:
                        on_progress(Progress(done, len(tasks), f"{task.folder}/{task.identifier}"))
            except BaseException:
                pool.shutdown(wait=True, cancel_futures=True)
                raise

    def _make(self, task: _Task) -> Built:
        try:
            audio = task.make()
        except (VoiceError, SilentRecordingError, OSError) as error:
            message = f"{task.folder}/{task.identifier}: {error}"
            raise VoiceError(message) from error
        write_whole(self._path(task), audio)
        return Built(task.hash, ulaw.milliseconds(len(audio)), hashlib.sha256(audio).hexdigest()[:32])

    def _forget_removed(self, index: Index, tasks: list[_Task], languages: tuple[Language, ...]) -> None:
        """Take ids out of the index that have no text any more; `PromptReport` lists their audio."""
        known = {(task.folder, task.identifier) for task in tasks}
        for language in languages:
            entries = index.get(language.value, {})
            for identifier in [one for one in entries if (language.value, one) not in known]:
                del entries[identifier]

    def _path(self, task: _Task) -> Path:
        return self._out / task.folder / f"{task.identifier}{AUDIO_SUFFIX}"


def _music_task() -> _Task:
    return _Task(MUSIC_FOLDER, HOLD_MUSIC, _digest("music", music.RECIPE), music.hold_music)


def _telephone_audio(wav: bytes | Path, pause_ms: int) -> bytes:
    """Return a WAV as telephone audio of the common loudness, with its pause, in whole packets."""
    audio = ulaw.encode(shaped(resampled(wav)))
    return ulaw.padded(audio + ulaw.SILENCE * (pause_ms * ulaw.SAMPLES_PER_MS))


def _pause_ms(text: str) -> int:
    """Return the silence after a prompt; its last character decides, so that joined words stay together."""
    if text.endswith(tuple(_SENTENCE_ENDS)) and not text.endswith(".m."):
        return PAUSE_AFTER_SENTENCE_MS
    return PAUSE_AFTER_COMMA_MS if text.endswith(tuple(_COMMAS)) else 0


def _digest(*parts: str | int) -> str:
    return hashlib.sha256(json.dumps([RECIPE, *parts]).encode()).hexdigest()[:32]
