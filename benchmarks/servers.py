"""Real servers for the benchmarks: the sandbox's own with fsync on, or those named as for the tests."""

import os
import secrets
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit, urlunsplit
from uuid import uuid4

import psycopg
from psycopg import sql

from adapters.store.store import migrate
from benchmarks.measure import family
from commcredits.bootstrap import create_read_models
from commcredits.sandbox.kafka import KafkaServer
from commcredits.sandbox.postgres import PostgresServer
from commcredits.sandbox.topics import create_topics, delete_topics
from commcredits.settings import Settings

MASTER_KEY: Final = secrets.token_bytes(32)
PARTITIONS: Final = 32
# what any server of this size is given: memory for the indexes, no checkpoint every few seconds; and PostgreSQL's own
# autovacuum_naptime, which the sandbox shortens for the tests
POSTGRES: Final = {
    "shared_buffers": "1GB",
    "max_wal_size": "8GB",
    "checkpoint_timeout": "15min",
    "autovacuum_naptime": "1min",
}
# a publisher's transaction may be open while the consumers start
KAFKA: Final = "\ntransaction.max.timeout.ms=3600000\nlog.retention.hours=24\n"


@dataclass(frozen=True, slots=True)
class Servers:
    """`processes`: the roots of each server's processes where they are our own, for their CPU time."""

    kafka: str
    postgres: str
    processes: dict[str, int]

    @contextmanager
    def database(self) -> Iterator[str]:
        """The URL of a fresh database with our schema, dropped afterwards."""
        name = f"bench_{uuid4().hex}"
        with psycopg.connect(self.postgres, autocommit=True) as connection:
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
            url = urlunsplit(urlsplit(self.postgres)._replace(path=f"/{name}"))
            migrate(url, [create_read_models])
            try:
                yield url
            finally:
                connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))
                connection.execute("CHECKPOINT")  # what this one wrote is not for the next one to flush

    @contextmanager
    def topics(self) -> Iterator[tuple[str, str]]:
        """A fresh pair of topics."""
        mark = uuid4().hex
        pair = (f"call-usage-{mark}", f"conference-usage-{mark}")
        create_topics(self.kafka, pair, PARTITIONS)
        try:
            yield pair
        finally:
            delete_topics(self.kafka, pair)

    def cpu_seconds(self) -> dict[str, float]:
        """CPU time so far of each server that is our own."""
        return {name: family(root).cpu_seconds for name, root in self.processes.items()}


@contextmanager
def servers() -> Iterator[Servers]:
    """Both servers, ended afterwards where they are our own."""
    named = os.environ.get("COMMCREDITS_TEST_KAFKA"), os.environ.get("COMMCREDITS_TEST_POSTGRES")
    kafka = None if named[0] else KafkaServer(properties=KAFKA)
    postgres = None if named[1] else PostgresServer(fsync=True, **POSTGRES)  # type: ignore[arg-type]
    own = {"kafka": kafka, "postgres": postgres}
    try:
        for each in own.values():
            if each is not None:
                each.start()
        roots = {name: each.process.pid for name, each in own.items() if each is not None and each.process}
        if postgres is not None:
            _touch_buffers(postgres.dsn)
        yield Servers(
            named[0] or (kafka.bootstrap if kafka else ""), named[1] or (postgres.dsn if postgres else ""), roots
        )
    finally:
        for each in own.values():
            if each is not None:
                each.close()


def _touch_buffers(dsn: str) -> None:
    """All of the server's shared buffers get their memory now, which the kernel gives at the first touch: else the
    first figure pays for that and its floor, which comes after it, does not.
    """
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute("CREATE UNLOGGED TABLE touched (page text STORAGE PLAIN)")
        connection.execute(
            "INSERT INTO touched SELECT repeat('x', 8000) FROM generate_series(1,"
            " (SELECT setting::int FROM pg_settings WHERE name = 'shared_buffers'))"
        )
        connection.execute("DROP TABLE touched")
        connection.execute("CHECKPOINT")


def settings(url: str, **more: object) -> Settings:
    """The program's settings for a store of the benchmarks."""
    return Settings(store=url, master_key=MASTER_KEY, actor="benchmark", **more)  # type: ignore[arg-type]


def environment(url: str, bootstrap: str = "", topics: tuple[str, str] = ("", "")) -> dict[str, str]:
    """The same for a process of the program."""
    given = {
        "store": url,
        "master_key": b64encode(MASTER_KEY).decode(),
        "actor": "benchmark",
        "kafka_bootstrap": bootstrap,
        "topic_calls": topics[0],
        "topic_conferences": topics[1],
        "kafka_group": f"bench-{uuid4().hex}",
    }
    return {**os.environ, **{f"COMMCREDITS_{name.upper()}": text for name, text in given.items() if text}}


def sqlite_url(folder: Path) -> str:
    """A database that does not exist yet."""
    return f"sqlite:///{folder / f'{uuid4().hex}.db'}"
