"""Mutators of what callers and the bank rely on: sign-in, confirmation, secrets."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from tests.flow.mutation.files import Flows, Quoted, Step, changed, steps_of
from tests.flow.mutation.mutants import (
    Mutant,
    add,
    arms_of,
    declared,
    edited,
    edited_top,
    put,
    redirected,
    remove,
    secrets_of,
)

SIGN_IN: Final = "library/sign_in"
VALUES: Final = {"money": "1.00 CNY", "digits": Quoted("'1'"), "number": "1", "text": Quoted("'x'"), "date": "on"}


def skip_sign_in(flows: Flows) -> Iterator[Mutant]:
    """An arm goes around the sign-in."""

    def around(flow: str, target: str) -> str | None:
        step = flows[flow]["steps"].get(target, {})
        if step.get("run") != SIGN_IN:
            return None
        return str(step.get("when", {}).get("signed_in") or step.get("then"))

    return redirected(flows, "skip the sign-in", "around it", around)


def believe_everybody(flows: Flows) -> Iterator[Mutant]:
    """The question whether the caller has signed in is always answered with yes."""
    for flow, name, step in steps_of(flows):
        if "signed_in" in str(step.get("if", "")):
            yield edited(flows, "skip the sign-in", flow, name, "if: true", put, ("if",), "true")


def believe_refused(flows: Flows) -> Iterator[Mutant]:
    """A refused PIN goes on like a good one."""
    for flow, name, step in steps_of(flows):
        if step.get("do") == "sign_in":
            good = step["when"]["signed_in"]
            for outcome in ("refused", "locked", "attempts_used"):
                yield edited(
                    flows,
                    "skip the sign-in",
                    flow,
                    name,
                    f"{outcome} goes on",
                    put,
                    ("when", outcome),
                    good,
                )


def confirmations(flows: Flows) -> Iterator[tuple[str, str, Step, str]]:
    """Return every `confirm` step and the step that follows a yes."""
    for flow, name, step in steps_of(flows):
        if "confirm" in step:
            yield flow, name, step, str(step.get("then") or step["when"]["confirmed"])


def skip_confirmation(flows: Flows) -> Iterator[Mutant]:
    """An arm goes around the confirmation."""
    after = {(flow, name): target for flow, name, _, target in confirmations(flows)}
    return redirected(flows, "skip a confirmation", "around it", lambda flow, target: after.get((flow, target)))


def confirm_after_no(flows: Flows) -> Iterator[Mutant]:
    """A caller who says no, nothing or something else is taken to have said yes."""
    for flow, name, _, target in confirmations(flows):
        for outcome in ("declined", "no_input", "no_match"):

            def edit(mine: Step, outcome: str = outcome, target: str = target) -> None:
                mine.setdefault("when", {})[outcome] = target

            yield edited(flows, "skip a confirmation", flow, name, f"{outcome} goes on", edit)


def confirm_less(flows: Flows) -> Iterator[Mutant]:
    """One of the values is not read out when it is confirmed."""
    for flow, name, step, _ in confirmations(flows):
        for place, part in enumerate(step["confirm"]):
            if isinstance(part, dict) and "prompt" not in part:
                yield edited(
                    flows,
                    "confirm other values",
                    flow,
                    name,
                    f"without {part}",
                    remove,
                    ("confirm", place),
                )


def change_after_confirmation(flows: Flows) -> Iterator[Mutant]:
    """A value is changed between the confirmation and its use."""
    for flow, name, step, target in confirmations(flows):
        kinds = declared(flows[flow])
        read = {str(word) for part in step["confirm"] if isinstance(part, dict) for word in part.values()}
        for variable in sorted(read & kinds.keys()):
            kind = kinds[variable].removeprefix("personal ")
            if kind not in VALUES:
                continue
            mutated, mine = changed(flows, flow)
            mine["steps"]["changes"] = {"set": {variable: VALUES[kind]}, "then": target}
            for path, led in list(arms_of(mine["steps"][name])):
                if led == target:
                    put(mine["steps"][name], path, "changes")
            yield Mutant("confirm other values", f"{flow}:{name}: {variable} is changed afterwards", mutated)


def move_money_again(flows: Flows) -> Iterator[Mutant]:
    """One confirmation is used for two movements."""
    for flow, name, step in steps_of(flows):
        if step.get("do") == "transfer":
            for outcome in step["when"]:
                yield edited(
                    flows,
                    "one confirmation, two movements",
                    flow,
                    name,
                    outcome,
                    put,
                    ("when", outcome),
                    name,
                )


def leak_secret(flows: Flows) -> Iterator[Mutant]:
    """A secret is spoken, copied, compared, returned, or handed to something that does not take secrets."""
    for flow, name, step in steps_of(flows):
        secret = step.get("secret")
        if secret is None:
            continue
        target = next(target for path, target in arms_of(step) if path[-1] in ("then", "collected"))
        digits = next((v for v, kind in declared(flows[flow]).items() if kind.endswith("digits")), "digits_of_it")
        leaks: dict[str, Step] = {
            "into a prompt": {"say": [{"digits": secret}], "then": target},
            "masked into a prompt": {"say": [{"masked": secret}], "then": target},
            "into a variable": {"set": {digits: secret}, "then": target},
            "into a condition": {"if": f"{secret} = '1'", "then": target, "else": target},
            "into a comparison with itself": {"if": f"{secret} = {secret}", "then": target, "else": target},
            "into an announcement": announcing(secret, target),
        }
        for what, leak in leaks.items():
            mutated, mine = changed(flows, flow)
            mine["steps"]["leak"] = leak
            for path, led in list(arms_of(mine["steps"][name])):
                if led == target:
                    put(mine["steps"][name], path, "leak")
            yield Mutant("leak a secret", f"{flow}:{name}: {what}", mutated)


def announcing(variable: str, target: str) -> Step:
    """Return a step that reads a value to whoever a caller is handed on to, and then goes on."""
    ends = ("answered", "declined", "no_answer", "busy", "unreachable")
    return {
        "attended_transfer": "lost_cards",
        "announce": [{"masked": variable}],
        "when": dict.fromkeys(ends, target),
    }


def tell_a_stranger(flows: Flows) -> Iterator[Mutant]:
    """What a caller types before the sign-in is announced to somebody else."""
    for flow, name, step in steps_of(flows):
        variable = step.get("collect")
        if not declared(flows[flow]).get(str(variable), "").startswith("personal digits"):
            continue
        target = next(target for path, target in arms_of(step) if path[-1] in ("then", "collected"))
        mutated, mine = changed(flows, flow)
        mine["steps"]["announces"] = announcing(str(variable), target)
        for path, led in list(arms_of(mine["steps"][name])):
            if led == target:
                put(mine["steps"][name], path, "announces")
        yield Mutant("tell a stranger", f"{flow}:{name}: {variable} is announced", mutated)


def hand_secret_on(flows: Flows) -> Iterator[Mutant]:
    """A secret is given to an argument, an input or an output that is none."""
    for flow, name, step in steps_of(flows):
        for secret in secrets_of(flows[flow]):
            for argument, written in step.get("with", {}).items():
                if written != secret:
                    what = f"as {argument} of {step.get('do') or step.get('run')}"
                    yield edited(
                        flows,
                        "leak a secret",
                        flow,
                        name,
                        what,
                        put,
                        ("with", argument),
                        secret,
                    )
    for flow, file in flows.items():
        for secret in secrets_of(file):
            yield edited_top(
                flows,
                "leak a secret",
                flow,
                "as an output",
                add,
                "outputs",
                secret,
            )
            yield edited_top(
                flows,
                "leak a secret",
                flow,
                "kept as digits",
                put,
                (secret,),
                "digits",
            )


def use_secret_twice(flows: Flows) -> Iterator[Mutant]:
    """A secret is wanted that nobody asked for, or that was handed over already."""
    for flow, name, step in steps_of(flows):
        if "secret" in step:
            target = next(target for path, target in arms_of(step) if path[-1] in ("then", "collected"))
            before = [
                (other, path) for other, s in flows[flow]["steps"].items() for path, led in arms_of(s) if led == name
            ]
            for other, path in before:
                yield edited(
                    flows,
                    "use a secret nobody typed",
                    flow,
                    other,
                    f"around {name}",
                    put,
                    path,
                    target,
                )


def forget_argument(flows: Flows) -> Iterator[Mutant]:
    """An operation or a flow is not given what it needs."""
    for flow, name, step in steps_of(flows):
        for argument in step.get("with", {}):
            yield edited(flows, "forget an argument", flow, name, argument, remove, ("with", argument))


TRUST = (
    skip_sign_in,
    believe_everybody,
    believe_refused,
    skip_confirmation,
    confirm_after_no,
    confirm_less,
    change_after_confirmation,
    move_money_again,
    leak_secret,
    tell_a_stranger,
    hand_secret_on,
    use_secret_twice,
    forget_argument,
)
