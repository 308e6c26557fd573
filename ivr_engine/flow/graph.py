"""A picture of a flow, as Mermaid text: steps as nodes, arms as edges.

Knows compiled flows and Mermaid's flowchart syntax (mermaid.js.org/syntax/flowchart). Must not know calls or files.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Final

from ivr_engine.flow.model import CompiledFlow, CompiledStep, Library

_SHAPES: Final[Mapping[str, tuple[str, str]]] = MappingProxyType(
    {
        "say": ("(", ")"),  # rounded: something is heard
        "language": ("(", ")"),
        "menu": ("{{", "}}"),  # hexagon: something is asked
        "confirm": ("{{", "}}"),
        "choose": ("{{", "}}"),
        "pause": ("{{", "}}"),
        "collect": ("[/", "/]"),  # slanted: something is typed
        "secret": ("[/", "/]"),
        "if": ("{", "}"),  # diamond: two ways
        "switch": ("{", "}"),
        "hours": ("{", "}"),
        "split": ("{", "}"),
        "set": ("[", "]"),
        "do": ("[(", ")]"),  # drum: the bank
        "run": ("[[", "]]"),  # double border: another flow
        "hand_over": ("[[", "]]"),
        "queue": ("((", "))"),  # circle: a human
        "return": ("([", "])"),  # pill: the end
        "hang_up": ("([", "])"),
    }
)
_OTHER_SHAPE: Final = ("[", "]")


def mermaid(library: Library, flow: str) -> str:
    """Return the flow as a Mermaid flowchart; raise `KeyError` when the library has no such flow.

    A step that runs another flow is drawn as a subroutine and names it. Steps and arms stand in the order of the file.
    """
    drawn = library.flows[flow]
    ids = {name: f"s{number}" for number, name in enumerate(drawn.steps)}
    lines = ["flowchart TD", f'    begin((" ")) --> {ids[drawn.start]}']
    lines += [f"    {_node(ids[step.name], step)}" for step in drawn.steps.values()]
    lines += [f"    {edge}" for edge in _edges(drawn, ids)]
    return "\n".join(lines) + "\n"


def _node(identifier: str, step: CompiledStep) -> str:
    opening, closing = _SHAPES.get(step.word, _OTHER_SHAPE)
    other = step.runs or step.hands_over_to
    label = f"{step.name}<br/>{step.word}" if other is None else f"{step.name}<br/>{step.word} {other}"
    return f'{identifier}{opening}"{_quoted(label)}"{closing}'


def _edges(flow: CompiledFlow, ids: Mapping[str, str]) -> Iterator[str]:
    """Draw outcomes that lead to the same step as one edge; an only outcome needs no label."""
    for step in flow.steps.values():
        targets: dict[str, list[str]] = {}
        for outcome in step.outcomes:
            if outcome in step.arms:
                targets.setdefault(step.arms[outcome], []).append(outcome.replace("_", " "))
        for target, outcomes in targets.items():
            label = "" if len(step.outcomes) == 1 else f'|"{_quoted(", ".join(outcomes))}"|'
            yield f"{ids[step.name]} -->{label} {ids[target]}"


def _quoted(text: str) -> str:
    """Return text that may stand between double quotes; `<br/>` stays."""
    return text.replace("&", "#amp;").replace('"', "#quot;")
