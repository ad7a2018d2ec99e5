"""What each account has spent in each hour of late: a read model of sums, to tell an unusual hour by.

Row: the hour (hours since the epoch, UTC, in which the usage ended), the account's stream, and what credit paid or is
billed later, in whole UNITS. Older than KEPT_HOURS nothing is needed, and `forget_old` removes it.
"""

from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Final

from domain.events import UsageDebited
from projections.log import Entry, LogRow
from projections.ports import Database, Store
from projections.tables import bytes_type

NAME: Final = "hours"
TABLE: Final = "account_hours"
HOUR: Final = 3_600_000_000
KEPT_HOURS: Final = 5 * 7 * 24
UNITS: Final = 10**8  # in one unit of currency: exact at any scale
_MOST: Final = (1 << 62) - 1
_PUT: Final = f"""INSERT INTO {TABLE} (hour, stream, spent) VALUES (?, ?, ?)
    ON CONFLICT (hour, stream) DO UPDATE SET spent = {TABLE}.spent + excluded.spent"""  # noqa: S608


def create(database: Database, table: str = TABLE) -> None:
    """The table, where it is not there."""
    database.execute(
        f"CREATE TABLE IF NOT EXISTS {table} (hour bigint NOT NULL, stream {bytes_type(database)} NOT NULL,"
        " spent bigint NOT NULL, PRIMARY KEY (hour, stream))"
    )


def spent_in(database: Database, hour: int, least: Decimal, limit: int) -> list[tuple[bytes, Decimal]]:
    """The streams that have spent at least so much in an hour, those with the most first, and how much."""
    sql = f"SELECT stream, spent FROM {TABLE} WHERE hour = ? AND spent >= ? ORDER BY spent DESC LIMIT ?"  # noqa: S608
    rows = database.execute(sql, (hour, min(_MOST, int(least * UNITS)), limit))
    return [(bytes(stream), Decimal(spent) / UNITS) for stream, spent in rows]


def spent_of(database: Database, stream: bytes, hours: Sequence[int]) -> list[Decimal]:
    """What a stream has spent in each of some hours."""
    sql = f"SELECT hour, spent FROM {TABLE} WHERE stream = ? AND hour IN ({','.join('?' * len(hours))})"  # noqa: S608
    found = dict(database.execute(sql, (stream, *hours)))
    return [Decimal(found.get(hour, 0)) / UNITS for hour in hours]


def forget_old(database: Database, hour: int) -> None:
    """Remove the oldest hour where it is no longer needed: little at a time, each time it is called."""
    sql = f"DELETE FROM {TABLE} WHERE hour = (SELECT min(hour) FROM {TABLE}) AND hour < ?"  # noqa: S608
    database.execute(sql, (hour - KEPT_HOURS,))


class Hours:
    """See projections.ports.ReadModel."""

    name = NAME

    def __init__(self) -> None:
        self._sums: dict[tuple[int, bytes], int] = {}

    @property
    def pending(self) -> int:
        """Sums to be written."""
        return len(self._sums)

    def create(self, database: Database) -> None:
        """The table."""
        create(database)

    def prepare(self, store: Store, rows: Sequence[LogRow]) -> None:
        """A sum needs nothing but its events."""

    def apply(self, entries: Sequence[Entry]) -> None:
        """What was paid for usage, by the hour in which it ended."""
        for _, stream, _, event in entries:
            if isinstance(event, UsageDebited) and event.proof is not None:
                spent = event.amount + (event.proof.postpaid or 0)
                if spent:
                    key = event.occurred_at // HOUR, stream.bytes
                    self._sums[key] = self._sums.get(key, 0) + int(spent * UNITS)

    def write(self, database: Database) -> None:
        """Add to what is there."""
        database.executemany(_PUT, self._rows())
        self._sums = {}

    def _rows(self) -> Iterable[tuple[int, bytes, int]]:
        return [(hour, stream, min(spent, _MOST)) for (hour, stream), spent in sorted(self._sums.items())]

    def forget(self) -> None:
        """Drop what was not written."""
        self._sums = {}
