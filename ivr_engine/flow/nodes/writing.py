"""What steps that write have in common: messages that exist, values that fit, work that keys are kept during.

Knows the catalogue of messages and the back office. Must not know which step asks.
"""

from __future__ import annotations

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
from ivr_engine.flow.values import SECRET, encode
from ivr_engine.flow.wording import Text

WRITING_MS: Final = 3000
"""How long a caller waits until something is written down."""
SCREEN_NAME_CHARACTERS_MAX: Final = 40
VALUES_MAX: Final = 20
"""Values of one case or screen."""

Give = Callable[[Call], Shown]


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
        compiled = scope.expression(text, (at, name))
        if compiled is None:
            continue
        if compiled.type == SECRET:  # pragma: no cover # an expression refuses to read one
            continue
        gives[name] = _give(compiled)
    return gives


def given(call: Call, gives: Mapping[str, Give]) -> dict[str, Shown]:
    """Return the values as they are kept."""
    return {name: give(call) for name, give in gives.items()}


async def kept(call: Call, work: Coroutine[Any, Any, Performed]) -> Performed:
    """Do work while keys of the caller are kept; what was done counts as a change, so that it is not done twice."""
    performed = await work if call.gone else await call.conversation.listen_while(work)
    if performed.outcome in ("accepted", "opened", "noted"):
        call.tally.changes += 1
    return performed


def _give(compiled: Compiled) -> Give:
    kind, evaluate = compiled.type.name, compiled.evaluate
    return lambda call: (kind, encode(evaluate(call)))
