"""Constants of a flow: values that have a name and never change, some of them other ones in each environment.

Knows how a constant is written, and what several environments must have in common. Must not know steps.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, time
from types import MappingProxyType
from typing import Annotated, Final

from pydantic import WithJsonSchema

from ivr_engine.flow.expressions import compile_expression
from ivr_engine.flow.fields import DAY_WRITTEN, TIME_WRITTEN, Written
from ivr_engine.flow.findings import did_you_mean
from ivr_engine.flow.source import Path, Source
from ivr_engine.flow.tokens import ExpressionError
from ivr_engine.flow.values import DIGITS, Constant, Value, Variable
from ivr_engine.flow.wording import Text
from ivr_engine.values.money import CurrencyMismatchError
from ivr_engine.values.rate import RatesDifferError

CONSTANTS: Final = "constants"
ENVIRONMENTS: Final = "environments"
_DIGITS: Final = re.compile(r"\d{1,64}", re.ASCII)
_DATE: Final = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_TIME: Final = re.compile(r"\d{2}:\d{2}", re.ASCII)
WrittenConstant = Annotated[
    Written,
    WithJsonSchema(
        {
            "type": ["string", "integer", "boolean"],
            "pattern": rf"^({DAY_WRITTEN}|{TIME_WRITTEN})$|^(?!({_DATE.pattern}|{_TIME.pattern})$)",
        }
    ),
]
"""How a constant is written; for editors, what looks like a day or a time has to be one."""
_NO_VARIABLES: Final[Mapping[str, Variable]] = MappingProxyType({})


class _Nothing:
    """What a constant can read: nothing."""

    def __init__(self) -> None:
        self.variables: dict[str, Value] = {}

    def fact(self, name: str) -> Value:
        """Constants are known before any call."""
        raise AssertionError(name)


def read_constants(
    source: Source,
    constants: Mapping[str, Written],
    environments: Mapping[str, Mapping[str, Written]],
    in_force: str,
) -> Mapping[str, Constant]:
    """Return the constants in force; every environment is checked, whichever it is."""
    plain = _values(source, constants, (CONSTANTS,))
    by_environment = {name: _values(source, block, (ENVIRONMENTS, name)) for name, block in environments.items()}
    _check_alike(source, by_environment, environments)
    if environments and in_force not in environments:
        message = Text("the hotline runs as '{name}', and this flow has no such environment", name=in_force)
        mend = Text(
            "add it here, or set `environment` of the hotline; {near}", near=did_you_mean(in_force, environments)
        )
        source.finding("E123", source.place((ENVIRONMENTS,), key=True), message, mend)
    return MappingProxyType({**plain, **by_environment.get(in_force, {})})


def _values(source: Source, block: Mapping[str, Written], path: Path) -> dict[str, Constant]:
    found = ((name, _read(source, written, (*path, name))) for name, written in block.items())
    return {name: constant for name, constant in found if constant is not None}


def _read(source: Source, written: Written, path: Path) -> Constant | None:
    """Read digits in quotes, a date, a time, or whatever an expression may write down."""
    text = str(written).lower() if isinstance(written, bool) else str(written)
    try:
        if isinstance(written, str) and _DIGITS.fullmatch(text):
            return Constant(DIGITS, text)
        if _DATE.fullmatch(text):
            return Constant.of(date.fromisoformat(text))
        if _TIME.fullmatch(text):
            return Constant.of(time.fromisoformat(text))
        compiled = compile_expression(text, _NO_VARIABLES, {})
        return Constant(compiled.type, compiled.evaluate(_Nothing()))
    except ExpressionError as error:
        place = source.place(path)
        shown = type(place)(place.file, place.line, place.column + error.column - 1)
        source.finding(error.code, shown, error.message, error.mend)
    except CurrencyMismatchError:
        message = Text("amounts of two currencies cannot be added")
        source.finding("E302", source.place(path), message, Text("write one amount"))
    except RatesDifferError:
        message = Text("rates of two kinds cannot be compared")
        source.finding("E302", source.place(path), message, Text("write one rate"))
    except ValueError:
        message, mend = Text("there is no such day or time: {written}", written=text), Text("look at the calendar")
        source.finding("E112", source.place(path), message, mend)
    return None


def _check_alike(
    source: Source,
    environments: Mapping[str, Mapping[str, Constant]],
    written: Mapping[str, Mapping[str, Written]],
) -> None:
    """Every environment declares the names and types of the first."""
    first = next(iter(environments), "")
    for environment in environments:
        for name in written[first].keys() - written[environment].keys():
            message = Text("'{name}' is missing in the environment '{environment}'", name=name, environment=environment)
            place = source.place((ENVIRONMENTS, environment), key=True)
            source.finding("E122", place, message, Text("add `{name}: ...` to it", name=name))
        for name in written[environment].keys() - written[first].keys():
            message = Text("'{name}' is missing in the environment '{environment}'", name=name, environment=first)
            place = source.place((ENVIRONMENTS, environment, name), key=True)
            source.finding("E122", place, message, Text("add `{name}: ...` to it, or remove it here", name=name))
        for name, constant in environments[environment].items():
            here, there = constant.type, environments[first].get(name, constant).type
            if here != there:
                message = Text(
                    "'{name}' is {here} here and {there} in '{first}'", name=name, here=here, there=there, first=first
                )
                place = source.place((ENVIRONMENTS, environment, name))
                source.finding("E122", place, message, Text("write a value of the same type in both"))
