"""What a caller can leave behind or be handed on to: messages, callbacks, transfers, in virtual time."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Final

import pytest

from ivr_engine.channel.conversation import Conversation
from ivr_engine.channel.line import CallerHungUp
from ivr_engine.flow.call import Call, QueueOutcome
from ivr_engine.flow.leaving import CallbackOutcome, TransferOutcome
from ivr_engine.flow.library import compile_library
from ivr_engine.flow.runner import Runner
from ivr_engine.flow.values import RECORDING, Value, decode, encode
from ivr_engine.simulator.bank import sample_bank
from ivr_engine.simulator.leaving import LeftBehind
from ivr_engine.simulator.line import HUSH, VOICE, Deed, HangUp, HearOut, Press, ScriptedLine, Speak
from ivr_engine.simulator.office import ports_of
from ivr_engine.simulator.play import PlayedQueues
from ivr_engine.simulator.virtual_time import VirtualClock, run_virtual
from ivr_engine.values.ids import CallId
from ivr_engine.values.language import Language
from ivr_engine.values.recording import Recording, voiced_ms
from tests.flow.world import findings_of, flow, library_of, proved_library_of, shipped, world

MESSAGE: Final = flow(
    """
    begin:
      record: message
      box: service
      prompt: say_message_after_tone
      most: 60 s
      silence: 3 s
      then: kept
      when: {nothing_recorded: nothing, unavailable: away}
    kept: {hang_up: kept}
    nothing: {hang_up: nothing}
    away: {hang_up: away}
    """,
    top="variables: {message: recording}\n",
)
ASKED: Final = ["en/say_message_after_tone", "en/tone"]
REVIEW: Final = [f"en/{name}" for name in ("hear_your_message", "press_1", "record_again", "press_2")]
KEEP: Final = ["en/keep_message", "en/press_hash"]
HUNG_UP: Final = "caller hung up"


@dataclass(slots=True)
class Left:
    """What became of a call."""

    reason: str
    words: list[str]
    left: LeftBehind
    line: ScriptedLine
    variables: dict[str, Value]
    seconds: float
    no_input: int

    @property
    def spoken_ms(self) -> list[int]:
        return [audio.count(VOICE) // 8 for _, audio in self.left.messages]


def call(text: str, *deeds: Deed, left: LeftBehind | None = None, cannot_record: bool = False) -> Left:
    """Make one call through a flow of one step."""

    async def main(clock: VirtualClock) -> Left:
        line = ScriptedLine(deeds, cannot_record=cannot_record)
        conversation = Conversation(line)
        kept = left or LeftBehind()
        ports = ports_of(sample_bank(clock), CallId("call"), clock, shipped().messages)
        lived = Call(
            conversation,
            ports.operations,
            PlayedQueues(conversation, QueueOutcome.ANSWERED),
            ports.operations,
            Language.ENGLISH,
            ports.back_office,
            voice_messages=kept,
            callbacks=kept,
            destinations=kept,
        )
        library = compile_library({"a": ("a.yaml", text)}, world())
        assert library.findings == ()
        runner = Runner(library, lived, clock, on_step=lambda _: None)
        await line.answer()
        try:
            reason = await runner.run("a")
        except CallerHungUp:
            reason = HUNG_UP
        words = [heard.prompt for heard in line.heard]
        return Left(reason, words, kept, line, dict(lived.variables), clock.monotonic(), lived.tally.no_input)

    return run_virtual(main)


def spoken(milliseconds: int, *then: Deed) -> list[Deed]:
    return [Speak(milliseconds), *then]


def test_caller_speaks_after_the_tone_hears_what_can_be_done_and_keeps_the_message() -> None:
    told = call(MESSAGE, *spoken(4000), Press("#"), HearOut(), Press("#"))
    assert told.reason == "kept"
    assert told.words == [*ASKED, *REVIEW, *KEEP]
    assert [box for box, _ in told.left.messages] == ["service"]
    assert told.spoken_ms == [4000]
    assert isinstance(told.variables["message"], Recording)


def test_silence_ends_a_message_and_silence_after_it_keeps_it() -> None:
    told = call(MESSAGE, *spoken(4000))
    assert (told.reason, told.spoken_ms) == ("kept", [4000])


def test_longest_time_ends_a_message() -> None:
    told = call(MESSAGE, *spoken(90_000))
    assert (told.reason, told.spoken_ms) == ("kept", [60_000])


def test_only_the_finish_key_ends_a_message_and_no_other_key_is_kept() -> None:
    told = call(MESSAGE, *spoken(1000), Press("839183", every_ms=100), Press("#", after_ms=500), HearOut(), Press("#"))
    assert told.reason == "kept"
    assert told.words == [*ASKED, *REVIEW, *KEEP]


def test_caller_hears_the_message_as_often_as_they_like_but_not_for_ever() -> None:
    hear: list[Deed] = [HearOut(), Press("1")]
    told = call(MESSAGE, *spoken(2000), Press("#"), *hear, *hear, HearOut(), Press("#"))
    assert told.reason == "kept"
    assert [audio.count(VOICE) // 8 for audio in told.line.played_back] == [2000, 2000]
    told = call(MESSAGE, *spoken(2000), Press("#"), *hear * 5)
    assert (told.reason, len(told.line.played_back), told.spoken_ms) == ("kept", 5, [2000])


def test_who_speaks_again_has_left_the_last_message_only() -> None:
    again: list[Deed] = [HearOut(), Press("2"), HearOut()]
    told = call(MESSAGE, *spoken(2000), Press("#"), *again, *spoken(3000), Press("#"), HearOut(), Press("#"))
    assert (told.reason, told.spoken_ms) == ("kept", [3000])


def test_last_time_nobody_is_asked_whether_to_speak_again() -> None:
    again: list[Deed] = [HearOut(), Press("2"), HearOut()]
    told = call(
        MESSAGE, *spoken(2000), Press("#"), *again, *spoken(2000), Press("#"), *again, *spoken(2500), Press("#")
    )
    assert (told.reason, told.spoken_ms) == ("kept", [2500])
    assert told.words[-4:] == [*REVIEW[:2], *KEEP]


def test_key_skips_the_words_but_not_the_tone() -> None:
    told = call(MESSAGE, Press("5", after_ms=300), HearOut(), *spoken(2000))
    assert told.words[:3] == ["en/say_message_after_tone", "en/tone", *REVIEW[:1]]
    assert told.reason == "kept"


@pytest.mark.parametrize("spoken_ms", [0, 400])
def test_who_says_nothing_that_counts_is_asked_again_and_then_has_left_nothing(spoken_ms: int) -> None:
    deeds: list[Deed] = [Speak(spoken_ms), Speak(spoken_ms), Speak(spoken_ms)] if spoken_ms else []
    told = call(MESSAGE, *deeds)
    assert told.reason == "nothing"
    assert told.words == [*ASKED, "en/nothing_recorded", *ASKED, "en/nothing_recorded", *ASKED]
    assert told.left.messages == []
    assert told.no_input == 3
    assert "message" not in told.variables


def test_hang_up_while_speaking_keeps_what_was_said() -> None:
    told = call(MESSAGE, *spoken(2000), HangUp())
    assert (told.reason, told.spoken_ms) == (HUNG_UP, [2000])


def test_hang_up_before_anything_was_said_keeps_nothing() -> None:
    told = call(MESSAGE, *spoken(200), HangUp())
    assert (told.reason, told.left.messages) == (HUNG_UP, [])


def test_hang_up_while_being_asked_what_is_to_become_of_it_keeps_the_message_once() -> None:
    told = call(MESSAGE, *spoken(2000), Press("#"), HangUp(after_ms=1500))
    assert (told.reason, told.spoken_ms) == (HUNG_UP, [2000])


def test_caller_is_not_asked_to_speak_when_no_message_can_be_kept() -> None:
    told = call(MESSAGE, left=LeftBehind(messages_away=True))
    assert (told.reason, told.words) == ("away", [])


def test_message_that_cannot_be_recorded_ends_in_unavailable() -> None:
    told = call(MESSAGE, cannot_record=True)
    assert (told.reason, told.words) == ("away", ASKED)


def test_message_without_review_is_kept_at_once() -> None:
    text = MESSAGE.replace("silence: 3 s", "silence: 3 s\n    review: false")
    told = call(text, *spoken(2000), Press("#"))
    assert (told.reason, told.words, told.spoken_ms) == ("kept", ASKED, [2000])


def test_voice_message_stands_for_a_human() -> None:
    steps = library_of(a=MESSAGE).flows["a"].steps
    assert steps["begin"].rescues
    assert not steps["kept"].rescues


def test_message_goes_with_a_call_to_another_engine_by_its_name_only() -> None:
    kept = Recording("01ABC", 4200)
    written = encode(kept)
    assert written == [4200, "01ABC"]
    assert decode(written, RECORDING) == kept
    with pytest.raises(ValueError, match="recording"):
        decode("01ABC", RECORDING)


def test_silence_is_no_voice_and_looking_stops_when_there_is_enough() -> None:
    assert voiced_ms(HUSH * 80_000, enough_ms=500) == 0
    assert voiced_ms(b"\x7f" * 80_000, enough_ms=500) == 0
    assert voiced_ms(HUSH * 8000 + VOICE * 8 * 300, enough_ms=500) == 300
    assert voiced_ms(VOICE * 80_000, enough_ms=500) == 500


CALLBACK: Final = flow(
    """
    begin: {set: {number: "'13800000000'"}, then: call}
    call:
      callback: service
      number: number
      then: registered
      when: {already_registered: again, number_not_allowed: not_allowed, unavailable: away}
    registered: {hang_up: registered}
    again: {hang_up: already_registered}
    not_allowed: {hang_up: number_not_allowed}
    away: {hang_up: unavailable}
    """,
    top="variables: {number: digits}\n",
)


@pytest.mark.parametrize("outcome", list(CallbackOutcome))
def test_callback_ends_as_the_list_says(outcome: CallbackOutcome) -> None:
    told = call(CALLBACK, left=LeftBehind(callback=outcome))
    assert told.reason == outcome.value
    assert told.left.callbacks == (["13800000000"] if outcome is CallbackOutcome.REGISTERED else [])
    assert library_of(a=CALLBACK).flows["a"].steps["call"].rescues


UNCONFIRMED: Final = """\
ivr: 1
title: A callback
start: ask
variables: {number: digits}
otherwise: {no_input: end, no_match: end, too_short: end, unavailable: end}
steps:
  ask: {collect: number, prompt: enter_callback_number, length: 3 to 15, then: is_it_right}
  is_it_right:
    confirm: [we_call_you_at, {digits: number}]
    when: {confirmed: call, declined: end}
  call: {callback: service, number: number, then: end, when: {already_registered: end, number_not_allowed: end}}
  end: {hang_up: completed}
"""


def test_nobody_is_called_at_a_number_that_the_caller_has_not_confirmed() -> None:
    sound = proved_library_of(a=UNCONFIRMED).findings
    assert "E804" not in [finding.code for finding in sound]
    around = proved_library_of(a=UNCONFIRMED.replace("declined: end", "declined: call")).findings
    (found,) = [finding for finding in around if finding.code == "E804"]
    assert "step 'call' acts on 'number', whose value the caller may not have confirmed" in found.message


TRANSFER: Final = flow(
    """
    begin:
      blind_transfer: lost_cards
      hold: connecting_to_agent
      when: {answered: answered, no_answer: no_answer, busy: busy, unreachable: unreachable}
    answered: {hang_up: answered}
    no_answer: {hang_up: no_answer}
    busy: {hang_up: busy}
    unreachable: {hang_up: unreachable}
    """
)


NOT_ASKED: Final = [outcome for outcome in TransferOutcome if outcome is not TransferOutcome.DECLINED]


@pytest.mark.parametrize("outcome", NOT_ASKED)
def test_transfer_ends_as_the_other_side_does(outcome: TransferOutcome) -> None:
    told = call(TRANSFER, left=LeftBehind(transfer_ends=outcome))
    assert (told.reason, told.words) == (outcome.value, ["en/connecting_to_agent"])
    assert told.left.transfers == ["lost_cards"]
    assert told.left.announced == []
    assert library_of(a=TRANSFER).flows["a"].steps["begin"].rescues


def test_who_is_not_asked_cannot_decline() -> None:
    assert call(TRANSFER, left=LeftBehind(transfer_ends=TransferOutcome.DECLINED)).reason == "answered"
    declined = TRANSFER.replace("when: {", "when: {declined: busy, ")
    assert [finding.code for finding in findings_of(declined)] == ["E205"]


ATTENDED: Final = flow(
    """
    begin: {set: {account: "'6225880012345678'"}, then: over}
    over:
      attended_transfer: lost_cards
      hold: connecting_to_agent
      announce: [caller_waits, {masked: account}]
      when: {answered: answered, declined: declined, no_answer: no_answer, busy: busy, unreachable: unreachable}
    answered: {hang_up: answered}
    declined: {hang_up: declined}
    no_answer: {hang_up: no_answer}
    busy: {hang_up: busy}
    unreachable: {hang_up: unreachable}
    """,
    top="variables: {account: digits}\n",
)


@pytest.mark.parametrize("outcome", list(TransferOutcome))
def test_other_side_alone_is_told_and_asked_and_may_decline(outcome: TransferOutcome) -> None:
    told = call(ATTENDED, left=LeftBehind(transfer_ends=outcome))
    assert (told.reason, told.words) == (outcome.value, ["en/connecting_to_agent"]), "the caller hears nothing of it"
    (announced,) = told.left.announced
    assert announced.language is Language.ENGLISH
    assert announced.prompts[0] == "caller_waits"
    assert announced.prompts[-4:] == ("take_call", "press_1", "decline_call", "press_2")
    assert library_of(a=ATTENDED).flows["a"].steps["over"].rescues


def test_other_side_is_told_nothing_personal_of_who_has_not_signed_in() -> None:
    personal = ATTENDED.replace("account: digits", "account: personal digits")
    codes = {finding.code for finding in proved_library_of(a=personal).findings}
    assert codes - {finding.code for finding in proved_library_of(a=ATTENDED).findings} == {"E802"}


@pytest.mark.parametrize(("written", "code"), [("", "E111"), ("    announce: []\n", "E112")])
def test_attended_transfer_has_words_for_the_other_side(written: str, code: str) -> None:
    (finding,) = findings_of(re.sub(r"(?m)^ +announce: .*\n", written, ATTENDED))
    assert finding.code == code


def test_flow_names_no_destination_where_none_is_set_up() -> None:
    nowhere = replace(world(), destinations=frozenset())
    (finding,) = compile_library({"a": ("a.yaml", TRANSFER)}, nowhere).findings
    assert finding.code == "E707"
    assert "set it up under `destinations`" in finding.mend


def test_message_is_handed_to_no_operation_that_takes_something_else() -> None:
    text = MESSAGE.replace(
        "kept: {hang_up: kept}",
        "kept: {do: keep_answer, with: {question: message, answer: 1}, when: {kept: done}}\n  done: {hang_up: kept}",
    )
    assert [finding.code for finding in findings_of(text)] == ["E302"]
