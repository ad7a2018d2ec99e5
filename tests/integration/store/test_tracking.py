"""A projection moves in the library's tracking table, and of two that apply the log at once only one counts."""

from __future__ import annotations

import threading

import pytest

from adapters.store.store import open_store
from application.ports import Store, WriteConflict
from tests.support.waiting import wait_until


def add(store: Store, position: int, expected: int) -> None:
    with store.transaction() as database:
        store.advance_tracking(database, "balance", position, expected)
        database.execute("UPDATE model SET total = total + ?", [position - expected])


def total(store: Store) -> int:
    with store.reading() as database:
        [[found]] = database.execute("SELECT total FROM model")
    return int(found)


@pytest.fixture
def model(store: Store) -> Store:
    with store.transaction() as database:
        database.execute("CREATE TABLE model (total bigint)")
        database.execute("INSERT INTO model VALUES (0)")
    return store


def test_tracking_moves_with_what_was_applied(model: Store) -> None:
    assert model.tracked("balance") == 0

    add(model, 5, expected=0)
    add(model, 9, expected=5)

    assert (model.tracked("balance"), model.tracked("statement"), total(model)) == (9, 0, 9)


@pytest.mark.parametrize(("position", "expected"), [(7, 0), (5, 5), (4, 5)])
def test_it_moves_only_forward_and_only_from_where_it_is(model: Store, position: int, expected: int) -> None:
    add(model, 5, expected=0)

    with pytest.raises(WriteConflict):
        add(model, position, expected)

    assert (model.tracked("balance"), total(model)) == (5, 5)


@pytest.mark.parametrize("begun", [0, 5])
def test_a_second_applier_waits_and_is_refused_though_it_would_go_further(
    model: Store, store_url: str, begun: int
) -> None:
    if begun:
        add(model, begun, expected=0)
    second = open_store(store_url)
    outcome: list[str] = []
    asked = threading.Event()

    def apply() -> None:
        asked.set()
        try:
            add(second, 20, expected=begun)
            outcome.append("applied")
        except WriteConflict:
            outcome.append("refused")

    other = threading.Thread(target=apply)
    with model.transaction() as database:
        model.advance_tracking(database, "balance", 10, begun)
        database.execute("UPDATE model SET total = total + ?", [10 - begun])
        other.start()
        asked.wait(10)
    other.join(20)
    second.close()

    wait_until(lambda: outcome == ["refused"])
    assert (model.tracked("balance"), total(model)) == (10, 10)
