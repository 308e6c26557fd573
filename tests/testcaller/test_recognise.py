from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ivr_engine.testcaller.recognise import Heard, Kind, Listener
from ivr_engine.testcaller.recordings import VOICE, PromptName, Recordings
from ivr_engine.testcaller.rtp import FRAME_BYTES, FRAME_MS, SILENCE
from ivr_engine.testcaller.voice import VOICE_MS, speech
from ivr_engine.values.language import Language
from tests.testcaller.sounds import english, noise, recordings

SOURCE = 7
FIRST_SEQUENCE = 65_530  # wraps around early


def packets(sound: bytes) -> list[bytes]:
    return [sound[start : start + FRAME_BYTES] for start in range(0, len(sound), FRAME_BYTES)]


def listen(known: Recordings, payloads: Sequence[bytes], *, lost: Iterable[int] = ()) -> Listener:
    """Feed payloads 20 ms apart, without those whose positions are lost."""
    listener, missing = Listener(known), set(lost)
    for position, payload in enumerate(payloads):
        if position not in missing:
            listener.feed((FIRST_SEQUENCE + position) & 0xFFFF, SOURCE, payload, position * 0.02)
    return listener


def names(heard: Iterable[Heard]) -> list[str]:
    return [str(stretch) for stretch in heard if stretch.kind is not Kind.SILENCE]


FIVE = {name: noise(name, 10 + number) for number, name in enumerate(("one", "two", "three", "four", "five"))}


def test_prompts_joined_without_gap_are_heard_in_order() -> None:
    heard = listen(recordings(**FIVE), packets(FIVE["three"] + FIVE["one"] + FIVE["one"] + FIVE["five"])).heard()
    assert names(heard) == ["en/three", "en/one", "en/one", "en/five"]
    assert [stretch.to_ms for stretch in heard] == [240, 200, 200, 280]
    assert all(stretch.complete and stretch.lost == 0 for stretch in heard)


def test_cut_prompt_tells_where_it_was_cut() -> None:
    heard = listen(recordings(**FIVE), packets(FIVE["two"])[:7] + packets(FIVE["four"])).heard()
    assert names(heard) == ["en/two (cut at 140 ms)", "en/four"]
    assert not heard[0].complete


def test_prompt_resumed_in_its_middle_tells_from_where() -> None:
    heard = listen(recordings(**FIVE), packets(FIVE["one"]) + packets(FIVE["two"])[4:]).heard()
    assert (heard[1].from_ms, heard[1].to_ms, heard[1].complete) == (80, 220, False)


def test_short_last_packet_of_unpadded_file_is_recognised() -> None:
    odd = noise("odd", 6)[:-70]
    heard = listen(recordings(odd=odd, **FIVE), packets(odd) + packets(FIVE["one"])).heard()
    assert names(heard) == ["en/odd", "en/one"]


def test_unknown_sound_is_reported_and_never_taken_for_a_prompt() -> None:
    heard = listen(recordings(**FIVE), packets(FIVE["one"] + noise("stranger", 5) + FIVE["two"])).heard()
    assert [stretch.kind for stretch in heard] == [Kind.PROMPT, Kind.UNKNOWN, Kind.PROMPT]
    assert heard[1].heard_ms == 100


def test_changed_byte_makes_sound_unknown() -> None:
    sound = bytearray(FIVE["one"])
    sound[500] ^= 1
    heard = listen(recordings(**FIVE), packets(bytes(sound))).heard()
    assert Kind.UNKNOWN in {stretch.kind for stretch in heard}


def test_silence_between_prompts_is_measured() -> None:
    heard = listen(recordings(**FIVE), packets(FIVE["one"] + SILENCE * 4 + FIVE["two"])).heard()
    assert [(stretch.kind, stretch.heard_ms) for stretch in heard][1] == (Kind.SILENCE, 80)
    assert heard[2].gap_ms == pytest.approx(0, abs=0.01)


def test_time_without_packets_is_the_gap_before_a_prompt() -> None:
    listener = listen(recordings(**FIVE), packets(FIVE["one"]))
    for position, payload in enumerate(packets(FIVE["two"])):
        listener.feed((FIRST_SEQUENCE + 10 + position) & 0xFFFF, SOURCE, payload, 0.2 + 0.051 + position * 0.02)
    assert listener.heard()[1].gap_ms == pytest.approx(51)


def test_pause_inside_a_prompt_is_measured() -> None:
    listener = Listener(recordings(**FIVE))
    for position, payload in enumerate(packets(FIVE["one"])):
        listener.feed(position, SOURCE, payload, position * 0.02 + (0.5 if position > 4 else 0))
    assert listener.heard()[0].longest_pause_ms == pytest.approx(500)


def test_silence_at_both_ends_of_a_prompt_belongs_to_it_or_to_silence_but_never_breaks_it() -> None:
    quiet = SILENCE * 3 + noise("quiet", 8) + SILENCE * 5
    heard = listen(recordings(quiet=quiet, **FIVE), packets(FIVE["one"] + quiet + quiet + FIVE["two"])).heard()
    assert names(heard) == ["en/one", "en/quiet", "en/quiet", "en/two"]
    assert all(stretch.complete for stretch in heard)


def test_pause_inside_a_prompt_does_not_end_it() -> None:
    paused = noise("before", 6) + SILENCE * 6 + noise("after", 6)
    heard = listen(recordings(paused=paused, **FIVE), packets(paused + FIVE["one"])).heard()
    assert names(heard) == ["en/paused", "en/one"]


def test_hold_music_is_recognised_from_any_position_and_around_its_end() -> None:
    music = noise("music", 50)
    heard = listen(
        recordings(music=music, **FIVE), packets(music)[30:] + packets(music)[:10] + packets(FIVE["one"])
    ).heard()
    assert {stretch.kind for stretch in heard[:-1]} == {Kind.MUSIC}
    assert names(heard)[-1] == "en/one"


def test_identical_files_are_one_class() -> None:
    known = Recordings(
        {english("ten"): noise("shi", 9), english("time"): noise("shi", 9), english("one"): noise("one", 9)}
    )
    heard = listen(known, packets(noise("shi", 9))).heard()
    assert heard[0].candidates == {english("ten"), english("time")}
    assert heard[0].could_be("ten")
    assert heard[0].could_be("time")
    assert not heard[0].could_be("one")
    assert known.homophones() == [heard[0].candidates]


def test_same_id_in_two_languages_is_told_apart() -> None:
    mandarin = PromptName(Language.MANDARIN, "welcome")
    known = Recordings({mandarin: noise("huanying", 9), english("welcome"): noise("welcome", 9)})
    heard = listen(known, packets(noise("huanying", 9))).heard()
    assert heard[0].could_be(mandarin)
    assert not heard[0].could_be(english("welcome"))


def test_cut_in_a_stretch_shared_by_two_prompts_gives_both_as_candidates() -> None:
    head = noise("head", 5)
    known = recordings(left=head + noise("l", 5), right=head + noise("r", 5), **FIVE)
    heard = listen(known, packets(head)[:3] + packets(FIVE["one"])).heard()
    assert heard[0].candidates == {english("left"), english("right")}
    assert names(heard)[1] == "en/one"
    settled = listen(known, packets(head + noise("r", 5))).heard()
    assert settled[0].candidates == {english("right")}


def test_prompt_that_begins_like_a_longer_one_is_told_by_what_follows() -> None:
    short = noise("short", 6)
    known = recordings(short=short, long=short + noise("rest", 6), **FIVE)
    listener = listen(known, packets(short))
    assert not listener.certain
    assert names(listener.heard()) == ["en/short"]
    assert names(listen(known, packets(short + FIVE["one"])).heard()) == ["en/short", "en/one"]
    assert names(listen(known, packets(short + noise("rest", 6) + FIVE["one"])).heard()) == ["en/long", "en/one"]


def test_lost_packets_are_bridged_and_counted() -> None:
    heard = listen(recordings(**FIVE), packets(FIVE["three"] + FIVE["one"]), lost=(0, 5, 11, 12, 13)).heard()
    assert names(heard) == ["en/three", "en/one"]
    assert sum(stretch.lost for stretch in heard) == 5
    assert all(stretch.complete and stretch.from_ms == 0 for stretch in heard)


def test_late_and_repeated_packets_are_counted_but_change_nothing() -> None:
    listener = Listener(recordings(**FIVE))
    for position in (0, 1, 1, 3, 2, 4, 5, 6, 7, 8, 9):
        listener.feed(position, SOURCE, packets(FIVE["one"])[position], position * 0.02)
    assert names(listener.heard()) == ["en/one"]
    assert listener.late == 2
    assert listener.heard()[0].lost == 1


def test_new_source_with_other_sequence_numbers_goes_on_without_loss() -> None:
    listener = listen(recordings(**FIVE), packets(FIVE["one"]))
    for position, payload in enumerate(packets(FIVE["two"])):
        listener.feed(30_000 + position, SOURCE + 1, payload, 0.2 + position * 0.02)
    heard = listener.heard()
    assert names(heard) == ["en/one", "en/two"]
    assert sum(stretch.lost for stretch in heard) == 0


def test_what_is_heard_can_be_asked_at_any_time_and_only_grows() -> None:
    sound = packets(FIVE["one"] + FIVE["two"] + FIVE["three"])
    listener, longest = Listener(recordings(**FIVE)), 0
    for position, payload in enumerate(sound):
        listener.feed(position, SOURCE, payload, position * 0.02)
        heard = listener.heard()
        assert listener.heard(since=1) == heard[1:]
        assert len(heard) >= longest
        longest = len(heard)
    assert longest == 3


@settings(max_examples=60)
@given(seed=st.integers(0, 2**32), loss=st.sampled_from((0.0, 0.02, 0.05)), cut=st.booleans())
def test_random_sequence_with_loss_and_cuts_is_heard_exactly(seed: int, loss: float, cut: bool) -> None:
    chance = random.Random(seed)
    clips = {f"w{number}": noise(f"w{number}", 15 + number) + SILENCE * (number % 4) for number in range(12)}
    plan = [chance.choice(list(clips)) for _ in range(10)]
    lengths = [chance.randint(8, 12) if cut and chance.random() < 0.3 else None for _ in plan]
    sound = [payload for name, end in zip(plan, lengths, strict=True) for payload in packets(clips[name])[:end]]
    lost = [position for position in range(len(sound)) if chance.random() < loss]
    heard = listen(recordings(**clips), sound, lost=lost).heard()
    assert [stretch.name.prompt for stretch in heard if stretch.name] == plan
    assert not [stretch for stretch in heard if stretch.kind is Kind.UNKNOWN]
    for stretch, end in zip([s for s in heard if s.name], lengths, strict=True):
        assert stretch.complete is (end is None) or loss


def test_recordings_are_read_from_folders_by_language(tmp_path: Path) -> None:
    (tmp_path / "cmn/digits").mkdir(parents=True)
    (tmp_path / "music").mkdir()
    (tmp_path / "cmn/digits/1.ulaw").write_bytes(noise("yi", 4))
    (tmp_path / "music/hold.ulaw").write_bytes(noise("hold", 4))
    known = Recordings.load(tmp_path)
    assert PromptName(Language.MANDARIN, "digits/1") in known
    assert known.named(PromptName(None, "hold")).music
    assert known.named(PromptName(None, "hold")).length_ms == 80


def test_voice_of_the_caller_is_known_again_from_any_position_and_is_no_prompt(tmp_path: Path) -> None:
    (tmp_path / "en").mkdir()
    (tmp_path / "en" / "one.ulaw").write_bytes(noise("one", 10))
    known = Recordings.load(tmp_path, voice=speech(VOICE_MS))
    said = speech(3000)[5 * FRAME_BYTES :]
    (heard,) = listen(known, packets(said)).heard()
    assert heard.kind is Kind.MUSIC
    assert str(heard.name) == VOICE
    assert len(set(packets(speech(VOICE_MS)))) == VOICE_MS // FRAME_MS


def test_folder_without_recordings_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"no \.ulaw recordings"):
        Recordings.load(tmp_path)


def test_silent_recording_is_refused() -> None:
    with pytest.raises(ValueError, match="silent"):
        recordings(mute=SILENCE * 3)
