"""The notices read model: one row per cause, and the state of each account, by which causes are found.

notices          id, account, kind, `occurred_at` and `position` of its cause, facts (JSON), `handed` to its recipients.
                 What is told is never told anew: rows are only ever added, and one that is there already stays.
notice_accounts  per account its state as of the last event applied, and when the time alone may cause the next notice
                 (`due_at`; looked at up to `looked_at`). Made anew from the log when it is dropped.
"""

from collections.abc import Iterable, Sequence
from typing import Any, Final

from domain.account import CreditAccount, dump_account
from domain.events import UnknownEvent, UsageDebited
from domain.lots import NEVER
from domain.notice_times import due, next_time
from domain.notices import Notice, observe
from projections.balance import CAPACITY, OF_NO_ACCOUNT, Balances
from projections.lines import as_json
from projections.log import Entry, Inapplicable
from projections.ports import Database, Store
from projections.tables import bytes_type, put_rows, select_keys

NAME: Final = "notices"
TABLE: Final = "notice_accounts"
COLUMNS: Final = ("stream", "account", "position", "looked_at", "due_at", "state")
FROM_THE_LOG: Final = ("stream", "account", "position", "state")  # the others say who has looked at the clock, and when
_PUT: Final = """INSERT INTO notices (id, account, kind, occurred_at, position, facts) VALUES (?, ?, ?, ?, ?, ?)
    ON CONFLICT (id) DO NOTHING"""
_NOTICES: Final = (
    """CREATE TABLE IF NOT EXISTS notices (
        id text NOT NULL PRIMARY KEY, account text NOT NULL, kind text NOT NULL, occurred_at bigint NOT NULL,
        position bigint NOT NULL, facts text NOT NULL, handed integer NOT NULL DEFAULT 0)""",
    "CREATE INDEX IF NOT EXISTS notices_account ON notices (account, occurred_at, position, id)",
    "CREATE INDEX IF NOT EXISTS notices_unhanded ON notices (position, id) WHERE handed = 0",
)


def create(database: Database, table: str = TABLE) -> None:
    """The tables, where they are not there."""
    octets = bytes_type(database)
    for statement in _NOTICES:
        database.execute(statement)
    database.execute(
        f"CREATE TABLE IF NOT EXISTS {table} (stream {octets} NOT NULL PRIMARY KEY, account text NOT NULL,"
        f" position bigint NOT NULL, looked_at bigint NOT NULL, due_at bigint NOT NULL, state {octets} NOT NULL,"
        " UNIQUE (due_at, stream))"
    )


def put_notices(database: Database, notices: Iterable[tuple[Notice, int]]) -> None:
    """Notices, each with the position of its cause; those that are there already stay as they are."""
    rows = [(n.id, n.account, n.kind, n.at, position, as_json(n.facts)) for n, position in notices]
    if rows:
        database.executemany(_PUT, sorted(rows))  # in one order, so that two writers do not wait for each other


class _Times:
    """Per account up to which instant one has looked at the time, and the first after it at which there is something.

    Each event is a look, at the account as it was before: so what is told does not depend on who looks when, and what
    comes late (a card that expires in a week) is not told of as if it had been there before.
    """

    __slots__ = ("due_at", "looked_at")

    def __init__(self, looked_at: int, due_at: int) -> None:
        self.looked_at, self.due_at = looked_at, due_at

    def due(self, account: CreditAccount, at: int) -> list[Notice]:
        """What the time has caused before an event that was recorded then."""
        return due(account, self.looked_at, at) if at >= self.due_at else []

    def plan(self, account: CreditAccount, looked_at: int) -> None:
        """From a state, and from a look."""
        self.looked_at = looked_at
        due_at = next_time(account, looked_at)
        self.due_at = NEVER if due_at is None else due_at


class NoticeModel(Balances):
    """See projections.ports.ReadModel: accounts as the balances keep them, in a table of their own."""

    name = NAME

    def __init__(self, table: str = TABLE, capacity: int = CAPACITY) -> None:
        super().__init__(table, capacity)
        self._found: list[tuple[Notice, int]] = []
        self._times: dict[int, _Times] = {}

    def create(self, database: Database) -> None:
        """The tables."""
        create(database, self.table)

    def _rows(self, store: Store, streams: Iterable[int]) -> dict[bytes, tuple[int, bytes]]:
        select = f"SELECT stream, position, state, looked_at, due_at FROM {self.table} WHERE stream IN ({{}})"  # noqa: S608
        keys = [stream.to_bytes(16, "big") for stream in streams]
        with store.reading() as database:
            rows = list(select_keys(database, select, keys))
        for stream, _, _, looked_at, due_at in rows:
            self._times[int.from_bytes(stream, "big")] = _Times(looked_at, due_at)
        return {bytes(stream): (position, state) for stream, position, state, _, _ in rows}

    def apply(self, entries: Sequence[Entry]) -> None:
        """Each event once, as Balances does, and what it causes."""
        for position, stream, version, event in entries:
            if event.__class__ in OF_NO_ACCOUNT:
                continue
            one = self._kept[stream.int]
            if version <= one.account.version:
                continue
            times = self._times.get(stream.int)
            if times is None:
                times = self._times[stream.int] = _Times(event.recorded_at, NEVER)
            try:
                found = times.due(one.account, event.recorded_at) + observe(one.account, event, version)
            except (UnknownEvent, ValueError, LookupError) as error:
                raise Inapplicable(position, stream, version, error) from error
            if found:
                self._found += [(notice, position) for notice in found]
            looked_at = max(times.looked_at, event.recorded_at)
            if event.recorded_at < times.due_at and event.__class__ is UsageDebited:
                times.looked_at = looked_at  # it only takes away what is told of
            else:
                times.plan(one.account, looked_at)
            if one.position == one.written:
                self._changed.append(one)
            one.position = position

    def write(self, database: Database) -> None:
        """Notices, then states in the order of the key."""
        put_notices(database, self._found)
        self._found = []
        changed, self._changed = self._changed, []
        select = f"SELECT stream, looked_at FROM {self.table} WHERE stream IN ({{}})"  # noqa: S608
        keys = [one.account.stream.bytes for one in changed]
        looked = {bytes(stream): at for stream, at in select_keys(database, select, keys)}
        rows: list[tuple[Any, ...]] = []
        for one in changed:
            account, key = one.account, one.account.stream.bytes
            times = self._times[account.stream.int]
            if looked.get(key, 0) > times.looked_at:  # somebody has looked meanwhile
                times.plan(account, looked[key])
            state = dump_account(account)
            rows.append((key, account.account_id, one.position, times.looked_at, times.due_at, state))
            one.written = one.position
        put_rows(database, self.table, COLUMNS, sorted(rows))
        self._keep(changed)
        if len(self._times) > len(self._kept):
            self._times = {stream: self._times[stream] for stream in self._kept if stream in self._times}

    def forget(self) -> None:
        """Load anew what is needed."""
        super().forget()
        self._found, self._times = [], {}
