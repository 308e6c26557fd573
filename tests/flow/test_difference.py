"""What a change of flows means to callers."""

from __future__ import annotations

import pytest

from ivr_engine.flow.difference import Change, Topic, differences
from ivr_engine.flow.findings import Finding, Place
from ivr_engine.flow.library import build_library, flow_files
from ivr_engine.flow.model import Library
from ivr_engine.flow.renames import matched_steps
from ivr_engine.flow.scope import World
from ivr_engine.speech.catalogue import Catalogue, PromptText
from ivr_engine.values.language import Language
from tests.flow.world import FLOWS, catalogue, flow, library_of, shipped, world

STEPS = """
begin: {say: welcome, then: main_menu}
main_menu: {menu: main_menu, keys: {1: ask, 0: human}, when: {no_input: human, no_match: human}}
ask: {do: account, with: {position: place}, when: {found: read, none: end, unavailable: end}}
read: {say: your_balance_is, then: end}
human: {queue: service, when: {answered: end, no_agents: end, full: end, timed_out: end}}
end: {hang_up: done}
"""


TOP = "otherwise: {no_input: other, no_match: other}\n"


def library(*changes: tuple[str, str], top: str = "") -> Library:
    text = flow(STEPS, top=f"variables: {{place: number}}\n{top}").replace(
        "  begin: {say", "  first: {set: {place: 1}, then: begin}\n  begin: {say"
    )
    text = text.replace("start: begin", "start: first")
    for old, new in changes:
        assert old in text, old
        text = text.replace(old, new)
    made = library_of(a=text)
    assert made.findings == (), "\n".join(finding.render() for finding in made.findings)
    return made


def changes(old: Library, new: Library) -> list[str]:
    return [f"{change.topic.name} {change.words}" for change in differences(old, new, Language.ENGLISH)]


def one(old: Library, new: Library) -> Change:
    (change,) = differences(old, new, Language.ENGLISH)
    return change


def test_flows_that_are_alike_do_not_differ() -> None:
    assert differences(shipped(), shipped(), Language.MANDARIN) == ()
    assert changes(library(), library()) == []


def test_comment_and_order_of_the_file_are_no_difference() -> None:
    assert changes(library(), library(("  begin: {say", "  # a comment\n  begin: {say"))) == []
    assert changes(library(), library(("no_input: human, no_match: human", "no_match: human, no_input: human"))) == []


def test_task_that_moves_to_another_key_is_told_in_keys() -> None:
    found = changes(library(), library(("{1: ask", "{5: ask")))
    assert found == [
        "TASKS account moves from 1 to 5",
        "MENUS main_menu: what leads to ask moves from 1 to 5",
    ]


def test_keys_are_counted_over_the_whole_call_through_flows_that_are_run() -> None:
    texts = {
        path.relative_to(FLOWS).with_suffix("").as_posix(): path.read_text(encoding="utf-8")
        for path in flow_files(FLOWS)
    }
    new = dict(texts)
    new["hotline"] = texts["hotline"].replace("      1: want_balance", "      6: want_balance")
    new["library/language"] = texts["library/language"].replace("      1: mandarin", "      7: mandarin")
    old_library, new_library = (
        build_library({name: (name, text) for name, text in one.items()}, world()) for one in (texts, new)
    )
    found = [str(change.words) for change in differences(old_library, new_library, Language.MANDARIN)]
    assert "account moves from 1-1-(customer)-(pin) to 7-6-(customer)-(pin)" in found
    assert "balance moves from 1-1-(customer)-(pin)-(pick one) to 7-6-(customer)-(pin)-(pick one)" in found
    assert "a human moves from 1-0 to 7-0" in found


def test_seconds_that_grow_are_told_usual_and_longest() -> None:
    found = changes(library(), library(("say: welcome,", "say: [welcome, survey],")))
    assert any(line.startswith("TASKS usual time to a human: ") for line in found)
    assert any(line.startswith("TASKS longest time to a human: ") for line in found)
    assert "PROMPTS survey is said now" in found
    assert "PROMPTS begin says something else" in found


def test_longer_silence_counts_only_in_the_longest_time() -> None:
    found = changes(library(), library(("no_match: human}}", "no_match: human}, first_key: 9 s}")))
    assert [line.split(":")[0] for line in found] == [
        "TASKS longest time to a human",
        "TASKS longest time to account",
        "STEPS main_menu lasts differently at most",
    ]


def test_task_that_is_new_or_gone_is_told() -> None:
    without = library(
        ("{1: ask", "{1: read"),
        ("  ask: {do: account, with: {position: place}, when: {found: read, none: end, unavailable: end}}\n", ""),
    )
    assert "TASKS account can no longer be reached; it was 1" in changes(library(), without)
    assert "TASKS account is new: 1" in changes(without, library())


def test_options_of_a_menu_are_told_with_where_they_lead() -> None:
    assert "MENUS main_menu: star is new and leads to begin" in changes(
        library(), library(("0: human", "0: human, star: begin"))
    )
    assert "MENUS main_menu: star is gone; it led to begin" in changes(
        library(("0: human", "0: human, star: begin")), library()
    )
    assert "MENUS main_menu: 1 leads to begin instead of ask" in changes(
        library(("0: human", "0: human, 2: ask")), library(("{1: ask, 0: human", "{1: begin, 0: human, 2: ask"))
    )


def test_arm_that_leads_elsewhere_is_told() -> None:
    found = one(library(), library(("no_input: human,", "no_input: end,")))
    assert (found.topic, found.step, found.old, found.new) == (Topic.ARMS, "main_menu", "human", "end")
    assert found.words == "main_menu: `no input` leads to end instead of human"


def test_arm_that_moves_to_otherwise_and_leads_to_the_same_step_is_no_difference() -> None:
    assert changes(library(), library((", no_match: human", ""), top="otherwise: {no_match: human}\n")) == []


def test_renamed_step_with_the_same_content_is_a_rename_and_nothing_else() -> None:
    found = one(library(), library(("human", "to_an_agent")))
    assert (found.topic, found.old, found.new) == (Topic.STEPS, "human", "to_an_agent")
    assert found.words == "human is now called to_an_agent"


def test_several_renamed_steps_that_read_alike_are_told_apart_by_where_they_lead() -> None:
    steps = """
    begin: {menu: main_menu, keys: {1: one, 2: two}, when: {no_input: end, no_match: end}}
    one: {say: welcome, then: begin}
    two: {say: welcome, then: end}
    end: {hang_up: done}
    """
    renamed = steps.replace(" one", " uno").replace(" two", " due")
    lines = renamed.splitlines()
    lines[2], lines[3] = lines[3], lines[2]
    old, new = library_of(a=flow(steps)), library_of(a=flow("\n".join(lines)))
    assert matched_steps(old.flows["a"], new.flows["a"]) == {"begin": "begin", "one": "uno", "two": "due", "end": "end"}
    assert changes(old, new) == ["STEPS one is now called uno", "STEPS two is now called due"]


def test_step_with_other_content_is_new_and_the_old_one_gone() -> None:
    found = changes(
        library(), library(("read: {say: your_balance_is", "tell: {say: goodbye"), ("found: read", "found: tell"))
    )
    assert "STEPS tell is new" in found
    assert "STEPS read is gone" in found
    assert "PROMPTS goodbye is said now" in found
    assert "PROMPTS your_balance_is is said no longer" in found


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("hang_up: done", "hang_up: over", "STEPS end is written differently"),
        ("{place: 1}", "{place: 2}", "STEPS first is written differently"),
        ("{place: number}", "{place: personal number}", "FLOWS variable place is another"),
        ("title: A test", "title: Another", "FLOWS the title is another"),
        ("title: A test", "title: A test\nowner: telephone banking", "FLOWS the owner is another"),
        ("languages: [cmn, yue, en]", "languages: [cmn, en]", "FLOWS other languages"),
        ("start: first", "start: first\noutcomes: [good]", "FLOWS other outcomes"),
    ],
)
def test_nothing_that_differs_goes_unsaid(old: str, new: str, told: str) -> None:
    assert told in changes(library(), library((old, new)))


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("constants: {most: 3}\n", "constants: {most: 5}\n", ("constant most is another", "3", "5")),
        (
            "environments: {production: {most: 3}, test: {most: 1}}\n",
            "environments: {production: {most: 4}, test: {most: 1}}\n",
            ("constant production: most is another", "3", "4"),
        ),
        ("milestones: {there: human}\n", "milestones: {there: self_service}\n", ("milestone there is another",)),
        ("budget: {steps: 100}\n", "budget: {steps: 200}\n", ("limit of a call steps is another", "100", "200")),
        ("budget: {wrong_entries: 9}\n", "", ("limit of a call wrong_entries is gone", "9", "")),
        ("", "budget: {wrong_entries: 9}\n", ("limit of a call wrong_entries is new", "", "9")),
    ],
)
def test_nothing_that_differs_at_the_top_of_a_file_goes_unsaid(old: str, new: str, told: tuple[str, ...]) -> None:
    def made(top: str) -> Library:
        counted = ("{place: 1}", "{place: most}") if "most" in top else ("{place: 1}", "{place: 1}")
        there = (
            ("then: end}\n  human", "milestone: there, then: end}\n  human") if "there" in top else ("begin", "begin")
        )
        return library(counted, there, top=top)

    found = differences(made(old), made(new), Language.ENGLISH)
    (change,) = (change for change in found if change.topic is Topic.FLOWS)
    assert (change.words, change.old, change.new)[: len(told)] == told


def test_hours_that_differ_are_told() -> None:
    steps = "begin: {hours: counter, then: end, when: {closed: end, holiday: end}}\nend: {hang_up: done}"
    before = flow(steps, top="hours: {counter: {mon-fri: 09:00 to 17:00}}\n")
    change = one(library_of(a=before), library_of(a=before.replace("17:00", "18:00")))
    assert change.words == "opening hours counter is another"


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("finally: note\n", "", "a call whose caller has hung up no longer goes on with note"),
        ("", "finally: note\n", "a call whose caller has hung up goes on with note now"),
        ("finally: end\n", "finally: note\n", "a call whose caller has hung up goes on with note instead of end"),
        (
            "otherwise: {budget_exceeded: human}\n",
            "otherwise: {budget_exceeded: end}\n",
            "a call whose budget is used up goes on with end instead of human",
        ),
    ],
)
def test_other_entry_is_told(old: str, new: str, told: str) -> None:
    steps = STEPS + "note: {set: {place: 2}, then: end}\n"
    top = "variables: {place: number}\n"
    texts = [
        flow(steps.replace("begin: {say", "begin: {set: {place: 1}, then: b}\nb: {say"), top=top + each)
        for each in (old, new)
    ]
    before, after = (library_of(a=text) for text in texts)
    assert f"ARMS {told}" in changes(before, after)


def test_key_that_works_everywhere_is_told_for_the_flow() -> None:
    top = "everywhere: {9: end}\n"
    assert changes(library(), library(top=top)) == ["MENUS key 9 of every question is new and leads to end"]
    assert changes(library(top=top), library()) == ["MENUS key 9 of every question is gone; it led to end"]
    led = changes(library(top=top), library(top="everywhere: {9: human}\n"))
    assert led == ["MENUS key 9 of every question leads to human instead of end"]


def test_key_that_works_everywhere_is_told_once_however_many_questions_there_are() -> None:
    steps = "".join(f"q{n}: {{menu: main_menu, keys: {{1: q{n + 1}}}}}\n" for n in range(4))
    texts = [
        flow(steps + "q4: {hang_up: done}\nother: {hang_up: other}\n", top=f"{TOP}everywhere: {block}\n", start="q0")
        for block in ("{0: q4, 5: other}", "{0: other, 5: other}")
    ]
    before, after = (library_of(a=text) for text in texts)
    assert after.findings == ()
    found = [told for told in changes(before, after) if told.startswith("MENUS")]
    assert found == ["MENUS key 0 of every question leads to other instead of q4"]


def test_key_that_a_menu_gives_up_for_that_of_every_question_is_told_of_the_menu() -> None:
    own = library(("0: human}", "0: human, 9: human}"))
    shared = library(top="everywhere: {9: end}\n")
    assert "MENUS main_menu: 9 leads to end instead of human" in changes(own, shared)


def test_event_of_a_key_that_changes_is_told() -> None:
    before, after = library(top="everywhere: {9: repeat}\n"), library(top="everywhere: {8: repeat}\n")
    assert changes(before, after)[:2] == [
        "MENUS key 8 of every question is new and leads to repeat",
        "MENUS key 9 of every question is gone; it led to repeat",
    ]


def test_flow_that_is_handed_over_to_counts_for_keys_and_seconds() -> None:
    begin = flow("begin: {say: welcome, then: go}\ngo: {hand_over: b}")
    there = flow(
        f"{STEPS.splitlines()[2].replace('1: ask, ', '')}\n" + "\n".join(STEPS.splitlines()[5:]), start="main_menu"
    )
    found = changes(library_of(a=begin, b=there), library_of(a=begin, b=there.replace("0: human", "5: human")))
    assert found == ["TASKS a human moves from 0 to 5", "MENUS main_menu: what leads to human moves from 0 to 5"]


def test_other_operation_is_told_where_it_is_asked() -> None:
    old = flow("begin: {run: b, when: {good: end}}\nend: {hang_up: done}")
    called = flow("begin: {return: good}", top="outcomes: [good]\n")
    before = library_of(a=old, b=called, c=called)
    after = library_of(a=old.replace("run: b", "run: c"), b=called, c=called)
    found = one(before, after)
    assert (found.words, found.old, found.new) == ("begin uses something else", "b", "c")


def test_flow_that_is_new_or_gone_is_told() -> None:
    called = flow("begin: {return: good}", top="outcomes: [good]\n")
    old, new = library_of(a=called), library_of(a=called, b=called)
    assert changes(old, new) == ["FLOWS flow b is new"]
    assert changes(new, old) == ["FLOWS flow b is gone"]


def test_first_step_that_is_another_is_told() -> None:
    assert "ARMS begins with begin instead of first" in changes(
        library(("{position: place}", "{position: 1}")),
        library(
            ("start: first", "start: begin"),
            ("  first: {set: {place: 1}, then: begin}\n", ""),
            ("{position: place}", "{position: 1}"),
        ),
    )


def test_other_words_of_a_prompt_are_told_when_both_texts_are_known() -> None:
    texts = (
        lambda language, _: f"old {language}",
        lambda language, _: f"new {language}" if language == "en" else f"old {language}",
    )
    found = differences(library(), library(), Language.ENGLISH, texts)
    assert {change.topic for change in found} == {Topic.PROMPTS}
    welcome = [change for change in found if change.words == "welcome has other words in en"]
    assert [(change.old, change.new) for change in welcome] == [("old en", "new en")]
    assert not any("yue" in change.words for change in found)


def test_prompt_that_is_missing_in_a_language_is_told() -> None:
    texts = {
        language: {one: PromptText(catalogue().text(language, one), "", "", "", 1) for one in catalogue().ids(language)}
        for language in Language
    }
    texts[Language.CANTONESE].pop("survey")
    gaps = World(Catalogue(texts), world().operations, world().queues)
    text = flow("begin: {say: [welcome, survey], then: end}\nend: {hang_up: done}")
    old = build_library({"a": ("a.yaml", text.replace(", survey", ""))}, gaps)
    new = build_library({"a": ("a.yaml", text)}, gaps)
    assert [finding.code for finding in new.findings] == ["E402"]
    assert isinstance(new.findings[0], Finding)
    assert new.findings[0].place == Place("a.yaml", 6, 26)
    assert "PROMPTS missing: prompt 'survey' has no text in yue (a.yaml:6:26)" in changes(old, new)
