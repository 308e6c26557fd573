from __future__ import annotations

import stat
from pathlib import Path

import pytest

from ivr_engine.adapters.asterisk.sounds import (
    FRAME_BYTES,
    MAX_PERSONAL_FILES,
    MAX_PROMPTS,
    SoundError,
    SoundFolder,
)
from ivr_engine.values.clock import SystemClock
from ivr_engine.values.ids import RandomIds
from ivr_engine.values.language import Language
from ivr_engine.values.utterance import Utterance

IDS = RandomIds(SystemClock())
CALL = "1795444327.7"


@pytest.fixture
def prompts(tmp_path: Path) -> Path:
    """Recordings one, two, ... whose audio tells them apart; `number` frames each."""
    for language in (Language.MANDARIN, Language.ENGLISH):
        folder = tmp_path / "prompts" / language.value
        folder.mkdir(parents=True)
        for number, name in enumerate(("one", "two", "three", "seven-7"), 1):
            (folder / f"{name}.ulaw").write_bytes(bytes([number]) * FRAME_BYTES * number)
    return tmp_path / "prompts"


@pytest.fixture
def folder(prompts: Path, tmp_path: Path) -> SoundFolder:
    return SoundFolder(prompts, tmp_path / "joined", ids=IDS)


def say(*names: str, personal: bool = False) -> Utterance:
    return Utterance(Language.MANDARIN, names, personal)


def audio(path: str) -> bytes:
    return Path(path + ".ulaw").read_bytes()


def joined(tmp_path: Path) -> list[Path]:
    return sorted((tmp_path / "joined").iterdir())


def test_a_single_recording_is_played_where_it_lies(folder: SoundFolder, prompts: Path, tmp_path: Path) -> None:
    assert folder.path_for(say("one"), CALL) == str(prompts / "cmn/one")
    assert joined(tmp_path) == []


def test_several_recordings_are_joined_byte_by_byte_in_order(folder: SoundFolder) -> None:
    path = folder.path_for(say("two", "one", "two"), CALL)
    assert Path(path).is_absolute()
    assert audio(path) == b"\x02" * 320 + b"\x01" * 160 + b"\x02" * 320


def test_a_static_utterance_is_joined_once_for_all_calls(folder: SoundFolder, tmp_path: Path) -> None:
    assert folder.path_for(say("one", "two"), CALL) == folder.path_for(say("one", "two"), "another")
    folder.forget(CALL)
    assert len(joined(tmp_path)) == 1


def test_a_personal_utterance_has_a_name_of_its_own_in_every_call(folder: SoundFolder) -> None:
    utterance = say("one", "two", personal=True)
    first = folder.path_for(utterance, CALL)
    assert folder.path_for(utterance, CALL) == first
    second = folder.path_for(utterance, "another")
    assert second != first
    assert audio(first) == audio(second)
    assert len(Path(first).name.removeprefix("call-")) == 26


def test_a_single_personal_recording_does_not_show_its_name(folder: SoundFolder) -> None:
    path = folder.path_for(say("seven-7", personal=True), CALL)
    assert "seven" not in path
    assert Path(path).name.startswith("call-")
    assert audio(path) == b"\x04" * 640


def test_forgetting_a_call_removes_its_files_and_no_other(folder: SoundFolder) -> None:
    mine = folder.path_for(say("one", personal=True), CALL)
    other = folder.path_for(say("one", personal=True), "another")
    static = folder.path_for(say("one", "two"), CALL)
    folder.forget(CALL)
    folder.forget(CALL)
    folder.forget("never seen")
    assert not Path(mine + ".ulaw").exists()
    assert audio(other)
    assert audio(static)
    assert folder.path_for(say("one", personal=True), CALL) != mine


def test_a_call_keeps_a_bounded_number_of_personal_files(folder: SoundFolder, tmp_path: Path) -> None:
    for number in range(MAX_PERSONAL_FILES + 5):
        latest = folder.path_for(say(*["one"] * (number + 1), personal=True), CALL)
    assert len(joined(tmp_path)) == MAX_PERSONAL_FILES
    assert audio(latest)


def test_static_files_are_bounded_and_the_longest_unused_goes_first(prompts: Path, tmp_path: Path) -> None:
    folder = SoundFolder(prompts, tmp_path / "joined", ids=IDS, max_joined_files=2)
    kept = folder.path_for(say("one", "one"), CALL)
    dropped = folder.path_for(say("two", "two"), CALL)
    folder.path_for(say("one", "one"), CALL)
    folder.path_for(say("three", "three"), CALL)
    assert audio(kept)
    assert not Path(dropped + ".ulaw").exists()
    assert audio(folder.path_for(say("two", "two"), CALL))


def test_a_file_that_two_utterances_share_stays_until_both_are_gone(prompts: Path, tmp_path: Path) -> None:
    for name in ("shi-ten", "shi-time"):  # homophones: the same bytes
        (prompts / "cmn" / f"{name}.ulaw").write_bytes(b"\x09" * FRAME_BYTES)
    folder = SoundFolder(prompts, tmp_path / "joined", ids=IDS, max_joined_files=2)
    first = folder.path_for(say("shi-ten", "one"), CALL)
    assert folder.path_for(say("shi-time", "one"), CALL) == first
    folder.path_for(say("two", "two"), CALL)
    assert audio(first)
    folder.path_for(say("three", "three"), CALL)
    assert not Path(first + ".ulaw").exists()


def test_recordings_that_do_not_fit_in_memory_are_read_again(prompts: Path, tmp_path: Path) -> None:
    folder = SoundFolder(prompts, tmp_path / "joined", ids=IDS, max_cached_bytes=300)
    for _ in range(3):
        path = folder.path_for(say("two", "one", personal=True), IDS.new())
        assert audio(path) == b"\x02" * 320 + b"\x01" * 160


def test_a_recording_of_another_language_is_named_with_it(folder: SoundFolder, prompts: Path) -> None:
    (prompts / "en/three.ulaw").write_bytes(b"\x33" * FRAME_BYTES)
    assert folder.path_for(say("en/three"), CALL) == str(prompts / "en/three")
    assert audio(folder.path_for(say("one", "en/three"), CALL)) == b"\x01" * 160 + b"\x33" * 160
    assert audio(folder.path_for(Utterance(Language.ENGLISH, ("three",)), CALL)) == b"\x33" * 160


def test_the_length_of_an_utterance_is_known(folder: SoundFolder) -> None:
    assert folder.duration_ms(say("one", "two", "three")) == 120
    assert folder.duration_ms(say()) == 0


def test_only_asterisks_group_can_read_what_was_joined(folder: SoundFolder, tmp_path: Path) -> None:
    folder.path_for(say("one", "two"), CALL)
    folder.path_for(say("one", personal=True), CALL)
    assert stat.S_IMODE((tmp_path / "joined").stat().st_mode) == 0o2750
    assert {stat.S_IMODE(path.stat().st_mode) for path in joined(tmp_path)} == {0o640}


def test_start_up_sweeps_what_a_killed_engine_left_and_nothing_else(
    folder: SoundFolder, prompts: Path, tmp_path: Path
) -> None:
    folder.path_for(say("one", "two"), CALL)
    folder.path_for(say("one", personal=True), CALL)
    (tmp_path / "joined" / f"call-{IDS.new()}.ulaw.part").write_bytes(b"cut short")
    (tmp_path / "joined/notes.txt").write_text("not ours")
    SoundFolder(prompts, tmp_path / "joined", ids=IDS)
    assert [path.name for path in joined(tmp_path)] == ["notes.txt"]


def test_an_unknown_recording_is_named_with_its_language(folder: SoundFolder) -> None:
    for utterance in (say("seven"), say("one", "seven"), say("seven", personal=True)):
        with pytest.raises(SoundError, match="no recording 'seven' in cmn"):
            folder.path_for(utterance, CALL)
    with pytest.raises(SoundError, match="'seven'"):
        folder.duration_ms(say("seven"))


@pytest.mark.parametrize(
    "name",
    [
        "",
        "../secret",
        "a/../../b",
        "/etc/passwd",
        "a//b",
        "a&b",
        "a b",
        "一",
        "a\n",
        ".hidden",
        "a" * 65,
        "a/.b",
        "a..b",
    ],
)
def test_an_id_that_could_leave_the_folder_is_refused(folder: SoundFolder, name: str) -> None:
    with pytest.raises(SoundError, match="not the id"):
        folder.path_for(say(name), CALL)


@pytest.mark.parametrize("size", [0, 1, FRAME_BYTES - 1, FRAME_BYTES + 80])
def test_a_recording_that_is_not_padded_is_refused(folder: SoundFolder, prompts: Path, size: int) -> None:
    (prompts / "cmn/odd.ulaw").write_bytes(b"\xff" * size)
    with pytest.raises(SoundError, match=f"'odd' in cmn has {size} bytes"):
        folder.path_for(say("odd", "one"), CALL)


def test_an_endless_recording_and_an_endless_utterance_are_refused(folder: SoundFolder, prompts: Path) -> None:
    (prompts / "cmn/endless.ulaw").write_bytes(bytes(FRAME_BYTES * 20_000))
    with pytest.raises(SoundError, match="longer than"):
        folder.path_for(say("endless"), CALL)
    with pytest.raises(SoundError, match="at most"):
        folder.path_for(say(*["one"] * (MAX_PROMPTS + 1)), CALL)
    with pytest.raises(SoundError, match="without recordings"):
        folder.path_for(say(), CALL)
