from __future__ import annotations

import asyncio
import random
from datetime import timedelta
from pathlib import Path

import pytest

from ivr_engine.adapters.bank.embedded import EmbeddedCore
from ivr_engine.adapters.bank.pins import Pins
from ivr_engine.adapters.store.database import Database, Statement
from ivr_engine.adapters.store.migrate import upgrade
from ivr_engine.banking.model import PinVerdict
from ivr_engine.banking.pin_policy import PinFailures, count_attempt, verdict_on_wrong_pin
from ivr_engine.values.ids import CustomerNumber
from ivr_engine.values.secret import SecretDigits
from tests.adapters.bank.benches import opened_bench
from tests.banking.clock import SetClock
from tests.banking.contract import CHAN, NOBODY, PIN_KEY, PINS, WANG, try_pin
from tests.waiting import PATIENCE_S


async def test_a_thousand_guesses_from_two_engines_are_judged_five_times_at_most(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    judged = 0
    value = Pins._value

    def counted(pins: Pins, customer: CustomerNumber, pin: SecretDigits) -> bytes:
        nonlocal judged
        judged += 1
        return value(pins, customer, pin)

    async with opened_bench(database_url) as bench:
        monkeypatch.setattr(Pins, "_value", counted)
        databases = [Database(database_url, deadline_s=20), Database(database_url, deadline_s=20)]
        engines = [EmbeddedCore(found, pin_key=PIN_KEY, clock=bench.clock) for found in databases]
        guesses = iter(range(1000))
        verdicts: list[PinVerdict] = []

        async def caller(number: int) -> None:
            for guess in guesses:
                engine = engines[number % 2]
                verdicts.append(await try_pin(engine, f"{guess:06d}", call=f"call-{guess // 3}"))

        async with asyncio.TaskGroup() as tasks:
            for number in range(50):
                tasks.create_task(caller(number))
        for database in databases:
            await database.close()
    assert len(verdicts) == 1000
    assert judged == 5
    assert PinVerdict.VERIFIED not in verdicts
    assert verdicts.count(PinVerdict.LOCKED) >= 995


@pytest.mark.parametrize("seed", range(3))
async def test_database_follows_the_pure_rule_step_by_step(database_url: str, seed: int) -> None:
    dice = random.Random(seed)
    failures: dict[str, PinFailures] = {}
    attempts: dict[str, int] = {}
    async with opened_bench(database_url) as bench:
        for _ in range(150):
            bench.clock.move(timedelta(minutes=dice.choice((0, 1, 60, 60 * 11, 60 * 24))))
            customer = dice.choice((WANG, CHAN, NOBODY))
            call = f"call-{dice.randrange(60)}"
            right = dice.random() < 0.15
            digits = PINS[customer] if right and customer != NOBODY else "000000"
            attempt = count_attempt(failures.get(customer, PinFailures()), attempts.get(call, 0), bench.clock.now())
            failures[customer], attempts[call] = attempt.failures, attempt.attempts_in_call
            expected = attempt.verdict
            if expected is None and digits != "000000":
                expected = PinVerdict.VERIFIED
                failures[customer] = PinFailures()
                attempts[call] -= 1
            found = await try_pin(bench.core, digits, customer=customer, call=call)
            assert found is (expected or verdict_on_wrong_pin(attempt.failures.count, attempt.attempts_in_call))


async def test_what_was_typed_as_a_customer_number_is_not_kept_because_it_may_be_a_pin(database_url: str) -> None:
    async with opened_bench(database_url) as bench:
        typed = CustomerNumber(PINS[WANG])
        await try_pin(bench.core, "000000", customer=typed)
        database = Database(database_url, deadline_s=PATIENCE_S)
        rows = await database.fetch(Statement("SELECT customer_number, failures FROM bank_pin_failures"))
        await database.close()
    assert [failures for _, failures in rows] == [1]
    assert typed not in str(rows)


async def test_known_and_unknown_customers_cost_the_same_round_trips(database_url: str) -> None:
    async with opened_bench(database_url):
        pass
    database = Database(database_url, deadline_s=PATIENCE_S)
    core = EmbeddedCore(database, pin_key=PIN_KEY, clock=SetClock())
    spent = []
    for number, customer in enumerate((WANG, NOBODY)):
        before = database.round_trips
        for attempt in range(6):
            await try_pin(core, "000000", customer=customer, call=f"{number}-{attempt}")
        spent.append(database.round_trips - before)
    await database.close()
    assert spent[0] == spent[1]


@pytest.mark.postgres
async def test_bank_part_of_a_call_is_four_round_trips_on_postgres(database_url: str) -> None:
    async with opened_bench(database_url):
        pass
    database = Database(database_url, deadline_s=PATIENCE_S)
    if not database.is_postgres:
        await database.close()
        return
    core = EmbeddedCore(database, pin_key=PIN_KEY, clock=SetClock())
    assert await try_pin(core, PINS[WANG]) is PinVerdict.VERIFIED
    assert database.round_trips == 2
    account = (await core.accounts(WANG))[0]
    assert database.round_trips == 3
    assert await core.balance(account.number) is not None
    assert database.round_trips == 4
    await database.close()


async def test_no_pin_is_in_the_database_file(tmp_path: Path) -> None:
    file = tmp_path / "bank.sqlite3"
    await upgrade(f"sqlite:///{file}")
    async with opened_bench(f"sqlite:///{file}") as bench:
        await try_pin(bench.core, PINS[WANG])
        await try_pin(bench.core, "918273")
    stored = b"".join(await asyncio.to_thread(_contents, tmp_path))
    assert "王小明".encode() in stored
    for digits in (*PINS.values(), "918273"):
        assert digits.encode() not in stored
    assert PIN_KEY not in stored


def _contents(folder: Path) -> list[bytes]:
    return [found.read_bytes() for found in folder.iterdir()]


async def test_same_pin_has_another_value_under_another_key_or_customer(database_url: str) -> None:
    async with opened_bench(database_url) as bench:
        other = Database(database_url, deadline_s=PATIENCE_S)
        core = EmbeddedCore(other, pin_key=bytes(32), clock=bench.clock)
        assert await try_pin(core, PINS[WANG]) is PinVerdict.REFUSED
        await other.close()


async def test_secret_is_left_to_its_maker_to_wipe(database_url: str) -> None:
    async with opened_bench(database_url) as bench:
        pin = SecretDigits(PINS[WANG].encode())
        await bench.bank.set_pin(WANG, pin)
        assert len(pin) == 6


async def test_new_pin_has_6_to_12_digits(database_url: str) -> None:
    async with opened_bench(database_url) as bench:
        for digits in (b"12345", b"1" * 13):
            with pytest.raises(ValueError, match="6 to 12"):
                await bench.bank.set_pin(WANG, SecretDigits(digits))


def test_pin_key_has_32_bytes(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        Pins(Database(f"sqlite:///{tmp_path}/x"), b"short", SetClock())


async def test_number_too_long_to_store_is_refused_before_anything_is_sent(database_url: str) -> None:
    async with opened_bench(database_url) as bench:
        with pytest.raises(ValueError, match="1 to 32"):
            await try_pin(bench.core, "000000", customer=CustomerNumber("1" * 33))
