"""`sms`, `fax`, `email`, `page`: send a message to the customer who has signed in.

It goes to the address that the bank has registered, never to one that a caller types. What is accepted is on its way;
whether it was delivered nobody knows here.
"""

from __future__ import annotations

from abc import ABC
from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType
from typing import ClassVar, Final
from zoneinfo import ZoneInfo

from pydantic import Field

from ivr_engine.flow.call import Call, Outgoing
from ivr_engine.flow.expressions import Evaluate
from ivr_engine.flow.fields import Written
from ivr_engine.flow.findings import did_you_mean
from ivr_engine.flow.messages import HEADING_OF
from ivr_engine.flow.nodes.writing import WRITING_MS, kept, message_must_exist
from ivr_engine.flow.operations import UNAVAILABLE, Level
from ivr_engine.flow.scope import Scope
from ivr_engine.flow.speaking import NAMES_OF
from ivr_engine.flow.step import Action, By, Step, Way
from ivr_engine.flow.templates import FORMS
from ivr_engine.flow.uses import MESSAGES
from ivr_engine.flow.values import Value
from ivr_engine.flow.wording import Text
from ivr_engine.values.medium import Medium

ACCEPTED: Final = "accepted"
NO_ADDRESS: Final = "no_address"
TODAY: Final = "today"
NOW: Final = "now"
_OF_THE_MOMENT: Final[Mapping[str, str]] = MappingProxyType({TODAY: "date", NOW: "time"})
"""Placeholders that every message may have and that no step gives: the day and the time of sending."""
_DEEDS: Final[Mapping[str, Text]] = MappingProxyType(
    {
        ACCEPTED: Text("the bank has an address for {medium}"),
        NO_ADDRESS: Text("the bank has no address for {medium}"),
        UNAVAILABLE: Text("no {medium} can be sent"),
    }
)


class _Sending(Step, ABC):
    """Send a message of the catalogue; the four media differ in nothing but their word."""

    MEDIUM: ClassVar[Medium]

    with_: dict[str, Written] = Field(
        default_factory=dict, alias="with", description="The value of each placeholder; {today} and {now} have theirs."
    )

    @property
    def message(self) -> str:
        """The message, which is written beside the step's word."""
        return str(getattr(self, self.WORD))

    def ways(self, scope: Scope) -> tuple[Way, ...]:
        """It is on its way, or the bank knows no address, or it cannot be sent now."""
        del scope
        shows = {ACCEPTED: Level.SIGNED_IN, NO_ADDRESS: Level.SIGNED_IN, UNAVAILABLE: None}
        return tuple(
            Way(outcome, By.WORLD, Text(_DEEDS[outcome].template, medium=self.WORD), at_least=level)
            for outcome, level in shows.items()
        )

    @property
    def silent(self) -> bool:
        """What was sent is said by the step that follows."""
        return True

    def needs(self, scope: Scope) -> Level:
        """Only of a customer who has signed in an address is known."""
        del scope
        return Level.SIGNED_IN

    def compile(self, scope: Scope) -> Action:
        """Check the message and its placeholders in every language of the flow."""
        scope.lasts(0, WRITING_MS)
        values: dict[str, Evaluate] = {}
        if message_must_exist(scope, self.message, (self.WORD,)):
            values = self._values(scope)
        else:
            for name, written in self.with_.items():
                scope.expression(written, ("with", name))
        messages, name, medium = scope.world.messages, self.message, self.MEDIUM
        zone = ZoneInfo(scope.world.zone)

        async def act(call: Call) -> str:
            given = {placeholder: evaluate(call) for placeholder, evaluate in values.items()}
            given |= _of_the_moment(call.clock.now().astimezone(zone))
            message = messages.message(call.language, name)
            heading, text = (part.filled(call.language, given) for part in (message.heading(medium), message.text))
            outgoing = Outgoing(medium, name, call.language, heading, text)
            performed = await kept(call, call.back_office.send(outgoing, change=call.tally.changes))
            return performed.outcome

        return act

    def _values(self, scope: Scope) -> dict[str, Evaluate]:
        """Check the values that are given against the placeholders; the languages agree in these."""
        message = scope.world.messages.message(scope.languages[0], self.message)
        key = HEADING_OF.get(self.MEDIUM)
        if key is not None and key not in message.headings:
            said = Text("message '{name}' has no `{key}`", name=self.message, key=key)
            mend = Text("write `{key}` beside its `text`, in every language", key=key)
            scope.finding("E417", (self.WORD,), said, mend)
        wanted = dict(message.placeholders(self.MEDIUM))
        for name, form in _OF_THE_MOMENT.items():
            if wanted.pop(name, form) != form:
                said = Text("'{name}' of '{message}' is written as {form}", name=name, message=self.message, form=form)
                scope.finding("E416", (self.WORD,), said, Text("write `{{{name}:{form}}}` there", name=name, form=form))
        values: dict[str, Evaluate] = {}
        for name, written in self.with_.items():
            if name not in wanted:
                said = Text("message '{message}' has no placeholder '{name}'", message=self.message, name=name)
                scope.finding("E415", ("with", name), said, did_you_mean(name, wanted), key=True)
                continue
            compiled = scope.expression(written, ("with", name), FORMS[wanted[name]])
            if compiled is not None:
                values[name] = compiled.evaluate
        for name in wanted:
            if name not in self.with_:
                said = Text("message '{message}' needs a value for '{name}'", message=self.message, name=name)
                scope.finding("E416", (self.WORD,), said, Text("add `{name}: ...` under `with`", name=name))
        return values


def _of_the_moment(now: datetime) -> dict[str, Value]:
    return {TODAY: now.date(), NOW: now.time()}


_NAMES: Final = MappingProxyType({NAMES_OF: MESSAGES})


class Sms(_Sending):
    """Send a text to the mobile number that the bank has registered."""

    WORD: ClassVar[str] = "sms"
    SUMMARY: ClassVar[str] = "Send the caller a text message."
    MEDIUM: ClassVar[Medium] = Medium.SMS

    sms: str = Field(
        description="The message, to the mobile number that the bank knows.", json_schema_extra=dict(_NAMES)
    )


class Fax(_Sending):
    """Send a page to the fax number that the bank has registered."""

    WORD: ClassVar[str] = "fax"
    SUMMARY: ClassVar[str] = "Send the caller a fax."
    MEDIUM: ClassVar[Medium] = Medium.FAX

    fax: str = Field(
        description="The message, with a `title`, to the fax number that the bank knows.",
        json_schema_extra=dict(_NAMES),
    )


class Email(_Sending):
    """Send an e-mail to the address that the bank has registered."""

    WORD: ClassVar[str] = "email"
    SUMMARY: ClassVar[str] = "Send the caller an e-mail."
    MEDIUM: ClassVar[Medium] = Medium.EMAIL

    email: str = Field(
        description="The message, with a `subject`, to the e-mail address that the bank knows.",
        json_schema_extra=dict(_NAMES),
    )


class Page(_Sending):
    """Send a text to the pager that the bank has registered."""

    WORD: ClassVar[str] = "page"
    SUMMARY: ClassVar[str] = "Send a text to the caller's pager."
    MEDIUM: ClassVar[Medium] = Medium.PAGE

    page: str = Field(description="The message, to the pager that the bank knows.", json_schema_extra=dict(_NAMES))
