"""Connections to PostgreSQL that the library's datastore uses in place of its pool.

No threads: a connection is opened when one is asked for and none is idle, so a server that is back is found at once,
and one that is not there is an error at once. A server that stays silent is given up.
"""

import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final, cast

import psycopg
from psycopg.abc import RV, PQGen
from psycopg.conninfo import conninfo_to_dict
from psycopg.pq import TransactionStatus
from psycopg.rows import DictRow, dict_row
from psycopg.waiting import Wait

APPLICATION: Final = "commcredits"
SILENCE_SECONDS: Final = 60  # longer than lock_timeout: then the server itself says that it is busy

# a peer that is gone is noticed within about 10 seconds, also while a request is on its way
DEFAULTS: Final[dict[str, Any]] = {
    "connect_timeout": 5,
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
    "tcp_user_timeout": 10_000,
}
# a writer that was frozen is ended by the server; waiting writers outlast that; no query here is worth compiling; a
# batch of 10,000 is held and sorted in memory (7 MB; by default PostgreSQL would sort it on disk)
SESSION: Final = (
    "-c idle_in_transaction_session_timeout=5s -c lock_timeout=20s -c jit=off -c work_mem=32MB -c temp_buffers=32MB"
)


class PatientConnection(psycopg.Connection[DictRow]):
    """Waits for an answer, but not for ever: after `silence_seconds` it closes itself and raises OperationalError.

    What is set as `meanwhile` is called once, after the next request was sent and before its answer is waited for.
    """

    silence_seconds: float = SILENCE_SECONDS
    meanwhile: Callable[[], None] | None = None

    def wait(self, gen: PQGen[RV], interval: float = 0.1, timeout: float | None = None) -> RV:
        if self.meanwhile is not None:
            gen, self.meanwhile = _after_sending(gen, self.meanwhile), None
        end = time.monotonic() + self.silence_seconds
        try:
            return super().wait(gen, interval, self.silence_seconds if timeout is None else timeout)
        except psycopg.OperationalError:
            if time.monotonic() >= end:
                self.pgconn.finish()  # what the server still sends would be taken for the next answer
            raise


class Connections:
    """Open connections of one process, given out one user each."""

    def __init__(self, conninfo: str) -> None:
        given = conninfo_to_dict(conninfo)
        options = f"{SESSION} {given.get('options', '')}".strip()
        # the name is how a session whose answer was lost is found and ended
        self._options = {**DEFAULTS, **given, "options": options, "application_name": APPLICATION}
        self._idle: deque[PatientConnection] = deque()

    def open(self, wait: bool = False, timeout: float = 0) -> None:
        """Nothing to do: connections are opened when they are asked for."""

    @contextmanager
    def connection(self) -> Iterator[PatientConnection]:
        """One that is not in a transaction, in autocommit mode. What is left open is rolled back."""
        connection = self._take()
        try:
            yield connection
        finally:
            self._give_back(connection)

    def close(self) -> None:
        """Closes what is idle."""
        while self._idle:
            self._idle.pop().close()

    def _take(self) -> PatientConnection:
        while self._idle:
            connection = self._idle.pop()
            if _is_open(connection):
                return connection
        return PatientConnection.connect(autocommit=True, row_factory=dict_row, **self._options)

    def _give_back(self, connection: PatientConnection) -> None:
        connection.meanwhile = None  # where nothing was sent at all
        status = connection.pgconn.transaction_status
        if status in (TransactionStatus.INTRANS, TransactionStatus.INERROR):
            try:
                connection.rollback()
            except psycopg.Error:
                connection.close()
        elif status != TransactionStatus.IDLE:
            connection.close()
        if not connection.closed:
            self._idle.append(connection)


def _after_sending(gen: PQGen[RV], meanwhile: Callable[[], None]) -> PQGen[RV]:
    """The same request. psycopg's generators say what they wait for, and are told what is ready."""
    wanted = next(gen)
    while wanted == Wait.RW:  # not all of it has been sent
        wanted = gen.send((yield wanted))
    meanwhile()
    while True:
        try:
            wanted = gen.send((yield wanted))
        except StopIteration as end:
            return cast("RV", end.value)


def _is_open(connection: PatientConnection) -> bool:
    """Whether the server has not said good-bye meanwhile (a restart, an administrator). Costs one system call."""
    try:
        connection.pgconn.consume_input()
        connection.pgconn.consume_input()  # the first may have read the good-bye, the second then finds the end
    except psycopg.OperationalError:
        connection.close()
    return not connection.closed
