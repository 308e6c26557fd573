"""Words and signs of expressions, and what is said of an expression that is none.

Knows how an expression is written. Must not know what it means.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from ivr_engine.flow.wording import Text

EXPRESSION_CHARACTERS_MAX: Final = 500
_TOKEN: Final = re.compile(
    r"\s*(?:(?P<amount>\d{1,15}\.\d{1,5})|(?P<number>\d{1,18})|(?P<name>[A-Za-z_]\w*)"
    r"|'(?P<single>[^']*)'|\"(?P<double>[^\"]*)\"|(?P<sign><=|>=|!=|==|[=<>+\-(),%]))",
    re.ASCII,
)
_BEGIN: Final = Text(
    "names are of letters a-z, digits and _; texts stand in quotes; signs are = != < <= > >= + - ( ) %"
)


class ExpressionError(Exception):
    """What is wrong with an expression; `column` counts from 1 within it."""

    def __init__(self, code: str, column: int, message: Text, mend: Text) -> None:
        super().__init__(message)
        self.code = code
        self.column = column
        self.message = message
        self.mend = mend


@dataclass(frozen=True, slots=True)
class Token:
    """One word or sign; `column` counts from 1."""

    kind: str
    text: str
    column: int


def tokens_of(text: str) -> list[Token]:
    """Take an expression apart; raise `ExpressionError` with code E303."""
    if len(text) > EXPRESSION_CHARACTERS_MAX:
        mend = Text("keep to {limit} characters", limit=EXPRESSION_CHARACTERS_MAX)
        raise ExpressionError("E303", 1, Text("the expression is too long"), mend)
    tokens: list[Token] = []
    position = 0
    while text[position:].strip():
        found = _TOKEN.match(text, position)
        if found is None:
            column = position + 1 + len(text[position:]) - len(text[position:].lstrip())
            message = Text("'{character}' cannot stand here", character=text[column - 1])
            raise ExpressionError("E303", column, message, _BEGIN)
        kind = str(found.lastgroup)
        tokens.append(Token(kind, found.group(kind), found.start(kind) + 1))
        position = found.end()
    tokens.append(Token("end", "", len(text) + 1))
    return tokens


def cited(token: Token) -> Text:
    """Return how a token is named to the author."""
    return Text("the end") if token.kind == "end" else Text("'{value}'", value=token.text)
