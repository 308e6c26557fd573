"""No question lasts longer than it says of itself: the bounds that are proved of flows stand on that."""

from __future__ import annotations

from collections.abc import Sequence
from types import MappingProxyType
from typing import Final

import pytest

from ivr_engine.channel.conversation import Conversation
from ivr_engine.flow.call import Call, QueueOutcome
from ivr_engine.flow.runner import Runner, StepDone
from ivr_engine.simulator.bank import sample_bank
from ivr_engine.simulator.line import Deed, HearOut, Press, ScriptedLine
from ivr_engine.simulator.office import ports_of
from ivr_engine.simulator.play import PlayedQueues
from ivr_engine.simulator.virtual_time import VirtualClock, run_virtual
from ivr_engine.values.ids import CustomerNumber
from ivr_engine.values.language import Language
from tests.flow.calls import CALL
from tests.flow.world import catalogue, flow, library_of

STEPS: Final = MappingProxyType(
    {
        "menu": "menu: main_menu, keys: {1: {then: end, say: account_current}, 12: end}",
        "menu heard again": "menu: main_menu, keys: {1: end, 9: repeat, 8: help}, help: no_transactions",
        "collect": "collect: n, prompt: enter_customer_number, length: 3 to 5, then: end",
        "collect in all": "collect: n, prompt: enter_customer_number, length: 3 to 5, in_all: 10 s, then: end",
        "secret": "secret: pin, prompt: enter_pin, length: 6, check: weak_pin, first_key: 9 s, then: end",
        "confirm": "confirm: [you_entered, no_transactions], then: end, when: {declined: end}",
        "choose": "choose: account, into: {number: a, kind: kind}, offer: ['account_{kind}', {masked: a}], then: end",
        "pause": "pause: have_pen_ready, within: 50 s, then: end",
    }
)
LATE: Final = 2900
CALLERS: Final = MappingProxyType(
    {
        "silent": (),
        "wrong": tuple(deed for _ in range(40) for deed in (HearOut(), Press("8", after_ms=LATE))),
        "slow": tuple(deed for _ in range(40) for deed in (HearOut(), Press("1111111", every_ms=LATE))),
        "hasty": tuple(Press("1", after_ms=1500) for _ in range(9)),
        "turning": tuple(
            deed for _ in range(40) for deed in (HearOut(), Press("9", after_ms=LATE), HearOut(), Press("7"))
        ),
    }
)


def took(name: str, deeds: Sequence[Deed], language: Language) -> tuple[int, int]:
    """Return how long the step took a caller who hears the real lengths of prompts, and how long it may take."""
    trace, _, longest_ms = asked(name, deeds, language)
    return trace[0].took_ms, longest_ms


def asked(name: str, deeds: Sequence[Deed], language: Language) -> tuple[list[StepDone], list[float], int]:
    """Return the trace, when the line was kept alive, and how long the step may take."""
    ends = "no_input: end, no_match: end, too_short: end, not_valid: end, none: end, unavailable: end"
    top = (
        "variables: {n: digits, pin: secret, a: personal digits, kind: 'one of (demand_savings, time_deposit, "
        f"credit_card, provident_fund, current)'}}\notherwise: {{{ends}}}\n"
    )
    library = library_of(a=flow(f"begin: {{{STEPS[name]}}}\nend: {{hang_up: done}}\n", top=top))
    assert library.findings == (), "\n".join(finding.render() for finding in library.findings)
    trace: list[StepDone] = []
    alive: list[float] = []

    async def main(clock: VirtualClock) -> None:
        line = ScriptedLine(deeds, prompt_ms=lambda prompt: catalogue().lasts_ms(language, prompt))
        conversation = Conversation(line)
        ports = ports_of(sample_bank(clock), CALL, clock, library.messages)
        operations = ports.operations
        operations._customer, operations._signed_in_until = CustomerNumber("620001"), float("inf")

        async def keep_alive() -> None:
            alive.append(clock.monotonic())

        queues = PlayedQueues(conversation, QueueOutcome.FULL)
        call = Call(conversation, operations, queues, operations, language, ports.back_office, keep_alive=keep_alive)
        await line.answer()
        await Runner(library, call, clock, on_step=trace.append).run("a")

    run_virtual(main)
    return trace, alive, library.flows["a"].steps["begin"].longest_ms


@pytest.mark.parametrize("language", Language)
@pytest.mark.parametrize("caller", CALLERS)
@pytest.mark.parametrize("name", STEPS)
def test_no_question_lasts_longer_than_it_says(name: str, caller: str, language: Language) -> None:
    took_ms, longest_ms = took(name, CALLERS[caller], language)
    assert took_ms <= longest_ms


@pytest.mark.parametrize("name", ["menu", "pause"])
def test_silent_caller_takes_nearly_all_of_that_time(name: str) -> None:
    took_ms, longest_ms = max(took(name, (), language) for language in Language)
    assert took_ms > longest_ms - 13_000


def test_line_is_kept_alive_before_each_page_of_a_list_and_before_values_are_read_again() -> None:
    def while_asked(name: str, caller: str) -> int:
        trace, alive, _ = asked(name, CALLERS[caller], Language.ENGLISH)
        return sum(round(at_s * 1000) < trace[0].took_ms for at_s in alive)

    assert while_asked("choose", "silent") == 3
    assert while_asked("menu heard again", "wrong") == 3 + 2
    assert while_asked("confirm", "hasty") == 1
