"""Consumers, broker and database are killed in mid-stream, again and again: 0 lost, 0 double, every balance right.

The instants are random, from a seed. COMMCREDITS_SOAK_ROUNDS (`make soak`) says how often a consumer is killed in each
test; broker and database, which take longer to come back, are killed a tenth as often.
"""

from __future__ import annotations

import os
import random
from collections.abc import Callable

import pytest

from commcredits.sandbox.kafka import KafkaServer
from commcredits.sandbox.postgres import PostgresServer
from tests.support.consumers import World
from tests.support.stream import Stream

MakeWorld = Callable[..., World]

ROUNDS = int(os.environ.get("COMMCREDITS_SOAK_ROUNDS", "4"))
SERVER_ROUNDS = max(1, ROUNDS // 10)


def test_consumers_killed_at_random_instants(make_world: MakeWorld, store_url: str, kafka: str) -> None:
    """One consumer at a time, killed anywhere from its start to the middle of its batches."""
    instants, stream = random.Random(31), Stream(accounts=50, seed=31)
    world = make_world(store_url, kafka, stream, batch_size="200", kafka_session="1s")

    for _ in range(ROUNDS):
        world.publish(stream.messages(1_500))
        world.consume().kill(after_seconds=instants.uniform(0.3, 2.5))

    world.finish()
    world.check(stream)


def test_one_of_two_consumers_killed_at_random_instants(make_world: MakeWorld, postgres: str, kafka: str) -> None:
    """Two of a group at all times; the older one is killed."""
    instants, stream = random.Random(32), Stream(accounts=50, seed=32)
    world = make_world(postgres, kafka, stream, batch_size="200", kafka_session="1s")

    older = world.consume()
    for _ in range(ROUNDS):
        younger = world.consume()
        world.publish(stream.messages(1_500))
        older.kill(after_seconds=instants.uniform(0.3, 2.5))
        older = younger

    world.wait_for_debits(stream.accepted)
    assert older.end()[0] == 0
    world.finish()
    world.check(stream)


@pytest.mark.parametrize("again", range(SERVER_ROUNDS))
def test_a_broker_killed_in_mid_stream(
    make_world: MakeWorld, store_url: str, own_kafka: Callable[..., KafkaServer], again: int
) -> None:
    instants, stream = random.Random(33 + again), Stream(accounts=50, seed=33 + again)
    server = own_kafka()
    world = make_world(store_url, server.bootstrap, stream, batch_size="100")
    world.publish(stream.messages(3_000))
    consumer = world.consume()
    world.wait_for_debits(instants.randrange(stream.accepted // 2))

    server.kill()
    server.start()

    world.wait_for_debits(stream.accepted)
    world.publish(stream.messages(500))
    world.wait_for_debits(stream.accepted)
    assert consumer.end()[0] == 0
    world.check(stream)


@pytest.mark.parametrize("ending", ["crash", "kill"])
def test_a_database_killed_in_mid_stream(
    make_world: MakeWorld, own_postgres: Callable[..., PostgresServer], kafka: str, ending: str
) -> None:
    instants, stream = random.Random(ending), Stream(accounts=50, seed=34)
    server = own_postgres(fsync=True)
    world = make_world(server.dsn, kafka, stream, batch_size="100")
    world.publish(stream.messages(3_000))
    consumers = [world.consume() for _ in range(2)]
    world.wait_for_debits(instants.randrange(stream.accepted // 2))

    for _ in range(SERVER_ROUNDS):
        getattr(server, ending)()
        server.start()
        world.publish(stream.messages(500))
        world.wait_for_debits(instants.randrange(stream.accepted // 2, stream.accepted))

    world.wait_for_debits(stream.accepted)
    assert [consumer.end()[0] for consumer in consumers] == [0, 0]
    world.finish()
    world.check(stream)
