"""Ids: 26 characters that sort by time and never repeat."""

from __future__ import annotations

from datetime import timedelta

from ivr_engine.values.ids import RandomIds
from tests.banking.clock import SetClock

CROCKFORD = set("0123456789ABCDEFGHJKMNPQRSTVWXYZ")


def test_id_is_26_characters_that_can_be_read_aloud() -> None:
    made = RandomIds(SetClock()).new()
    assert len(made) == 26
    assert set(made) <= CROCKFORD


def test_ids_sort_by_the_millisecond_in_which_they_were_made() -> None:
    clock = SetClock()
    ids = RandomIds(clock)
    made = []
    for _ in range(200):
        made.append(ids.new())
        clock.move(timedelta(milliseconds=1))
    assert made == sorted(made)


def test_ids_of_one_millisecond_differ() -> None:
    ids = RandomIds(SetClock())
    made = {ids.new() for _ in range(10_000)}
    assert len(made) == 10_000
    assert len({one[:10] for one in made}) == 1


def test_first_ten_characters_are_the_time() -> None:
    clock = SetClock()
    time = 0
    for character in RandomIds(clock).new()[:10]:
        time = time * 32 + sorted(CROCKFORD).index(character)
    assert time == int(clock.now().timestamp() * 1000)
