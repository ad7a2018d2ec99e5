"""Waiting for the log to grow: woken by the recorder's NOTIFY on PostgreSQL, by looking often on SQLite.

watch = watch_log(url)
watch.wait(seconds)
"""

import time
from contextlib import ExitStack
from typing import TYPE_CHECKING, Final, Protocol

if TYPE_CHECKING:
    from adapters.store.connections import PatientConnection

SQLITE_POLL_SECONDS: Final = 0.01  # a look costs 50 µs
LISTEN: Final = "LISTEN stored_events"  # the library names the channel after the recorder's table


class Watch(Protocol):
    """Of one log, for one thread."""

    def wait(self, seconds: float) -> None:
        """Returns when the log may have grown since the last call, at the latest after that time."""
        ...

    def close(self) -> None: ...


def watch_log(url: str) -> Watch:
    """Of the store behind `sqlite:///PATH` or `postgresql://…`. Connects when it is first waited for."""
    return SQLiteWatch() if url.startswith("sqlite:///") else PostgresWatch(url)


class SQLiteWatch:
    """There is nobody who could tell: whoever waits looks again after a moment."""

    def wait(self, seconds: float) -> None:
        time.sleep(min(seconds, SQLITE_POLL_SECONDS))

    def close(self) -> None:
        """Nothing is open."""


class PostgresWatch:
    """A connection that listens. When it is lost, `wait` raises StoreUnavailable, and the next one connects anew."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._opened = ExitStack()
        self._connection: PatientConnection | None = None

    def wait(self, seconds: float) -> None:
        import psycopg  # not needed, and slow to import, for SQLite

        from adapters.store.postgres_errors import store_error

        try:
            if self._connection is None:
                self._connection = self._listen()  # and look at once: what came before it was not heard
                return
            for _ in self._connection.notifies(timeout=seconds, stop_after=1):
                continue
        except psycopg.Error as error:
            self.close()
            raise store_error(error) or error from error

    def _listen(self) -> "PatientConnection":
        from adapters.store.connections import Connections

        connections = Connections(self._url)
        self._opened.callback(connections.close)
        connection = self._opened.enter_context(connections.connection())
        connection.execute(LISTEN)
        return connection

    def close(self) -> None:
        """Stops listening."""
        self._connection = None
        self._opened.close()
