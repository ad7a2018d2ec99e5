"""Going on over a gap: what is stored says one position, the topic can only give another. An operator's decision."""

from typing import NamedTuple

from application.ports import Commit, NewEvent, Position, PositionSwap, Store, WriteConflict
from domain.commands import By
from domain.events import GapAccepted, encode_state, log_stream

MAX_TRIES = 20


class Gap(NamedTuple):
    """The position as it is stored; the topic as it is now, and where reading begins in it."""

    position: Position
    topic_id: str
    start: int


def accept_gap(store: Store, by: By, gap: Gap) -> None:
    """Record the gap and move the position, in one commit. Raises PositionMoved when somebody else did."""
    stored = gap.position
    event = GapAccepted(
        GapAccepted.VERSION,
        by.now,
        by.now,
        by.actor,
        by.channel,
        by.reason,
        by.causation_id,
        stored.topic,
        stored.partition,
        stored.topic_id,
        stored.reached,
        gap.topic_id,
        gap.start,
    )
    swap = PositionSwap(stored.topic, stored.partition, gap.topic_id, stored.reached, gap.start, stored.topic_id)
    stream = log_stream()
    for attempt in range(MAX_TRIES):
        version = len(store.select_events(stream)) + 1
        row = NewEvent(stream, version, GapAccepted.__name__, encode_state(event))
        try:
            return store.commit(Commit(events=[row], positions=[swap]))
        except WriteConflict:
            if attempt == MAX_TRIES - 1:
                raise
    raise AssertionError("unreachable")
