"""Following for ever: woken when the log grows, in several processes, killed at any moment."""

from __future__ import annotations

import random
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from adapters.store.store import migrate, open_store
from adapters.store.watch import watch_log
from application.ports import Store, StoreUnavailable
from commcredits.sandbox.postgres import PostgresServer
from projections import balance, statement
from projections.rebuild import rebuild
from tests.support.history import append, written
from tests.support.read_models import expected, follower, tables
from tests.support.waiting import wait_until


@contextmanager
def following(url: str, batch: int = 20) -> Iterator[subprocess.Popen[str]]:
    """A process that follows; killed where it has not ended by itself."""
    command = [sys.executable, "-m", "tests.support.follow", url, str(batch)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "following\n"
        try:
            yield process
        finally:
            process.kill()


def is_followed(store: Store) -> bool:
    end = store.max_position()
    return store.tracked("balance") == end and store.tracked("statement") == end


def test_a_running_follower_sees_what_comes_and_ends_when_told(store: Store, store_url: str) -> None:
    history = written(store)
    with following(store_url) as process:
        wait_until(lambda: is_followed(store))
        append(store, history.usages(50), 10)
        wait_until(lambda: is_followed(store))
        process.terminate()
        assert process.wait(10) == 0

    assert tables(store) == expected(store)


def test_killed_followers_leave_nothing_half_done(store: Store, store_url: str) -> None:
    history = written(store, usages=20)
    dice = random.Random(4)
    for _ in range(4):
        with following(store_url, batch=3) as process:
            reached = store.tracked("balance")
            append(store, history.usages(150), 30)
            wanted = reached + dice.randrange(1, 150)
            wait_until(lambda wanted=wanted: store.tracked("balance") >= wanted)  # type: ignore[misc]
            process.kill()
            process.wait()

    follower(store).catch_up()
    assert tables(store) == expected(store)


def test_two_processes_and_a_rebuild_at_once_do_no_harm(store: Store, store_url: str) -> None:
    history = written(store, usages=300)
    with following(store_url), following(store_url):
        for name in ("balance", "statement", "balance"):
            append(store, history.usages(100), 5)
            rebuild(store, name)
            append(store, history.usages(100), 5)
        wait_until(lambda: is_followed(store))

    assert tables(store) == expected(store)


def test_a_watch_ends_early_when_the_log_grows(store: Store, store_url: str) -> None:
    watch = watch_log(store_url)
    woken = threading.Event()

    def wait() -> None:
        position = other.max_position()
        while other.max_position() == position:
            watch.wait(60)
        woken.set()
        watch.close()
        other.close()

    other = open_store(store_url)
    watch.wait(0)
    waiting = threading.Thread(target=wait)
    waiting.start()
    history = written(store, usages=0)
    assert woken.wait(10)
    waiting.join()
    assert history.accounts


def test_a_watch_returns_after_its_time(store: Store, store_url: str) -> None:
    watch = watch_log(store_url)
    for _ in range(3):
        watch.wait(0.01)
    watch.close()
    assert store.max_position() == 0


def test_a_follower_goes_on_after_the_server_has_crashed(own_postgres: Callable[..., PostgresServer]) -> None:
    server = own_postgres()
    migrate(server.dsn, [balance.create, statement.create])
    store, watch = open_store(server.dsn), watch_log(server.dsn)
    history = written(store)
    following = follower(store, batch=20)
    following.catch_up(40)
    watch.wait(0)
    server.crash()
    with pytest.raises(StoreUnavailable):
        following.catch_up()
    with pytest.raises(StoreUnavailable):
        watch.wait(5)
    server.start()

    following.catch_up()
    watch.wait(0)
    append(store, history.usages(10))
    watch.wait(60)
    following.catch_up()

    assert tables(store) == expected(store)
    watch.close()
    store.close()
