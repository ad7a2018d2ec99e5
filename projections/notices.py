"""The notices read model: one row per cause, and the state of each account, by which causes are found.

notices          id, account, kind, `occurred_at` and `position` of its cause, facts (JSON), `handed` to its recipients.
                 What is told is never told anew: rows are only ever added, and one that is there already stays.
notice_accounts  per account its state as of the last event applied, and when the time alone may cause the next notice
                 (`due_at`; looked at up to `looked_at`). Made anew from the log when it is dropped.
"""

from collections.abc import Iterable, Sequence
from typing import Any, Final

from domain.account import dump_account
from domain.events import UnknownEvent
from domain.lots import NEVER
from domain.notice_times import next_time
from domain.notices import Notice, observe
from projections.balance import OF_NO_ACCOUNT, Balances
from projections.lines import as_json
from projections.log import Entry, Inapplicable
from projections.ports import Database
from projections.tables import bytes_type, put_rows, select_keys

NAME: Final = "notices"
TABLE: Final = "notice_accounts"
COLUMNS: Final = ("stream", "account", "position", "looked_at", "due_at", "state")
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


class NoticeModel(Balances):
    """See projections.ports.ReadModel: accounts as the balances keep them, in a table of their own."""

    name = NAME

    def __init__(self, table: str = TABLE) -> None:
        super().__init__(table)
        self._found: list[tuple[Notice, int]] = []
        self._begun: dict[bytes, int] = {}  # of accounts that are new: when they begin

    def create(self, database: Database) -> None:
        """The tables."""
        create(database, self.table)

    def apply(self, entries: Sequence[Entry]) -> None:
        """Each event once, as Balances does, and what it causes."""
        for position, stream, version, event in entries:
            if event.__class__ in OF_NO_ACCOUNT:
                continue
            one = self._kept[stream.int]
            if version <= one.account.version:
                continue
            if version == 1:
                self._begun[stream.bytes] = event.recorded_at
            try:
                found = observe(one.account, event, version)
            except (UnknownEvent, ValueError, LookupError) as error:
                raise Inapplicable(position, stream, version, error) from error
            if found:
                self._found += [(notice, position) for notice in found]
            if one.position == one.written:
                self._changed.append(one)
            one.position = position

    def write(self, database: Database) -> None:
        """Notices, then states in the order of the key."""
        put_notices(database, self._found)
        self._found = []
        changed, self._changed = self._changed, []
        select = f"SELECT stream, looked_at FROM {self.table} WHERE stream IN ({{}})"  # noqa: S608
        looked = dict(self._begun)
        keys = [one.account.stream.bytes for one in changed]
        looked.update((bytes(stream), at) for stream, at in select_keys(database, select, keys))
        rows: list[tuple[Any, ...]] = []
        for one in changed:
            account = one.account
            key = account.stream.bytes
            due_at = next_time(account, looked[key])
            due_at = NEVER if due_at is None else due_at
            rows.append((key, account.account_id, one.position, looked[key], due_at, dump_account(account)))
            one.written = one.position
        put_rows(database, self.table, COLUMNS, sorted(rows))
        self._begun = {}
        self._keep(changed)

    def forget(self) -> None:
        """Load anew what is needed."""
        super().forget()
        self._found, self._begun = [], {}
