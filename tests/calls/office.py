"""What every office must do: one suite for the one in memory and the one in the database."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Final

from ivr_engine.banking.code_policy import CODE_HOLDS, CODES_PER_CALL_MAX, CODES_PER_CUSTOMER_MAX, CodeVerdict
from ivr_engine.calls.office import (
    MESSAGES_PER_CALL_MAX,
    MESSAGES_PER_CUSTOMER_MAX,
    CallNote,
    Office,
    OutboxMessage,
    Posted,
    ServiceCase,
    expires_at,
)
from ivr_engine.values.ids import CallId, CustomerNumber
from ivr_engine.values.language import Language
from ivr_engine.values.medium import Medium
from ivr_engine.values.secret import SecretDigits
from tests.banking.clock import SetClock

CALL: Final = CallId("call-1")
WANG: Final = CustomerNumber("100001")
CHAN: Final = CustomerNumber("100002")
CODE: Final = "580274"


@dataclass
class Bench:
    """An office under test, its clock, and how the text of a message that is kept is looked up."""

    office: Office
    clock: SetClock


def message(number: int, bench: Bench, *, call: str = CALL, customer: CustomerNumber = WANG) -> OutboxMessage:
    now = bench.clock.now()
    return OutboxMessage(
        id=f"{call}-{number}",
        call=CallId(call),
        customer=customer,
        medium=Medium.SMS,
        message="balance_by_sms",
        language=Language.ENGLISH,
        address="13900000001",
        heading="",
        text="You have CNY 10,755.35.",
        at=now,
        expires_at=expires_at(now),
    )


async def send_code(
    bench: Bench, number: int = 1, *, code: str = CODE, call: str = CALL, customer: CustomerNumber = WANG
) -> Posted:
    secret = SecretDigits(code.encode())
    letter = replace(message(number, bench, call=call, customer=customer), text=f"Your code is {code}.")
    letter = replace(letter, expires_at=expires_at(letter.at, is_code=True))
    posted = await bench.office.post_code(letter, secret)
    assert len(secret) == len(code), "whoever made a secret wipes it"
    return posted


async def check(bench: Bench, code: str = CODE, *, call: str = CALL, customer: CustomerNumber = WANG) -> CodeVerdict:
    return await bench.office.check_code(CallId(call), customer, SecretDigits(code.encode()))


class OfficeContract:
    """The suite."""

    async def test_message_sent_again_is_kept_once(self, bench: Bench) -> None:
        first = message(1, bench)
        assert [await bench.office.post(first) for _ in range(MESSAGES_PER_CALL_MAX + 2)] == [Posted.ACCEPTED] * (
            MESSAGES_PER_CALL_MAX + 2
        )
        assert await bench.office.post(message(2, bench)) is Posted.ACCEPTED

    async def test_call_sends_ten_messages_and_no_more(self, bench: Bench) -> None:
        posted = [await bench.office.post(message(number, bench)) for number in range(MESSAGES_PER_CALL_MAX + 1)]
        assert posted == [Posted.ACCEPTED] * MESSAGES_PER_CALL_MAX + [Posted.TOO_MANY]
        assert await bench.office.post(message(0, bench)) is Posted.ACCEPTED  # it was accepted before

    async def test_customer_is_sent_twenty_messages_a_day(self, bench: Bench) -> None:
        async def sent(number: int, customer: CustomerNumber = WANG) -> Posted:
            return await bench.office.post(message(number, bench, call=f"call-{number}", customer=customer))

        for number in range(MESSAGES_PER_CUSTOMER_MAX):
            assert await sent(number) is Posted.ACCEPTED
        assert await sent(100) is Posted.TOO_MANY
        assert await sent(101, CHAN) is Posted.ACCEPTED
        bench.clock.move(timedelta(hours=24, seconds=1))
        assert await sent(102) is Posted.ACCEPTED

    async def test_right_code_is_accepted_once(self, bench: Bench) -> None:
        assert await send_code(bench) is Posted.ACCEPTED
        assert await check(bench) is CodeVerdict.ACCEPTED
        assert await check(bench) is CodeVerdict.EXPIRED

    async def test_third_wrong_code_uses_the_attempts_up_and_the_right_one_comes_too_late(self, bench: Bench) -> None:
        await send_code(bench)
        wrong = [await check(bench, "580275") for _ in range(3)]
        assert wrong == [CodeVerdict.WRONG, CodeVerdict.WRONG, CodeVerdict.ATTEMPTS_USED]
        assert await check(bench) is CodeVerdict.ATTEMPTS_USED

    async def test_code_is_good_for_five_minutes(self, bench: Bench) -> None:
        await send_code(bench)
        bench.clock.move(CODE_HOLDS)
        assert await check(bench, "580275") is CodeVerdict.WRONG
        bench.clock.move(timedelta(seconds=1))
        assert await check(bench) is CodeVerdict.EXPIRED

    async def test_code_is_good_in_its_own_call_and_for_its_own_customer(self, bench: Bench) -> None:
        await send_code(bench)
        assert await check(bench, call="call-2") is CodeVerdict.EXPIRED
        assert await check(bench, customer=CHAN) is CodeVerdict.EXPIRED
        assert await check(bench) is CodeVerdict.ACCEPTED

    async def test_new_code_ends_the_one_before(self, bench: Bench) -> None:
        await send_code(bench)
        bench.clock.move(timedelta(seconds=30))
        await send_code(bench, 2, code="113355")
        assert await check(bench) is CodeVerdict.WRONG
        assert await check(bench, "113355") is CodeVerdict.ACCEPTED

    async def test_no_code_was_sent_so_none_is_good(self, bench: Bench) -> None:
        assert await check(bench) is CodeVerdict.EXPIRED

    async def test_call_is_sent_three_codes(self, bench: Bench) -> None:
        posted = [await send_code(bench, number) for number in range(CODES_PER_CALL_MAX + 1)]
        assert posted == [Posted.ACCEPTED] * CODES_PER_CALL_MAX + [Posted.TOO_MANY]

    async def test_customer_is_sent_six_codes_a_day(self, bench: Bench) -> None:
        for number in range(CODES_PER_CUSTOMER_MAX):
            assert await send_code(bench, number, call=f"call-{number}") is Posted.ACCEPTED
        assert await send_code(bench, 100, call="call-100") is Posted.TOO_MANY
        bench.clock.move(timedelta(hours=24, seconds=1))
        assert await send_code(bench, 101, call="call-101") is Posted.ACCEPTED

    async def test_case_has_a_number_of_eight_digits_which_stays_the_same(self, bench: Bench) -> None:
        case = ServiceCase("call-1-0-a", CALL, WANG, "lost_card", "{}", bench.clock.now())
        number = await bench.office.open_case(case)
        assert len(number) == 8
        assert number.isdigit()
        assert await bench.office.open_case(case) == number
        other = replace(case, id="call-1-1-b", customer=None)
        assert await bench.office.open_case(other) != number

    async def test_note_is_kept_once(self, bench: Bench) -> None:
        note = CallNote("call-1-0-a", CALL, None, "asked for a form", bench.clock.now())
        await bench.office.note(note)
        await bench.office.note(note)
