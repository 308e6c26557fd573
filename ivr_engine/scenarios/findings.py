"""The codes of mistakes in tests of flows, beside those of flows.

Knows titles and explanations. Must not know how a test is read. Words are for bank clerks, not programmers.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from ivr_engine.flow.codes import Code
from ivr_engine.flow.wording import Wording, chinese_codes

TEST_CODES: Final[Mapping[str, Code]] = MappingProxyType(
    {
        "T101": Code(
            "not a test of a flow",
            "A test is a file whose name ends in `.test.yaml`. It begins with `ivr_test: 1`, the version of the form.",
        ),
        "T102": Code(
            "a key without meaning",
            "Each block of a test knows its own keys; a misspelt one would silently do nothing.",
        ),
        "T103": Code("something is missing", "Without it nobody could tell what the test is about."),
        "T104": Code(
            "a value that cannot be understood",
            "Amounts are written with their currency, `10755.35 CNY`; times as `5 s`, `300 ms` or `2 min`; days as "
            "`2026-01-05`; keys of the telephone in quotes, `'3'`, or as `star` and `hash`.",
        ),
        "T105": Code(
            "a step that does not say what the caller does",
            "Each step is one thing: `hear`, `press`, `type`, `wait`, `stay silent` or `hang up`.",
        ),
        "T106": Code(
            "an unknown recording",
            "A recording is named by its id in the prompt files. `en/welcome` is the one in English. A bare id is the "
            "one in the language of the test; before the caller's first key it may be in any.",
        ),
        "T107": Code("an unknown flow", "A call begins with a flow of the flows folder that no other flow has to run."),
        "T108": Code(
            "an unknown operation, or an end that it does not have",
            "The operations are those that flows use with `do`. A test may let one end otherwise than the bank would, "
            "but only in an end that gives nothing: amounts and numbers come from the bank alone.",
        ),
        "T109": Code(
            "a customer who is not given",
            "`pin`, `wrong pin`, `customer number` and the accounts of `money moved` are those of the customer under "
            "`given`. Write one there, or `customer: sample` for the customer of `ivr play`.",
        ),
        "T110": Code(
            "a PIN that is written out twice",
            "A PIN stands in one place only, under `given`, where everybody knows that it is invented. In steps "
            "write `type: pin`.",
        ),
        "T111": Code(
            "a step that cannot be reached, or says nothing",
            "After `hang up` there is no call any more. After `stay silent` the caller hears something or the call "
            "ends; to do something after a while, write `wait: 7 s`.",
        ),
        "T112": Code(
            "an unknown milestone",
            "A milestone is declared under `milestones` at the top of a flow, and reached by the steps that name it.",
        ),
        "T113": Code(
            "money of an account that is not given",
            "Money moves between accounts of the customer under `given`. Write the number as it stands there, whole.",
        ),
    }
)


def explained(code: str, language: Wording = Wording.ENGLISH) -> Code:
    """Return the title and the explanation of a code of tests in a language."""
    return Code(**chinese_codes()[code]) if language is Wording.CHINESE else TEST_CODES[code]
