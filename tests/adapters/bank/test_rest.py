from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web

from ivr_engine.adapters.bank import wire
from ivr_engine.adapters.bank.rest import RestCore
from ivr_engine.adapters.bank.server import core_application
from ivr_engine.adapters.store.migrate import upgrade
from ivr_engine.banking.core import CoreOutcomeUnknownError, CoreUnavailableError
from ivr_engine.banking.model import PinVerdict, PostingOutcome, Segment
from ivr_engine.values.ids import AccountNumber
from tests.adapters.bank.benches import TOKEN, opened_bench, served
from tests.banking.contract import PINS, SAVINGS, WANG, Bench, transfer, try_pin


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[Bench]:
    url = f"sqlite:///{tmp_path}/bank.sqlite3"
    await upgrade(url)
    async with opened_bench(url) as bench:
        yield bench


@pytest.mark.parametrize(
    "url",
    [
        "http://core.bank.example",
        "http://localhost:8080",
        "http://192.0.2.1",
        "ftp://127.0.0.1",
        "http://a:b@127.0.0.1",
    ],
)
def test_address_where_a_pin_would_travel_in_the_clear_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="https"):
        RestCore(url, token=TOKEN)


async def test_token_must_be_long(bench: Bench) -> None:
    with pytest.raises(ValueError, match="32 characters"):
        core_application(bench.core, token="short")


async def test_server_that_is_not_there_is_unavailable_for_every_question() -> None:
    core = RestCore("http://127.0.0.1:1", token=TOKEN, deadline_s=1)
    with pytest.raises(CoreUnavailableError):
        await core.balance(SAVINGS)
    with pytest.raises(CoreUnavailableError):
        await try_pin(core, PINS[WANG])
    with pytest.raises(CoreUnavailableError):
        await core.post(transfer("T1"))
    await core.close()


async def test_wrong_token_opens_nothing(bench: Bench) -> None:
    async with served(core_application(bench.core, token=TOKEN)) as url:
        core = RestCore(url, token=TOKEN + "x")
        with pytest.raises(CoreUnavailableError, match="401"):
            await core.balance(SAVINGS)
        await core.close()


async def test_posting_whose_answer_is_lost_is_unknown_and_can_be_asked_for(bench: Bench) -> None:
    @web.middleware
    async def drop_answers_to_postings(request: web.Request, handler: web.RequestHandler) -> web.StreamResponse:
        response: web.StreamResponse = await handler(request)  # type: ignore[operator]  # aiohttp's type for handlers is not exported
        if request.method == "PUT":
            assert request.transport is not None
            request.transport.abort()
        return response

    application = core_application(bench.core, token=TOKEN)
    application.middlewares.insert(0, drop_answers_to_postings)  # type: ignore[arg-type]  # as above
    async with served(application) as url:
        core = RestCore(url, token=TOKEN, deadline_s=2)
        with pytest.raises(CoreOutcomeUnknownError):
            await core.post(transfer("T1"))
        assert await core.posting_outcome("T1") is PostingOutcome.POSTED
        await core.close()


async def test_bank_that_does_not_answer_in_time_is_unavailable_for_reads_and_unknown_for_postings() -> None:
    async def never(_request: web.Request) -> web.StreamResponse:
        await asyncio.Event().wait()
        raise AssertionError

    application = web.Application()
    application.router.add_route("*", "/{path:.*}", never)
    async with served(application) as url:
        core = RestCore(url, token=TOKEN, deadline_s=0.2)
        with pytest.raises(CoreUnavailableError):
            await core.accounts(WANG)
        with pytest.raises(CoreUnavailableError):
            await try_pin(core, PINS[WANG])
        with pytest.raises(CoreOutcomeUnknownError):
            await core.post(transfer("T1"))
        await core.close()


async def answering(status: int, body: str, asked: list[str]) -> web.Application:
    async def answer(request: web.Request) -> web.StreamResponse:
        asked.append(request.method)
        return web.Response(status=status, text=body)

    application = web.Application()
    application.router.add_route("*", "/{path:.*}", answer)
    return application


@pytest.mark.parametrize(("status", "body"), [(500, "{}"), (200, "nonsense"), (200, "[]"), (200, '{"outcome": "?"}')])
async def test_answer_that_makes_no_sense_is_never_taken_for_a_result(status: int, body: str) -> None:
    async with served(await answering(status, body, [])) as url:
        core = RestCore(url, token=TOKEN)
        with pytest.raises(CoreUnavailableError):
            await core.balance(SAVINGS)
        with pytest.raises(CoreUnavailableError):
            await try_pin(core, PINS[WANG])
        with pytest.raises(CoreOutcomeUnknownError):
            await core.post(transfer("T1"))
        await core.close()


async def test_bank_that_says_unavailable_has_booked_nothing() -> None:
    async with served(await answering(503, "{}", [])) as url:
        core = RestCore(url, token=TOKEN)
        with pytest.raises(CoreUnavailableError):
            await core.post(transfer("T1"))
        await core.close()


async def test_redirect_is_not_followed() -> None:
    elsewhere: list[str] = []
    async with served(await answering(200, '{"verdict": "verified"}', elsewhere)) as there:

        async def redirect(_request: web.Request) -> web.StreamResponse:
            raise web.HTTPTemporaryRedirect(there)

        application = web.Application()
        application.router.add_route("*", "/{path:.*}", redirect)
        async with served(application) as url:
            core = RestCore(url, token=TOKEN)
            with pytest.raises(CoreUnavailableError):
                await try_pin(core, PINS[WANG])
            await core.close()
    assert elsewhere == []


async def test_read_is_repeated_when_the_connection_fails_and_a_pin_check_is_not(bench: Bench) -> None:
    cut: list[str] = []

    @web.middleware
    async def cut_the_first(request: web.Request, handler: web.RequestHandler) -> web.StreamResponse:
        cut.append(request.method)
        if cut.count(request.method) == 1:
            assert request.transport is not None
            request.transport.abort()
        response: web.StreamResponse = await handler(request)  # type: ignore[operator]  # aiohttp's type for handlers is not exported
        return response

    application = core_application(bench.core, token=TOKEN)
    application.middlewares.insert(0, cut_the_first)  # type: ignore[arg-type]  # as above
    async with served(application) as url:
        core = RestCore(url, token=TOKEN)
        assert await core.balance(SAVINGS) is not None
        with pytest.raises(CoreUnavailableError):
            await try_pin(core, PINS[WANG])
        assert await try_pin(core, PINS[WANG], call="call-2") is PinVerdict.VERIFIED
        await core.close()
    assert cut.count("POST") == 2


async def test_name_that_could_lead_to_another_path_names_nothing(bench: Bench) -> None:
    async with served(core_application(bench.core, token=TOKEN)) as url:
        core = RestCore(url, token=TOKEN)
        for number in ("", "..", f"../accounts/{SAVINGS}", f"{SAVINGS}?limit=1"):
            assert await core.balance(AccountNumber(number)) is None
        await core.close()


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("pin-checks", {"customer": "1", "pin": 471100, "call": "c"}),
        ("pin-checks", {"customer": "1" * 33, "pin": "471100", "call": "c"}),
        ("pin-checks", {"customer": "1\0", "pin": "471100", "call": "c"}),
        ("pin-checks", ["471100"]),
        ("pin-checks", "471100"),
    ],
)
async def test_wrong_shape_is_answered_without_repeating_the_pin(bench: Bench, path: str, body: object) -> None:
    async with (
        served(core_application(bench.core, token=TOKEN)) as url,
        aiohttp.ClientSession(headers={"Authorization": f"Bearer {TOKEN}"}) as session,
        session.post(f"{url}/v1/{path}", data=json.dumps(body)) as response,
    ):
        assert response.status == 400
        assert "4711" not in await response.text()


@pytest.mark.parametrize(
    "amount", [{"minor": 1.5, "currency": "CNY"}, {"minor": True, "currency": "CNY"}, {"minor": 1}, "1", None]
)
async def test_amount_that_is_not_whole_minor_units_is_refused(bench: Bench, amount: object) -> None:
    body = {"debit": "1", "credit": "2", "amount": amount, "text": ""}
    async with (
        served(core_application(bench.core, token=TOKEN)) as url,
        aiohttp.ClientSession(headers={"Authorization": f"Bearer {TOKEN}"}) as session,
        session.put(f"{url}/v1/postings/T1", json=body) as response,
    ):
        assert response.status == 400


def test_bank_that_tells_neither_segment_nor_day_of_birth_serves_all_customers_alike() -> None:
    customer = wire.to_customer({"number": "100001", "name": "Wang", "language": "cmn"})
    assert (customer.segment, customer.born) == (Segment.STANDARD, None)


@pytest.mark.parametrize(
    "body",
    [
        {"percent_hundred_thousandths": 2.35},
        {"percent_hundred_thousandths": "235000"},
        {"percent_hundred_thousandths": True},
        {},
    ],
)
def test_rate_that_is_no_whole_number_is_refused(body: dict[str, object]) -> None:
    rest = {"product": "loan", "term": "one_year", "since": "2026-01-05"}
    with pytest.raises(wire.ShapeError, match="whole number"):
        wire.to_interest_rate({**rest, **body})
