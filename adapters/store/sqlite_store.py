"""The store on SQLite: its questions, its errors, and how the file comes to be."""

import sqlite3
import time
from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from contextlib import closing, contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Final, cast
from uuid import UUID

from eventsourcing.persistence import ConnectionUnavailableError, InfrastructureFactory, PersistenceError
from eventsourcing.utils import Environment

from adapters.store.database import SQLiteDatabase
from adapters.store.ledger import NO_LIMIT, LedgerStore, LogRow, Stream, collector_paused, without_usage
from adapters.store.schema import SCHEMA_VERSION, CreateTables, create_tables
from adapters.store.sqlite import SQLiteLedgerFactory, SQLiteLedgerRecorder, SQLiteSnapshotRecorder, writing
from application.ports import Commit, Database, StoredUsage, StoreError, StoreUnavailable, WriteConflict
from domain.events import Recorded, decode_state

ENVIRONMENT: Final = {
    "PERSISTENCE_MODULE": "adapters.store.sqlite:SQLiteLedgerFactory",
    "MAPPER_TOPIC": "adapters.store.mapper:EventMapper",
    "PROCESS_RECORDER_TOPIC": "adapters.store.sqlite:SQLiteLedgerRecorder",
    "SQLITE_LOCK_TIMEOUT": "30",  # seconds that a writer waits for its turn
    "CREATE_TABLE": "n",
}
KEYS_A_QUESTION: Final = 1000

TAKEN: Final = ("SQLITE_CONSTRAINT_PRIMARYKEY", "SQLITE_CONSTRAINT_UNIQUE")
UNAVAILABLE: Final = (
    *(
        "SQLITE_BUSY",
        "SQLITE_LOCKED",
        "SQLITE_FULL",
        "SQLITE_IOERR",
        "SQLITE_READONLY",
        "SQLITE_CANTOPEN",
        "SQLITE_PERM",
    ),
    *("SQLITE_NOMEM", "SQLITE_CORRUPT", "SQLITE_NOTADB", "SQLITE_PROTOCOL"),
)

uuid_of = lru_cache(maxsize=1 << 16)(UUID)  # reading the log, the same accounts come again and again


def open_sqlite(path: str, tables: Sequence[CreateTables]) -> "SQLiteStore":
    """The store in a file, made with its tables where it is not there."""
    file = Path(path).absolute()
    if not file.parent.is_dir():
        raise StoreUnavailable(f"there is no folder {file.parent} for the database {file.name}")
    env = Environment(env={**ENVIRONMENT, "SQLITE_DBNAME": file.as_uri()})
    store = SQLiteStore(cast("SQLiteLedgerFactory", InfrastructureFactory.construct(env)), file)
    with store.answering():
        _use_write_ahead_log(file)
    store.create(tables)
    return store


def _use_write_ahead_log(file: Path) -> None:
    """Before the library does: it fails where two processes do it at once, for which SQLite has no busy timeout."""
    end = time.monotonic() + float(ENVIRONMENT["SQLITE_LOCK_TIMEOUT"])
    with closing(sqlite3.connect(file)) as connection:
        while True:
            try:
                connection.execute("PRAGMA journal_mode=WAL")
                return
            except sqlite3.OperationalError as error:
                if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > end:
                    raise
            time.sleep(0.01)


class SQLiteStore(LedgerStore):
    """See application.ports.Store."""

    def __init__(self, factory: SQLiteLedgerFactory, file: Path) -> None:
        self.factory = factory
        self.datastore = factory.datastore
        self.recorder = cast("SQLiteLedgerRecorder", factory.process_recorder())
        self.snapshots = cast("SQLiteSnapshotRecorder", factory.aggregate_recorder("snapshots"))
        self._file = file

    def create(self, tables: Sequence[CreateTables]) -> None:
        """Creates or upgrades the tables where they are not as this program has them."""
        with self.reading() as database:
            if _version(database) == SCHEMA_VERSION:
                return
        with self.answering(), writing(self.datastore) as cursor:
            database = SQLiteDatabase(cursor.sqlite_cursor)
            if _version(database) == 0:  # else another process was first
                self.recorder._create_table(cursor)
                self.snapshots._create_table(cursor)
            create_tables(database, tables)

    def commit(self, commit: Commit, meanwhile: Callable[[], None] | None = None) -> None:
        """One transaction; see the port. There is nobody else to do the work meanwhile."""
        with self.answering():
            self.recorder.insert_events(commit.events, beside=commit)

    @contextmanager
    def transaction(self) -> Iterator[Database]:
        """Has its turn to write from its start."""
        with self.answering(), writing(self.datastore) as cursor:
            yield SQLiteDatabase(cursor.sqlite_cursor)

    @contextmanager
    def reading(self) -> Iterator[Database]:
        """Sees what was committed when it began."""
        with self.answering(), self.datastore.transaction(commit=False) as cursor:
            yield SQLiteDatabase(cursor.sqlite_cursor)

    asking = reading

    @contextmanager
    def answering(self) -> Iterator[None]:
        """Errors as the port has them."""
        try:
            yield
        except (PersistenceError, sqlite3.Error) as error:
            raise self._store_error(error) or error from error

    def key(self, originator_id: UUID) -> str:
        """SQLite has the library's ids as text."""
        return originator_id.hex

    def hold_tracking(self, database: Database, name: str) -> int:
        """Nobody else can write anyway."""
        rows = database.execute("SELECT notification_id FROM tracking WHERE application_name = ?", (name,))
        return int(rows[0][0]) if rows else 0

    def load_streams(self, originators: Sequence[UUID]) -> Mapping[UUID, Stream]:
        """Per originator: snapshot's state, its version, the events after it."""
        newest = (
            "SELECT state, originator_version FROM stored_snapshots WHERE originator_id = ?"
            " ORDER BY originator_version DESC LIMIT 1"
        )
        later = (
            "SELECT originator_version, topic, state FROM stored_events"
            " WHERE originator_id = ? AND originator_version > ? ORDER BY originator_version"
        )
        streams: dict[UUID, Stream] = {}
        with self.reading() as database, collector_paused():
            for each in originators:
                [(snapshot, version)] = database.execute(newest, (each.hex,)) or [(None, 0)]
                rows = database.execute(later, (each.hex, version))
                streams[each] = snapshot, version, [Recorded(each, v, decode_state(t, s)) for v, t, s in rows]
        return streams

    def taken_versions(self, wanted: Mapping[UUID, int]) -> Set[UUID]:
        """Those originators that have an event of that version already."""
        sql = "SELECT 1 FROM stored_events WHERE originator_id = ? AND originator_version = ?"
        with self.reading() as database:
            return {each for each, version in wanted.items() if database.execute(sql, (each.hex, version))}

    def select_log(self, after: int, limit: int, upto: int | None = None, topics: Sequence[str] = ()) -> list[LogRow]:
        """Rows (position, originator, version, topic, state), in order."""
        sql = (
            "SELECT rowid, originator_id, originator_version, topic, state FROM stored_events"
            " WHERE rowid > ? AND rowid <= ?"
        )
        if topics:
            sql += f" AND topic IN ({_marks(topics)})" + (" AND usage_key IS NULL" if without_usage(topics) else "")
        params = (after, NO_LIMIT if upto is None else upto, *topics, limit)
        with self.reading() as database:
            rows = database.execute(f"{sql} ORDER BY rowid LIMIT ?", params)
        return [(position, uuid_of(i), version, topic, state) for position, i, version, topic, state in rows]

    def count_log(self, after: int) -> int:
        """How many events there are after a position."""
        with self.reading() as database:
            [[count]] = database.execute("SELECT count(*) FROM stored_events WHERE rowid > ?", (after,))
        return int(count)

    def find_usages(self, keys: Sequence[bytes]) -> Mapping[bytes, StoredUsage]:
        """The events that hold these usage keys."""
        columns = "usage_key, rowid, originator_id, originator_version, state"
        found: dict[bytes, StoredUsage] = {}
        with self.reading() as database:
            for start in range(0, len(keys), KEYS_A_QUESTION):
                some = keys[start : start + KEYS_A_QUESTION]
                sql = f"SELECT {columns} FROM stored_events WHERE usage_key IN ({_marks(some)})"  # noqa: S608
                for key, position, i, version, state in database.execute(sql, some):
                    found[key] = StoredUsage(position, uuid_of(i), version, state)
        return found

    def data_keys(self, wanted: Sequence[tuple[str, str, int]]) -> Mapping[tuple[str, str, int], bytes]:
        """Wrapped keys by account, purpose and month."""
        sql = "SELECT wrapped FROM data_keys WHERE account = ? AND purpose = ? AND month = ?"
        with self.reading() as database:
            return {each: wrapped for each in wanted for [wrapped] in database.execute(sql, each)}

    def users(self, wanted: Sequence[tuple[str, bytes]]) -> Mapping[tuple[str, bytes], str]:
        """Pseudonyms by account and look-up."""
        sql = "SELECT pseudonym FROM users WHERE account = ? AND lookup = ?"
        with self.reading() as database:
            return {each: pseudonym for each in wanted for [pseudonym] in database.execute(sql, each)}

    def user_names(self, pseudonyms: Sequence[str]) -> Mapping[str, tuple[str, bytes]]:
        """Account and sealed name by pseudonym."""
        sql = "SELECT account, sealed_name FROM users WHERE pseudonym = ?"
        with self.reading() as database:
            return {each: (account, name) for each in pseudonyms for account, name in database.execute(sql, (each,))}

    def close(self) -> None:
        """Closes the file; the last one to close it folds the write-ahead log in."""
        self.factory.close()

    def _store_error(self, error: Exception) -> StoreError | None:
        cause = error if isinstance(error, sqlite3.Error) else error.__cause__
        name = getattr(cause, "sqlite_errorname", "")
        if name in TAKEN:
            return WriteConflict(str(cause))
        if name.startswith(UNAVAILABLE) or isinstance(error, ConnectionUnavailableError):
            return StoreUnavailable(f"{self._file}: {cause}")
        return None


def _version(database: Database) -> int:
    if not database.execute("SELECT 1 FROM sqlite_master WHERE name = 'commcredits_schema'"):
        return 0
    version: int = database.execute("SELECT version FROM commcredits_schema")[0][0]
    return version


def _marks(values: Sequence[object]) -> str:
    return ",".join("?" * len(values))
