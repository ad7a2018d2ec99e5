"""A fresh store, once for each kind."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from adapters.store.store import migrate, open_store
from application.ports import Store


@pytest.fixture
def store(store_url: str) -> Iterator[Store]:
    migrate(store_url)
    opened = open_store(store_url)
    yield opened
    opened.close()
