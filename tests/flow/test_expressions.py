"""Expressions: what they mean, which types go together, and where a mistake is shown."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from types import MappingProxyType
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ivr_engine.flow.expressions import (
    DEPTH_MAX,
    Compiled,
    compile_expression,
    is_name,
)
from ivr_engine.flow.tokens import EXPRESSION_CHARACTERS_MAX, ExpressionError
from ivr_engine.flow.values import MONEY, NUMBER, YES_NO, Type, Value, Variable
from ivr_engine.values.money import Currency, CurrencyMismatchError, Money
from ivr_engine.values.rate import Rate, RatesDifferError

VARIABLES: Final = MappingProxyType(
    {
        name: Variable.parse(written)
        for name, written in {
            "n": "number",
            "m": "number",
            "cash": "personal money",
            "credit": "money",
            "name": "text",
            "account": "digits",
            "vip": "yes_no",
            "busy": "yes_no",
            "day": "date",
            "interest": "rate",
            "buys": "rate",
            "kind": "one of (current, card, n)",
            "pin": "secret",
        }.items()
    }
)
FACTS: Final = MappingProxyType({"signed_in": YES_NO, "language": Type("one_of", ("cmn", "yue", "en"))})


@dataclass
class Names:
    variables: dict[str, Value]
    facts: dict[str, Value] = field(default_factory=lambda: {"signed_in": True, "language": "en"})

    def fact(self, name: str) -> Value:
        return self.facts[name]


def cny(minor: int) -> Money:
    return Money(minor, Currency.CNY)


NAMES: Final = Names(
    {
        "n": 3,
        "m": 10,
        "cash": cny(12_050),
        "credit": cny(5_000),
        "name": "Chen",
        "account": "0042",
        "vip": True,
        "busy": False,
        "day": date(2026, 1, 5),
        "interest": Rate.parse("2.35%"),
        "buys": Rate.parse("712.35 CNY per 100 USD"),
        "kind": "card",
    }
)


def compiled(text: str) -> Compiled:
    return compile_expression(text, VARIABLES, FACTS)


def value(text: str) -> Value:
    return compiled(text).evaluate(NAMES)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("n", 3),
        ("n + 1 - m", -6),
        ("m - 3 - 2", 5),
        ("m - (3 - 2)", 9),
        ("cash - 20.5 CNY", cny(10_000)),
        ("cash + 1 CNY", cny(12_150)),
        ("100.00 CNY", cny(10_000)),
        ("100 USD", Money(10_000, Currency.USD)),
        ("n = 3", True),
        ("n == 3", True),
        ("n != 3", False),
        ("n < m and m >= 10", True),
        ("cash > 120.49 CNY", True),
        ("cash <= 120.50 CNY", True),
        ("name = 'Chen'", True),
        ('name = "Chen"', True),
        ("account = '0042'", True),
        ("name != account", True),
        ("kind = card", True),
        ("card = kind", True),
        ("kind != current", True),
        ("kind = n", False),  # a word of the choice comes before a variable of that name
        ("kind in (current, card)", True),
        ("kind not in (current, card)", False),
        ("n in (1, 2, m - 7)", True),
        ("n not in (1, 2)", True),
        ("language = en and signed_in", True),
        ("not vip or busy", False),
        ("not (vip and busy)", True),
        ("not not vip", True),
        ("vip or busy and busy", True),
        ("(vip or busy) and busy", False),
        ("interest > 2.349%", True),
        ("interest = 2.35 %", True),
        ("interest <= 2%", False),
        ("buys >= 712.35 CNY per 100 USD", True),
        ("buys in (1 CNY per 100 USD, 712.35000 CNY per 100 USD)", True),
        ("true", True),
        ("vip = true", True),
        ("  n  ", 3),
    ],
)
def test_expression_means(text: str, expected: Value) -> None:
    assert value(text) == expected


@pytest.mark.parametrize(
    ("text", "type_"), [("n + 1", NUMBER), ("cash - 1 CNY", MONEY), ("n = 1", YES_NO), ("signed_in", YES_NO)]
)
def test_expression_has_a_type(text: str, type_: Type) -> None:
    assert compiled(text).type == type_


def test_expression_tells_which_variables_it_reads() -> None:
    assert compiled("n + m > 3 and kind = card and signed_in").reads == {"n", "m", "kind"}
    assert compiled("kind = n").reads == {"kind"}


@pytest.mark.parametrize(
    ("text", "code", "column", "words"),
    [
        ("", "E303", 1, "a value is expected before the end"),
        ("   ", "E303", 4, "a value is expected"),
        ("n +", "E303", 4, "before the end"),
        ("n + + 1", "E303", 5, "before '+'"),
        ("(n + 1", "E303", 7, "')' is expected"),
        ("n in 1", "E303", 6, "'(' is expected"),
        ("n 1", "E303", 3, "'1'"),
        ("n = 1 = 1", "E303", 7, "'='"),
        ("n % 2", "E303", 3, "'%'"),
        ("n = 'open", "E303", 5, "cannot stand here"),
        ("n ＝ 1", "E303", 3, "'＝'"),
        ("余额 > 1", "E303", 1, "'余'"),
        ("and n", "E303", 1, "before 'and'"),
        ("12.5", "E303", 1, "currency"),
        ("12.5 EUR", "E303", 1, "currency"),
        ("12.505 CNY", "E303", 1, "two decimals"),
        ("7 CNY per", "E303", 10, "100 units"),
        ("7 CNY per 10 USD", "E303", 11, "100 units"),
        ("7 CNY per 100 EUR", "E303", 11, "100 units"),
        ("7 CNY per 100 CNY", "E303", 1, "no such rate"),
        ("0 CNY per 100 USD", "E303", 1, "no such rate"),
        ("1234567890%", "E303", 1, "no such rate"),
        ("interest + 1%", "E302", 1, "cannot be added"),
        ("interest > 2", "E302", 1, "rate and number"),
        ("balance > 1", "E301", 1, "'balance'"),
        ("n > 1 and blance > 2", "E301", 11, "'blance'"),
        ("card", "E301", 1, "'card'"),
        ("n = name", "E302", 1, "number and text"),
        ("cash > 100", "E302", 1, "money and number"),
        ("n and vip", "E302", 1, "yes_no is expected"),
        ("vip and n", "E302", 9, "yes_no is expected"),
        ("not n", "E302", 5, "yes_no is expected"),
        ("name > 'a'", "E302", 1, "no greater"),
        ("vip < busy", "E302", 1, "no greater"),
        ("kind < card", "E302", 1, "no greater"),
        ("name + name", "E302", 1, "cannot be added"),
        ("day + 1", "E302", 1, "date and number"),
        ("kind = crad", "E302", 8, "'crad'"),
        ("kind in (current, crad)", "E302", 19, "'crad'"),
        ("pin = '1'", "E304", 1, "secret"),
        ("n = 1 or pin = pin", "E304", 10, "secret"),
    ],
)
def test_mistake_is_shown_at_its_column(text: str, code: str, column: int, words: str) -> None:
    with pytest.raises(ExpressionError) as caught:
        compiled(text)
    assert (caught.value.code, caught.value.column) == (code, column)
    assert words in caught.value.message
    assert caught.value.mend


def test_expression_has_a_greatest_length_and_depth() -> None:
    assert value("(" * (DEPTH_MAX - 1) + "n" + ")" * (DEPTH_MAX - 1)) == 3
    with pytest.raises(ExpressionError, match="too many brackets"):
        compiled("(" * DEPTH_MAX + "n" + ")" * DEPTH_MAX)
    assert value("not " * 120 + "vip") is True
    assert value("+".join(["1"] * (EXPRESSION_CHARACTERS_MAX // 2))) == EXPRESSION_CHARACTERS_MAX // 2
    with pytest.raises(ExpressionError, match="too long"):
        compiled("n" + " " * EXPRESSION_CHARACTERS_MAX)


def test_amounts_of_two_currencies_are_never_ordered() -> None:
    with pytest.raises(CurrencyMismatchError):
        value("cash < 1 USD")
    assert value("cash = 1 USD") is False


def test_interest_and_exchange_rates_are_never_ordered() -> None:
    with pytest.raises(RatesDifferError):
        value("interest < 7 CNY per 100 USD")
    assert value("interest = 7 CNY per 100 USD") is False


@pytest.mark.parametrize(
    ("name", "readable"),
    [("balance", True), ("_x1", True), ("and", False), ("1x", False), ("a b", False), ("余额", False)],
)
def test_name_of_a_variable_can_be_read_by_an_expression_or_is_refused(name: str, readable: bool) -> None:
    assert is_name(name) is readable
    if readable:
        assert compile_expression(name, {name: VARIABLES["n"]}, {}).reads == {name}
    else:
        with pytest.raises(ExpressionError):
            compile_expression(f"{name} = 1", {name: VARIABLES["n"]}, {})


# --- every typed expression means the same as in Python ---
# A strategy yields the text in the language and the same in Python, evaluated over the same variables.


@dataclass(frozen=True)
class Pair:
    ours: str
    python: str


def refused(text: str) -> ExpressionError | None:
    """Return why an expression is refused, or None when it is compiled."""
    try:
        compiled(text)
    except ExpressionError as error:
        return error
    return None


numbers: st.SearchStrategy[Pair] = st.deferred(
    lambda: (
        st.integers(0, 99).map(lambda n: Pair(str(n), str(n)))
        | st.sampled_from(["n", "m"]).map(lambda name: Pair(name, name))
        | st.tuples(numbers, st.sampled_from("+-"), numbers).map(
            lambda t: Pair(f"({t[0].ours} {t[1]} {t[2].ours})", f"({t[0].python} {t[1]} {t[2].python})")
        )
    )
)
amounts: st.SearchStrategy[Pair] = st.deferred(
    lambda: (
        st.integers(0, 999_999).map(lambda minor: Pair(str(cny(minor)), f"cny({minor})"))
        | st.sampled_from(["cash", "credit"]).map(lambda name: Pair(name, name))
        | st.tuples(amounts, st.sampled_from("+-"), amounts).map(
            lambda t: Pair(f"({t[0].ours} {t[1]} {t[2].ours})", f"({t[0].python} {t[1]} {t[2].python})")
        )
    )
)
words = st.sampled_from(["current", "card", "n"])


def compared(values: st.SearchStrategy[Pair]) -> st.SearchStrategy[Pair]:
    signs = st.sampled_from(
        [("=", "=="), ("==", "=="), ("!=", "!="), ("<", "<"), ("<=", "<="), (">", ">"), (">=", ">=")]
    )
    return st.tuples(values, signs, values).map(
        lambda t: Pair(f"{t[0].ours} {t[1][0]} {t[2].ours}", f"({t[0].python} {t[1][1]} {t[2].python})")
    )


def within(values: st.SearchStrategy[Pair]) -> st.SearchStrategy[Pair]:
    def pair(drawn: tuple[Pair, bool, list[Pair]]) -> Pair:
        left, negate, listed = drawn
        ours, python = ", ".join(one.ours for one in listed), ", ".join(one.python for one in listed)
        negation = "not " if negate else ""
        return Pair(f"{left.ours} {negation}in ({ours})", f"({left.python} {negation}in [{python}])")

    return st.tuples(values, st.booleans(), st.lists(values, min_size=1, max_size=3)).map(pair)


conditions: st.SearchStrategy[Pair] = st.deferred(
    lambda: (
        st.sampled_from(["vip", "busy"]).map(lambda name: Pair(name, name))
        | st.booleans().map(lambda truth: Pair(str(truth).lower(), str(truth)))
        | compared(numbers)
        | compared(amounts)
        | within(numbers)
        | within(amounts)
        | words.map(lambda word: Pair(f"kind = {word}", f"(kind == '{word}')"))
        | st.lists(words, min_size=1).map(lambda some: Pair(f"kind in ({', '.join(some)})", f"(kind in {some!r})"))
        | conditions.map(lambda inner: Pair(f"not ({inner.ours})", f"(not {inner.python})"))
        | st.tuples(conditions, st.sampled_from(["and", "or"]), conditions).map(
            lambda t: Pair(f"({t[0].ours}) {t[1]} ({t[2].ours})", f"({t[0].python} {t[1]} {t[2].python})")
        )
    )
)
money = st.integers(-(10**9), 10**9).map(cny)
worlds = st.fixed_dictionaries(
    {
        "n": st.integers(-99, 99),
        "m": st.integers(-99, 99),
        "cash": money,
        "credit": money,
        "vip": st.booleans(),
        "busy": st.booleans(),
        "kind": words,
    }
)


@given(conditions | numbers | amounts, worlds)
def test_expression_means_what_python_says(pair: Pair, variables: dict[str, Value]) -> None:
    error = refused(pair.ours)
    if error is not None:  # a sound expression can only be too long or too deep
        assert error.message in ("too many brackets", "the expression is too long")
        return
    ours = compiled(pair.ours).evaluate(Names(variables))
    assert ours == eval(pair.python, {"cny": cny}, dict(variables)), pair


@given(conditions, worlds)
def test_and_and_or_look_no_further_than_needed(pair: Pair, variables: dict[str, Value]) -> None:
    if len(pair.ours) > EXPRESSION_CHARACTERS_MAX - 40 or pair.ours.count("(") > DEPTH_MAX - 3:
        return
    unset = Names({name: known for name, known in variables.items() if name != "credit"})
    assert compiled("true or credit > 1 CNY").evaluate(unset) is True
    assert compiled("false and credit > 1 CNY").evaluate(unset) is False
    assert compiled(f"true or ({pair.ours})").evaluate(Names({})) is True


@given(st.text(max_size=80))
def test_any_text_is_compiled_or_refused_at_a_column_within_it(text: str) -> None:
    error = refused(text)
    assert error is None or 1 <= error.column <= len(text) + 1
    assert error is None or error.code in ("E301", "E302", "E303", "E304")


@given(
    st.lists(
        st.sampled_from(
            [*"()=<>+-,'", "n", "cash", "kind", "card", "and", "or", "not", "in", "1", "2.5", "CNY", "true"]
        ),
        max_size=25,
    )
)
def test_any_row_of_words_is_compiled_or_refused(parts: list[str]) -> None:
    text = " ".join(parts)
    error = refused(text)
    assert error is None or 1 <= error.column <= len(text) + 1
    if error is None:
        compiled(text).evaluate(NAMES)
