"""A steady stream: each message is due at an instant that depends on no other, and is published then or late."""

import time
from itertools import islice
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Final

from kafka import KafkaProducer

from benchmarks.context import read_messages
from benchmarks.traffic import CALLS

TICK_SECONDS: Final = 0.001


def publish(bootstrap: str, topics: tuple[str, str], path: Path, rate: int, begun: Connection) -> None:
    """`rate` messages a second of a file, in a process of its own; first tells the instant at which the first is due.

    Message number n is due n / rate seconds after that, by the clock that all processes of the machine share.
    """
    producer: Any = KafkaProducer(bootstrap_servers=bootstrap, linger_ms=2, batch_size=64 << 10, metrics_enabled=False)
    for topic in topics:
        producer.partitions_for(topic)
    messages = read_messages(path)
    start, sent = time.perf_counter() + 0.1, 0
    begun.send(start)
    while True:
        due = max(0, int((time.perf_counter() - start) * rate) + 1)
        batch = list(islice(messages, due - sent))
        for message in batch:
            producer.send(topics[message.topic != CALLS], message.value, message.key)
        if len(batch) < due - sent:
            break
        sent = due
        time.sleep(TICK_SECONDS)
    producer.close()
