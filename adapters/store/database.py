"""A transaction's cursor on either store, as read models see it."""

import re
import sqlite3
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    import psycopg

_ARRAY: Final = re.compile(r"\?(?=::\w+\[\])")


class SQLiteDatabase:
    """See application.ports.Database."""

    dialect = "sqlite"

    def __init__(self, cursor: sqlite3.Cursor) -> None:
        cursor.row_factory = None
        self.cursor = cursor

    def execute(self, sql: str, params: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        return self.cursor.execute(sql, params).fetchall()

    def executemany(self, sql: str, rows: Iterable[Sequence[Any]]) -> None:
        self.cursor.executemany(sql, rows)

    def copy_rows(self, table: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
        marks = ",".join("?" * len(columns))
        self.cursor.executemany(f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({marks})", rows)  # noqa: S608


class PostgresDatabase:
    """See application.ports.Database. A `?` is always a parameter, also between quotes."""

    dialect = "postgresql"

    def __init__(self, cursor: "psycopg.Cursor[tuple[Any, ...]]") -> None:
        self.cursor = cursor

    def execute(self, sql: str, params: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        self.cursor.execute(_percent(sql), params)
        return self.cursor.fetchall() if self.cursor.description else []

    def executemany(self, sql: str, rows: Iterable[Sequence[Any]]) -> None:
        self.cursor.executemany(_percent(sql), rows)

    def copy_rows(self, table: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
        with self.cursor.copy(f"COPY {table} ({', '.join(columns)}) FROM STDIN".encode()) as copy:
            for row in rows:
                copy.write_row(row)


@lru_cache
def _percent(sql: str) -> bytes:
    """Arrays go in binary: for text psycopg looks at each element in Python, which takes 20 times as long."""
    return _ARRAY.sub("%b", sql.replace("%", "%%")).replace("?", "%s").encode()
