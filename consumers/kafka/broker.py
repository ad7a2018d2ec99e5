"""What the broker says of topics and logs, asked fresh on a connection of its own.

On the consumer's own connection a question would wait behind the fetch that waits for new messages (seen: 110 ms),
and its cached topic ids stay the old ones when a topic is made anew.
"""

import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final, NamedTuple, TypeVar

from kafka import TopicPartition, errors
from kafka.admin import ConfigResource, ConfigResourceType, KafkaAdminClient
from kafka.net.compat import KafkaNetClient
from kafka.protocol.consumer import IsolationLevel, OffsetSpec

from consumers.kafka.config import KafkaConfig
from consumers.kafka.errors import (
    BrokerRefused,
    BrokerUnavailable,
    Misplaced,
    PartitionsDiffer,
    TopicMissing,
    one_line,
)
from consumers.kafka.patience import Patience
from consumers.kafka.records import Partition

T = TypeVar("T")

# a broker that has just started, or a topic that has just been made, may be unknown for a moment
MISSING_SECONDS: Final = 3.0
_CLEANUP: Final = "cleanup.policy"
NO_TOPIC_ID: Final = "00000000-0000-0000-0000-000000000000"

REFUSALS: Final = (
    errors.AuthorizationError,
    errors.SaslAuthenticationFailedError,
    errors.UnsupportedSaslMechanismError,
    errors.IllegalSaslStateError,
    errors.UnsupportedVersionError,
    errors.KafkaConfigurationError,
    errors.InvalidSessionTimeoutError,
    errors.InvalidGroupIdError,
    errors.InconsistentGroupProtocolError,
    errors.GroupMaxSizeReachedError,
)
NOT_ALLOWED: Final = errors.TopicAuthorizationFailedError.errno


class Topic(NamedTuple):
    """A topic as it is now. Its id tells it from an earlier one of the same name."""

    topic_id: str
    partitions: int


def check_equal(topics: Mapping[str, Topic]) -> None:
    """Raises PartitionsDiffer: an account's calls and conferences would not come to the same consumer.

    Only asked at the start: while it runs, partitions are added to one topic after the other, and what is then not
    together is still taken once.
    """
    if len({topic.partitions for topic in topics.values()}) > 1:
        counts = ", ".join(f"{name} has {topic.partitions}" for name, topic in sorted(topics.items()))
        raise PartitionsDiffer(f"the topics need equal numbers of partitions: {counts}; add to the smaller one")


def unavailable(config: KafkaConfig) -> Callable[[Exception], BrokerUnavailable]:
    """How to give up on the brokers."""

    def give_up(trouble: Exception) -> BrokerUnavailable:
        what = f"no answer from {config.bootstrap} for {config.broker_patience_seconds} s ({one_line(trouble)})"
        # kafka-python seldom sees the answer of a broker that refuses and hangs up at once
        secured = "" if config.security_protocol == "PLAINTEXT" else ", does it take these credentials and certificates"
        return BrokerUnavailable(f"{what}: is the broker up{secured}, and is COMMCREDITS_KAFKA_BOOTSTRAP right?")

    return give_up


def refused(config: KafkaConfig, error: Exception) -> BrokerRefused:
    """The broker's no, in a sentence."""
    return BrokerRefused(f"the broker at {config.bootstrap} refuses: {one_line(error)}")


def connect(kind: Callable[..., T], **arguments: Any) -> T:
    """A client of kafka-python.

    One that cannot connect would only say that it took too long, and leave its thread behind: here it raises what its
    connections failed with, a refusal before all, and is ended.
    """
    clients: list[Any] = []
    failures: list[Exception] = []

    def make(**configs: Any) -> Any:
        client = KafkaNetClient(**configs)
        clients.append(client)
        get_connection = client._manager.get_connection

        def get_watched_connection(*args: Any, **options: Any) -> Any:
            connection = get_connection(*args, **options)
            connection.init_future.add_errback(failures.append)
            return connection

        client._manager.get_connection = get_watched_connection
        return client

    try:
        return kind(kafka_client=make, **arguments)
    except BaseException as error:
        for client in clients:
            client.close()
        if isinstance(error, errors.KafkaTimeoutError) and failures:
            raise next((each for each in failures if isinstance(each, REFUSALS)), failures[-1]) from error
        raise
    finally:
        for client in clients:
            del client._manager.get_connection


class Broker:
    """Asks the cluster about the two topics. Every question waits out the broker's absence, as long as patience lasts.

    All raise BrokerUnavailable, BrokerRefused, Stopped.
    """

    def __init__(self, config: KafkaConfig, stop: Callable[[], bool]) -> None:
        self._config = config
        self._patience = Patience(config.broker_patience_seconds, stop, unavailable(config))
        self._admin: Any = None

    def topics(self) -> dict[str, Topic]:
        """Both topics. Raises TopicMissing."""
        end = time.monotonic() + MISSING_SECONDS
        while len(found := self.present()) < len(set(self._config.topics)):
            if time.monotonic() > end:
                [missing, *_] = [name for name in self._config.topics if name not in found]
                text = f"there is no topic {missing} at {self._config.bootstrap}: make it, both with equal partitions"
                raise TopicMissing(text, {"kind": "kafka", "topic": missing, "partition": None, "offset": None})
            time.sleep(0.05)
        return found

    def present(self) -> dict[str, Topic]:
        """Those of both topics that are there at this moment."""
        described = self._ask(lambda admin: admin.describe_topics(list(self._config.topics)))
        for each in described:
            if each["error_code"] == NOT_ALLOWED:
                raise refused(self._config, errors.TopicAuthorizationFailedError(each["name"]))
        return {each["name"]: _topic(each) for each in described if each["error_code"] == 0}

    def compacted(self) -> list[str]:
        """Those of both topics whose log keeps only the last message of each key, so of each account.

        Where their settings may not be looked at the broker tells none, and so does this.
        """
        wanted = [ConfigResource(ConfigResourceType.TOPIC, name, [_CLEANUP]) for name in self._config.topics]
        told = self._ask(lambda admin: admin.describe_configs(wanted, config_filter="all"))["topic"]
        return [name for name, configs in told.items() if "compact" in str(configs.get(_CLEANUP, {}).get("value"))]

    def starts(self, partitions: Iterable[Partition]) -> dict[Partition, int]:
        """The first offset that each log still has."""
        return self._offsets(partitions, OffsetSpec.EARLIEST)

    def ends(self, partitions: Iterable[Partition]) -> dict[Partition, int]:
        """The offset after the last message that may be read: none of a transaction that is still open."""
        return self._offsets(partitions, OffsetSpec.LATEST)

    def _offsets(self, partitions: Iterable[Partition], spec: Any) -> dict[Partition, int]:
        wanted = {TopicPartition(*each): spec for each in partitions}
        if not wanted:
            return {}
        found = self._ask(lambda admin: admin.list_partition_offsets(dict(wanted), IsolationLevel.READ_COMMITTED))
        return {partition: at.offset for partition, at in found.items()}

    def close(self) -> None:
        """Drop the connection."""
        if self._admin is not None:
            self._admin.close()

    def _ask(self, question: Callable[[Any], T]) -> T:
        def ask() -> T:
            try:
                if self._admin is None:
                    self._admin = connect(KafkaAdminClient, **self._config.connection())
                return question(self._admin)
            except REFUSALS as error:
                raise refused(self._config, error) from error
            except errors.UnknownTopicOrPartitionError as error:
                raise Misplaced(one_line(error)) from error

        return self._patience.ask(ask, errors.KafkaError)


def _topic(described: dict[str, Any]) -> Topic:
    topic_id = str(described["topic_id"])
    if topic_id in (NO_TOPIC_ID, "None"):
        raise BrokerRefused(
            "the broker tells no topic ids, and without them a topic made anew looks the same: Kafka 2.8+"
        )
    return Topic(topic_id, len(described["partitions"]))
