"""Locks of another session that keep a consumer on PostgreSQL from getting further."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import LiteralString

import psycopg

from tests.support.waiting import wait_until

WAITING = "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 'stored_events'::regclass"


@contextmanager
def log_locked(url: str, mode: LiteralString) -> Iterator[Callable[[], None]]:
    """A consumer that has a batch in hand gets no further. Gives a wait for that."""
    with psycopg.connect(url) as holder, psycopg.connect(url, autocommit=True) as watcher:
        holder.execute(f"LOCK TABLE stored_events IN {mode} MODE")

        def stuck() -> bool:
            return watcher.execute(WAITING).fetchone() != (0,)

        yield lambda: wait_until(stuck, what="a consumer with a batch in hand")
