"""A picture of a flow, as Mermaid text: steps as nodes, arms as edges.

Knows outlines of flows and Mermaid's flowchart syntax (mermaid.js.org/syntax/flowchart). Must not know kinds of steps.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from ivr_engine.flow.model import Library
from ivr_engine.flow.pictures.outline import Arm, Box, Nature, outline_of

_SHAPES: Final[Mapping[Nature, tuple[str, str]]] = MappingProxyType(
    {
        Nature.SPEAKS: ("(", ")"),  # rounded
        Nature.ASKS: ("{{", "}}"),  # hexagon
        Nature.DECIDES: ("{", "}"),  # diamond
        Nature.BANK: ("[(", ")]"),  # drum
        Nature.FLOW: ("[[", "]]"),  # double border
        Nature.HUMAN: ("((", "))"),  # circle
        Nature.ENDS: ("([", "])"),  # pill
        Nature.ENTRY: (">", "]"),  # flag
    }
)


def mermaid(library: Library, flow: str) -> str:
    """Return the flow as a Mermaid flowchart; raise `KeyError` when the library has no such flow.

    A step that runs another flow is drawn as a subroutine and names it. Steps and arms stand in the order of the file;
    an arm that is written at the top of the file is dotted.
    """
    drawn = outline_of(library, flow)
    ids = {name: f"s{number}" for number, name in enumerate(drawn.boxes)}
    lines = ["flowchart TD", f'    begin((" ")) --> {ids[drawn.begins[0]]}']
    lines += [f"    {_node(ids[box.name], box)}" for box in drawn.boxes.values()]
    lines += [f"    {_edge(arm, ids)}" for arm in drawn.arms]
    return "\n".join(lines) + "\n"


def _node(identifier: str, box: Box) -> str:
    opening, closing = _SHAPES[box.nature]
    return f'{identifier}{opening}"{_quoted(f"{box.name}<br/>{box.detail}")}"{closing}'


def _edge(arm: Arm, ids: Mapping[str, str]) -> str:
    label = f'|"{_quoted(", ".join(arm.lines))}"|' if arm.lines else ""
    return f"{ids[arm.source]} {'-.->' if arm.grey else '-->'}{label} {ids[arm.target]}"


def _quoted(text: str) -> str:
    """Return text that may stand between double quotes; `<br/>` stays."""
    return text.replace("&", "#amp;").replace('"', "#quot;")
