"""The sandbox's servers start, keep their data over a kill, and the fixtures hand out what they promise."""

from __future__ import annotations

from collections.abc import Callable

import psycopg
import pytest
from kafka import KafkaConsumer, KafkaProducer, TopicPartition

from commcredits.sandbox.kafka import KafkaServer
from commcredits.sandbox.postgres import PostgresServer
from commcredits.sandbox.topics import create_topics


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


def test_each_test_has_an_empty_database(postgres: str) -> None:
    with psycopg.connect(postgres) as connection:
        assert connection.execute("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'").fetchone() == (0,)


def test_a_store_is_handed_out_for_each_kind(store_url: str, request: pytest.FixtureRequest) -> None:
    assert store_url.partition(":")[0] in {"sqlite", "postgresql"}
    assert ("postgres" in request.node.name) == store_url.startswith("postgresql:")
