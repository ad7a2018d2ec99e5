"""The balance read model: one row per account, with the whole state of the account as of its last event.

Row: the account's stream (key), its id, the position of its last event, `domain.account.dump_account` of its state.
While events are applied the accounts in use stay in memory; the others are loaded from their rows, many at a time.
"""

from collections.abc import Iterable, Sequence
from typing import Final

from domain.account import CreditAccount, dump_account, load_account
from domain.events import DeckImported, Event, GapAccepted, UnknownEvent, account_stream
from projections.freshness import Freshness, freshness
from projections.log import Entry, Inapplicable, LogRow
from projections.ports import Database, Store
from projections.tables import bytes_type, put_rows, select_keys

NAME: Final = "balance"
TABLE: Final = "balances"
COLUMNS: Final = ("stream", "account", "position", "state")
CAPACITY: Final = 20_000

OF_NO_ACCOUNT: Final[frozenset[type[Event]]] = frozenset((DeckImported, GapAccepted))
_TOPICS_OF_NO_ACCOUNT: Final = frozenset(kind.__name__ for kind in OF_NO_ACCOUNT)


def create(database: Database, table: str = TABLE) -> None:
    """The table, where it is not there."""
    octets = bytes_type(database)
    bytewise = "binary" if database.dialect == "sqlite" else '"C"'
    database.execute(
        f"CREATE TABLE IF NOT EXISTS {table} (stream {octets} NOT NULL PRIMARY KEY,"
        f" account text COLLATE {bytewise} NOT NULL UNIQUE, position bigint NOT NULL, state {octets} NOT NULL)"
    )


def read_balance(database: Database, account_id: str) -> tuple[int, CreditAccount] | None:
    """The position of the account's last event that is applied, and the account as of it. None: not known (yet)."""
    select = f"SELECT position, state FROM {TABLE} WHERE stream = ?"  # noqa: S608
    for position, state in database.execute(select, (account_stream(account_id).bytes,)):
        return position, load_account(state)
    return None


def balance_of(store: Store, account_id: str, now: int) -> tuple[CreditAccount, Freshness] | None:
    """The account and how fresh it is. All its events up to the freshness's position are in it, and none after."""
    fresh = freshness(store, NAME, now)
    with store.reading() as database:
        found = read_balance(database, account_id)
    if found is None:
        return None
    position, account = found
    return account, fresh._replace(position=max(fresh.position, position))


def list_accounts(database: Database, after: str = "", limit: int = 1000) -> list[tuple[int, CreditAccount]]:
    """The accounts whose ids follow `after`, in order of id: position and account."""
    select = f"SELECT position, state FROM {TABLE} WHERE account > ? ORDER BY account LIMIT ?"  # noqa: S608
    return [(position, load_account(state)) for position, state in database.execute(select, (after, limit))]


class _Kept:
    """An account in memory: `position` of its last event, `written` that of its row."""

    __slots__ = ("account", "position", "written")

    def __init__(self, account: CreditAccount, position: int) -> None:
        self.account, self.position, self.written = account, position, position


class Balances:
    """See projections.ports.ReadModel. `capacity`: accounts that stay in memory between two writes."""

    name = NAME

    def __init__(self, table: str = TABLE, capacity: int = CAPACITY) -> None:
        self.table, self._capacity = table, capacity
        self._kept: dict[int, _Kept] = {}  # by the stream's number: a UUID itself is hashed and compared in Python
        self._changed: list[_Kept] = []

    @property
    def pending(self) -> int:
        """Accounts whose rows are to be written."""
        return len(self._changed)

    def create(self, database: Database) -> None:
        """The table."""
        create(database, self.table)

    def prepare(self, store: Store, rows: Sequence[LogRow]) -> None:
        """Load the accounts that are not in memory."""
        streams = {row[1].int for row in rows if row[3] not in _TOPICS_OF_NO_ACCOUNT}
        missing = streams.difference(self._kept)
        if missing:
            found = self._rows(store, missing)
            for stream in missing:
                position, state = found.get(_key(stream), (0, None))
                self._kept[stream] = _Kept(CreditAccount() if state is None else load_account(state), position)

    def _rows(self, store: Store, streams: Iterable[int]) -> dict[bytes, tuple[int, bytes]]:
        select = f"SELECT stream, position, state FROM {self.table} WHERE stream IN ({{}})"  # noqa: S608
        with store.reading() as database:
            rows = select_keys(database, select, [_key(stream) for stream in streams])
            return {key: (position, state) for key, position, state in rows}

    def apply(self, entries: Sequence[Entry]) -> None:
        """An event that an account's row has already is passed over: another applier may have written the row."""
        kept, changed = self._kept, self._changed
        for position, stream, version, event in entries:
            if event.__class__ in OF_NO_ACCOUNT:
                continue
            one = kept[stream.int]
            if version > one.account.version:
                try:
                    one.account.apply(event, version)
                except (UnknownEvent, ValueError, LookupError) as error:
                    raise Inapplicable(position, stream, version, error) from error
                if one.position == one.written:
                    changed.append(one)
                one.position = position

    def write(self, database: Database) -> None:
        """In the order of the key. When too many are in memory only these stay."""
        changed, self._changed = self._changed, []
        rows = []
        for one in changed:
            account = one.account
            rows.append((account.stream.bytes, account.account_id, one.position, dump_account(account)))
            one.written = one.position
        rows.sort()
        put_rows(database, self.table, COLUMNS, rows)
        self._keep(changed)

    def _keep(self, changed: list[_Kept]) -> None:
        if len(self._kept) > self._capacity:
            self._kept = {one.account.stream.int: one for one in changed[-self._capacity :]}

    def forget(self) -> None:
        """Load anew what is needed."""
        self._kept, self._changed = {}, []


def _key(stream: int) -> bytes:
    return stream.to_bytes(16, "big")
