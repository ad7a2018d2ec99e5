"""A member of the group reads from where it is placed, and from nowhere else."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing

import pytest
from kafka import KafkaProducer

from consumers.kafka.config import KafkaConfig
from consumers.kafka.errors import Misplaced, RecordUnreadable
from consumers.kafka.member import Member
from consumers.kafka.records import Records
from tests.conftest import Topics
from tests.support.consumers import delete_records
from tests.support.waiting import wait_until


@pytest.fixture
def config(kafka: str, topics: Callable[[int], Topics]) -> KafkaConfig:
    """One partition a topic, ten messages in the first."""
    calls, conferences = topics(1)
    producer = KafkaProducer(bootstrap_servers=kafka)
    for number in range(10):
        producer.send(calls, b"%d" % number)
    producer.flush()
    producer.close()
    return KafkaConfig(bootstrap=kafka, group=calls, topic_calls=calls, topic_conferences=conferences)


@pytest.fixture
def member(config: KafkaConfig) -> Iterator[Member]:
    with closing(Member(config, lambda: False)) as member:
        yield member


def wait_for_partitions(member: Member) -> None:
    def assigned() -> bool:
        assert not member.poll()  # nothing is read without a place
        return member.waiting() and len(member.partitions()) == 2

    wait_until(assigned, what="partitions")


def read(member: Member) -> Records:
    records: Records = {}

    def some() -> Records:
        nonlocal records
        records = member.poll()
        return records

    wait_until(some, what="messages")
    return records


def test_nothing_is_read_before_a_place_is_said_and_then_from_there(config: KafkaConfig, member: Member) -> None:
    wait_for_partitions(member)
    calls, conferences = (config.topic_calls, 0), (config.topic_conferences, 0)

    member.place({calls: 7, conferences: 0})
    records = read(member)

    assert [record.value for record in records[calls]] == [b"7", b"8", b"9"]
    assert member.positions([calls, conferences]) == {calls: 10, conferences: 0}
    assert not member.waiting()


def test_a_place_that_the_log_no_longer_has_is_told(config: KafkaConfig, member: Member) -> None:
    wait_for_partitions(member)
    delete_records(config.bootstrap, {(config.topic_calls, 0): 5})

    member.place({(config.topic_calls, 0): 3, (config.topic_conferences, 0): 0})

    with pytest.raises(Misplaced):
        read(member)


def test_a_batch_has_its_size(config: KafkaConfig) -> None:
    small = KafkaConfig(**{**{name: getattr(config, name) for name in config.__slots__}, "batch_size": 4})
    with closing(Member(small, lambda: False)) as member:
        wait_for_partitions(member)
        member.place({(config.topic_calls, 0): 0, (config.topic_conferences, 0): 0})

        assert [len(read(member)[config.topic_calls, 0]) for _ in range(3)] == [4, 4, 2]


def test_a_batch_that_cannot_be_read_stops_it_though_others_can(
    config: KafkaConfig, member: Member, monkeypatch: pytest.MonkeyPatch
) -> None:
    wait_for_partitions(member)
    packed = KafkaProducer(bootstrap_servers=config.bootstrap, compression_type="gzip")
    packed.send(config.topic_calls, b"ten" * 500).get()
    packed.close()
    plain = KafkaProducer(bootstrap_servers=config.bootstrap)
    monkeypatch.setattr("kafka.codec.has_gzip", lambda: False)
    calls, conferences = (config.topic_calls, 0), (config.topic_conferences, 0)
    member.place({calls: 0, conferences: 0})
    found: list[bytes] = []

    def read_on() -> None:
        plain.send(config.topic_conferences, b"still read")
        found.extend(record.value for record in member.poll().get(calls, ()))

    with closing(plain), pytest.raises(RecordUnreadable) as stopped:
        wait_until(read_on, what="the consumer to give up")
    assert stopped.value.source == {"kind": "kafka", "topic": config.topic_calls, "partition": 0, "offset": 10}
    assert found == [b"%d" % number for number in range(10)]
    assert member.positions([calls]) == {calls: 10}
