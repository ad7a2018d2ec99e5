"""Claims: who works on which account just now. A claim runs out, so a worker that died keeps nobody waiting for long.

A claim only spares two workers the same way; what makes a thing happen once are the account's versions and the
provider's keys.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Final, NamedTuple

from application.ports import Database, Store

MICROSECONDS: Final = 1_000_000
TABLE: Final = """CREATE TABLE IF NOT EXISTS claims (
    account text NOT NULL, part text NOT NULL, worker text NOT NULL, taken_at bigint NOT NULL, until bigint NOT NULL,
    PRIMARY KEY (account, part))"""
# one that was taken in the future was taken before a clock was set back
OVER: Final = "(claims.until <= ? OR claims.taken_at > ?)"
TAKE: Final = f"""INSERT INTO claims (account, part, worker, taken_at, until) VALUES (?, ?, ?, ?, ?)
    ON CONFLICT (account, part) DO UPDATE SET worker = excluded.worker, taken_at = excluded.taken_at,
        until = excluded.until
    WHERE {OVER} RETURNING account"""  # noqa: S608
HOLD: Final = "UPDATE claims SET taken_at = ?, until = ? WHERE account = ? AND part = ? AND worker = ?"
RELEASE: Final = "DELETE FROM claims WHERE account = ? AND part = ? AND worker = ?"
SERVER_CLOCK: Final = "SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint"


class Claim(NamedTuple):
    """One part of the work on one account."""

    account: str
    part: str


def create(database: Database) -> None:
    """The table, where it is not there."""
    database.execute(TABLE)


class Claims:
    """Of one worker, which is named uniquely. Times are the store's own: the workers' clocks may differ.

    `clock`: of this machine, for a store that has none.
    """

    def __init__(self, store: Store, worker: str, clock: Callable[[], int]) -> None:
        self._store, self._worker, self._clock = store, worker, clock

    def take(self, wanted: Sequence[Claim], seconds: float) -> list[Claim]:
        """Those of them that nobody holds; each for so long."""
        if not wanted:
            return []
        with self._store.transaction() as database:
            now = self.now(database)
            values = (self._worker, now, now + int(seconds * MICROSECONDS), now, now)
            # in one order, so that two never wait for each other
            return [claim for claim in sorted(wanted) if database.execute(TAKE, (*claim, *values))]

    def hold(self, claims: Iterable[Claim], seconds: float) -> None:
        """Nobody else is to look at them for so long from now; where they are still ours."""
        with self._store.transaction() as database:
            now = self.now(database)
            until = now + int(seconds * MICROSECONDS)
            database.executemany(HOLD, [(now, until, *claim, self._worker) for claim in sorted(claims)])

    def release(self, claims: Iterable[Claim]) -> None:
        """They may be taken at once; where they are still ours."""
        rows = [(*claim, self._worker) for claim in sorted(claims)]
        if rows:
            with self._store.transaction() as database:
                database.executemany(RELEASE, rows)

    def now(self, database: Database) -> int:
        """By the store's clock."""
        if database.dialect == "sqlite":
            return self._clock()
        return int(database.execute(SERVER_CLOCK)[0][0])
