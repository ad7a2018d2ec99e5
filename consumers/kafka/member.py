"""A member of the consumer group, as kafka-python has it, told where to read by us alone.

kafka-python's defaults (`latest`, `read_uncommitted`, auto-commit, auto-create, 45 s) would lose or invent usage: none
is relied on. Its rebalance listeners run on its own thread, while this one waits in `poll`: there the partitions are
only paused, so that nothing is read before `place` has said where from.
"""

import logging
from collections.abc import Callable, Collection, Mapping
from itertools import islice
from typing import Any, Final

from kafka import KafkaConsumer, OffsetAndMetadata, TopicPartition, errors
from kafka.consumer.subscription_state import ConsumerRebalanceListener
from kafka.coordinator.assignors.range import RangePartitionAssignor

from consumers.kafka.broker import REFUSALS, connect, refused, unavailable
from consumers.kafka.config import KafkaConfig
from consumers.kafka.errors import Misplaced, RecordUnreadable, one_line
from consumers.kafka.patience import Patience
from consumers.kafka.records import Partition, Records
from consumers.kafka.unpack import PartitionRecords, Unreadable

POLL_MS: Final = 100  # also how long a stop may go unnoticed
HEARTBEAT_MS: Final = 500  # a rebalance is noticed at a heartbeat
LONGEST_BATCH_MS: Final = 60_000  # a member that has not come back by then is out, so that the others can go on
LEAVE_MS: Final = 2_000
FETCH_BYTES: Final = 4 << 20  # of one partition, and
ANSWER_BYTES: Final = 4 << 20  # of all: the answer is in memory several times over; more makes nothing faster
READ_TRIES: Final = 5  # of one batch
METADATA_MS: Final = 5_000  # new partitions are noticed
_log = logging.getLogger("commcredits.consumer")


class _Listener(ConsumerRebalanceListener):  # type: ignore[misc]  # kafka-python ships no types
    """Notes what happened; on kafka-python's thread.

    A rejoin that new metadata caused is forgotten by kafka-python 3.0.12 when `poll` returns before it is through: the
    member then waits for ever, without partitions and without heartbeats (seen). So it is asked for again.
    """

    def __init__(self, consumer: Any) -> None:
        self.consumer = consumer
        self.revoked = self.assigned = False

    def on_partitions_revoked(self, revoked: Any) -> None:
        self.consumer._coordinator.request_rejoin()
        self.revoked = True

    def on_partitions_assigned(self, assigned: Any) -> None:
        for partition in assigned:
            self.consumer.seek(partition, 0)  # any offset: without one kafka-python would look for a committed one
        self.consumer.pause(*assigned)
        self.assigned = True


class Member:
    """Joins the group at its first `poll`, leaves it at `close`. Raises BrokerUnavailable, BrokerRefused, Stopped."""

    def __init__(self, config: KafkaConfig, stop: Callable[[], bool]) -> None:
        self._config = config
        self._patience = Patience(config.broker_patience_seconds, stop, unavailable(config))
        self._consumer = self._patience.ask(self._join, errors.KafkaError)
        self._consumer._fetcher.PartitionRecords = PartitionRecords
        self._listener = _Listener(self._consumer)
        self._consumer.subscribe(list(config.topics), listener=self._listener)
        self._told: dict[Partition, int] = {}
        self._unreadable: dict[Partition, tuple[int, int]] = {}  # at which offset, and how often it was tried

    def poll(self) -> Records:
        """The next messages, at most a batch of them; none when there are none within a moment.

        Raises Misplaced where the log does not have what comes next, RecordUnreadable where nobody can read it.
        """
        try:
            records: Records = self._consumer.poll(POLL_MS)
        except REFUSALS as error:
            raise refused(self._config, error) from error
        except (errors.OffsetOutOfRangeError, errors.LogTruncationError) as error:
            raise Misplaced(one_line(error)) from error
        except Unreadable as error:
            self._try_again(error)
            return {}
        except errors.KafkaError as error:
            self._patience.bear(error)
            return {}
        self._patience.over()
        return records

    def _try_again(self, error: Unreadable) -> None:
        """A byte that went wrong on its way is right the next time. That others can be read meanwhile is no comfort."""
        offset, tries = self._unreadable.get(error.partition, (error.offset, 0))
        tries = tries + 1 if offset == error.offset else 1
        self._unreadable[error.partition] = error.offset, tries
        _log.warning("cannot be read, try %s of %s: %s", tries, READ_TRIES, error)
        if tries == READ_TRIES:
            topic, number = error.partition
            source = {"kind": "kafka", "topic": topic, "partition": number, "offset": error.offset}
            raise RecordUnreadable(f"{one_line(error)}; nothing after it is read", source) from error

    def revoked(self) -> bool:
        """Whether partitions were taken away since this was last asked."""
        revoked, self._listener.revoked = self._listener.revoked, False
        return revoked

    def waiting(self) -> bool:
        """Whether partitions were assigned that have no place yet."""
        return self._listener.assigned

    def partitions(self) -> list[Partition]:
        """The ones that are ours now."""
        return sorted(self._consumer.assignment())

    def place(self, offsets: Mapping[Partition, int]) -> None:
        """Read on from these offsets; they are of all partitions that are ours."""
        self._listener.assigned = False
        for partition, offset in offsets.items():
            self._consumer.seek(TopicPartition(*partition), offset)
        self._consumer.resume(*(TopicPartition(*partition) for partition in offsets))

    def positions(self, partitions: Collection[Partition]) -> dict[Partition, int]:
        """The offsets after what `poll` has given: beyond the last message where a transaction left a mark there.

        Raises Misplaced where the log was cut.
        """
        try:
            for partition in islice(partitions, 1):  # kafka-python looks at all partitions each time that it is asked
                self._consumer.position(TopicPartition(*partition))
        except errors.LogTruncationError as error:
            raise Misplaced(one_line(error)) from error
        known = self._consumer._subscription.assignment
        return {each: known[TopicPartition(*each)].position.offset for each in partitions}

    def tell(self, reached: Mapping[Partition, int]) -> None:
        """Let Kafka know how far we are: for those who watch the lag there. We never read it."""
        if reached == self._told:
            return
        self._told = dict(reached)
        offsets = {TopicPartition(*partition): OffsetAndMetadata(offset) for partition, offset in reached.items()}
        self._consumer.commit_async(offsets, _told)

    def close(self) -> None:
        """Leave the group, so that the others take over at once."""
        self._consumer.close(autocommit=False, timeout_ms=LEAVE_MS)

    def _join(self) -> Any:
        session_ms = 1_000 * self._config.session_seconds
        try:
            return connect(
                KafkaConsumer,
                **self._config.connection(),
                group_id=self._config.group,
                enable_auto_commit=False,
                auto_offset_reset="none",
                isolation_level="read_committed",
                allow_auto_create_topics=False,
                partition_assignment_strategy=(RangePartitionAssignor,),  # co-partitions the two topics
                session_timeout_ms=session_ms,
                heartbeat_interval_ms=min(HEARTBEAT_MS, session_ms // 3),
                max_poll_interval_ms=LONGEST_BATCH_MS,
                max_poll_records=self._config.batch_size,
                max_partition_fetch_bytes=FETCH_BYTES,
                fetch_max_bytes=ANSWER_BYTES,
                metadata_max_age_ms=METADATA_MS,
                metrics_enabled=False,
            )
        except REFUSALS as error:
            raise refused(self._config, error) from error


def _told(offsets: Any, answer: Any) -> None:
    if isinstance(answer, Exception):
        _log.debug("the lag was not told: %s", one_line(answer))
