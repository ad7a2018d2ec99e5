"""SQL that read models share: rows put in or replaced, a digest of a table, one table put in place of another."""

from collections.abc import Iterator, Sequence
from hashlib import sha256
from itertools import chain
from typing import Any, Final, NamedTuple

from projections.ports import Database, Store

KEYS_A_QUESTION: Final = 500
ROWS_A_PAGE: Final = 2_000
ROWS_A_DELETE: Final = 20_000  # SQLite lets nobody else write meanwhile

Rows = list[tuple[Any, ...]]


class Digest(NamedTuple):
    """How many rows a table has, and the hash of them all in the order of their key."""

    rows: int
    sha256: str


def bytes_type(database: Database) -> str:
    """The type of a column of bytes."""
    return "bytea" if database.dialect == "postgresql" else "blob"


def select_keys(database: Database, select: str, keys: Sequence[Any]) -> Iterator[tuple[Any, ...]]:
    """The rows of `select … WHERE key IN ({})` for any number of keys."""
    for start in range(0, len(keys), KEYS_A_QUESTION):
        some = keys[start : start + KEYS_A_QUESTION]
        yield from database.execute(select.format(",".join("?" * len(some))), some)


def put_rows(database: Database, table: str, columns: Sequence[str], rows: Rows) -> None:
    """Insert rows, in place of those with the same first column."""
    names = ", ".join(columns)
    replaced = ", ".join(f"{column} = excluded.{column}" for column in columns[1:])
    conflict = f"ON CONFLICT ({columns[0]}) DO UPDATE SET {replaced}"
    if database.dialect == "sqlite":
        marks = ",".join("?" * len(columns))
        database.executemany(f"INSERT INTO {table} ({names}) VALUES ({marks}) {conflict}", rows)  # noqa: S608
        return
    # COPY takes rows several times as fast as an INSERT does, but replaces none
    database.execute(f"CREATE TEMPORARY TABLE IF NOT EXISTS incoming_{table} (LIKE {table}) ON COMMIT DELETE ROWS")
    database.copy_rows(f"pg_temp.incoming_{table}", columns, rows)
    database.execute(f"INSERT INTO {table} ({names}) SELECT {names} FROM pg_temp.incoming_{table} {conflict}")  # noqa: S608


def digest(database: Database, table: str, columns: Sequence[str]) -> Digest:
    """Of all rows, in the order of the first column: each value as its length and its bytes. In constant memory."""
    found, count = sha256(), 0
    select = f"SELECT {', '.join(columns)} FROM {table}"  # noqa: S608
    order = f"ORDER BY {columns[0]} LIMIT {ROWS_A_PAGE}"
    page = database.execute(f"{select} {order}")
    while page:
        count += len(page)
        values = [_as_bytes(value) for value in chain.from_iterable(page)]
        found.update(b"".join([b"%d:%b" % (len(value), value) for value in values]))
        page = database.execute(f"{select} WHERE {columns[0]} > ? {order}", (page[-1][0],))
    return Digest(count, found.hexdigest())


def _as_bytes(value: Any) -> bytes:
    return value if isinstance(value, bytes) else str(value).encode()


def replace_table(database: Database, live: str, new: str) -> None:
    """From the commit on `new` is `live`, and what that was is `…_old`."""
    database.execute(f"ALTER TABLE {live} RENAME TO {live}_old")
    database.execute(f"ALTER TABLE {new} RENAME TO {live}")


def discard(store: Store, table: str) -> None:
    """Remove a table that nobody uses any more; on SQLite bit by bit, so that no writer waits long for its turn."""
    while True:
        with store.transaction() as database:
            if database.dialect == "sqlite" and _shorten(database, table):
                continue
            database.execute(f"DROP TABLE IF EXISTS {table}")
            return


def _shorten(database: Database, table: str) -> bool:
    if not database.execute("SELECT 1 FROM sqlite_master WHERE name = ?", (table,)):
        return False
    some = f"SELECT rowid FROM {table} LIMIT {ROWS_A_DELETE}"  # noqa: S608
    database.execute(f"DELETE FROM {table} WHERE rowid IN ({some})")  # noqa: S608
    return bool(database.execute(f"SELECT 1 FROM {table} LIMIT 1"))  # noqa: S608
