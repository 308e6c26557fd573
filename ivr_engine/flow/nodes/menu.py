"""`menu`: offer a choice by keys."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Final

from pydantic import Field

from ivr_engine.channel.conversation import Interrupt, NoChoice, Timing
from ivr_engine.flow.call import Call
from ivr_engine.flow.fields import Milliseconds, telephone_keys
from ivr_engine.flow.nodes.asking import FIRST_KEY_MS, MENU_BETWEEN_KEYS_MS, NO_CHOICE, TRIES, Apologies
from ivr_engine.flow.scope import Scope
from ivr_engine.flow.speaking import Speech
from ivr_engine.flow.step import Action, Arm, By, Step, Way
from ivr_engine.flow.wording import Text

OPTIONS_MAX: Final = 12


class Menu(Step):
    """Offer a choice; each key leads to a step. `1` and `12` may stand in one menu."""

    WORD: ClassVar[str] = "menu"
    SUMMARY: ClassVar[str] = "Offer a choice by keys."

    menu: Speech = Field(min_length=1, description="What is offered, as the caller hears it.")
    keys: dict[str, str] = Field(min_length=1, max_length=OPTIONS_MAX, description="Which key leads to which step.")
    tries: int = Field(default=TRIES, ge=1, le=5, description="How often it is offered before giving up.")
    first_key: Milliseconds = Field(default=FIRST_KEY_MS, description="Silence before the first key.")
    between_keys: Milliseconds = Field(default=MENU_BETWEEN_KEYS_MS, description="Silence between two keys.")
    interrupt: Interrupt = Field(default=Interrupt.ANY, description="Which keys stop the prompt.")

    def ways(self, scope: Scope) -> tuple[Way, ...]:
        """Each option, and the two ways of choosing none."""
        del scope
        chosen = (
            Way(f"key {option}", By.CALLER, Text("press {keys}", keys=option), len(telephone_keys(option) or option))
            for option in self.keys
        )
        return (*chosen, *NO_CHOICE)

    def arms(self, scope: Scope) -> Mapping[str, Arm]:
        """Take the keys as arms; a menu has no usual outcome."""
        if self.then is not None:
            mend = Text("write each step beside its key, under `keys`")
            scope.finding("E209", ("then",), Text("a menu has no `then`"), mend, key=True)
        arms = {outcome: Arm(step, ("when", outcome)) for outcome, step in self.when.items()}
        for outcome in arms:
            if outcome.startswith("key "):
                message = Text("'{outcome}' stands under `when`", outcome=outcome)
                scope.finding("E209", ("when", outcome), message, Text("write keys under `keys`"), key=True)
        return arms | {f"key {key}": Arm(step, ("keys", key)) for key, step in self.keys.items()}

    def compile(self, scope: Scope) -> Action:
        """Offer until an option is chosen or the tries are used up; silence and wrong keys are told apart."""
        speech = scope.speech(self.menu, ("menu",))
        apologies = Apologies(scope)
        options: dict[str, str] = {}
        for written in self.keys:
            keys = telephone_keys(written)
            if keys is None:
                message = Text("'{written}' is no key of a telephone", written=written)
                scope.finding("E208", ("keys", written), message, Text("use 0-9, star or hash"), key=True)
            elif keys in options:
                same = options[keys].removeprefix("key ")
                message = Text("'{written}' is the same key as '{same}'", written=written, same=same)
                scope.finding("E102", ("keys", written), message, Text("remove one"), key=True)
            else:
                options[keys] = f"key {written}"
        longest_key = max(map(len, options), default=1)
        once_ms = speech.longest_ms + self.first_key + self.between_keys * (longest_key - 1)
        scope.lasts(speech.longest_ms, self.tries * once_ms + (self.tries - 1) * apologies.longest_ms)
        choices, tries, interrupt = frozenset(options), self.tries, self.interrupt
        timing = Timing(self.first_key, self.between_keys)

        async def act(call: Call) -> str:
            prompt = speech(call)
            none = NoChoice.NO_INPUT
            for attempt in range(1, tries + 1):
                chosen = await call.conversation.choose(prompt, choices, interrupt=interrupt, timing=timing)
                if not isinstance(chosen, NoChoice):
                    return options[chosen]
                none = chosen
                if attempt < tries:
                    await call.keep_alive()
                    prompt = apologies(call, none.value) + speech(call)
            return none.value

        return act
