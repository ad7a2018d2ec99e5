"""The store on PostgreSQL: its questions, its errors, and commits whose answer was lost."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from contextlib import contextmanager
from typing import Any, Final, cast
from uuid import UUID

import psycopg
from eventsourcing.persistence import InfrastructureFactory, PersistenceError
from eventsourcing.utils import Environment
from psycopg.conninfo import conninfo_to_dict
from psycopg.rows import tuple_row

from adapters.store.connections import APPLICATION
from adapters.store.database import PostgresDatabase
from adapters.store.ledger import NO_LIMIT, LedgerStore, LogRow, Stream, collector_paused, without_usage
from adapters.store.postgres import PostgresLedgerFactory, PostgresLedgerRecorder, PostgresSnapshotRecorder
from adapters.store.postgres_errors import Again, CommitInDoubt, store_error
from adapters.store.schema import SCHEMA_VERSION, CreateTables, check_not_newer, create_tables
from application.ports import Commit, Database, SchemaMissing, StoredUsage, StoreUnavailable, WriteConflict
from domain.events import Recorded, decode_state

ENVIRONMENT: Final = {
    "PERSISTENCE_MODULE": "adapters.store.postgres:PostgresLedgerFactory",
    "MAPPER_TOPIC": "adapters.store.mapper:EventMapper",
    "PROCESS_RECORDER_TOPIC": "adapters.store.postgres:PostgresLedgerRecorder",
    "CREATE_TABLE": "n",
}
MIGRATION_LOCK: Final = 0x636F6D6D63726564  # one migration at a time

RETRY_SECONDS: Final = (0.01, 0.05, 0.2, 0.5)  # after a deadlock or a serialization failure
DOUBT_SECONDS: Final = 20  # how long a server that went away in mid-commit is waited for
END_BACKEND_MS: Final = 5000
ENDED: Final[tuple[list[tuple[bool]], ...]] = ([], [(True,)])

NEWEST_SNAPSHOTS: Final = """SELECT DISTINCT ON (originator_id) originator_id, state, originator_version
    FROM stored_snapshots WHERE originator_id = ANY(?::uuid[]) ORDER BY originator_id, originator_version DESC"""
# the ordered subquery stays a loop over one index: joined freely, a large log would be read as a whole
LATER_EVENTS: Final = """SELECT e.* FROM unnest(?::uuid[], ?::bigint[]) AS w (id, after) CROSS JOIN LATERAL (
        SELECT originator_id, originator_version, topic, state FROM stored_events
        WHERE originator_id = w.id AND originator_version > w.after ORDER BY originator_version) AS e"""
TAKEN_VERSIONS: Final = """SELECT w.id FROM unnest(?::uuid[], ?::bigint[]) AS w (id, version) CROSS JOIN LATERAL (
        SELECT FROM stored_events WHERE originator_id = w.id AND originator_version = w.version OFFSET 0) AS e"""
USAGES: Final = """SELECT usage_key, notification_id, originator_id, originator_version, state
    FROM stored_events WHERE usage_key = ANY(?::bytea[])"""
DATA_KEYS: Final = """SELECT k.account, k.purpose, k.month, k.wrapped
    FROM unnest(?::text[], ?::text[], ?::int[]) AS w (account, purpose, month)
    JOIN data_keys AS k USING (account, purpose, month)"""
USERS: Final = """SELECT u.account, u.lookup, u.pseudonym
    FROM unnest(?::text[], ?::bytea[]) AS w (account, lookup) JOIN users AS u USING (account, lookup)"""
LOG_ROWS: Final = """SELECT notification_id, originator_id, originator_version, topic, state
    FROM stored_events WHERE notification_id > ? AND notification_id <= ?"""
END_BACKEND: Final = """SELECT pg_terminate_backend(pid, ?) FROM pg_stat_activity
    WHERE pid = ? AND application_name = ? AND usename = current_user"""
# the library's own settings never vacuum it, as if nothing were ever deleted in it
VACUUM_SNAPSHOTS: Final = """ALTER TABLE stored_snapshots
    RESET (autovacuum_vacuum_threshold, autovacuum_vacuum_scale_factor)"""
USER_NAMES: Final = "SELECT pseudonym, account, sealed_name FROM users WHERE pseudonym = ANY(?::text[])"


def open_postgres(url: str) -> "PostgresStore":
    """The store in a database that `migrate` has prepared."""
    store = _construct(url)
    with store.asking() as database:
        [[version]] = database.execute("SELECT version FROM commcredits_schema")
    if version < SCHEMA_VERSION:
        raise SchemaMissing(f"the schema is of version {version}, this program needs {SCHEMA_VERSION}: run migrate")
    check_not_newer(version)
    return store


def migrate_postgres(url: str, tables: Sequence[CreateTables]) -> None:
    """Creates or upgrades the tables; others that do the same wait."""
    store = _construct(url)
    with store.answering(), store.datastore.get_connection() as lock:
        lock.execute("SELECT pg_advisory_lock(%s)", [MIGRATION_LOCK])
        store.recorder.create_table()
        store.snapshots.create_table()
        with store.transaction() as database:
            database.execute(VACUUM_SNAPSHOTS)
            create_tables(database, tables)
        lock.close()  # and with it the lock
    store.close()


def _construct(url: str) -> "PostgresStore":
    parts = conninfo_to_dict(url)
    names = {"DBNAME": "dbname", "HOST": "host", "PORT": "port", "USER": "user", "PASSWORD": "password"}
    given = {f"POSTGRES_{key}": str(parts.get(name, "")) for key, name in names.items()}
    env = Environment(env={**ENVIRONMENT, **given, "POSTGRES_CONNINFO": url})
    return PostgresStore(cast("PostgresLedgerFactory", InfrastructureFactory.construct(env)))


class PostgresStore(LedgerStore):
    """See application.ports.Store."""

    def __init__(self, factory: PostgresLedgerFactory) -> None:
        self.factory = factory
        self.datastore = factory.datastore
        with self.answering():
            self.recorder = cast("PostgresLedgerRecorder", factory.process_recorder())
            self.snapshots = cast("PostgresSnapshotRecorder", factory.aggregate_recorder("snapshots"))

    def commit(self, commit: Commit, meanwhile: Callable[[], None] | None = None) -> None:
        """One transaction; see the port. A deadlock or a serialization failure is tried again."""
        pauses = iter(RETRY_SECONDS)
        while True:
            try:
                with self.answering():
                    return self._record(commit, meanwhile)
            except WriteConflict as conflict:
                pause = next(pauses, None)
                if pause is None or not isinstance(conflict, Again):
                    raise
            time.sleep(pause)

    def _record(self, commit: Commit, meanwhile: Callable[[], None] | None) -> None:
        try:
            self.recorder.insert_events(commit.events, beside=commit, meanwhile=meanwhile)
        except CommitInDoubt as doubt:
            if not self._was_committed(commit, doubt):
                raise StoreUnavailable(f"{doubt}; nothing was written") from doubt

    @contextmanager
    def transaction(self) -> Iterator[Database]:
        """Read committed."""
        with self.answering(), self.datastore.transaction(commit=True) as cursor:
            yield _database(cursor.connection)

    @contextmanager
    def reading(self) -> Iterator[Database]:
        """One snapshot for all questions."""
        with self.answering(), self.datastore.get_connection() as connection:
            connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
            yield _database(connection)
            connection.execute("COMMIT")

    @contextmanager
    def asking(self) -> Iterator[Database]:
        """No transaction."""
        with self.answering(), self.datastore.get_connection() as connection:
            yield _database(connection)

    @contextmanager
    def answering(self) -> Iterator[None]:
        """Errors as the port has them."""
        try:
            yield
        except (PersistenceError, psycopg.Error) as error:
            raise store_error(error) or error from error

    def key(self, originator_id: UUID) -> UUID:
        """PostgreSQL has them as they are."""
        return originator_id

    def hold_tracking(self, database: Database, name: str) -> int:
        """By an advisory lock: before a projection's first row there is nothing else to lock."""
        database.execute("SELECT pg_advisory_xact_lock(hashtextextended(?, 0))", (name,))
        rows = database.execute("SELECT notification_id FROM notification_tracking WHERE application_name = ?", (name,))
        return int(rows[0][0]) if rows else 0

    def load_streams(self, originators: Sequence[UUID]) -> Mapping[UUID, Stream]:
        """Per originator: snapshot's state, its version, the events after it."""
        with collector_paused(), self.reading() as database:
            found = database.execute(NEWEST_SNAPSHOTS, [list(originators)])
            snapshots = {originator_id: (state, version) for originator_id, state, version in found}
            versions = [snapshots.get(each, (None, 0))[1] for each in originators]
            rows = database.execute(LATER_EVENTS, [list(originators), versions])
            streams: dict[UUID, Stream] = {each: (*snapshots.get(each, (None, 0)), []) for each in originators}
            for originator_id, version, topic, state in rows:
                streams[originator_id][2].append(Recorded(originator_id, version, decode_state(topic, state)))
        return streams

    def taken_versions(self, wanted: Mapping[UUID, int]) -> Set[UUID]:
        """Those originators that have an event of that version already."""
        with self.asking() as database:
            return {each for [each] in database.execute(TAKEN_VERSIONS, [list(wanted), list(wanted.values())])}

    def select_log(self, after: int, limit: int, upto: int | None = None, topics: Sequence[str] = ()) -> list[LogRow]:
        """Rows (position, originator, version, topic, state), in order."""
        sql = LOG_ROWS
        values: list[Any] = [after, NO_LIMIT if upto is None else upto]
        if topics:
            sql += " AND topic = ANY(?)"
            values.append(list(topics))
        if topics and without_usage(topics):
            # all that the small index finds, then in order: with a LIMIT the planner prefers to walk the whole log
            sql = f"SELECT * FROM ({sql} AND usage_key IS NULL OFFSET 0) AS found"  # noqa: S608
        with self.asking() as database:
            return cast("list[LogRow]", database.execute(f"{sql} ORDER BY notification_id LIMIT ?", (*values, limit)))

    def count_log(self, after: int) -> int:
        """How many events there are after a position."""
        with self.asking() as database:
            [[count]] = database.execute("SELECT count(*) FROM stored_events WHERE notification_id > ?", (after,))
        return int(count)

    def find_usages(self, keys: Sequence[bytes]) -> Mapping[bytes, StoredUsage]:
        """The events that hold these usage keys."""
        with self.asking() as database:
            return {key: StoredUsage(*found) for key, *found in database.execute(USAGES, [list(keys)])}

    def data_keys(self, wanted: Sequence[tuple[str, str, int]]) -> Mapping[tuple[str, str, int], bytes]:
        """Wrapped keys by account, purpose and month."""
        with self.asking() as database:
            rows = database.execute(DATA_KEYS, _columns(wanted, 3))
        return {(account, purpose, month): wrapped for account, purpose, month, wrapped in rows}

    def users(self, wanted: Sequence[tuple[str, bytes]]) -> Mapping[tuple[str, bytes], str]:
        """Pseudonyms by account and look-up."""
        with self.asking() as database:
            rows = database.execute(USERS, _columns(wanted, 2))
        return {(account, lookup): pseudonym for account, lookup, pseudonym in rows}

    def user_names(self, pseudonyms: Sequence[str]) -> Mapping[str, tuple[str, bytes]]:
        """Account and sealed name by pseudonym."""
        with self.asking() as database:
            rows = database.execute(USER_NAMES, [list(pseudonyms)])
        return {pseudonym: (account, name) for pseudonym, account, name in rows}

    def close(self) -> None:
        """Closes the connections."""
        self.factory.close()

    def _was_committed(self, commit: Commit, doubt: CommitInDoubt) -> bool:
        """Whether the server wrote a commit whose answer was lost. StoreUnavailable when it does not come back.

        The old session is ended first: it may not have begun yet with what it was sent.
        """
        end = time.monotonic() + DOUBT_SECONDS
        while True:
            try:
                with self.asking() as database:
                    if database.execute(END_BACKEND, (END_BACKEND_MS, doubt.backend_pid, APPLICATION)) in ENDED:
                        return _is_there(database, commit)
                problem = "the old session does not end"
            except StoreUnavailable as error:
                problem = str(error)
            if time.monotonic() > end:
                raise StoreUnavailable(f"{problem}; it is not known whether the last commit was written") from doubt
            time.sleep(0.1)


def _is_there(database: Database, commit: Commit) -> bool:
    """Whether a commit's first row, of whatever kind, is in the database as it was sent."""
    if commit.events:
        event = commit.events[0]
        sql = "SELECT state FROM stored_events WHERE originator_id = ? AND originator_version = ?"
        return database.execute(sql, (event.originator_id, event.originator_version)) == [(event.state,)]
    if commit.positions:
        swap = commit.positions[0]
        sql = "SELECT topic_id, reached FROM positions WHERE topic = ? AND partition = ?"
        return database.execute(sql, swap[:2]) == [(swap.topic_id, swap.reached)]
    if commit.letters:
        return bool(database.execute("SELECT 1 FROM dead_letters WHERE id = ?", [commit.letters[0].id]))
    if commit.letter_steps:
        step = commit.letter_steps[0]
        sql = "SELECT taken_at, taken_by, sealed FROM dead_letter_steps WHERE letter = ? AND number = ?"
        return database.execute(sql, [step.letter, step.number]) == [(step.at, step.by, step.sealed)]
    if commit.keys:
        sql = "SELECT wrapped FROM data_keys WHERE account = ? AND purpose = ? AND month = ?"
        return database.execute(sql, commit.keys[0][:3]) == [(commit.keys[0].wrapped,)]
    return any(
        database.execute("SELECT 1 FROM users WHERE pseudonym = ?", [each.pseudonym]) for each in commit.users[:1]
    )


def _database(connection: psycopg.Connection[Any]) -> PostgresDatabase:
    return PostgresDatabase(connection.cursor(binary=True, row_factory=tuple_row))


def _columns(rows: Sequence[Sequence[Any]], count: int) -> list[list[Any]]:
    return [list(column) for column in zip(*rows, strict=True)] if rows else [[] for _ in range(count)]
