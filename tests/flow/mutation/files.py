"""Flow files as data that can be changed and written again, meaning the same.

Every scalar is kept as the text that was written, so that `01`, `5 s` and `'622588'` come back as they were.
"""

from __future__ import annotations

import copy
import pathlib
from collections.abc import Iterator, Mapping
from typing import Any

import yaml

from ivr_engine.flow.library import build_library, flow_files
from ivr_engine.flow.model import Library
from ivr_engine.flow.scope import World

Step = dict[str, Any]
Flow = dict[str, Any]
Flows = dict[str, Flow]


class Quoted(str):
    """A text that stands in quotes."""

    __slots__ = ()


class _Writer(yaml.SafeDumper):
    """Writes a word as it was written: bare or in quotes, whatever YAML 1.1 makes of it."""


def _bare(writer: _Writer, text: str) -> yaml.ScalarNode:
    tag = writer.resolve(yaml.ScalarNode, text, (True, False))  # type: ignore[no-untyped-call]  # has no types
    return writer.represent_scalar(tag, text)


def _quoted(writer: _Writer, text: str) -> yaml.ScalarNode:
    return writer.represent_scalar("tag:yaml.org,2002:str", str(text), style='"')


_Writer.add_representer(str, _bare)
_Writer.add_representer(Quoted, _quoted)
_Writer.ignore_aliases = lambda *_: True  # type: ignore[method-assign]  # every block is written out


def read_flows(folder: pathlib.Path) -> Flows:
    """Return every flow of a folder by its name."""
    return {
        path.relative_to(folder).with_suffix("").as_posix(): _data(yaml.compose(path.read_text(encoding="utf-8")))
        for path in flow_files(folder)
    }


def _data(node: yaml.Node | None) -> Any:
    if isinstance(node, yaml.MappingNode):
        return {str(key.value): _data(value) for key, value in node.value}
    if isinstance(node, yaml.SequenceNode):
        return [_data(value) for value in node.value]
    assert isinstance(node, yaml.ScalarNode), "a flow file is not empty"
    return Quoted(node.value) if node.style else node.value


def text_of(flow: Flow) -> str:
    """Return a flow as YAML."""
    return yaml.dump(flow, Dumper=_Writer, sort_keys=False, allow_unicode=True, width=10_000)


def build(flows: Mapping[str, Flow], world: World) -> Library:
    """Check flows."""
    return build_library({name: (f"{name}.yaml", text_of(flow)) for name, flow in flows.items()}, world)


def changed(flows: Flows, name: str) -> tuple[Flows, Flow]:
    """Return the flows with a copy of one of them, and that copy, to be changed."""
    mine = copy.deepcopy(flows[name])
    return {**flows, name: mine}, mine


def steps_of(flows: Flows) -> Iterator[tuple[str, str, Step]]:
    """Return every step: the flow's name, its own, and what is written."""
    for name, flow in flows.items():
        for step, written in flow["steps"].items():
            yield name, step, written
