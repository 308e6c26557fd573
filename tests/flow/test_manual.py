"""The manual says what the language does: samples compile and run, rules have tests, generated parts are up to date."""

from __future__ import annotations

import importlib
import re
from types import MappingProxyType
from typing import Final

import pytest

from ivr_engine.flow.library import build_library, compile_library
from ivr_engine.flow.manual import COMMON_KEYS, compiled_sample, updated
from ivr_engine.flow.nodes import KINDS
from ivr_engine.flow.samples import SAMPLES, flow_around, sample_of
from ivr_engine.flow.step import Step
from tests.flow.calls import Story, tell
from tests.flow.world import FLOWS, library_of, shipped, world

PAGE: Final = FLOWS / "README.md"
OTHERS: Final = MappingProxyType(
    {name: (f"{name}.yaml", (FLOWS / f"{name}.yaml").read_text(encoding="utf-8")) for name in shipped().flows}
)

TESTS_OF_RULES: Final = MappingProxyType(
    {
        "The time for the first key": [
            "channel.test_conversation:first_digit_time_is_counted_from_the_end_of_the_prompt",
            "channel.test_conversation:time_between_two_keys_runs_from_the_key_that_stopped_the_prompt",
        ],
        "A key stops the prompt": [
            "channel.test_conversation:key_during_the_prompt_stops_it",
            "channel.test_conversation:wrong_key_does_not_stop_a_prompt_whose_interrupt_is_valid",
            "channel.test_conversation:key_that_cannot_begin_an_entry_does_not_stop_a_prompt_whose_interrupt_is_valid",
            "channel.test_conversation:key_that_can_begin_an_entry_stops_the_prompt_and_counts",
        ],
        "With `interrupt: none`": [
            "channel.test_conversation:must_hear_words_go_on_after_a_key_and_the_key_is_kept",
            "channel.test_conversation:must_hear_menu_is_heard_to_its_end_also_when_keys_are_typed_ahead",
            "channel.test_conversation:must_hear_prompt_of_an_entry_is_heard_to_its_end_and_the_keys_count",
            "flow.test_runner:wrong_key_in_a_menu_that_must_be_heard_is_told_after_its_end",
        ],
        "Keys typed ahead": [
            "channel.test_conversation:keys_typed_ahead_skip_the_prompts_and_answer_the_next_questions",
            "flow.test_hotline:keys_typed_ahead_reach_the_balance_without_a_prompt",
        ],
        "Keys typed while the bank": ["channel.test_conversation:keys_typed_while_the_bank_works_are_kept"],
        "A wrong key and silence": [
            "channel.test_conversation:wrong_key_is_told_apart_from_silence",
            "flow.test_runner:words_before_the_next_try_say_what_was_wrong",
        ],
        "`1` and `12`": [
            "channel.test_conversation:1_and_12_stand_in_one_menu_and_the_pause_decides",
            "channel.test_conversation:hash_ends_the_pause_between_1_and_12",
        ],
        "A key of a menu whose condition": [
            "flow.test_menu:key_whose_condition_does_not_hold_is_neither_spoken_nor_taken"
        ],
        "A key of `everywhere`": [
            "flow.test_menu:key_of_everywhere_works_in_a_menu_without_an_arm_of_its_own_and_is_not_spoken",
            "flow.test_menu:key_that_a_menu_uses_itself_is_its_own",
            "flow.test_menu:key_that_is_a_menus_own_under_a_condition_is_not_taken_for_another_when_it_does_not_hold",
            "flow.test_menu:keys_of_everywhere_are_digits_where_digits_are_typed",
            "flow.test_confirm:key_that_works_everywhere_works_while_values_are_read_back",
        ],
        "`repeat` says the question": [
            "flow.test_key_events:repeat_says_the_same_words_once_more_and_is_no_wrong_key",
            "flow.test_key_events:repeat_after_a_wrong_key_says_the_words_without_the_apology",
            "flow.test_key_events:help_says_the_words_of_the_step_and_then_the_question",
            "flow.test_key_events:repeat_and_help_are_bounded_together_and_then_wrong_keys",
            "flow.test_key_events:they_are_counted_anew_when_the_caller_comes_again",
            "flow.test_key_events:list_helps_repeats_by_its_own_key_and_goes_back",
        ],
        "A key for `help` or `back`": [
            "flow.test_key_events:key_for_back_is_a_wrong_key_where_nothing_stands_behind",
            "flow.test_key_events:key_for_help_is_a_wrong_key_where_no_help_is_written",
            "flow.test_menu:keys_of_everywhere_are_digits_where_digits_are_typed",
        ],
        "A `confirm` that is repeated": [
            "flow.test_key_events:values_are_read_back_again_and_only_their_end_lets_a_yes_count",
            "flow.test_key_events:repeat_while_values_are_read_begins_them_anew",
            "flow.test_key_events:values_are_read_again_three_times_at_most",
        ],
        "A `pause` that is repeated": [
            "flow.test_key_events:pause_repeats_helps_and_goes_back_without_using_up_the_time",
            "flow.test_key_events:nobody_stays_longer_than_the_step_says",
        ],
        "A `choose` offers its items": [
            "flow.test_choose:list_is_offered_in_pages_and_keys_are_spoken_only_where_they_lead_somewhere",
            "flow.test_choose:key_that_leads_nowhere_here_is_a_wrong_key",
            "flow.test_choose:turning_pages_does_not_use_the_tries_up",
            "flow.test_choose:pages_are_turned_so_often_and_no_more",
        ],
        "Who has only one item": ["flow.test_choose:only_item_is_picked_without_asking"],
        "A `pause` waits": [
            "flow.test_pause:caller_is_reminded_of_the_key_after_each_silence_until_the_time_is_over",
            "flow.test_pause:wrong_key_brings_the_reminder_at_once_and_makes_the_pause_no_longer",
        ],
        "The hash key ends a number": ["channel.test_conversation:terminator_is_not_part_of_the_value"],
        "The hash key alone": ["channel.test_conversation:lone_terminator_is_no_input"],
        "A hash key right after": [
            "channel.test_conversation:terminator_after_exactly_the_maximum_length_is_swallowed",
            "channel.test_conversation:second_terminator_is_not_swallowed",
            "channel.test_conversation:hash_typed_ahead_after_a_full_entry_does_not_skip_the_next_words",
        ],
        "A new try": ["channel.test_conversation:too_few_keys_are_too_short_and_not_kept_for_the_next_try"],
        "A caller who types slowly": ["flow.test_runner:caller_who_types_slowly_is_not_cut_off"],
        "When the time `in_all`": [
            "flow.test_entries:nothing_is_asked_again_when_the_time_in_all_is_over",
            "flow.test_entries:caller_who_is_typing_when_the_time_in_all_is_over_is_not_cut_off",
        ],
        "What was typed and is not valid": [
            "flow.test_entries:value_beyond_a_limit_counts_as_a_try",
            "flow.test_entries:outcome_is_that_of_the_last_try",
        ],
        "In an amount": [
            "flow.test_entries:amount_is_whole_units_and_after_the_star_at_most_two_places",
            "flow.test_entries:keys_that_are_no_amount_are_not_valid_and_asked_for_again",
        ],
        "The `cancel` key": ["channel.test_conversation:cancel_key_gives_an_entry_up"],
        "A star that is no cancel key": [
            "flow.test_runner:star_among_the_digits_is_asked_for_again_and_never_becomes_part_of_a_number"
        ],
        "Keys typed ahead end at": ["flow.test_runner:keys_typed_ahead_end_at_a_queue"],
        "Keys typed ahead never answer": [
            "flow.test_confirm:keys_typed_ahead_are_dropped_before_it_speaks_and_confirm_nothing"
        ],
        "Yes counts when the values": [
            "flow.test_confirm:yes_before_the_end_of_the_values_is_no_yes_and_they_are_read_again_from_the_start",
            "flow.test_confirm:second_hasty_yes_does_not_even_stop_the_words",
            "flow.test_confirm:no_counts_at_any_time",
            "flow.test_confirm:key_that_says_neither_does_not_stop_the_values_and_is_a_wrong_key_after_them",
        ],
        "What is said `again`": [
            "flow.test_tapered:caller_who_comes_back_to_a_step_hears_the_other_words",
            "flow.test_tapered:further_try_of_a_question_is_said_the_other_way",
            "flow.test_tapered:visits_go_with_the_call_to_another_engine",
        ],
        "A flow that runs while its caller waits": [
            "flow.test_waiting:agent_cuts_a_prompt",
            "flow.test_waiting:agent_cuts_a_question_and_the_music",
            "flow.test_waiting:half_of_a_number_is_dropped_and_chooses_nothing_afterwards",
        ],
        "Two things an agent waits for": [
            "flow.test_waiting:sign_in_that_is_asked_for_is_finished_first",
            "flow.test_waiting:pin_that_is_being_typed_is_finished_first_and_overwritten",
        ],
        "The longest wait of a queue": [
            "flow.test_waiting:longest_wait_goes_on_counting_and_ends_whatever_runs_meanwhile",
            "flow.test_waiting:longest_wait_of_the_queue_itself_ends_a_prompt",
        ],
        "A key pressed in the music": ["flow.test_waiting:key_in_the_music_ends_it_and_is_taken_by_the_flow"],
        "Steps, silences and wrong keys while a caller waits": [
            "flow.test_waiting:what_happens_while_waiting_uses_up_no_budget_but_changes_are_kept"
        ],
        "A hang-up ends the call": [
            "flow.test_hotline:caller_may_hang_up_at_any_quarter_of_a_second",
            "channel.test_conversation:hang_up_while_the_bank_works_cancels_the_work",
        ],
        "An answer that was whole": [
            "flow.test_runner:answer_that_was_whole_when_the_caller_hung_up_counts_and_ends_its_step"
        ],
        "A call that is taken over": ["flow.test_runner:call_goes_on_from_every_boundary_with_the_same_steps"],
    }
)


def page() -> str:
    return PAGE.read_text(encoding="utf-8")


def test_generated_parts_of_the_page_are_up_to_date() -> None:
    """To write them anew, write what `updated` returns into the page."""
    assert page() == updated(page(), world(), OTHERS)


def test_every_kind_of_step_has_a_sample() -> None:
    assert list(SAMPLES) == [kind.WORD for kind in KINDS]


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: str(kind.WORD))
def test_sample_is_sound_and_its_step_ends_the_call_it_is_run_in(kind: type[Step]) -> None:
    step = compiled_sample(kind, world(), OTHERS)
    assert step.word == kind.WORD
    assert set(step.arms) == set(step.outcomes)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: str(kind.WORD))
def test_sample_runs(kind: type[Step]) -> None:
    texts = {**OTHERS, "sample": ("sample.yaml", flow_around(kind.WORD))}
    begin = (
        "ivr: 1\ntitle: Runs a sample\nstart: run\nvariables: {account: personal digits, position: number}\nsteps:\n"
        "  run: {run: sample, with: {account: \"'6225'\", customer: \"'620001'\", position: 1}, when: {good: end}}\n"
        "  end: {hang_up: done}\n"
    )
    library = compile_library({**texts, "a": ("a.yaml", begin)}, world())
    assert library.findings == (), "\n".join(finding.render() for finding in library.findings)
    told = tell(Story(), library=library, flow="a")
    assert told.reason in ("done", "handed_over", "completed")
    assert sample_of(kind.WORD).partition(":")[0] in [step.step for step in told.trace if step.flow == "sample"]


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: str(kind.WORD))
def test_every_key_of_a_step_is_described(kind: type[Step]) -> None:
    section = page().partition(f"### `{kind.WORD}`")[2].partition("###")[0]
    for name, described in kind.model_fields.items():
        assert described.description
        if name not in COMMON_KEYS:
            assert f"| `{described.alias or name}` |" in section


def test_flow_that_is_read_aloud_is_sound() -> None:
    text = page().partition("```yaml\n")[2].partition("```")[0]
    assert library_of(hours=text).findings == ()


def test_finding_in_the_page_is_what_that_flow_would_give() -> None:
    text = page().partition("```yaml\n")[2].partition("```")[0]
    broken = text.replace("      no_match: goodbye\n", "")
    shown = library_of(hours=broken).findings[0].render().replace("hours.yaml", "flows/hours.yaml", 1)
    assert "\n".join(f"    {line}" for line in shown.splitlines()) in page()


def test_circle_in_the_page_is_what_that_change_would_give() -> None:
    name, text = OTHERS["hotline"]
    broken = text.replace("      no_input: say_goodbye\n", "      no_input: after_balance\n")
    assert broken != text
    found = build_library({**OTHERS, "hotline": (f"flows/{name}", broken)}, world()).findings
    assert [finding.code for finding in found] == ["E805"]
    assert "\n".join(f"    {line}" for line in found[0].render().splitlines()) in page()


def rules() -> list[str]:
    section = page().partition("## Keys and timers")[2].partition("\n## ")[0]
    return re.findall(r"^- (.+)", section, re.MULTILINE)


def test_every_rule_of_keys_and_timers_has_its_tests() -> None:
    tested = list(TESTS_OF_RULES)
    assert len(rules()) == len(tested)
    for rule, begins in zip(rules(), tested, strict=True):
        assert rule.startswith(begins)
    for test in (test for tests in TESTS_OF_RULES.values() for test in tests):
        module, name = test.split(":")
        assert callable(getattr(importlib.import_module(f"tests.{module}"), f"test_{name}"))


def test_links_of_the_page_lead_somewhere() -> None:
    for link in re.findall(r"\]\(([^)#]+)\)", page()):
        assert (FLOWS / link).exists()


def test_page_without_marks_is_refused() -> None:
    with pytest.raises(ValueError, match="no section"):
        updated("# Flows\n", world(), OTHERS)
