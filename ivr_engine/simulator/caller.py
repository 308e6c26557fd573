"""A caller who follows a test: told what is heard and when, says which key comes next and when.

Knows the steps of a test and times in seconds. Must not know lines, flows or loops; nothing here waits. Keys of a PIN
pass through here as they do through a caller's fingers.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from typing import Final

from ivr_engine.flow.findings import Place
from ivr_engine.flow.wording import Text
from ivr_engine.scenarios.model import REACTION_MS, HangUp, Hear, Press, Speak, Step, Wait
from ivr_engine.scenarios.verdict import SHOWN_HEARD_MAX, Failure, HeardPrompt

_SAME_S: Final = 0.000001
"""Times nearer than this are one."""
HANG_UP: Final = "hang up"


class ScenarioCaller:
    """Follows the steps of one test. `keys_of` gives the keys that a step presses.

    What is heard has to be told in order. `failure` is the first step that could not be followed; the caller then hangs
    up.
    """

    def __init__(self, steps: Sequence[Step], keys_of: Callable[[Press], str], began: float) -> None:
        self.heard: list[HeardPrompt] = []
        self.failure: Failure | None = None
        self._steps = steps
        self._keys_of = keys_of
        self._began = began
        self._at = -1
        self._current: Step | None = None
        self._free_at = began
        self._cursor = 0
        self._matched = 0
        self._due: deque[tuple[float, str]] = deque()
        self._pressing: Place | None = None
        self._hearing: str | None = None
        self._busy: list[tuple[float, float]] = []
        self._advance()
        self._go_on()

    @property
    def next_deed(self) -> tuple[float, str] | None:
        """When the next key is pressed and which, or the hang-up; None while the caller only listens."""
        if self._due:
            return self._due[0]
        step = self._current
        if isinstance(step, Hear):
            return self._free_at + step.within_ms / 1000, HANG_UP
        return None

    def do_next(self) -> None:
        """The next deed is done."""
        if self._due:
            self._due.popleft()
            return
        step = self._current
        if isinstance(step, Hear):
            self._fail(step.place, self._not_heard(step, Text("within {s} s", s=step.within_ms / 1000)))

    def begins(self, name: str, at: float) -> None:
        """A recording begins: some callers press a key in the middle of it."""
        self._hearing = name
        step = self._current
        if isinstance(step, Press) and step.during is not None and step.during.is_heard_in(name):
            self._press(step, max(self._free_at, at + step.after_ms / 1000))
            self._go_on()

    def hears(self, name: str, began: float, ended: float, *, cut: bool, called_away: bool = False) -> None:
        """A recording is over, at its end or cut: by a key, or by what the caller waits for (`called_away`)."""
        self._hearing = None
        by_chance = any(since <= began < until for since, until in self._busy)
        self.heard.append(HeardPrompt(name, began - self._began, ended - self._began, cut, by_chance, called_away))
        self._go_on()

    def goes_on(self, name: str) -> float | None:
        """A recording that a key had cut goes on where it was: forget the cut, and return when it began."""
        if not (self.heard and self.heard[-1].cut and self.heard[-1].name == name):
            return None
        began = self._began + self.heard.pop().began_s
        self._cursor = min(self._cursor, len(self.heard))
        return began

    def speaks(self, at: float) -> float:
        """A message is recorded from now on: return for how many seconds the caller speaks, maybe none."""
        step = self._current
        if not isinstance(step, Speak):
            return 0.0
        seconds = step.milliseconds / 1000
        self._free_at = max(self._free_at, at + seconds)
        self._advance()
        self._go_on()
        return seconds

    def call_ended(self) -> None:
        """The call is over: whatever was still to be done cannot be."""
        step = self._current
        if self.failure is not None:
            return
        if self._due and self._pressing is not None:
            self._fail(self._pressing, Text("the call ended before this"))
        elif step is None:
            return
        elif isinstance(step, Hear):
            self._fail(step.place, self._not_heard(step, Text("before the call ended")))
        else:
            self._fail(step.place, Text("the call ended before this"))

    def _advance(self) -> None:
        self._at += 1
        self._current = self._steps[self._at] if self._at < len(self._steps) else None

    def _go_on(self) -> None:
        """Do every step that can be done with what was heard so far."""
        while (step := self._current) is not None:
            if isinstance(step, Hear):
                if not self._listen(step):
                    return
            elif isinstance(step, Press):
                if step.during is not None:
                    return
                self._press(step, self._free_at + REACTION_MS / 1000)
                continue
            elif isinstance(step, Wait):
                self._free_at += step.milliseconds / 1000
            elif isinstance(step, Speak):
                return
            elif isinstance(step, HangUp):
                self._due.append((self._free_at + step.after_ms / 1000, HANG_UP))
            self._advance()

    def _press(self, step: Press, first_at: float) -> None:
        """Press the keys of a step; a recording that begins meanwhile is heard or cut by chance.

        So is one that begins just before; but not the one that the step waits for, which its keys are meant for.
        """
        at = last_at = first_at
        self._pressing = step.place
        for key in self._keys_of(step):
            self._due.append((at, key))
            last_at = at
            at += step.every_ms / 1000
        self._busy.append((self._free_at if step.during is None else first_at + _SAME_S, last_at))
        self._free_at = last_at
        self._advance()

    def _listen(self, step: Hear) -> bool:
        """Say whether all of a step was heard; look at what was heard since the step before."""
        listing = step.listing
        while self._cursor < len(self.heard):
            heard = self.heard[self._cursor]
            if heard.called_away and self._cursor == len(self.heard) - 1:
                return False  # it may go on: who is called for nothing misses no word
            self._cursor += 1
            if not heard.cut and listing.wanted[self._matched].is_heard_in(heard.name):
                self._matched += 1
                if self._matched == len(listing.wanted):
                    self._matched = 0
                    self._free_at = max(self._free_at, self._began + heard.ended_s)
                    return True
            elif not (
                (heard.cut and not heard.called_away) or self._matched == 0 or self._matched in listing.others_before
            ):
                wanted, before = listing.wanted[self._matched], listing.wanted[self._matched - 1]
                self._free_at = max(self._free_at, self._began + heard.ended_s)
                self._fail(
                    step.place,
                    Text(
                        "after `{before}` the caller was to hear `{wanted}`, but heard {heard}",
                        before=before,
                        wanted=wanted,
                        heard=heard.name,
                    ),
                )
                return False
        return False

    def _not_heard(self, step: Hear, when: str) -> str:
        wanted = step.listing.wanted[self._matched]
        since = [
            heard.name
            for heard in self.heard
            if not heard.cut and self._began + heard.ended_s > self._free_at + _SAME_S
        ]
        if self._hearing is not None:
            since.append(self._hearing)
        names = ", ".join(since[:SHOWN_HEARD_MAX]) + (", ..." if len(since) > SHOWN_HEARD_MAX else "")
        instead = Text("this was: {names}", names=names) if names else Text("nothing was")
        return Text("`{wanted}` was not heard {when}; {instead}", wanted=wanted, when=when, instead=instead)

    def _fail(self, place: Place, message: str) -> None:
        self.failure = Failure(place, message)
        self._due.clear()
        self._due.append((self._free_at, HANG_UP))
        self._current = None
