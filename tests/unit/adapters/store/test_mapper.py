"""Events to and from the library's stored form."""

from __future__ import annotations

from uuid import UUID

import pytest
from eventsourcing.compressor import ZlibCompressor
from eventsourcing.persistence import JSONTranscoder, StoredEvent

from adapters.store.mapper import EventMapper, new_events
from domain.events import AccountClosed, Recorded, UnknownEvent
from tests.support.stores import debit, stream

MAPPER = EventMapper(JSONTranscoder())
CLOSED = AccountClosed(1, 5, 6, "ana", "cli", "moved", "")


def test_an_event_is_stored_under_its_name_as_its_json_array() -> None:
    account = stream()

    stored = MAPPER.to_stored_event(Recorded(account, 3, CLOSED))

    assert stored == StoredEvent(account, 3, "AccountClosed", b'[1,5,6,"ana","cli","moved",""]')
    assert MAPPER.to_domain_event(stored) == Recorded(account, 3, CLOSED)


def test_ids_may_be_text() -> None:
    account = UUID("0b7e6c1c-55f0-5d1c-9c7e-6d1f4a3b9e02")
    stored = StoredEvent(account.hex, 3, "AccountClosed", b'[1,5,6,"ana","cli","moved",""]')

    assert MAPPER.to_domain_event(stored).originator_id == account
    assert new_events([stored])[0].originator_id == account


def test_an_unknown_event_is_an_error() -> None:
    with pytest.raises(UnknownEvent, match="Invented"):
        MAPPER.to_domain_event(StoredEvent(stream(), 1, "Invented", b"[]"))


def test_a_compressor_of_the_librarys_is_refused_since_our_events_are_stored_plain() -> None:
    with pytest.raises(ValueError, match="plain"):
        EventMapper(JSONTranscoder(), ZlibCompressor())


def test_rows_of_ours_are_taken_as_they_are() -> None:
    rows = [debit(stream(), 1, b"k" * 16)]

    assert new_events(rows) is rows
    assert list(new_events([])) == []
