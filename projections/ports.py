"""What read models need of the store; its errors pass through. `application.ports.Store` offers all of it."""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any, Protocol
from uuid import UUID

from domain.events import Recorded
from projections.log import Entry, LogRow


class Database(Protocol):
    """A transaction; `?` marks parameters on every store."""

    dialect: str  # "sqlite" or "postgresql"

    def execute(self, sql: str, params: Sequence[Any] = ()) -> list[tuple[Any, ...]]: ...
    def executemany(self, sql: str, rows: Iterable[Sequence[Any]]) -> None: ...
    def copy_rows(self, table: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None: ...


class Store(Protocol):
    """The log, the library's tracking of it, and transactions for tables of one's own."""

    def max_position(self) -> int:
        """The newest position of the log, 0 when empty."""
        ...

    def select_log(self, after: int, limit: int, upto: int | None = None) -> list[LogRow]:
        """Rows after a position, in order; positions may have holes, and none is ever filled later."""
        ...

    def load_streams(self, originators: Sequence[UUID]) -> Mapping[UUID, tuple[bytes | None, int, list[Recorded]]]:
        """Per originator: its newest snapshot's state (or None), its version (0), and the events after it."""
        ...

    def count_log(self, after: int) -> int:
        """How many events the log has after a position."""
        ...

    def transaction(self) -> AbstractContextManager[Database]:
        """Read and write, committed as a whole."""
        ...

    def reading(self) -> AbstractContextManager[Database]:
        """A consistent view; waits for no writer."""
        ...

    def tracked(self, name: str) -> int:
        """The position a follower of the log has reached, 0: none."""
        ...

    def hold_tracking(self, database: Database, name: str) -> int:
        """The same, and no other transaction can move it before this one has ended."""
        ...

    def advance_tracking(self, database: Database, name: str, position: int, expected: int) -> None:
        """Move it forward, from `expected`."""
        ...


class ReadModel(Protocol):
    """Rows made of the log's events, the same bytes however the events are batched.

    `prepare` reads what the events of some rows of the log need, `apply` gathers in memory, `write` puts what was
    gathered into the table. After an error `forget` drops what is in memory.
    """

    name: str

    @property
    def pending(self) -> int:
        """Rows that wait to be written."""
        ...

    def create(self, database: Database) -> None: ...
    def prepare(self, store: Store, rows: Sequence[LogRow]) -> None: ...
    def apply(self, entries: Sequence[Entry]) -> None: ...
    def write(self, database: Database) -> None: ...
    def forget(self) -> None: ...
