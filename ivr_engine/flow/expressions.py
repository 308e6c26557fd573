"""Expressions: typed at load, without side effects, evaluated by closures.

    or_ := and_ ("or" and_)*        and_ := not_ ("and" not_)*      not_ := "not" not_ | comparison
    comparison := sum (("=" | "!=" | "<" | "<=" | ">" | ">=") sum | ["not"] "in" "(" or_ ("," or_)* ")")?
    sum := atom (("+" | "-") atom)*
    atom := number | amount currency | decimal "%" | decimal currency "per" 100 currency | 'text' | true | false | name
          | "(" or_ ")"

Knows this grammar and how types combine. Must not know steps, nor where values come from.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Protocol

from ivr_engine.flow.findings import did_you_mean
from ivr_engine.flow.tokens import ExpressionError, Token, cited, tokens_of
from ivr_engine.flow.values import (
    DIGITS,
    MONEY,
    NUMBER,
    RATE,
    RECORDING,
    SECRET,
    TEXT,
    YES_NO,
    Constant,
    Type,
    Value,
    Variable,
)
from ivr_engine.flow.wording import Text
from ivr_engine.values.money import Currency, Money
from ivr_engine.values.rate import QUOTED_UNITS, Rate

DEPTH_MAX: Final = 30


class Readable(Protocol):
    """Where an expression finds values while a call runs."""

    variables: dict[str, Value]

    def fact(self, name: str) -> Value:
        """Return a read-only fact of the call."""
        ...


Evaluate = Callable[[Readable], Value]


@dataclass(frozen=True, slots=True)
class Compiled:
    """A checked expression: its type, what it reads, and how to evaluate it.

    `true_when_it_holds` are the yes-or-no facts that are true wherever this condition is, `true_when_it_does_not` where
    it is not. `variable` is its name when the expression is one variable and nothing else. `constants` are those read.
    """

    type: Type
    evaluate: Evaluate
    reads: frozenset[str]
    true_when_it_holds: frozenset[str] = frozenset()
    true_when_it_does_not: frozenset[str] = frozenset()
    variable: str | None = None
    constants: frozenset[str] = frozenset()


NO_CONSTANTS: Final[Mapping[str, Constant]] = MappingProxyType({})
_ORDER: Final[Mapping[str, Callable[..., bool]]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
PERCENT: Final = "%"
PER: Final = "per"
_RATE_WRITTEN: Final = Text("write for example 2.35% or 712.35 CNY per 100 USD")
_WORD: Final = Type("word")  # a bare word that may turn out to be a member of a choice
_NAME: Final = re.compile(r"[A-Za-z_]\w*", re.ASCII)
_KEYWORDS: Final = frozenset({"and", "or", "not", "in", "true", "false"})


@dataclass(frozen=True, slots=True)
class _Term:
    type: Type
    evaluate: Evaluate
    column: int
    word: str = ""
    holds: frozenset[str] = frozenset()
    fails: frozenset[str] = frozenset()


def compile_expression(
    text: str,
    variables: Mapping[str, Variable],
    facts: Mapping[str, Type],
    constants: Mapping[str, Constant] = NO_CONSTANTS,
) -> Compiled:
    """Parse and type an expression; raise `ExpressionError` with code E301, E302, E303 or E304."""
    parser = _Parser(tokens_of(text), variables, facts, constants)
    term = parser.whole()
    variable = term.word if term.word in variables else None
    reads, read_constants = frozenset(parser.reads), frozenset(parser.constants_read)
    return Compiled(term.type, term.evaluate, reads, term.holds, term.fails, variable, read_constants)


def is_name(text: str) -> bool:
    """Say whether an expression can read a variable of this name."""
    return _NAME.fullmatch(text) is not None and text not in _KEYWORDS


class _Parser:
    """Recursive descent over the tokens; types as it goes."""

    def __init__(
        self,
        tokens: list[Token],
        variables: Mapping[str, Variable],
        facts: Mapping[str, Type],
        constants: Mapping[str, Constant],
    ) -> None:
        self._tokens = tokens
        self._next = 0
        self._depth = 0
        self._variables = variables
        self._facts = facts
        self._constants = constants
        self.reads: list[str] = []
        self.constants_read: set[str] = set()

    def whole(self) -> _Term:
        term = self._or()
        self._expect_end()
        return self._known(term)

    def _or(self) -> _Term:
        self._depth += 1
        if self._depth > DEPTH_MAX:
            mend = Text("take it apart with a `set` step")
            raise ExpressionError("E303", self._peek.column, Text("too many brackets"), mend)
        left = self._and()
        while self._take("or"):
            left = self._both(left, self._and(), lambda a, b: bool(a or b))
        self._depth -= 1
        return left

    def _and(self) -> _Term:
        left = self._not()
        while self._take("and"):
            left = self._both(left, self._not(), lambda a, b: bool(a and b))
        return left

    def _both(self, left: _Term, right: _Term, join: Callable[[Value, Value], bool]) -> _Term:
        for term in (left, right):
            self._must_be(YES_NO, term)
        first, second, is_or = left.evaluate, right.evaluate, join(True, False)  # noqa: FBT003 # probing the truth table

        def evaluate(names: Readable) -> Value:
            value = first(names)
            return value if bool(value) is is_or else second(names)

        together = (left.holds & right.holds, left.fails | right.fails)
        if not is_or:
            together = (left.holds | right.holds, left.fails & right.fails)
        return _Term(YES_NO, evaluate, left.column, "", *together)

    def _not(self) -> _Term:
        column = self._peek.column
        if not self._take("not"):
            return self._comparison()
        inner = self._not()
        self._must_be(YES_NO, inner)
        evaluate = inner.evaluate
        return _Term(YES_NO, lambda names: not evaluate(names), column, "", inner.fails, inner.holds)

    def _comparison(self) -> _Term:
        left = self._sum()
        sign = self._peek.text if self._peek.kind == "sign" else ""
        if sign in ("=", "==", "!="):
            self._next += 1
            return self._equal(left, self._sum(), negate=sign == "!=")
        if sign in _ORDER:
            self._next += 1
            return self._ordered(left, self._sum(), _ORDER[sign])
        negate = self._take("not")
        if self._take("in"):
            return self._within(left, negate=negate)
        return left

    def _equal(self, left: _Term, right: _Term, *, negate: bool) -> _Term:
        left, right = self._same_type(left, right)
        first, second = left.evaluate, right.evaluate
        return _Term(YES_NO, lambda names: (first(names) == second(names)) is not negate, left.column)

    def _ordered(self, left: _Term, right: _Term, compare: Callable[..., bool]) -> _Term:
        left, right = self._same_type(left, right)
        if left.type in (TEXT, DIGITS, YES_NO) or left.type.members:
            message = Text("{type} has no greater and smaller", type=left.type)
            raise ExpressionError("E302", left.column, message, Text("compare with = or !="))
        first, second = left.evaluate, right.evaluate
        return _Term(YES_NO, lambda names: compare(first(names), second(names)), left.column)

    def _within(self, left: _Term, *, negate: bool) -> _Term:
        self._expect("(")
        terms = [self._equal(left, self._or(), negate=False)]
        while self._take(","):
            terms.append(self._equal(left, self._or(), negate=False))
        self._expect(")")
        tests = tuple(term.evaluate for term in terms)
        return _Term(YES_NO, lambda names: any(test(names) for test in tests) is not negate, left.column)

    def _sum(self) -> _Term:
        left = self._atom()
        while self._peek.text in ("+", "-") and self._peek.kind == "sign":
            add = self._peek.text == "+"
            self._next += 1
            left, right = self._same_type(left, self._atom())
            if left.type not in (NUMBER, MONEY):
                message = Text("{type} cannot be added", type=left.type)
                raise ExpressionError("E302", left.column, message, Text("add numbers or amounts"))
            first, second = left.evaluate, right.evaluate
            join: Callable[..., Value] = operator.add if add else operator.sub
            left = _Term(left.type, _joined(join, first, second), left.column)
        return left

    def _atom(self) -> _Term:
        token = self._peek
        self._next += 1
        if token.kind == "number":
            if self._peek.text == PERCENT or self._peek.text in Currency.__members__:
                return self._amount(token)
            number = int(token.text)
            return _Term(NUMBER, lambda _: number, token.column)
        if token.kind == "amount":
            return self._amount(token)
        if token.kind in ("single", "double"):
            text = token.text
            return _Term(TEXT, lambda _: text, token.column)
        if token.kind == "name" and token.text in ("true", "false"):
            value = token.text == "true"
            return _Term(YES_NO, lambda _: value, token.column)
        if token.kind == "name" and token.text not in _KEYWORDS:
            return self._name(token)
        if token.text == "(" and token.kind == "sign":
            inner = self._or()
            self._expect(")")
            return inner
        message = Text("a value is expected before {what}", what=cited(token))
        raise ExpressionError("E303", token.column, message, Text("write a variable, a number, an amount or a text"))

    def _amount(self, token: Token) -> _Term:
        currency = self._peek
        if self._take(PERCENT):
            return self._rate(token, f"{token.text}%")
        if currency.text not in Currency.__members__:
            message = Text("an amount needs its currency")
            raise ExpressionError("E303", token.column, message, Text("write for example 100.00 CNY"))
        self._next += 1
        if self._take(PER):
            units, of = self._tokens[self._next : self._next + 2] if self._peek.kind != "end" else (self._peek,) * 2
            if units.text != str(QUOTED_UNITS) or of.text not in Currency.__members__:
                message = Text("a rate is quoted for 100 units of a currency")
                raise ExpressionError("E303", units.column, message, _RATE_WRITTEN)
            self._next += 2
            return self._rate(token, f"{token.text} {currency.text} {PER} {units.text} {of.text}")
        try:
            money = Money.parse(token.text, Currency(currency.text))
        except ValueError:
            message = Text("an amount has at most two decimals")
            raise ExpressionError("E303", token.column, message, Text("write for example 100.00 CNY")) from None
        return _Term(MONEY, lambda _: money, token.column)

    @staticmethod
    def _rate(token: Token, text: str) -> _Term:
        try:
            rate = Rate.parse(text)
        except ValueError:
            message = Text("there is no such rate: {written}", written=text)
            raise ExpressionError("E303", token.column, message, _RATE_WRITTEN) from None
        return _Term(RATE, lambda _: rate, token.column)

    def _name(self, token: Token) -> _Term:
        name = token.text
        if name in self._variables:
            variable = self._variables[name]
            if variable.type == SECRET:
                message = Text("'{name}' is secret", name=name)
                raise ExpressionError("E304", token.column, message, Text("hand it to an operation that takes it"))
            if variable.type == RECORDING and len(self._tokens) > 2:
                message = Text("'{name}' is what a caller has said, and stands by itself", name=name)
                raise ExpressionError("E302", token.column, message, Text("hand it to an operation that takes it"))
            self.reads.append(name)
            return _Term(variable.type, lambda names: names.variables[name], token.column, name)
        if name in self._constants:
            constant = self._constants[name]
            self.constants_read.add(name)
            return _Term(constant.type, lambda _: constant.value, token.column)
        if name in self._facts:
            known = frozenset({name}) if self._facts[name] == YES_NO else frozenset[str]()
            return _Term(self._facts[name], lambda names: names.fact(name), token.column, "", known)
        return _Term(_WORD, lambda _: name, token.column, name)

    def _same_type(self, left: _Term, right: _Term) -> tuple[_Term, _Term]:
        if right.type.members and self._is_member(left, right.type):
            return self._as_member(left, right.type), right
        if left.type.members and self._is_member(right, left.type):
            return left, self._as_member(right, left.type)
        left, right = self._known(left), self._known(right)
        texts = (TEXT, DIGITS)
        if left.type != right.type and not (left.type in texts and right.type in texts):
            message = Text("{one} and {other} do not go together", one=left.type, other=right.type)
            raise ExpressionError("E302", left.column, message, Text("compare values of one type"))
        return left, right

    def _is_member(self, term: _Term, choice: Type) -> bool:
        """A bare word beside a choice is one of its words, even where a variable of another type has that name."""
        return term.type is _WORD or (term.word in choice.members and term.type != choice)

    def _as_member(self, word: _Term, choice: Type) -> _Term:
        if word.word not in choice.members:
            mend = did_you_mean(word.word, choice.members)
            message = Text("'{word}' is not {choice}", word=word.word, choice=choice)
            raise ExpressionError("E302", word.column, message, mend)
        if word.type is not _WORD:
            self.reads.remove(word.word)
        text = word.word
        return _Term(choice, lambda _: text, word.column)

    def _known(self, term: _Term) -> _Term:
        if term.type is _WORD:
            mend = did_you_mean(term.word, [*self._variables, *self._constants, *self._facts])
            message = Text("there is no variable '{name}'", name=term.word)
            raise ExpressionError("E301", term.column, message, mend)
        return term

    def _must_be(self, expected: Type, term: _Term) -> None:
        if self._known(term).type != expected:
            message = Text("{expected} is expected here, this is {actual}", expected=expected, actual=term.type)
            mend = Text("compare it with a value, for example `position = 1`")
            raise ExpressionError("E302", term.column, message, mend)

    @property
    def _peek(self) -> Token:
        return self._tokens[self._next]

    def _take(self, text: str) -> bool:
        if self._peek.text == text and self._peek.kind in ("name", "sign"):
            self._next += 1
            return True
        return False

    def _expect(self, text: str) -> None:
        if not self._take(text):
            message = Text("'{sign}' is expected before {what}", sign=text, what=cited(self._peek))
            raise ExpressionError("E303", self._peek.column, message, Text("add {sign}", sign=text))

    def _expect_end(self) -> None:
        if self._peek.kind != "end":
            message = Text("nothing more is expected, but here is {what}", what=cited(self._peek))
            raise ExpressionError("E303", self._peek.column, message, Text("join conditions with `and` or `or`"))


def _joined(join: Callable[..., Value], first: Evaluate, second: Evaluate) -> Evaluate:
    return lambda names: join(first(names), second(names))
