"""Usage on Kafka for the benchmarks: published in one transaction, and consumed by the real program.

The transaction is what makes the clock exact: the consumers have started, joined, and wait; nothing is there for them
to read until the publisher commits. From then to the last commit of the database is what is measured.
"""

import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, NamedTuple

import psycopg
from kafka import KafkaProducer, TopicPartition
from kafka.admin import KafkaAdminClient
from kafka.errors import KafkaError
from kafka.protocol.consumer import IsolationLevel, OffsetSpec

from benchmarks.measure import Usage, children, family, wait_until
from benchmarks.servers import PARTITIONS, Servers, environment
from benchmarks.traffic import CALLS, Message

START_SECONDS: Final = 60
IDLE_SECONDS: Final = 120  # without any progress it is given up
TRANSACTION_MS: Final = 3_600_000


class Consumed(NamedTuple):
    """What a run of the consumers took. `workers`: CPU and peak memory of each process that consumes."""

    usages: int
    seconds: float
    workers: list[Usage]
    servers: dict[str, float]  # CPU seconds

    @property
    def rate(self) -> float:
        """Usages a second."""
        return self.usages / self.seconds


@contextmanager
def publishing(servers: Servers, topics: tuple[str, str], messages: Iterable[Message]) -> Iterator["Publication"]:
    """The messages on the topics, in a transaction that is still open."""
    producer: Any = KafkaProducer(
        bootstrap_servers=servers.kafka,
        transactional_id=topics[0],
        transaction_timeout_ms=TRANSACTION_MS,
        linger_ms=20,
        batch_size=256 << 10,
        metrics_enabled=False,
    )
    try:
        producer.init_transactions()
        producer.begin_transaction()
        usages = 0
        for message in messages:
            producer.send(topics[message.topic != CALLS], message.value, message.key)
            usages += 1
        producer.flush()
        yield Publication(producer, usages)
    finally:
        producer.close()


class Publication(NamedTuple):
    """Messages that nobody sees before `commit`."""

    producer: Any
    usages: int

    def commit(self) -> float:
        """Let them be seen; answers the instant (perf_counter) before."""
        begun = time.perf_counter()
        self.producer.commit_transaction()
        return begun


@contextmanager
def consuming(servers: Servers, url: str, topics: tuple[str, str], processes: int, log: Path) -> Iterator["Consumers"]:
    """`commcredits consume` with so many processes, all of them members of the group, waiting for messages."""
    given = environment(url, servers.kafka, topics)
    command = [sys.executable, "-m", "commcredits", "consume", "--processes", str(processes)]
    with log.open("ab") as out:
        process = subprocess.Popen(command, env=given, stdout=out, stderr=out)
    try:
        consumers = Consumers(process, processes)
        consumers.wait_for_members(servers.kafka, given["COMMCREDITS_KAFKA_GROUP"], log)
        yield consumers
    finally:
        process.terminate()
        process.wait(START_SECONDS)


class Consumers:
    """The program at work."""

    def __init__(self, process: "subprocess.Popen[bytes]", processes: int) -> None:
        self.process, self.processes = process, processes

    def wait_for_members(self, bootstrap: str, group: str, log: Path) -> None:
        """Until the partitions are shared out among all processes."""
        admin: Any = KafkaAdminClient(bootstrap_servers=bootstrap)

        def ready() -> bool:
            if self.process.poll() is not None:
                raise RuntimeError(f"the consumer has ended: {log.read_text()[-2000:]}")
            try:
                found = admin.describe_groups([group])[group]
            except KafkaError:
                return False  # a group's coordinator comes with its first member
            return found["group_state"] == "Stable" and len(found["members"]) == self.processes

        try:
            wait_until(ready, START_SECONDS, "the consumers to join")
        finally:
            admin.close()

    def pids(self) -> list[int]:
        """The processes that consume: the program itself where it is one, else what its supervisor has started."""
        if self.processes == 1:
            return [self.process.pid]
        return [pid for pid in children(self.process.pid) if family(pid).peak_mb > 40]  # not the resource tracker

    def usage(self) -> list[Usage]:
        """CPU and memory of each."""
        return [family(pid) for pid in self.pids()]


Watch = Callable[[Consumers, int], None]  # and how many usages have been consumed


def run(
    servers: Servers, url: str, messages: Iterable[Message], processes: int, log: Path, watch: Watch = lambda *_: None
) -> Consumed:
    """Publish, consume, and say what it took from the publisher's commit to the last one of the database.

    `watch` is told now and then how far the consumers have come.
    """
    with (
        servers.topics() as topics,
        publishing(servers, topics, messages) as published,
        consuming(servers, url, topics, processes, log) as consumers,
    ):
        goal = {partition: end - 1 for partition, end in _ends(servers.kafka, topics).items() if end}
        before, served = consumers.usage(), servers.cpu_seconds()
        begun = published.commit()
        ended = wait_for_positions(url, goal, consumers, watch)
        after, serving = consumers.usage(), servers.cpu_seconds()
    workers = [Usage(b.cpu_seconds - a.cpu_seconds, b.peak_mb) for a, b in zip(before, after, strict=True)]
    return Consumed(published.usages, ended - begun, workers, {name: serving[name] - served[name] for name in served})


def _ends(bootstrap: str, topics: tuple[str, str]) -> dict[tuple[str, int], int]:
    """The offsets after the last message that is there, seen or not yet (the transaction's mark will come there)."""
    admin: Any = KafkaAdminClient(bootstrap_servers=bootstrap)
    wanted = {TopicPartition(topic, number): OffsetSpec.LATEST for topic in topics for number in range(PARTITIONS)}
    try:
        found = admin.list_partition_offsets(wanted, IsolationLevel.READ_UNCOMMITTED)
    finally:
        admin.close()
    return {(each.topic, each.partition): at.offset + 1 for each, at in found.items() if at.offset}


def wait_for_positions(url: str, goal: dict[tuple[str, int], int], consumers: Consumers, watch: Watch) -> float:
    """The instant at which the database's positions had reached a goal."""
    with psycopg.connect(url, autocommit=True) as connection:
        reached, moved_at = 0, time.monotonic()
        while True:
            rows = connection.execute("SELECT topic, partition, reached FROM positions").fetchall()
            now = time.perf_counter()
            positions = {(topic, partition): at for topic, partition, at in rows}
            if all(positions.get(partition, 0) >= at for partition, at in goal.items()):
                return now
            if (total := sum(positions.get(partition, 0) for partition in goal)) > reached:
                reached, moved_at = total, time.monotonic()
                watch(consumers, reached)
            if consumers.process.poll() is not None or time.monotonic() > moved_at + IDLE_SECONDS:
                raise RuntimeError(f"the consumers stopped at {reached} of {sum(goal.values())}")
            time.sleep(0.01)
