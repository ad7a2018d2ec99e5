"""Whoever knows the library can read our database: a stock application of its own, told our mapper and recorder."""

from __future__ import annotations

from decimal import Decimal
from uuid import UUID

from eventsourcing.application import Application

from application.ports import Commit, NewEvent, Store
from domain.events import FundsAdded, Recorded, encode_state
from tests.support.stores import debit, postgres_environment, sqlite_environment, stream

FIFTY, NONE = Decimal("50.0000"), Decimal("0.0000")
FUNDS = FundsAdded(
    FundsAdded.VERSION, 5, 6, "ana", "cli", "", "", "lot-1", "purchased", FIFTY, NONE, 9, "R1", "", FIFTY
)


class Ledger(Application[UUID]):
    """Nothing of its own but the name, which chooses the tables on PostgreSQL."""

    name = ""


def stock_environment(url: str) -> dict[str, str]:
    kind = "sqlite" if url.startswith("sqlite") else "postgres"
    recorder = {"sqlite": "sqlite:SQLiteLedgerRecorder", "postgres": "postgres:PostgresLedgerRecorder"}[kind]
    return {
        "PERSISTENCE_MODULE": f"eventsourcing.{kind}",
        "MAPPER_TOPIC": "adapters.store.mapper:EventMapper",
        "APPLICATION_RECORDER_TOPIC": f"adapters.store.{recorder}",
        **(sqlite_environment(url) if kind == "sqlite" else postgres_environment(url)),
    }


def test_a_stock_application_reads_the_log_and_a_stream(store: Store, store_url: str) -> None:
    account, other = stream(), stream()
    row = NewEvent(account, 1, "FundsAdded", encode_state(FUNDS))
    store.commit(Commit(events=[row, debit(other, 1, b"k" * 16)]))

    with Ledger(env=stock_environment(store_url)) as application:
        [first, second] = application.notification_log.select(start=1, limit=10)
        [event] = application.events.get(account)

    assert (first.id, first.originator_id, first.topic, first.state) == (1, account, row.topic, row.state)
    assert (second.id, second.originator_id, second.topic) == (2, other, "UsageDebited")
    assert event == Recorded(account, 1, FUNDS)


def test_a_stock_application_that_writes_takes_its_place_in_our_log(store: Store, store_url: str) -> None:
    account = stream()

    with Ledger(env=stock_environment(store_url)) as application:
        [recording] = application.events.put([Recorded(account, 1, FUNDS)])

    assert recording.notification.id == store.max_position() == 1
    assert store.select_events(account) == [Recorded(account, 1, FUNDS)]
