"""A broker or a store that is away: waited for, then the consumer stops with its code; nothing is skipped."""

from __future__ import annotations

import signal
from collections.abc import Callable

from commcredits.sandbox.kafka import KafkaServer
from commcredits.sandbox.postgres import PostgresServer
from commcredits.sandbox.process import free_ports
from tests.support.consumers import Process, World
from tests.support.stream import Stream
from tests.support.waiting import wait_until

MakeWorld = Callable[..., World]


def failure(process: Process) -> tuple[int, str]:
    code, document = process.result()
    return code, document["error"]["code"]


def test_a_broker_that_never_answers(make_world: MakeWorld, sqlite_url: str, kafka: str) -> None:
    world = make_world(sqlite_url, kafka, Stream())
    [nowhere] = free_ports(1)

    code, reason = failure(world.consume(kafka_bootstrap=f"127.0.0.1:{nowhere}", kafka_patience="1s"))

    assert (code, reason) == (4, "broker_unavailable")


def test_a_broker_that_goes_away_for_good_and_one_that_comes_back(
    make_world: MakeWorld, sqlite_url: str, own_kafka: Callable[..., KafkaServer]
) -> None:
    stream, server = Stream(seed=41), own_kafka()
    world = make_world(sqlite_url, server.bootstrap, stream)
    world.publish(stream.messages(200))
    impatient, patient = world.consume(kafka_patience="1s"), world.consume(kafka_group="another")
    world.wait_for_debits(stream.accepted)

    server.kill()
    assert failure(impatient) == (4, "broker_unavailable")
    server.start()

    world.publish(stream.messages(200))
    world.wait_for_debits(stream.accepted)
    assert patient.end()[0] == 0
    world.check(stream)


def test_a_stop_is_heard_while_the_broker_is_away(
    make_world: MakeWorld, sqlite_url: str, own_kafka: Callable[..., KafkaServer]
) -> None:
    stream, server = Stream(seed=42), own_kafka()
    world = make_world(sqlite_url, server.bootstrap, stream)
    world.publish(stream.messages(50))
    consumer = world.consume()
    world.wait_for_debits(stream.accepted)

    server.kill()
    wait_until(lambda: "trouble" in consumer.told(), what="the consumer to notice")

    assert consumer.end(signal.SIGTERM, timeout_seconds=15)[0] == 0


def test_a_store_that_goes_away_for_good_and_one_that_comes_back(
    make_world: MakeWorld, own_postgres: Callable[..., PostgresServer], kafka: str
) -> None:
    stream, server = Stream(seed=43), own_postgres()
    world = make_world(server.dsn, kafka, stream)
    world.publish(stream.messages(200))
    impatient, patient = world.consume(store_patience="1s"), world.consume(kafka_group="another")
    world.wait_for_debits(stream.accepted)

    server.crash()
    world.publish(stream.messages(200))
    assert failure(impatient) == (4, "store_unavailable")
    server.start()

    world.wait_for_debits(stream.accepted)
    assert patient.end()[0] == 0
    world.finish()
    world.check(stream)


def test_a_schema_that_is_missing_is_no_matter_of_patience(make_world: MakeWorld, postgres: str, kafka: str) -> None:
    world = make_world(postgres, kafka)

    assert failure(world.consume()) == (4, "schema_missing")
