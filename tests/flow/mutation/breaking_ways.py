"""Mutators of the ways through flows: arms, circles, returns, steps that nobody reaches, menus without a human."""

from __future__ import annotations

from collections.abc import Iterator

from tests.flow.mutation.files import Flow, Flows, Step, changed, steps_of
from tests.flow.mutation.mutants import Mutant, arms_of, edited, edited_top, put, redirected, remove

NOWHERE = "nowhere_at_all"


def drop_arm(flows: Flows) -> Iterator[Mutant]:
    """One way out of a step leads nowhere any more; an arm that `otherwise` replaces alike is no mistake."""
    for flow, name, step in steps_of(flows):
        for path, target in arms_of(step):
            if path[0] == "keys" or flows[flow].get("otherwise", {}).get(path[-1]) == target:
                continue
            yield edited(flows, "drop an arm", flow, name, ".".join(path), remove, path)


def drop_otherwise(flows: Flows) -> Iterator[Mutant]:
    """A flow forgets where an outcome leads for all its steps."""
    for flow, file in flows.items():
        for outcome in file.get("otherwise", {}):
            yield edited_top(
                flows,
                "drop an arm for all",
                flow,
                outcome,
                remove,
                ("otherwise", outcome),
            )


def misname_step(flows: Flows) -> Iterator[Mutant]:
    """An arm names a step that does not exist."""
    return redirected(flows, "misname a step", "misspelt", lambda _, target: f"{target}x")


def jump_out_of_module(flows: Flows) -> Iterator[Mutant]:
    """An arm names a step of another flow."""
    for flow, name, step in steps_of(flows):
        others = [other for key, file in flows.items() if key != flow for other in file["steps"]]
        foreign = next(other for other in others if other not in flows[flow]["steps"])
        for path, _ in list(arms_of(step))[:1]:
            yield edited(
                flows,
                "jump out of a module",
                flow,
                name,
                foreign,
                put,
                path,
                foreign,
            )


def lead_back(flows: Flows) -> Iterator[Mutant]:
    """Silence, wrong keys or a bank that is away lead back to the step itself: a loop without an end."""
    asking = {"menu", "collect", "secret", "confirm", "choose", "pause"}
    for flow, name, step in steps_of(flows):
        outcomes = []
        if asking & step.keys():
            outcomes = ["no_input", *(["no_match"] if {"menu", "confirm", "choose"} & step.keys() else [])]
        elif "do" in step:
            outcomes = ["unavailable"]
        for outcome in outcomes:

            def edit(mine: Step, outcome: str = outcome, name: str = name) -> None:
                mine.setdefault("when", {})[outcome] = name

            yield edited(flows, "unbound a loop", flow, name, f"{outcome} leads back", edit)


def say_in_circles(flows: Flows) -> Iterator[Mutant]:
    """What is said leads back to itself."""
    for flow, name, step in steps_of(flows):
        if "say" in step:
            yield edited(
                flows,
                "unbound a loop",
                flow,
                name,
                "said leads back",
                put,
                ("then",),
                name,
            )


def return_undeclared(flows: Flows) -> Iterator[Mutant]:
    """A flow returns in a way that those who run it do not know."""
    for flow, name, step in steps_of(flows):
        if "return" in step:
            yield edited(flows, "return undeclared", flow, name, NOWHERE, put, ("return",), NOWHERE)


def forget_outcome(flows: Flows) -> Iterator[Mutant]:
    """A flow does not declare an outcome with which it returns."""
    for flow, file in flows.items():
        for place, outcome in enumerate(file.get("outcomes", [])):
            yield edited_top(
                flows,
                "forget an outcome",
                flow,
                outcome,
                remove,
                ("outcomes", place),
            )


def leave_step_alone(flows: Flows) -> Iterator[Mutant]:
    """No arm leads to a step any more."""
    for flow, file in flows.items():
        for lonely in file["steps"]:
            if lonely == file["start"] or not any(
                lonely == target for s in file["steps"].values() for _, target in arms_of(s)
            ):
                continue
            if lonely in file.get("otherwise", {}).values() or lonely in file.get("everywhere", {}).values():
                continue
            mutated, mine = changed(flows, flow)
            for step in mine["steps"].values():
                for path, target in list(arms_of(step)):
                    if target == lonely:
                        put(step, path, file["start"])
            yield Mutant("leave a step alone", f"{flow}:{lonely}", mutated)


def remove_step(flows: Flows) -> Iterator[Mutant]:
    """A step is gone, and arms lead to it still."""
    for flow, name, _ in steps_of(flows):
        yield edited_top(flows, "remove a step", flow, name, remove, ("steps", name))


LEAVES = {"queue", "record", "callback", "hang_up", "hand_over"}


def ask_for_what_does_not_fit(flows: Flows) -> Iterator[Mutant]:
    """An agent can ask for a flow that does not come back, needs what nobody gives it, or waits for somebody else."""
    for flow, name, step in steps_of(flows):
        if "queue" not in step:
            continue
        for other, file in flows.items():
            leaves = any(LEAVES & one.keys() for one in file["steps"].values())
            if leaves or not file.get("outcomes") or file.get("inputs"):
                yield edited(flows, "ask for what does not fit", flow, name, other, put, ("secure",), other)


def run_in_circle(flows: Flows) -> Iterator[Mutant]:
    """A flow runs one that runs it."""
    for flow, name, step in steps_of(flows):
        other = str(step.get("run", ""))
        if other in flows:

            def edit(mine: Flow, flow: str = flow) -> None:
                outcomes = flows[flow].get("outcomes", [])
                start = mine["start"]
                mine["steps"]["circle"] = (
                    {"run": flow, "when": dict.fromkeys(outcomes, start)} if outcomes else {"run": flow}
                )
                mine["start"] = "circle"

            yield edited_top(flows, "run in a circle", other, f"runs {flow}, as {flow}:{name} runs it", edit)


def no_human(flows: Flows) -> Iterator[Mutant]:
    """Every key that leads to a human is gone from the whole hotline."""
    mutated = flows
    for flow, name, step in steps_of(flows):
        keys = {"0", "1"} if len(step.get("keys", {})) == 1 else {"0"}
        for key in keys & step.get("keys", {}).keys():
            mutated, mine = changed(mutated, flow)
            if len(mine["steps"][name]["keys"]) > 1:
                remove(mine["steps"][name], ("keys", key))
    for flow, file in flows.items():
        if "everywhere" in file:
            mutated, mine = changed(mutated, flow)
            del mine["everywhere"]
    yield Mutant("take humans away", "every key 0", mutated)


WAYS = (
    drop_arm,
    drop_otherwise,
    misname_step,
    jump_out_of_module,
    lead_back,
    say_in_circles,
    return_undeclared,
    forget_outcome,
    leave_step_alone,
    remove_step,
    ask_for_what_does_not_fit,
    run_in_circle,
    no_human,
)
