"""From the text of a test to the test, with every mistake told at its line and column.

Knows the keys at the top of a test and under `expect`. Must not know how a test is run.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from types import MappingProxyType
from typing import Final

from ivr_engine.flow.findings import Finding, did_you_mean
from ivr_engine.flow.model import CompiledFlow
from ivr_engine.flow.operations import Signature
from ivr_engine.flow.scope import Prompts
from ivr_engine.flow.source import Data, Path, Source, read_source
from ivr_engine.flow.wording import Text
from ivr_engine.scenarios import written
from ivr_engine.scenarios.block import Block
from ivr_engine.scenarios.model import Expected, GivenCustomer, Moved, Scenario, WantedMessage
from ivr_engine.scenarios.reading_given import read_given
from ivr_engine.scenarios.reading_steps import ListReader, StepsReader
from ivr_engine.values.language import Language
from ivr_engine.values.medium import Medium
from ivr_engine.values.money import Currency, Money

VERSION: Final = 1
_TOP: Final = ("ivr_test", "title", "flow", "language", "given", "steps", "expect")
ENDS: Final = "ends"
HEARD: Final = "heard in order"
NEVER: Final = "never heard"
OPERATIONS: Final = "operations"
MILESTONES: Final = "milestones"
MOVED: Final = "money moved"
SENT: Final = "sent"
HUMAN: Final = "seconds until a human"
MESSAGES: Final = "messages"
CALLBACKS: Final = "callbacks"
_EXPECT: Final = (ENDS, HEARD, NEVER, OPERATIONS, MILESTONES, MOVED, SENT, HUMAN, MESSAGES, CALLBACKS)
_MEDIA: Final = tuple(medium.value for medium in Medium)
MESSAGES_MAX: Final = 100
_MOVED: Final = ("from", "to", "amount")
NOTHING: Final = Money(0, Currency.CNY)


@dataclass(frozen=True, slots=True)
class Known:
    """What tests are checked against; where nothing is known of something, it is not checked."""

    prompts: Prompts | None = None
    flows: Mapping[str, CompiledFlow] | None = None
    operations: Mapping[str, Signature] = field(default_factory=lambda: MappingProxyType({}))


def read_scenario(file: str, text: str, known: Known) -> tuple[Scenario | None, tuple[Finding, ...]]:
    """Return the test, or None with all that is wrong with it."""
    source = read_source(file, text)
    scenario = _scenario(source, known) if not source.findings else None
    findings = tuple(sorted(source.findings))
    return (None if findings else scenario), findings


def _scenario(source: Source, known: Known) -> Scenario | None:
    if not isinstance(source.data, dict) or source.data.get("ivr_test") != VERSION:
        at = ("ivr_test",) if isinstance(source.data, dict) else ()
        message = Text("this is no test in a version that is known here")
        source.finding("T101", source.place(at), message, Text("begin with `ivr_test: {version}`", version=VERSION))
        return None
    top = Block(source, (), _TOP)
    if not top.needs("title", "language", "steps"):
        return None
    language = top.read("language", written.language, Language.ENGLISH)
    lists = ListReader(source, language, known.prompts)
    given = read_given(source, known.operations)
    flow = top.read("flow", written.text, None)
    _check_flow(top, flow, known)
    steps = source.data["steps"]
    if not isinstance(steps, list):
        mend = Text("begin each step with a dash in a line of its own: `- hear: welcome`")
        top.finding("T104", ("steps",), Text("a list of steps is expected here"), mend)
        steps = []
    return Scenario(
        file=source.file,
        title=top.read("title", written.text, ""),
        flow=flow,
        language=language,
        given=given,
        steps=StepsReader(lists, given.customer).steps(len(steps)),
        expected=_expected(source, lists, known, given.customer),
    )


def _check_flow(top: Block, flow: str | None, known: Known) -> None:
    if flow is None or known.flows is None:
        return
    if flow not in known.flows:
        top.finding("T107", ("flow",), Text("there is no flow '{flow}'", flow=flow), did_you_mean(flow, known.flows))
        return
    interface = known.flows[flow].interface
    if interface.inputs or interface.outcomes:
        message = Text("flow '{flow}' is run by other flows and cannot begin a call", flow=flow)
        top.finding("T107", ("flow",), message, Text("name the flow that runs it"))


def _expected(source: Source, lists: ListReader, known: Known, customer: GivenCustomer | None) -> Expected:
    if not isinstance(source.data, dict) or "expect" not in source.data:
        return Expected()
    block = Block(source, ("expect",), _EXPECT)
    heard = lists.listing(block, HEARD, any_language=False) if HEARD in block else None
    return Expected(
        ends=block.read(ENDS, written.text, None),
        heard=heard,
        never_heard=lists.listing(block, NEVER, any_language=True).wanted,
        operations=_operations(block, known) if OPERATIONS in block else None,
        milestones=_milestones(block, known) if MILESTONES in block else None,
        moved=_moved(block, customer),
        sent=_sent(block),
        human_within_s=block.read(HUMAN, written.under_seconds, None),
        messages=block.read(MESSAGES, partial(written.count, most=MESSAGES_MAX), None),
        callbacks=_callbacks(block) if CALLBACKS in block else None,
        places=MappingProxyType({key: block.place((key,), key=True) for key in block.data}),
    )


def _operations(block: Block, known: Known) -> tuple[tuple[str, str | None], ...]:
    found: list[tuple[str, str | None]] = []
    for number, item in enumerate(block.items(OPERATIONS)):
        at = (OPERATIONS, number)
        name, outcome = _operation(item)
        found.append((name, outcome))
        if known.operations and name not in known.operations:
            message = Text("there is no operation '{name}'", name=name)
            block.finding("T108", at, message, did_you_mean(name, known.operations))
        elif known.operations and outcome is not None and outcome not in known.operations[name].outcome_names:
            message = Text("'{name}' never ends in '{outcome}'", name=name, outcome=outcome)
            block.finding("T108", at, message, did_you_mean(outcome, known.operations[name].outcome_names))
    return tuple(found)


def _operation(item: Data) -> tuple[str, str | None]:
    if isinstance(item, dict) and len(item) == 1:
        ((name, outcome),) = item.items()
        return name, str(outcome)
    return str(item), None


def _milestones(block: Block, known: Known) -> tuple[str, ...]:
    is_list = isinstance(block.data[MILESTONES], list)
    found: list[str] = []
    for number, item in enumerate(block.items(MILESTONES)):
        at = (MILESTONES, number) if is_list else (MILESTONES,)
        name = block.understood(item, written.text, at, "")
        found.append(name)
        declared = {one for flow in (known.flows or {}).values() for one in flow.milestones}
        if name and known.flows is not None and name not in declared:
            message = Text("no flow has a milestone '{name}'", name=name)
            block.finding("T112", at, message, did_you_mean(name, declared))
    return tuple(found)


def _callbacks(block: Block) -> tuple[str, ...]:
    is_list = isinstance(block.data[CALLBACKS], list)
    return tuple(
        block.understood(item, written.account_number, (CALLBACKS, number) if is_list else (CALLBACKS,), "")
        for number, item in enumerate(block.items(CALLBACKS))
    )


def _moved(block: Block, customer: GivenCustomer | None) -> tuple[Moved, ...]:
    is_list = isinstance(block.data.get(MOVED), list)
    found: list[Moved] = []
    if customer is None and MOVED in block:
        block.finding("T109", (MOVED,), Text("whose accounts are meant?"), Text("write a `customer` under `given`"))
        return ()
    accounts = [account.number for account in customer.accounts] if customer is not None else []
    for number in range(len(block.items(MOVED))):
        path = (*block.path, MOVED, number) if is_list else (*block.path, MOVED)
        one = Block(block.source, path, _MOVED)
        if one.data:
            one.needs(*_MOVED)
        debit, credit = (_own_account(one, key, accounts) for key in ("from", "to"))
        found.append(Moved(debit, credit, one.read("amount", written.money, NOTHING)))
    return tuple(found)


def _sent(block: Block) -> tuple[WantedMessage, ...]:
    """Read messages as `sms: 10,755.35`, with a list of what the text contains, or as `sms` whatever it says."""
    found: list[WantedMessage] = []
    is_list = isinstance(block.data.get(SENT), list)
    for number, item in enumerate(block.items(SENT)):
        at: Path = (SENT, number) if is_list else (SENT,)
        if isinstance(item, str) and item in _MEDIA:
            found.append(WantedMessage(Medium(item), ()))
            continue
        if not isinstance(item, dict) or len(item) != 1 or next(iter(item)) not in _MEDIA:
            message = Text("a message is one of {media}, with what its text contains", media=", ".join(_MEDIA))
            block.finding("T104", at, message, Text("write for example `sms: 10,755.35`"))
            continue
        ((medium, contains),) = item.items()
        parts = contains if isinstance(contains, list) else [contains]
        texts = tuple(block.understood(part, written.text, (*at, medium), "") for part in parts)
        found.append(WantedMessage(Medium(medium), texts))
    return tuple(found)


def _own_account(block: Block, key: str, accounts: Sequence[str]) -> str:
    number = block.read(key, written.account_number, "")
    if number and number not in accounts:
        message = Text("'{number}' is no account of the customer who is given", number=number)
        block.finding("T113", (key,), message, did_you_mean(number, accounts))
    return number
