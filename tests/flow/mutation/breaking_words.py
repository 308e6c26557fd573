"""Mutators of names, types, prompts and the writing of a file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from ivr_engine.flow.nodes import KINDS
from ivr_engine.values.language import Language
from tests.flow.mutation.files import Flows, Step, steps_of
from tests.flow.mutation.mutants import Edit, Mutant, add, declared, edited, edited_top, misspell, put, remove

NAMING: Final = ("do", "queue", "run", "collect", "secret", "choose", "switch", "hours")
OTHER_TYPES: Final[Mapping[str, str]] = {
    "money": "number",
    "number": "money",
    "digits": "money",
    "date": "number",
    "secret": "digits",
    "text": "number",
}
"""A type that nothing accepts in place of the first."""


def misname(flows: Flows) -> Iterator[Mutant]:
    """An operation, queue, flow, variable or list has another name."""
    for flow, name, step in steps_of(flows):
        for key in NAMING:
            if isinstance(step.get(key), str):
                yield edited(
                    flows,
                    f"misname after `{key}`",
                    flow,
                    name,
                    step[key],
                    misspell,
                    (key,),
                )


def misname_within(flows: Flows) -> Iterator[Mutant]:
    """An argument, a result, or a variable that receives a result has another name."""
    for flow, name, step in steps_of(flows):
        for block in ("with", "into", "set"):
            for key, value in step.get(block, {}).items() if isinstance(step.get(block), dict) else ():

                def rename(mine: Step, block: str = block, key: str = key) -> None:
                    mine[block][f"{key}x"] = mine[block].pop(key)

                yield edited(flows, "misname an argument or result", flow, name, key, rename)
                if block == "into":
                    yield edited(
                        flows,
                        "misname a variable",
                        flow,
                        name,
                        value,
                        misspell,
                        ("into", key),
                    )


def prompts_in(part: Any) -> Iterator[tuple[list[Any] | dict[str, Any], Any]]:
    """Return every place within a speech where the id of a prompt is written: the block and the key."""
    if isinstance(part, list):
        for place, one in enumerate(part):
            if isinstance(one, str):
                yield part, place
            else:
                yield from prompts_in(one)
    elif isinstance(part, dict):
        for key, one in part.items():
            if key == "prompt" and isinstance(one, str):
                yield part, key
            elif key in ("first", "again"):
                yield from prompts_in([one] if isinstance(one, str) else one)


SPEECHES: Final = ("say", "menu", "prompt", "hold", "confirm", "offer", "pause", "filler")


def misname_prompt(flows: Flows) -> Iterator[Mutant]:
    """A prompt that does not exist is to be said."""
    for flow, name, step in steps_of(flows):
        for key in SPEECHES:
            if isinstance(step.get(key), str):
                yield edited(
                    flows,
                    "misname a prompt",
                    flow,
                    name,
                    step[key],
                    misspell,
                    (key,),
                    "_x",
                )
            for number, (block, place) in enumerate(list(prompts_in(step.get(key)))):

                def edit(mine: Step, key: str = key, number: int = number) -> None:
                    inner, where = list(prompts_in(mine[key]))[number]
                    inner[where] = f"{inner[where]}_x"

                yield edited(flows, "misname a prompt", flow, name, str(block[place]), edit)


def lose_prompt(flows: Flows) -> Iterator[Mutant]:
    """One language has no recording of a prompt that is said."""
    used: set[str] = set()
    for _, _, step in steps_of(flows):
        for key in SPEECHES:
            written = step.get(key)
            used.update(
                [written] if isinstance(written, str) else (str(block[place]) for block, place in prompts_in(written))
            )
    for prompt in sorted(used):
        if "{" not in prompt:
            for language in Language:
                yield Mutant("lose a prompt in one language", f"{language}/{prompt}", flows, (language.value, prompt))


def shadow(flows: Flows) -> Iterator[Mutant]:
    """A variable is declared that has the name of an input, of a fact, or of a constant."""
    for flow, file in flows.items():
        taken = [*file.get("inputs", {}), *file.get("constants", {}), "signed_in", "language", "true", "and"]
        for name in taken:
            yield edited_top(
                flows,
                "shadow a variable",
                flow,
                name,
                put,
                ("variables", name),
                "number",
            )


def undeclare(flows: Flows) -> Iterator[Mutant]:
    """A variable that is used is not declared."""
    for flow, file in flows.items():
        for name in file.get("variables", {}):
            yield edited_top(flows, "forget a declaration", flow, name, remove, ("variables", name))


def retype(flows: Flows) -> Iterator[Mutant]:
    """A variable is declared as something else."""
    for flow, file in flows.items():
        for name, kind in declared(file).items():
            other = OTHER_TYPES.get(kind.removeprefix("personal "), "number")
            block = "inputs" if name in file.get("inputs", {}) else "variables"
            yield edited_top(
                flows,
                "declare another type",
                flow,
                f"{name}: {other}",
                put,
                (block, name),
                other,
            )


def make_public(flows: Flows) -> Iterator[Mutant]:
    """Something personal is declared as if everybody might know it."""
    for flow, file in flows.items():
        for block in ("inputs", "variables"):
            for name, kind in file.get(block, {}).items():
                if str(kind).startswith("personal "):
                    yield edited_top(
                        flows,
                        "make public",
                        flow,
                        name,
                        put,
                        (block, name),
                        str(kind).removeprefix("personal "),
                    )


def leave_unset(flows: Flows) -> Iterator[Mutant]:
    """A result is not kept, or a value is not set, though it is read later."""
    for flow, name, step in steps_of(flows):
        for block in ("set", "into"):
            for key in step.get(block, {}) if isinstance(step.get(block), dict) else ():
                if block == "set" and len(step["set"]) == 1:
                    continue  # the step would not do anything any more, which is another mistake
                yield edited(flows, "leave a variable unset", flow, name, key, remove, (block, key))


def write_wrongly(flows: Flows) -> Iterator[Mutant]:
    """A step does two things, nothing, or has a key that means nothing; a key of no telephone; two keys alike."""
    words = {kind.WORD for kind in KINDS}
    for flow, name, step in steps_of(flows):
        word = next(key for key in step if key in words)
        second = "say" if word != "say" else "hang_up"
        yield edited(flows, "two things in one step", flow, name, second, put, (second,), "welcome")
        yield edited(flows, "nothing in a step", flow, name, word, remove, (word,))
        yield edited(flows, "a key that means nothing", flow, name, "colour", put, ("colour",), "red")
        yield edited(
            flows,
            "an arm for what cannot happen",
            flow,
            name,
            "struck",
            put,
            ("when", "struck"),
            name,
        )
        if isinstance(step.get("keys"), dict):
            key, target = next(iter(step["keys"].items()))
            for wrong in ("a", "plus", "1 2"):
                yield edited(
                    flows,
                    "a key of no telephone",
                    flow,
                    name,
                    wrong,
                    put,
                    ("keys", wrong),
                    target,
                )
            if key in ("star", "hash"):
                continue

            def twice(mine: Step, target: Any = target) -> None:
                mine["keys"]["star"] = target
                mine["keys"]["*"] = target

            yield edited(flows, "two keys alike", flow, name, "star and *", twice)


def speak_less(flows: Flows) -> Iterator[Mutant]:
    """A flow that is run is not spoken in every language of the one that runs it."""
    for flow, file in flows.items():
        if len(flows) > 1 and file.get("outcomes"):
            yield edited_top(flows, "speak other languages", flow, "cmn only", put, ("languages",), ["cmn"])


def top_wrongly(flows: Flows) -> Iterator[Mutant]:
    """The top of a file says less, more, or something impossible."""
    edits: dict[str, tuple[Edit, *tuple[object, ...]]] = {
        "no start": (remove, ("start",)),
        "a start that is none": (put, ("start",), "nowhere_at_all"),
        "no title": (remove, ("title",)),
        "another version": (put, ("ivr",), "2"),
        "no steps": (remove, ("steps",)),
        "a word that means nothing": (put, ("colour",), "red"),
        "a language that nobody speaks": (put, ("languages",), ["cmn", "tlh"]),
        "an output that is no variable": (add, "outputs", "nothing_of_it"),
        "a step that nobody reaches": (put, ("steps", "lonely"), {"hang_up": "alone"}),
    }
    for flow in flows:
        for what, (edit, *arguments) in edits.items():
            yield edited_top(flows, "the top of a file", flow, what, edit, *arguments)


WORDS = (
    misname,
    misname_within,
    misname_prompt,
    lose_prompt,
    shadow,
    undeclare,
    retype,
    make_public,
    leave_unset,
    write_wrongly,
    speak_less,
    top_wrongly,
)
