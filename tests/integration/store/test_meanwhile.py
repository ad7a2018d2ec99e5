"""What a writer does while the server commits."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from adapters.store.store import migrate, open_store
from application.ports import Commit, Store, WriteConflict
from tests.support.stores import events, stream
from tests.support.waiting import wait_until


@pytest.fixture
def ledger(postgres: str) -> Iterator[Store]:
    migrate(postgres)
    store = open_store(postgres)
    yield store
    store.close()


def test_a_commit_is_through_without_its_writer_looking_after_it(ledger: Store, postgres: str) -> None:
    account, other = stream(), open_store(postgres)
    ledger.commit(
        Commit(events=events(account, [1, 2])),
        lambda: wait_until(lambda: len(other.select_events(account)) == 2, what="the commit"),
    )
    other.close()


def test_a_conflict_is_told_although_something_else_was_done(ledger: Store) -> None:
    account = stream()
    ledger.commit(Commit(events=events(account, [1])))
    done: list[str] = []
    with pytest.raises(WriteConflict):
        ledger.commit(Commit(events=events(account, [1])), lambda: done.append("conflict"))
    ledger.commit(Commit(events=events(account, [2])))
    ledger.commit(Commit(events=events(account, [3])), lambda: done.append("commit"))
    assert done == ["conflict", "commit"]
    assert [each.originator_version for each in ledger.select_events(account)] == [1, 2, 3]


def test_what_takes_long_to_send_is_sent_whole_first(ledger: Store, postgres: str) -> None:
    content, other = bytes(8_000_000), open_store(postgres)

    def is_stored() -> bool:
        with other.reading() as database:
            return database.execute("SELECT count(*) FROM deck_contents") == [(1,)]

    ledger.commit(Commit(deck_contents=[("default", 1, content)]), lambda: wait_until(is_stored, what="the commit"))
    assert ledger.deck_content("default", 1) == content
    other.close()
