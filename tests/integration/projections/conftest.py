"""A store with the read models' tables, once for each kind."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from adapters.store.store import migrate, open_store
from application import claims
from application.ports import Store
from projections import balance, duties, statement

TABLES = [balance.create, statement.create, duties.create, claims.create]


@pytest.fixture
def opened(store_url: str) -> Iterator[Callable[[], Store]]:
    """`opened()` opens the same database again, as another process would."""
    migrate(store_url, TABLES)
    stores: list[Store] = []

    def make() -> Store:
        stores.append(open_store(store_url, TABLES))
        return stores[-1]

    yield make
    for store in stores:
        store.close()


@pytest.fixture
def store(opened: Callable[[], Store]) -> Store:
    """One of them."""
    return opened()
