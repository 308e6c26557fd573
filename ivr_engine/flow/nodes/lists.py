"""Lists that the bank gives by position: what an operation needs to be one, and its items one after the other.

Knows signatures of operations. Must not know how a list is spoken.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from ivr_engine.flow.call import Call
from ivr_engine.flow.expressions import Evaluate
from ivr_engine.flow.fields import Written
from ivr_engine.flow.findings import did_you_mean
from ivr_engine.flow.operations import DEADLINE_MS, UNAVAILABLE, Signature
from ivr_engine.flow.scope import Scope
from ivr_engine.flow.uses import OPERATIONS
from ivr_engine.flow.values import NUMBER, SECRET, DataClass, Value, Variable
from ivr_engine.flow.wording import Text

POSITION: Final = "position"
"""The argument that says which item is wanted; the first is 1."""
FOUND: Final = "found"
NONE: Final = "none"
"""The outcome at a position behind the last item."""


def gives_a_list(signature: Signature) -> bool:
    """Say whether an operation gives a list item by item, so that asking for one changes nothing."""
    by_position = signature.arguments.get(POSITION) == NUMBER and SECRET not in signature.arguments.values()
    return by_position and not signature.changes and {FOUND, NONE} <= signature.outcomes.keys()


def check_list(scope: Scope, key: str, name: str) -> Signature | None:
    """Return the signature of an operation that gives a list; note a finding at `key` when it gives none."""
    signature = scope.world.operations.get(name)
    if signature is None:
        lists = [known for known, each in scope.world.operations.items() if gives_a_list(each)]
        scope.finding("E501", (key,), Text("there is no operation '{name}'", name=name), did_you_mean(name, lists))
        return None
    scope.use(OPERATIONS, name, (key,))
    if not gives_a_list(signature):
        lists = sorted(known for known, each in scope.world.operations.items() if gives_a_list(each))
        message = Text("'{name}' gives no list to choose from", name=name)
        scope.finding("E224", (key,), message, Text("use one of: {names}", names=tuple(lists)))
        return None
    return signature


def check_arguments(scope: Scope, key: str, signature: Signature, given: Mapping[str, Written]) -> dict[str, Evaluate]:
    """Check the arguments under `with`, which are all but the position; return what gives their values."""
    takes = {name: kind for name, kind in signature.arguments.items() if name != POSITION}
    gives: dict[str, Evaluate] = {}
    for name, written in given.items():
        if name not in takes:
            message = Text(
                "'{operation}' has no argument '{name}'; it takes: {takes}",
                operation=signature.name,
                name=name,
                takes=", ".join(takes) or Text("none"),
            )
            scope.finding("E502", ("with", name), message, did_you_mean(name, takes), key=True)
            continue
        compiled = scope.expression(written, ("with", name), takes[name])
        if compiled is not None:
            gives[name] = compiled.evaluate
    for name in takes.keys() - given.keys():
        message = Text("'{operation}' needs the argument '{name}'", operation=signature.name, name=name)
        scope.finding("E503", (key,), message, Text("add `{name}: ...` under `with`", name=name))
    return gives


def check_results(scope: Scope, signature: Signature, into: Mapping[str, str]) -> None:
    """Check that each result goes into a variable that can hold it."""
    known = {result: kind for results in signature.outcomes.values() for result, kind in results.items()}
    for result, name in into.items():
        variable = scope.variable(name, ("into", result))
        if result not in known:
            message = Text(
                "'{operation}' does not give '{name}'; it gives: {gives}",
                operation=signature.name,
                name=result,
                gives=", ".join(known) or Text("none"),
            )
            scope.finding("E504", ("into", result), message, did_you_mean(result, known), key=True)
        elif variable is not None:
            _check_result(scope, result, known[result], name, variable)


def _check_result(scope: Scope, result: str, given: Variable, name: str, variable: Variable) -> None:
    if variable.type != given.type:
        theirs, ours = given.type, variable.type
        message = Text("'{result}' is {given}, '{name}' is {type}", result=result, given=theirs, name=name, type=ours)
        mend = Text("declare '{name}' as `{type}`", name=name, type=given.type)
    elif given.data_class is not DataClass.PUBLIC and variable.data_class is DataClass.PUBLIC:
        message = Text(
            "'{result}' is {given}, '{name}' is public", result=result, given=given.data_class.value, name=name
        )
        mend = Text("declare '{name}' as `personal {type}`", name=name, type=variable.type)
    else:
        return
    scope.finding("E302", ("into", result), message, mend)


@dataclass(slots=True)
class Items:
    """The items of one list in one call, as variables and their values; asked for when they are needed."""

    call: Call
    operation: str
    arguments: Mapping[str, Value]
    into: Mapping[str, str]
    known: list[Mapping[str, Value]] = field(default_factory=list)
    complete: bool = False

    async def ask_up_to(self, number: int) -> str | None:
        """Ask for so many items, as far as there are; return the outcome that came instead of an item, or None.

        Nobody waits for a page longer than for one answer of the bank.
        """
        due = self.call.clock.monotonic() + DEADLINE_MS / 1000
        while len(self.known) < number and not self.complete:
            within_ms = round((due - self.call.clock.monotonic()) * 1000)
            if within_ms <= 0:
                return UNAVAILABLE
            arguments = {**self.arguments, POSITION: len(self.known) + 1}
            work = self.call.operations.perform(self.operation, arguments, within_ms=within_ms)
            performed = await self.call.conversation.listen_while(work)
            if performed.outcome == FOUND:
                results = performed.results
                self.known.append({name: results[result] for result, name in self.into.items() if result in results})
            elif performed.outcome == NONE:
                self.complete = True
            else:
                return performed.outcome
        return None

    def page(self, first: int, size: int) -> Iterator[tuple[str, Mapping[str, Value]]]:
        """Return the items of a page by their keys, which are 1, 2, 3."""
        for place, item in enumerate(self.known[first : first + size], start=1):
            yield str(place), item
