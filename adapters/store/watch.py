"""Waiting for the log to grow: woken by the recorder's NOTIFY on PostgreSQL, by looking often on SQLite.

watch = watch_log(url)
watch.wait(seconds)
"""

import time
from typing import Final, Protocol

SQLITE_POLL_SECONDS: Final = 0.01  # a look costs 50 µs


class Watch(Protocol):
    """Of one log, for one thread."""

    def wait(self, seconds: float) -> None:
        """Returns when the log may have grown since the last call, at the latest after that time."""
        ...

    def close(self) -> None: ...


def watch_log(url: str) -> Watch:
    """Of the store behind `sqlite:///PATH` or `postgresql://…`. Connects when it is first waited for."""
    if url.startswith("sqlite:///"):
        return SQLiteWatch()
    from adapters.store.postgres_watch import PostgresWatch  # not needed, and slow to import, for SQLite

    return PostgresWatch(url)


class SQLiteWatch:
    """There is nobody who could tell: whoever waits looks again after a moment."""

    def wait(self, seconds: float) -> None:
        time.sleep(min(seconds, SQLITE_POLL_SECONDS))

    def close(self) -> None:
        """Nothing is open."""
