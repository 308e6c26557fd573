"""The hotline's own world for tests of flows: its prompts, operations and queues."""

from __future__ import annotations

import functools
import pathlib
import textwrap
from collections.abc import Mapping
from typing import Final

from ivr_engine.calls.operations import SIGNATURES
from ivr_engine.flow.findings import Finding
from ivr_engine.flow.library import build_library, compile_library, load_library
from ivr_engine.flow.model import Library
from ivr_engine.flow.scope import World
from ivr_engine.speech.catalogue import Catalogue

PROJECT: Final = pathlib.Path(__file__).parents[2]
FLOWS: Final = PROJECT / "flows"


@functools.cache
def catalogue() -> Catalogue:
    """Return the shipped prompts."""
    return Catalogue.load(PROJECT / "prompts")


def world() -> World:
    """Return the world that the shipped flows are checked against."""
    return World(catalogue(), SIGNATURES, frozenset({"service"}), skills=frozenset({"en", "credit_cards"}))


@functools.cache
def shipped() -> Library:
    """Return the shipped flows, compiled."""
    library = load_library(FLOWS, world())
    assert library.findings == (), "\n".join(finding.render() for finding in library.findings)
    return library


def library_of(**texts: str) -> Library:
    """Compile flows written in a test, each by itself; flow `a` is file `a.yaml`."""
    return compile_library(_files(texts), world())


def proved_library_of(**texts: str) -> Library:
    """Compile flows written in a test and prove them together, as those that callers meet."""
    return build_library(_files(texts), world())


def _files(texts: Mapping[str, str]) -> dict[str, tuple[str, str]]:
    return {name: (f"{name}.yaml", textwrap.dedent(text)) for name, text in texts.items()}


def findings_of(text: str, **others: str) -> tuple[Finding, ...]:
    """Return the findings of a flow `a`, written in a test together with others."""
    return library_of(a=text, **others).findings


def flow(steps: str, *, top: str = "", start: str = "begin") -> str:
    """Return a whole flow file around some steps, which begin in line 6 (without `top`)."""
    head = f"ivr: 1\ntitle: A test\nlanguages: [cmn, yue, en]\nstart: {start}\n"
    return (
        head
        + textwrap.dedent(top).lstrip("\n")
        + "steps:\n"
        + textwrap.indent(textwrap.dedent(steps).strip("\n"), "  ")
        + "\n"
    )
