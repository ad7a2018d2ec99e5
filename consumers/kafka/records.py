"""Kafka's records -> what the use case takes: decoded usage, each with its place in the topic."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from application.letters import Incoming
from consumers.decode import decode_message, record_of

Partition = tuple[str, int]  # topic and number, equal to kafka-python's TopicPartition
Records = Mapping[Partition, Sequence[Any]]  # unpack.Record by kafka-python's TopicPartition


def decode_records(records: Records, topic_ids: Mapping[str, str]) -> tuple[list[Incoming], dict[Partition, int]]:
    """What came, by partition and key, and how many of a partition were keyed otherwise than by their account.

    Of one key the order stays. It is in this order that usage is decided, so what is decoded lies in memory like that.
    A message of another key is taken all the same; only its account may then be written by two consumers at once. A
    record that names no account is not counted.
    """
    incoming: list[Incoming] = []
    miskeyed: dict[Partition, int] = {}
    append = incoming.append
    for partition, batch in records.items():
        topic, number = partition
        topic_id, others = topic_ids[topic], 0
        for record in _by_key(batch):
            value, headers = record.value, record.headers
            usage = decode_message(value, headers)
            raw = value if value is None or not headers else record_of(value, headers)
            append(Incoming(usage, ("kafka", topic, number, record.offset), raw or b"", topic_id))
            account_id = usage.account_id
            if account_id and record.key != account_id.encode():
                others += 1
        miskeyed[partition] = others
    return incoming, miskeyed


def _by_key(batch: Sequence[Any]) -> Iterator[Any]:
    keys = [record.key or b"" for record in batch]
    return map(batch.__getitem__, sorted(range(len(batch)), key=keys.__getitem__))
