"""Large hotlines that are sound, for measuring how long they take to check; each is shaped like a real one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from ivr_engine.flow.library import build_library
from ivr_engine.flow.model import Library
from tests.flow.world import world

STEPS_OF_A_TASK: Final = 8
TASKS_OF_A_FLOW: Final = 30

_TASK: Final = """\
  menu_{n}:
    menu: main_menu
    keys:
      1: number_{n}
      2: {next}
      0: human
    when: {{no_input: human, no_match: human}}
  number_{n}:
    collect: position
    prompt: enter_customer_number
    length: 1 to 4
    cancel: star
    when: {{collected: set_{n}, cancelled: menu_{n}, no_input: human}}
  set_{n}:
    set: {{count: count + 1, place: {n}}}
    then: ask_{n}
  ask_{n}:
    do: account
    with: {{position: place}}
    into: {{number: account, kind: kind}}
    when: {{found: many_{n}, none: none_{n}, unavailable: away_{n}}}
  many_{n}:
    if: signed_in and count > 3 and kind = current
    then: read_{n}
    else: none_{n}
  read_{n}:
    say: [your_balance_is, {{masked: account}}, 'account_{{kind}}']
    then: menu_{n}
  none_{n}:
    say: no_more_accounts
    then: menu_{n}
  away_{n}:
    say: system_busy
    then: human
"""
_FLOW: Final = """\
ivr: 1
title: Some tasks of a large hotline
start: begin
outcomes: [done, human]
variables:
  account: personal digits
  position: personal digits
  count: number
  place: number
  kind: one of (demand_savings, time_deposit, credit_card, provident_fund, current)
steps:
  begin: {set: {count: 0}, then: menu_1}
  human: {return: human}
"""
_FIRST: Final = """\
ivr: 1
title: A large hotline
start: pin
variables: {pin: secret}
steps:
  pin: {secret: pin, prompt: enter_pin, length: 6, then: check, when: {no_input: human, too_short: human}}
  check:
    do: sign_in
    with: {customer: "'620001'", pin: pin}
    when: {signed_in: menu_1, refused: human, attempts_used: human, locked: human, unavailable: human}
  human: {queue: service, when: {answered: end, no_agents: end, full: end, timed_out: end}}
  end: {hang_up: completed}
"""
_DOOR: Final = """\
  menu_{n}: {{menu: main_menu, keys: {{1: run_{n}, 2: {next}, 0: human}}, when: {{no_input: human, no_match: human}}}}
  run_{n}: {{run: tasks_{n}, when: {{done: menu_{n}, human: human}}}}
"""


def large_texts(steps: int) -> Mapping[str, tuple[str, str]]:
    """Return flows of about so many steps together: one with which a call begins, which runs all the others."""
    flows = max(1, round(steps / (STEPS_OF_A_TASK * TASKS_OF_A_FLOW)))
    doors = (_DOOR.format(n=n, next=f"menu_{n + 1}" if n < flows else "human") for n in range(1, flows + 1))
    texts = {"first": ("first.yaml", _FIRST + "".join(doors))}
    each = max(1, min(TASKS_OF_A_FLOW, round(steps / STEPS_OF_A_TASK)))
    tasks = [_TASK.format(n=n, next=f"menu_{n + 1}" if n < each else "human") for n in range(1, each + 1)]
    # Each text is a little different, as files are.
    texts.update(
        {f"tasks_{n}": (f"tasks_{n}.yaml", f"# part {n}\n{_FLOW}{''.join(tasks)}") for n in range(1, flows + 1)}
    )
    return texts


def large_library(steps: int) -> Library:
    """Return such flows, checked."""
    return build_library(large_texts(steps), world())
