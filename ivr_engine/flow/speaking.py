"""The parts of speech in a flow: prompts and read-outs, checked in every language and built without delay.

Knows how parts are written and which values they take. Must not know grammars (speech/ does) or audio.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date, time
from typing import TYPE_CHECKING, Annotated, Any, Final, cast

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from ivr_engine.flow.call import Call
from ivr_engine.flow.expressions import Compiled, Evaluate
from ivr_engine.flow.findings import NotUnderstoodError, did_you_mean
from ivr_engine.flow.source import Path
from ivr_engine.flow.values import DATE, DIGITS, MONEY, NUMBER, TIME, DataClass, Type
from ivr_engine.speech.grammar import Grammar
from ivr_engine.speech.grammars import grammar_for
from ivr_engine.values.language import Language
from ivr_engine.values.money import Money
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
}

Spoken = Callable[[Call, Language], tuple[str, ...]]


class Part(BaseModel):
    """One part of what is said: a prompt, or one read-out of a value."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    prompt: str | None = Field(default=None, description="A prompt id; {name} in it is replaced by a choice's word.")
    language: Language | None = Field(default=None, description="For a prompt: always in this language.")
    amount: str | None = Field(default=None, description="Money, with its currency.")
    digits: str | None = Field(default=None, description="Digits one by one.")
    masked: str | None = Field(default=None, description="The last four digits only.")
    number: str | int | None = Field(default=None, description="A whole number.")
    ordinal: str | int | None = Field(default=None, description="First, second, ...")
    date: str | None = Field(default=None, description="A date.")
    time: str | None = Field(default=None, description="A time of day.")

    @model_validator(mode="after")
    def _exactly_one(self) -> Part:
        said = self.model_fields_set - {"language"}
        if len(said) != 1 or ("language" in self.model_fields_set and said != {"prompt"}):
            raise NotUnderstoodError(
                "one part of speech is one prompt, which may name its language, or one read-out",
                "begin each part with a dash in a line of its own",
            )
        return self


def _as_parts(written: Any) -> Any:  # noqa: ANN401 # whatever the author wrote; pydantic judges it next
    listed = written if isinstance(written, list) else [written]
    return [{"prompt": part} if isinstance(part, str) else part for part in listed]


Speech = Annotated[list[Part], BeforeValidator(_as_parts)]


class SpeechBuilder:
    """Checks the parts written at one place and returns a builder of the utterance."""

    def __init__(self, scope: Scope, at: Path) -> None:
        self._scope = scope
        self._at = at
        self._personal = False

    def build(self, parts: list[Part]) -> Callable[[Call], Utterance]:
        """Return what builds the utterance; findings are noted in the scope."""
        spoken = [self._part(part, index) for index, part in enumerate(parts)]
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

    def _part(self, part: Part, index: int) -> str | Spoken:
        at = (*self._at, index)
        if part.prompt is not None:
            return self._prompt(part.prompt, part.language, at)
        name = next(iter(part.model_fields_set))
        compiled = self._scope.expression(getattr(part, name), (*at, name), _READ_OUTS[name])
        if compiled is None:
            return ""
        self._note_personal(compiled)
        return _READERS[name](compiled.evaluate)

    def _prompt(self, prompt: str, language: Language | None, at: Path) -> str | Spoken:
        if language is not None:
            self._must_exist(prompt, at, (language,))
            return f"{language.value}/{prompt}"
        placeholder = _PLACEHOLDER.search(prompt)
        if placeholder is None:
            self._must_exist(prompt, at, self._scope.languages)
            return prompt
        compiled = self._scope.expression(placeholder.group(1), at)
        if compiled is None:
            return ""
        if not compiled.type.members:
            message = f"'{placeholder.group(1)}' is {compiled.type}, not a choice among named words"
            self._scope.finding("E302", at, message, "declare it as `one of (...)`")
            return ""
        for member in compiled.type.members:
            self._must_exist(prompt.replace(placeholder.group(0), member), at, self._scope.languages)
        self._note_personal(compiled)
        before, after, evaluate = prompt[: placeholder.start()], prompt[placeholder.end() :], compiled.evaluate
        return lambda call, _: (f"{before}{evaluate(call)}{after}",)

    def _must_exist(self, prompt: str, at: Path, languages: tuple[Language, ...]) -> None:
        prompts = self._scope.world.prompts
        missing = [language for language in languages if not prompts.has(language, prompt)]
        if not missing:
            return
        if not any(prompts.has(language, prompt) for language in Language):
            known = [known for language in missing for known in prompts.ids(language)]
            self._scope.finding("E401", at, f"there is no prompt '{prompt}'", did_you_mean(prompt, set(known)))
            return
        names = ", ".join(missing)
        message = f"prompt '{prompt}' has no text in {names}"
        self._scope.finding("E402", at, message, f"add it to prompts/{missing[0]}.yaml")

    def _note_personal(self, compiled: Compiled) -> None:
        classes = (self._scope.variables[name].data_class for name in compiled.reads)
        self._personal = self._personal or any(found is not DataClass.PUBLIC for found in classes)


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
}
