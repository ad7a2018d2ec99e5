"""Looking at what the time alone has caused, by the accounts as the notices read model has them: little each time."""

from decimal import Decimal
from typing import Final

from domain.account import CreditAccount, load_account
from domain.lots import NEVER
from domain.notice_times import due, next_time
from domain.notices import Notice
from domain.spending import HOUR, Usual, same_hours, unusual
from projections import hours
from projections.notices import NAME, TABLE, put_notices
from projections.ports import Database, Store

ACCOUNTS_A_LOOK: Final = 200
UNUSUAL_EVERY: Final = 60 * 1_000_000
HOURS_OF_LATE: Final = 2  # the running one and the one before


class Look:
    """For one process. Others may look as well: what they find has the same ids."""

    def __init__(self, store: Store, usual: Usual) -> None:
        self._store, self._usual = store, usual
        self._unusual_at: int | None = None

    def look(self, now: int) -> int:
        """Put the notices that are due into their table; answers how many accounts the time has made due."""
        looked = self._times(now)
        if self._unusual_at is None or abs(now - self._unusual_at) >= UNUSUAL_EVERY:
            self._unusual_at = now
            self._spending(now)
        return looked

    def _times(self, now: int) -> int:
        select = f"SELECT stream, looked_at, state FROM {TABLE} WHERE due_at <= ? ORDER BY due_at LIMIT ?"  # noqa: S608
        with self._store.reading() as database:
            if not database.execute(f"SELECT 1 FROM {TABLE} WHERE due_at <= ? LIMIT 1", (now,)):  # noqa: S608
                return 0
        position = self._next_position()
        with self._store.transaction() as database:
            self._store.hold_tracking(database, NAME)  # so that nobody puts another state there meanwhile
            rows = database.execute(select, (now, ACCOUNTS_A_LOOK))
            found: list[Notice] = []
            for stream, looked_at, state in rows:
                account = load_account(state)
                found += due(account, looked_at, now)
                next_at = next_time(account, now)
                database.execute(
                    f"UPDATE {TABLE} SET looked_at = ?, due_at = ? WHERE stream = ?",  # noqa: S608
                    (now, NEVER if next_at is None else next_at, stream),
                )
            put_notices(database, ((notice, position) for notice in found))
        return len(rows)

    def _spending(self, now: int) -> None:
        running = now // HOUR
        with self._store.reading() as database:
            found = [
                notice
                for hour in range(running - HOURS_OF_LATE + 1, running + 1)
                for stream, spent in hours.spent_in(database, hour, self._usual.floor, ACCOUNTS_A_LOOK)
                if (account := _account(database, stream)) is not None
                for notice in unusual(account, hour, spent, self._before(database, account, hour), self._usual)
            ]
        position = self._next_position()
        with self._store.transaction() as database:
            put_notices(database, ((notice, position) for notice in found))
            hours.forget_old(database, running)

    def _before(self, database: Database, account: CreditAccount, hour: int) -> list[Decimal]:
        earlier = same_hours(account, hour)
        return hours.spent_of(database, account.stream.bytes, earlier) if earlier else []

    def _next_position(self) -> int:
        """Of what no event has caused: that of the event to come, so that who is added now is told of it."""
        return self._store.max_position() + 1


def _account(database: Database, stream: bytes) -> CreditAccount | None:
    rows = database.execute(f"SELECT state FROM {TABLE} WHERE stream = ?", (stream,))  # noqa: S608
    return load_account(rows[0][0]) if rows else None
