"""Servers that go away, answers that are lost, locks, a full disk: an error that is true, and no row twice."""

from __future__ import annotations

import contextlib
import os
import signal
import sqlite3
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from uuid import UUID, uuid4

import psycopg
import pytest

from adapters.store import postgres_store, sqlite_store
from adapters.store.connections import PatientConnection
from adapters.store.store import migrate, open_store
from application.ports import Commit, Position, PositionSwap, Store, StoreUnavailable, WriteConflict
from commcredits.sandbox.postgres import PostgresServer
from tests.support.cutting import Cut, CuttingProxy
from tests.support.stores import events, key, letter, step, stream, user
from tests.support.waiting import wait_until


def versions(store: Store, account: UUID) -> list[int]:
    return [each.originator_version for each in store.select_events(account)]


@pytest.fixture
def ledger(postgres: str) -> Iterator[Store]:
    migrate(postgres)
    store = open_store(postgres)
    yield store
    store.close()


@pytest.fixture
def proxy(postgres: str) -> Iterator[CuttingProxy]:
    migrate(postgres)
    with CuttingProxy(postgres) as through:
        yield through


@pytest.fixture
def far(proxy: CuttingProxy) -> Iterator[Store]:
    """A store behind a line that may be cut."""
    store = open_store(proxy.url)
    yield store
    store.close()


COMMITS = {
    "events": lambda account: Commit(events=events(account, [1]), letters=[letter("l1")]),
    "positions": lambda account: Commit(positions=[PositionSwap("t", 0, "id", None, 9)]),
    "letters": lambda account: Commit(letters=[letter("l2")]),
    "steps": lambda account: Commit(letter_steps=[step(letter("l0"))]),
    "keys": lambda account: Commit(keys=[key("contoso")]),
    "users": lambda account: Commit(users=[user("contoso", "p1", b"look")]),
}


def everything(store: Store, account: UUID) -> tuple[object, ...]:
    return (
        versions(store, account),
        store.positions(),
        store.letters(),
        store.letter_steps("l0"),
        store.data_keys([("contoso", "data", 202611)]),
        store.users([("contoso", b"look")]),
    )


@pytest.mark.parametrize("part", COMMITS)
def test_a_commit_whose_answer_was_lost_is_found_done(proxy: CuttingProxy, far: Store, part: str) -> None:
    account = stream()
    far.commit(Commit(letters=[letter("l0")]))
    before = everything(far, account)
    proxy.cut = Cut.BEFORE_ANSWER

    far.commit(COMMITS[part](account))

    assert everything(far, account) != before


@pytest.mark.parametrize("part", COMMITS)
def test_a_commit_that_never_reached_the_server_is_found_not_done(proxy: CuttingProxy, far: Store, part: str) -> None:
    account = stream()
    far.commit(Commit(letters=[letter("l0")]))
    before = everything(far, account)
    proxy.cut = Cut.BEFORE_REQUEST

    with pytest.raises(StoreUnavailable, match="nothing was written"):
        far.commit(COMMITS[part](account))

    assert everything(far, account) == before
    far.commit(COMMITS[part](account))
    assert everything(far, account) != before


def test_a_commit_that_the_server_has_yet_to_begin_is_ended_first(
    proxy: CuttingProxy, far: Store, postgres: str
) -> None:
    account = stream()
    proxy.cut = Cut.AFTER_REQUEST

    with psycopg.connect(postgres) as other:
        other.execute("LOCK TABLE stored_events IN EXCLUSIVE MODE")
        with pytest.raises(StoreUnavailable, match="nothing was written"):
            far.commit(Commit(events=events(account, [1])))
        other.rollback()  # now it could have gone on, had it not been ended

    far.commit(Commit(events=events(account, [1], "again")))
    assert versions(far, account) == [1]


def test_a_database_that_only_reads_says_so(postgres: str, ledger: Store) -> None:
    with psycopg.connect(postgres, autocommit=True) as other:
        other.execute(f'ALTER DATABASE "{other.info.dbname}" SET default_transaction_read_only = on')
    with (
        contextlib.closing(open_store(postgres)) as standby,
        pytest.raises(StoreUnavailable, match=r"only reads .* standby"),
    ):
        standby.commit(Commit(events=events(stream(), [1])))


def test_a_role_without_rights_is_refused_in_words_that_help(postgres: str, ledger: Store) -> None:
    role = f"nobody_{uuid4().hex}"
    with psycopg.connect(postgres, autocommit=True) as other:
        other.execute(f"CREATE ROLE {role} LOGIN")
        try:
            with pytest.raises(StoreUnavailable, match=r"permission denied .* the role that ran"):
                open_store(postgres.replace("postgres@", f"{role}@")).close()
        finally:
            other.execute(f"DROP ROLE {role}")


@pytest.fixture
def impatient(
    own_postgres: Callable[..., PostgresServer], monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[Store, psycopg.Connection]]:
    """A store that waits for an answer for less than a second, and another session on its server."""
    monkeypatch.setattr(PatientConnection, "silence_seconds", 0.5)
    monkeypatch.setattr(postgres_store, "DOUBT_SECONDS", 0.5)
    monkeypatch.setattr(postgres_store, "END_BACKEND_MS", 100)
    server = own_postgres()
    migrate(server.dsn)
    store = open_store(server.dsn)
    with psycopg.connect(server.dsn) as other:
        yield store, other
    store.close()


def test_a_server_that_stays_silent_is_given_up(impatient: tuple[Store, psycopg.Connection]) -> None:
    store, other = impatient
    account = stream()
    store.commit(Commit(events=events(account, [1])))
    with stopped_backend(other), pytest.raises(StoreUnavailable, match="timeout"):
        store.commit(Commit(events=events(account, [2])))

    store.commit(Commit(events=events(account, [2])))
    assert versions(store, account) == [1, 2]


def test_what_is_not_known_is_said(impatient: tuple[Store, psycopg.Connection]) -> None:
    store, other = impatient
    account = stream()
    store.commit(Commit(events=events(account, [1])))
    other.execute("LOCK TABLE stored_events IN EXCLUSIVE MODE")
    with ThreadPoolExecutor() as pool:
        done = pool.submit(store.commit, Commit(events=events(account, [2])))
        wait_until(lambda: waiting(other) == 1)
        with stopped_backend(other), pytest.raises(StoreUnavailable, match="not known"):
            done.result(timeout=30)
    other.rollback()


@contextlib.contextmanager
def stopped_backend(other: psycopg.Connection) -> Iterator[None]:
    """The store's session on the server is frozen meanwhile."""
    [[pid]] = other.execute("SELECT pid FROM pg_stat_activity WHERE application_name = 'commcredits'")
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


def test_a_deadlock_is_tried_again(ledger: Store, postgres: str) -> None:
    with psycopg.connect(postgres, options="-c deadlock_timeout=60s") as other:  # so that the store's is the one to end
        other.execute("INSERT INTO users VALUES ('contoso', 'p1', 'look', 'name')")
        with ThreadPoolExecutor() as pool:
            done = pool.submit(ledger.commit, Commit(keys=[key("contoso")], users=[user("contoso", "p1", b"look")]))
            wait_until(lambda: waiting(other) == 1)
            other.execute("INSERT INTO data_keys VALUES ('contoso', 'data', 202611, 'key')")
            other.rollback()
            done.result(timeout=30)

    assert ledger.users([("contoso", b"look")]) == {("contoso", b"look"): "p1"}


def waiting(session: psycopg.Connection) -> int:
    [[count]] = session.execute("SELECT count(*) FROM pg_locks WHERE NOT granted")
    return int(count)


@pytest.mark.parametrize(("failures", "in_the_end"), [(2, [1]), (99, [])])
def test_a_serialization_failure_is_tried_again_but_not_for_ever(
    ledger: Store, failures: int, in_the_end: list[int]
) -> None:
    account = stream()
    with ledger.transaction() as database:
        database.execute("CREATE SEQUENCE tries")
        database.execute(
            f"""CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
                IF nextval('tries') <= {failures} THEN RAISE EXCEPTION 'injected' USING ERRCODE = '40001'; END IF;
                RETURN NEW; END $$"""
        )
        database.execute("CREATE TRIGGER fail BEFORE INSERT ON stored_events FOR EACH ROW EXECUTE FUNCTION fail()")

    with contextlib.suppress(WriteConflict) if not in_the_end else contextlib.nullcontext():
        ledger.commit(Commit(events=events(account, [1])))

    assert versions(ledger, account) == in_the_end


def test_a_writer_that_waits_too_long_for_the_log_says_so(postgres: str) -> None:
    migrate(postgres)
    store = open_store(f"{postgres}?options=-c%20lock_timeout%3D100ms")
    with psycopg.connect(postgres) as other:
        other.execute("LOCK TABLE stored_events IN EXCLUSIVE MODE")
        with pytest.raises(StoreUnavailable, match="lock timeout"):
            store.commit(Commit(events=events(stream(), [1])))
    store.close()


def test_a_vacuum_does_not_hold_a_writer_up(ledger: Store, postgres: str) -> None:
    account = stream()
    with psycopg.connect(postgres) as vacuum:
        vacuum.execute("LOCK TABLE stored_events IN SHARE UPDATE EXCLUSIVE MODE")  # as VACUUM and ANALYZE do
        ledger.commit(Commit(events=events(account, [1])))

        assert versions(ledger, account) == [1]


def test_a_writer_and_a_recorder_of_the_librarys_own_wait_for_each_other(ledger: Store, postgres: str) -> None:
    account = stream()
    with psycopg.connect(postgres) as stock, ThreadPoolExecutor() as pool:
        stock.execute("LOCK TABLE stored_events IN EXCLUSIVE MODE")  # as the library does
        done = pool.submit(ledger.commit, Commit(events=events(account, [1])))
        wait_until(lambda: waiting(stock) == 1)
        stock.execute("INSERT INTO stored_events VALUES (gen_random_uuid(), 1, 'AccountClosed', '[]')")
        stock.commit()
        done.result(timeout=30)

    assert [row[1] == account for row in ledger.select_log(0, 10)] == [False, True]


def test_a_session_that_was_ended_meanwhile_is_replaced(ledger: Store, postgres: str) -> None:
    account = stream()
    ledger.commit(Commit(events=events(account, [1])))
    with psycopg.connect(postgres, autocommit=True) as other:
        other.execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
            " WHERE datname = current_database() AND application_name = 'commcredits'"
        )

    ledger.commit(Commit(events=events(account, [2])))

    assert versions(ledger, account) == [1, 2]


def test_a_store_finds_its_server_again(own_postgres: Callable[..., PostgresServer]) -> None:
    server = own_postgres()
    migrate(server.dsn)
    store, account = open_store(server.dsn), stream()
    store.commit(Commit(events=events(account, [1])))

    server.crash()
    with pytest.raises(StoreUnavailable):
        store.commit(Commit(events=events(account, [2])))
    with pytest.raises(StoreUnavailable):
        store.select_events(account)
    with pytest.raises(StoreUnavailable):
        open_store(server.dsn)
    server.start()

    store.commit(Commit(events=events(account, [2])))
    assert versions(store, account) == [1, 2]
    store.close()


def test_what_was_said_of_each_commit_is_true_after_crashes(own_postgres: Callable[..., PostgresServer]) -> None:
    server = own_postgres()
    migrate(server.dsn)
    written: list[UUID] = []
    refused: list[UUID] = []
    stop = threading.Event()

    def write() -> None:
        store = open_store(server.dsn)
        while not stop.is_set():
            account = stream()
            try:
                store.commit(Commit(events=events(account, range(1, 301))))
                written.append(account)
            except StoreUnavailable as error:
                if "not known" not in str(error):
                    refused.append(account)
        store.close()

    writers = [threading.Thread(target=write) for _ in range(2)]
    for writer in writers:
        writer.start()
    for ending in (server.crash, server.kill) * 3:
        enough = len(written) + 20
        wait_until(lambda enough=enough: len(written) > enough, what="commits go on")  # type: ignore[misc]
        ending()
        server.start()
    stop.set()
    for writer in writers:
        writer.join()

    store = open_store(server.dsn)
    there = {row[1] for row in store.select_log(0, 1_000_000)}
    store.close()
    assert refused, "no commit was hit"
    assert there >= set(written)
    assert not there & set(refused)


@pytest.fixture
def file(sqlite_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    monkeypatch.setitem(sqlite_store.ENVIRONMENT, "SQLITE_LOCK_TIMEOUT", "1")
    store = open_store(sqlite_url)
    yield store
    store.close()


def test_a_full_disk_refuses_the_commit_and_keeps_the_rest(file: Store) -> None:
    account = stream()
    file.commit(Commit(events=events(account, [1]), positions=[PositionSwap("t", 0, "id", None, 1)]))
    with file.transaction() as database:
        [[pages]] = database.execute("PRAGMA page_count")
        database.execute(f"PRAGMA max_page_count = {pages + 5}")
    large = Commit(events=events(account, range(2, 5_000)), positions=[PositionSwap("t", 0, "id", 1, 2)])

    for _ in range(2):
        with pytest.raises(StoreUnavailable, match="full"):
            file.commit(large)
    assert (versions(file, account), file.positions()) == ([1], [Position("t", 0, "id", 1)])

    with file.transaction() as database:
        database.execute("PRAGMA max_page_count = 1000000")
    file.commit(large)
    assert len(versions(file, account)) == 4_999


def test_writers_of_one_file_take_turns(file: Store, sqlite_url: str) -> None:
    account = stream()
    with contextlib.closing(sqlite3.connect(sqlite_url.removeprefix("sqlite:///"), isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreUnavailable, match="locked"):
            file.commit(Commit(events=events(account, [1])))
        assert versions(file, account) == []  # readers do not wait

        with ThreadPoolExecutor() as pool:
            done = pool.submit(file.commit, Commit(events=events(account, [1])))
            other.execute("ROLLBACK")
            done.result(timeout=30)

    assert versions(file, account) == [1]


def test_a_file_that_is_no_database_is_unavailable(tmp_path: Path) -> None:
    (tmp_path / "x.db").write_bytes(b"not a database, and long enough to be read as one" * 100)

    with pytest.raises(StoreUnavailable, match=r"x\.db.*not a database"):
        open_store(f"sqlite:///{tmp_path}/x.db")
