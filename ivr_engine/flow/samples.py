"""A sample of each kind of step, as the manual shows it and as tests run it.

Knows how a kind is best shown, and what has to stand around it. Must not know the page (`manual`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

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
        "sms": """
            send_balance:
              sms: balance_by_sms
              with:
                account: account
                amount: balance
                available: balance
              then: next
              when:
                no_address: human
                unavailable: human
            """,
        "email": """
            mail_transactions:
              email: transactions_in_writing
              with:
                account: account
                lines: lines
              then: next
              when:
                no_address: human
                unavailable: human
            """,
        "fax": """
            fax_transactions:
              fax: transactions_in_writing
              with:
                account: account
                lines: lines
              then: next
              when:
                no_address: human
                unavailable: human
            """,
        "page": """
            page_balance:
              page: balance_by_sms
              with:
                account: account
                amount: balance
                available: balance
              then: next
              when:
                no_address: human
                unavailable: human
            """,
        "case": """
            open_case:
              case: lost_card
              with:
                account: account
                balance: balance
              into:
                number: case_number
              then: next
              when:
                unavailable: human
            """,
        "note": """
            note_it:
              note: "asked about the account {account:masked}, balance {balance:money}"
              then: next
              when:
                unavailable: next
            """,
        "screen": """
            tell_agent:
              screen:
                account: account
                wanted: wanted
              then: next
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
        "blind_transfer": """
            to_lost_cards:
              blind_transfer: lost_cards
              hold: connecting_to_agent
              when:
                answered: next
                no_answer: human
                busy: human
                unreachable: human
            """,
        "attended_transfer": """
            to_branch:
              attended_transfer: lost_cards
              hold: connecting_to_agent
              announce: [caller_waits, "account_{kind}"]
              ring: 20 s
              when:
                answered: next
                declined: human
                no_answer: human
                busy: human
                unreachable: human
            """,
        "record": """
            leave_message:
              record: message
              box: service
              prompt: say_message_after_tone
              most: 2 min
              silence: 5 s
              finish: hash
              then: next
              when:
                nothing_recorded: human
                unavailable: human
            """,
        "callback": """
            call_me_back:
              callback: service
              number: number
              then: next
              when:
                already_registered: next
                number_not_allowed: human
                unavailable: human
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
  message: recording
  number: digits
  wanted: one of (balance, transactions)
  kind: one of (current, credit_card, time_deposit)
  lines: personal text
  case_number: digits
{top}steps:
  first: {{set: {{balance: 1.00 CNY, kind: current, wanted: balance, lines: "'-1.00 CNY'"}}, then: second}}
  second: {{set: {{number: "'13800000000'"}}, then: {sample}}}
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
