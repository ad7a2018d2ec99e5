"""Stores for tests: opened by their URL, and what a batch may hold."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID, uuid4

from psycopg.conninfo import conninfo_to_dict

from application.ports import DataKey, Letter, LetterStep, NewEvent, UserRow
from domain.events import AccountClosed, encode_state


def sqlite_environment(url: str) -> dict[str, str]:
    """What the library's SQLite factory is told of a database."""
    return {"SQLITE_DBNAME": url.removeprefix("sqlite:///")}


def postgres_environment(url: str) -> dict[str, str]:
    """What the library's PostgreSQL factory is told of a database, and ours besides."""
    parts = conninfo_to_dict(url)
    names = {"DBNAME": "dbname", "HOST": "host", "PORT": "port", "USER": "user", "PASSWORD": "password"}
    return {f"POSTGRES_{key}": str(parts.get(name, "")) for key, name in names.items()} | {"POSTGRES_CONNINFO": url}


def closed(reason: str = "") -> bytes:
    """The state of a small event; the reason tells one from another."""
    return encode_state(AccountClosed(1, 5, 5, "ana", "cli", reason, ""))


def events(originator: UUID, versions: Sequence[int], reason: str = "") -> list[NewEvent]:
    """Events without usage keys, all on one stream."""
    return [NewEvent(originator, version, "AccountClosed", closed(reason)) for version in versions]


def debit(originator: UUID, version: int, key: bytes) -> NewEvent:
    """An event that holds a usage id."""
    return NewEvent(originator, version, "UsageDebited", b"[]", key)


def letter(letter_id: str, source_key: bytes = b"", kind: str = "kafka") -> Letter:
    """An open dead letter."""
    source = (kind, "call-usage", 3, 1 << 40)
    return Letter(
        id=letter_id,
        reason="no_rate",
        field="callee",
        message="no rate for +999",
        account="contoso",
        usage_id="u-1",
        source=source,
        format="usage",
        source_key=source_key or letter_id.encode(),
        key_month=202611,
        sealed=b"\0sealed\xff",
        recorded_at=1_795_000_000_000_000,
    )


def step(of: Letter, number: int = 1, status: str = "discarded", source_key: bytes = b"") -> LetterStep:
    """A try to settle a letter."""
    return LetterStep(
        letter=of.id,
        number=number,
        at=1_795_000_001_000_000,
        by="ana",
        action="discard" if status == "discarded" else "retry",
        fields=("callee", "a, b"),
        sealed=b"\0values",
        was=of.reason,
        reason="ambiguous_rate" if status == "open" else of.reason,
        field="callee",
        message="two prices",
        status=status,
        note="seen",
        source_key=source_key or of.source_key,
    )


def key(account: str, month: int = 202611, wrapped: bytes = b"wrapped") -> DataKey:
    """A data key."""
    return DataKey(account, "data", month, wrapped)


def user(account: str, pseudonym: str, lookup: bytes) -> UserRow:
    """A user's row."""
    return UserRow(account, pseudonym, lookup, b"sealed " + pseudonym.encode())


def stream() -> UUID:
    """A fresh originator."""
    return uuid4()
