"""The sandbox's servers start, keep their data over a kill, and the fixtures hand out what they promise."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest
from kafka import KafkaConsumer, KafkaProducer, TopicPartition

from commcredits.sandbox.kafka import KafkaServer
from commcredits.sandbox.postgres import PostgresServer
from commcredits.sandbox.process import free_ports
from commcredits.sandbox.topics import create_topics
from tests.support.waiting import wait_until


def read_all(bootstrap: str, topic: str, count: int) -> list[bytes]:
    consumer = KafkaConsumer(bootstrap_servers=bootstrap, auto_offset_reset="earliest", consumer_timeout_ms=20_000)
    try:
        consumer.assign([TopicPartition(topic, 0)])
        return [next(consumer).value for _ in range(count)]
    finally:
        consumer.close()


def test_a_killed_broker_comes_back_with_what_it_acknowledged(own_kafka: Callable[..., KafkaServer]) -> None:
    server = own_kafka()
    create_topics(server.bootstrap, ["t"], 1)
    producer = KafkaProducer(bootstrap_servers=server.bootstrap, acks="all")
    sent = [b"%d" % n for n in range(100)]
    for future in [producer.send("t", value) for value in sent]:
        future.get(timeout=20)
    producer.close()

    server.kill()
    server.start()

    assert read_all(server.bootstrap, "t", len(sent)) == sent


def test_a_broker_to_try_things_out_with_keeps_what_it_holds(tmp_path: Path) -> None:
    [port] = free_ports(1)
    for sent in range(2):
        with subprocess.Popen(
            [sys.executable, "-W", "ignore", "-m", "commcredits.sandbox", str(tmp_path / "broker"), str(port)],
            stdout=subprocess.PIPE,
            text=True,
        ) as broker:
            assert broker.stdout is not None
            assert f"localhost:{port} has the topics call-usage and conference-usage" in broker.stdout.readline()
            producer = KafkaProducer(bootstrap_servers=f"localhost:{port}", acks="all")
            producer.send("call-usage", b"%d" % sent, partition=0).get(timeout=20)
            producer.close()
            assert read_all(f"localhost:{port}", "call-usage", sent + 1) == [b"0", b"1"][: sent + 1]
            broker.terminate()
        assert broker.returncode == 0


def test_topics_are_fresh_and_of_the_partitions_asked_for(kafka: str, topics: Callable[[int], tuple[str, str]]) -> None:
    first, second = topics(3), topics(1)

    consumer = KafkaConsumer(bootstrap_servers=kafka)
    try:
        assert [len(consumer.partitions_for_topic(name)) for name in (*first, *second)] == [3, 3, 1, 1]
    finally:
        consumer.close()


@pytest.mark.parametrize("ending", ["kill", "crash", "stop"])
@pytest.mark.parametrize("fsync", [False, True])
def test_postgres_comes_back_with_its_commits(
    own_postgres: Callable[..., PostgresServer], fsync: bool, ending: str
) -> None:
    server = own_postgres(fsync=fsync)
    with psycopg.connect(server.dsn) as connection:
        connection.execute("CREATE TABLE t AS SELECT generate_series(1, 1000) AS n")

    getattr(server, ending)()
    server.start()

    with psycopg.connect(server.dsn) as connection:
        assert connection.execute("SELECT count(*) FROM t").fetchone() == (1000,)
        assert connection.execute("SHOW fsync").fetchone() == ("on" if fsync else "off",)
        assert connection.execute("SHOW synchronous_commit").fetchone() == ("on",)


def test_servers_do_not_outlive_the_process_that_started_them() -> None:
    program = """
from commcredits.sandbox.kafka import KafkaServer
from commcredits.sandbox.postgres import PostgresServer
with KafkaServer() as kafka, PostgresServer() as postgres:
    print(kafka.process.pid, postgres.process.pid, kafka.root, postgres.root, flush=True)
    input()
"""
    with subprocess.Popen([sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as parent:
        assert parent.stdout
        *pids, kafka_root, postgres_root = parent.stdout.readline().decode().split()
        parent.kill()

    wait_until(lambda: not any(is_running(int(pid)) for pid in pids), what="the servers to end")
    shutil.rmtree(kafka_root)
    shutil.rmtree(postgres_root)


def is_running(pid: int) -> bool:
    try:
        return (Path("/proc") / str(pid) / "stat").read_text().rpartition(") ")[2][0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def test_each_test_has_an_empty_database(postgres: str) -> None:
    with psycopg.connect(postgres) as connection:
        assert connection.execute("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'").fetchone() == (0,)


def test_a_store_is_handed_out_for_each_kind(store_url: str, request: pytest.FixtureRequest) -> None:
    assert store_url.partition(":")[0] in {"sqlite", "postgresql"}
    assert ("postgres" in request.node.name) == store_url.startswith("postgresql:")
