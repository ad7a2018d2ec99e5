"""Building a read model anew from the log, beside the one in use, and putting it in its place in one transaction.

Who reads goes on reading; who follows the log goes on following, from where the new one has got to. What an
interrupted rebuild left behind is removed by the next.
"""

import gc
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Final

import msgspec

from domain.errors import NotFound, Refused
from projections import balance, duties, hours, notices, statement
from projections.log import readable
from projections.ports import Database, ReadModel, Store
from projections.runner import BATCH
from projections.tables import Digest, digest, discard, replace_table

ROWS_A_WRITE: Final = 20_000


class Kind(msgspec.Struct, frozen=True):
    """A read model: its table, and what keeps such a table up to the log."""

    make: Callable[[str], ReadModel]
    table: str
    columns: Sequence[str]


KINDS: Final = {
    balance.NAME: Kind(balance.Balances, balance.TABLE, balance.COLUMNS),
    statement.NAME: Kind(statement.Statement, statement.TABLE, statement.COLUMNS),
    duties.NAME: Kind(duties.Duties, duties.TABLE, duties.COLUMNS),
    notices.NAME: Kind(notices.NoticeModel, notices.TABLE, notices.FROM_THE_LOG),
    hours.NAME: Kind(hours.Hours, hours.TABLE, hours.COLUMNS),
}


class Rebuilt(msgspec.Struct):
    """What was built: from `events` of the log up to `position`, `rows` with the hash of them all in order of key."""

    name: str
    position: int
    events: int
    rows: int
    sha256: str
    seconds: float


def rebuild(store: Store, name: str) -> Rebuilt:
    """The same bytes as following the log made. Raises NotFound, Refused when a later one has begun, Unreadable."""
    if name not in KINDS:
        raise NotFound("unknown_read_model", f"there is no read model {name}, but {' and '.join(KINDS)}", "name")
    begun = time.perf_counter()
    build = Rebuild(store, name)
    build.begin()
    with _without_garbage_collection():
        build.fill()
    built = build.digest()
    position, events = build.position, build.events
    while not build.swap():
        build.fill()
    discard(store, build.old)
    return Rebuilt(name, position, events, built.rows, built.sha256, round(time.perf_counter() - begun, 3))


@contextmanager
def _without_garbage_collection() -> Iterator[None]:
    """Events and accounts hold no cycles; looking for some takes an eighth of the time."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


class Rebuild:
    """The steps of one rebuild. `position`: up to which the new table has the log, `events`: how many that were."""

    def __init__(self, store: Store, name: str) -> None:
        self._store, self._name, self._kind = store, name, KINDS[name]
        self._turns = f"rebuild {name}"  # counted where positions are, so that of two at once only the later goes on
        self._turn = 0
        self.old, self._new = f"{self._kind.table}_old", f"{self._kind.table}_new"
        self._model = self._kind.make(self._new)
        self.position = self.events = 0

    def begin(self) -> None:
        """Take the turn, clear away, create the new table."""
        with self._store.transaction() as database:
            before = self._store.hold_tracking(database, self._turns)
            self._turn = before + 1
            self._store.advance_tracking(database, self._turns, self._turn, before)
        for leftover in (self._new, self.old):
            discard(self._store, leftover)
        with self._store.transaction() as database:
            self._check_turn(database)
            self._model.create(database)

    def fill(self) -> None:
        """Bring the new table up to the log."""
        try:
            self._fill()
        except Exception as error:  # a later rebuild takes this one's table away
            if self._store.tracked(self._turns) != self._turn:
                raise self._superseded() from error
            raise

    def _fill(self) -> None:
        while rows := self._store.select_log(self.position, BATCH):
            self._model.prepare(self._store, rows)
            for entries in readable(rows):
                self._model.apply(entries)
                self.position = entries[-1][0]
                self.events += len(entries)
            if self._model.pending >= ROWS_A_WRITE:
                self._write()
        if self._model.pending:
            self._write()

    def _write(self) -> None:
        with self._store.transaction() as database:
            self._check_turn(database)
            self._model.write(database)

    def digest(self) -> Digest:
        """Of the new table."""
        with self._store.reading() as database:
            return digest(database, self._new, self._kind.columns)

    def swap(self) -> bool:
        """The new table in place of the old one; False where that has got further meanwhile."""
        with self._store.transaction() as database:
            self._check_turn(database)
            followed = self._store.hold_tracking(database, self._name)
            if followed > self.position:
                return False
            if followed < self.position:
                self._store.advance_tracking(database, self._name, self.position, followed)
            replace_table(database, self._kind.table, self._new)
        return True

    def _check_turn(self, database: Database) -> None:
        if self._store.hold_tracking(database, self._turns) != self._turn:
            raise self._superseded()

    def _superseded(self) -> Refused:
        text = f"another rebuild of {self._name} has begun, so this one has ended and changed nothing"
        return Refused("rebuild_superseded", text)
