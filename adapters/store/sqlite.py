"""The library's recorder on SQLite: a batch and what belongs to it in one transaction, one writer at a time.

`stored_events` gets a nullable column `usage_key`, unique where present, and an index of the events without one.
"""

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final

from eventsourcing.sqlite import (
    SQLiteAggregateRecorder,
    SQLiteApplicationRecorder,
    SQLiteConnection,
    SQLiteConnectionPool,
    SQLiteCursor,
    SQLiteDatastore,
    SQLiteFactory,
    SQLiteProcessRecorder,
    SQLiteTransaction,
)
from eventsourcing.utils import Environment, EnvType

from adapters.store.mapper import Events, new_events
from adapters.store.schema import SETTLE_LETTER, rows_beside, settlement
from application.ports import Commit, NewEvent, PositionMoved, PositionSwap

# a commit survives a power cut (FULL); pages of the indexes, which each batch touches all over, are kept in memory and
# folded into the file only every 64 MiB of log: measured at 1M events, half the time of SQLite's own settings
PRAGMAS: Final = ("synchronous=FULL", "cache_size=-65536", "wal_autocheckpoint=16000", "temp_store=MEMORY")

EVENTS_TABLE: Final = (
    """CREATE TABLE IF NOT EXISTS stored_events (
        originator_id TEXT, originator_version INTEGER, topic TEXT, state BLOB, usage_key BLOB,
        PRIMARY KEY (originator_id, originator_version))""",
    """CREATE UNIQUE INDEX IF NOT EXISTS stored_events_usage_key ON stored_events (usage_key)
        WHERE usage_key IS NOT NULL""",
    "CREATE INDEX IF NOT EXISTS stored_events_others ON stored_events (topic) WHERE usage_key IS NULL",
)


class ImmediateTransaction(SQLiteTransaction):
    """The library's transaction, but it waits for its turn at the start, and a commit that failed is rolled back."""

    def __enter__(self) -> SQLiteCursor:
        cursor = self.connection.cursor()
        cursor.execute("BEGIN IMMEDIATE")
        return cursor

    def __exit__(self, kind: Any, value: Any, trace: Any) -> None:
        try:
            super().__exit__(kind, value, trace)
        finally:
            self.connection.rollback()


@contextmanager
def writing(datastore: SQLiteDatastore) -> Iterator[SQLiteCursor]:
    """A transaction that has its turn to write."""
    with (
        datastore.get_connection(commit=True) as connection,
        ImmediateTransaction(connection, commit=True) as cursor,
        cursor,
    ):
        yield cursor


class SQLiteLedgerRecorder(SQLiteProcessRecorder):
    """Records events with their usage keys, and the other parts of a Commit handed over as `beside`."""

    def construct_create_table_statements(self) -> list[str]:
        tracking = [text for text in super().construct_create_table_statements() if "tracking" in text]
        return [*EVENTS_TABLE, *tracking]

    def insert_events(self, stored_events: Events, **kwargs: Any) -> Sequence[int] | None:
        """Writes it all or nothing; returns the events' positions."""
        with writing(self.datastore) as cursor:
            return self._insert_events(cursor, stored_events, **kwargs)

    def _insert_events(self, c: SQLiteCursor, stored_events: Events, **kwargs: Any) -> Sequence[int] | None:
        cursor = c.sqlite_cursor
        if (beside := kwargs.get("beside")) is not None:
            _write_beside(cursor, beside)
        if (tracking := kwargs.get("tracking")) is not None:
            self._insert_tracking(c, tracking)
        events = new_events(stored_events)
        rows = [(e.originator_id.hex, e.originator_version, e.topic, e.state, e.usage_key) for e in events]
        cursor.executemany("INSERT INTO stored_events VALUES (?,?,?,?,?)", rows)
        last = cursor.execute("SELECT max(rowid) FROM stored_events").fetchone()[0] or 0
        return list(range(last - len(rows) + 1, last + 1))


def _write_beside(cursor: sqlite3.Cursor, commit: Commit) -> None:
    for swap in commit.positions:
        _swap_position(cursor, swap)
    for table, columns, types, rows, on_conflict in rows_beside(commit):
        marks = ",".join("?" * len(types))
        cursor.executemany(f"INSERT INTO {table} ({columns}) VALUES ({marks}) {on_conflict}", rows)  # noqa: S608
    cursor.executemany(SETTLE_LETTER, map(settlement, commit.letter_steps))


def _swap_position(cursor: sqlite3.Cursor, swap: PositionSwap) -> None:
    if swap.expected is None:
        statement = "INSERT INTO positions VALUES (?,?,?,?,?) ON CONFLICT DO NOTHING"
        cursor.execute(statement, (swap.topic, swap.partition, swap.topic_id, swap.reached, swap.miskeyed))
    else:
        cursor.execute(
            "UPDATE positions SET topic_id = ?, reached = ?, miskeyed = miskeyed + ?"
            " WHERE topic = ? AND partition = ? AND topic_id = ? AND reached = ?",
            (
                swap.topic_id,
                swap.reached,
                swap.miskeyed,
                swap.topic,
                swap.partition,
                swap.stored_topic_id or swap.topic_id,
                swap.expected,
            ),
        )
    if cursor.rowcount != 1:
        raise PositionMoved(f"{swap.topic}/{swap.partition} is not at {swap.expected}: another consumer has it now")


class SQLiteSnapshotRecorder(SQLiteAggregateRecorder):
    """The library's snapshots table, where a snapshot may replace the older ones."""

    def replace(self, snapshots: Iterable[NewEvent]) -> None:
        """Writes these and deletes the older ones of their originators."""
        rows = [(e.originator_id.hex, e.originator_version, e.topic, e.state) for e in snapshots]
        with writing(self.datastore) as cursor:
            cursor.executemany("INSERT OR REPLACE INTO stored_snapshots VALUES (?,?,?,?)", rows)
            older = "DELETE FROM stored_snapshots WHERE originator_id = ? AND originator_version < ?"
            cursor.executemany(older, [row[:2] for row in rows])


class SQLiteLedgerConnections(SQLiteConnectionPool):
    """The library's connections with our settings."""

    def _create_connection(self) -> SQLiteConnection:
        connection = super()._create_connection()
        for pragma in PRAGMAS:
            connection.cursor().execute(f"PRAGMA {pragma}")
        return connection


class SQLiteLedgerFactory(SQLiteFactory):
    """Builds our recorders; a topic for the library's `PERSISTENCE_MODULE`."""

    aggregate_recorder_class = SQLiteSnapshotRecorder
    application_recorder_class: type[SQLiteApplicationRecorder] = SQLiteLedgerRecorder
    process_recorder_class = SQLiteLedgerRecorder

    def __init__(self, env: Environment | EnvType | None) -> None:
        super().__init__(env)
        plain = self.datastore.pool
        self.datastore.pool = SQLiteLedgerConnections(db_name=plain.db_name, lock_timeout=plain.lock_timeout)
