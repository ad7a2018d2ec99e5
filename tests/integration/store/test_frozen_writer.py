"""A writer that is stopped at any step of its commit blocks nobody, and when it wakes it is refused."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import pytest

from adapters.store.store import migrate, open_store
from application.ports import Commit, DataKey, NewEvent, Position, PositionSwap
from domain.events import account_stream
from tests.support.waiting import wait_until

# a program that commits, and stops itself at the step that is its argument
WRITER = """
import os, signal, sys
from adapters.store import postgres
from adapters.store.store import open_store
from tests.integration.store.test_frozen_writer import batch
url, step = sys.argv[1:]

def stop():
    os.kill(os.getpid(), signal.SIGSTOP)

def then_stop(function):
    def wrapped(*args):
        function(*args)
        stop()
    return wrapped

def stage_half(connection, events):
    data = postgres.copy_rows(events)
    with connection.cursor() as cursor, cursor.copy(postgres.COPY) as copy:
        copy.write(data[:len(data) // 2])
        stop()
        copy.write(data[len(data) // 2:])

match step:
    case "begun": postgres.begin = then_stop(postgres.begin)
    case "in mid-COPY": postgres.stage = stage_half
    case "copied": postgres.stage = then_stop(postgres.stage)
store = open_store(url)
try:
    store.commit(batch(b"of the frozen one"))
    print("committed")
except Exception as error:
    print(type(error).__name__)
store.close()
"""


def batch(state: bytes) -> Commit:
    """The same accounts, usages, positions and keys, whoever writes them."""
    accounts = [account_stream(f"account-{n}") for n in range(10)]
    rows = [NewEvent(accounts[n % 10], n // 10 + 1, "UsageDebited", state * 30, b"%016d" % n) for n in range(3_000)]
    return Commit(rows, [PositionSwap("call-usage", 0, "id", 10, 20)], keys=[DataKey("a", "data", 202611, state)])


@contextmanager
def frozen(url: str, step: str) -> Iterator[subprocess.Popen[str]]:
    """A writer that has stopped at a step, until it is woken."""
    writer = subprocess.Popen([sys.executable, "-c", WRITER, url, step], stdout=subprocess.PIPE, text=True)
    try:
        _, status = os.waitpid(writer.pid, os.WUNTRACED)
        assert os.WIFSTOPPED(status)
        yield writer
    finally:
        writer.kill()
        writer.communicate()


def wake(writer: subprocess.Popen[str]) -> str:
    writer.send_signal(signal.SIGCONT)
    return writer.communicate(timeout=30)[0].strip()


@pytest.mark.parametrize("step", ["begun", "in mid-COPY", "copied"])
@pytest.mark.parametrize("ended", [False, True])
def test_another_takes_over_at_once_and_the_frozen_one_is_refused(postgres: str, step: str, ended: bool) -> None:
    migrate(postgres)
    store = open_store(postgres)
    store.commit(Commit(positions=[PositionSwap("call-usage", 0, "id", None, 10)]))

    with frozen(f"{postgres}?options=-c%20idle_in_transaction_session_timeout%3D1s", step) as writer:
        started = time.monotonic()
        store.commit(batch(b"of the other"))
        waited = time.monotonic() - started
        if ended and step != "in mid-COPY":
            wait_until(lambda: sessions(postgres) == 1, what="the server ends the frozen session")
        outcome = wake(writer)

    assert waited < 5
    assert outcome == ("StoreUnavailable" if ended and step != "in mid-COPY" else "PositionMoved")
    assert {row[4] for row in store.select_log(0, 10_000)} == {b"of the other" * 30}
    assert (store.max_position(), store.positions()) == (3_000, [Position("call-usage", 0, "id", 20)])
    store.close()


def sessions(url: str) -> int:
    with psycopg.connect(url, autocommit=True) as connection:
        [[count]] = connection.execute(
            "SELECT count(*) FROM pg_stat_activity"
            " WHERE datname = current_database() AND application_name = 'commcredits'"
        )
    return int(count)


def test_the_server_ends_a_transaction_that_waits_for_its_client_for_five_seconds(postgres: str) -> None:
    migrate(postgres)
    store = open_store(postgres)
    with store.reading() as database:
        assert database.execute("SHOW idle_in_transaction_session_timeout") == [("5s",)]
    store.close()
