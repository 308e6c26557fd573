"""`menu`: offer a choice by keys."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Final

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from ivr_engine.channel.conversation import Interrupt, NoChoice, Timing
from ivr_engine.flow.call import Call
from ivr_engine.flow.expressions import Evaluate
from ivr_engine.flow.fields import KeyEvent, Milliseconds, Written, telephone_keys
from ivr_engine.flow.findings import NotUnderstoodError
from ivr_engine.flow.nodes.asking import FIRST_KEY_MS, MENU_BETWEEN_KEYS_MS, NO_CHOICE, TRIES, Apologies
from ivr_engine.flow.nodes.deciding import level_of
from ivr_engine.flow.nodes.offering import (
    BACK,
    HELP,
    Help,
    check_events,
    event_of,
    everywhere,
    everywhere_arms,
    everywhere_events,
    helped,
    press,
    way_of,
)
from ivr_engine.flow.scope import Scope
from ivr_engine.flow.source import Path
from ivr_engine.flow.speaking import Speaker, Speech
from ivr_engine.flow.step import Action, Arm, Step, Way
from ivr_engine.flow.values import YES_NO
from ivr_engine.flow.wording import Text
from ivr_engine.values.utterance import Utterance

OPTIONS_MAX: Final = 12


class Option(BaseModel):
    """What one key of a menu does: where it leads, what is said of it, and when it is there."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    then: str = Field(description="The step that follows, or `repeat`, `help` or `back`.")
    say: Speech | None = Field(default=None, min_length=1, description="What is said before `press` and the key.")
    if_: Written | None = Field(default=None, alias="if", description="The key is there only while this holds.")
    hidden: bool = Field(default=False, description="The key is taken, and nothing is said of it.")


def _as_option(written: Any) -> Any:  # noqa: ANN401 # whatever the author wrote; pydantic judges it next
    if isinstance(written, list):
        mend = Text("write its name, or a block with `then: <step>`")
        raise NotUnderstoodError(Text("a step is expected here, not a list"), mend)
    return written if isinstance(written, dict) else {"then": written}


@dataclass(frozen=True, slots=True)
class Offered:
    """One option, ready: the keys, the outcome, when it is there, what is said of it; or the event instead of one."""

    keys: str
    outcome: str
    condition: Evaluate | None
    words: Speaker | None
    event: KeyEvent | None = None


class Menu(Step):
    """Offer a choice; each key leads to a step. `1` and `12` may stand in one menu."""

    WORD: ClassVar[str] = "menu"
    SUMMARY: ClassVar[str] = "Offer a choice by keys."

    menu: Speech = Field(min_length=1, description="What is offered, as the caller hears it.")
    keys: dict[str, Annotated[Option, BeforeValidator(_as_option, json_schema_input_type=str | Option)]] = Field(
        min_length=1,
        max_length=OPTIONS_MAX,
        description="Which key leads to which step, or to `repeat`, `help` or `back`: its name, or a block of `then`, "
        "`say`, `if` and `hidden`.",
    )
    tries: int = Field(default=TRIES, ge=1, le=5, description="How often it is offered before giving up.")
    first_key: Milliseconds = Field(default=FIRST_KEY_MS, description="Silence before the first key.")
    between_keys: Milliseconds = Field(default=MENU_BETWEEN_KEYS_MS, description="Silence between two keys.")
    interrupt: Interrupt = Field(default=Interrupt.ANY, description="Which keys stop the prompt.")
    help: Speech | None = Field(default=None, min_length=1, description=HELP)
    back: str | None = Field(default=None, description=BACK)

    @property
    def goes_back_to(self) -> str | None:
        """The question before this one."""
        return self.back

    def ways(self, scope: Scope) -> tuple[Way, ...]:
        """Each option, the keys that work everywhere, and the two ways of choosing none."""
        chosen = (self._way(scope, key, option) for key, option in self.keys.items() if self._target(scope, option))
        return (*chosen, *everywhere(scope, self._own, self.back).values(), *NO_CHOICE)

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
        keys = {
            f"key {key}": Arm(target, ("back",) if event_of(scope, option.then) else self._path(scope, key))
            for key, option in self.keys.items()
            if (target := self._target(scope, option)) is not None
        }
        return everywhere_arms(scope, self._own, self.back) | arms | keys

    def compile(self, scope: Scope) -> Action:
        """Offer until an option is chosen or the tries are used up; silence and wrong keys are told apart."""
        speech = scope.speech(self.menu, ("menu",))
        apologies = Apologies(scope)
        offered = self._offered(scope)
        taken = everywhere(scope, self._own, self.back)
        offered += [Offered(key, way.outcome, None, None) for key, way in taken.items()]
        heard_again = self._help(scope, offered)
        own = {option.keys for option in offered}
        offered += [Offered(key, "", None, None, event) for key, event in heard_again.events.items() if key not in own]
        if offered and all(option.condition is not None for option in offered):
            message = Text("every key of this menu has a condition")
            mend = Text("let one key be there always, for example one that leads to an agent")
            scope.finding("E220", ("keys",), message, mend, key=True)
        heard_ms = speech.longest_ms + sum(option.words.longest_ms for option in offered if option.words is not None)
        longest_key = max((len(option.keys) for option in offered), default=1)
        once_ms = heard_ms + self.first_key + self.between_keys * (longest_key - 1)
        longest_ms = self.tries * once_ms + (self.tries - 1) * apologies.longest_ms
        scope.lasts(heard_ms, longest_ms + heard_again.longest_ms(once_ms))
        tries, interrupt = self.tries, self.interrupt
        timing = Timing(self.first_key, self.between_keys)

        async def act(call: Call) -> str:
            none, again = NoChoice.NO_INPUT, heard_again.begin(call)
            for attempt in range(tries):
                if attempt:
                    await call.try_again()
                there = [option for option in offered if option.condition is None or option.condition(call)]
                prompt = _said(call, speech, there)
                first = apologies(call, none.value) + prompt if attempt else None
                options = {option.keys: option.outcome for option in there if option.event is None}
                events = {option.keys: option.event for option in there if option.event is not None}
                chosen = await again.choose(
                    prompt, frozenset(options), events, first=first, interrupt=interrupt, timing=timing
                )
                if not isinstance(chosen, NoChoice):
                    return options[chosen]
                none = chosen
            return none.value

        return act

    @property
    def _own(self) -> frozenset[str]:
        return frozenset(telephone_keys(key) or key for key in self.keys)

    def _target(self, scope: Scope, option: Option) -> str | None:
        """Return where a key leads; None for one that repeats or helps, or goes back to nothing."""
        event = event_of(scope, option.then)
        return option.then if event is None else self.back if event is KeyEvent.BACK else None

    def _help(self, scope: Scope, offered: list[Offered]) -> Help:
        """Check that keys which mean `help` or `back` have what they need, and the other way round."""
        words = {KeyEvent.HELP.value: self.help, KeyEvent.BACK.value: self.back}
        meant = {option.then: (key, event_of(scope, option.then)) for key, option in self.keys.items()}
        check_events(scope, words, [event for _, event in meant.values()])
        for key, event in meant.values():
            if event is not None and event.value in words and words[event.value] is None:
                message = Text("key '{key}' means `{event}`, and the menu has none", key=key, event=event.value)
                mend = Text("add `{event}: ...` to the menu", event=event.value)
                scope.finding("E226", self._path(scope, key), message, mend)
        events = everywhere_events(scope, self._own, helps=self.help is not None)
        own = {option.keys: option.event for option in offered if option.event is not None}
        return helped(scope, self.help, {**events, **own})

    def _way(self, scope: Scope, key: str, option: Option) -> Way:
        """A key that is there only for who has signed in tells that much of who presses it."""
        way = way_of(key)
        holds = scope.facts_of(option.if_)[0] if option.if_ is not None else frozenset[str]()
        return Way(way.outcome, way.by, way.deed, way.presses, at_least=level_of(holds))

    @staticmethod
    def _path(scope: Scope, key: str) -> Path:
        """Return where the step of a key is written: beside it, or in its block."""
        within: Path = ("keys", key, "then")
        return within if (*scope.path, *within) in scope.source.values else within[:-1]

    def _offered(self, scope: Scope) -> list[Offered]:
        offered: dict[str, Offered] = {}
        for written, option in self.keys.items():
            keys = telephone_keys(written)
            if keys is None:
                message = Text("'{written}' is no key of a telephone", written=written)
                scope.finding("E208", ("keys", written), message, Text("use 0-9, star or hash"), key=True)
                continue
            if keys in offered:
                same = offered[keys].outcome.removeprefix("key ")
                message = Text("'{written}' is the same key as '{same}'", written=written, same=same)
                scope.finding("E102", ("keys", written), message, Text("remove one"), key=True)
                continue
            words = self._words(scope, written, keys, option)
            condition = None
            if option.if_ is not None:
                compiled = scope.expression(option.if_, ("keys", written, "if"), YES_NO)
                condition = compiled.evaluate if compiled is not None else _never
            event = event_of(scope, option.then)
            leads = event in (None, KeyEvent.BACK)
            offered[keys] = Offered(keys, f"key {written}", condition, words, None if leads else event)
        return list(offered.values())

    @staticmethod
    def _words(scope: Scope, written: str, keys: str, option: Option) -> Speaker | None:
        if option.say is None:
            return None
        at: Path = ("keys", written, "say")
        if option.hidden:
            message = Text("key '{key}' is hidden, and yet something is said of it", key=written)
            scope.finding("E221", at, message, Text("remove `say` or `hidden`"), key=True)
        if len(keys) > 1:
            message = Text("'{key}' is more than one key", key=written)
            scope.finding("E222", at, message, Text("remove `say`, and say it in the words of the menu"), key=True)
            return scope.speech(option.say, at)
        return scope.speech([*option.say, press(keys)], at)


def _said(call: Call, speech: Speaker, there: list[Offered]) -> Utterance:
    said = speech(call)
    for option in there:
        if option.words is not None:
            said += option.words(call)
    return said


def _never(names: object) -> bool:
    del names
    return False
