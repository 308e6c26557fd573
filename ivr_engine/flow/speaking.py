"""The parts of speech in a flow: prompts and read-outs, checked in every language and built without delay.

Knows how parts are written and which values they take. Must not know grammars (speech/ does) or audio.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, time
from typing import TYPE_CHECKING, Annotated, Any, Final, cast

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from ivr_engine.flow.call import FACTS, Call
from ivr_engine.flow.expressions import Compiled, Evaluate, compile_expression
from ivr_engine.flow.findings import NotUnderstoodError, did_you_mean
from ivr_engine.flow.source import Path
from ivr_engine.flow.tokens import ExpressionError
from ivr_engine.flow.uses import PROMPTS
from ivr_engine.flow.values import DATE, DIGITS, MONEY, NUMBER, RATE, TIME, DataClass, Type
from ivr_engine.flow.wording import Text
from ivr_engine.speech.grammar import Grammar
from ivr_engine.speech.grammars import grammar_for
from ivr_engine.values.language import Language
from ivr_engine.values.money import Money
from ivr_engine.values.rate import Rate
from ivr_engine.values.utterance import Utterance

if TYPE_CHECKING:
    from ivr_engine.flow.scope import Scope

_PLACEHOLDER: Final = re.compile(r"\{(\w+)\}")
_READ_OUTS: Final[Mapping[str, Type]] = {
    "amount": MONEY,
    "digits": DIGITS,
    "masked": DIGITS,
    "number": NUMBER,
    "ordinal": NUMBER,
    "date": DATE,
    "time": TIME,
    "rate": RATE,
}

_READ_OUT_MS: Final[Mapping[str, int]] = {
    "amount": 8000,
    "digits": 8000,
    "masked": 4000,
    "number": 4000,
    "ordinal": 2000,
    "date": 5000,
    "time": 4000,
    "rate": 11_000,
}
"""How long a read-out lasts at most with any value that a caller of a bank may hear; for bounds, not for playing."""

Spoken = Callable[[Call, Language], tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Speaker:
    """Builds an utterance for a call; `longest_ms` is how long any of them may last, in the slowest language."""

    build: Callable[[Call], Utterance]
    longest_ms: int

    def __call__(self, call: Call) -> Utterance:
        """Return what this caller hears now."""
        return self.build(call)


NAMES_OF: Final = "names_of"
"""Marks, in a schema, a text that is the name of a prompt, an operation, ...; a hotline knows which there are."""


def _one_thing(schema: dict[str, Any]) -> None:
    """Say for editors that a part is one thing; a prompt may name its language, and `first` has `again` beside it."""
    schema["minProperties"] = 1
    schema["if"] = {"required": ["language"]}
    schema["then"] = {"required": ["prompt"], "maxProperties": 2}
    schema["else"] = {
        "if": {"anyOf": [{"required": ["first"]}, {"required": ["again"]}]},
        "then": {"required": ["first", "again"], "maxProperties": 2},
        "else": {"maxProperties": 1},
    }


def _of_plain_parts(schema: dict[str, Any]) -> None:
    """Say for editors that `first` and `again` do not stand within one another."""
    plain = {"not": {"type": "object", "required": ["first"]}}
    schema["allOf"] = [plain, {"items": plain}]


def _as_parts(written: Any) -> Any:  # noqa: ANN401 # whatever the author wrote; pydantic judges it next
    listed = written if isinstance(written, list) else [written]
    return [{"prompt": part} if isinstance(part, str) else part for part in listed]


class Part(BaseModel):
    """One part of what is said: a prompt, one read-out of a value, or what is said the first time and what later."""

    model_config = ConfigDict(extra="forbid", frozen=True, json_schema_extra=_one_thing)

    prompt: str | None = Field(
        default=None,
        description="A prompt id; {name} in it is replaced by a choice's word.",
        json_schema_extra={NAMES_OF: PROMPTS},
    )
    language: Language | None = Field(default=None, description="For a prompt: always in this language.")
    amount: str | None = Field(default=None, description="Money, with its currency.")
    digits: str | None = Field(default=None, description="Digits one by one.")
    masked: str | None = Field(default=None, description="The last four digits only.")
    number: str | int | None = Field(default=None, description="A whole number.")
    ordinal: str | int | None = Field(default=None, description="First, second, ...")
    date: str | None = Field(default=None, description="A date.")
    time: str | None = Field(default=None, description="A time of day.")
    rate: str | None = Field(
        default=None, description="Interest in per cent, or what a hundred units of a currency are worth."
    )

    first: Speech | None = Field(
        default=None,
        min_length=1,
        description="Said when the caller comes here for the first time in this call.",
        json_schema_extra=_of_plain_parts,
    )
    again: Speech | None = Field(
        default=None,
        min_length=1,
        description="Said instead when the caller comes here again, and at every further try.",
        json_schema_extra=_of_plain_parts,
    )

    @model_validator(mode="after")
    def _exactly_one(self) -> Part:
        said = self.model_fields_set - {"language"}
        if self.first is not None and self.again is not None:
            if any(part.first is not None for part in (*self.first, *self.again)):
                raise NotUnderstoodError(
                    Text("`first` and `again` stand within one another"), Text("write each of them out")
                )
            if said == {"first", "again"} and "language" not in self.model_fields_set:
                return self
        elif said & {"first", "again"}:
            raise NotUnderstoodError(
                Text("`first` and `again` belong together"), Text("write both, or only what is always said")
            )
        if len(said) != 1 or ("language" in self.model_fields_set and said != {"prompt"}):
            raise NotUnderstoodError(
                Text("one part of speech is one prompt, which may name its language, or one read-out"),
                Text("begin each part with a dash in a line of its own"),
            )
        return self


_PromptName = Annotated[str, Field(json_schema_extra={NAMES_OF: PROMPTS})]
Speech = Annotated[
    list[Part],
    BeforeValidator(_as_parts, json_schema_input_type=_PromptName | Part | list[_PromptName | Part]),
]
Part.model_rebuild()  # a part may hold parts


class SpeechBuilder:
    """Checks the parts written at one place and returns what says them."""

    def __init__(self, scope: Scope, at: Path) -> None:
        self._scope = scope
        self._at = at
        self._personal = False
        self._longest_ms = dict.fromkeys(scope.languages, 0)

    def build(self, parts: list[Part]) -> Speaker:
        """Return what builds the utterance; findings are noted in the scope."""
        spoken = [self._part(part, (*self._at, index)) for index, part in enumerate(parts)]
        return Speaker(self._builder(spoken), max(self._longest_ms.values()))

    def _builder(self, spoken: list[str | Spoken]) -> Callable[[Call], Utterance]:
        static = [piece for piece in spoken if isinstance(piece, str)]
        if len(static) == len(spoken):
            ready = {language: Utterance(language, tuple(static)) for language in Language}
            return lambda call: ready[call.language]
        pieces = tuple(_fixed(piece) if isinstance(piece, str) else piece for piece in spoken)
        personal = self._personal

        def build(call: Call) -> Utterance:
            language = call.language
            prompts = tuple(prompt for piece in pieces for prompt in piece(call, language))
            return Utterance(language, prompts, personal)

        return build

    def _part(self, part: Part, at: Path) -> str | Spoken:
        if part.prompt is not None:
            return self._prompt(part.prompt, part.language, at)
        if part.first is not None and part.again is not None:
            return self._first_or_again(part.first, part.again, at)
        name = next(iter(part.model_fields_set))
        compiled = self._scope.expression(getattr(part, name), (*at, name), _READ_OUTS[name])
        if compiled is None:
            return ""
        self._note_personal(compiled)
        self._note_time(dict.fromkeys(self._longest_ms, _READ_OUT_MS[name]))
        return _READERS[name](compiled.evaluate)

    def _first_or_again(self, first: list[Part], again: list[Part], at: Path) -> Spoken:
        if (*self._scope.path, *at, "first") not in self._scope.source.values:
            at = at[:-1]  # the only part, written where a list could be
        before = self._longest_ms
        said: list[tuple[Spoken, ...]] = []
        lasts_ms: list[dict[Language, int]] = []
        for name, parts in (("first", first), ("again", again)):
            self._longest_ms = dict(before)
            spoken = (self._part(part, (*at, name, index)) for index, part in enumerate(parts))
            said.append(tuple(_fixed(piece) if isinstance(piece, str) else piece for piece in spoken))
            lasts_ms.append(self._longest_ms)
        self._longest_ms = {language: max(lasts[language] for lasts in lasts_ms) for language in before}
        said_first, said_again = said

        def speak(call: Call, language: Language) -> tuple[str, ...]:
            pieces = said_again if call.visits.again() else said_first
            return tuple(prompt for piece in pieces for prompt in piece(call, language))

        return speak

    def _prompt(self, prompt: str, language: Language | None, at: Path) -> str | Spoken:
        if language is not None:
            self._must_exist(prompt, at, (language,))
            self._note_time(dict.fromkeys(self._longest_ms, self._lasts_ms(language, prompt)))
            return f"{language.value}/{prompt}"
        placeholder = _PLACEHOLDER.search(prompt)
        if placeholder is None:
            self._must_exist(prompt, at, self._scope.languages)
            self._note_time({language: self._lasts_ms(language, prompt) for language in self._longest_ms})
            return prompt
        compiled = self._scope.expression(placeholder.group(1), at)
        if compiled is None:
            return ""
        if not compiled.type.members:
            message = Text(
                "'{name}' is {type}, not a choice among named words", name=placeholder.group(1), type=compiled.type
            )
            self._scope.finding("E302", at, message, Text("declare it as `one of (...)`"))
            return ""
        variants = [prompt.replace(placeholder.group(0), member) for member in compiled.type.members]
        for variant in variants:
            self._must_exist(variant, at, self._scope.languages)
        self._note_time(
            {language: max(self._lasts_ms(language, variant) for variant in variants) for language in self._longest_ms}
        )
        self._note_personal(compiled)
        before, after, evaluate = prompt[: placeholder.start()], prompt[placeholder.end() :], compiled.evaluate
        return lambda call, _: (f"{before}{evaluate(call)}{after}",)

    def _must_exist(self, prompt: str, at: Path, languages: tuple[Language, ...]) -> None:
        prompts = self._scope.world.prompts
        missing = [language for language in languages if not prompts.has(language, prompt)]
        known_at_all = len(missing) < len(languages) or any(prompts.has(language, prompt) for language in Language)
        if known_at_all:
            self._scope.use(PROMPTS, prompt, at if self._at else ())
        if not missing:
            return
        if not known_at_all:
            known = [known for language in missing for known in prompts.ids(language)]
            message = Text("there is no prompt '{prompt}'", prompt=prompt)
            self._scope.finding("E401", at, message, did_you_mean(prompt, set(known)))
            return
        message = Text("prompt '{prompt}' has no text in {languages}", prompt=prompt, languages=", ".join(missing))
        self._scope.finding("E402", at, message, Text("add it to prompts/{language}.yaml", language=missing[0]))

    def _note_personal(self, compiled: Compiled) -> None:
        personal = {name for name in compiled.reads if self._scope.variables[name].data_class is not DataClass.PUBLIC}
        self._scope.tells.update(personal)
        self._personal = self._personal or bool(personal)

    def _lasts_ms(self, language: Language, prompt: str) -> int:
        prompts = self._scope.world.prompts
        return prompts.lasts_ms(language, prompt) if prompts.has(language, prompt) else 0

    def _note_time(self, lasts_ms: Mapping[Language, int]) -> None:
        for language, milliseconds in lasts_ms.items():
            self._longest_ms[language] += milliseconds


def read_out(parts: list[Part], scope: Scope) -> frozenset[str]:
    """Return the variables whose own values a caller hears; of a sum they hear the sum, and no part of it."""
    heard: set[str] = set()
    for part in parts:
        if part.first is not None and part.again is not None:
            heard |= read_out(part.first, scope) & read_out(part.again, scope)
            continue
        for name in part.model_fields_set - {"language"}:
            placeholder = _PLACEHOLDER.search(part.prompt or "")
            text = placeholder.group(1) if placeholder is not None else str(getattr(part, name))
            if name != "prompt" or placeholder is not None:
                with contextlib.suppress(ExpressionError):  # told where the speech is built
                    variable = compile_expression(text, scope.variables, FACTS).variable
                    heard.update({variable} if variable is not None else ())
    return frozenset(heard)


def _fixed(prompt: str) -> Spoken:
    return lambda _call, _language: (prompt,)


def _reader(speak: Callable[[Grammar, Any], tuple[str, ...]]) -> Callable[[Evaluate], Spoken]:
    def bind(evaluate: Evaluate) -> Spoken:
        return lambda call, language: speak(grammar_for(language), evaluate(call))

    return bind


_READERS: Final[Mapping[str, Callable[[Evaluate], Spoken]]] = {
    "amount": _reader(lambda grammar, value: grammar.amount(cast("Money", value))),
    "digits": _reader(lambda grammar, value: grammar.digits(str(value))),
    "masked": _reader(lambda grammar, value: grammar.masked(str(value))),
    "number": _reader(lambda grammar, value: grammar.cardinal(int(value))),
    "ordinal": _reader(lambda grammar, value: grammar.ordinal(int(value))),
    "date": _reader(lambda grammar, value: grammar.date(cast("date", value))),
    "time": _reader(lambda grammar, value: grammar.time(cast("time", value))),
    "rate": _reader(lambda grammar, value: grammar.rate(cast("Rate", value))),
}
