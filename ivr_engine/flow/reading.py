"""From the data of a file to its models, with pydantic's complaints told as findings.

Knows how a complaint maps to a place and to plain words. Must not know what a step does.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final, TypeVar, get_args

from pydantic import BaseModel, ValidationError

from ivr_engine.flow.findings import NotUnderstoodError, did_you_mean, suggest
from ivr_engine.flow.model import FlowFile
from ivr_engine.flow.nodes import KINDS
from ivr_engine.flow.source import Path, Source
from ivr_engine.flow.step import Step
from ivr_engine.flow.wording import Text

M = TypeVar("M", bound=BaseModel)


def read_file(source: Source) -> FlowFile | None:
    """Read the top of a file; findings are noted in the source.

    A top that is wrong only in what no step depends on is read all the same. Of any other, each step is still looked at
    by itself, so that no mistake hides another.
    """
    data = source.data
    if not isinstance(data, dict):
        if not source.findings:
            message = Text("a flow file is a list of `key: value`")
            source.finding("E101", source.place(()), message, Text("begin with `ivr: 1`"))
        return None
    file = _read(FlowFile, data, source, ())
    if file is not None:
        return file
    try:
        return FlowFile.model_validate(_without_what_no_step_needs(data))
    except ValidationError:
        steps = data.get("steps")
        for name, written in steps.items() if isinstance(steps, dict) else ():
            if isinstance(written, dict):
                read_step(source, name, written)
    return None


def _without_what_no_step_needs(data: Mapping[str, Any]) -> dict[str, Any]:
    """Return the top of a file with stand-ins for what no step depends on, and without words that stand for nothing."""
    known = _keys_of(FlowFile)
    needed = {
        key: value
        for key, value in data.items()
        if key not in ("title", "owner") and (key in known or suggest(key, known) not in (None, "title", "owner"))
    }
    return {"ivr": 1, "title": "", **needed}


def read_step(source: Source, name: str, written: Mapping[str, Any]) -> Step | None:
    """Read one step by the word that says what it does."""
    path: Path = ("steps", name)
    said = [kind for kind in KINDS if kind.WORD in written]
    # A word may be a key of another kind: `page` in a `choose` is no second thing.
    kinds = [kind for kind in said if not any(kind.WORD in _keys_of(other) for other in said if other is not kind)]
    if len(kinds) == 1:
        return _read(kinds[0], written, source, path)
    words = [kind.WORD for kind in KINDS]
    if kinds:
        message = Text("step '{name}' has {words}", name=name, words=_all_of(kinds))
        source.finding("E202", source.place(path, key=True), message, Text("make two steps of it"))
        return None
    near = next((key for key in written if key not in ("then", "when")), "")
    message = Text("step '{name}' does not say what it does", name=name)
    source.finding("E201", source.place(path, key=True), message, did_you_mean(near, words))
    return None


def _all_of(kinds: list[type[Step]]) -> Text:
    first, *others = kinds
    said = Text("`{word}`", word=first.WORD)
    for kind in others:
        said = Text("{words} and `{word}`", words=said, word=kind.WORD)
    return said


def _read(model: type[M], data: Mapping[str, Any], source: Source, path: Path) -> M | None:
    try:
        return model.model_validate(data)
    except ValidationError as error:
        complaints = [(_place_of(complaint["loc"], source, path), complaint) for complaint in error.errors()]
        told = {where for where, complaint in complaints if _is_misspelt_beside(model, where, complaint, complaints)}
        for where, complaint in complaints:
            # A list that is wrong only because something in it is wrong is not complained of as well.
            blamed_below = any(len(other) > len(where) and other[: len(where)] == where for other, _ in complaints)
            if where not in told and not blamed_below:
                told.add(where)
                _tell(model, complaint, source, where, nested=len(where) - len(path) > 1)
        return None


def _is_misspelt_beside(
    model: type[BaseModel], where: Path, complaint: Mapping[str, Any], all_of_them: list[tuple[Path, Any]]
) -> bool:
    """A key that is missing because it is misspelt beside is one mistake: the misspelt one tells which is meant."""
    return complaint["type"] == "missing" and any(
        other["type"] == "extra_forbidden"
        and place[:-1] == where[:-1]
        and suggest(str(place[-1]), _keys_of(model)) == where[-1]
        for place, other in all_of_them
    )


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
        message = Text("'{word}' has no meaning here", word=word)
        source.finding("E110", source.place(where, key=True), message, did_you_mean(word, known))
    elif kind == "missing":
        missing = str(where[-1])
        message, mend = Text("`{key}` is missing", key=missing), Text("add `{key}: ...`", key=missing)
        source.finding("E111", source.place(where[:-1], key=True), message, mend)
    else:
        source.finding("E112", source.place(where), *_value_words(complaint))


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


def _value_words(complaint: Mapping[str, Any]) -> tuple[Text, Text]:
    """Say what is wrong with a value, and how to write it, in a clerk's words."""
    kind, written, context = str(complaint["type"]), complaint["input"], complaint.get("ctx", {})
    error = context.get("error")
    if isinstance(error, NotUnderstoodError):
        return error.message, error.mend
    if written is None:
        return Text("nothing is written here"), Text("write a value after the colon, or remove the key")
    if kind in ("enum", "literal_error"):
        known = _QUOTED.findall(str(context["expected"])) or [str(context["expected"])]
        return Text("{written} is not possible here", written=_shown(written)), did_you_mean(str(written), known)
    return _limit_words(kind, written, context) or _kind_words(kind, written)


def _limit_words(kind: str, written: object, context: Mapping[str, Any]) -> tuple[Text, Text] | None:
    shown = _shown(written)
    match kind:
        case "greater_than_equal":
            return Text("{written} is too small", written=shown), Text("write at least {limit}", limit=context["ge"])
        case "less_than_equal":
            return Text("{written} is too great", written=shown), Text("write at most {limit}", limit=context["le"])
        case "too_short":
            return Text("{written} is empty", written=shown), Text(
                "write at least {limit}", limit=context["min_length"]
            )
        case "too_long":
            most = context["max_length"]
            return Text("{written} is too long", written=shown), Text("write at most {limit}", limit=most)
    return None


def _kind_words(kind: str, written: object) -> tuple[Text, Text]:
    shown = _shown(written)
    match kind:
        case "string_type":
            message = Text("one text is expected here, not {written}", written=shown)
            if isinstance(written, (bool, int)):
                return message, Text("put it in quotes: '{value}'", value=_plain(written))
            return message, Text("write one word or one text")
        case "dict_type":
            message = Text("lines of `key: value` are expected here, not {written}", written=shown)
            return message, Text("write them below this line, indented by two spaces")
        case "model_type":
            message = Text("a prompt or a read-out is expected here, not {written}", written=shown)
            return message, Text("write the name of a prompt, or for example `amount: balance`")
        case "tuple_type" | "list_type":
            message = Text("a list is expected here, not {written}", written=shown)
            return message, Text("write it in brackets: [first, second]")
        case "int_parsing" | "int_type" | "int_from_float":
            message = Text("a whole number is expected here, not {written}", written=shown)
            return message, Text("write it in digits, for example 3")
    message = Text("{written} cannot be understood here", written=shown)
    return message, Text("see the page of this step in the manual")


def _shown(written: object) -> Text:
    if isinstance(written, dict):
        return Text("a block of `key: value`")
    if isinstance(written, (list, tuple)):
        return Text("a list")
    return Text("'{value}'", value=_plain(written))


def _plain(written: object) -> str:
    return str(written).lower() if isinstance(written, bool) else str(written)


_QUOTED: Final = re.compile(r"'([^']*)'")
