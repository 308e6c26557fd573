"""The JSON shapes of the core bank's REST interface, version 1, for both of its ends.

Knows values and JSON. Must not know HTTP. Amounts are whole minor units, rates whole
hundred-thousandths, days ISO 8601, times are ISO 8601 in UTC. Reading raises
`ShapeError`, whose words never quote what was read: that may be a PIN.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any, Final

from ivr_engine.banking.model import (
    ADDRESS_CHARACTERS_MAX,
    HOME,
    NUMBER_CHARACTERS_MAX,
    Account,
    AccountKind,
    Addresses,
    Balance,
    Customer,
    ExchangeRate,
    ForeignCurrency,
    InterestRate,
    Posting,
    Product,
    Segment,
    StatementLine,
    Term,
)
from ivr_engine.values.ids import AccountNumber, CustomerNumber
from ivr_engine.values.language import Language
from ivr_engine.values.money import Currency, Money
from ivr_engine.values.rate import Pair, Rate

VERSION_PATH: Final = "/v1"

Json = Mapping[str, Any]


class ShapeError(ValueError):
    """A body is not what this version says it is."""


def text(body: object, name: str, *, characters_max: int = NUMBER_CHARACTERS_MAX) -> str:
    """Return a text field that is not empty."""
    value = body.get(name) if isinstance(body, Mapping) else None
    if not isinstance(value, str) or not 0 < len(value) <= characters_max or "\0" in value:
        message = f"{name} must be a text of 1 to {characters_max} characters"
        raise ShapeError(message)
    return value


def from_money(money: Money) -> Json:
    """Write an amount."""
    return {"minor": money.minor, "currency": money.currency.value}


def to_money(body: object) -> Money:
    """Read an amount."""
    try:
        return Money(body["minor"], Currency(body["currency"]))  # type: ignore[index]  # a wrong shape is caught below
    except (KeyError, TypeError, ValueError):
        raise ShapeError("an amount has whole `minor` units and a `currency`") from None


def from_customer(customer: Customer) -> Json:
    """Write a customer."""
    return {
        "number": customer.number,
        "name": customer.name,
        "language": customer.language.value,
        "segment": customer.segment.value,
        "born": None if customer.born is None else customer.born.isoformat(),
    }


def to_customer(body: Json) -> Customer:
    """Read a customer; a bank may leave out how it serves them (as all others), and when they were born."""
    name = text(body, "name", characters_max=200)
    return Customer(
        CustomerNumber(text(body, "number")),
        name,
        Language(text(body, "language")),
        Segment(text(body, "segment")) if "segment" in body else Segment.STANDARD,
        None if body.get("born") is None else date.fromisoformat(text(body, "born")),
    )


def from_interest_rate(found: InterestRate) -> Json:
    """Write the interest of a product."""
    return {
        "product": found.product.value,
        "term": found.term.value,
        "percent_hundred_thousandths": found.rate.hundred_thousandths,
        "since": found.since.isoformat(),
    }


def to_interest_rate(body: Json) -> InterestRate:
    """Read the interest of a product."""
    rate = Rate(_whole(body, "percent_hundred_thousandths"))
    since = date.fromisoformat(text(body, "since"))
    return InterestRate(Product(text(body, "product")), Term(text(body, "term")), rate, since)


def from_exchange_rate(found: ExchangeRate) -> Json:
    """Write exchange rates: what a hundred units are bought and sold at."""
    return {
        "currency": found.currency.value,
        "buys_hundred_thousandths": found.buys.hundred_thousandths,
        "sells_hundred_thousandths": found.sells.hundred_thousandths,
        "at": found.at.isoformat(),
    }


def to_exchange_rate(body: Json) -> ExchangeRate:
    """Read exchange rates."""
    currency = ForeignCurrency(text(body, "currency"))
    pair = Pair(Currency(currency.value), HOME)
    buys, sells = (Rate(_whole(body, f"{side}_hundred_thousandths"), pair) for side in ("buys", "sells"))
    return ExchangeRate(currency, buys, sells, datetime.fromisoformat(text(body, "at")))


def to_listed(body: Json) -> bool:
    """Read whether a number stands on a list."""
    listed = body.get("listed")
    if not isinstance(listed, bool):
        raise ShapeError("listed must be true or false")
    return listed


def _whole(body: Json, name: str) -> int:
    value = body.get(name)
    if type(value) is not int:
        message = f"{name} must be a whole number"
        raise ShapeError(message)
    return value


def from_addresses(addresses: Addresses) -> Json:
    """Write where a customer is written to."""
    return {
        "mobile": addresses.mobile,
        "fax": addresses.fax,
        "email": addresses.email,
        "pager": addresses.pager,
    }


def to_addresses(body: Json) -> Addresses:
    """Read where a customer is written to; what is null or missing is not registered."""
    names = ("mobile", "fax", "email", "pager")
    known = {name for name in names if body.get(name) is not None}
    found = {name: text(body, name, characters_max=ADDRESS_CHARACTERS_MAX) for name in known}
    return Addresses(**found)


def from_account(account: Account) -> Json:
    """Write an account."""
    return {
        "number": account.number,
        "customer": account.customer,
        "kind": account.kind.value,
        "currency": account.currency.value,
    }


def to_account(body: Json) -> Account:
    """Read an account."""
    return Account(
        AccountNumber(text(body, "number")),
        CustomerNumber(text(body, "customer")),
        AccountKind(text(body, "kind")),
        Currency(text(body, "currency")),
    )


def from_balance(balance: Balance) -> Json:
    """Write a balance."""
    return {"booked": from_money(balance.booked), "available": from_money(balance.available)}


def to_balance(body: Json) -> Balance:
    """Read a balance."""
    return Balance(to_money(body.get("booked")), to_money(body.get("available")))


def from_line(line: StatementLine) -> Json:
    """Write a statement line."""
    return {
        "at": line.at.isoformat(),
        "amount": from_money(line.amount),
        "text": line.text,
        "balance_after": from_money(line.balance_after),
    }


def to_line(body: Json) -> StatementLine:
    """Read a statement line."""
    words = body.get("text")
    if not isinstance(words, str):
        raise ShapeError("text must be a text")
    at = datetime.fromisoformat(text(body, "at"))
    return StatementLine(at, to_money(body.get("amount")), words, to_money(body.get("balance_after")))


def from_posting(posting: Posting) -> Json:
    """Write a posting; its id is in the path."""
    return {
        "debit": posting.debit,
        "credit": posting.credit,
        "amount": from_money(posting.amount),
        "text": posting.text,
    }


def to_posting(posting_id: str, body: object) -> Posting:
    """Read a posting."""
    debit, credit = AccountNumber(text(body, "debit")), AccountNumber(text(body, "credit"))
    fields: Json = body if isinstance(body, Mapping) else {}
    words = fields.get("text")
    if not isinstance(words, str) or "\0" in words:
        raise ShapeError("text must be a text")
    try:
        return Posting(posting_id, debit, credit, to_money(fields.get("amount")), words)
    except ShapeError:
        raise
    except ValueError as error:
        raise ShapeError(str(error)) from None
