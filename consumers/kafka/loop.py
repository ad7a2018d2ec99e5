"""The consumer: poll -> decode -> check the topics -> commit, one after the other, in one thread.

While the database commits a batch, the next one is polled and decoded: it waits until the first is through.

A batch and the positions it reaches commit together, by compare-and-swap from the positions that the database had. So
whoever else reads the same partitions (a zombie that wakes, a group of another name) is found out at its commit: its
batch is dropped, and it reads on from where the database is.
"""

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from typing import Final, NamedTuple

from application.ingest import Tally
from application.letters import Incoming
from application.ports import PositionMoved, PositionSwap, StoreUnavailable, WriteConflict
from consumers.garbage import Collector
from consumers.kafka.broker import Broker, Topic, check_equal
from consumers.kafka.config import Engine, KafkaConfig
from consumers.kafka.errors import Misplaced, Stopped
from consumers.kafka.member import Member
from consumers.kafka.patience import Patience
from consumers.kafka.places import Place, all_partitions, find_places
from consumers.kafka.records import Partition, decode_records

CHANNEL: Final = "kafka"
LOOK_SECONDS: Final = 1.0  # between looks around
GOAL_SECONDS: Final = 0.1  # the same where only the goal is waited for
_log = logging.getLogger("commcredits.consumer")


def run_consumer(
    config: KafkaConfig,
    engine: Engine,
    stop: Callable[[], bool],
    report: Callable[[Tally], None] = lambda tally: None,
) -> Tally:
    """Consume until `stop()` (or, with `once`, until the database has reached the ends that the topics have now).

    The batch in hand is finished; then the group is left. `report` is given each batch's tally; the sum is answered.
    Raises ConsumerError (stable codes, exit 4), StoreUnavailable, SchemaMissing; what is committed by then stands.
    """
    total = Tally()

    def count(tally: Tally) -> None:
        total.add(tally)
        report(tally)

    patience = Patience(config.store_patience_seconds, stop, lambda trouble: trouble)
    broker = Broker(config, stop)
    try:
        patience.ask(lambda: engine.ingest, StoreUnavailable)
        while not Consumer(config, engine, broker, patience, stop, count).run():
            _log.warning("looking at the topics anew")
    except Stopped:
        _log.warning("asked to stop while waiting")
    finally:
        broker.close()
        engine.close()
    return total


class Read(NamedTuple):
    """Messages that were polled, and by partition the position after them and how many were keyed wrongly."""

    incoming: Sequence[Incoming]
    reached: Mapping[Partition, tuple[int, int]]


class Consumer:
    """One membership of the group, from joining to leaving."""

    def __init__(
        self,
        config: KafkaConfig,
        engine: Engine,
        broker: Broker,
        patience: Patience,
        stop: Callable[[], bool],
        count: Callable[[Tally], None],
    ) -> None:
        self._config, self._engine, self._broker, self._stop, self._count = config, engine, broker, stop, count
        self._patience = patience  # with the store
        self._topics: dict[str, Topic] = {}
        self._ids: dict[str, str] = {}
        self._places: dict[Partition, Place] = {}  # of the partitions that are ours, as the database has them
        self._goal: dict[Partition, int] = {}
        self._ahead: Read | Exception | None = None  # what was read while the database was at work
        self._looked_at = self._goal_looked_at = time.monotonic()

    def run(self) -> bool:
        """Whether it is done: asked to stop, or the goal reached. Otherwise the topics are to be looked at anew."""
        try:
            self._look_at_topics()
            check_equal(self._topics)
            self._warn_of_compaction()
            places = self._find_places(all_partitions(self._topics))
            self._goal = {each: place.end for each, place in places.items() if place.offset < place.end}
            if self._goal or not self._config.once:
                with closing(Member(self._config, self._stop)) as self._member, Collector() as collector:
                    self._consume(collector)
        except Misplaced as error:
            _log.warning("%s", error)
            return False
        finally:
            self._engine.accounts.clear()
        return True

    def _warn_of_compaction(self) -> None:
        if compacted := " and ".join(self._broker.compacted()):
            _log.warning("%s is compacted: only an account's last message stays, and usage is lost unread", compacted)

    def _consume(self, collector: Collector) -> None:
        while not self._stop():
            read = self._next()
            self._notice_revoked()
            if self._member.waiting():
                self._settle()
            elif read.reached:
                self._take(read)
            hurry = self._config.once and not read.reached
            if time.monotonic() >= self._looked_at + (GOAL_SECONDS if hurry else LOOK_SECONDS):
                self._look_around()
            collector.tick()
            if self._config.once and self._at_goal():
                return

    def _notice_revoked(self) -> None:
        """Others may write to our accounts now."""
        if self._member.revoked():
            self._places = {}
            self._engine.accounts.clear()

    def _settle(self) -> None:
        """Begin, or begin again, at the database's positions."""
        self._look_at_topics()
        self._notice_revoked()
        self._ahead = None
        self._places = self._find_places(self._member.partitions())
        self._member.place({each: place.offset for each, place in self._places.items()})

    def _find_places(self, partitions: list[Partition]) -> dict[Partition, Place]:
        def find() -> dict[Partition, Place]:
            return find_places(self._engine, self._broker, self._topics, partitions, self._config.accept_gap)

        return self._patience.ask(find, StoreUnavailable, WriteConflict, PositionMoved)

    def _next(self) -> Read:
        """What was read ahead, else what is there now."""
        ahead, self._ahead = self._ahead, None
        if isinstance(ahead, Exception):
            raise ahead
        return self._read() if ahead is None else ahead

    def _read(self) -> Read:
        records = self._member.poll()
        incoming, miskeyed = decode_records(records, self._ids)
        reached = {each: (at, miskeyed[each]) for each, at in self._member.positions(records).items()}
        return Read(incoming, reached)

    def _read_ahead(self) -> None:
        if self._ahead is None:
            try:
                self._ahead = self._read()
            except Exception as error:  # noqa: BLE001 - it is raised when its turn comes
                self._ahead = error

    def _take(self, read: Read) -> None:
        swaps = [self._swap(partition, *reached) for partition, reached in read.reached.items()]
        present = self._broker.present()
        self._check_ids(present)
        self._commit(read.incoming, swaps)
        if len(present) < len(self._ids):
            self._look_around()  # what was read of a topic before it went is taken; now it is missed

    def _swap(self, partition: Partition, reached: int, miskeyed: int = 0) -> PositionSwap:
        topic, number = partition
        stored = self._places[partition].stored
        return PositionSwap(topic, number, self._ids[topic], stored, reached, miskeyed=miskeyed)

    def _commit(self, incoming: Sequence[Incoming], swaps: Sequence[PositionSwap]) -> None:
        try:
            tally = self._patience.ask(
                lambda: self._engine.ingest.take(incoming, CHANNEL, swaps, meanwhile=self._read_ahead),
                StoreUnavailable,
                WriteConflict,
            )
        except PositionMoved as moved:
            _log.warning("dropping a batch: %s", moved)
            self._settle()
            return
        for swap in swaps:
            place = self._places[swap.topic, swap.partition]
            self._places[swap.topic, swap.partition] = Place(swap.reached, swap.reached, place.end)
        self._count(tally)

    def _look_around(self) -> None:
        """Now and then: are the topics still the same, and has a transaction's mark moved a position?"""
        self._look_at_topics()
        self._notice_revoked()
        if not isinstance(self._ahead, Exception):
            waiting = self._ahead.reached if self._ahead else {}
            idle = self._member.positions([each for each in self._places if each not in waiting])
            swaps = [self._swap(each, at) for each, at in idle.items()]
            moved = [swap for swap in swaps if swap.reached != self._places[swap.topic, swap.partition].offset]
            if moved:
                self._commit((), moved)
        self._member.tell({each: place.offset for each, place in self._places.items()})

    def _look_at_topics(self) -> None:
        """Raises TopicMissing; Misplaced where one is another than before."""
        topics = self._broker.topics()
        self._looked_at = time.monotonic()
        if not self._ids:
            self._ids = {name: topic.topic_id for name, topic in topics.items()}
        self._check_ids(topics)
        self._topics = topics

    def _check_ids(self, topics: Mapping[str, Topic]) -> None:
        for name, topic in topics.items():
            if topic.topic_id != self._ids[name]:
                raise Misplaced(f"topic {name} was made anew: its id {self._ids[name]} is now {topic.topic_id}")

    def _at_goal(self) -> bool:
        """Whether the database has reached every end that was noted at the start, whoever consumed up to there."""
        self._goal = {each: end for each, end in self._goal.items() if not self._has_reached(each, end)}
        now = time.monotonic()
        if self._goal and now >= self._goal_looked_at + GOAL_SECONDS and not self._goal.keys() & self._places.keys():
            self._goal_looked_at = now
            for each in self._patience.ask(self._engine.store.positions, StoreUnavailable):
                end = self._goal.get((each.topic, each.partition))
                if end is not None and each.topic_id == self._ids[each.topic] and each.reached >= end:
                    del self._goal[each.topic, each.partition]
        return not self._goal

    def _has_reached(self, partition: Partition, end: int) -> bool:
        place = self._places.get(partition)
        return place is not None and place.offset >= end
