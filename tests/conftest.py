"""Fixtures that every test may ask for: real servers, fresh databases and topics, how hard hypothesis tries.

Servers start once a session, and only when a test asks. Whoever has servers names them: `COMMCREDITS_TEST_KAFKA`
(bootstrap) and `COMMCREDITS_TEST_POSTGRES` (URL of a role that may create databases) are then used instead, but by
tests that kill servers (`own_kafka`, `own_postgres`).
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit, urlunsplit
from uuid import uuid4

import psycopg
import pytest
from hypothesis import HealthCheck, settings
from psycopg import sql

from commcredits.sandbox.kafka import KafkaServer
from commcredits.sandbox.postgres import PostgresServer
from commcredits.sandbox.stripe.server import StripeSandbox
from commcredits.sandbox.topics import create_topics, delete_topics

# "gate" gives the same cases at each run, few enough for the gate; "dev" and "fuzz" look for new ones
settings.register_profile("gate", derandomize=True, deadline=None, max_examples=100, print_blob=True)
settings.register_profile("dev", deadline=None, max_examples=100)
settings.register_profile("fuzz", deadline=None, max_examples=10_000, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile(os.environ.get("COMMCREDITS_TEST_PROFILE", "gate"))


class Topics(NamedTuple):
    """A fresh pair of topics: the names that stand for `call-usage` and `conference-usage`."""

    calls: str
    conferences: str


@pytest.fixture(scope="session")
def kafka() -> Iterator[str]:
    """The bootstrap address of a broker that all tests share: use topics and groups of your own."""
    if named := os.environ.get("COMMCREDITS_TEST_KAFKA"):
        yield named
        return
    with KafkaServer() as server:
        yield server.bootstrap


@pytest.fixture
def topics(kafka: str) -> Iterator[Callable[[int], Topics]]:
    """`topics(partitions)` makes a fresh pair of topics, removed after the test."""
    made: list[str] = []

    def make(partitions: int = 4) -> Topics:
        pair = Topics(*(f"{kind}-{uuid4().hex}" for kind in ("call-usage", "conference-usage")))
        create_topics(kafka, pair, partitions)
        made.extend(pair)
        return pair

    yield make
    if made:
        delete_topics(kafka, made)


@pytest.fixture(scope="session")
def postgres_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a server that all tests share; ask for `postgres`, a database of your own on it."""
    if named := os.environ.get("COMMCREDITS_TEST_POSTGRES"):
        yield named
        return
    with PostgresServer(template=_template(tmp_path_factory)) as server:
        yield server.dsn


@pytest.fixture
def postgres(postgres_server: str) -> Iterator[str]:
    """The URL of a fresh, empty database."""
    name = f"test_{uuid4().hex}"
    with psycopg.connect(postgres_server, autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        yield urlunsplit(urlsplit(postgres_server)._replace(path=f"/{name}"))
        connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


@pytest.fixture
def stripe_sandbox() -> Iterator[StripeSandbox]:
    """A fresh sandbox of Stripe: `.url`, `.api_key`, `.webhook_secret`, and `.control` for what cards answer."""
    with StripeSandbox() as sandbox:
        yield sandbox


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    """The URL of an SQLite database that does not exist yet."""
    return f"sqlite:///{tmp_path / 'commcredits.db'}"


@pytest.fixture(params=["sqlite", "postgres"])
def store_url(request: pytest.FixtureRequest) -> str:
    """The URL of an empty store, once for each kind."""
    url: str = request.getfixturevalue("sqlite_url" if request.param == "sqlite" else "postgres")
    return url


@pytest.fixture
def own_kafka() -> Iterator[Callable[..., KafkaServer]]:
    """`own_kafka(properties="…")` starts a broker that the test may kill; with `start=False` the test starts it."""
    with ExitStack() as stack:

        def make(*, start: bool = True, **options: Any) -> KafkaServer:
            server = KafkaServer(**options)
            stack.callback(server.close)
            return server.start() if start else server

        yield make


@pytest.fixture
def own_postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., PostgresServer]]:
    """`own_postgres(fsync=True, max_connections="10")` starts a server that the test may crash."""
    template = _template(tmp_path_factory)
    with ExitStack() as stack:
        yield lambda **options: stack.enter_context(PostgresServer(template=template, **options))


def _template(factory: pytest.TempPathFactory) -> Path:
    return factory.getbasetemp() / "postgres-template"
