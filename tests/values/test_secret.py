"""A secret cannot be seen, compared, copied or stored by accident."""

from __future__ import annotations

import copy
import dataclasses
import json
import logging
import pickle
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ivr_engine.channel.line import KeysEnd, KeysRead
from ivr_engine.values.secret import MASK, SecretDigits, SecretExposedError

DIGITS = b"246810"
keys = st.binary(min_size=1, max_size=32)


@dataclasses.dataclass
class Holder:
    name: str
    pin: SecretDigits


@pytest.mark.parametrize(
    "show",
    [
        str,
        repr,
        ascii,
        "{}".format,
        "{:>20}".format,
        "{!r}".format,
        lambda secret: f"{secret}",
        lambda secret: f"{secret!s:30}",
        lambda secret: "%s %r" % (secret, secret),  # noqa: UP031 # the old way must not show it either
        lambda secret: str([secret, (secret,), {"pin": secret}]),
        lambda secret: repr(Holder("Chen", secret)),
        lambda secret: repr(KeysRead(secret, KeysEnd.FULL)),
        lambda secret: logging.LogRecord("x", 20, "x", 1, "%s", (secret,), None).getMessage(),
        lambda secret: str(ValueError(secret)),
    ],
)
def test_secret_is_shown_as_a_mask(show: Callable[[SecretDigits], str]) -> None:
    shown = show(SecretDigits(DIGITS))
    assert "246810" not in shown
    assert MASK in shown


@pytest.mark.parametrize(
    "expose",
    [
        lambda secret: secret == SecretDigits(DIGITS),
        lambda secret: secret != DIGITS,
        lambda secret: secret in [SecretDigits(DIGITS)],
        hash,
        lambda secret: {secret},
        lambda secret: {secret: 1},
        iter,
        list,
        tuple,
        lambda secret: b"2" in secret,
        bytes,
        pickle.dumps,
        copy.copy,
        copy.deepcopy,
        lambda secret: dataclasses.asdict(Holder("Chen", secret)),
        lambda secret: json.dumps({"pin": secret}),
        lambda secret: int(secret),
        lambda secret: secret + b"0",
        lambda secret: secret[0],
        lambda secret: sorted([secret, SecretDigits(b"1")]),
        lambda secret: vars(secret),
    ],
)
def test_secret_refuses_to_be_exposed(expose: Callable[[SecretDigits], object]) -> None:
    with pytest.raises(TypeError) as caught:
        expose(SecretDigits(DIGITS))
    assert "246810" not in str(caught.value)


def test_refusal_is_an_error_of_the_program_by_name() -> None:
    assert issubclass(SecretExposedError, TypeError)
    with pytest.raises(SecretExposedError, match="same_as"):
        SecretDigits(DIGITS) == SecretDigits(DIGITS)  # noqa: B015 # the comparison itself is under test


@given(keys, keys)
def test_secrets_are_compared_as_a_whole(one: bytes, other: bytes) -> None:
    assert SecretDigits(one).same_as(SecretDigits(other)) is (one == other)


@given(keys)
def test_only_reveal_gives_the_digits_and_wipe_forgets_them(digits: bytes) -> None:
    secret = SecretDigits(digits)
    assert secret.reveal() == digits
    assert len(secret) == len(digits)
    secret.wipe()
    secret.wipe()
    assert secret.reveal() == b""
    assert len(secret) == 0


def test_wipe_overwrites_the_memory_in_which_the_digits_stood() -> None:
    secret = SecretDigits(DIGITS)
    memory = secret._digits
    before = bytes(memory)
    seen: list[bytes] = []

    class Watched(bytearray):
        def clear(self) -> None:
            seen.append(bytes(self))
            super().clear()

    secret._digits = Watched(memory)
    secret.wipe()
    assert before == DIGITS
    assert seen == [bytes(len(DIGITS))]


def test_keys_that_are_not_allowed_are_left_out_and_what_was_there_is_wiped() -> None:
    typed = SecretDigits(b"24*68#10")
    kept = typed.only("0123456789")
    assert kept.reveal() == DIGITS
    assert len(typed) == 0


def test_parts_are_joined_into_one_secret_and_wiped() -> None:
    first, more = SecretDigits(b"246"), SecretDigits(b"810")
    assert first.joined(more).reveal() == DIGITS
    assert len(first) == len(more) == 0


def test_secret_is_its_own_copy_of_what_it_was_made_from() -> None:
    buffer = bytearray(DIGITS)
    secret = SecretDigits(buffer)
    buffer[:] = b"000000"
    assert secret.reveal() == DIGITS


def test_empty_secret_is_false_and_a_full_one_true() -> None:
    assert not SecretDigits(b"")
    assert SecretDigits(DIGITS)
