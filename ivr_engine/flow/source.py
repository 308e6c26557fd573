"""YAML into plain data, with the line and column of every key and value.

Knows YAML's traps and says each in a clerk's words. Must not know what a flow is. Reads with `compose` only, so that
nothing is resolved behind the author's back: `07`, `on` and `12:30` stay the text that was written.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

import yaml

from ivr_engine.flow.findings import Finding, Place
from ivr_engine.flow.wording import Text

SOURCE_BYTES_MAX: Final = 1_000_000
DEPTH_MAX: Final = 20
FINDINGS_MAX: Final = 100
"""How many findings of one file are kept."""
SHOWN_CHARACTERS_MAX: Final = 300
"""How much of a source line a finding shows."""

Path = tuple[str | int, ...]
Data = None | bool | int | str | list["Data"] | dict[str, "Data"]

_INTEGER: Final = re.compile(r"-?(0|[1-9]\d{0,17})", re.ASCII)
_WORDS: Final[Mapping[str, bool | None]] = {"true": True, "false": False, "null": None, "~": None, "": None}
_LOST_HASH_KEY: Final = re.compile(r"^\s*(#)\s*:\s*\S")
_WIDE_COLON: Final = re.compile(r"^\s*(?:- )?[^\s:#'\"：][^:#'\"：]*(：)")
_WIDE_COLON_AFTER_KEY: Final = re.compile(r"^\s*(?:- )?[A-Za-z]\w*：", re.ASCII)
_LINE_BREAK: Final = re.compile("\r\n|[\n\r\x85\u2028\u2029]")
"""What YAML 1.1 takes for the end of a line; `str.splitlines` knows more, and would count otherwise."""
_NOT_YAML: Final = re.compile("[^\\t\\n\\r\x20-\x7e\\x85\\xa0-\\ud7ff\\ue000-\\ufffd\\U00010000-\\U0010ffff]")


@dataclass(slots=True)
class Source:
    """One file: its data, and where each key and value stands (keys of `keys` and `values` are paths into the data).

    `ends` has, for a key or value within one line, the column after its last character.
    """

    file: str
    lines: list[str]
    data: Data = None
    keys: dict[Path, Place] = field(default_factory=dict)
    values: dict[Path, Place] = field(default_factory=dict)
    ends: dict[Place, int] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)
    advice: list[Finding] = field(default_factory=list)

    def place(self, path: Path, *, key: bool = False) -> Place:
        """Return the place of a path, or of the nearest parent that is written in the file."""
        while path:
            places = (self.keys, self.values) if key else (self.values, self.keys)
            for known in places:
                if path in known:
                    return known[path]
            # One text may be written where a list could be: then its only item stands where the value does.
            path, key = path[:-1], key or not isinstance(path[-1], int)
        return Place(self.file, 1, 1)

    def finding(self, code: str, place: Place, message: Text, mend: Text, *, path: Text | None = None) -> None:
        """Note a finding with its source line; of a file with very many the first are enough."""
        if len(self.findings) < FINDINGS_MAX:
            self.findings.append(self._found(code, place, message, mend, path))

    def advise(self, code: str, place: Place, message: Text, mend: Text) -> None:
        """Note advice with its source line: what could be better, and keeps no flow from a call."""
        if len(self.advice) < FINDINGS_MAX:
            self.advice.append(self._found(code, place, message, mend, None))

    def _found(self, code: str, place: Place, message: Text, mend: Text, path: Text | None) -> Finding:
        line = self.lines[place.line - 1] if 0 < place.line <= len(self.lines) else ""
        shown = line.rstrip()[:SHOWN_CHARACTERS_MAX]
        return Finding(place, code, message, mend, shown, self.ends.get(place), path)


def read_source(file: str, text: str) -> Source:
    """Read YAML; a text that cannot be read gives a `Source` with findings and no data."""
    source = Source(file, _LINE_BREAK.split(text))
    if len(text.encode(errors="surrogatepass")) > SOURCE_BYTES_MAX:
        message = Text("the file is larger than {limit} bytes", limit=SOURCE_BYTES_MAX)
        source.finding("E101", Place(file, 1, 1), message, Text("split the flow"))
        return source
    if _note_strange_character(source):
        return source
    try:
        if _note_what_flows_do_without(source, text):
            return source
        root = yaml.compose(text, Loader=yaml.CSafeLoader)
    except yaml.MarkedYAMLError as error:
        _note_syntax_error(source, error)
        return source
    if root is None:
        mend = Text("write at least `ivr: 1`, `start` and `steps`")
        source.finding("E101", Place(file, 1, 1), Text("the file is empty"), mend)
        return source
    if isinstance(root, yaml.ScalarNode) and _note_wide_colon(source, root.start_mark.line + 1):
        return source
    source.data = _Walk(source).value(root, ())
    _note_lost_hash_keys(source)
    return source


class _Walk:
    """Turns composed nodes into data; notes places and what flows do not use."""

    def __init__(self, source: Source) -> None:
        self._source = source

    def value(self, node: yaml.Node, path: Path) -> Data:
        place = self._place(node)
        self._source.values[path] = place
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, path)
        if isinstance(node, yaml.SequenceNode):
            return [self.value(item, (*path, index)) for index, item in enumerate(node.value)]
        if isinstance(node, yaml.ScalarNode):
            return self._scalar(node, place)
        raise AssertionError("compose() makes no fourth kind of node")

    def _mapping(self, node: yaml.MappingNode, path: Path) -> dict[str, Data]:
        data: dict[str, Data] = {}
        for key_node, value_node in node.value:
            place = self._place(key_node)
            if not isinstance(key_node, yaml.ScalarNode):
                mend = Text("write one word before the colon")
                self._source.finding("E103", place, Text("a key is not a plain word"), mend)
                continue
            key = str(key_node.value)
            if key == "<<":
                self._source.finding("E103", place, Text("a merge key (<<) is used"), Text("write the keys out"))
                continue
            if key in data:
                first = self._source.keys[*path, key]
                message = Text("'{key}' stands here a second time (first in line {line})", key=key, line=first.line)
                self._source.finding("E102", place, message, Text("remove one"))
                continue
            self._source.keys[*path, key] = place
            data[key] = self.value(value_node, (*path, key))
        return data

    def _scalar(self, node: yaml.ScalarNode, place: Place) -> Data:
        text = str(node.value)
        if node.tag.startswith("!"):
            self._source.finding("E103", place, Text("a tag ({tag}) is used", tag=node.tag), Text("remove it"))
            return text
        if node.style:  # quoted or block text is text
            return text
        if node.end_mark.line > node.start_mark.line:
            if not any(_note_wide_colon(self._source, line) for line in range(place.line, node.end_mark.line + 2)):
                mend = Text("write each `key: value` in a line of its own")
                self._source.finding("E103", place, Text("this value goes on in the next line"), mend)
            text = self._source.lines[place.line - 1][place.column - 1 :].strip()  # what was most likely meant
        if text in _WORDS:
            return _WORDS[text]
        return int(text) if _INTEGER.fullmatch(text) else text

    def _place(self, node: yaml.Node) -> Place:
        start, end = node.start_mark, node.end_mark
        place = Place(self._source.file, start.line + 1, start.column + 1)
        if isinstance(node, yaml.ScalarNode) and end.line == start.line and end.column > start.column:
            self._source.ends[place] = end.column + 1
        return place


def _note_strange_character(source: Source) -> bool:
    """Find a character that no text should hold: a control character, or half of a pair."""
    for number, line in enumerate(source.lines, start=1):
        found = _NOT_YAML.search(line.removeprefix("\ufeff") if number == 1 else line)
        if found:
            place = Place(source.file, number, found.start() + 1)
            message = Text("an invisible character (U+{code:04X}) stands here", code=ord(found.group()))
            source.finding("E101", place, message, Text("delete it and type the text again"))
            return True
    return False


def _note_what_flows_do_without(source: Source, text: str) -> bool:
    """Find blocks nested too deep, anchors and aliases, event by event.

    Composing a thousand blocks in one another would exhaust the stack and end the process, calls and all.
    """
    depth = 0
    for event in yaml.parse(text, Loader=yaml.CSafeLoader):
        if isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
            continue
        mark = event.start_mark
        place = Place(source.file, mark.line + 1, mark.column + 1) if mark is not None else Place(source.file, 1, 1)
        if isinstance(event, yaml.NodeEvent) and event.anchor is not None:
            sign = Text("a star (*)") if isinstance(event, yaml.AliasEvent) else Text("an ampersand (&)")
            mend = Text("put a text in quotes; the star key of the telephone is written `star`")
            source.finding("E103", place, Text("{sign} begins this value", sign=sign), mend)
            return True
        depth += isinstance(event, yaml.CollectionStartEvent)
        if depth > DEPTH_MAX:
            message = Text("blocks are nested more than {limit} deep", limit=DEPTH_MAX)
            mend = Text("no flow needs that: look for brackets that are never closed")
            source.finding("E103", place, message, mend)
            return True
    return False


def _note_syntax_error(source: Source, error: yaml.MarkedYAMLError) -> None:
    mark = error.problem_mark or error.context_mark
    line, column = (mark.line + 1, mark.column + 1) if mark is not None else (1, 1)
    if _note_wide_colon_before(source, line):
        _note_other_wide_colons(source)
        return
    if 0 < line <= len(source.lines) and "\t" in source.lines[line - 1]:
        column = source.lines[line - 1].index("\t") + 1
        place = Place(source.file, line, column)
        source.finding("E101", place, Text("a tab stands here"), Text("use spaces to indent"))
        return
    problem = error.problem or ""
    message, mend = _PLAIN_WORDS.get(problem, _BROKEN)
    if problem == "found unexpected end of stream" and error.context_mark is not None:
        line, column = error.context_mark.line + 1, error.context_mark.column + 1
        message, mend = Text("a quote is opened here and never closed"), Text("close it with the same kind of quote")
    source.finding("E101", Place(source.file, line, column), message, mend)


def _note_wide_colon(source: Source, line: int) -> bool:
    found = _WIDE_COLON.match(source.lines[line - 1]) if 0 < line <= len(source.lines) else None
    if found is None:
        return False
    place = Place(source.file, line, found.start(1) + 1)
    mend = Text("write a plain colon and a space (: )")
    source.finding("E101", place, Text("a full-width colon (：) stands here"), mend)
    return True


def _note_wide_colon_before(source: Source, line: int) -> bool:
    """Look where YAML stops, and in the lines above up to a plain colon, which YAML took for one value."""
    for number in range(line, 0, -1):
        if _note_wide_colon(source, number):
            return True
        if number < line and number <= len(source.lines) and ":" in source.lines[number - 1]:
            return False
    return False


def _note_other_wide_colons(source: Source) -> None:
    """Who types one full-width colon after a key types several: all are told, though YAML stops at the first."""
    known = {finding.place.line for finding in source.findings}
    for number, line in enumerate(source.lines, start=1):
        if number not in known and _WIDE_COLON_AFTER_KEY.match(line):
            _note_wide_colon(source, number)


_BROKEN: Final = (Text("the structure of the file is broken here"), Text("compare with the lines above"))
_SECOND_COLON: Final = (
    Text("a second colon stands in this line, or the line above is not indented alike"),
    Text("put a text that holds a colon in quotes, and indent each level by two spaces"),
)
_NOT_CLOSED: Final = (
    Text("a bracket is opened before this and not closed"),
    Text("close it with ] or }, and part with commas"),
)
_PLAIN_WORDS: Final[Mapping[str, tuple[Text, Text]]] = MappingProxyType(
    {
        "mapping values are not allowed in this context": _SECOND_COLON,
        "could not find expected ':'": (Text("the line above has no colon"), Text("write `key: value`")),
        "did not find expected key": (
            Text("the indentation does not fit"),
            Text("indent like the line above that it belongs to"),
        ),
        "did not find expected '-' indicator": (
            Text("a list item is expected here"),
            Text("begin it with - and a space, or indent the line like the key above the list"),
        ),
        "did not find expected ',' or ']'": _NOT_CLOSED,
        "did not find expected ',' or '}'": _NOT_CLOSED,
        "did not find expected node content": (
            Text("a value is expected here"),
            Text("write one, or remove the comma"),
        ),
        "did not find expected alphabetic or numeric character": (
            Text("a star (*) or an ampersand (&) begins this word"),
            Text("the star key of the telephone is written `star`"),
        ),
        "found character that cannot start any token": (
            Text("this character cannot begin a value"),
            Text("put the text in quotes"),
        ),
        "found unknown escape character": (
            Text("a backslash stands in double quotes"),
            Text("use single quotes around the text"),
        ),
        "but found another document": (
            Text("a line --- begins a second document"),
            Text("remove it: one file holds one flow"),
        ),
    }
)


def _note_lost_hash_keys(source: Source) -> None:
    """A line `#: step` in a menu is a comment to YAML: the key would silently disappear."""
    for number, line in enumerate(source.lines, start=1):
        found = _LOST_HASH_KEY.match(line)
        if found:
            place = Place(source.file, number, found.start(1) + 1)
            message = Text("this line is only a comment: # begins one")
            source.finding("E103", place, message, Text("write the hash key as `hash:`"))
