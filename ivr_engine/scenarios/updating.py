"""Rewrites `heard in order` in the text of a test from what was heard; everything else stays, comments too.

Knows the text of a test and where its list stands. Must not know whether the list was wrong. Items that still fit what
was heard stay as they are written, with their comments and their read-outs; a list in one line stays one.
"""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Sequence
from difflib import SequenceMatcher
from typing import Final

import yaml

from ivr_engine.scenarios.model import Listing, Wanted
from ivr_engine.scenarios.reading import HEARD
from ivr_engine.values.language import Language

WIDTH: Final = 110


def name_in(language: Language, name: str) -> str:
    """Return how a test in a language names a recording (`<language>/<id>`)."""
    return name.removeprefix(f"{language.value}/")


def rewritten(text: str, language: Language, heard: Sequence[str], read: Callable[[str], Listing]) -> str:
    """Return the text with its list rewritten; `read` reads the written items of a list, one line each.

    A test without such a list is returned as it is.
    """
    node = _list_node(text)
    if node is None:
        return text
    names = [name_in(language, name) for name in heard]
    lines = text.split("\n")
    first, last = node.start_mark, node.end_mark
    if node.flow_style or not node.value:
        before, after = lines[first.line][: first.column], lines[last.line][last.column :]
        lines[first.line : last.line + 1] = [before + in_brackets(names, before) + after]
        return "\n".join(lines)
    indent = " " * (first.column)
    items = [item.start_mark.line for item in node.value]
    end = items[-1] + 1
    pieces = [lines[begin:stop] for begin, stop in zip(items, [*items[1:], end], strict=True)]
    # A comment above an item belongs to it, not to the item before.
    moved: list[list[str]] = []
    carried: list[str] = []
    for piece in pieces:
        own = [piece[0]]
        moved.append(carried + own)
        carried = piece[1:]
    lines[items[0] : end] = _merged(moved, [read(piece[-1].strip()) for piece in moved], names, heard, indent)
    return "\n".join(lines)


def _list_node(text: str) -> yaml.SequenceNode | None:
    root = yaml.compose(text, Loader=yaml.SafeLoader)
    for wanted in ("expect", HEARD):
        if not isinstance(root, yaml.MappingNode):
            return None
        root = next((value for key, value in root.value if key.value == wanted), None)
    return root if isinstance(root, yaml.SequenceNode) else None


def in_brackets(names: Sequence[str], before: str) -> str:
    """Return a list in brackets as it stands after `before`, in as many lines as it needs."""
    one_line = f"[{', '.join(names)}]"
    if len(before) + len(one_line) <= WIDTH:
        return one_line
    indent = " " * (len(before) - len(before.lstrip()) + 2)
    body = textwrap.fill(", ".join(names), WIDTH, initial_indent=indent, subsequent_indent=indent)
    return f"[\n{body}\n{indent[2:]}]"


def _merged(
    pieces: Sequence[list[str]], read: Sequence[Listing], names: Sequence[str], heard: Sequence[str], indent: str
) -> list[str]:
    """Keep every written item whose recordings were all heard at its place; write the others anew."""
    old: list[tuple[int, Wanted]] = [(n, wanted) for n, one in enumerate(read) for wanted in one.wanted]
    # Two sides are alike where the heard name is the wanted one: compare by what each wanted is heard as.
    by_name = [next((name for name in heard if wanted.is_heard_in(name)), str(wanted)) for _, wanted in old]
    blocks = SequenceMatcher(None, by_name, list(heard), autojunk=False).get_matching_blocks()
    at_of: dict[int, int] = {}
    for block in blocks:
        at_of.update({block.a + n: block.b + n for n in range(block.size)})
    lines: list[str] = []
    done = 0
    for number, piece in enumerate(pieces):
        own = [n for n, (item, _) in enumerate(old) if item == number]
        places = [at_of[n] for n in own if n in at_of]
        if not own or len(places) != len(own) or places != list(range(places[0], places[0] + len(own))):
            continue
        if places[0] < done:
            continue
        lines += [f"{indent}- {name}" for name in names[done : places[0]]]
        lines += piece
        done = places[-1] + 1
    return lines + [f"{indent}- {name}" for name in names[done:]]
