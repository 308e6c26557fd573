"""Reads what the caller hears and does, and lists of recordings.

Knows the steps of a test. Must not know what is given beyond the customer's number.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from ivr_engine.flow.findings import NotUnderstoodError, Place, did_you_mean
from ivr_engine.flow.scope import Prompts
from ivr_engine.flow.source import Data, Path, Source, read_source
from ivr_engine.flow.wording import Text
from ivr_engine.scenarios import written
from ivr_engine.scenarios.block import Block
from ivr_engine.scenarios.model import (
    EVERY_MS,
    HEAR_WITHIN_MS,
    GivenCustomer,
    HangUp,
    Hear,
    Listing,
    Press,
    Speak,
    Step,
    Typed,
    Wait,
    Wanted,
)
from ivr_engine.values.language import Language
from ivr_engine.values.secret import SecretDigits

OTHERS: Final = "..."
HANG_UP: Final = "hang up"
STAY_SILENT: Final = "stay silent"
SHORTEST_EVERY_MS: Final = 120
STEPS_MAX: Final = 1000
_DEEDS: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "hear": ("hear", "within"),
        "press": ("press", "every", "during", "after"),
        "type": ("type", "every", "during", "after"),
        "wait": ("wait",),
        "speak": ("speak",),
    }
)
_OWN_WORDS: Final = (Typed.NUMBER, Typed.PIN, Typed.WRONG_PIN, Typed.CODE, Typed.WRONG_CODE)
_WORDS: Final = (*_DEEDS, STAY_SILENT, HANG_UP)


@dataclass(slots=True)
class ListReader:
    """Reads lists of recordings, and checks that each is there; without `prompts` nothing is checked."""

    source: Source
    language: Language
    prompts: Prompts | None

    def listing(self, block: Block, key: str, *, any_language: bool) -> Listing:
        """Read a list with `...` in it; a bare id is in the test's language or, where that is said, in any."""
        wanted: list[Wanted] = []
        others: set[int] = set()
        is_list = isinstance(block.data.get(key), list)
        for number, item in enumerate(block.items(key)):
            at: Path = (key, number) if is_list else (key,)
            if item == OTHERS:
                others.add(len(wanted))
            else:
                wanted.extend(self._wanted(block, item, at, any_language=any_language))
        return Listing(tuple(wanted), frozenset(others))

    def one(self, block: Block, key: str, *, any_language: bool) -> Wanted | None:
        """Read the name of one recording."""
        found = self.listing(block, key, any_language=any_language).wanted
        return found[0] if found else None

    def _wanted(self, block: Block, item: Data, at: Path, *, any_language: bool) -> Iterable[Wanted]:
        if isinstance(item, dict):
            return self._read_out(block, item, at)
        words = block.understood(item, written.text, at, "")
        named, slash, prompt = words.partition("/")
        language = None if any_language else self.language
        if slash and named in set(Language):
            words, language = prompt, Language(named)
        if words:
            self._check(block, words, language, at)
        return (Wanted(words, language),)

    def _read_out(self, block: Block, item: Mapping[str, Data], at: Path) -> Iterable[Wanted]:
        if len(item) != 1:
            mend = Text("write for example `amount: 10755.35 CNY`")
            block.finding("T104", at, Text("a read-out is one word and its value"), mend)
            return ()
        ((kind, value),) = item.items()
        try:
            prompts = written.read_out(kind, value, self.language)
        except NotUnderstoodError as error:
            block.finding("T104", (*at, kind), error.args[0], error.mend)
            return ()
        return tuple(Wanted(prompt, self.language) for prompt in prompts)

    def _check(self, block: Block, prompt: str, language: Language | None, at: Path) -> None:
        if self.prompts is None:
            return
        languages = tuple(Language) if language is None else (language,)
        if not any(self.prompts.has(one, prompt) for one in languages):
            known = {known for one in languages for known in self.prompts.ids(one)}
            message = Text("there is no recording '{prompt}'", prompt=prompt)
            if language is not None:
                message = Text("there is no recording '{prompt}' in {code}", prompt=prompt, code=language.value)
            block.finding("T106", at, message, did_you_mean(prompt, known))


class StepsReader:
    """Reads the steps in order; before the caller's first key a bare recording may be in any language."""

    def __init__(self, lists: ListReader, customer: GivenCustomer | None) -> None:
        self._source = lists.source
        self._lists = lists
        self._customer = customer
        self._pressed = False
        self._silent_at: Path | None = None
        self._over = False

    def steps(self, count: int) -> tuple[Step, ...]:
        """Read so many steps; findings are noted in the source."""
        found = [self._step(("steps", number)) for number in range(min(count, STEPS_MAX))]
        if count > STEPS_MAX:
            place = self._source.place(("steps", STEPS_MAX))
            message = Text("a test has at most {most} steps", most=STEPS_MAX)
            self._source.finding("T104", place, message, Text("make two tests of it"))
        return tuple(step for step in found if step is not None)

    def _step(self, path: Path) -> Step | None:
        data = self._source.data["steps"][path[1]]  # type: ignore[index,call-overload] # the top has looked: a list
        place = self._source.place(path)
        word = next((key for key in data if key in _DEEDS), None) if isinstance(data, dict) else data
        if isinstance(data, dict) and len(said := [key for key in data if key in _DEEDS]) > 1:
            message = Text("{first} and {second} are two things", first=f"`{said[0]}`", second=f"`{said[1]}`")
            self._source.finding("T105", place, message, Text("make two steps of it"))
            return None
        if word not in (_WORDS if not isinstance(data, dict) else tuple(_DEEDS)):
            near = str(next(iter(data), "")) if isinstance(data, dict) else str(data)
            self._source.finding(
                "T105", place, Text("this step does not say what the caller does"), did_you_mean(near, _WORDS)
            )
            return None
        self._check_order(path, str(word))
        if word == STAY_SILENT:
            self._silent_at = path
            return None
        if word == HANG_UP:
            self._over = True
            return HangUp(place)
        block = Block(self._source, path, _DEEDS[str(word)])
        return self._deed(str(word), block)

    def _check_order(self, path: Path, word: str) -> None:
        place = self._source.place(path)
        if self._over:
            mend = Text("remove it, or remove `hang up`")
            self._source.finding("T111", place, Text("the caller has hung up before this"), mend)
            self._over = False
        if self._silent_at is not None and word != "hear":
            mend = Text("let `hear` say what is heard after the silence, or write `wait: 7 s`")
            silent = self._source.place(self._silent_at)
            self._source.finding("T111", silent, Text("nobody can tell how long this silence is"), mend)
        self._silent_at = None

    def _deed(self, word: str, block: Block) -> Step | None:
        place = block.source.place(block.path)
        if word == "hear":
            listing = self._lists.listing(block, "hear", any_language=not self._pressed)
            if not listing.wanted and any(item != OTHERS for item in block.items("hear")):
                return None  # each has its finding
            if not listing.wanted:
                mend = Text("name a recording, for example `hear: welcome`")
                block.finding("T104", ("hear",), Text("nothing is named here that could be heard"), mend)
                return None
            if len(listing.wanted) in listing.others_before:
                mend = Text("name the recording after which the caller goes on")
                block.finding("T104", ("hear",), Text("the list ends in `...`"), mend)
            return Hear(place, listing, block.read("within", written.milliseconds, HEAR_WITHIN_MS))
        if word == "wait":
            return Wait(place, block.read("wait", written.milliseconds, 0))
        if word == "speak":
            return Speak(place, block.read("speak", written.milliseconds, 0))
        return self._press(word, block, place)

    def _press(self, word: str, block: Block, place: Place) -> Press:
        during = self._lists.one(block, "during", any_language=not self._pressed)
        self._pressed = True
        if "after" in block and "during" not in block:
            mend = Text("write `during: main_menu` beside it")
            block.finding("T103", ("after",), Text("nobody can tell after what"), mend, key=True)
        every_ms = block.read("every", written.milliseconds, EVERY_MS)
        if every_ms < SHORTEST_EVERY_MS or every_ms % 20:
            message = Text("nobody presses keys so fast, or not in steps of 20 ms")
            mend = Text("write a multiple of 20 ms, at least {least} ms", least=SHORTEST_EVERY_MS)
            block.finding("T104", ("every",), message, mend)
        typed, keys = self._keys(word, block)
        return Press(
            place,
            typed,
            keys,
            every_ms,
            during,
            block.read("after", written.milliseconds, 0),
        )

    def _keys(self, word: str, block: Block) -> tuple[Typed, str]:
        said = str(block.data.get(word, ""))
        if said in set(_OWN_WORDS):
            if self._customer is None:
                message = Text("whose {said} is meant?", said=said)
                block.finding("T109", (word,), message, Text("write a `customer` under `given`"))
            return Typed(said), ""
        keys = block.read(word, written.keys, "")
        if self._customer is not None and keys:
            if keys == f"{self._customer.number}#":
                return Typed.NUMBER, ""
            if pin_at(keys, self._customer.pin) is not None:
                block.finding(
                    "T110", (word,), Text("a PIN is written out here"), Text("write `{word}: pin`", word=word)
                )
        return Typed.KEYS, keys


def pin_at(keys: str, pin: SecretDigits) -> int | None:
    """Return where among keys a PIN begins, or None."""
    starts = range(len(keys) - len(pin) + 1) if len(pin) else range(0)
    windows = ((start, SecretDigits(keys[start : start + len(pin)].encode("ascii"))) for start in starts)
    return next((start for start, window in windows if pin.same_as(window)), None)


def read_list(item: str, language: Language) -> Listing:
    """Read one written item of a list, `- name` or `- {amount: 1.00 CNY}`, as it was read with its test."""
    source = read_source("", f"list:\n{item}\n")
    return ListReader(source, language, None).listing(Block(source, (), ("list",)), "list", any_language=False)
