"""The schema for editors: it takes every sound flow, and refuses what is wrong in shape."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from functools import cache
from types import MappingProxyType
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ivr_engine.flow.fields import DURATION_MS_MAX, ENTRY_KEYS_MAX, _at_most
from ivr_engine.flow.library import flow_files
from ivr_engine.flow.nodes import KINDS
from ivr_engine.flow.samples import SAMPLES, flow_around
from ivr_engine.flow.schema import DRAFT, fields_with_names, flow_schema
from ivr_engine.flow.source import Data, read_source
from ivr_engine.flow.step import Step
from ivr_engine.flow.uses import FLOWS, OPERATIONS, PROMPTS, QUEUES
from ivr_engine.flow.values import TYPE_WRITTEN
from tests.flow.json_schema import complaints
from tests.flow.mistakes import mistakes
from tests.flow.test_manual import OTHERS
from tests.flow.world import FLOWS as FOLDER
from tests.flow.world import flow, world

SCHEMA: Final = MappingProxyType(flow_schema())
FILE: Final = FOLDER / "flow.schema.json"
SHAPE: Final = frozenset({"E110", "E111", "E112", "E201", "E202"})
NOT_SEEN: Final = MappingProxyType(
    {
        "length the wrong way round": "which of two numbers is greater, no pattern says",
        "reason in several words": "judged when the step is compiled, with the other words of the records",
        "collect without length": "only digits must have one, and what type a variable has stands elsewhere",
        "language that the flow is not spoken in": "what a step may say depends on the head of the file",
    }
)
MISTAKES: Final = MappingProxyType({name: found for name, found in mistakes().items() if found.code in SHAPE})


def data_of(text: str) -> Data:
    return read_source("a.yaml", text).data


def parts(schema: Any) -> Iterator[dict[str, Any]]:
    """Return the schema and every part of it that is a block of keys, but not what snippets write."""
    if isinstance(schema, dict):
        yield schema
        for key, value in schema.items():
            if key != "defaultSnippets":
                yield from parts(value)
    elif isinstance(schema, list):
        for one in schema:
            yield from parts(one)


def test_schema_in_the_flows_folder_is_up_to_date() -> None:
    """To write it anew: ivr schema --out flows/flow.schema.json"""
    assert json.loads(FILE.read_text(encoding="utf-8")) == flow_schema()


@pytest.mark.parametrize("path", flow_files(FOLDER), ids=lambda path: path.stem)
def test_shipped_flow_is_valid_and_names_the_schema_in_its_first_line(path: Any) -> None:
    text = path.read_text(encoding="utf-8")
    assert complaints(SCHEMA, data_of(text)) == []
    head = re.fullmatch(r"# yaml-language-server: \$schema=(\S+)", text.splitlines()[0])
    assert head is not None
    assert (path.parent / head[1]).resolve() == FILE.resolve()


@pytest.mark.parametrize("word", SAMPLES)
def test_sample_is_valid(word: str) -> None:
    assert complaints(SCHEMA, data_of(flow_around(word))) == []


@pytest.mark.parametrize("name", sorted(set(MISTAKES) - set(NOT_SEEN)))
def test_flow_that_is_wrong_in_shape_is_refused(name: str) -> None:
    data = data_of(MISTAKES[name].files["a"])
    found = complaints(SCHEMA, data)
    assert found, MISTAKES[name].message


@pytest.mark.parametrize("name", NOT_SEEN)
def test_what_no_schema_sees_is_left_to_the_check(name: str) -> None:
    assert complaints(SCHEMA, data_of(MISTAKES[name].files["a"])) == []


def test_flow_with_any_other_mistake_is_not_wrong_in_shape() -> None:
    others = {name: found for name, found in mistakes().items() if found.code[:2] not in ("E1", "E2")}
    refused = {
        name: complaints(SCHEMA, data)
        for name, found in others.items()
        if (data := data_of(found.files["a"])) is not None and complaints(SCHEMA, data)
    }
    assert refused == {}


def test_misspelt_word_of_a_step_is_told_in_one_sentence() -> None:
    found = complaints(SCHEMA, data_of(flow("begin: {sya: welcome, then: end}\nend: {hang_up: done}")))
    assert len(found) == 1
    assert found[0].startswith("$.steps.begin: A step does one thing, which its first word says: say, menu, ")


def test_wrong_key_of_a_step_is_told_of_its_own_kind_alone() -> None:
    found = complaints(SCHEMA, data_of(flow("begin: {say: welcome, thn: end}\nend: {hang_up: done}")))
    assert found == ["$.steps.begin.thn: has no meaning here"]


def test_schema_is_draft_07_without_what_makes_editors_guess() -> None:
    assert SCHEMA["$schema"] == DRAFT
    for part in parts(dict(SCHEMA)):
        assert not {"oneOf", "discriminator", "$defs", "prefixItems", "names_of", "const_"} & set(part)
    references = set(re.findall(r'"\$ref": "#/definitions/(\w+)"', json.dumps(dict(SCHEMA))))
    assert references == set(SCHEMA["definitions"])


def test_every_key_is_described_and_every_kind_is_offered_with_its_sample() -> None:
    step = SCHEMA["definitions"]["step"]
    assert [one["label"] for one in step["defaultSnippets"]] == [kind.WORD for kind in KINDS]
    assert [one["label"] for one in SCHEMA["properties"]["steps"]["defaultSnippets"]] == [kind.WORD for kind in KINDS]
    for kind in KINDS:
        own = SCHEMA["definitions"][f"step_{kind.WORD}"]
        assert all(one["description"] for one in own["properties"].values())
        assert (
            f"```yaml\n{SAMPLES[kind.WORD].strip().splitlines()[0]}"
            in own["properties"][kind.WORD]["markdownDescription"]
        )
        assert step["properties"][kind.WORD]["description"] == kind.SUMMARY


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: str(kind.WORD))
def test_snippet_of_a_kind_is_itself_a_valid_step(kind: type[Step]) -> None:
    (body,) = [one["body"] for one in SCHEMA["definitions"]["step"]["defaultSnippets"] if one["label"] == kind.WORD]
    head = {"ivr": 1, "title": "A", "start": "a"}
    assert complaints(SCHEMA, {**head, "steps": {"a": body}}) == []


@cache
def with_names() -> Mapping[str, Any]:
    names = {
        PROMPTS: frozenset({"welcome", "main_menu"}),
        OPERATIONS: frozenset({"balance"}),
        QUEUES: frozenset({"service"}),
        FLOWS: frozenset({"library/sign_in"}),
    }
    return MappingProxyType(flow_schema(names, fields_with_names(world(), OTHERS)))


@pytest.mark.parametrize(
    "step",
    [
        "{say: welcome}",
        "{say: [welcome, {prompt: main_menu}]}",
        "{say: 'account_{kind}'}",
        "{say: [{amount: anything}]}",
        "{do: balance}",
        "{queue: service}",
        "{run: library/sign_in}",
    ],
)
def test_with_names_what_there_is_may_be_named(step: str) -> None:
    assert complaints(with_names(), data_of(flow(f"begin: {step}"))) == []


@pytest.mark.parametrize(
    "step",
    ["{say: welcom}", "{say: [welcom]}", "{say: {prompt: welcom}}", "{do: balanc}", "{queue: me}", "{run: sign_in}"],
)
def test_with_names_what_there_is_not_is_refused_and_without_them_left_to_the_check(step: str) -> None:
    data = data_of(flow(f"begin: {step}"))
    assert complaints(with_names(), data) != []
    assert complaints(SCHEMA, data) == []


@given(st.integers(1, 70_000), st.integers(0, 200_000))
def test_pattern_of_numbers_up_to_a_limit_takes_these_and_no_others(limit: int, number: int) -> None:
    assert (re.fullmatch(_at_most(limit), str(number)) is not None) == (1 <= number <= limit)


@pytest.mark.parametrize("key", ["first_key", "between_keys"])
@pytest.mark.parametrize(
    ("written", "sound"),
    [
        *[(one, True) for one in ("5 s", "5s", "1 min", f"{DURATION_MS_MAX} ms")],
        *[(one, False) for one in ("0 s", "61 s", "2 min", f"{DURATION_MS_MAX + 1} ms", "5")],
    ],
)
def test_length_of_time_is_judged_like_by_the_check(key: str, written: str, sound: bool) -> None:
    text = flow(f"begin: {{menu: m, keys: {{1: begin}}, {key}: {written}, when: {{no_input: begin, no_match: begin}}}}")
    assert (complaints(SCHEMA, data_of(text)) == []) == sound


@pytest.mark.parametrize(
    ("written", "sound"),
    [
        *[(one, True) for one in ("6", "6 to 10", "6-10", str(ENTRY_KEYS_MAX))],
        *[(one, False) for one in ("0", str(ENTRY_KEYS_MAX + 1), "6 to 99", "six", "6.5")],
    ],
)
def test_number_of_keys_is_judged_like_by_the_check(written: str, sound: bool) -> None:
    text = flow(f"begin: {{collect: n, prompt: enter_pin, length: {written}, then: begin}}")
    assert (complaints(SCHEMA, data_of(text)) == []) == sound


@pytest.mark.parametrize(
    "written", ["text", "personal money", "public date", "secret", "one of (a, b)", " one of ( a,b ) "]
)
def test_type_is_written_as_the_schema_says(written: str) -> None:
    assert re.search(TYPE_WRITTEN, written)


@pytest.mark.parametrize("written", ["integer", "personal", "one of ()", "one of (a b)", "private money", ""])
def test_what_is_no_type_is_none_for_the_schema(written: str) -> None:
    assert not re.search(TYPE_WRITTEN, written)
