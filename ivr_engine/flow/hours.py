"""Opening hours: how they are written at the top of a file, and whether they are open at a moment.

Knows days of the week, holidays and spans over midnight. Must not know time zones or clocks: it is asked with the time
that a clock on the wall shows.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import Annotated, Any, Final

from pydantic import WithJsonSchema

from ivr_engine.flow.fields import DAY_WRITTEN, TIME_WRITTEN
from ivr_engine.flow.findings import NotUnderstoodError
from ivr_engine.flow.source import Path, Source
from ivr_engine.flow.wording import Text

HOURS: Final = "hours"
HOLIDAYS_MAX: Final = 60
"""How many days one line of holidays may span."""
_DAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_DAY_MINUTES: Final = 24 * 60
_DAYS_WRITTEN: Final = re.compile(r"([a-z]{3})(?: ?(?:-|to) ?([a-z]{3}))?", re.ASCII)
_SPAN: Final = re.compile(r"(\d{2}):(\d{2}) ?(?:to|-) ?(\d{2}):(\d{2})", re.ASCII)
_DATES: Final = re.compile(r"(\d{4}-\d{2}-\d{2})(?: to (\d{4}-\d{2}-\d{2}))?", re.ASCII)
_ONE_DAY: Final = timedelta(days=1)


def _some(written: str) -> dict[str, Any]:
    """Say for editors that one text of a pattern stands here, or a list of them."""
    pattern = f"^{written}$"
    return {"type": ["string", "array"], "pattern": pattern, "items": {"type": "string", "pattern": pattern}}


def _block() -> dict[str, Any]:
    """Say for editors how opening hours are written."""
    day, days = f"({'|'.join(_DAYS)})", rf"{DAY_WRITTEN}( to {DAY_WRITTEN})?"
    spans = _some(rf"{TIME_WRITTEN} ?(to|-) ?({TIME_WRITTEN}|24:00)")
    by_day = {"type": "object", "propertyNames": {"pattern": f"^{days}$"}, "additionalProperties": spans}
    return {
        "type": "object",
        "propertyNames": {"pattern": f"^(closed|open|{day}( ?(-|to) ?{day})?)$"},
        "properties": {
            "closed": {"description": "Holidays: 2026-10-01, or 2026-10-01 to 2026-10-07.", **_some(days)},
            "open": {"description": "Days with other hours than their day of the week has.", **by_day},
        },
        "additionalProperties": {"description": "Its hours: 08:30 to 17:30, or a list of such.", **spans},
    }


WrittenHours = Annotated[dict[str, Any], WithJsonSchema(_block())]
"""One block of opening hours as it is written; `read_hours` judges it."""


class Opening(StrEnum):
    """What opening hours say of a moment, in order of precedence."""

    OPEN = "open"
    CLOSED = "closed"
    HOLIDAY = "holiday"


@dataclass(frozen=True, slots=True)
class Span:
    """From one minute of a day to another, which is not in it any more; one that ends earlier ends on the next day."""

    opens: int
    closes: int

    @property
    def over_midnight(self) -> bool:
        """Whether it ends on the day after it began."""
        return self.closes <= self.opens


@dataclass(slots=True)
class OpeningHours:
    """When something is open: by the days of the week, Monday first, and by dates that are otherwise."""

    week: list[tuple[Span, ...]] = field(default_factory=lambda: [()] * len(_DAYS))
    closed: set[date] = field(default_factory=set)
    open: dict[date, tuple[Span, ...]] = field(default_factory=dict)

    def at(self, moment: datetime) -> Opening:
        """Say what holds at a moment, as a clock on the wall shows it; a holiday lasts from midnight to midnight."""
        today, minute = moment.date(), moment.hour * 60 + moment.minute
        if today in self.closed:
            return Opening.HOLIDAY
        begun = any(
            span.opens <= minute and (span.over_midnight or minute < span.closes) for span in self._spans(today)
        )
        night = any(span.over_midnight and minute < span.closes for span in self._spans(today - _ONE_DAY))
        return Opening.OPEN if begun or night else Opening.CLOSED

    def _spans(self, day: date) -> tuple[Span, ...]:
        return () if day in self.closed else self.open.get(day, self.week[day.weekday()])


def read_hours(source: Source, written: Mapping[str, Mapping[str, Any]]) -> Mapping[str, OpeningHours]:
    """Return all opening hours of a file by name; what is wrong with them is noted in the source."""
    return MappingProxyType({name: _Reader(source, (HOURS, name)).read(block) for name, block in written.items()})


class _Reader:
    """Reads one block of opening hours."""

    def __init__(self, source: Source, path: Path) -> None:
        self._source = source
        self._path = path
        self._hours = OpeningHours()
        self._named: set[int] = set()

    def read(self, block: Mapping[str, Any]) -> OpeningHours:
        for key, written in block.items():
            try:
                if key == "closed":
                    self._closed(written)
                elif key == "open":
                    self._open(written)
                else:
                    self._days(key, written)
            except NotUnderstoodError as error:
                self._note("E112", (key,), error.message, error.mend)
        for day in sorted(self._hours.closed & self._hours.open.keys()):
            message = Text("{day} is closed and open", day=day)
            self._note("E102", ("open", str(day)), message, Text("remove one of them"))
        return self._hours

    def _closed(self, written: object) -> None:
        for index, text in enumerate(written if isinstance(written, list) else [written]):
            at = ("closed", index) if isinstance(written, list) else ("closed",)
            try:
                self._hours.closed.update(_dates(text))
            except NotUnderstoodError as error:
                self._note("E112", at, error.message, error.mend)

    def _open(self, written: object) -> None:
        if not isinstance(written, dict):
            message = Text("dates with their hours are expected here")
            raise NotUnderstoodError(message, Text("write for example `open: {2026-10-10: 09:00 to 12:00}`"))
        for key, spans in written.items():
            try:
                for day in _dates(key):
                    self._hours.open[day] = _spans(spans)
            except NotUnderstoodError as error:
                self._note("E112", ("open", key), error.message, error.mend)

    def _days(self, key: str, written: object) -> None:
        spans = _spans(written)
        for day in _days_of(key):
            if day in self._named:
                message = Text("'{day}' stands here a second time", day=_DAYS[day])
                self._note("E102", (key,), message, Text("write all hours of a day in one line, in brackets"))
            self._named.add(day)
            self._hours.week[day] = spans

    def _note(self, code: str, at: Path, message: Text, mend: Text) -> None:
        key = code == "E102" or at[-1] not in ("closed", "open")
        self._source.finding(code, self._source.place((*self._path, *at), key=key), message, mend)


def _days_of(key: str) -> Iterator[int]:
    """Return the days that `mon-fri` or `sun` names; `sat-mon` goes over the end of the week."""
    found = _DAYS_WRITTEN.fullmatch(key)
    first, last = (found.group(1), found.group(2) or found.group(1)) if found else ("", "")
    if first not in _DAYS or last not in _DAYS:
        message = Text("'{written}' is no day of the week", written=key)
        raise NotUnderstoodError(message, Text("write for example mon, mon-fri, closed or open"))
    day = _DAYS.index(first)
    while _DAYS[day] != last:
        yield day
        day = (day + 1) % len(_DAYS)
    yield day


def _spans(written: object) -> tuple[Span, ...]:
    return tuple(_span(part) for part in (written if isinstance(written, list) else [written]))


def _span(written: object) -> Span:
    found = _SPAN.fullmatch(str(written))
    if found is not None:
        opens, closes = (int(found.group(at)) * 60 + int(found.group(at + 1)) for at in (1, 3))
        minutes = (int(found.group(2)), int(found.group(4)))
        if opens < _DAY_MINUTES and closes <= _DAY_MINUTES and max(minutes) < 60 and opens != closes:
            return Span(opens, closes)
    message = Text("'{written}' are no hours of a day", written=written)
    raise NotUnderstoodError(message, Text("write for example 08:30 to 17:30, or 00:00 to 24:00 for a whole day"))


def _dates(written: object) -> list[date]:
    """Return the days that `2026-10-01` or `2026-10-01 to 2026-10-07` names."""
    found = _DATES.fullmatch(str(written))
    try:
        if found is not None:
            first = date.fromisoformat(found.group(1))
            last = date.fromisoformat(found.group(2) or found.group(1))
            if 0 <= (last - first).days < HOLIDAYS_MAX:
                return [first + _ONE_DAY * day for day in range((last - first).days + 1)]
    except ValueError:
        pass  # a day that no calendar has
    message = Text("'{written}' is no date", written=written)
    raise NotUnderstoodError(message, Text("write for example 2026-10-01, or 2026-10-01 to 2026-10-07"))
