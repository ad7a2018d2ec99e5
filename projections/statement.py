"""The statement read model, the audit view: one row per event that changes a balance or is a debit, in log order.

Row: the event's position (key), the account's stream, `occurred_at`, and the line itself, JSON as the interface has it.
"""

from collections.abc import Iterator, Sequence
from typing import Any, Final

from domain.events import UsageDebited, account_stream
from domain.named import is_entry
from projections.lines import entry_line
from projections.log import Entry, LogRow
from projections.ports import Database, Store
from projections.tables import bytes_type

NAME: Final = "statement"
TABLE: Final = "statement_lines"
COLUMNS: Final = ("position", "stream", "occurred_at", "line")
LINES_A_PAGE: Final = 1_000

_EVER: Final = 1 << 62


def create(database: Database, table: str = TABLE) -> None:
    """The table, where it is not there. An account's lines are found in order of the log, and by time, in one index."""
    position = "integer" if database.dialect == "sqlite" else "bigint"  # the one word that makes it SQLite's row number
    database.execute(
        f"CREATE TABLE IF NOT EXISTS {table} (position {position} NOT NULL PRIMARY KEY,"
        f" stream {bytes_type(database)} NOT NULL, occurred_at bigint NOT NULL, line text NOT NULL,"
        " UNIQUE (stream, position, occurred_at))"
    )


def read_statement(
    store: Store,
    account_id: str,
    *,
    from_at: int | None = None,
    to_at: int | None = None,
    limit: int | None = None,
    upto: int | None = None,
) -> Iterator[bytes]:
    """The account's lines in order of the log, each JSON without its end, read page by page.

    `from_at` <= occurred_at < `to_at` (µs); `limit`: the first so many; `upto`: a position of the log (default: all).
    """
    after, left = 0, _EVER if limit is None else limit
    while left > 0:
        page = _page(store, account_id, (after, upto, from_at, to_at), min(left, LINES_A_PAGE))
        yield from (line.encode() for _, line in page)
        if len(page) < min(left, LINES_A_PAGE):
            return
        after, left = page[-1][0], left - len(page)


def _page(store: Store, account_id: str, bounds: Sequence[int | None], limit: int) -> list[tuple[Any, ...]]:
    # a transaction of its own for each page: no slow reader keeps a table from being replaced
    after, upto, from_at, to_at = bounds
    select = (
        f"SELECT position, line FROM {TABLE} WHERE stream = ? AND position > ? AND position <= ?"  # noqa: S608
        " AND occurred_at >= ? AND occurred_at < ? ORDER BY position LIMIT ?"
    )
    end = _EVER if upto is None else upto
    first, last = -_EVER if from_at is None else from_at, _EVER if to_at is None else to_at
    with store.reading() as database:
        return database.execute(select, (account_stream(account_id).bytes, after, end, first, last, limit))


class Statement:
    """See projections.ports.ReadModel. Holds nothing but the rows that wait to be written."""

    name = NAME

    def __init__(self, table: str = TABLE) -> None:
        self.table = table
        self._rows: list[tuple[int, bytes, int, str]] = []

    @property
    def pending(self) -> int:
        """Lines to be written."""
        return len(self._rows)

    def create(self, database: Database) -> None:
        """The table."""
        create(database, self.table)

    def prepare(self, store: Store, rows: Sequence[LogRow]) -> None:
        """A line needs nothing but its event."""

    def apply(self, entries: Sequence[Entry]) -> None:
        """Lines of the events that have one."""
        for position, stream, _, event in entries:
            if isinstance(event, UsageDebited) or is_entry(event):
                self._rows.append((position, stream.bytes, event.occurred_at, entry_line(position, event)))

    def write(self, database: Database) -> None:
        """In order of the log."""
        database.copy_rows(self.table, COLUMNS, self._rows)
        self._rows = []

    def forget(self) -> None:
        """Drop what was not written."""
        self._rows = []
