"""Judges data by a JSON Schema (draft-07), as far as the schema of flows goes; an unknown keyword is an error.

Knows the keywords that the schema uses. Must not know flows.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

ANNOTATIONS: Final = frozenset(
    {"$schema", "title", "description", "markdownDescription", "defaultSnippets", "errorMessage", "definitions"}
)
Schema = Mapping[str, Any]


def complaints(root: Schema, data: Any) -> list[str]:
    """Return what is wrong with the data, each with its path; nothing when it is valid."""
    return list(_Judge(root).judge(root, data, "$"))


class _Judge:
    def __init__(self, root: Schema) -> None:
        self._root = root

    def judge(self, schema: Schema, data: Any, path: str) -> Iterator[str]:
        if "$ref" in schema:  # in draft-07 what stands beside a reference does not count
            found: Any = self._root
            for name in schema["$ref"].removeprefix("#/").split("/"):
                found = found[name]
            yield from self.judge(found, data, path)
            return
        for keyword, value in schema.items():
            if keyword in ANNOTATIONS or keyword in ("then", "else"):
                continue
            if keyword in _SIMPLE:
                if not _SIMPLE[keyword](value, data):
                    yield f"{path}: {data!r} breaks {keyword} {value!r}"
            else:
                yield from getattr(self, f"_{keyword}")(schema, data, path)

    def _valid(self, schema: Schema, data: Any) -> bool:
        return not any(self.judge(schema, data, ""))

    def _if(self, schema: Schema, data: Any, path: str) -> Iterator[str]:
        branch = "then" if self._valid(schema["if"], data) else "else"
        yield from self.judge(schema.get(branch, {}), data, path)

    def _allOf(self, schema: Schema, data: Any, path: str) -> Iterator[str]:  # noqa: N802 # called like the keyword
        for one in schema["allOf"]:
            yield from self.judge(one, data, path)

    def _anyOf(self, schema: Schema, data: Any, path: str) -> Iterator[str]:  # noqa: N802 # called like the keyword
        if not any(self._valid(one, data) for one in schema["anyOf"]):
            yield f"{path}: fits nothing of anyOf"

    def _not(self, schema: Schema, data: Any, path: str) -> Iterator[str]:
        if self._valid(schema["not"], data):
            yield f"{path}: {schema.get('errorMessage', 'is what it must not be')}"

    def _items(self, schema: Schema, data: Any, path: str) -> Iterator[str]:
        for index, item in enumerate(data) if isinstance(data, list) else ():
            yield from self.judge(schema["items"], item, f"{path}[{index}]")

    def _properties(self, schema: Schema, data: Any, path: str) -> Iterator[str]:
        for name, one in schema["properties"].items():
            if isinstance(data, dict) and name in data:
                yield from self.judge(one, data[name], f"{path}.{name}")

    def _additionalProperties(self, schema: Schema, data: Any, path: str) -> Iterator[str]:  # noqa: N802 # called like the keyword
        for name in data if isinstance(data, dict) else ():
            if name not in schema.get("properties", {}):
                if schema["additionalProperties"] is False:
                    yield f"{path}.{name}: has no meaning here"
                elif schema["additionalProperties"] is not True:
                    yield from self.judge(schema["additionalProperties"], data[name], f"{path}.{name}")

    def _propertyNames(self, schema: Schema, data: Any, path: str) -> Iterator[str]:  # noqa: N802 # called like the keyword
        for name in data if isinstance(data, dict) else ():
            yield from self.judge(schema["propertyNames"], name, f"{path} (key {name})")


def _is(kind: str, data: Any) -> bool:
    match kind:
        case "object":
            return isinstance(data, dict)
        case "array":
            return isinstance(data, list)
        case "string":
            return isinstance(data, str)
        case "boolean":
            return isinstance(data, bool)
        case "null":
            return data is None
        case "integer":
            return isinstance(data, int) and not isinstance(data, bool)
    message = f"type {kind}"
    raise KeyError(message)


def _same(one: Any, other: Any) -> bool:
    return type(one) is type(other) and bool(one == other)


_SIMPLE: Final[Mapping[str, Callable[[Any, Any], bool]]] = {
    "type": lambda value, data: any(_is(one, data) for one in ([value] if isinstance(value, str) else value)),
    "enum": lambda value, data: any(_same(one, data) for one in value),
    "const": _same,
    "required": lambda value, data: not isinstance(data, dict) or set(value) <= set(data),
    "minProperties": lambda value, data: not isinstance(data, dict) or len(data) >= value,
    "maxProperties": lambda value, data: not isinstance(data, dict) or len(data) <= value,
    "minItems": lambda value, data: not isinstance(data, list) or len(data) >= value,
    "maxItems": lambda value, data: not isinstance(data, list) or len(data) <= value,
    "minLength": lambda value, data: not isinstance(data, str) or len(data) >= value,
    "maxLength": lambda value, data: not isinstance(data, str) or len(data) <= value,
    "minimum": lambda value, data: not _is("integer", data) or data >= value,
    "maximum": lambda value, data: not _is("integer", data) or data <= value,
    "pattern": lambda value, data: not isinstance(data, str) or re.search(value, data, re.ASCII) is not None,
}
