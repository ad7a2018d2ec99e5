"""`simulate`: usage traffic into a file or onto the topics, as fast as it goes or at a steady rate."""

import time
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime, timedelta
from typing import IO, Any, Final

from commcredits.traffic import Message, days_of
from consumers.kafka.broker import Broker, connect
from consumers.kafka.config import KafkaConfig
from consumers.kafka.errors import BrokerUnavailable, one_line

_FEW_SECONDS: Final = 0.002  # shorter waits than this are left to the next message
_NOTE_EACH: Final = 10_000


def start_for(accounts: int, usages: int, now: datetime) -> datetime:
    """The midnight (UTC) from which so many usages last until yesterday: none of them starts in the future."""
    midnight = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return midnight - timedelta(days=days_of(accounts, usages))


def paced(
    messages: Iterable[Message],
    rate: int,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> Iterator[Message]:
    """The messages, `rate` a second."""
    begun = clock()
    for number, message in enumerate(messages):
        wait = begun + number / rate - clock()
        if wait > _FEW_SECONDS:
            sleep(wait)
        yield message


def write(messages: Iterable[Message], stream: IO[bytes], progress: Callable[[int], None], flush: bool = False) -> int:
    """Each message a line of NDJSON; how many there were. `flush`: each at once, for traffic at a rate."""
    count = 0
    for count, message in enumerate(messages, 1):
        stream.write(message.value + b"\n")
        if flush:
            stream.flush()
        if count % _NOTE_EACH == 0:
            progress(count)
    stream.flush()
    return count


def publish(messages: Iterable[Message], config: KafkaConfig, progress: Callable[[int], None]) -> int:
    """Each message to its topic, keyed by its account; how many the broker has acknowledged: all of them.

    Raises TopicMissing, PartitionsDiffer, BrokerRefused, BrokerUnavailable.
    """
    _check_topics(config)
    calls, conferences = (name for name in config.topics)
    failures: list[Exception] = []
    producer = _producer(config)
    count = 0
    try:
        for count, message in enumerate(messages, 1):
            topic = conferences if message.is_conference else calls
            producer.send(topic, message.value, message.account_id.encode()).add_errback(failures.append)
            if count % _NOTE_EACH == 0:
                progress(count)
            if failures:
                break
        producer.flush()
    finally:
        producer.close()
    if failures:
        raise BrokerUnavailable(f"{config.bootstrap} did not take a message: {one_line(failures[0])}")
    return count


def _check_topics(config: KafkaConfig) -> None:
    broker = Broker(config, lambda: False)
    try:
        broker.topics()
    finally:
        broker.close()


def _producer(config: KafkaConfig) -> Any:
    from kafka import KafkaProducer

    return connect(
        KafkaProducer,
        **config.connection(),
        acks="all",
        linger_ms=20,
        batch_size=256 << 10,
        compression_type="lz4",
        allow_auto_create_topics=False,
        metrics_enabled=False,
    )
