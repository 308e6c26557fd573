"""The runner: arms, flows that run flows, budgets, and a call that goes on in another engine."""

from __future__ import annotations

import contextlib
import dataclasses
import json
from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from typing import Final

import pytest

from ivr_engine.channel.conversation import Conversation
from ivr_engine.flow.call import Call, QueueOutcome
from ivr_engine.flow.model import FLOWS_DEEP_MAX, STEPS_PER_CALL_MAX, Library
from ivr_engine.flow.runner import BudgetExceededError, Runner, StackEntry
from ivr_engine.flow.values import Encoded
from ivr_engine.scenarios.model import Busy
from ivr_engine.simulator.bank import sample_bank
from ivr_engine.simulator.line import HangUp, HearOut, Press, ScriptedLine
from ivr_engine.simulator.office import ports_of
from ivr_engine.simulator.play import PlayedQueues
from ivr_engine.simulator.virtual_time import VirtualClock, run_virtual
from ivr_engine.speech.grammars import grammar_for
from ivr_engine.values.ids import CustomerNumber
from ivr_engine.values.language import Language
from ivr_engine.values.money import Currency, Money
from ivr_engine.values.rate import Rate
from ivr_engine.values.secret import SecretDigits
from tests.flow.calls import CALL, HUNG_UP, Boundary, Story, Told, tell
from tests.flow.test_hotline import NUMBER, PIN, STORIES, bank_with, press
from tests.flow.world import flow, library_of

END: Final = "end: {hang_up: done}\n"
SILENT: Final = Story()


def run(text: str, story: Story = SILENT, **others: str) -> Told:
    library = library_of(a=text, **others)
    assert library.findings == (), "\n".join(finding.render() for finding in library.findings)
    return tell(story, library=library, flow="a")


def took(told: Told) -> list[tuple[str, str]]:
    return [(step.step, step.outcome) for step in told.trace]


def test_each_outcome_takes_its_own_arm() -> None:
    told = run(
        flow(
            """
            begin: {set: {n: 1}, then: look}
            look: {if: n = 3, then: end, else: more}
            more: {set: {n: n + 1}, then: look}
            end: {hang_up: done}
            """,
            top="variables: {n: number}\n",
        )
    )
    assert took(told) == [
        ("begin", "done"),
        ("look", "no"),
        ("more", "done"),
        ("look", "no"),
        ("more", "done"),
        ("look", "yes"),
        ("end", "done"),
    ]
    assert told.variables["n"] == 3


def test_default_arm_is_taken_where_a_step_has_none_of_its_own() -> None:
    steps = """
        begin: {menu: main_menu, keys: {1: end}, tries: 1}
        wrong: {hang_up: wrong}
        silent: {hang_up: silent}
        end: {hang_up: done}
        """
    text = flow(steps, top="otherwise: {no_input: silent, no_match: wrong}\n")
    assert run(text).reason == "silent"
    assert run(text, Story(press("7"))).reason == "wrong"
    assert run(text, Story(press("1"))).reason == "done"


def test_trace_tells_when_each_step_began_and_how_long_it_took() -> None:
    told = run(flow("begin: {say: [welcome, goodbye], then: again}\nagain: {say: welcome, then: end}\n" + END))
    assert [(step.at_ms, step.took_ms) for step in told.trace] == [(0, 2000), (2000, 1000), (3000, 0)]


CALLED: Final = """
    ivr: 1
    title: Called
    start: look
    inputs: {n: number, m: number}
    outputs: [sum]
    outcomes: [small, great]
    variables: {sum: number}
    steps:
      look: {set: {sum: n + m}, then: which}
      which: {if: sum < 10, then: small, else: great}
      small: {return: small}
      great: {return: great}
    """


def test_flow_runs_another_with_inputs_and_gets_outputs_back() -> None:
    steps = """
        begin: {set: {x: 2}, then: add}
        add: {run: called, with: {n: x + 1, m: 4}, into: {sum: x}, when: {small: add, great: end}}
        end: {hang_up: done}
        """
    told = run(flow(steps, top="variables: {x: number}\n"), called=CALLED)
    assert told.variables == {"x": 12}
    assert took(told) == [
        ("begin", "done"),
        ("add", "entered"),
        ("look", "done"),
        ("which", "yes"),
        ("small", "small"),
        ("add", "entered"),
        ("look", "done"),
        ("which", "no"),
        ("great", "great"),
        ("end", "done"),
    ]


def test_variables_of_a_flow_are_its_own() -> None:
    steps = """
        begin: {set: {sum: 1}, then: add}
        add: {run: called, with: {n: 2, m: 3}, when: {small: end, great: end}}
        end: {hang_up: done}
        """
    assert run(flow(steps, top="variables: {sum: number}\n"), called=CALLED).variables == {"sum": 1}


def test_language_chosen_in_a_flow_is_kept_by_those_that_ran_it() -> None:
    chooses = flow("begin: {language: yue, then: back}\nback: {return: good}", top="outcomes: [good]\n")
    told = run(
        flow("begin: {run: called, when: {good: speak}}\nspeak: {say: welcome, then: end}\n" + END), called=chooses
    )
    assert told.words == ["yue/welcome"]


def test_call_that_goes_round_in_circles_exceeds_its_budget() -> None:
    text = flow("begin: {set: {n: 1}, then: begin}\n", top="variables: {n: number}\n")
    with pytest.raises(BudgetExceededError, match=f"more than {STEPS_PER_CALL_MAX} steps; the last step was a:begin"):
        run(text)


def test_flows_run_one_another_as_deep_as_allowed() -> None:
    def nested(number: int) -> str:
        if number == FLOWS_DEEP_MAX:
            return flow("begin: {return: good}", top="outcomes: [good]\n")
        steps = f"begin: {{run: f{number + 1}, when: {{good: back}}}}\nback: {{return: good}}"
        return flow(steps, top="outcomes: [good]\n")

    others = {f"f{number}": nested(number) for number in range(2, FLOWS_DEEP_MAX + 1)}
    told = run(flow("begin: {run: f2, when: {good: end}}\n" + END), SILENT, **others)
    assert told.reason == "done"
    assert len({step.flow for step in told.trace}) == FLOWS_DEEP_MAX


def test_flow_made_to_be_run_by_others_cannot_begin_a_call() -> None:
    with pytest.raises(ValueError, match="'library/sign_in' has inputs or outcomes"):
        tell(Story(), flow="library/sign_in")


@contextlib.contextmanager
def every_secret() -> Iterator[list[SecretDigits]]:
    """Keep every secret that is made meanwhile."""
    made: list[SecretDigits] = []
    make = SecretDigits.__init__

    def noted(self: SecretDigits, digits: bytes | bytearray) -> None:
        make(self, digits)
        made.append(self)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(SecretDigits, "__init__", noted)
        yield made


# --- what a caller types ---------------------------------------------------------------------------------------------

ASK: Final = """
    begin: {collect: n, prompt: enter_customer_number, length: 3 to 5, cancel: star, then: hear,
      when: {no_input: silent, too_short: short, cancelled: gone}}
    hear: {say: [{digits: n}], then: end}
    silent: {hang_up: silent}
    short: {hang_up: short}
    gone: {hang_up: gone}
    end: {hang_up: done}
    """
NUMBERED: Final = flow(ASK, top="variables: {n: digits}\n")
WITHOUT_CANCEL: Final = (
    NUMBERED.replace("cancel: star, ", "").replace(", cancelled: gone", "").replace("  gone: {hang_up: gone}\n", "")
)


def test_number_is_kept_and_can_be_read_out() -> None:
    told = run(NUMBERED, Story(press("0123#")))
    assert told.variables["n"] == "0123"
    assert told.words[-4:] == [f"en/number_{digit}" for digit in "0123"]


def test_each_end_of_an_entry_has_its_outcome() -> None:
    assert run(NUMBERED, Story(press("12*"))).reason == "gone"
    assert run(NUMBERED, Story(press("12#", "1#", "12#"))).reason == "short"
    assert run(NUMBERED, Story()).reason == "silent"


def test_caller_who_types_slowly_is_not_cut_off() -> None:
    told = run(NUMBERED, Story((HearOut(), Press("12345", every_ms=5900))))
    assert told.variables["n"] == "12345"


def test_silences_may_be_written_in_the_flow() -> None:
    menu = (
        "begin: {menu: main_menu, keys: {1: end}, tries: 1, first_key: 2 s, when: {no_input: silent, no_match: end}}\n"
    )
    text = flow(menu + "silent: {hang_up: silent}\n" + END)
    assert run(text, Story((HearOut(), Press("1", after_ms=1900)))).reason == "done"
    late = run(text, Story((HearOut(), Press("1", after_ms=2100))))
    assert (late.reason, late.seconds) == ("silent", 3.0)


@pytest.mark.parametrize(("interrupt", "heard_whole"), [("any", False), ("valid", True), ("none", True)])
def test_menu_is_stopped_by_the_keys_that_its_interrupt_names(interrupt: str, heard_whole: bool) -> None:
    arms = "{no_input: end, no_match: end}"
    menu = f"begin: {{menu: main_menu, keys: {{1: end}}, tries: 1, interrupt: {interrupt}, when: {arms}}}\n"
    told = run(flow(menu + END), Story((Press("7", after_ms=100),)))
    assert told.heard[-1].complete is heard_whole


def test_wrong_key_in_a_menu_that_must_be_heard_is_told_after_its_end() -> None:
    arms = "{no_input: end, no_match: end}"
    menu = f"begin: {{menu: main_menu, keys: {{1: end}}, tries: 2, interrupt: none, when: {arms}}}\n"
    told = run(flow(menu + END), Story((Press("7", after_ms=100), *press("1"))))
    assert told.trace[0].outcome == "key 1"
    whole = [heard.prompt for heard in told.heard if heard.complete]
    assert whole == ["en/main_menu", "en/wrong_key", "en/main_menu"]


@pytest.mark.parametrize(("keys", "outcomes"), [("12345", ["collected"]), ("1234", [])])
def test_answer_that_was_whole_when_the_caller_hung_up_counts_and_ends_its_step(keys: str, outcomes: list[str]) -> None:
    told = run(NUMBERED, Story((HearOut(), Press(keys), HangUp())))
    assert told.reason == HUNG_UP
    assert [step.outcome for step in told.trace] == outcomes


def kept_alive(library: Library, *, ends: AbstractContextManager[object] | None = None) -> list[float]:
    """Run a flow for a silent caller to its end, and return when the line was kept alive."""
    alive: list[float] = []

    async def main(clock: VirtualClock) -> None:
        async def keep_alive() -> None:
            alive.append(clock.monotonic())

        line = ScriptedLine()
        conversation = Conversation(line)
        ports = ports_of(sample_bank(clock), CALL, clock, library.messages)
        operations = ports.operations
        queues = PlayedQueues(conversation, QueueOutcome.FULL)
        call = Call(
            conversation, operations, queues, operations, Language.ENGLISH, ports.back_office, keep_alive=keep_alive
        )
        await line.answer()
        with ends or nullcontext():
            await Runner(library, call, clock, on_step=lambda _: None).run("a")

    run_virtual(main)
    return alive


def test_line_is_kept_alive_between_steps_every_half_minute() -> None:
    steps = "begin: {say: welcome, then: look}\nlook: {set: {n: 1}, then: begin}\n"
    alive = kept_alive(
        library_of(a=flow(steps, top="variables: {n: number}\n")), ends=pytest.raises(BudgetExceededError)
    )
    assert alive == [31.0 * times for times in range(1, 250 // 31 + 1)]


def test_line_is_kept_alive_before_each_further_try_of_a_question() -> None:
    alive = kept_alive(library_of(a=NUMBERED.replace("length: ", "first_key: 60 s, length: ")))
    assert alive[:2] == [61.0, 123.0]  # a prompt of 1 s and 60 s of silence; then two prompts and 60 s


def test_words_before_the_next_try_say_what_was_wrong() -> None:
    told = run(NUMBERED, Story(press("12#", "", "123#")))
    ask = "en/enter_customer_number"
    assert told.words[:5] == [ask, "en/too_short", ask, "en/nothing_heard", ask]


def test_star_among_the_digits_is_asked_for_again_and_never_becomes_part_of_a_number() -> None:
    """A read-out of a star would end the call: a caller could break it off for the bank with one key."""
    told = run(WITHOUT_CANCEL, Story(press("1*34#", "456#")))
    assert told.words.count("en/too_short") == 1
    assert told.variables["n"] == "456"
    assert run(WITHOUT_CANCEL, Story(press("1*3#", "***#", "*****"))).reason == "short"


def test_star_where_one_digit_would_do_counts_as_silence() -> None:
    text = flow(
        "begin: {collect: n, prompt: enter_pin, length: 1, then: end, when: {no_input: silent}}\n"
        "silent: {hang_up: silent}\n" + END,
        top="variables: {n: digits}\n",
    )
    assert run(text, Story(press("*", "*", "*"))).reason == "silent"
    assert run(text, Story(press("*", "7"))).variables["n"] == "7"


def test_secret_is_wiped_by_the_operation_that_takes_it() -> None:
    told = tell(Story(press("3", "1", NUMBER, PIN)))
    checked = next(at for at, step in enumerate(told.trace) if step.step == "check")
    assert told.boundaries[checked].stack[-1].step == "done"
    assert told.secrets_left == 0


def test_secret_asked_for_and_never_used_is_wiped_at_the_end() -> None:
    text = flow(
        "begin: {secret: pin, prompt: enter_pin, length: 4, then: end, when: {no_input: end, too_short: end}}\n" + END,
        top="variables: {pin: secret}\n",
    )
    told = run(text, Story(press("1234")))
    assert told.secrets_left == 0
    assert len(str(told.variables["pin"])) > 0
    assert "1234" not in str(told.variables)


def test_secret_asked_for_again_replaces_the_first_which_is_wiped() -> None:
    text = flow(
        "begin: {secret: pin, prompt: enter_pin, length: 4, then: again, when: {no_input: end, too_short: end}}\n"
        "again: {secret: pin, prompt: enter_pin, length: 4, then: end, when: {no_input: end, too_short: end}}\n" + END,
        top="variables: {pin: secret}\n",
    )
    told = run(text, Story(press("1234", "5678")))
    assert took(told) == [("begin", "collected"), ("again", "collected"), ("end", "done")]
    assert told.secrets_left == 0


def test_secret_of_a_flow_that_comes_back_is_wiped() -> None:
    asks = "begin: {secret: pin, prompt: enter_pin, length: 4, then: back, when: {no_input: back, too_short: back}}\n"
    called = flow(asks + "back: {return: good}\n", top="variables: {pin: secret}\noutcomes: [good]\n")
    with every_secret() as made:
        run(flow("begin: {run: called, when: {good: end}}\n" + END), Story(press("1234")), called=called)
        assert [secret for secret in made if secret.reveal() == b"1234"] == []
        assert len(made) > 1


@pytest.mark.parametrize("name", ["PIN, too short", "three wrong PINs, an agent", "locked, silence", "bank slow"])
def test_no_digits_typed_into_an_entry_stay_in_memory(name: str) -> None:
    with every_secret() as made:
        tell(STORIES[name])
        typed = [secret for secret in made if len(secret) > 1]  # one key is a menu's, and no secret
        assert [secret for secret in typed if secret.reveal() != PIN.encode()] == []  # the bank knows its own PIN


def test_prompt_of_a_choice_follows_the_value() -> None:
    text = flow(
        "begin: {set: {kind: card}, then: say}\nsay: {say: 'account_credit_{kind}', then: end}\n" + END,
        top="variables: {kind: one of (card)}\n",
    )
    assert run(text).words == ["en/account_credit_card"]


def test_amount_digits_and_numbers_are_read_out() -> None:
    steps = """
        begin: {collect: d, prompt: enter_pin, length: 4 to 6, then: sum, when: {no_input: end, too_short: end}}
        sum: {set: {m: 0.10 CNY + 12 CNY, n: 2}, then: speak}
        speak: {say: [{amount: m}, {digits: d}, {masked: d}, {number: n + 1}, {ordinal: n}, {number: 7}], then: end}
        end: {hang_up: done}
        """
    told = run(flow(steps, top="variables: {m: money, d: digits, n: number}\n"), Story(press("00123#")))
    english = grammar_for(Language.ENGLISH)
    expected = [
        *english.amount(Money(1210, Currency.CNY)),
        *english.digits("00123"),
        *english.masked("00123"),
        *english.cardinal(3),
        *english.ordinal(2),
        *english.cardinal(7),
    ]
    assert told.words[1:] == [f"en/{prompt}" for prompt in expected]


def test_rates_are_read_out() -> None:
    steps = """
        begin: {set: {interest: floor, buys: 712.35 CNY per 100 USD}, then: speak}
        speak: {say: [{rate: interest}, {rate: buys}], then: end}
        end: {hang_up: done}
        """
    top = "variables: {interest: rate, buys: rate}\nconstants: {floor: 2.35%}\n"
    english = grammar_for(Language.ENGLISH)
    expected = [*english.rate(Rate.parse("2.35%")), *english.rate(Rate.parse("712.35 CNY per 100 USD"))]
    assert run(flow(steps, top=top)).words == [f"en/{prompt}" for prompt in expected]


def test_keys_typed_ahead_end_at_a_queue() -> None:
    steps = """
        begin: {say: welcome, interrupt: none, then: human}
        human: {queue: service, hold: connecting_to_agent, when: {answered: after, no_agents: end, full: end,
          timed_out: end}}
        after: {menu: main_menu, keys: {0: end}, when: {no_input: silent, no_match: end}}
        silent: {hang_up: silent}
        end: {hang_up: done}
        """
    told = run(flow(steps), Story((Press("0", after_ms=300),)))
    assert list(dict.fromkeys(told.words))[:2] == ["en/welcome", "en/main_menu"]
    assert told.reason == "silent"


MOVES_TWICE: Final = flow(
    """
    begin: {set: {n: 0, from: "'6225880012345678'", to: "'6225880012345686'"}, then: ask}
    ask: {collect: customer, prompt: enter_customer_number, length: 6, then: ask_pin}
    ask_pin: {secret: pin, prompt: enter_pin, length: 6, then: check}
    check: {do: sign_in, with: {customer: customer, pin: pin}, then: next}
    next: {set: {n: n + 1, amount: 1.00 CNY}, then: move}
    move: {do: transfer, with: {from: from, to: to, amount: amount}, then: again}
    again: {if: n = 2, then: end, else: next}
    end: {hang_up: done}
    """,
    top="""
    variables: {customer: digits, pin: secret, from: digits, to: digits, amount: money, n: number}
    otherwise: {no_input: end, too_short: end, unavailable: end, refused: end, attempts_used: end, locked: end,
      already_posted: end, not_yours: end, different_under_same_id: end, no_such_account: end, same_account: end,
      currency_mismatch: end, invalid_amount: end, insufficient_funds: end, unknown: end}
    """,
)
SIGNS_IN: Final = press("620001", PIN)


def test_same_transfer_ordered_twice_is_two_transfers() -> None:
    told = tell(Story(SIGNS_IN), library=library_of(a=MOVES_TWICE), flow="a")
    assert [outcome for step, outcome in took(told) if step == "move"] == ["posted", "posted"]
    assert [boundary.stack[0].tally["changes"] for boundary in told.boundaries[-5:]] == [1, 1, 2, 2, 2]


def test_change_that_the_caller_does_not_wait_for_is_finished_and_traced() -> None:
    bank = bank_with(answer_after_s=1)
    whole = tell(Story(SIGNS_IN, bank), library=library_of(a=MOVES_TWICE), flow="a")
    moved = next(step for step in whole.trace if step.step == "move")
    story = Story(SIGNS_IN, bank, leaves_at_s=moved.at_ms / 1000 + 1.5)  # the account is asked for, then it is sent
    told = tell(story, library=library_of(a=MOVES_TWICE), flow="a")
    assert told.reason == HUNG_UP
    assert took(told)[-1] == ("move", "posted")
    assert told.tasks_left == 0


# --- going on in another engine --------------------------------------------------------------------------------------


def triples(told: Told) -> list[tuple[str, str, str]]:
    return [(step.flow, step.step, step.outcome) for step in told.trace]


def keys_after(story: Story, taken: int) -> tuple[str, ...]:
    """Return the parts that the caller of a story has not pressed yet when so many keys have been taken."""
    parts = [deed.keys for deed in story.deeds if isinstance(deed, Press)]
    while taken > 0:
        taken -= len(parts.pop(0))
    assert taken == 0
    return tuple(parts)


@pytest.mark.parametrize("name", [name for name, story in STORIES.items() if not isinstance(story.agents, Busy)])
def test_call_goes_on_from_every_boundary_with_the_same_steps(name: str) -> None:
    story = STORIES[name]
    whole = tell(story)
    for at, boundary in enumerate(whole.boundaries[:-1]):
        expected = triples(whole)[at + 1 :]
        taken = boundary.keys_taken
        if whole.trace[at].word == "secret" and whole.trace[at].outcome == "collected":
            # The secret is not written down: the caller is asked for it once more.
            expected.insert(0, triples(whole)[at])
            taken = whole.boundaries[at - 1].keys_taken
        told = tell(dataclasses.replace(story, deeds=press(*keys_after(story, taken))), go_on_from=boundary)
        assert triples(told) == expected, at
        assert told.reason == whole.reason
        assert told.secrets_left == 0


def test_nothing_secret_stands_in_any_written_position() -> None:
    whole = tell(STORIES["three wrong PINs, an agent"])
    assert "customer" in str(whole.boundaries)
    assert PIN not in str(whole.boundaries)
    assert "000000" not in str(whole.boundaries)


def stack(**changes: object) -> tuple[StackEntry, ...]:
    """Return a position in the middle of the shipped flows: an account is picked."""
    variables: dict[str, Encoded] = {"account": "6225880012345702", "kind": "current"}
    below = StackEntry("hotline", "pick_account", {"wanted": "balance"})
    return below, dataclasses.replace(StackEntry("library/pick_account", "picked", variables), **changes)  # type: ignore[arg-type] # names of fields


def go_on(position: tuple[StackEntry, ...]) -> Told:
    boundary = Boundary(position, Language.ENGLISH, 0, CustomerNumber("620001"), {}, {})
    return tell(Story(press("1")), go_on_from=boundary)


def test_position_written_by_hand_goes_on() -> None:
    assert go_on(stack()).words[:2] == ["en/account_current", "en/ending_in"]


@pytest.mark.parametrize(
    ("position", "words"),
    [
        ((), "at least one flow"),
        (stack(flow="library/gone"), "no step library/gone:picked"),
        (stack(step="gone"), "no step library/pick_account:gone"),
        (stack(variables={"colour": "red"}), "with these variables"),
        (stack(variables={"kind": "loan", "account": "1"}), "no one of"),
        (stack(variables={"kind": "current"}), "reads what was not stored: .'account'"),
        ((StackEntry("hotline", "greet", {}), stack()[1]), "does not run library/pick_account any more"),
    ],
)
def test_position_that_does_not_fit_the_flows_any_more_is_refused(position: tuple[StackEntry, ...], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        go_on(position)


def test_position_may_go_through_json() -> None:
    whole = tell(STORIES["balance of the only account, then silence"])
    written = [dataclasses.asdict(entry) for entry in whole.boundaries[-3].stack]
    read = tuple(StackEntry(**entry) for entry in json.loads(json.dumps(written)))
    assert read == whole.boundaries[-3].stack
