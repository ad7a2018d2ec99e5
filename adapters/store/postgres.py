"""The library's recorder on PostgreSQL: a batch and what belongs to it in one transaction, locked for one round trip.

The rows go into a temporary table first. Then one request moves the positions, locks the log, moves the rows over in
order, and commits: a client that freezes in between holds no lock that others wait for (the server ends its
transaction after idle_in_transaction_session_timeout), and one that is stopped in mid-COPY blocks nobody.

`stored_events` gets a nullable column `usage_key`, unique where present, and an index of the events without one.
"""

from collections.abc import Callable, Iterable, Sequence
from struct import Struct
from typing import Any, Final, LiteralString, cast
from weakref import WeakSet

import psycopg
from eventsourcing.postgres import (
    ConnectionPool,
    PostgresAggregateRecorder,
    PostgresDatastore,
    PostgresFactory,
    PostgresProcessRecorder,
)
from eventsourcing.utils import Environment, EnvType
from psycopg import ClientCursor, Connection
from psycopg.rows import DictRow, tuple_row
from psycopg.sql import SQL, Composed, Identifier, Literal

from adapters.store.connections import Connections, PatientConnection
from adapters.store.mapper import Events, new_events
from adapters.store.postgres_errors import POSITIONS_MOVED, CommitInDoubt, is_lost
from adapters.store.schema import SETTLE_LETTER, rows_beside, settlement
from application.ports import Commit, NewEvent

COPY: Final = "COPY pg_temp.incoming FROM STDIN (FORMAT BINARY)"

COPY_HEADER: Final = b"PGCOPY\n\xff\r\n\0" + bytes(8)
COPY_TRAILER: Final = b"\xff\xff"
NO_KEY: Final = b"\xff\xff\xff\xff"
KEY_LENGTH: Final = b"\0\0\0\x10"


EVENTS_TABLE: Final = """CREATE TABLE IF NOT EXISTS {table} (
    originator_id uuid NOT NULL, originator_version bigint NOT NULL, topic text, state bytea, notification_id bigserial,
    usage_key bytea, PRIMARY KEY (originator_id, originator_version))"""
EVENTS_INDEXES: Final = (
    "CREATE UNIQUE INDEX IF NOT EXISTS {by_usage} ON {table} (usage_key) WHERE usage_key IS NOT NULL",
    "CREATE INDEX IF NOT EXISTS {others} ON {table} (topic, notification_id) WHERE usage_key IS NULL",
)
STAGING_TABLE: Final = """CREATE TEMPORARY TABLE IF NOT EXISTS incoming
    (place integer, originator_id uuid, originator_version bigint, topic text, state bytea, usage_key bytea)
    ON COMMIT DELETE ROWS"""

# One writer at a time: positions are in the order of commits, and no reader passes over one that is filled later. Not
# the library's LOCK TABLE, which an autovacuum holds up for a second each minute. A recorder of the library's own takes
# that one; it and our INSERT still wait for each other.
LOCK: Final = "SELECT pg_advisory_xact_lock(%s, {name}::regclass::oid::int)"
LOCK_CLASS: Final = 0x63726564  # what the number in the lock's second half is one of: a log of ours
MOVE: Final = (
    # not by ctid: a small row that comes after a large one may stand before it, where there was room
    """INSERT INTO {table} (originator_id, originator_version, topic, state, usage_key)
        SELECT originator_id, originator_version, topic, state, usage_key FROM pg_temp.incoming ORDER BY place""",
    "NOTIFY {channel}",
    "SELECT lastval()",
)
FIRST_POSITION: Final = """INSERT INTO positions (topic, partition, topic_id, reached, miskeyed)
    VALUES (%s, %s, %s, %s, %s)"""
MOVE_POSITIONS: Final = """WITH moved AS (
    UPDATE positions AS p SET topic_id = s.topic_id, reached = s.reached, miskeyed = p.miskeyed + s.miskeyed
    FROM unnest(%s::text[], %s::int[], %s::text[], %s::bigint[], %s::text[], %s::bigint[], %s::bigint[])
        AS s (topic, partition, stored_topic_id, expected, topic_id, reached, miskeyed)
    WHERE p.topic = s.topic AND p.partition = s.partition AND p.topic_id = s.stored_topic_id AND p.reached = s.expected
    RETURNING 1)
    SELECT CASE WHEN count(*) = %s THEN 0 ELSE (%s || count(*))::int END FROM moved"""
_SETTLE_LETTER: Final = SETTLE_LETTER.replace("?", "%s")

REPLACE_SNAPSHOTS: Final = """
    INSERT INTO stored_snapshots (originator_id, originator_version, topic, state)
        SELECT originator_id, originator_version, topic, state FROM pg_temp.incoming
        ON CONFLICT (originator_id, originator_version) DO UPDATE SET topic = excluded.topic, state = excluded.state;
    DELETE FROM stored_snapshots AS s USING pg_temp.incoming AS n
        WHERE s.originator_id = n.originator_id AND s.originator_version < n.originator_version;
    COMMIT"""

Request = tuple[str, Sequence[Any]]  # a statement with %s marks, and their values


def copy_rows(events: Iterable[NewEvent]) -> bytes:
    """The events in COPY's binary format, in one buffer: counts, then length and value of each field."""
    heads: dict[str, tuple[Callable[..., bytes], int, bytes]] = {}
    parts = [COPY_HEADER]
    for place, event in enumerate(events):
        topic, state, key = event.topic, event.state, event.usage_key
        if topic not in heads:
            name = topic.encode()
            heads[topic] = Struct(f">hiii16siqi{len(name)}si").pack, len(name), name
        pack, length, name = heads[topic]
        parts += (
            pack(6, 4, place, 16, event.originator_id.bytes, 8, event.originator_version, length, name, len(state)),
            state,
            NO_KEY if key is None else KEY_LENGTH + key,
        )
    parts.append(COPY_TRAILER)
    return b"".join(parts)


_have_staging: WeakSet[Connection[DictRow]] = WeakSet()


def begin(connection: Connection[DictRow]) -> None:
    """A transaction on a connection that has its table for incoming rows."""
    if connection not in _have_staging:
        connection.execute(STAGING_TABLE)
        _have_staging.add(connection)
    connection.execute("BEGIN")


def stage(connection: Connection[DictRow], events: Iterable[NewEvent]) -> None:
    """The rows into the connection's own table, where no lock is needed."""
    with connection.cursor() as cursor, cursor.copy(COPY) as copy:
        copy.write(copy_rows(events))


class PostgresLedgerRecorder(PostgresProcessRecorder):
    """Records events with their usage keys, and the other parts of a Commit handed over as `beside`."""

    def __init__(
        self,
        datastore: PostgresDatastore,
        *,
        events_table_name: str = "stored_events",
        tracking_table_name: str = "notification_tracking",
    ) -> None:
        super().__init__(datastore, events_table_name=events_table_name, tracking_table_name=tracking_table_name)
        self.sql_create_statements[self.create_table_statement_index] = self._compose(EVENTS_TABLE)
        self.sql_create_statements += [self._compose(each) for each in EVENTS_INDEXES]
        self._lock: list[Request] = [(self._compose(LOCK).as_string(), (LOCK_CLASS,))]
        self._move: list[Request] = [(self._compose(each).as_string(), ()) for each in MOVE]

    def _compose(self, statement: LiteralString) -> Composed:
        table = self.events_table_name
        return SQL(statement).format(
            table=Identifier(self.datastore.schema, table),
            name=Literal(Identifier(self.datastore.schema, table).as_string()),
            channel=Identifier(self.channel_name),
            by_usage=Identifier(f"{table}_usage_key"),
            others=Identifier(f"{table}_others"),
        )

    def insert_events(self, stored_events: Events, **kwargs: Any) -> Sequence[int] | None:
        """Writes it all or nothing; returns the events' positions. Raises CommitInDoubt when the answer was lost."""
        events = new_events(stored_events)
        with self.datastore.get_connection() as connection:
            begin(connection)
            if events:
                stage(connection, events)
            with connection.cursor() as cursor:
                self._insert_events(cursor, [], **kwargs)  # the library's hook: tracking
            cast("PatientConnection", connection).meanwhile = kwargs.get("meanwhile")
            return self._finish(connection, len(events), kwargs.get("beside"))

    def _finish(self, connection: Connection[DictRow], count: int, beside: Commit | None) -> Sequence[int]:
        lock, move = (self._lock, self._move) if count else ([], [])
        requests = [*_swaps(beside), *_rows(beside), *lock, *move, ("COMMIT", ())]
        text = ";".join(statement for statement, _ in requests).encode()
        backend_pid = connection.info.backend_pid
        cursor = ClientCursor(connection, row_factory=tuple_row)
        try:
            cursor.execute(text, [value for _, values in requests for value in values])
        except psycopg.OperationalError as error:
            if connection.closed or is_lost(error):
                raise CommitInDoubt(error, backend_pid) from error
            raise
        if not count:
            return []
        cursor.set_result(-2)
        last: int = cursor.fetchall()[0][0]
        return list(range(last - count + 1, last + 1))


def _rows(beside: Commit | None) -> list[Request]:
    """Rows of our own tables. Arrays: a row of VALUES would cost the server's parser ten times as much."""
    if beside is None:
        return []
    requests: list[Request] = []
    for table, columns, types, rows, on_conflict in rows_beside(beside):
        arrays = ", ".join(f"%s::{each}[]" for each in types)
        statement = f"INSERT INTO {table} ({columns}) SELECT * FROM unnest({arrays}) {on_conflict}"  # noqa: S608
        requests.append((statement, [list(column) for column in zip(*rows, strict=True)]))
    return requests + [(_SETTLE_LETTER, settlement(step)) for step in beside.letter_steps]


def _swaps(beside: Commit | None) -> list[Request]:
    """Positions that move, or an error: a unique violation for a first one, a number that is none for the others."""
    if beside is None or not beside.positions:
        return []
    first = [each for each in beside.positions if each.expected is None]
    moved = [each for each in beside.positions if each.expected is not None]
    requests: list[Request] = [
        (FIRST_POSITION, (each.topic, each.partition, each.topic_id, each.reached, each.miskeyed)) for each in first
    ]
    if moved:
        columns = zip(
            *(
                (m.topic, m.partition, m.stored_topic_id or m.topic_id, m.expected, m.topic_id, m.reached, m.miskeyed)
                for m in moved
            ),
            strict=True,
        )
        requests.append((MOVE_POSITIONS, [*map(list, columns), len(moved), POSITIONS_MOVED]))
    return requests


class PostgresSnapshotRecorder(PostgresAggregateRecorder):
    """The library's snapshots table, where a snapshot may replace the older ones."""

    def replace(self, snapshots: Iterable[NewEvent]) -> None:
        """Writes these and deletes the older ones of their originators."""
        with self.datastore.get_connection() as connection:
            begin(connection)
            stage(connection, snapshots)
            connection.execute(REPLACE_SNAPSHOTS)


class PostgresLedgerFactory(PostgresFactory):
    """Builds our recorders on our connections; a topic for the library's `PERSISTENCE_MODULE`.

    `POSTGRES_CONNINFO` holds the whole URL with all that the library's own settings cannot say (TLS, several hosts).
    """

    aggregate_recorder_class = PostgresSnapshotRecorder
    application_recorder_class = PostgresLedgerRecorder
    process_recorder_class = PostgresLedgerRecorder

    def __init__(self, env: Environment | EnvType | None) -> None:
        super().__init__(env)
        self.datastore.pool = cast("ConnectionPool[Any]", Connections(self.env["POSTGRES_CONNINFO"]))
