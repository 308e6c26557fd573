"""A call typed in a terminal."""

from __future__ import annotations

import dataclasses

import pytest

from ivr_engine.channel.line import CallerHungUp, DialResult
from ivr_engine.flow.call import QueueOutcome
from ivr_engine.simulator.play import Scene, TypedLine, lines_of, play_now, spoken
from ivr_engine.simulator.virtual_time import VirtualClock, run_virtual
from ivr_engine.values.language import Language
from ivr_engine.values.utterance import Utterance
from tests.flow.world import catalogue, flow, library_of, shipped

SCENE = Scene(shipped(), catalogue())


def played(keys: str, scene: Scene = SCENE) -> tuple[str, list[str]]:
    shown: list[str] = []
    reason = play_now(scene, ask=lines_of(keys, shown.append), write=shown.append)
    return reason, shown


def said(*prompts: str, language: Language = Language.ENGLISH) -> str:
    return "  " + " ".join(catalogue().text(language, prompt) for prompt in prompts)


def test_player_reads_a_call_as_the_caller_hears_it() -> None:
    reason, shown = played("3,1,620001#,246810,1,9,h")
    account = f"{said('account_demand_savings')} ending in five six seven eight"
    second = f"{said('account_time_deposit')} ending in five six eight six"[1:]
    third = f"{said('account_credit_card')} ending in five six nine four"[1:]
    others = said("more_choices", "press_9", "hear_again", "press_star")[1:]
    offered = f"{account}{said('press_1')[1:]}{second}{said('press_2')[1:]}{third}{said('press_3')[1:]}{others}"
    booked = "ten thousand seven hundred and fifty five yuan and thirty five fen"
    available = "ten thousand two hundred and fifty five yuan and thirty five fen"
    assert reason == "caller_hung_up"
    assert shown == [
        said("welcome", language=Language.MANDARIN),
        said("choose_language", language=Language.MANDARIN),
        said("choose_language", language=Language.CANTONESE),
        said("choose_language"),
        "> 3",
        said("main_menu"),
        "> 1",
        said("enter_customer_number"),
        "> 620001#",
        said("enter_pin"),
        "> 246810",
        offered,
        "> 1",
        f"{account}{said('your_balance_is')[1:]} {booked}{said('available_balance_is')[1:]} {available}",
        said("balance_menu"),
        "> 9",
        said("main_menu"),
        "> h",
        "  (the call has ended: caller hung up)",
    ]


def test_empty_line_is_silence_until_the_time_out() -> None:
    reason, shown = played("1,,,,,")
    assert reason == "completed"
    sorry = said("nothing_heard", language=Language.MANDARIN)
    assert sum(line.startswith(sorry) for line in shown) == 3  # two in the menu, one in the survey
    assert "  (queue 'service': answered)" in shown


def test_end_of_the_lines_is_a_hang_up() -> None:
    reason, shown = played("1")
    assert reason == "caller_hung_up"
    assert shown[-1] == "  (the call has ended: caller hung up)"


def test_line_that_is_no_keys_is_explained_and_asked_for_again() -> None:
    _, shown = played("one,1")
    at = shown.index("> one")
    assert shown[at + 1 : at + 3] == ["  (keys 0-9 * #, an empty line to stay silent, h to hang up)", "> 1"]


def test_keys_typed_in_one_line_are_typed_ahead_and_skip_the_prompts() -> None:
    reason, shown = played("31620001#246810#1,h")
    assert reason == "caller_hung_up"
    assert "> 31620001#246810#1" in shown
    assert said("main_menu") not in shown
    assert any("ten thousand seven hundred" in line for line in shown)


def test_keys_typed_ahead_of_what_is_said_skip_it() -> None:
    library = library_of(
        a=flow(
            """
            begin: {menu: main_menu, keys: {1: tell}, when: {no_input: end, no_match: end}}
            tell: {say: thank_you, then: must}
            must: {say: no_agent_available, interrupt: none, then: ask}
            ask: {menu: balance_menu, keys: {2: end}, when: {no_input: end, no_match: end}}
            end: {hang_up: done}
            """
        )
    )
    reason, shown = played("12", Scene(library, catalogue(), first_flow="a", language=Language.ENGLISH))
    assert reason == "done"
    assert shown == [said("main_menu"), "> 12", said("no_agent_available"), "  (the call has ended: done)"]


def test_key_that_may_not_stop_a_prompt_is_lost_in_it() -> None:
    steps = """
        begin: {menu: main_menu, keys: {1: ask}, when: {no_input: end, no_match: end}}
        ask: {menu: balance_menu, keys: {2: end}, interrupt: valid, when: {no_input: end, no_match: end}}
        end: {hang_up: done}
        """
    library = library_of(a=flow(steps))
    _, shown = played("17,2", Scene(library, catalogue(), first_flow="a", language=Language.ENGLISH))
    assert shown[1:] == ["> 17", said("balance_menu"), "> 2", "  (the call has ended: done)"]


def test_line_that_was_hung_up_answers_nothing_more() -> None:
    async def main(clock: VirtualClock) -> None:
        del clock
        shown: list[str] = []
        line = TypedLine(lines_of(""), shown.append, catalogue())
        await line.answer()
        await line.music(on=True)
        assert (await line.dial("PJSIP/100", ring_s=20)).result is DialResult.UNREACHABLE
        line.hung_up = True
        for verb in (line.answer(), line.read_key(within_ms=100), line.music(on=False), line.dial("x", ring_s=1)):
            with pytest.raises(CallerHungUp):
                await verb

    run_virtual(main)


def test_entry_goes_on_with_the_next_line() -> None:
    _, shown = played("3,1,620,001#,246810,1,h")
    assert any("ten thousand seven hundred" in line for line in shown)


def test_empty_line_ends_an_entry_that_is_long_enough() -> None:
    _, shown = played("3,1,620001,,246810,1,h")
    assert any("ten thousand seven hundred" in line for line in shown)


def test_agents_can_be_away() -> None:
    reason, shown = played("3,0,,", dataclasses.replace(SCENE, agents=QueueOutcome.NO_AGENTS))
    assert reason == "no_human"
    at = shown.index("  (queue 'service': no agents)")
    assert shown[at + 1].startswith(said("no_agent_available"))
    assert shown[-1] == "  (the call has ended: no human)"


def test_agent_can_ask_for_a_secret() -> None:
    reason, shown = played("3,0,620001#,246810,5", dataclasses.replace(SCENE, asks_secret=True))
    asks = shown.index("  (the agent asks for what they do not hear, and waits)")
    pin = shown.index("  Please enter your six-digit telephone PIN.")
    talks = shown.index("  (queue 'service': answered)")
    assert asks < pin < talks
    assert reason == "completed"


def test_message_is_typed_as_words_and_its_length_is_shown() -> None:
    scene = dataclasses.replace(SCENE, agents=QueueOutcome.NO_AGENTS)
    reason, shown = played("3,0,1,please call me,1,#", scene)
    assert reason == "completed"
    assert "  (your message, 4.0 s)" in shown
    assert "  (message for 'service': 4.0 s)" in shown


def test_callback_is_shown_with_its_number() -> None:
    _, shown = played("3,0,2,1", dataclasses.replace(SCENE, agents=QueueOutcome.NO_AGENTS))
    assert "  (callback by 'service' to 13800000000: registered)" in shown


def test_steps_are_shown_on_demand() -> None:
    _, shown = played("3,h", dataclasses.replace(SCENE, show_steps=True))
    assert "    [library/language: offer, key 3]" in shown


def test_endless_call_ends_with_its_budget() -> None:
    library = library_of(a=flow("begin: {set: {n: 1}, then: begin}", top="variables: {n: number}\n"))
    reason, shown = played("", Scene(library, catalogue(), first_flow="a"))
    assert reason == "budget_exceeded"
    assert "more than 500 steps" in shown[-2]


def test_flow_that_does_not_exist_is_an_error_of_the_program() -> None:
    with pytest.raises(KeyError):
        played("", dataclasses.replace(SCENE, first_flow="nowhere"))


def test_read_outs_are_joined_as_in_speech() -> None:
    what = Utterance(Language.ENGLISH, ("your_balance_is", "number_5", "currency_cny", "cmn/welcome", "goodbye"))
    lines = spoken(catalogue(), what)
    assert ["  " + line for line in lines] == [
        said("your_balance_is", "number_5", "currency_cny"),
        said("welcome", language=Language.MANDARIN),
        said("goodbye"),
    ]


def test_player_who_types_yes_ahead_hears_the_values_before_it_counts() -> None:
    steps = """
        begin: {collect: n, prompt: enter_pin, length: 2, then: check, when: {no_input: end, too_short: end}}
        check: {confirm: [you_entered, {digits: n}], then: good, when: {declined: end, no_input: end, no_match: end}}
        good: {hang_up: confirmed}
        end: {hang_up: done}
        """
    library = library_of(a=flow(steps, top="variables: {n: digits}\n"))
    assert library.findings == ()
    scene = dataclasses.replace(SCENE, library=library, first_flow="a", language=Language.ENGLISH)
    reason, shown = played("121,1", scene)
    assert reason == "confirmed"
    assert shown[-5:] == [
        "> 121",
        f"{said('please_listen', 'you_entered')} one two",
        said("confirm_yes", "press_1", "confirm_no", "press_2"),
        "> 1",
        "  (the call has ended: confirmed)",
    ]
