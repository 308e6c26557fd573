"""`choose`: let the caller pick one of what the bank lists for them, such as their accounts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import reduce
from operator import add
from typing import ClassVar, Final

from pydantic import Field

from ivr_engine.channel.conversation import Interrupt, NoChoice, Timing
from ivr_engine.flow.call import Call
from ivr_engine.flow.expressions import Evaluate
from ivr_engine.flow.fields import Key, Milliseconds, Written
from ivr_engine.flow.nodes.asking import FIRST_KEY_MS, NO_CHOICE, TRIES, Apologies
from ivr_engine.flow.nodes.lists import FOUND, NONE, Items, check_arguments, check_list, check_results
from ivr_engine.flow.nodes.offering import (
    BACK,
    HELP,
    Help,
    Rehearing,
    check_events,
    everywhere,
    everywhere_arms,
    everywhere_events,
    helped,
    press,
    written,
)
from ivr_engine.flow.operations import DEADLINE_MS, UNAVAILABLE, Level
from ivr_engine.flow.scope import Scope
from ivr_engine.flow.speaking import Part, Speaker, Speech
from ivr_engine.flow.step import Action, Arm, By, Step, Way
from ivr_engine.flow.values import Value
from ivr_engine.flow.wording import Text
from ivr_engine.values.utterance import Utterance

PICKED: Final = "picked"
PAGE: Final = 3
TURNS_MAX: Final = 9
"""How often a caller may turn pages or hear one again; then only the items are offered."""


@dataclass(frozen=True, slots=True)
class Turn:
    """A key that turns to another page (or to the same), and what is said of it."""

    key: str
    pages: int
    words: Speaker


class Choose(Step):
    """Offer what an operation gives by position, some at a time; who has only one is not asked."""

    WORD: ClassVar[str] = "choose"
    SUMMARY: ClassVar[str] = "Let the caller pick from a list of the bank. Who has only one item is not asked."

    choose: str = Field(description="The operation that gives one item for each position.")
    with_: dict[str, Written] = Field(
        default_factory=dict, alias="with", description="Its further arguments; the position is counted by the step."
    )
    into: dict[str, str] = Field(
        default_factory=dict, description="Which result of the picked item goes into which variable."
    )
    offer: Speech = Field(
        min_length=1, description="What is said of an item, with the variables of `into`; `press` and a key follow."
    )
    page: int = Field(default=PAGE, ge=1, le=9, description="How many items are offered at a time, by the keys from 1.")
    next: Key = Field(default="9", description="The key for the items behind these.")
    previous: Key = Field(default="7", description="The key for the items before these.")
    repeat: Key = Field(default="*", description="The key to hear these again.")
    tries: int = Field(default=TRIES, ge=1, le=5, description="How often a page is offered before giving up.")
    first_key: Milliseconds = Field(default=FIRST_KEY_MS, description="Silence before the key.")
    interrupt: Interrupt = Field(default=Interrupt.ANY, description="Which keys stop the prompt.")
    help: Speech | None = Field(default=None, min_length=1, description=HELP)
    back: str | None = Field(default=None, description=BACK)

    @property
    def goes_back_to(self) -> str | None:
        """The question before this one."""
        return self.back

    def ways(self, scope: Scope) -> tuple[Way, ...]:
        """Picked, nothing there, the other outcomes of the operation, and the ways of choosing nothing."""
        signature = scope.world.operations.get(self.choose)
        names = signature.outcome_names if signature is not None else (UNAVAILABLE,)
        writes = frozenset(self.into.values())
        shown = signature.shows(FOUND) if signature is not None else None
        picked = Way(PICKED, By.CALLER, Text("pick one"), 1, writes, at_least=shown)
        only_one = Way(
            PICKED,
            By.WORLD,
            Text("there is only one to pick"),
            writes=writes,
            at_least=shown,
            quiet_ms=DEADLINE_MS,
        )
        others = (self._way_of_bank(outcome) for outcome in names if outcome not in (FOUND, NONE))
        return (picked, only_one, self._way_of_bank(NONE), *self._leads(scope).values(), *NO_CHOICE, *others)

    def arms(self, scope: Scope) -> Mapping[str, Arm]:
        """Return the arms written here, and those of keys that work everywhere."""
        return everywhere_arms(scope, self._own, self.back) | dict(super().arms(scope))

    def needs(self, scope: Scope) -> Level:
        """Return the level that the operation asks of the caller."""
        signature = scope.world.operations.get(self.choose)
        return signature.needs if signature is not None else Level.NOBODY

    def compile(self, scope: Scope) -> Action:
        """Offer page by page until an item is picked or the tries are used up."""
        signature = check_list(scope, "choose", self.choose)
        if signature is None:
            return _never
        self._check_keys(scope)
        gives = check_arguments(scope, "choose", signature, self.with_)
        check_results(scope, signature, self.into)
        offer = self._offer(scope)
        presses = {key: scope.speech([press(key)], ()) for key in map(str, range(1, self.page + 1))}
        turns = self._turns(scope)
        apologies = Apologies(scope)
        taken = {key: way.outcome for key, way in self._leads(scope).items()}
        check_events(scope, {"help": self.help, "back": self.back}, ())
        heard_again = helped(scope, self.help, everywhere_events(scope, self._own, helps=self.help is not None))
        heard_ms = sum(offer.longest_ms + words.longest_ms for words in presses.values())
        heard_ms += sum(turn.words.longest_ms for turn in turns)
        pages = self.tries + TURNS_MAX
        asked_ms = DEADLINE_MS * (TURNS_MAX + 1)
        longest_ms = pages * (heard_ms + self.first_key) + self.tries * apologies.longest_ms + asked_ms
        scope.lasts(heard_ms, longest_ms + heard_again.longest_ms(heard_ms + self.first_key))
        asking = _Asking(self, gives, offer, presses, turns, apologies, taken, heard_again)
        return asking.act

    def _leads(self, scope: Scope) -> Mapping[str, Way]:
        return everywhere(scope, self._own, self.back)

    def _way_of_bank(self, outcome: str) -> Way:
        deed = Text("{operation} ends in {outcome}", operation=self.choose, outcome=outcome)
        return Way(outcome, By.WORLD, deed, quiet_ms=DEADLINE_MS)

    @property
    def _own(self) -> frozenset[str]:
        return frozenset((*map(str, range(1, self.page + 1)), self.next, self.previous, self.repeat))

    def _check_keys(self, scope: Scope) -> None:
        used = {str(place): Text("an item") for place in range(1, self.page + 1)}
        for name, key in (("next", self.next), ("previous", self.previous), ("repeat", self.repeat)):
            if key in used:
                message = Text("key '{key}' stands for {meaning} already", key=written(key), meaning=used[key])
                at = (name,) if name in self.model_fields_set else ("page",)
                scope.finding("E223", at, message, Text("give `{name}` a key of its own", name=name))
            used[key] = Text("`{name}`", name=name)

    def _offer(self, scope: Scope) -> Speaker:
        """Build what is said of an item; what it reads of the item is set by the step itself."""
        before = set(scope.reads)
        offer = scope.speech(self.offer, ("offer",))
        scope.reads.difference_update((scope.reads - before) & set(self.into.values()))
        return offer

    def _turns(self, scope: Scope) -> list[Turn]:
        keys = ((self.next, 1, "more_choices"), (self.previous, -1, "choices_before"), (self.repeat, 0, "hear_again"))
        return [Turn(key, pages, scope.speech([Part(prompt=prompt), press(key)], ())) for key, pages, prompt in keys]


@dataclass(frozen=True, slots=True)
class _Asking:
    """One `choose` step, ready to run."""

    step: Choose
    gives: Mapping[str, Evaluate]
    offer: Speaker
    presses: Mapping[str, Speaker]
    turns: list[Turn]
    apologies: Apologies
    taken: Mapping[str, str]
    help: Help

    async def act(self, call: Call) -> str:
        """Offer the pages; in another engine the call goes on with the first of them."""
        step = self.step
        items = Items(call, step.choose, {name: give(call) for name, give in self.gives.items()}, step.into)
        first, turns_left, tries_left, lead = 0, TURNS_MAX, step.tries, ""
        again = self.help.begin(call)
        while True:
            instead = await items.ask_up_to(first + step.page + 1)
            if instead is not None:
                return instead
            if len(items.known) <= 1:
                return _pick(call, items.known[0]) if items.known else NONE
            await call.keep_alive()  # asking the bank may have taken long already
            turns = [turn for turn in self.turns if turns_left and _leads_somewhere(turn, items, first, step.page)]
            chosen = await self._ask(call, again, dict(items.page(first, step.page)), turns, lead)
            turn = next((turn for turn in turns if turn.key == chosen), None)
            if isinstance(chosen, NoChoice):
                lead, tries_left = chosen.value, tries_left - 1
                if tries_left == 0:
                    return chosen.value
                call.visits.try_again()
            elif turn is not None:
                first, turns_left, lead = first + turn.pages * step.page, turns_left - 1, ""
            elif chosen in self.taken:
                return self.taken[chosen]
            else:
                return _pick(call, dict(items.page(first, step.page))[chosen])

    async def _ask(
        self, call: Call, again: Rehearing, page: dict[str, Mapping[str, Value]], turns: list[Turn], lead: str
    ) -> str | NoChoice:
        offers = [_said_of(call, item, self.offer) + self.presses[key](call) for key, item in page.items()]
        said = reduce(add, (*offers, *(turn.words(call) for turn in turns)))
        first = self.apologies(call, lead) + said if lead else None
        options = frozenset((*page, *(turn.key for turn in turns), *self.taken))
        timing = Timing(self.step.first_key, self.step.first_key)
        return await again.choose(
            said, options, self.help.events, first=first, interrupt=self.step.interrupt, timing=timing
        )


def _leads_somewhere(turn: Turn, items: Items, first: int, size: int) -> bool:
    return 0 <= first + turn.pages * size < len(items.known)


def _pick(call: Call, item: Mapping[str, Value]) -> str:
    call.variables.update(item)
    return PICKED


def _said_of(call: Call, item: Mapping[str, Value], offer: Speaker) -> Utterance:
    """Return what is said of an item, as if it were picked; the variables of the flow stay as they are."""
    own = call.variables
    call.variables = {**own, **item}
    try:
        return offer(call)
    finally:
        call.variables = own


async def _never(call: Call) -> str:
    del call
    raise AssertionError("a flow with findings never runs")
