"""What each account has spent in each hour of late: a read model of sums, to tell an unusual hour by.

Row: the hour (since the epoch, UTC, in which the usage ended) and the account's stream, as one key; what credit paid or
is billed later, in whole UNITS. What is older than KEPT_HOURS is needed no more, and `forget_old` removes it.
"""

from collections.abc import Sequence
from decimal import Decimal
from typing import Final

from domain.budgets import cost_of
from domain.events import UsageDebited
from domain.spending import HOUR
from projections.log import Entry, LogRow
from projections.ports import Database, Store
from projections.tables import bytes_type, select_keys

NAME: Final = "hours"
TABLE: Final = "account_hours"
COLUMNS: Final = ("key", "spent")
KEPT_HOURS: Final = 5 * 7 * 24
UNITS: Final = 10**8  # in one unit of currency: exact at any scale
_HOUR_BYTES: Final = 8
_MOST: Final = (1 << 62) - 1


def create(database: Database, table: str = TABLE) -> None:
    """The table, where it is not there."""
    octets = bytes_type(database)
    database.execute(f"CREATE TABLE IF NOT EXISTS {table} (key {octets} NOT NULL PRIMARY KEY, spent bigint NOT NULL)")


def spent_in(database: Database, hour: int, least: Decimal, limit: int) -> list[tuple[bytes, Decimal]]:
    """The streams that have spent at least so much in an hour, those with the most first, and how much."""
    sql = f"SELECT key, spent FROM {TABLE} WHERE key >= ? AND key < ? AND spent >= ? ORDER BY spent DESC LIMIT ?"  # noqa: S608
    rows = database.execute(sql, (_key(hour), _key(hour + 1), min(_MOST, int(least * UNITS)), limit))
    return [(bytes(key[_HOUR_BYTES:]), Decimal(spent) / UNITS) for key, spent in rows]


def spent_of(database: Database, stream: bytes, hours: Sequence[int]) -> list[Decimal]:
    """What a stream has spent in each of some hours."""
    keys = [_key(hour, stream) for hour in hours]
    select = f"SELECT key, spent FROM {TABLE} WHERE key IN ({{}})"  # noqa: S608
    found = {bytes(key): spent for key, spent in select_keys(database, select, keys)}
    return [Decimal(found.get(key, 0)) / UNITS for key in keys]


def forget_old(database: Database, hour: int) -> None:
    """Remove the oldest hour where it is needed no more: little at a time, each time it is called."""
    [[oldest]] = database.execute(f"SELECT min(key) FROM {TABLE}")  # noqa: S608
    if oldest is not None and bytes(oldest) < _key(hour - KEPT_HOURS):
        end = _key(int.from_bytes(oldest[:_HOUR_BYTES], "big") + 1)
        database.execute(f"DELETE FROM {TABLE} WHERE key < ?", (end,))  # noqa: S608


def _key(hour: int, stream: bytes = b"") -> bytes:
    return hour.to_bytes(_HOUR_BYTES, "big") + stream


class Hours:
    """See projections.ports.ReadModel."""

    name = NAME

    def __init__(self, table: str = TABLE) -> None:
        self.table = table
        self._sums: dict[bytes, int] = {}

    @property
    def pending(self) -> int:
        """Sums to be written."""
        return len(self._sums)

    def create(self, database: Database) -> None:
        """The table."""
        create(database, self.table)

    def prepare(self, store: Store, rows: Sequence[LogRow]) -> None:
        """A sum needs nothing but its events."""

    def apply(self, entries: Sequence[Entry]) -> None:
        """What was paid for usage, by the hour in which it ended."""
        for _, stream, _, event in entries:
            if isinstance(event, UsageDebited) and (spent := cost_of(event)):
                key = _key(event.occurred_at // HOUR, stream.bytes)
                self._sums[key] = self._sums.get(key, 0) + int(spent * UNITS)

    def write(self, database: Database) -> None:
        """Add to what is there."""
        rows = [(key, min(spent, _MOST)) for key, spent in sorted(self._sums.items())]
        database.executemany(
            f"INSERT INTO {self.table} (key, spent) VALUES (?, ?)"  # noqa: S608
            f" ON CONFLICT (key) DO UPDATE SET spent = {self.table}.spent + excluded.spent",
            rows,
        )
        self._sums = {}

    def forget(self) -> None:
        """Drop what was not written."""
        self._sums = {}
