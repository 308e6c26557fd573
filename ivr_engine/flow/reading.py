"""From the data of a file to its models, with pydantic's complaints told as findings.

Knows how a complaint maps to a place and to plain words. Must not know what a step does.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from ivr_engine.flow.findings import did_you_mean
from ivr_engine.flow.model import FlowFile
from ivr_engine.flow.nodes import KINDS
from ivr_engine.flow.source import Path, Source
from ivr_engine.flow.speaking import Part
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
        for complaint in error.errors(include_url=False):
            _tell(model, complaint, source, path)
        return None


def _tell(model: type[BaseModel], complaint: Mapping[str, Any], source: Source, path: Path) -> None:
    where = (*path, *complaint["loc"])
    kind = str(complaint["type"])
    if kind == "extra_forbidden":
        word = str(where[-1])
        known = _keys_at(model, complaint["loc"][:-1])
        source.finding(
            "E110", source.place(where, key=True), f"'{word}' has no meaning here", did_you_mean(word, known)
        )
    elif kind == "missing":
        missing = str(where[-1])
        source.finding("E111", source.place(where[:-1], key=True), f"`{missing}` is missing", f"add `{missing}: ...`")
    else:
        message, mend = _value_words(complaint)
        source.finding("E112", source.place(where), message, mend)


def _keys_at(model: type[BaseModel], loc: Sequence[str | int]) -> list[str]:
    if loc:
        return list(Part.model_fields)
    return [field.alias or name for name, field in model.model_fields.items()]


def _value_words(complaint: Mapping[str, Any]) -> tuple[str, str]:
    if complaint["type"] == "value_error":
        return str(complaint["ctx"]["error"]), "write it so"
    written = complaint["input"]
    shown = "nothing" if written is None else f"'{written}'"
    words = str(complaint["msg"])
    return f"{shown} cannot be understood here: {words[:1].lower()}{words[1:]}", "see the manual page of this step"
