"""What the use cases need from the outside: the store's side of one commit, and what can be read back.

One `Commit` is one database transaction: events with their usage ids, the Kafka positions they came from, dead letters,
keys of personal data and pseudonyms. Either all of it is there afterwards or nothing.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from contextlib import AbstractContextManager
from typing import Any, NamedTuple, Protocol
from uuid import UUID

import msgspec

from domain.events import Recorded


class NewEvent(msgspec.Struct, frozen=True, gc=False):
    """A row for the log. `usage_key` (16 bytes, unique where present) only on debits."""

    originator_id: UUID
    originator_version: int
    topic: str
    state: bytes
    usage_key: bytes | None = None


class StoredUsage(NamedTuple):
    """An event found by its usage key."""

    position: int
    originator_id: UUID
    originator_version: int
    state: bytes


class PositionSwap(NamedTuple):
    """Compare-and-swap of one partition's position: from `expected` (None: the first ever) to `reached`.

    The stored topic id must be `topic_id`; where an operator accepts a topic made anew, `stored_topic_id` is the old
    one.
    """

    topic: str
    partition: int
    topic_id: str
    expected: int | None
    reached: int
    stored_topic_id: str = ""  # empty: the same as topic_id
    miskeyed: int = 0  # messages on the way that were keyed otherwise than by their account


class Position(NamedTuple):
    """Where the database has got to in one partition; `reached` is the next offset to read."""

    topic: str
    partition: int
    topic_id: str
    reached: int
    miskeyed: int = 0  # messages so far that were keyed otherwise than by their account


class DataKey(NamedTuple):
    """A wrapped key: purpose `data` (account and month of usage) or `lookup` (account; month 0)."""

    account: str  # account id, or "-" where none is known
    purpose: str
    month: int  # year * 100 + month, UTC; 0 for keys without a month
    wrapped: bytes


class UserRow(NamedTuple):
    """A pseudonym's erasable link to a name. `lookup` is a keyed hash of the casefolded name."""

    account: str
    pseudonym: str
    lookup: bytes
    sealed_name: bytes


class Letter(msgspec.Struct, frozen=True):
    """A dead letter: a record that could not be taken, kept whole (encrypted) with reason and source."""

    id: str
    reason: str
    field: str
    message: str
    account: str  # "" where none is known
    usage_id: str
    source: tuple[str, str, int, int]
    format: str  # of `sealed`'s content, so that a retry decodes it as it came
    source_key: bytes  # unique among open letters (files) or ever (kafka): the same record is stored once
    key_month: int  # month of receipt: the data key that seals it
    sealed: bytes
    recorded_at: int
    status: str = "open"  # open, retried, discarded
    note: str = ""
    resolved_at: int | None = None
    resolved_by: str = ""
    steps: int = 0  # how often somebody has tried to settle it


class LetterStep(msgspec.Struct, frozen=True):
    """One try to settle a letter, and what the letter is from then on.

    Kept for ever, unique by letter and number: of two who settle one letter at once the second is refused.
    """

    letter: str
    number: int  # from 1: the letter's `steps` as it was read, and one more
    at: int
    by: str
    action: str  # retry, discard
    fields: tuple[str, ...]  # of the record, that the retry has changed; what they were changed to is personal data
    sealed: bytes  # their new values, a JSON object, under the letter's key; b"" where nothing was changed
    was: str  # the letter's reason before
    reason: str  # why it is still open, else as it was
    field: str
    message: str
    status: str  # open, retried, discarded
    note: str
    source_key: bytes  # the letter's from now on, unless another open letter has it


class Commit(msgspec.Struct):
    """Everything one transaction writes."""

    events: Sequence[NewEvent] = ()
    positions: Sequence[PositionSwap] = ()
    letters: Sequence[Letter] = ()  # a letter whose source_key is there already is not stored twice
    letter_steps: Sequence[LetterStep] = ()  # each kept, and its letter changed; WriteConflict where one is there
    keys: Sequence[DataKey] = ()
    users: Sequence[UserRow] = ()
    deck_contents: Sequence[tuple[str, int, bytes]] = ()  # deck, version, compressed canonical NDJSON


class StoreError(Exception):
    """Base of what a store may answer."""


class WriteConflict(StoreError):
    """Somebody else wrote first: an event's version, a usage key, a data key or a pseudonym is taken.

    Load anew, decide again.
    """


class PositionMoved(StoreError):
    """A partition's position is not what was expected: another consumer owns it now. Drop the batch."""


class StoreUnavailable(StoreError):
    """The store cannot be reached, is full, or did not answer in time. Nothing was written as far as is known."""


class SchemaMissing(StoreError):
    """The schema is not there or is older than this program needs: run `commcredits migrate`."""


class Database(Protocol):
    """A transaction's cursor for SQL that is the same on every store: `?` marks parameters."""

    dialect: str  # "sqlite" or "postgresql"

    def execute(self, sql: str, params: Sequence[Any] = ()) -> list[tuple[Any, ...]]: ...
    def executemany(self, sql: str, rows: Iterable[Sequence[Any]]) -> None: ...
    def copy_rows(self, table: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
        """Bulk insert: COPY on PostgreSQL, executemany on SQLite."""
        ...


class Store(Protocol):
    """The event store with what commits beside the events. One per process and thread."""

    def commit(self, commit: Commit, meanwhile: Callable[[], None] | None = None) -> None:
        """Write it all in one transaction. Raises WriteConflict, PositionMoved, StoreUnavailable.

        `meanwhile` may be called while a server commits what it has been sent whole; it must not raise.
        """
        ...

    def select_events(self, originator_id: UUID, gt: int = 0, lte: int | None = None) -> list[Recorded]: ...

    def load_streams(self, originators: Sequence[UUID]) -> Mapping[UUID, tuple[bytes | None, int, list[Recorded]]]:
        """In bulk: per originator its newest snapshot's state (or None), its version (0), and the events after it."""
        ...

    def taken_versions(self, wanted: Mapping[UUID, int]) -> Set[UUID]:
        """Those originators that have an event of that version already."""
        ...

    def put_snapshots(self, snapshots: Iterable[tuple[UUID, int, str, bytes]]) -> None:
        """Replace snapshots: originator, version, topic, state. Outside any commit; losing them only costs time."""
        ...

    def max_position(self) -> int:
        """The newest position of the log, 0 when empty."""
        ...

    def select_log(
        self, after: int, limit: int, upto: int | None = None, topics: Sequence[str] = ()
    ) -> list[tuple[int, UUID, int, str, bytes]]:
        """Rows (position, originator, version, topic, state) after a position, in order; positions may have holes."""
        ...

    def count_log(self, after: int) -> int:
        """How many events the log has after a position."""
        ...

    def find_usages(self, keys: Sequence[bytes]) -> Mapping[bytes, StoredUsage]: ...

    def positions(self) -> list[Position]: ...

    def data_keys(self, wanted: Sequence[tuple[str, str, int]]) -> Mapping[tuple[str, str, int], bytes]: ...

    def users(self, wanted: Sequence[tuple[str, bytes]]) -> Mapping[tuple[str, bytes], str]:
        """Pseudonyms by (account, lookup)."""
        ...

    def user_names(self, pseudonyms: Sequence[str]) -> Mapping[str, tuple[str, bytes]]:
        """(account, sealed name) by pseudonym; an erased one is absent."""
        ...

    def letters(
        self, *, ids: Sequence[str] = (), reason: str = "", status: str = "", after: str = "", limit: int = 1000
    ) -> list[Letter]:
        """Dead letters in order of id (ids sort by time of receipt)."""
        ...

    def open_letters(self) -> Mapping[str, int]:
        """How many dead letters are open, by reason."""
        ...

    def letter_steps(self, letter_id: str) -> list[LetterStep]:
        """What was tried to settle a letter, in order."""
        ...

    def deck_content(self, deck: str, version: int) -> bytes:
        """The compressed rates of a version that is on the log. KeyError where there is none."""
        ...

    def transaction(self) -> AbstractContextManager[Database]:
        """A read-write transaction for read models and tracking (projections own their SQL).

        Raises WriteConflict where another one was first (or on a deadlock): the caller begins again.
        """
        ...

    def reading(self) -> AbstractContextManager[Database]:
        """A consistent view for reading; waits for no writer."""
        ...

    def advance_tracking(self, database: Database, name: str, position: int, expected: int) -> None:
        """Move a projection's row in the library's tracking table from `expected` (as `tracked` told; 0: none) forward.

        Call it first in the transaction: raises WriteConflict when another applier was first, and holds others back
        until the transaction ends. A higher position alone would not do: the other may have applied less than this one.
        """
        ...

    def hold_tracking(self, database: Database, name: str) -> int:
        """A projection's position, which no other transaction can move before this one has ended."""
        ...

    def tracked(self, name: str) -> int: ...

    def close(self) -> None: ...
