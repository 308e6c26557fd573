"""Offers a core bank over HTTP: an aiohttp application.

Knows paths, the bearer token and status codes. Must not log: paths hold account numbers and two bodies hold a PIN, so
whoever runs the application turns the access log off (`web.AppRunner(app, access_log=None)`) and listens on loopback
or with TLS.

| method and path | body | answer |
|---|---|---|
| POST /v1/pin-checks | customer, pin, call | verdict |
| GET /v1/customers/{number} | | the customer |
| GET /v1/customers/{number}/addresses | | mobile, fax, email, pager, each a text or null |
| PUT /v1/customers/{number}/pin | pin | outcome |
| GET /v1/customers/{number}/accounts | | accounts |
| GET /v1/accounts/{number}/balance | | booked, available |
| GET /v1/accounts/{number}/statement?limit=n | | lines |
| GET /v1/interest-rates/{product}/{term} | | per cent a year, since when |
| GET /v1/exchange-rates/{currency} | | what a hundred units are bought and sold at, set when |
| GET /v1/caller-lists/{list}/{number} | | whether the number stands on the list |
| PUT /v1/postings/{id} | debit, credit, amount, text | outcome; the id is the idempotency key |
| GET /v1/postings/{id} | | outcome |

400 a wrong shape · 401 no token · 404 unknown · 503 away, nothing changed · 504 the outcome of a change is not known.
"""

from __future__ import annotations

import hmac
import json
from collections.abc import Awaitable, Callable
from typing import Final

from aiohttp import web
from aiohttp.typedefs import Middleware

from ivr_engine.adapters.bank import wire
from ivr_engine.adapters.bank.pins import CALL_ID_CHARACTERS_MAX
from ivr_engine.banking.core import CoreBank, CoreOutcomeUnknownError, CoreUnavailableError
from ivr_engine.banking.model import (
    CALLER_LIST_CHARACTERS_MAX,
    CALLER_NUMBER_CHARACTERS_MAX,
    ForeignCurrency,
    Product,
    Term,
)
from ivr_engine.banking.pin_policy import PIN_DIGITS_MAX
from ivr_engine.values.ids import AccountNumber, CallId, CustomerNumber
from ivr_engine.values.secret import SecretDigits

BODY_BYTES_MAX: Final = 16 * 1024
TOKEN_CHARACTERS_MIN: Final = 32
_Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def core_application(core: CoreBank, *, token: str) -> web.Application:
    """Build the application around a core, which stays the caller's to close; raise `ValueError` for a short token."""
    if len(token) < TOKEN_CHARACTERS_MIN:
        message = f"the bank's token has at least {TOKEN_CHARACTERS_MIN} characters"
        raise ValueError(message)
    pages = _Pages(core)
    middlewares = [_token_check(token), _answer_errors]
    application = web.Application(middlewares=middlewares, client_max_size=BODY_BYTES_MAX)
    version = wire.VERSION_PATH
    application.add_routes(
        [
            web.post(f"{version}/pin-checks", pages.check_pin),
            web.get(f"{version}/customers/{{number}}", pages.customer),
            web.get(f"{version}/customers/{{number}}/addresses", pages.addresses),
            web.put(f"{version}/customers/{{number}}/pin", pages.change_pin),
            web.get(f"{version}/customers/{{number}}/accounts", pages.accounts),
            web.get(f"{version}/accounts/{{number}}/balance", pages.balance),
            web.get(f"{version}/accounts/{{number}}/statement", pages.statement),
            web.get(f"{version}/interest-rates/{{product}}/{{term}}", pages.interest_rate),
            web.get(f"{version}/exchange-rates/{{currency}}", pages.exchange_rate),
            web.get(f"{version}/caller-lists/{{list}}/{{number}}", pages.caller_list),
            web.put(f"{version}/postings/{{id}}", pages.post),
            web.get(f"{version}/postings/{{id}}", pages.posting_outcome),
        ]
    )
    return application


class _Pages:
    def __init__(self, core: CoreBank) -> None:
        self._core = core

    async def check_pin(self, request: web.Request) -> web.StreamResponse:
        body = await _body(request)
        customer = CustomerNumber(wire.text(body, "customer"))
        call = CallId(wire.text(body, "call", characters_max=CALL_ID_CHARACTERS_MAX))
        # Longer than any PIN is still judged, and refused, so that a length tells a caller nothing.
        pin = SecretDigits(wire.text(body, "pin", characters_max=4 * PIN_DIGITS_MAX).encode())
        try:
            verdict = await self._core.verify_pin(customer, pin, call=call)
        finally:
            pin.wipe()
        return web.json_response({"verdict": verdict.value})

    async def customer(self, request: web.Request) -> web.StreamResponse:
        customer = await self._core.customer(CustomerNumber(_number(request)))
        return _found(None if customer is None else wire.from_customer(customer))

    async def addresses(self, request: web.Request) -> web.StreamResponse:
        addresses = await self._core.addresses(CustomerNumber(_number(request)))
        return web.json_response(wire.from_addresses(addresses))

    async def change_pin(self, request: web.Request) -> web.StreamResponse:
        customer, body = CustomerNumber(_number(request)), await _body(request)
        pin = SecretDigits(wire.text(body, "pin", characters_max=4 * PIN_DIGITS_MAX).encode())
        try:
            outcome = await self._core.change_pin(customer, pin)
        finally:
            pin.wipe()
        return web.json_response({"outcome": outcome.value})

    async def accounts(self, request: web.Request) -> web.StreamResponse:
        accounts = await self._core.accounts(CustomerNumber(_number(request)))
        return web.json_response({"accounts": [wire.from_account(account) for account in accounts]})

    async def balance(self, request: web.Request) -> web.StreamResponse:
        balance = await self._core.balance(AccountNumber(_number(request)))
        return _found(None if balance is None else wire.from_balance(balance))

    async def statement(self, request: web.Request) -> web.StreamResponse:
        limit = request.query.get("limit", "")
        if not limit.isascii() or not limit.isdecimal() or not 1 <= int(limit[:9]) <= 100:
            raise wire.ShapeError("limit must be 1 to 100")
        lines = await self._core.statement(AccountNumber(_number(request)), limit=int(limit))
        return web.json_response({"lines": [wire.from_line(line) for line in lines]})

    async def interest_rate(self, request: web.Request) -> web.StreamResponse:
        product, term = request.match_info["product"], request.match_info["term"]
        if product not in {*Product} or term not in {*Term}:
            return _found(None)
        found = await self._core.interest_rate(Product(product), Term(term))
        return _found(None if found is None else wire.from_interest_rate(found))

    async def exchange_rate(self, request: web.Request) -> web.StreamResponse:
        currency = request.match_info["currency"]
        if currency not in {*ForeignCurrency}:
            return _found(None)
        found = await self._core.exchange_rate(ForeignCurrency(currency))
        return _found(None if found is None else wire.from_exchange_rate(found))

    async def caller_list(self, request: web.Request) -> web.StreamResponse:
        name = wire.text(request.match_info, "list", characters_max=CALLER_LIST_CHARACTERS_MAX)
        number = wire.text(request.match_info, "number", characters_max=CALLER_NUMBER_CHARACTERS_MAX)
        return web.json_response({"listed": await self._core.is_listed(name, number)})

    async def post(self, request: web.Request) -> web.StreamResponse:
        posting = wire.to_posting(request.match_info["id"], await _body(request))
        return web.json_response({"outcome": (await self._core.post(posting)).value})

    async def posting_outcome(self, request: web.Request) -> web.StreamResponse:
        posting_id = wire.text(request.match_info, "id", characters_max=64)
        outcome = await self._core.posting_outcome(posting_id)
        return _found(None if outcome is None else {"outcome": outcome.value})


def _number(request: web.Request) -> str:
    return wire.text(request.match_info, "number")


def _found(body: wire.Json | None) -> web.StreamResponse:
    return web.json_response({"error": "unknown"}, status=404) if body is None else web.json_response(body)


async def _body(request: web.Request) -> object:
    try:
        body: object = json.loads(await request.read())
    except ValueError:
        # Not the parser's words: they keep the text.
        raise wire.ShapeError("the body must be JSON") from None
    return body


@web.middleware
async def _answer_errors(request: web.Request, handler: _Handler) -> web.StreamResponse:
    try:
        return await handler(request)
    except wire.ShapeError as error:
        return web.json_response({"error": str(error)}, status=400)
    except CoreUnavailableError:
        return web.json_response({"error": "unavailable"}, status=503)
    except CoreOutcomeUnknownError:
        return web.json_response({"error": "outcome unknown"}, status=504)


def _token_check(token: str) -> Middleware:
    expected = f"Bearer {token}".encode()

    @web.middleware
    async def check(request: web.Request, handler: _Handler) -> web.StreamResponse:
        sent = request.headers.get("Authorization", "").encode("utf-8", "surrogateescape")
        if not hmac.compare_digest(sent, expected):
            return web.json_response({"error": "no valid token"}, status=401)
        return await handler(request)

    return check
