"""What a consumer does when nothing fails: everything that was published becomes what it must become, once."""

from __future__ import annotations

import signal
from collections.abc import Callable

from kafka import KafkaProducer

from tests.support.consumers import World
from tests.support.engine import TestEngine
from tests.support.stream import Stream
from tests.support.waiting import wait_until

MakeWorld = Callable[..., World]


def test_usage_duplicates_conflicts_and_rubbish_each_become_what_they_must(
    make_world: MakeWorld, store_url: str, kafka: str
) -> None:
    stream = Stream(seed=1)
    world = make_world(store_url, kafka, stream)
    world.publish(stream.messages(3_000))

    document = world.finish()

    assert document | stream.tally == document
    world.check(stream)
    assert world.finish()["read"] == 0


def test_messages_keyed_otherwise_are_debited_and_counted(make_world: MakeWorld, store_url: str, kafka: str) -> None:
    stream = Stream(seed=2)
    world = make_world(store_url, kafka, stream)
    world.publish(stream.messages(500))

    world.finish(batch_size="50")

    world.check(stream)
    engine = TestEngine(store_url, create=False)
    assert sum(each.miskeyed for each in engine.store.positions()) == stream.miskeyed > 0
    engine.close()


def test_a_transactional_topic_is_read_to_its_end_and_aborted_messages_are_none(
    make_world: MakeWorld, store_url: str, kafka: str
) -> None:
    stream, aborted = Stream(seed=3), Stream(seed=4)
    world = make_world(store_url, kafka, stream)
    producer = KafkaProducer(bootstrap_servers=kafka, transactional_id=world.topics[0], linger_ms=20)
    producer.init_transactions()
    for _ in range(4):
        for source, finish in ((aborted, producer.abort_transaction), (stream, producer.commit_transaction)):
            producer.begin_transaction()
            for message in source.messages(100):
                world.send(producer, message)
            producer.flush()
            finish()
    producer.begin_transaction()  # the last thing in each log is an aborted transaction and its mark
    for message in aborted.messages(50):
        world.send(producer, message)
    producer.flush()
    producer.abort_transaction()
    producer.close()

    document = world.finish(batch_size="30")

    assert document | stream.tally == document
    world.check(stream)


def test_a_topic_of_nothing_but_aborted_messages_has_an_end(make_world: MakeWorld, store_url: str, kafka: str) -> None:
    aborted = Stream(seed=5)
    world = make_world(store_url, kafka, aborted)
    producer = KafkaProducer(bootstrap_servers=kafka, transactional_id=world.topics[0])
    producer.init_transactions()
    producer.begin_transaction()
    for message in aborted.messages(50):
        world.send(producer, message)
    producer.flush()
    producer.abort_transaction()
    producer.close()

    assert world.finish()["read"] == 0
    assert world.debits() == 0


def test_once_ends_although_more_and_more_comes(make_world: MakeWorld, sqlite_url: str, kafka: str) -> None:
    stream = Stream(seed=10)
    world = make_world(sqlite_url, kafka, stream)
    world.publish(stream.messages(500))
    producer = KafkaProducer(bootstrap_servers=kafka, transactional_id=world.topics[0])
    producer.init_transactions()
    producer.begin_transaction()
    for partition in range(world.partitions):  # each log ends with a mark that is no message
        producer.send(world.topics[0], b"aborted", partition=partition)
    producer.flush()
    producer.abort_transaction()
    producer.close()

    process = world.consume("--once", batch_size="50")
    while process.process.poll() is None:
        world.publish(stream.messages(100))

    assert process.result()[0] == 1  # rubbish is in the stream
    assert sum(world.positions().values()) >= 500 + world.partitions
    world.finish()
    world.check(stream)


def test_once_ends_at_the_ends_of_its_start_whoever_consumed_up_to_there(
    make_world: MakeWorld, postgres: str, kafka: str
) -> None:
    stream = Stream(seed=6)
    world = make_world(postgres, kafka, stream)
    world.publish(stream.messages(4_000))

    processes = [world.consume("--once", batch_size="100") for _ in range(2)]
    other_group = world.consume("--once", batch_size="100", kafka_group=world.settings["kafka_group"] + "-other")
    documents = [process.result()[1] for process in (*processes, other_group)]

    assert sum(document["accepted"] for document in documents) == stream.accepted
    world.check(stream)


def test_sigterm_finishes_the_batch_leaves_and_another_goes_on(
    make_world: MakeWorld, postgres: str, kafka: str
) -> None:
    stream = Stream(seed=7)
    world = make_world(postgres, kafka, stream)
    world.publish(stream.messages(4_000))
    first = world.consume(batch_size="50")
    world.wait_for_debits(200)

    code, document = first.end(signal.SIGTERM)
    second = world.consume()
    world.wait_for_debits(stream.accepted)

    assert code == 0
    assert 200 <= document["accepted"] < stream.accepted
    assert second.end(signal.SIGINT)[0] == 0
    world.check(stream)


def test_a_running_consumer_takes_what_comes(make_world: MakeWorld, store_url: str, kafka: str) -> None:
    stream = Stream(seed=8)
    world = make_world(store_url, kafka, stream)
    consumer = world.consume()

    for _ in range(5):
        world.publish(stream.messages(100))
        world.wait_for_debits(stream.accepted)

    wait_until(lambda: sum(world.positions().values()) == stream.sent, what="every position at its end")
    wait_until(lambda: world.told() == world.positions(), what="Kafka to be told, for those who watch the lag there")
    assert consumer.end()[0] == 0
    world.check(stream)


def test_partitions_that_are_added_are_read_from_their_beginning(
    make_world: MakeWorld, store_url: str, kafka: str
) -> None:
    stream = Stream(seed=9)
    world = make_world(store_url, kafka, stream, partitions=2)
    world.publish(stream.messages(300))
    world.finish()

    world.add_partitions(5)
    world.publish(stream.messages(600))

    world.finish()
    world.check(stream)
    assert len(world.positions()) == 10


def test_partitions_may_be_added_to_one_topic_after_the_other_while_consumers_run(
    make_world: MakeWorld, sqlite_url: str, kafka: str
) -> None:
    stream = Stream(seed=19)
    world = make_world(sqlite_url, kafka, stream, partitions=2)
    consumer = world.consume()
    world.publish(stream.messages(50))
    world.wait_for_debits(stream.accepted)

    for topic in world.topics:
        world.add_partitions(4, [topic])
        world.publish(stream.messages(200))
        world.wait_for_debits(stream.accepted)

    assert consumer.end()[0] == 0
    world.check(stream)
