"""Simulated traffic on a real broker."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from kafka import KafkaConsumer, TopicPartition

from commcredits.simulate import publish
from commcredits.traffic import generate
from consumers.kafka.config import KafkaConfig
from consumers.kafka.errors import TopicMissing

START = datetime(2026, 11, 16, tzinfo=UTC)


def published(bootstrap: str, topic: str, partitions: int) -> list[Any]:
    """All that is in a topic."""
    consumer = KafkaConsumer(bootstrap_servers=bootstrap, auto_offset_reset="earliest", enable_auto_commit=False)
    try:
        places = [TopicPartition(topic, number) for number in range(partitions)]
        consumer.assign(places)
        ends = consumer.end_offsets(places)
        found: list[Any] = []
        while any(consumer.position(place) < ends[place] for place in places):
            for records in consumer.poll(1000).values():
                found.extend(records)
        return found
    finally:
        consumer.close()


def test_every_usage_is_on_its_topic_keyed_by_its_account(kafka: str, topics: Callable[[int], Any]) -> None:
    pair = topics(3)
    config = KafkaConfig(bootstrap=kafka, topic_calls=pair.calls, topic_conferences=pair.conferences)
    messages = list(generate(20, 3_000, 7, START))

    assert publish(messages, config, lambda _: None) == 3_000

    calls, conferences = published(kafka, pair.calls, 3), published(kafka, pair.conferences, 3)
    expected = sorted((message.account_id.encode(), message.value) for message in messages)
    assert sorted((record.key, record.value) for record in calls + conferences) == expected
    assert all(b'"call_type":"conf_' in record.value for record in conferences)
    assert not any(b'"call_type":"conf_' in record.value for record in calls)
    places = {(record.key, record.partition) for record in calls + conferences}
    assert len(places) == 20  # one partition number holds all of an account, on both topics


def test_a_topic_that_is_missing_is_told(kafka: str, topics: Callable[[int], Any]) -> None:
    config = KafkaConfig(bootstrap=kafka, topic_calls=topics(1).calls, topic_conferences="absent")
    with pytest.raises(TopicMissing, match="absent"):
        publish(generate(1, 1, 1, START), config, lambda _: None)
