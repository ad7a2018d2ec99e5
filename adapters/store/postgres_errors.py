"""What PostgreSQL's errors mean for whoever uses the store."""

from typing import Final

import psycopg
from eventsourcing.persistence import OperationalError

from application.ports import PositionMoved, SchemaMissing, StoreError, StoreUnavailable, WriteConflict

POSITIONS_MOVED: Final = "positions are not as expected: "  # in the text of the error that a failed swap provokes

UNIQUE_VIOLATION: Final = "23505"
INVALID_TEXT: Final = "22P02"
READ_ONLY: Final = "25006"  # a standby
NOT_ALLOWED: Final = "42501"
AGAIN: Final = ("40001", "40P01")  # serialization failure, deadlock
NO_TABLE: Final = ("42P01", "42703")  # or no such column


class CommitInDoubt(OperationalError):
    """The connection was lost while the server was asked to commit: it may have, and it may still."""

    def __init__(self, cause: Exception, backend_pid: int) -> None:
        super().__init__(one_line(cause))
        self.backend_pid = backend_pid


class Again(WriteConflict):
    """Two transactions were in each other's way, and this one was rolled back: a second try is likely to do."""


def is_lost(error: psycopg.Error) -> bool:
    """Whether the server ended the session with this error."""
    return error.diag.severity_nonlocalized in ("FATAL", "PANIC")


def store_error(error: Exception) -> StoreError | None:
    """The port's error for one of the driver or of the library (which has the driver's as its cause), if it has one."""
    cause = error if isinstance(error, psycopg.Error) else error.__cause__
    if not isinstance(cause, psycopg.Error):
        return StoreUnavailable(one_line(error)) if isinstance(error, OperationalError) else None
    text = one_line(cause)
    if cause.sqlstate == UNIQUE_VIOLATION:
        if cause.diag.table_name == "positions":
            return PositionMoved("a partition has a position already: another consumer has it now")
        return WriteConflict(text)
    if cause.sqlstate == INVALID_TEXT and POSITIONS_MOVED in text:
        return PositionMoved("a partition's position is not as expected: another consumer has it now")
    if cause.sqlstate in AGAIN:
        return Again(text)
    if cause.sqlstate in NO_TABLE:
        return SchemaMissing(f"the schema is not there ({cause.diag.message_primary}): run `commcredits migrate`")
    if cause.sqlstate == READ_ONLY:
        return StoreUnavailable(f"the database only reads ({text}): does COMMCREDITS_STORE name a standby?")
    if cause.sqlstate == NOT_ALLOWED:
        return StoreUnavailable(f"the database refuses ({text}): connect as the role that ran `commcredits migrate`")
    unavailable = isinstance(cause, psycopg.OperationalError | psycopg.InterfaceError)
    return StoreUnavailable(text) if unavailable or is_lost(cause) else None


def one_line(error: BaseException) -> str:
    """A driver's message, which may have several lines."""
    return "; ".join(line.strip() for line in str(error).splitlines() if line.strip())
