"""Fixtures of tests that run consumers and `work` as processes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from commcredits.sandbox.stripe.server import StripeSandbox
from tests.support.consumers import World
from tests.support.shop import Shop
from tests.support.stream import Stream


@pytest.fixture
def make_world(tmp_path: Path, own_kafka: object, own_postgres: object) -> Iterator[Callable[..., World]]:
    """`make_world(store_url, bootstrap, stream)` gives a world whose accounts are open.

    A test's own servers are asked for, so that they outlive the world.
    """
    with ExitStack() as stack:

        def make(url: str, bootstrap: str, *streams: Stream, **options: object) -> World:
            world = stack.enter_context(closing(World(url, bootstrap, tmp_path, **options)))  # type: ignore[arg-type]
            for stream in streams:
                world.open_accounts(stream)
            return world

        yield make


@pytest.fixture
def shop(sqlite_url: str, stripe_sandbox: StripeSandbox, tmp_path: Path) -> Iterator[Shop]:
    """Accounts with cards at the sandbox, on the embedded store."""
    with closing(Shop(sqlite_url, stripe_sandbox, tmp_path)) as shop:
        yield shop


@pytest.fixture
def shop_on_each_store(store_url: str, stripe_sandbox: StripeSandbox, tmp_path: Path) -> Iterator[Shop]:
    """The same, once for each kind of store."""
    with closing(Shop(store_url, stripe_sandbox, tmp_path)) as shop:
        yield shop
