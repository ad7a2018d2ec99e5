"""The duties read model: when each account next needs something done that no event of its own will bring about.

Row: the account's stream (key), its id, and per part of the work when its first duty is due (µs; 0: at once; null:
none). It says whom to look at; what is to be done is decided from the account itself.

While events are applied the accounts in use stay in memory; the others are loaded from the log's own snapshots, so an
account may be ahead of the position that is followed. A row may then be, too, and later events change nothing in it.
"""

from collections.abc import Sequence
from typing import Any, Final

from domain.account import CreditAccount, load_account
from domain.duties import duties
from domain.events import DeckImported, Event, GapAccepted, UnknownEvent, UsageDebited
from domain.parts import PARTS, part_of
from projections.log import Entry, Inapplicable, LogRow
from projections.ports import Database, Store
from projections.tables import bytes_type, put_rows

NAME: Final = "duties"
TABLE: Final = "duties"
COLUMNS: Final = ("stream", "account", *PARTS)
CAPACITY: Final = 20_000

_OF_NO_ACCOUNT: Final[frozenset[type[Event]]] = frozenset((DeckImported, GapAccepted))
_TOPICS_OF_NO_ACCOUNT: Final = frozenset(kind.__name__ for kind in _OF_NO_ACCOUNT)


def create(database: Database, table: str = TABLE) -> None:
    """The table, where it is not there; what is due of a part is found by an index of its own."""
    dues = ", ".join(f"{part} bigint" for part in PARTS)
    indexes = ", ".join(f"UNIQUE ({part}, stream)" for part in PARTS)
    database.execute(
        f"CREATE TABLE IF NOT EXISTS {table} (stream {bytes_type(database)} NOT NULL PRIMARY KEY,"
        f" account text NOT NULL, {dues}, {indexes})"
    )


def due_accounts(database: Database, part: str, at: int, limit: int, free_at: int | None = None) -> list[str]:
    """Accounts with a duty of a part due by then, first due first; `free_at`: only those that nobody claims then."""
    params: list[object] = [at]
    free = ""
    if free_at is not None:
        free = (
            f" AND NOT EXISTS (SELECT 1 FROM claims WHERE claims.account = {TABLE}.account AND part = ?"  # noqa: S608
            " AND until > ? AND taken_at <= ?)"
        )
        params += [part, free_at, free_at]
    select = f"SELECT account FROM {TABLE} WHERE {part} <= ?{free} ORDER BY {part} LIMIT ?"  # noqa: S608
    return [account for (account,) in database.execute(select, (*params, limit))]


class _Kept:
    """An account in memory, and the row that was last written for it here (None: not yet)."""

    __slots__ = ("account", "changed", "written")

    def __init__(self, account: CreditAccount) -> None:
        self.account, self.changed = account, False
        self.written: tuple[Any, ...] | None = None


class Duties:
    """See projections.ports.ReadModel. `capacity`: accounts that stay in memory between two writes; `touched`: where
    the accounts are put to which anything but usage happens.
    """

    name = NAME

    def __init__(self, table: str = TABLE, capacity: int = CAPACITY, touched: set[str] | None = None) -> None:
        self.table, self._capacity, self._touched = table, capacity, touched
        self._kept: dict[int, _Kept] = {}  # by the stream's number
        self._changed: list[_Kept] = []

    @property
    def pending(self) -> int:
        """Accounts whose rows may have changed."""
        return len(self._changed)

    def create(self, database: Database) -> None:
        """The table."""
        create(database, self.table)

    def prepare(self, store: Store, rows: Sequence[LogRow]) -> None:
        """Load the accounts that are not in memory, as the log has them now."""
        streams = {row[1].int: row[1] for row in rows if row[3] not in _TOPICS_OF_NO_ACCOUNT}
        missing = [stream for number, stream in streams.items() if number not in self._kept]
        if missing:
            for stream, (state, _, events) in store.load_streams(missing).items():
                account = CreditAccount() if state is None else load_account(state)
                for recorded in events:
                    account.apply(recorded.event, recorded.originator_version)
                self._kept[stream.int] = _Kept(account)

    def apply(self, entries: Sequence[Entry]) -> None:
        """An event that the account in memory has already changes nothing in it, but its row is written."""
        kept, changed = self._kept, self._changed
        for position, stream, version, event in entries:
            if event.__class__ in _OF_NO_ACCOUNT:
                continue
            one = kept[stream.int]
            if version > one.account.version:
                try:
                    one.account.apply(event, version)
                except (UnknownEvent, ValueError, LookupError) as error:
                    raise Inapplicable(position, stream, version, error) from error
            if self._touched is not None and event.__class__ is not UsageDebited:
                self._touched.add(one.account.account_id)
            if not one.changed:
                one.changed = True
                changed.append(one)

    def write(self, database: Database) -> None:
        """Rows that are not as they were written last, in the order of the key."""
        changed, self._changed = self._changed, []
        rows = []
        for one in changed:
            one.changed = False
            row = _row(one.account)
            if row != one.written:
                one.written = row
                rows.append(row)
        rows.sort(key=lambda row: row[0])
        put_rows(database, self.table, COLUMNS, rows)
        if len(self._kept) > self._capacity:
            self._kept = {one.account.stream.int: one for one in changed[-self._capacity :]}

    def forget(self) -> None:
        """Load anew what is needed."""
        self._kept, self._changed = {}, []


def _row(account: CreditAccount) -> tuple[Any, ...]:
    first: dict[str, int] = {}
    for duty in duties(account):
        # what is due by the account's own time is due, wherever a clock has been set back to meanwhile
        first.setdefault(part_of(duty), duty.due_at if duty.due_at > account.recorded_at else 0)
    return (account.stream.bytes, account.account_id, *(first.get(part) for part in PARTS))
