"""From the data of a file to its models, with pydantic's complaints told as findings.

Knows how a complaint maps to a place and to plain words. Must not know what a step does.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final, TypeVar, get_args

from pydantic import BaseModel, ValidationError

from ivr_engine.flow.findings import NotUnderstoodError, did_you_mean
from ivr_engine.flow.model import FlowFile
from ivr_engine.flow.nodes import KINDS
from ivr_engine.flow.source import Path, Source
from ivr_engine.flow.step import Step

M = TypeVar("M", bound=BaseModel)


def read_file(source: Source) -> FlowFile | None:
    """Read the top of a file; findings are noted in the source."""
    if not isinstance(source.data, dict):
        if not source.findings:
            source.finding("E101", source.place(()), "a flow file is a list of `key: value`", "begin with `ivr: 1`")
        return None
    return _read(FlowFile, source.data, source, ())


def read_step(source: Source, name: str, written: Mapping[str, Any]) -> Step | None:
    """Read one step by the word that says what it does."""
    path: Path = ("steps", name)
    kinds = [kind for kind in KINDS if kind.WORD in written]
    if len(kinds) == 1:
        return _read(kinds[0], written, source, path)
    words = [kind.WORD for kind in KINDS]
    if kinds:
        found = " and ".join(f"`{kind.WORD}`" for kind in kinds)
        source.finding("E202", source.place(path, key=True), f"step '{name}' has {found}", "make two steps of it")
        return None
    near = next((key for key in written if key not in ("then", "when")), "")
    mend = did_you_mean(near, words)
    source.finding("E201", source.place(path, key=True), f"step '{name}' does not say what it does", mend)
    return None


def _read(model: type[M], data: Mapping[str, Any], source: Source, path: Path) -> M | None:
    try:
        return model.model_validate(data)
    except ValidationError as error:
        complaints = [(_place_of(complaint["loc"], source, path), complaint) for complaint in error.errors()]
        told: set[Path] = set()
        for where, complaint in complaints:
            # A list that is wrong only because something in it is wrong is not complained of as well.
            blamed_below = any(len(other) > len(where) and other[: len(where)] == where for other, _ in complaints)
            if where not in told and not blamed_below:
                told.add(where)
                _tell(model, complaint, source, where, nested=len(where) - len(path) > 1)
        return None


def _place_of(loc: tuple[int | str, ...], source: Source, path: Path) -> Path:
    where: Path = (*path, *loc)
    if where[-1] in ("str", "int", "bool") and where not in source.values:
        return where[:-1]  # pydantic's name for one kind of several that a value may be of
    return where


def _tell(model: type[BaseModel], complaint: Mapping[str, Any], source: Source, where: Path, *, nested: bool) -> None:
    kind = str(complaint["type"])
    if kind == "extra_forbidden":
        word = str(where[-1])
        known = _keys_within(model, where[2:-1]) if nested else _keys_of(model)
        source.finding(
            "E110", source.place(where, key=True), f"'{word}' has no meaning here", did_you_mean(word, known)
        )
    elif kind == "missing":
        missing = str(where[-1])
        source.finding("E111", source.place(where[:-1], key=True), f"`{missing}` is missing", f"add `{missing}: ...`")
    else:
        message, mend = _value_words(complaint)
        source.finding("E112", source.place(where), message, mend)


def _keys_of(model: type[BaseModel]) -> list[str]:
    return [field.alias or name for name, field in model.model_fields.items()]


def _keys_within(model: type[BaseModel], blocks: Path) -> list[str]:
    """Return the keys of the innermost block: of a part of speech within a key of a menu, those of the part."""
    for block in blocks:
        field = next((field for name, field in model.model_fields.items() if block in (name, field.alias)), None)
        model = _model_in(field.annotation) or model if field is not None else model
    return _keys_of(model)


def _model_in(annotation: object) -> type[BaseModel] | None:
    """Return the model that a type is or holds, as `dict[str, Model]` does."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next(filter(None, map(_model_in, get_args(annotation))), None)


def _value_words(complaint: Mapping[str, Any]) -> tuple[str, str]:
    """Say what is wrong with a value, and how to write it, in a clerk's words."""
    kind, written, context = str(complaint["type"]), complaint["input"], complaint.get("ctx", {})
    error = context.get("error")
    if isinstance(error, NotUnderstoodError):
        return error.message, error.mend
    if written is None:
        return "nothing is written here", "write a value after the colon, or remove the key"
    shown = _shown(written)
    if kind in ("enum", "literal_error"):
        known = _QUOTED.findall(str(context["expected"])) or [str(context["expected"])]
        return f"{shown} is not possible here", did_you_mean(str(written), known)
    if kind in _LIMITS:
        words, limit = _LIMITS[kind]
        return f"{shown} is {words}", f"write {_AT[kind]} {context[limit]}"
    return _EXPECTED.get(kind, _SOMETHING).format(shown), _mend(kind, written)


def _shown(written: object) -> str:
    if isinstance(written, dict):
        return "a block of `key: value`"
    if isinstance(written, (list, tuple)):
        return "a list"
    return f"'{str(written).lower() if isinstance(written, bool) else written}'"


def _mend(kind: str, written: object) -> str:
    if kind == "string_type" and isinstance(written, (bool, int)):
        return f"put it in quotes: {_shown(written)}"
    return _MENDS.get(kind, "see the page of this step in the manual")


_QUOTED: Final = re.compile(r"'([^']*)'")
_SOMETHING: Final = "{} cannot be understood here"
_EXPECTED: Final[Mapping[str, str]] = MappingProxyType(
    {
        "string_type": "one text is expected here, not {}",
        "dict_type": "lines of `key: value` are expected here, not {}",
        "model_type": "a prompt or a read-out is expected here, not {}",
        "tuple_type": "a list is expected here, not {}",
        "list_type": "a list is expected here, not {}",
        "int_parsing": "a whole number is expected here, not {}",
        "int_type": "a whole number is expected here, not {}",
        "int_from_float": "a whole number is expected here, not {}",
    }
)
_MENDS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "string_type": "write one word or one text",
        "dict_type": "write them below this line, indented by two spaces",
        "model_type": "write the name of a prompt, or for example `amount: balance`",
        "tuple_type": "write it in brackets: [first, second]",
        "list_type": "write it in brackets: [first, second]",
        "int_parsing": "write it in digits, for example 3",
        "int_type": "write it in digits, for example 3",
        "int_from_float": "write it in digits, for example 3",
    }
)
_LIMITS: Final[Mapping[str, tuple[str, str]]] = MappingProxyType(
    {
        "greater_than_equal": ("too small", "ge"),
        "less_than_equal": ("too great", "le"),
        "too_short": ("empty", "min_length"),
        "too_long": ("too long", "max_length"),
    }
)
_AT: Final[Mapping[str, str]] = MappingProxyType(
    {
        "greater_than_equal": "at least",
        "less_than_equal": "at most",
        "too_short": "at least",
        "too_long": "at most",
    }
)
