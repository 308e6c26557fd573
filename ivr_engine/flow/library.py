"""All flows of a folder, read and checked together, and read again when a file has changed.

Knows files and their fingerprints. Must not know calls. A library with findings never replaces a good one.
"""

from __future__ import annotations

import gc
import hashlib
import pathlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from types import MappingProxyType
from typing import Final

from ivr_engine.flow.checker import check_flow, check_nesting
from ivr_engine.flow.compiler import compile_flow, interface_of
from ivr_engine.flow.experience import advise
from ivr_engine.flow.findings import Finding, Place, in_order
from ivr_engine.flow.model import CompiledFlow, Library
from ivr_engine.flow.proof import prove
from ivr_engine.flow.proof.groups import groups_to_prove
from ivr_engine.flow.reading import read_file
from ivr_engine.flow.scope import Interface, World
from ivr_engine.flow.source import read_source
from ivr_engine.flow.waiting import check_waiting
from ivr_engine.flow.wording import Text

FILES_MAX: Final = 1000
SUFFIX: Final = ".yaml"
TEST_SUFFIX: Final = ".test.yaml"
"""Tests of flows stand beside them, and are none."""


def load_library(folder: pathlib.Path, world: World) -> Library:
    """Read and check every `*.yaml` below `folder`; a file that cannot be read is a finding."""
    texts: dict[str, tuple[str, str]] = {}
    findings: list[Finding] = []
    unreadable: list[str] = []
    paths = flow_files(folder)
    for path in paths[:FILES_MAX]:
        name = path.relative_to(folder).with_suffix("").as_posix()
        try:
            texts[name] = (str(path), path.read_bytes().decode("utf-8"))
        except UnicodeDecodeError as error:
            line = 1 + bytes(error.object[: error.start]).count(b"\n")
            place = Place(str(path), line, 1)
            mend = Text("save it again with encoding UTF-8")
            findings.append(Finding(place, "E101", Text("the file is not UTF-8 text"), mend))
            unreadable.append(name)
        except OSError as error:
            message = Text("the file cannot be read: {why}", why=error.strerror)
            mend = Text("let the hotline's user read it")
            findings.append(Finding(Place(str(path), 1, 1), "E101", message, mend))
            unreadable.append(name)
    if len(paths) > FILES_MAX:
        message = Text("there are more than {most} flows in this folder", most=FILES_MAX)
        findings.append(Finding(Place(str(folder), 1, 1), "E101", message, Text("join small flows")))
    if not paths:
        message, mend = Text("there is no flow in this folder"), Text("add a file whose name ends in {end}", end=SUFFIX)
        findings.append(Finding(Place(str(folder), 1, 1), "E101", message, mend))
    library = build_library(texts, world, unreadable)
    return Library(library.version, library.flows, in_order((*findings, *library.findings)), library.advice)


def build_library(texts: Mapping[str, tuple[str, str]], world: World, unreadable: Iterable[str] = ()) -> Library:
    """Check flows given as name -> (file name for findings, text), and prove them when each is sound by itself.

    `unreadable` ones exist, with findings elsewhere.
    """
    with _garbage_left_alone():
        return _built(texts, world, tuple(unreadable), proved=True)


def compile_library(texts: Mapping[str, tuple[str, str]], world: World) -> Library:
    """Check flows each by itself only: for single steps that are looked at, never for calls."""
    with _garbage_left_alone():
        return _built(texts, world, (), proved=False)


def _built(texts: Mapping[str, tuple[str, str]], world: World, missing: tuple[str, ...], *, proved: bool) -> Library:
    sources = {name: read_source(file, text) for name, (file, text) in texts.items()}
    files = {name: read_file(source) for name, source in sources.items()}
    good = {name: file for name, file in files.items() if file is not None}
    interfaces: dict[str, Interface | None] = dict.fromkeys((*missing, *texts))
    interfaces.update((name, interface_of(file)) for name, file in good.items())
    flows: dict[str, CompiledFlow] = {}
    for name, file in good.items():
        source = sources[name]
        flows[name] = compile_flow(name, source, file, world, interfaces)
        check_flow(flows[name], source)
    check_nesting(flows, sources)
    check_waiting(flows, sources, world.operations)
    if proved:
        for group in groups_to_prove(flows, sources, all_are_there=len(flows) == len(interfaces)):
            prove(group, sources, world.limits, world.first_flow)
            if not any(sources[name].findings for name in group):
                advise(group, sources, world)
    findings = in_order(finding for source in sources.values() for finding in source.findings)
    advice = in_order(advice for source in sources.values() for advice in source.advice)
    return Library(_version(texts), MappingProxyType(flows), findings, advice)


@contextmanager
def _garbage_left_alone() -> Iterator[None]:
    """Keep the garbage collector from walking, again and again, over all that is being built and kept.

    Without this the time for 10,000 steps grows with their square.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


class FlowFolder:
    """The flows of a folder, with the last good library kept while an edited one has findings."""

    def __init__(self, folder: pathlib.Path, world: World) -> None:
        self._folder = folder
        self._world = world
        self._fingerprint: tuple[tuple[str, int, int], ...] | None = None
        self._library = self._read = Library("", MappingProxyType({}), ())

    def refresh(self) -> Library:
        """Read the folder again if a file has changed; return what was read last (the same object), with its findings.

        The library used for calls (`current`) changes only when there are no findings.
        """
        fingerprint = tuple(_fingerprint(path) for path in flow_files(self._folder))
        if fingerprint == self._fingerprint:
            return self._read
        self._fingerprint = fingerprint
        self._read = load_library(self._folder, self._world)
        if not self._read.findings:
            self._library = self._read
        return self._read

    @property
    def current(self) -> Library:
        """The newest library without findings; empty before the first good one."""
        return self._library


def flow_files(folder: pathlib.Path) -> list[pathlib.Path]:
    """Return every flow of a folder; tests of flows stand beside them and are none."""
    return sorted(path for path in folder.rglob(f"*{SUFFIX}") if not path.name.endswith(TEST_SUFFIX))


def _fingerprint(path: pathlib.Path) -> tuple[str, int, int]:
    try:
        status = path.stat()
    except OSError:
        return (str(path), 0, 0)
    return (str(path), status.st_mtime_ns, status.st_size)


def _version(texts: Mapping[str, tuple[str, str]]) -> str:
    digest = hashlib.sha256()
    for name in sorted(texts):
        digest.update(f"{name}\0{texts[name][1]}\0".encode())
    return digest.hexdigest()[:16]
