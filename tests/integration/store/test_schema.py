"""How a store comes to be: by itself on SQLite, by `migrate` on PostgreSQL, once however many try."""

from __future__ import annotations

import pickle
import subprocess
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path

import psycopg
import pytest

from adapters.store.store import migrate, open_store
from application.ports import Commit, Database, SchemaMissing, Store, StoreUnavailable
from tests.support.stores import events, stream


def create_model(database: Database) -> None:
    """As a read model does."""
    database.execute("CREATE TABLE IF NOT EXISTS model (n integer)")


def write_one(url: str) -> int:
    """What each of several processes does first."""
    migrate(url, [create_model])
    store = open_store(url, [create_model])
    store.commit(Commit(events=events(stream(), [1])))
    with store.transaction() as database:
        database.execute("INSERT INTO model VALUES (1)")
    store.close()
    return 1


def test_several_processes_may_make_it_at_once(store_url: str) -> None:
    with ProcessPoolExecutor(4, mp_context=get_context("spawn")) as pool:
        assert sum(pool.map(write_one, [store_url] * 8)) == 8

    store = open_store(store_url, [create_model])
    with store.reading() as database:
        assert database.execute("SELECT count(*) FROM model") == [(8,)]
    assert store.max_position() == 8
    store.close()


def test_migrating_again_keeps_everything(store_url: str) -> None:
    for _ in range(2):
        migrate(store_url, [create_model])
        write_one(store_url)

    store = open_store(store_url)
    assert store.max_position() == 2
    store.close()


def test_postgres_needs_to_be_migrated_first(postgres: str) -> None:
    with pytest.raises(SchemaMissing, match="commcredits migrate"):
        open_store(postgres)


@pytest.mark.parametrize("version", [0, 99])
def test_a_schema_of_another_version_is_refused(postgres: str, version: int) -> None:
    migrate(postgres)
    with psycopg.connect(postgres) as connection:
        connection.execute("UPDATE commcredits_schema SET version = %s", [version])

    with pytest.raises(SchemaMissing, match=f"version {version}"):
        open_store(postgres)


def test_a_newer_schema_is_not_touched(store: Store, store_url: str) -> None:
    with store.transaction() as database:
        database.execute("UPDATE commcredits_schema SET version = 99")

    with pytest.raises(SchemaMissing, match="newer"):
        migrate(store_url)


def test_the_folder_of_a_file_must_be_there(tmp_path: Path) -> None:
    with pytest.raises(StoreUnavailable, match=r"no folder .*/missing"):
        open_store(f"sqlite:///{tmp_path}/missing/x.db")


@pytest.mark.parametrize("name", ["a b.db", "50%?#.db", "žabe:memory:.db"])
def test_a_file_may_have_any_name_also_a_relative_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.chdir(tmp_path)

    open_store(f"sqlite:///{name}").close()

    assert (tmp_path / name).stat().st_size > 0


def test_a_server_that_is_not_there_is_told_at_once() -> None:
    started = time.monotonic()
    for attempt in (open_store, migrate):
        with pytest.raises(StoreUnavailable, match="refused"):
            attempt("postgresql://postgres@127.0.0.1:1/none")
    assert time.monotonic() - started < 5


def test_a_database_that_is_not_there_is_named(postgres: str) -> None:
    with pytest.raises(StoreUnavailable, match='"missing"'):
        open_store(postgres.rsplit("/", 1)[0] + "/missing")


def test_another_kind_of_store_is_refused() -> None:
    for url in ("mysql://x", "sqlite://x.db", "x.db", ""):
        with pytest.raises(ValueError, match="sqlite:///PATH"):
            open_store(url)


def test_what_opens_a_store_can_be_handed_to_another_process(store_url: str) -> None:
    migrate(store_url)
    opener = pickle.loads(pickle.dumps(partial(open_store, store_url, [create_model])))

    opener().close()


def test_sqlite_needs_nothing_of_postgres(sqlite_url: str) -> None:
    program = (
        "import sys; from adapters.store.store import open_store; open_store(sys.argv[1]).close();"
        "print(*(name for name in ('psycopg', 'cryptography', 'kafka') if name in sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", program, sqlite_url], capture_output=True, text=True, check=True)

    assert done.stdout == "\n"
