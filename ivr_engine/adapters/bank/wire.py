"""The JSON shapes of the core bank's REST interface, version 1, for both of its ends.

Knows values and JSON. Must not know HTTP. Amounts are whole minor units, times are ISO 8601 in UTC. Reading raises
`ShapeError`, whose words never quote what was read: that may be a PIN.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from ivr_engine.banking.model import (
    ADDRESS_CHARACTERS_MAX,
    NUMBER_CHARACTERS_MAX,
    Account,
    AccountKind,
    Addresses,
    Balance,
    Customer,
    Posting,
    StatementLine,
)
from ivr_engine.values.ids import AccountNumber, CustomerNumber
from ivr_engine.values.language import Language
from ivr_engine.values.money import Currency, Money

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
    return {"number": customer.number, "name": customer.name, "language": customer.language.value}


def to_customer(body: Json) -> Customer:
    """Read a customer."""
    name = text(body, "name", characters_max=200)
    return Customer(CustomerNumber(text(body, "number")), name, Language(text(body, "language")))


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
