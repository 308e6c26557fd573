"""A played call that was saved is a test that passes, and no secret stands in it."""

from __future__ import annotations

import dataclasses
import re
from typing import Final

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ivr_engine.flow.call import QueueOutcome
from ivr_engine.simulator.play import Scene, lines_of, play_now
from ivr_engine.simulator.saving import Recorder
from tests.flow.world import catalogue, flow, library_of, shipped
from tests.scenarios.world import messages, run

SCENE: Final = Scene(shipped(), catalogue())


OFFERED: Final = (
    "- hear:",
    "- account_demand_savings",
    "- ...",
    "- press_1",
    "- account_time_deposit",
    "- ...",
    "- press_2",
    "- account_credit_card",
    "- ...",
    "- press_3",
    "- more_choices",
    "- press_9",
    "- hear_again",
    "- press_star",
)


def saved(keys: str, scene: Scene = SCENE) -> str:
    recorder = Recorder()
    played = dataclasses.replace(scene, recorder=recorder)
    play_now(played, ask=lines_of(keys), write=lambda _: None)
    agents = [] if scene.agents is QueueOutcome.ANSWERED else [f"agents: {scene.agents.value}"]
    return recorder.as_test('A call: as it was "played"', scene.first_flow, agents)


def steps_of(text: str) -> list[str]:
    block = text.partition("steps:\n")[2].partition("expect:\n")[0]
    return [line.strip() for line in block.splitlines()]


def test_played_call_reads_so_as_a_test() -> None:
    text = saved("3,1,620001#,12#,000000,620001#,246810#,,1,h")
    assert steps_of(text) == [
        "- hear: [cmn/welcome, cmn/choose_language, yue/choose_language, choose_language]",
        '- press: "3"',
        "- hear: main_menu",
        '- press: "1"',
        "- hear: enter_customer_number",
        "- type: customer number",
        "- hear: enter_pin",
        '- type: "00#"',
        "- hear: [too_short, enter_pin]",
        "- type: wrong pin",
        "- hear: [sign_in_refused, enter_customer_number]",
        "- type: customer number",
        "- hear: enter_pin",
        "- type: pin",
        '- press: "#"',
        *OFFERED,
        "- stay silent",
        "- hear:",
        "- nothing_heard",
        *OFFERED[1:],
        '- press: "1"',
        "- hear: [account_demand_savings, ..., your_balance_is, ..., available_balance_is, ..., balance_menu]",
        "- hang up",
    ]
    assert messages(run(text)) == []


@pytest.mark.parametrize("agents", QueueOutcome)
def test_what_the_agents_did_is_saved_as_well(agents: QueueOutcome) -> None:
    scene = dataclasses.replace(SCENE, agents=agents)
    result = run(saved("2,0", scene))
    assert messages(result) == []
    assert ("hotline", "to_human", agents.value) in result.told.steps


def test_pin_typed_ahead_while_the_bank_works_is_hidden() -> None:
    text = saved("3,1,620001#000000620001#246810#1,h")
    assert "246810" not in text
    assert "- type: pin" in steps_of(text)
    assert "- type: wrong pin" in steps_of(text)
    assert messages(run(text)) == []


def test_two_secrets_typed_at_once_are_two_entries() -> None:
    library = library_of(
        a=flow(
            """
            begin: {secret: pin, prompt: enter_pin, length: 6, then: again, when: {no_input: end, too_short: end}}
            again: {secret: pin, prompt: enter_pin, length: 6, then: end, when: {no_input: end, too_short: end}}
            end: {hang_up: completed}
            """,
            top="variables: {pin: secret}\n",
        )
    )
    text = saved("246810135790", Scene(library, catalogue(), first_flow="a"))
    assert steps_of(text) == ["- hear: enter_pin", "- type: pin", "- type: wrong pin"]
    assert messages(run(text, library=library, flow="a")) == []


def test_secret_that_was_being_typed_when_the_player_hung_up_is_hidden() -> None:
    text = saved("3,1,620001#,2468,h")
    assert "2468" not in text
    assert '- type: "0000"' in steps_of(text)


PARTS: Final = (
    "1",
    "2",
    "3",
    "0",
    "9",
    "*",
    "#",
    "",
    "620001#",
    "246810",
    "000000",
    "135790#",
    "12#",
    "246810#1",
    "1#",
)


def test_money_that_was_moved_and_what_was_reached_are_saved_as_well() -> None:
    text = saved("3,3,620001#,246810,1,2,30*50#,1,3,2,1,1#,1,h")
    assert text.endswith(
        "  milestones: [money_moved, money_moved]\n"
        "  money moved:\n"
        '    - {from: "6225880012345678", to: "6225880012345686", amount: 30.50 CNY}\n'
        '    - {from: "6225880012345686", to: "6225880012345678", amount: 1.00 CNY}\n'
    )
    assert messages(run(text)) == []


@settings(max_examples=150)
@example(["1", "246810", "246810#1", "1", "1", "1", "1", "1"])
@example(["3", "1", "620001#", "246810#1"])
@example(["3", "3", "620001#", "246810", "1", "2", "1#", "1"])
@example(["3", "3", "620001#", "246810#1", "2", "1#", "1", "3", "1", "2", "1#", "2"])
@given(st.lists(st.sampled_from(PARTS), max_size=14))
def test_whatever_was_played_is_a_test_that_passes_and_holds_no_pin(parts: list[str]) -> None:
    text = saved(",".join([*parts, "h"]))
    assert not re.search("246810", text)
    assert messages(run(text)) == [], text


def test_messages_that_were_sent_are_saved_and_the_code_in_them_is_not() -> None:
    """The player reads the code where it is shown, as the customer would on their telephone."""
    shown: list[str] = []
    typed = iter(["3", "1", "620001#", "246810", "code", "580274", "580274", "h"])

    def ask() -> str | None:
        part = next(typed)
        if part == "code":
            part = re.findall(r"\(sms: ([0-9]{6}) is your code", "\n".join(shown))[-1]
            codes.append(part)
        return part

    codes: list[str] = []
    recorder = Recorder()
    scene = dataclasses.replace(SCENE, first_flow="pin_service", recorder=recorder)
    play_now(scene, ask=ask, write=shown.append)
    text = recorder.as_test("A PIN that was changed", "pin_service")
    assert "- type: code" in steps_of(text)
    assert "  sent: [sms, sms]" in text.splitlines()
    assert codes[0] not in text
    assert "580274" not in text
    assert messages(run(text)) == []
