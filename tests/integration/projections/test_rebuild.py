"""A read model built anew: the same bytes, beside the one in use, and then in its place."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from application.ports import Store
from domain.errors import NotFound, Refused
from projections import rebuild as rebuilding
from projections import statement
from projections.rebuild import KINDS, Rebuild, rebuild
from projections.runner import Follower
from projections.statement import Statement, read_statement
from tests.support.history import append, written
from tests.support.read_models import digests, expected, follower, tables

NAMES = ["balance", "statement"]


@pytest.mark.parametrize("name", NAMES)
def test_what_is_rebuilt_is_the_same_to_the_byte(store: Store, name: str) -> None:
    written(store)
    follower(store, batch=7).catch_up()
    before = dict(zip(NAMES, digests(store), strict=True))

    built = rebuild(store, name)

    assert (built.name, built.rows, built.sha256) == (name, *before[name])
    assert (built.events, built.position) == (store.count_log(0), store.max_position())
    assert tables(store) == expected(store)
    assert rebuild(store, name).sha256 == built.sha256


@pytest.mark.parametrize("name", NAMES)
def test_rows_that_were_changed_by_hand_are_mended(store: Store, name: str) -> None:
    written(store)
    follower(store).catch_up()
    with store.transaction() as database:
        database.execute(f"DELETE FROM {KINDS[name].table} WHERE position > 40")

    rebuild(store, name)

    assert tables(store) == expected(store)


def test_more_rows_than_are_held_in_memory_are_the_same(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    written(store, accounts=30, usages=300)
    monkeypatch.setattr(rebuilding, "ROWS_A_WRITE", 10)
    monkeypatch.setattr(rebuilding, "BATCH", 50)

    for name in NAMES:
        rebuild(store, name)

    assert tables(store) == expected(store)


@pytest.mark.parametrize("name", NAMES)
def test_a_follower_goes_on_behind_a_rebuild_that_was_ahead_of_it(store: Store, name: str) -> None:
    history = written(store)
    following = follower(store)
    following.catch_up(50)

    rebuild(store, name)
    append(store, history.usages(20))
    following.catch_up()

    assert tables(store) == expected(store)


@pytest.mark.parametrize("name", NAMES)
def test_what_was_followed_meanwhile_is_not_lost(store: Store, opened: Callable[[], Store], name: str) -> None:
    history = written(store)
    following = follower(opened())
    following.catch_up()
    build = Rebuild(store, name)
    build.begin()
    build.fill()
    append(store, history.usages(20))
    following.catch_up()

    assert not build.swap()
    build.fill()
    assert build.swap()
    append(store, history.usages(20))
    following.catch_up()

    assert tables(store) == expected(store)


@pytest.mark.parametrize("name", NAMES)
def test_of_two_rebuilds_the_later_one_goes_on(store: Store, opened: Callable[[], Store], name: str) -> None:
    written(store)
    first = Rebuild(opened(), name)
    first.begin()

    rebuild(store, name)

    with pytest.raises(Refused, match="another rebuild") as refused:
        first.fill()
    assert refused.value.code == "rebuild_superseded"
    with pytest.raises(Refused):
        first.swap()
    follower(store).catch_up()
    assert tables(store) == expected(store)


@pytest.mark.parametrize("name", NAMES)
def test_a_rebuild_that_was_interrupted_changes_nothing_and_is_cleared_away(store: Store, name: str) -> None:
    written(store)
    follower(store).catch_up()
    build = Rebuild(store, name)
    build.begin()
    build.fill()
    assert tables(store) == expected(store)

    rebuild(store, name)

    assert tables(store) == expected(store)


def test_who_reads_page_by_page_goes_on_reading(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    written(store, accounts=1, usages=100)
    follower(store).catch_up()
    monkeypatch.setattr(statement, "LINES_A_PAGE", 10)
    lines = read_statement(store, "account-0")
    read = [next(lines) for _ in range(15)]

    rebuild(store, "statement")

    assert [*read, *lines] == [line.encode() for _, _, _, line in expected(store)[1]]


def test_what_was_replaced_is_removed(store: Store) -> None:
    written(store)
    for name in NAMES:
        rebuild(store, name)

    with store.reading() as database:
        catalogue = "sqlite_master" if database.dialect == "sqlite" else "pg_class"
        column = "name" if database.dialect == "sqlite" else "relname"
        tables_left = {KINDS[name].table + end for name in NAMES for end in ("", "_new", "_old")}
        found = {row[0] for row in database.execute(f"SELECT {column} FROM {catalogue}")}
    assert found & tables_left == {KINDS[name].table for name in NAMES}


def test_an_empty_log_makes_an_empty_read_model(store: Store) -> None:
    built = [rebuild(store, name) for name in NAMES]

    assert [(each.events, each.rows, each.position) for each in built] == [(0, 0, 0), (0, 0, 0)]
    written(store)
    Follower(store, [Statement()]).catch_up()
    assert tables(store)[1] == expected(store)[1]


def test_an_unknown_name_is_not_found(store: Store) -> None:
    with pytest.raises(NotFound, match="balance and statement"):
        rebuild(store, "report")
