"""What the figures share: the servers, the world, its traffic in files, and a database that has seen all of it."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any, Final

import psycopg

from benchmarks import stream
from benchmarks.seed import seed
from benchmarks.servers import Servers, servers, settings
from benchmarks.traffic import CALLS, CONFERENCES, Message, World
from commcredits.bootstrap import Engine

PROCESSES: Final = 2
HOT: Final = "acct-00001"  # the account of the hot stream


class Context:
    """For one run, within its folder. `usages`: how many each stream has."""

    def __init__(self, folder: Path, world: World, usages: int) -> None:
        self.folder, self.world, self.usages = folder, world, usages
        self.log = folder / "programs.log"
        self.stages: dict[str, tuple[float, float]] = {}  # µs a usage by stage: CPU, clock
        self._open = ExitStack()

    def close(self) -> None:
        """Drops the databases, stops the servers."""
        self._open.close()

    @cached_property
    def servers(self) -> Servers:
        """Started when first needed."""
        return self._open.enter_context(servers())

    @contextmanager
    def database(self) -> Iterator[str]:
        """The URL of a PostgreSQL database that has the world and no usage."""
        with self.servers.database() as url:
            engine = Engine(settings(url))
            try:
                seed(engine, self.world)
            finally:
                engine.close()
            with psycopg.connect(url, autocommit=True) as connection:
                connection.execute("ANALYZE")
            yield url

    @cached_property
    def consumed(self) -> tuple[str, stream.Consumed]:
        """A database that several processes have put the spread stream into, and what that took."""
        url = self._open.enter_context(self.database())
        messages = read_messages(self.messages("spread"))
        return url, stream.run(self.servers, url, messages, PROCESSES, self.log)

    def messages(self, name: str, accounts: Sequence[str] = (), count: int = 0) -> Path:
        """A file of traffic, made at its first use: the same bytes each time, which the hour would change."""
        path = self.folder / f"{name}.messages"
        if not path.exists():
            with path.open("wb") as file:
                for message in self.world.messages(count or self.usages, accounts, salt=name):
                    file.write(b"%b\t%b\n" % (message.key, message.value))
        return path

    def versions(self) -> dict[str, Any]:
        """Of the database server."""
        with psycopg.connect(self.servers.postgres) as connection:
            [[text]] = connection.execute("SHOW server_version").fetchall()
        return {"postgresql": text}


def read_messages(path: Path) -> Iterator[Message]:
    """The messages of such a file."""
    with path.open("rb") as file:
        for line in file:
            key, _, value = line.rstrip(b"\n").partition(b"\t")
            yield Message(CONFERENCES if b'"call_type":"conf_' in value else CALLS, key, value)
