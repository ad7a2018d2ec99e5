"""Topics that are not what they were: missing, unequal, made anew, cut short. Nothing is skipped without an order."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from commcredits.sandbox.topics import delete_topics
from domain.events import GapAccepted, log_stream
from tests.support.consumers import Process, World, delete_records
from tests.support.engine import TestEngine
from tests.support.stream import Stream

MakeWorld = Callable[..., World]


def failure(process: Process) -> tuple[int, str, dict[str, Any]]:
    code, document = process.result()
    return code, document["error"]["code"], document["error"]["source"]


def gaps(url: str) -> list[GapAccepted]:
    engine = TestEngine(url, create=False)
    recorded = engine.store.select_events(log_stream())
    engine.close()
    return [each.event for each in recorded if isinstance(each.event, GapAccepted)]


def test_a_topic_that_is_missing(make_world: MakeWorld, sqlite_url: str, kafka: str) -> None:
    world = make_world(sqlite_url, kafka, Stream())

    code, reason, source = failure(world.consume(topic_conferences="no-such-topic"))

    assert (code, reason) == (4, "topic_missing")
    assert source == {"kind": "kafka", "topic": "no-such-topic", "partition": None, "offset": None}


def test_topics_of_unequal_partitions(make_world: MakeWorld, sqlite_url: str, kafka: str) -> None:
    world = make_world(sqlite_url, kafka, Stream(), partitions=2)
    world.add_partitions(3, world.topics[:1])

    code, reason, _ = failure(world.consume())

    assert (code, reason) == (4, "partitions_differ")


@pytest.mark.parametrize("idle", [True, False])
def test_topics_made_anew_under_a_running_consumer_stop_it_until_the_gap_is_accepted(
    make_world: MakeWorld, store_url: str, kafka: str, idle: bool
) -> None:
    old, new = Stream(seed=21), Stream(seed=22)
    world = make_world(store_url, kafka, old)
    world.publish(old.messages(200))
    if idle:
        consumer = world.consume()
        world.wait_for_debits(old.accepted)
    else:
        world.finish()
    old_positions = world.positions()

    world.remake_topics()
    world.publish(new.messages(2_000))  # so that every old position lies inside the new log
    if not idle:
        consumer = world.consume()
    code, reason, source = failure(consumer)

    assert (code, reason) == (4, "topic_recreated")
    assert source["offset"] == old_positions[source["topic"], source["partition"]]
    world.check(old)
    assert world.positions() == old_positions
    assert failure(world.consume("--once"))[1] == "topic_recreated"

    world.finish("--accept-gap")
    world.check(old, new)
    assert {(each.topic, each.partition): each.stored_position for each in gaps(store_url)} == old_positions
    assert world.finish()["read"] == 0


def test_a_topic_that_is_deleted_stops_the_consumer(make_world: MakeWorld, sqlite_url: str, kafka: str) -> None:
    stream = Stream(seed=23)
    world = make_world(sqlite_url, kafka, stream)
    world.publish(stream.messages(200))
    consumer = world.consume()
    world.wait_for_debits(stream.accepted)

    delete_topics(kafka, world.topics[:1])

    assert failure(consumer)[:2] == (4, "topic_missing")
    world.check(stream)


def test_retention_past_the_stored_position_stops_until_the_gap_is_accepted(
    make_world: MakeWorld, store_url: str, kafka: str
) -> None:
    read, gone, kept = Stream(seed=24), Stream(seed=25), Stream(seed=26)
    world = make_world(store_url, kafka, read)
    world.publish(read.messages(200))
    world.finish()
    stored = world.positions()
    world.publish(gone.messages(200))
    ends = world.ends()
    delete_records(kafka, ends)
    world.publish(kept.messages(200))

    code, reason, source = failure(world.consume("--once"))

    assert (code, reason) == (4, "position_out_of_range")
    assert source["offset"] == stored[source["topic"], source["partition"]]
    assert world.positions() == stored
    world.finish("--accept-gap")
    world.check(read, kept)
    assert {(each.topic, each.partition): each.position for each in gaps(store_url)} == {
        each: end for each, end in ends.items() if end > stored[each]
    }


def test_a_topic_made_anew_is_read_from_its_beginning_although_old_usage_comes_again(
    make_world: MakeWorld, store_url: str, kafka: str
) -> None:
    stream = Stream(seed=27)
    world = make_world(store_url, kafka, stream)
    messages = list(stream.messages(300, rubbish=False))
    world.publish(messages)
    world.finish()
    world.remake_topics(partitions=2)

    world.publish(messages)
    world.publish(stream.messages(300, rubbish=False))
    document = world.finish("--accept-gap")

    assert (document["duplicates"], document["accepted"]) == (300, 300)
    world.check(stream)


def test_a_position_beyond_the_end_of_the_log_is_no_end_that_was_reached(
    make_world: MakeWorld, sqlite_url: str, kafka: str
) -> None:
    stream = Stream(seed=28)
    world = make_world(sqlite_url, kafka, stream)
    world.publish(stream.messages(100))
    world.finish()
    engine = TestEngine(sqlite_url, create=False)
    with engine.store.transaction() as database:
        database.execute("UPDATE positions SET reached = reached + 1000")
    engine.close()

    assert failure(world.consume("--once"))[:2] == (4, "position_out_of_range")
