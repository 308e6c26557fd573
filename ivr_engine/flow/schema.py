"""A JSON Schema (draft-07) of flow files, with which editors complete what is typed and mark what is wrong.

Knows the models of the file and of the kinds, and what yaml-language-server makes of a schema. Must not know any one
kind, nor files: a kind's models say what it takes, its sample is what is offered.

Which kind a step is follows from its word: `allOf` of `if: {required: [word]}`, so that an editor speaks of that kind
alone, and not of all kinds that the step is not.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

from ivr_engine.flow.call import FACTS
from ivr_engine.flow.library import build_library
from ivr_engine.flow.manual import default_words
from ivr_engine.flow.model import FlowFile
from ivr_engine.flow.nodes import KINDS
from ivr_engine.flow.samples import SAMPLES, flow_around, sample_of
from ivr_engine.flow.scope import World
from ivr_engine.flow.source import read_source
from ivr_engine.flow.speaking import NAMES_OF
from ivr_engine.flow.step import Step
from ivr_engine.flow.uses import PROMPTS
from ivr_engine.flow.values import Variable

DRAFT: Final = "http://json-schema.org/draft-07/schema#"
VARIABLE_NAME: Final = r"^[A-Za-z_][A-Za-z0-9_]*$"

Schema = dict[str, Any]
Names = Mapping[str, frozenset[str]]
"""Sort (`prompts`, `operations`, ...) -> the names that there are."""


def flow_schema(names: Names | None = None, fields: Mapping[tuple[str, str], str] | None = None) -> Schema:
    """Return the schema; with `names`, what stands in a key that takes one of a sort has to be one of them.

    `fields` says which key of which kind (its word, the key) takes which sort; `fields_with_names` finds that out.
    """
    root = _of_model(FlowFile)
    definitions = dict(root.pop("definitions", {}))
    kinds: list[Schema] = []
    for kind in KINDS:
        schema = _of_model(kind)
        definitions.update(schema.pop("definitions", {}))
        for (word, key), sort in (fields or {}).items():
            if word == kind.WORD:
                schema["properties"][key][NAMES_OF] = sort
        definitions[_definition(kind)] = schema
        kinds.append({"if": {"required": [kind.WORD]}, "then": {"$ref": f"#/definitions/{_definition(kind)}"}})
    definitions["step"] = _step(kinds)
    steps = root["properties"]["steps"]
    steps["additionalProperties"] = {"$ref": "#/definitions/step"}
    steps["defaultSnippets"] = [
        {"label": kind.WORD, "description": kind.SUMMARY, "body": _sample(kind)}
        for kind in KINDS
        if kind.WORD in SAMPLES
    ]
    head = {"$schema": DRAFT, "title": "A flow of the telephone hotline", "description": "See flows/README.md."}
    whole: Schema = {**head, **{key: value for key, value in root.items() if key not in head}}
    whole["definitions"] = dict(sorted(definitions.items()))
    made: Schema = _with_names(whole, names or {})
    return made


def fields_with_names(world: World, others: Mapping[str, tuple[str, str]]) -> dict[tuple[str, str], str]:
    """Return which key of which kind takes a name of which sort, as the samples show: (word, key) -> sort."""
    found: dict[tuple[str, str], str] = {}
    for kind in KINDS:
        texts = {**others, "sample": ("sample", flow_around(kind.WORD))}
        library = build_library(texts, world)
        name = sample_of(kind.WORD).partition(":")[0]
        source = read_source(*texts["sample"])
        step = library.flows["sample"].steps.get(name)
        keys = {source.place(("steps", name, key)): key for key in _keys(kind)}
        for use in step.uses if step is not None else ():
            if use.sort != PROMPTS and use.place in keys:
                found[kind.WORD, keys[use.place]] = use.sort
    return found


def _definition(kind: type[Step]) -> str:
    return f"step_{kind.WORD}"


def _step(kinds: list[Schema]) -> Schema:
    words = [kind.WORD for kind in KINDS]
    said = f"A step does one thing, which its first word says: {', '.join(words)}."
    return {
        "type": "object",
        "description": said,
        "properties": {
            **{kind.WORD: {"markdownDescription": _page(kind), "description": kind.SUMMARY} for kind in KINDS},
            **{key: {"description": Step.model_fields[key].description} for key in Step.model_fields},
        },
        "defaultSnippets": [
            {"label": kind.WORD, "description": kind.SUMMARY, "body": next(iter(_sample(kind).values()))}
            for kind in KINDS
            if kind.WORD in SAMPLES
        ],
        "if": {"anyOf": [{"required": [word]} for word in words]},
        "else": {"not": {}, "errorMessage": said},
        "allOf": kinds,
    }


def _sample(kind: type[Step]) -> dict[str, Any]:
    data = read_source("sample", sample_of(kind.WORD)).data
    if not isinstance(data, dict):
        message = f"the sample of `{kind.WORD}` is no step"
        raise TypeError(message)
    return data


def _page(kind: type[Step]) -> str:
    sample = f"\n\n```yaml\n{sample_of(kind.WORD)}```" if kind.WORD in SAMPLES else ""
    return kind.SUMMARY + sample


def _keys(model: type[BaseModel]) -> dict[str, FieldInfo]:
    return {field.alias or name: field for name, field in model.model_fields.items()}


def _of_model(model: type[BaseModel]) -> Schema:
    """Return a model's schema as it is written by authors, with the definitions that it needs."""
    generated = model.model_json_schema(
        by_alias=True, ref_template="#/definitions/{model}", schema_generator=_AsWritten, mode="validation"
    )
    schema: Schema = _plain(generated)
    if "$defs" in schema:
        schema["definitions"] = schema.pop("$defs")
    if issubclass(model, Step):
        schema["title"] = f"`{model.WORD}`"
        schema["description"] = model.SUMMARY
    for key, field in _keys(model).items():
        written = schema["properties"][key]
        if field.description:
            written["description"] = field.description
            if isinstance(field.default, (str, int)):
                written["markdownDescription"] = f"{field.description}\n\nIf left out: {default_words(field)}."
        if issubclass(model, Step) and key == model.WORD:
            written["markdownDescription"] = _page(model)
        if _holds_variables(field):
            written["propertyNames"] = {"pattern": VARIABLE_NAME, "not": {"enum": sorted(FACTS)}}
    return schema


def _holds_variables(field: FieldInfo) -> bool:
    arguments = getattr(field.annotation, "__args__", ())
    return any(Variable in (one, getattr(one, "__origin__", None)) for one in arguments)


class _AsWritten(GenerateJsonSchema):
    """Takes what an author writes, not what becomes of it; every form of its own has to say how it is written."""

    def function_before_schema(self, schema: core_schema.BeforeValidatorFunctionSchema) -> JsonSchemaValue:
        if "json_schema_input_schema" not in schema:
            message = f"{schema['function']} does not say what authors write: give it a `json_schema_input_type`"
            raise TypeError(message)
        return self.generate_inner(schema["json_schema_input_schema"])


def _plain(schema: Any) -> Any:  # noqa: ANN401 # JSON of any form
    """Leave out what tells an author nothing: titles made of names, defaults, and `null` as a choice."""
    if isinstance(schema, list):
        return [_plain(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    plain: Schema = {}
    for key, value in schema.items():
        if key in ("properties", "$defs"):
            plain[key] = {name: _plain(one) for name, one in value.items()}
        elif key not in ("title", "default", "discriminator"):
            plain[key] = _plain(value)
    choices = [one for one in plain.pop("anyOf", []) if one.get("type") != "null"]
    return plain | _one_of_types(choices) if choices else plain


def _one_of_types(choices: list[Schema]) -> Schema:
    """Join choices of different types into one schema, of which an editor can say what is wrong.

    What is said of a text does not touch a list, and so on; only fixed values and models stand apart.
    """
    if len(choices) == 1:
        return choices[0]
    types = [one.get("type", "object" if "$ref" in one else None) for one in choices]
    if (
        not all(isinstance(one, str) for one in types)
        or len(set(types)) < len(types)
        or any("enum" in one or "const" in one for one in choices)
    ):
        return {"anyOf": choices}
    joined: Schema = {"type": types}
    for one in choices:
        if "$ref" in one:
            joined |= {"if": {"type": "object"}, "then": one}
        else:
            joined |= {key: value for key, value in one.items() if key != "type"}
    return joined


def _with_names(schema: Any, names: Names) -> Any:  # noqa: ANN401 # JSON of any form
    """Put the known names where a mark says that one of them has to stand, and take the marks away."""
    if isinstance(schema, list):
        return [_with_names(one, names) for one in schema]
    if not isinstance(schema, dict):
        return schema
    made: Schema = {key: _with_names(value, names) for key, value in schema.items() if key != NAMES_OF}
    known = sorted(names.get(str(schema.get(NAMES_OF)), ()))
    if known:
        # A list or a block may stand in the same place: only a text is compared with the names.
        listed: Schema = {"enum": known}
        if schema[NAMES_OF] == PROMPTS:
            listed = {"anyOf": [listed, {"pattern": r"\{\w+\}"}]}
        made["allOf"] = [*made.get("allOf", []), {"if": {"type": "string"}, "then": listed}]
    return made
