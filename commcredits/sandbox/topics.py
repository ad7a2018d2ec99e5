"""Makes and removes topics: the brokers that the program meets do not create them by themselves."""

from __future__ import annotations

from collections.abc import Iterable

from kafka.admin import KafkaAdminClient, NewTopic


def create_topics(bootstrap: str, names: Iterable[str], partitions: int, replication: int = 1) -> None:
    """Makes topics of `partitions` each; kafka.errors.TopicAlreadyExistsError when one is there."""
    admin = KafkaAdminClient(bootstrap_servers=bootstrap)
    try:
        admin.create_topics([NewTopic(name, partitions, replication) for name in names])
    finally:
        admin.close()


def delete_topics(bootstrap: str, names: Iterable[str]) -> None:
    """Removes topics; kafka.errors.UnknownTopicOrPartitionError when one is not there."""
    admin = KafkaAdminClient(bootstrap_servers=bootstrap)
    try:
        admin.delete_topics(list(names))
    finally:
        admin.close()
