"""What can be read of the log comes first, and then what cannot is named."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import UUID

import pytest

from domain.events import AccountClosed, encode_state
from projections.log import DECODED_AT_ONCE, Entry, LogRow, Unreadable, readable

STREAM = UUID(int=7)
STATE = encode_state(AccountClosed(1, 5, 5, "ana", "cli", "", ""))


def rows(count: int) -> list[LogRow]:
    return [(2 * place + 1, STREAM, place + 1, "AccountClosed", STATE) for place in range(count)]


def positions(entries: Iterator[list[Entry]]) -> Iterator[int]:
    for some in entries:
        assert 0 < len(some) <= DECODED_AT_ONCE
        yield from (position for position, _, _, _ in some)


@pytest.mark.parametrize("count", [0, 1, DECODED_AT_ONCE, DECODED_AT_ONCE + 1, 3 * DECODED_AT_ONCE])
def test_all_events_come_in_order(count: int) -> None:
    assert list(positions(readable(rows(count)))) == [2 * place + 1 for place in range(count)]


@pytest.mark.parametrize("place", [0, 1, DECODED_AT_ONCE - 1, DECODED_AT_ONCE, DECODED_AT_ONCE + 1])
@pytest.mark.parametrize(
    ("topic", "state", "why"),
    [
        ("FromTheFuture", STATE, "unknown topic"),
        ("AccountClosed", b'[2,5,5,"ana","cli","",""]', "schema 2 is not known"),
        ("AccountClosed", b"[1,", "AccountClosed"),
    ],
)
def test_what_is_before_an_unreadable_event_comes_first(place: int, topic: str, state: bytes, why: str) -> None:
    log = rows(2 * DECODED_AT_ONCE)
    log[place] = (log[place][0], STREAM, place + 1, topic, state)
    read: list[int] = []

    with pytest.raises(Unreadable, match=why) as raised:
        read.extend(positions(readable(log)))
    assert raised.value.position == 2 * place + 1
    assert f"position {2 * place + 1} of the log (version {place + 1} of stream {STREAM})" in str(raised.value)
    assert len(read) == place
