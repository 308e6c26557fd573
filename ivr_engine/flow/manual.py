"""The parts of the manual that follow from the code: every kind of step with its keys and a sample, and the codes.

Knows the kinds' schemas and one sample of each. Must not know files: whoever calls reads and writes the page.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from pydantic.fields import FieldInfo

from ivr_engine.flow.codes import CODES
from ivr_engine.flow.library import compile_library
from ivr_engine.flow.model import CompiledStep
from ivr_engine.flow.nodes import KINDS
from ivr_engine.flow.nodes.offering import written
from ivr_engine.flow.samples import flow_around, sample_of
from ivr_engine.flow.scope import World
from ivr_engine.flow.step import Step

SECTIONS: Final = ("steps", "codes")
COMMON_KEYS: Final = ("then", "when", "milestone")


def compiled_sample(kind: type[Step], world: World, others: Mapping[str, tuple[str, str]]) -> CompiledStep:
    """Compile the sample of a kind among other flows (name -> file, text); `ValueError` with the findings it has."""
    library = compile_library({**others, "sample": (f"sample of {kind.WORD}", flow_around(kind.WORD))}, world)
    if library.findings:
        raise ValueError("\n".join(finding.render() for finding in library.findings))
    return next(
        step for step in library.flows["sample"].steps.values() if step.name == sample_of(kind.WORD).partition(":")[0]
    )


def updated(page: str, world: World, others: Mapping[str, tuple[str, str]]) -> str:
    """Return the page with its generated sections written anew; `ValueError` when a section's marks are missing."""
    sections = {"steps": _steps(world, others), "codes": _codes()}
    for section in SECTIONS:
        begin, end = f"<!-- {section}: generated -->\n", f"<!-- end of {section} -->"
        before, found, rest = page.partition(begin)
        _, closed, after = rest.partition(end)
        if not found or not closed:
            message = f"the page has no section between {begin.strip()} and {end}"
            raise ValueError(message)
        page = before + begin + sections[section] + end + after
    return page


def _steps(world: World, others: Mapping[str, tuple[str, str]]) -> str:
    return "".join(_kind(kind, compiled_sample(kind, world, others)) for kind in KINDS)


def _kind(kind: type[Step], sample: CompiledStep) -> str:
    rows = "".join(_row(field.alias or name, field) for name, field in _own_fields(kind).items())
    outcomes = ", ".join(f"`{outcome}`" for outcome in sample.outcomes)
    ends = f"It ends in: {outcomes}." if outcomes else "Nothing follows it."
    return (
        f"\n### `{kind.WORD}`\n\n{kind.SUMMARY}\n\n```yaml\n{sample_of(kind.WORD)}```\n\n"
        f"| key | what it says | if left out |\n|---|---|---|\n{rows}\n{ends}\n\n"
    )


def _own_fields(kind: type[Step]) -> dict[str, FieldInfo]:
    """Return the fields of a kind without those that every step has, its word first."""
    fields = {name: field for name, field in kind.model_fields.items() if name not in COMMON_KEYS}
    return dict(sorted(fields.items(), key=lambda pair: (pair[1].alias or pair[0]) != kind.WORD))


def _row(name: str, field: FieldInfo) -> str:
    description = (field.description or "").replace("|", "\\|")
    return f"| `{name}` | {description} | {default_words(field)} |\n"


def default_words(field: FieldInfo) -> str:
    """Say what holds when a key is left out."""
    if field.is_required():
        return "must be there"
    default: Any = field.get_default(call_default_factory=True, validated_data={})
    if default is None or default in ({}, ()):
        return "nothing"
    if isinstance(default, bool):
        return f"`{str(default).lower()}`"
    if isinstance(default, int) and default >= MILLISECONDS_FROM:
        return f"`{default // 1000} s`"
    return f"`{written(default) if isinstance(default, str) else default}`"


MILLISECONDS_FROM: Final = 1000
"""No count in the language is as great as this; a default that is, is a time in milliseconds."""


def _codes() -> str:
    rows = "".join(f"| {code} | {meaning.title} | {meaning.explanation} |\n" for code, meaning in CODES.items())
    return f"\n| code | what is wrong | what it means |\n|---|---|---|\n{rows}\n"
