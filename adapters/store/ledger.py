"""What the stores have in common, whatever the database."""

import gc
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Any, Final
from uuid import UUID

from eventsourcing.persistence import IntegrityError, Tracking

from adapters.store.schema import LETTER_COLUMNS, STEP_COLUMNS, letter_of, step_of
from application.ports import Database, Letter, LetterStep, NewEvent, Position, WriteConflict
from domain.events import Recorded, UsageDebited, decode_state

NO_LIMIT: Final = 2**62

Stream = tuple[bytes | None, int, list[Recorded]]
LogRow = tuple[int, UUID, int, str, bytes]


@contextmanager
def collector_paused() -> Iterator[None]:
    """While many objects are made that are all kept: looking for cyclic garbage among them took as long as they did."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def without_usage(topics: Sequence[str]) -> bool:
    """Whether events of these topics have no usage key: then a small index finds them in a log of millions."""
    return UsageDebited.__name__ not in topics


class LedgerStore(ABC):
    """What of application.ports.Store is the same on both; a subclass knows its recorder, its SQL and its errors."""

    recorder: Any  # the library's, as the subclass has it
    snapshots: Any

    @abstractmethod
    def asking(self) -> AbstractContextManager[Database]:
        """For one question, at the least cost."""

    @abstractmethod
    def answering(self) -> AbstractContextManager[None]:
        """Within it, what the library and the driver raise becomes a StoreError."""

    @abstractmethod
    def key(self, originator_id: UUID) -> Any:
        """An originator's id as the tables have it."""

    @abstractmethod
    def hold_tracking(self, database: Database, name: str) -> int:
        """The position of a projection, which no other transaction can move until this one ends."""

    def select_events(self, originator_id: UUID, gt: int = 0, lte: int | None = None) -> list[Recorded]:
        """An originator's events after version `gt`, in order."""
        sql = (
            "SELECT originator_version, topic, state FROM stored_events WHERE originator_id = ?"
            " AND originator_version > ? AND originator_version <= ? ORDER BY originator_version"
        )
        with self.asking() as database:
            rows = database.execute(sql, (self.key(originator_id), gt, NO_LIMIT if lte is None else lte))
        return [Recorded(originator_id, version, decode_state(topic, state)) for version, topic, state in rows]

    def put_snapshots(self, snapshots: Iterable[tuple[UUID, int, str, bytes]]) -> None:
        """Replaces the snapshots of their originators: id, version, topic, state."""
        with self.answering():
            self.snapshots.replace([NewEvent(*each) for each in snapshots])

    def max_position(self) -> int:
        """The newest position of the log, 0 when empty."""
        with self.answering():
            return self.recorder.max_notification_id() or 0

    def tracked(self, name: str) -> int:
        """How far a projection has got, 0 when not begun."""
        with self.answering():
            return self.recorder.max_tracking_id(name) or 0

    def advance_tracking(self, database: Any, name: str, position: int, expected: int) -> None:
        """Moves a projection from `expected` to `position`. Raises WriteConflict when another one did."""
        found = self.hold_tracking(database, name)
        if found != expected:
            raise WriteConflict(f"{name} is at {found}, not at {expected}: another process applies the log, too")
        try:
            self.recorder._insert_tracking(database.cursor, Tracking(name, position))
        except IntegrityError as error:
            raise WriteConflict(str(error)) from error

    def positions(self) -> list[Position]:
        """Where the database has got to in each partition."""
        with self.asking() as database:
            rows = database.execute("SELECT topic, partition, topic_id, reached, miskeyed FROM positions ORDER BY 1, 2")
        return [Position(*row) for row in rows]

    def letters(
        self, *, ids: Sequence[str] = (), reason: str = "", status: str = "", after: str = "", limit: int = 1000
    ) -> list[Letter]:
        """Dead letters in order of id: those of `ids`, or those after an id with that reason and status."""
        select = f"SELECT {LETTER_COLUMNS} FROM dead_letters WHERE "  # noqa: S608
        with self.asking() as database:
            if ids:
                rows = [row for each in sorted(set(ids)) for row in database.execute(f"{select} id = ?", (each,))]
            else:
                wanted = {"id > ?": after, "reason = ?": reason, "status = ?": status}
                given = {condition: value for condition, value in wanted.items() if value}
                where = " AND ".join(given or ["true"])
                rows = database.execute(f"{select} {where} ORDER BY id LIMIT ?", (*given.values(), limit))
        return [letter_of(row) for row in rows]

    def open_letters(self) -> dict[str, int]:
        """How many dead letters are open, by reason."""
        sql = "SELECT reason, count(*) FROM dead_letters WHERE status = 'open' GROUP BY reason ORDER BY reason"
        with self.asking() as database:
            return dict(database.execute(sql))

    def letter_steps(self, letter_id: str) -> list[LetterStep]:
        """What was tried to settle a letter, in order."""
        sql = f"SELECT {STEP_COLUMNS} FROM dead_letter_steps WHERE letter = ? ORDER BY number"  # noqa: S608
        with self.asking() as database:
            return [step_of(row) for row in database.execute(sql, (letter_id,))]

    def deck_content(self, deck: str, version: int) -> bytes:
        """The compressed rates of a version; KeyError where there is none."""
        with self.asking() as database:
            sql = "SELECT content FROM deck_contents WHERE deck = ? AND version = ?"
            for [content] in database.execute(sql, (deck, version)):
                return bytes(content)
        raise KeyError((deck, version))
