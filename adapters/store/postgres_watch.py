"""Waiting for the log to grow on PostgreSQL: its recorder notifies a channel at each commit."""

from contextlib import ExitStack
from typing import Final

import psycopg

from adapters.store.connections import Connections, PatientConnection
from adapters.store.postgres_errors import store_error

LISTEN: Final = "LISTEN stored_events"  # the library names the channel after the recorder's table


class PostgresWatch:
    """A connection that listens. When it is lost, `wait` raises StoreUnavailable, and the next one connects anew."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._opened = ExitStack()
        self._connection: PatientConnection | None = None

    def wait(self, seconds: float) -> None:
        try:
            if self._connection is None:
                self._connection = self._listen()  # and look at once: what came before it was not heard
                return
            for _ in self._connection.notifies(timeout=seconds, stop_after=1):
                continue
        except psycopg.Error as error:
            self.close()
            raise store_error(error) or error from error

    def _listen(self) -> PatientConnection:
        connections = Connections(self._url)
        self._opened.callback(connections.close)
        connection = self._opened.enter_context(connections.connection())
        connection.execute(LISTEN)
        return connection

    def close(self) -> None:
        """Stops listening."""
        self._connection = None
        self._opened.close()
