"""What is told of a real call that went otherwise than in virtual time; whole calls are compared in tests/asterisk."""

from __future__ import annotations

from datetime import UTC, datetime

from ivr_engine.adapters.store.calls import CallRecord
from ivr_engine.app.comparing import call_differs
from ivr_engine.scenarios.verdict import HeardPrompt, Told
from ivr_engine.testcaller.follow import CallReport
from ivr_engine.testcaller.recognise import Heard, Kind
from ivr_engine.testcaller.recordings import PromptName
from ivr_engine.values.ids import CallId
from ivr_engine.values.language import Language

AT = datetime(2026, 1, 5, 9, tzinfo=UTC)
RECORD = CallRecord(CallId("1"), "1", "e", "", "", "hotline", "", None, None, AT, AT, AT, "completed")
WELCOME = PromptName(Language.ENGLISH, "welcome")


def heard(*, complete: bool, at: float = 1.0) -> Heard:
    return Heard(Kind.PROMPT, frozenset({WELCOME}), complete, 0, 1000, at, at + 1, None, 0, 0.0)


def differences(told: list[bool], real: list[Heard], *, pressing: tuple[tuple[float, float], ...] = ()) -> list[str]:
    """Compare a call that goes well but for what is heard: `told` says of each recording whether it is cut."""
    virtual = Told("completed", 5.0, tuple(HeardPrompt(str(WELCOME), 0, 1, cut) for cut in told))
    report = CallReport("a test", None, 0.1, 5.0, None, 0.0, tuple(real), (), (), 0, pressing)
    return list(call_differs(virtual, report, (RECORD, ())))


def test_recording_that_is_heard_to_its_end_in_both_worlds_is_not_told() -> None:
    assert differences([False], [heard(complete=True)]) == []


def test_recording_that_is_cut_in_a_real_call_alone_is_told() -> None:
    told = "'en/welcome' was cut, which it is not in virtual time"
    assert differences([False], [heard(complete=False), heard(complete=True)]) == [told]
    assert differences([True], [heard(complete=False), heard(complete=False)]) == [told]


def test_recording_that_is_cut_in_both_worlds_is_not_told() -> None:
    assert differences([True], [heard(complete=False)]) == []


def test_recording_that_begins_while_a_key_is_about_to_be_pressed_is_cut_by_chance() -> None:
    assert differences([], [heard(complete=False, at=1.0)], pressing=((0.5, 1.5),)) == []
