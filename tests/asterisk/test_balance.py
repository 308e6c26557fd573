"""A caller hears their balance, in each language, from the audio itself."""

from __future__ import annotations

import asyncio

import pytest

from ivr_engine.speech.grammars import grammar_for
from ivr_engine.testcaller.phone import Phone
from ivr_engine.testcaller.recordings import PromptName, Recordings
from ivr_engine.values.language import Language
from ivr_engine.values.money import Currency, Money
from tests.asterisk.hotline import RunningHotline

pytestmark = pytest.mark.asterisk

CALLERS = (
    (Language.MANDARIN, "1", "100001"),
    (Language.CANTONESE, "2", "100002"),
    (Language.ENGLISH, "3", "100003"),
)


async def test_a_caller_hears_in_each_language_exactly_the_balance_that_the_database_holds(
    hotline: RunningHotline, recordings: Recordings
) -> None:
    async with Phone.at(hotline.target, recordings) as phone:
        await asyncio.gather(*(hear_balance(hotline, phone, *caller) for caller in CALLERS))


async def hear_balance(hotline: RunningHotline, phone: Phone, language: Language, key: str, customer: str) -> None:
    number, booked, available = first_account(hotline, customer)
    speech = grammar_for(language)

    def named(*prompts: str) -> list[PromptName]:
        return [PromptName(language, prompt) for prompt in prompts]

    async with phone.dial(hotline.number) as caller:
        await caller.hear(PromptName(Language.MANDARIN, "welcome"))
        await caller.press(key)
        await caller.hear(*named("main_menu"), others=True)
        await caller.press("1")
        await caller.hear(*named("enter_customer_number"))
        await caller.press(f"{customer}#")
        await caller.hear(*named("enter_pin"))
        await caller.press(hotline.pin(customer))
        await caller.hear(*named("press_1"), others=True)
        await caller.press("1")
        await caller.hear(*named("account_demand_savings"), others=True)
        spoken = [
            *speech.masked(number),
            "your_balance_is",
            *speech.amount(booked),
            "available_balance_is",
            *speech.amount(available),
            "balance_menu",
        ]
        for prompt in named(*spoken):
            await caller.hear(prompt)


def first_account(hotline: RunningHotline, customer: str) -> tuple[str, Money, Money]:
    """Return number, booked and available balance of a customer's first account, from the database."""
    ((number, currency, booked, held, credit),) = hotline.rows(
        "SELECT number, currency, booked_minor, held_minor, credit_line_minor FROM bank_account"
        " WHERE customer_number = ? ORDER BY read_out_order LIMIT 1",
        customer,
    )
    unit = Currency(str(currency))
    available = int(str(booked)) - int(str(held)) + int(str(credit))
    return str(number), Money(int(str(booked)), unit), Money(available, unit)
