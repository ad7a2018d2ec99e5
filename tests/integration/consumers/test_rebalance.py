"""Partitions change hands: by joining, leaving, dying, and by a zombie that does not know it yet."""

from __future__ import annotations

import signal
from collections.abc import Callable

from kafka.admin import KafkaAdminClient

from tests.support.consumers import Process, World
from tests.support.locks import log_locked
from tests.support.stream import Stream
from tests.support.waiting import wait_until

MakeWorld = Callable[..., World]


def running(world: World, stream: Stream, **settings: str) -> Process:
    """A consumer that has its partitions and waits for more."""
    process = world.consume(**settings)
    world.publish(stream.messages(20))
    world.wait_for_debits(stream.accepted)
    return process


def state_of(world: World) -> str:
    admin = KafkaAdminClient(bootstrap_servers=world.bootstrap)
    try:
        group = world.settings["kafka_group"]
        return str(admin.describe_groups([group])[group]["group_state"]).lower()
    finally:
        admin.close()


def test_a_rebalance_in_mid_batch_loses_and_doubles_nothing(make_world: MakeWorld, postgres: str, kafka: str) -> None:
    stream = Stream(seed=11)
    world = make_world(postgres, kafka, stream)
    first = running(world, stream, batch_size="200")
    with log_locked(postgres, "EXCLUSIVE") as wait_for_a_batch_in_hand:  # it is in mid-commit
        world.publish(stream.messages(2_000))
        wait_for_a_batch_in_hand()
        second = world.consume(batch_size="200")
        wait_until(lambda: "rebalanc" in state_of(world), what="a rebalance")
    world.publish(stream.messages(2_000))
    world.wait_for_debits(stream.accepted)

    world.check(stream)
    documents = [process.end()[1] for process in (first, second)]
    assert sum(document["accepted"] for document in documents) == stream.accepted


def test_a_zombie_that_wakes_with_an_old_batch_is_found_out(make_world: MakeWorld, postgres: str, kafka: str) -> None:
    stream = Stream(seed=12)
    world = make_world(postgres, kafka, stream)
    zombie = running(world, stream, kafka_session="1s")
    with log_locked(postgres, "ACCESS EXCLUSIVE") as wait_for_a_batch_in_hand:  # it cannot even read
        world.publish(stream.messages(1_000))
        wait_for_a_batch_in_hand()
        zombie.send(signal.SIGSTOP)
    heir = world.consume(kafka_session="1s")
    world.wait_for_debits(stream.accepted)

    zombie.send(signal.SIGCONT)
    wait_until(lambda: "dropping a batch" in zombie.told(), what="the zombie to drop its batch")
    world.publish(stream.messages(1_000))
    world.wait_for_debits(stream.accepted)

    world.check(stream)
    assert [process.end()[0] for process in (zombie, heir)] == [0, 0]


def test_consumers_that_come_and_go_share_the_work(make_world: MakeWorld, postgres: str, kafka: str) -> None:
    stream = Stream(accounts=40, seed=13)
    world = make_world(postgres, kafka, stream)
    first = world.consume(batch_size="100")
    world.publish(stream.messages(2_000))
    second = world.consume(batch_size="100")
    world.publish(stream.messages(2_000))
    third = world.consume(batch_size="100")
    world.publish(stream.messages(2_000))
    first.end()
    world.publish(stream.messages(2_000))
    second.kill()
    world.publish(stream.messages(2_000))

    world.wait_for_debits(stream.accepted)
    world.check(stream)
    assert third.end()[0] == 0
