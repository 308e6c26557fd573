"""The parts of the manual that follow from the code: every kind of step with its keys and a sample, and the codes.

Knows the kinds' schemas and one sample of each. Must not know files: whoever calls reads and writes the page.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from pydantic.fields import FieldInfo

from ivr_engine.flow.codes import CODES
from ivr_engine.flow.library import compile_library
from ivr_engine.flow.model import CompiledStep
from ivr_engine.flow.nodes import KINDS
from ivr_engine.flow.nodes.offering import written
from ivr_engine.flow.scope import World
from ivr_engine.flow.step import Step

SECTIONS: Final = ("steps", "codes")
COMMON_KEYS: Final = ("then", "when", "milestone")

SAMPLES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "say": """
            read_balance:
              say:
                - your_balance_is
                - amount: balance
              then: next
            """,
        "menu": """
            main_menu:
              menu: main_menu
              keys:
                1: next
                0: human
                star: main_menu
              when:
                no_input: human
                no_match: human
            """,
        "collect": """
            ask_number:
              collect: customer
              prompt: enter_customer_number
              length: 6 to 10
              cancel: star
              then: next
              when:
                cancelled: human
                no_input: human
                too_short: human
            """,
        "secret": """
            ask_pin:
              secret: pin
              prompt: enter_pin
              length: 6
              then: next
              when:
                no_input: human
                too_short: human
            """,
        "confirm": """
            is_number_right:
              confirm:
                - you_entered
                - digits: customer
              when:
                confirmed: next
                declined: human
                no_input: human
                no_match: human
            """,
        "choose": """
            pick_account:
              choose: account
              into:
                number: account
              offer:
                - masked: account
              when:
                picked: next
                none: human
                no_input: human
                no_match: human
                unavailable: human
            """,
        "pause": """
            fetch_a_pen:
              pause: have_pen_ready
              within: 2 min
              when:
                ready: next
                no_input: human
            """,
        "do": """
            ask_balance:
              do: balance
              with:
                account: account
              into:
                booked: balance
              when:
                found: next
                not_yours: human
                unavailable: human
            """,
        "if": """
            is_wealthy:
              if: signed_in and balance >= 500000.00 CNY
              then: human
              else: next
            """,
        "switch": """
            which_account:
              switch: kind
              when:
                credit_card: human
                current: next
              else: next
            """,
        "hours": """
            is_counter_open:
              hours: counter
              then: human
              when:
                closed: next
                holiday: next
            """,
        "split": """
            try_new_menu:
              split:
                new_menu: 10
                old_menu: 90
              when:
                new_menu: next
                old_menu: human
            """,
        "set": """
            next_one:
              set:
                position: position + 1
                wanted: balance
              then: next
            """,
        "language": """
            speak_cantonese:
              language: yue
              then: next
            """,
        "run": """
            sign_in:
              run: library/sign_in
              when:
                signed_in: next
                human: human
                given_up: next
            """,
        "hand_over": """
            from_the_start:
              hand_over: hotline
            """,
        "queue": """
            to_human:
              queue: service
              hold: connecting_to_agent
              meanwhile: library/waiting
              every: 1 min
              when:
                answered: next
                left_by_key: next
                no_agents: next
                full: next
                timed_out: next
            """,
        "return": """
            done:
              return: good
            """,
        "hang_up": """
            end:
              hang_up: completed
            """,
    }
)

_AROUND: Final = """\
ivr: 1
title: A sample
start: {start}
outcomes: [good]
inputs: {{account: personal digits, customer: personal digits, position: number}}
variables:
  balance: personal money
  pin: secret
  wanted: one of (balance, transactions)
  kind: one of (current, credit_card, time_deposit)
{top}steps:
  first: {{set: {{balance: 1.00 CNY, kind: current}}, then: {sample}}}
{steps}"""
_TOPS: Final[Mapping[str, str]] = MappingProxyType(
    {"hours": "hours: {counter: {mon-fri: 08:30 to 17:30, closed: [2026-10-01 to 2026-10-07]}}\n"}
)
"""What the sample of a kind needs at the top of the file."""
_ENDINGS: Final[Mapping[str, str]] = MappingProxyType(
    {"next": "  next: {return: good}\n", "human": "  human: {hang_up: handed_over}\n"}
)


def sample_of(word: str) -> str:
    """Return the sample of a kind of step, as it stands in a flow under `steps`."""
    lines = SAMPLES[word].strip("\n").splitlines()
    margin = len(lines[0]) - len(lines[0].lstrip())
    return "\n".join(line[margin:] for line in lines).rstrip() + "\n"


def flow_around(word: str) -> str:
    """Return a whole flow in which the sample of a kind of step stands."""
    sample = sample_of(word)
    steps = re.sub(r"^(?=.)", "  ", sample, flags=re.MULTILINE)
    steps += "".join(ending for name, ending in _ENDINGS.items() if re.search(rf": {name}$", sample, re.MULTILINE))
    return _AROUND.format(start="first", sample=sample.partition(":")[0], top=_TOPS.get(word, ""), steps=steps)


def compiled_sample(kind: type[Step], world: World, others: Mapping[str, tuple[str, str]]) -> CompiledStep:
    """Compile the sample of a kind among other flows (name -> file, text); `ValueError` with the findings it has."""
    library = compile_library({**others, "sample": (f"sample of {kind.WORD}", flow_around(kind.WORD))}, world)
    if library.findings:
        raise ValueError("\n".join(finding.render() for finding in library.findings))
    return next(
        step for step in library.flows["sample"].steps.values() if step.name == sample_of(kind.WORD).partition(":")[0]
    )


def updated(page: str, world: World, others: Mapping[str, tuple[str, str]]) -> str:
    """Return the page with its generated sections written anew; `ValueError` when a section's marks are missing."""
    sections = {"steps": _steps(world, others), "codes": _codes()}
    for section in SECTIONS:
        begin, end = f"<!-- {section}: generated -->\n", f"<!-- end of {section} -->"
        before, found, rest = page.partition(begin)
        _, closed, after = rest.partition(end)
        if not found or not closed:
            message = f"the page has no section between {begin.strip()} and {end}"
            raise ValueError(message)
        page = before + begin + sections[section] + end + after
    return page


def _steps(world: World, others: Mapping[str, tuple[str, str]]) -> str:
    return "".join(_kind(kind, compiled_sample(kind, world, others)) for kind in KINDS)


def _kind(kind: type[Step], sample: CompiledStep) -> str:
    rows = "".join(_row(field.alias or name, field) for name, field in _own_fields(kind).items())
    outcomes = ", ".join(f"`{outcome}`" for outcome in sample.outcomes)
    ends = f"It ends in: {outcomes}." if outcomes else "Nothing follows it."
    return (
        f"\n### `{kind.WORD}`\n\n{kind.SUMMARY}\n\n```yaml\n{sample_of(kind.WORD)}```\n\n"
        f"| key | what it says | if left out |\n|---|---|---|\n{rows}\n{ends}\n\n"
    )


def _own_fields(kind: type[Step]) -> dict[str, FieldInfo]:
    """Return the fields of a kind without those that every step has, its word first."""
    fields = {name: field for name, field in kind.model_fields.items() if name not in COMMON_KEYS}
    return dict(sorted(fields.items(), key=lambda pair: (pair[1].alias or pair[0]) != kind.WORD))


def _row(name: str, field: FieldInfo) -> str:
    description = (field.description or "").replace("|", "\\|")
    return f"| `{name}` | {description} | {default_words(field)} |\n"


def default_words(field: FieldInfo) -> str:
    """Say what holds when a key is left out."""
    if field.is_required():
        return "must be there"
    default: Any = field.get_default(call_default_factory=True, validated_data={})
    if default is None or default in ({}, ()):
        return "nothing"
    if isinstance(default, int) and default >= MILLISECONDS_FROM:
        return f"`{default // 1000} s`"
    return f"`{written(default) if isinstance(default, str) else default}`"


MILLISECONDS_FROM: Final = 1000
"""No count in the language is as great as this; a default that is, is a time in milliseconds."""


def _codes() -> str:
    rows = "".join(f"| {code} | {meaning.title} | {meaning.explanation} |\n" for code, meaning in CODES.items())
    return f"\n| code | what is wrong | what it means |\n|---|---|---|\n{rows}\n"
