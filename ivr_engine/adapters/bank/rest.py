"""A core bank that is reached over HTTP.

Knows the interface that `server` offers, deadlines, and which requests may be repeated. Must not know the bank's rules.
Reads are repeated within the deadline when the connection fails; a PIN check and a posting are sent once. The PIN
travels in the body, over TLS or loopback only: plain http:// to another machine is refused at construction.
"""

from __future__ import annotations

import asyncio
import json
import re
import ssl
from collections.abc import Callable
from ipaddress import ip_address
from typing import Final, TypeVar

import aiohttp
import stamina
from yarl import URL

from ivr_engine.adapters.bank import wire
from ivr_engine.banking.core import CoreOutcomeUnknownError, CoreUnavailableError
from ivr_engine.banking.model import (
    Account,
    Addresses,
    Balance,
    Customer,
    ExchangeRate,
    ForeignCurrency,
    InterestRate,
    PinChange,
    PinVerdict,
    Posting,
    PostingOutcome,
    Product,
    StatementLine,
    Term,
)
from ivr_engine.values.ids import AccountNumber, CallId, CustomerNumber
from ivr_engine.values.secret import SecretDigits

DEADLINE_S: Final = 3.0
"""For one question, with all its attempts; longer than the embedded core's own, so that its answer arrives."""
READ_ATTEMPTS_MAX: Final = 3
CONNECTIONS_MAX: Final = 32
ANSWER_BYTES_MAX: Final = 256 * 1024
_OK, _NOT_FOUND, _UNAVAILABLE = 200, 404, 503
# What may stand in a path; anything else names nothing at a bank.
_NAME: Final = re.compile(r"[0-9A-Za-z_-]{1,64}", re.ASCII)
_Value = TypeVar("_Value")


class RestCore:
    """`CoreBank` over REST. To be used on one event loop; `close()` it there."""

    def __init__(
        self, base_url: str, *, token: str, deadline_s: float = DEADLINE_S, tls: ssl.SSLContext | None = None
    ) -> None:
        self._base = _safe_url(base_url)
        self._headers = {"Authorization": f"Bearer {token}"}
        self._deadline_s = deadline_s
        self._tls = tls
        self._session: aiohttp.ClientSession | None = None

    async def verify_pin(self, customer: CustomerNumber, pin: SecretDigits, *, call: CallId) -> PinVerdict:
        """Ask the bank to count and judge; sent once. The secret is the caller's to wipe."""
        body = {"customer": customer, "pin": pin.reveal().decode("ascii"), "call": call}
        try:
            async with asyncio.timeout(self._deadline_s):
                status, answer = await self._send("POST", ("pin-checks",), body)
        except (aiohttp.ClientError, TimeoutError) as error:
            raise _unavailable(error) from None
        finally:
            del body
        return _read(status, answer, lambda found: PinVerdict(wire.text(found, "verdict")))

    async def customer(self, number: CustomerNumber) -> Customer | None:
        """Return the customer, or None."""
        return await self._ask(("customers", number), wire.to_customer)

    async def addresses(self, customer: CustomerNumber) -> Addresses:
        """Return where the customer is written to."""
        return await self._ask(("customers", customer, "addresses"), wire.to_addresses) or Addresses()

    async def change_pin(self, customer: CustomerNumber, new: SecretDigits) -> PinChange:
        """Send a new PIN once; raise `CoreOutcomeUnknownError` whenever the bank may have received it unanswered."""
        if not _NAME.fullmatch(customer):
            return PinChange.REFUSED
        body = {"pin": new.reveal().decode("ascii")}
        try:
            found = await self._change(("customers", customer, "pin"), body)
        finally:
            del body
        return _known(found, lambda read: PinChange(wire.text(read, "outcome")))

    async def accounts(self, customer: CustomerNumber) -> tuple[Account, ...]:
        """Return the customer's accounts in the order in which they are read out."""
        path = ("customers", customer, "accounts")
        found = await self._ask(path, lambda body: tuple(map(wire.to_account, body["accounts"])))
        return found or ()

    async def balance(self, account: AccountNumber) -> Balance | None:
        """Return the balance, or None."""
        return await self._ask(("accounts", account, "balance"), wire.to_balance)

    async def statement(self, account: AccountNumber, *, limit: int) -> tuple[StatementLine, ...]:
        """Return the newest movements first; raise `ValueError` for a limit outside 1 to 100."""
        if not 1 <= limit <= 100:
            raise ValueError("a statement has 1 to 100 lines")
        path = ("accounts", account, "statement")
        found = await self._ask(path, lambda body: tuple(map(wire.to_line, body["lines"])), limit=limit)
        return found or ()

    async def post(self, posting: Posting) -> PostingOutcome:
        """Send a posting once; raise `CoreOutcomeUnknownError` whenever the bank may have received it unanswered."""
        found = await self._change(("postings", posting.id), wire.from_posting(posting))
        return _known(found, _outcome)

    async def posting_outcome(self, posting_id: str) -> PostingOutcome | None:
        """Return what the bank keeps under this id, or None."""
        return await self._ask(("postings", posting_id), _outcome)

    async def interest_rate(self, product: Product, term: Term) -> InterestRate | None:
        """Return the interest in force, or None."""
        return await self._ask(("interest-rates", product.value, term.value), wire.to_interest_rate)

    async def exchange_rate(self, currency: ForeignCurrency) -> ExchangeRate | None:
        """Return the rates that were set last, or None."""
        return await self._ask(("exchange-rates", currency.value), wire.to_exchange_rate)

    async def is_listed(self, name: str, caller: str) -> bool:
        """Say whether a number stands on a list; what cannot stand in a path is on none."""
        return bool(await self._ask(("caller-lists", name, caller), wire.to_listed))

    async def close(self) -> None:
        """Close connections; harmless when repeated."""
        if self._session is not None:
            await self._session.close()

    async def _ask(self, path: tuple[str, ...], read: Callable[[wire.Json], _Value], **query: int) -> _Value | None:
        if not all(map(_NAME.fullmatch, path)):
            return None
        try:
            async with asyncio.timeout(self._deadline_s):
                async for attempt in stamina.retry_context(
                    on=aiohttp.ClientError,
                    attempts=READ_ATTEMPTS_MAX,
                    timeout=self._deadline_s,
                    wait_initial=0.05,
                    wait_max=0.3,
                    wait_jitter=0.05,
                ):
                    with attempt:
                        status, answer = await self._send("GET", path, None, **query)
        except (aiohttp.ClientError, TimeoutError) as error:
            raise _unavailable(error) from None
        return None if status == _NOT_FOUND else _read(status, answer, read)

    async def _change(self, path: tuple[str, ...], body: wire.Json) -> tuple[int, bytes]:
        """Send what changes something, once."""
        try:
            async with asyncio.timeout(self._deadline_s):
                status, answer = await self._send("PUT", path, body)
        except aiohttp.ClientConnectorError as error:
            raise _unavailable(error) from None
        except (aiohttp.ClientError, TimeoutError) as error:
            message = f"the bank did not answer a change: {type(error).__name__}"
            raise CoreOutcomeUnknownError(message) from None
        if status == _UNAVAILABLE:
            raise CoreUnavailableError("the bank says that it is unavailable")
        return status, answer

    async def _send(
        self, method: str, path: tuple[str, ...], body: wire.Json | None, **query: int
    ) -> tuple[int, bytes]:
        if self._session is None:
            connector = aiohttp.TCPConnector(limit=CONNECTIONS_MAX, ssl=self._tls or True)
            self._session = aiohttp.ClientSession(connector=connector, headers=self._headers)
        url = self._base.joinpath(*path).with_query(query)
        data = None if body is None else json.dumps(body).encode()
        headers = {} if data is None else {"Content-Type": "application/json"}
        # A redirect could lead a PIN elsewhere.
        sent = self._session.request(method, url, data=data, headers=headers, allow_redirects=False)
        async with sent as response:
            answer = await response.content.read(ANSWER_BYTES_MAX + 1)
            while not response.content.at_eof() and len(answer) <= ANSWER_BYTES_MAX:
                answer += await response.content.read(ANSWER_BYTES_MAX + 1 - len(answer))
            return response.status, answer


def _safe_url(base_url: str) -> URL:
    url = URL(base_url)
    if url.scheme not in ("http", "https") or not url.host or url.user or url.query_string or url.fragment:
        raise ValueError("the bank's address is https://host[:port][/path]")
    if url.scheme == "http" and not _is_loopback(url.host):
        message = f"a PIN must not travel in the clear: use https:// to {url.host}"
        raise ValueError(message)
    return url.joinpath(wire.VERSION_PATH.removeprefix("/"))


def _is_loopback(host: str) -> bool:
    # Only an address: what a name such as `localhost` leads to is decided elsewhere, and may change.
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _outcome(body: wire.Json) -> PostingOutcome:
    return PostingOutcome(wire.text(body, "outcome"))


def _read(status: int, answer: bytes, read: Callable[[wire.Json], _Value]) -> _Value:
    if status != _OK:
        message = f"the bank answered with status {status}"
        raise CoreUnavailableError(message)
    try:
        return read(json.loads(answer))
    except (KeyError, TypeError, ValueError, AttributeError):
        raise CoreUnavailableError("the bank answered in a form that is not version 1") from None


def _known(found: tuple[int, bytes], read: Callable[[wire.Json], _Value]) -> _Value:
    """Return the answer to a change; one that cannot be read leaves its outcome unknown."""
    try:
        return _read(*found, read)
    except CoreUnavailableError as error:
        raise CoreOutcomeUnknownError(str(error)) from None


def _unavailable(error: BaseException) -> CoreUnavailableError:
    # Not the error's own words: some quote the address with an account number.
    message = f"the bank could not be reached: {type(error).__name__}"
    return CoreUnavailableError(message)
