"""What steps that write have in common: messages that exist, values that fit, work that keys are kept during.

Knows the catalogue of messages and the back office. Must not know which step asks.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Coroutine, Mapping
from typing import Any, Final

from ivr_engine.flow.call import Call, Shown
from ivr_engine.flow.expressions import Compiled
from ivr_engine.flow.fields import Written
from ivr_engine.flow.findings import did_you_mean
from ivr_engine.flow.operations import Performed
from ivr_engine.flow.scope import Scope
from ivr_engine.flow.source import Path
from ivr_engine.flow.uses import MESSAGES
from ivr_engine.flow.values import encode
from ivr_engine.flow.wording import Text

WRITING_MS: Final = 3000
"""How long a caller waits until something is written down."""
NAME_CHARACTERS_MAX: Final = 40
_NAME: Final = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*", re.ASCII)
VALUES_MAX: Final = 20
"""Values of one case or screen."""

Give = Callable[[Call], Shown]


def names_only(schema: dict[str, Any]) -> None:
    """Say for editors what a name is."""
    schema["propertyNames"] = {"pattern": f"^{_NAME.pattern}$", "maxLength": NAME_CHARACTERS_MAX}


def message_must_exist(scope: Scope, name: str, at: Path) -> bool:
    """Note the message that a step uses; note a finding where it is missing, also in one language of the flow."""
    messages = scope.world.messages
    missing = [language for language in scope.languages if not messages.has(language, name)]
    if not missing:
        scope.use(MESSAGES, name, at)
        return True
    if name not in messages.ids():
        message = Text("there is no message '{name}'", name=name)
        scope.finding("E411", at, message, did_you_mean(name, messages.ids()))
    return False  # what is missing in one language has its finding in the file of messages


def gives_of(scope: Scope, written: Mapping[str, Written], at: str) -> dict[str, Give]:
    """Check named values for people: any type but secrets; return what gives each of them."""
    gives: dict[str, Give] = {}
    for name, text in written.items():
        if not _NAME.fullmatch(name) or len(name) > NAME_CHARACTERS_MAX:
            mend = Text("write small letters a-z, digits and single _")
            scope.finding("E112", (at, name), Text("'{name}' cannot be the name of a value", name=name), mend, key=True)
            continue
        compiled = scope.expression(text, (at, name))
        if compiled is None:
            continue
        gives[name] = _give(compiled)
    return gives


def given(call: Call, gives: Mapping[str, Give]) -> dict[str, Shown]:
    """Return the values as they are kept."""
    return {name: give(call) for name, give in gives.items()}


async def kept(call: Call, work: Coroutine[Any, Any, Performed]) -> Performed:
    """Do work while keys of the caller are kept; what was done counts as a change, so that it is not done twice."""
    if call.gone:
        performed = await work
    else:
        with call.conversation.hold_off():  # an agent who comes meanwhile waits until it is done
            performed = await call.conversation.listen_while(work)
    if performed.outcome in ("accepted", "opened", "noted"):
        call.tally.changes += 1
    return performed


def _give(compiled: Compiled) -> Give:
    kind, evaluate = compiled.type.name, compiled.evaluate
    return lambda call: (kind, encode(evaluate(call)))
