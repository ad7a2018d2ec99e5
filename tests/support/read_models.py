"""Read models as tests see them: what is in the tables, and what must be."""

from __future__ import annotations

from typing import Any

import orjson

from application.ports import Store
from domain.account import CreditAccount, dump_account
from domain.events import FundsAdded, UsageDebited, account_stream, decode_state
from domain.named import entry_view
from projections import balance, statement
from projections.balance import Balances
from projections.runner import Follower
from projections.statement import Statement
from projections.tables import Digest, digest


def follower(store: Store, batch: int = 5_000, capacity: int = 20_000) -> Follower:
    """Of both read models."""
    return Follower(store, [Balances(capacity=capacity), Statement()], batch)


def digests(store: Store) -> tuple[Digest, Digest]:
    """Of the balances and of the statement."""
    with store.reading() as database:
        return (
            digest(database, balance.TABLE, balance.COLUMNS),
            digest(database, statement.TABLE, statement.COLUMNS),
        )


def tables(store: Store) -> tuple[list[tuple[Any, ...]], list[tuple[Any, ...]]]:
    """All rows of both, in order of their keys."""
    with store.reading() as database:
        return (
            database.execute(f"SELECT stream, account, position, state FROM {balance.TABLE} ORDER BY stream"),
            database.execute(f"SELECT position, stream, occurred_at, line FROM {statement.TABLE} ORDER BY position"),
        )


def expected(store: Store) -> tuple[list[tuple[Any, ...]], list[tuple[Any, ...]]]:
    """The rows as the log says, event by event."""
    accounts: dict[bytes, CreditAccount] = {}
    last: dict[bytes, int] = {}
    lines = []
    for position, stream, version, topic, state in store.select_log(0, 1 << 40):
        event = decode_state(topic, state)
        if topic in ("DeckImported", "GapAccepted"):
            continue
        accounts.setdefault(stream.bytes, CreditAccount()).apply(event, version)
        last[stream.bytes] = position
        if isinstance(event, UsageDebited | FundsAdded):
            line = orjson.dumps(entry_view("main", position, event), default=lambda amount: format(amount, "f"))
            lines.append((position, stream.bytes, event.occurred_at, line.decode()))
    rows = [(key, each.account_id, last[key], dump_account(each)) for key, each in sorted(accounts.items())]
    assert all(key == account_stream(account_id).bytes for key, account_id, _, _ in rows)
    return rows, lines


def clear(store: Store) -> None:
    """As if nothing had been followed yet."""
    with store.transaction() as database:
        database.execute(f"DELETE FROM {balance.TABLE}")
        database.execute(f"DELETE FROM {statement.TABLE}")
        tracking = "tracking" if database.dialect == "sqlite" else "notification_tracking"
        database.execute(f"DELETE FROM {tracking} WHERE application_name IN ('balance', 'statement')")
