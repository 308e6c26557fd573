"""Call scripts: what one caller hears and does, as YAML that can be read aloud.

Knows the steps and where each stands in its file. Must not know sockets or calls; a PIN never stands in a script,
only the name of a secret that is given when the script runs.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, time
from pathlib import Path
from typing import Final

import yaml

from ivr_engine.speech.grammars import grammar_for
from ivr_engine.testcaller.recordings import PromptName
from ivr_engine.testcaller.rtp import KEYS, Tone
from ivr_engine.values.language import Language
from ivr_engine.values.money import Currency, Money

MAX_SCRIPT_CHARACTERS: Final = 256 * 1024
MAX_STEPS: Final = 1000
LONGEST_WAIT_MS: Final = 3_600_000
_DURATION = re.compile(r"(\d{1,7}) ?(ms|s|min)", re.ASCII)
_DURING = re.compile(r"(\S+)(?: after (.+))?")
_AMOUNT = re.compile(r"(\S+) ([A-Z]{3})")
_UNITS: Final[Mapping[str, int]] = {"ms": 1, "s": 1000, "min": 60_000}
ANYTHING: Final = "..."


class ScriptError(ValueError):
    """A script does not say what to do; the text begins with file:line:column."""


@dataclass(frozen=True, slots=True)
class Hear:
    """Recordings heard to their ends in this order; other recordings may come before those in `after_others`."""

    prompts: tuple[PromptName, ...]
    after_others: frozenset[int]
    within_ms: int | None


@dataclass(frozen=True, slots=True)
class PressKeys:
    """Keys, or the name of a secret, at once or when `after_ms` of a recording were heard."""

    keys: str | None
    secret: str | None
    every_ms: int
    tone: Tone
    during: PromptName | None
    after_ms: int


@dataclass(frozen=True, slots=True)
class Wait:
    """Doing nothing, whatever is heard; `silent`: nothing may be heard."""

    milliseconds: int
    silent: bool


@dataclass(frozen=True, slots=True)
class HangUp:
    """The caller hangs up."""


@dataclass(frozen=True, slots=True)
class Ended:
    """The far end hangs up within the time."""

    within_ms: int | None


Action = Hear | PressKeys | Wait | HangUp | Ended


@dataclass(frozen=True, slots=True)
class Step:
    """One action and the line it stands on."""

    line: int
    action: Action


@dataclass(frozen=True, slots=True)
class CallScript:
    """One call: its title, the number dialled, what is heard and done."""

    title: str
    dial: str
    steps: tuple[Step, ...]
    caller: str | None = None

    @property
    def secrets(self) -> frozenset[str]:
        """Return the names of the secrets that have to be given."""
        actions = (step.action for step in self.steps)
        return frozenset(action.secret for action in actions if isinstance(action, PressKeys) and action.secret)

    @classmethod
    def load(cls, file: Path) -> CallScript:
        """Read a script; raise `ScriptError` when it cannot be followed, `OSError` when it cannot be read."""
        return cls.parse(file.read_text(encoding="utf-8"), str(file))

    @classmethod
    def parse(cls, text: str, name: str = "script") -> CallScript:
        """Read a script from its text; raise `ScriptError` when it cannot be followed."""
        return _Reader(name).script(text)


@dataclass(slots=True)
class _Fields:
    """A mapping whose keys are taken one by one, so that what is left over can be refused."""

    node: yaml.Node
    left: dict[str, yaml.Node]


class _Reader:
    """Reads one file; remembers the language in force, which a `language` step changes."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._language = Language.ENGLISH

    def script(self, text: str) -> CallScript:
        if len(text) > MAX_SCRIPT_CHARACTERS:
            raise ScriptError(f"{self._name}:1:1: a script has at most {MAX_SCRIPT_CHARACTERS} characters")
        try:
            root = yaml.compose(text, Loader=yaml.SafeLoader)
        except yaml.YAMLError as error:
            mark = getattr(error, "problem_mark", None)
            place = f"{mark.line + 1}:{mark.column + 1}" if mark else "1:1"
            raise ScriptError(f"{self._name}:{place}: {getattr(error, 'problem', error)}") from None
        if root is None:
            raise ScriptError(f"{self._name}:1:1: the script is empty")
        fields = self._fields(root)
        title = self._text(self._take(fields, "call"))
        number = self._text(self._take(fields, "dial"))
        self._choose_language(self._take(fields, "language"))
        caller = fields.left.pop("caller", None)
        steps = self._list(self._take(fields, "steps"))
        self._nothing_left(fields)
        if len(steps) > MAX_STEPS:
            raise self._error(root, f"a script has at most {MAX_STEPS} steps")
        found = [self._step(node) for node in steps]
        called_from = self._text(caller) if caller else None
        return CallScript(title, number, tuple(step for step in found if step is not None), called_from)

    def _step(self, node: yaml.Node) -> Step | None:
        fields = self._fields(node)
        verbs: dict[str, Callable[[yaml.Node, _Fields], Action | None]] = {
            "hear": self._hear,
            "press": self._press,
            "wait": lambda value, _: Wait(self._duration(value), silent=False),
            "silence": lambda value, _: Wait(self._duration(value), silent=True),
            "hang_up": self._hang_up,
            "ended": self._ended,
            "language": lambda value, _: self._choose_language(value),
        }
        verb = next((key for key in fields.left if key in verbs), None)
        if verb is None:
            raise self._error(node, "a step is one of " + ", ".join(verbs))
        action = verbs[verb](fields.left.pop(verb), fields)
        self._nothing_left(fields)
        return None if action is None else Step(node.start_mark.line + 1, action)

    def _hear(self, value: yaml.Node, fields: _Fields) -> Hear:
        prompts: list[PromptName] = []
        after_others: set[int] = set()
        for node in value.value if isinstance(value, yaml.SequenceNode) else [value]:
            if isinstance(node, yaml.ScalarNode) and node.value == ANYTHING:
                after_others.add(len(prompts))
            else:
                prompts += self._prompts(node)
        if not prompts:
            raise self._error(value, "hear names at least one recording")
        if len(prompts) in after_others:
            raise self._error(value, "a recording follows ..., so that it is known when to go on")
        return Hear(tuple(prompts), frozenset(after_others), self._optional_duration(fields, "within"))

    def _press(self, value: yaml.Node, fields: _Fields) -> PressKeys:
        keys = secret = during = None
        if isinstance(value, yaml.MappingNode):
            named = self._fields(value)
            secret = self._text(self._take(named, "secret"))
            self._nothing_left(named)
        else:
            keys = self._text(value)
            if not keys or any(key not in KEYS for key in keys):
                raise self._error(value, f"keys are quoted and made of {KEYS}")
        try:
            tone = Tone(self._optional_duration(fields, "tone") or 80)
        except ValueError as error:
            raise self._error(value, str(error)) from None
        every_ms = self._optional_duration(fields, "every") or max(160, tone.shortest_every_ms)
        if every_ms < tone.shortest_every_ms or every_ms % 20:
            raise self._error(value, f"every is a multiple of 20 ms and at least {tone.shortest_every_ms} ms")
        after_ms = 0
        if "during" in fields.left:
            node = fields.left.pop("during")
            match = _DURING.fullmatch(self._text(node))
            if match is None:
                raise self._error(node, "during is like: menu after 300 ms")
            during = self._prompt(node, match[1])
            after_ms = self._milliseconds(node, match[2]) if match[2] else 0
        return PressKeys(keys, secret, every_ms, tone, during, after_ms)

    def _hang_up(self, value: yaml.Node, _: _Fields) -> HangUp:
        if self._text(value) != "caller":
            raise self._error(value, "hang_up: caller; when the engine hangs up, write ended: engine")
        return HangUp()

    def _ended(self, value: yaml.Node, fields: _Fields) -> Ended:
        if self._text(value) != "engine":
            raise self._error(value, "ended: engine; when the caller hangs up, write hang_up: caller")
        return Ended(self._optional_duration(fields, "within"))

    def _prompts(self, node: yaml.Node) -> list[PromptName]:
        if isinstance(node, yaml.ScalarNode):
            return [self._prompt(node, self._text(node))]
        fields = self._fields(node)
        if len(fields.left) != 1:
            raise self._error(node, "a read-out is like: {amount: 1234.56 CNY}")
        (kind, value), text = next(iter(fields.left.items())), self._text(next(iter(fields.left.values())))
        grammar = grammar_for(self._language)
        read_outs: dict[str, Callable[[], tuple[str, ...]]] = {
            "amount": lambda: grammar.amount(_money(text)),
            "number": lambda: grammar.cardinal(int(text)),
            "digits": lambda: grammar.digits(text),
            "masked": lambda: grammar.masked(text),
            "ordinal": lambda: grammar.ordinal(int(text)),
            "date": lambda: grammar.date(date.fromisoformat(text)),
            "time": lambda: grammar.time(time.fromisoformat(text)),
        }
        if kind not in read_outs:
            raise self._error(node, "a read-out is one of " + ", ".join(read_outs))
        try:
            return [PromptName(self._language, prompt) for prompt in read_outs[kind]()]
        except ValueError as error:
            raise self._error(value, f"{kind}: {error}") from None

    def _prompt(self, node: yaml.Node, text: str) -> PromptName:
        """Read `id`, in the language in force, or `language/id`."""
        if not text or re.search(r"\s", text):
            raise self._error(node, "a recording's id has no spaces")
        language, slash, prompt = text.partition("/")
        if slash and language in set(Language):
            return PromptName(Language(language), prompt)
        return PromptName(self._language, text)

    def _choose_language(self, node: yaml.Node) -> None:
        code = self._text(node)
        if code not in set(Language):
            raise self._error(node, "a language is one of " + ", ".join(Language))
        self._language = Language(code)

    def _optional_duration(self, fields: _Fields, key: str) -> int | None:
        return self._duration(fields.left.pop(key)) if key in fields.left else None

    def _duration(self, node: yaml.Node) -> int:
        return self._milliseconds(node, self._text(node))

    def _milliseconds(self, node: yaml.Node, text: str) -> int:
        match = _DURATION.fullmatch(text)
        milliseconds = int(match[1]) * _UNITS[match[2]] if match else -1
        if not 0 <= milliseconds <= LONGEST_WAIT_MS:
            raise self._error(node, "a time is like 160 ms, 2 s or 1 min, at most 1 hour")
        return milliseconds

    def _fields(self, node: yaml.Node) -> _Fields:
        if not isinstance(node, yaml.MappingNode):
            raise self._error(node, "names with values are expected here")
        left: dict[str, yaml.Node] = {}
        for key, value in node.value:
            name = self._text(key)
            if name in left:
                raise self._error(key, f"{name} stands here twice")
            left[name] = value
        return _Fields(node, left)

    def _take(self, fields: _Fields, key: str) -> yaml.Node:
        if key not in fields.left:
            raise self._error(fields.node, f"{key} is missing")
        return fields.left.pop(key)

    def _nothing_left(self, fields: _Fields) -> None:
        for name, node in fields.left.items():
            raise self._error(node, f"{name} means nothing here")

    def _list(self, node: yaml.Node) -> list[yaml.Node]:
        if not isinstance(node, yaml.SequenceNode):
            raise self._error(node, "a list is expected here")
        return list(node.value)

    def _text(self, node: yaml.Node) -> str:
        if not isinstance(node, yaml.ScalarNode):
            raise self._error(node, "one word or quoted text is expected here")
        return str(node.value)

    def _error(self, node: yaml.Node, problem: str) -> ScriptError:
        mark = node.start_mark
        return ScriptError(f"{self._name}:{mark.line + 1}:{mark.column + 1}: {problem}")


def _money(text: str) -> Money:
    match = _AMOUNT.fullmatch(text)
    if match is None:
        raise ValueError("is like 1,234.56 CNY")
    return Money.parse(match[1].replace(",", ""), Currency(match[2]))
