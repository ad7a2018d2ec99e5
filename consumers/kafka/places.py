"""Where to read on in each partition: the stored position, the earliest at the very first, and never past a gap."""

from collections.abc import Iterable
from typing import NamedTuple

from application.gaps import Gap, accept_gap
from application.ports import Position
from consumers.kafka.broker import Broker, Topic
from consumers.kafka.config import Engine
from consumers.kafka.errors import ConsumerError, PositionOutOfRange, TopicRecreated
from consumers.kafka.records import Partition


class Place(NamedTuple):
    """`stored`: what the database has (None: nothing yet); `offset`: the next to read; `end`: where the log ended."""

    stored: int | None
    offset: int
    end: int


def all_partitions(topics: dict[str, Topic]) -> list[Partition]:
    """Every partition of the topics."""
    return [(name, number) for name, topic in topics.items() for number in range(topic.partitions)]


def find_places(
    engine: Engine, broker: Broker, topics: dict[str, Topic], partitions: Iterable[Partition], accept: bool
) -> dict[Partition, Place]:
    """The places in these partitions.

    A position that is not in its log raises TopicRecreated or PositionOutOfRange; with `accept`, the gap is recorded
    and reading begins at the earliest: what was read before is known by its usage ids.
    """
    partitions = list(partitions)
    # in this order: positions only move forward, so what was stored in between lies between the two
    starts = broker.starts(partitions)
    stored = {(each.topic, each.partition): each for each in engine.store.positions()}
    ends = broker.ends(partitions)
    places = {}
    for partition in partitions:
        start, end = starts[partition], ends[partition]
        position, topic_id = stored.get(partition), topics[partition[0]].topic_id
        if position is None:
            places[partition] = Place(None, start, end)
        elif position.topic_id == topic_id and start <= position.reached <= end:
            places[partition] = Place(position.reached, position.reached, end)
        elif accept:
            accept_gap(engine.store, engine.by("--accept-gap"), Gap(position, topic_id, start))
            places[partition] = Place(start, start, end)
        else:
            raise _gap(position, topic_id, start, end)
    return places


def _gap(position: Position, topic_id: str, start: int, end: int) -> ConsumerError:
    where = f"{position.topic}, partition {position.partition}"
    source = {
        "kind": "kafka",
        "topic": position.topic,
        "partition": position.partition,
        "offset": position.reached,
    }
    advice = "usage may be lost: have it sent again, then go on with `consume --accept-gap`, which is recorded"
    if position.topic_id != topic_id:
        what = (
            f"{where}: the topic was deleted and made anew (id {position.topic_id} is now {topic_id}) after it was "
            f"read up to offset {position.reached}"
        )
        return TopicRecreated(f"{what}; {advice}", source)
    what = f"{where}: it was read up to offset {position.reached}, but the log has offsets {start} to {end}"
    return PositionOutOfRange(f"{what}; {advice}", source)
