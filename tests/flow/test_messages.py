"""The catalogue of messages: how it is written, what is found in it, and how values are written in each language."""

from __future__ import annotations

import datetime
from collections.abc import Mapping

import pytest

from ivr_engine.flow.messages import Messages
from ivr_engine.flow.templates import take_apart
from ivr_engine.flow.values import Value
from ivr_engine.values.language import Language
from ivr_engine.values.medium import Medium
from ivr_engine.values.money import Currency, Money
from tests.flow.world import messages

CMN, YUE, EN = Language.MANDARIN, Language.CANTONESE, Language.ENGLISH


def read(en: str, cmn: str | None = None, yue: str | None = None) -> Messages:
    """Read a catalogue; a language that is not given says what English says."""
    texts = {CMN: cmn if cmn is not None else en, YUE: yue if yue is not None else en, EN: en}
    return Messages.from_texts({language: (f"{language.value}.yaml", text) for language, text in texts.items()})


def told(catalogue: Messages) -> list[tuple[str, str, str]]:
    return [(finding.code, str(finding.place), str(finding.message)) for finding in catalogue.findings]


def filled(language: Language, text: str, values: Mapping[str, Value]) -> str:
    return take_apart(text).filled(language, values)


@pytest.mark.parametrize(
    ("form", "value", "written"),
    [
        ("money", Money(1_075_535, Currency.CNY), ("人民币10,755.35元", "人民幣10,755.35元", "CNY 10,755.35")),
        ("money", Money(-8_805, Currency.HKD), ("-88.05港元", "-88.05港元", "HKD -88.05")),
        ("money", Money(5, Currency.USD), ("0.05美元", "0.05美元", "USD 0.05")),
        ("masked", "6225880012345678", ("尾号5678", "尾號5678", "ending in 5678")),
        ("digits", "00450012", ("00450012", "00450012", "00450012")),
        ("number", 12, ("12", "12", "12")),
        ("date", datetime.date(2026, 1, 5), ("2026年1月5日", "2026年1月5日", "5 January 2026")),
        ("time", datetime.time(9, 5, 59), ("09:05", "09:05", "09:05")),
        ("text", "a\nb", ("a\nb", "a\nb", "a\nb")),
    ],
)
def test_value_is_written_as_its_language_writes_it(form: str, value: Value, written: tuple[str, str, str]) -> None:
    text = f"<{{it:{form}}}>"
    assert tuple(filled(language, text, {"it": value}) for language in (CMN, YUE, EN)) == tuple(
        f"<{one}>" for one in written
    )


def test_number_that_cannot_be_masked_is_not_written() -> None:
    with pytest.raises(ValueError, match="ends in 4 digits"):
        filled(EN, "{it:masked}", {"it": "12"})


def test_shipped_messages_have_no_mistake_and_one_heading_where_one_is_needed() -> None:
    shipped = messages()
    assert shipped.findings == ()
    assert "balance_by_sms" in shipped.ids()
    for language in Language:
        message = shipped.message(language, "transactions_in_writing")
        assert set(message.headings) == {"subject", "title"}
        assert message.heading(Medium.SMS).pieces == ()


def test_list_of_lines_is_one_text() -> None:
    lines = read("greeting:\n  subject: Hello\n  text:\n    - Dear customer,\n    - 'you have {amount:money}.'\n")
    assert told(lines) == []
    text = lines.message(EN, "greeting").text.filled(EN, {"amount": Money(100, Currency.USD)})
    assert text == "Dear customer,\nyou have USD 1.00."


def test_message_that_another_language_has_is_missed_at_its_line() -> None:
    catalogue = read("one: a\ntwo: b\n", yue="one: a\n", cmn="one: a\ntwo: b\n")
    assert told(catalogue) == [("E412", "cmn.yaml:2:1", "message 'two' has no text in yue")]


def test_language_without_a_file_misses_every_message() -> None:
    catalogue = Messages.from_texts({EN: ("en.yaml", "one: a\n")})
    assert told(catalogue) == [("E412", "en.yaml:1:1", "message 'one' has no text in cmn, yue")]


@pytest.mark.parametrize(
    ("other", "message"),
    [
        ("one: 'a {amount:money}'\n", "has other placeholders than in cmn: account, amount"),
        ("one: 'a {account:digits}'\n", "has other placeholders than in cmn: account"),
        ("one: a\n", "has other placeholders than in cmn: account"),
        ("one: {text: 'a {account:masked}', subject: b}\n", "has `subject` in some languages only"),
    ],
)
def test_languages_of_a_message_agree(other: str, message: str) -> None:
    same = "one: 'a {account:masked}'\n"
    [(code, place, said)] = told(read(same, yue=other))
    assert (code, place) == ("E414", "yue.yaml:1:1")
    assert message in said


@pytest.mark.parametrize(
    ("text", "code", "place"),
    [
        ("one: 'a {amount:cash} b'\n", "E413", "en.yaml:1:9"),
        ("one: 'a {amount} b'\n", "E413", "en.yaml:1:9"),
        ("one: 'a } b'\n", "E413", "en.yaml:1:9"),
        ("one: '{a:money} {a:text}'\n", "E413", "en.yaml:1:17"),
        ("one:\n  text:\n    - good\n    - 'a {b}'\n", "E413", "en.yaml:4:10"),
        ("One: a\n", "E112", "en.yaml:1:1"),
        ("one: ''\n", "E112", "en.yaml:1:6"),
        ("one:\n  - [a]\n", "E112", "en.yaml:2:5"),
        ("one: {subject: a}\n", "E111", "en.yaml:1:1"),
        ("one: {text: a, titel: b}\n", "E110", "en.yaml:1:16"),
        ("- one\n", "E112", "en.yaml:1:1"),
        ("one: a\none: b\n", "E102", "en.yaml:2:1"),
    ],
)
def test_mistake_is_told_with_file_line_and_column(text: str, code: str, place: str) -> None:
    found = [(one, at) for one, at, _ in told(read(text, cmn="", yue="")) if at.startswith("en.yaml")]
    assert found == [(code, place)]


def test_mistake_in_a_message_keeps_every_flow_from_calls() -> None:
    catalogue = read("one: 'a {b}'\n")
    assert {finding.code for finding in catalogue.findings} == {"E413"}
    assert not catalogue.has(EN, "one")
