"""Events to and from the library's stored form.

Configure a stock `Application` with `MAPPER_TOPIC=adapters.store.mapper:EventMapper`; it then reads `Recorded` events.
"""

from collections.abc import Sequence
from typing import Any, cast
from uuid import UUID

from eventsourcing.domain import DomainEventProtocol
from eventsourcing.persistence import Cipher, Compressor, Mapper, StoredEvent, Transcoder

from application.ports import NewEvent
from domain.events import Recorded, decode_state, encode_state


class EventMapper(Mapper[UUID]):
    """Topic: the event's class name. State: its JSON array, as `domain.events` writes it."""

    def __init__(
        self, transcoder: Transcoder, compressor: Compressor | None = None, cipher: Cipher | None = None
    ) -> None:
        if compressor is not None or cipher is not None:
            raise ValueError("our events are stored plain; personal data in them has its own encryption")
        super().__init__(transcoder)

    def to_stored_event(self, domain_event: DomainEventProtocol[UUID]) -> StoredEvent:
        """The stored form of a `Recorded`."""
        recorded: Any = domain_event
        return StoredEvent(
            originator_id=recorded.originator_id,
            originator_version=recorded.originator_version,
            topic=type(recorded.event).__name__,
            state=encode_state(recorded.event),
        )

    def to_domain_event(self, stored_event: StoredEvent) -> Recorded:
        """A `Recorded`. Raises UnknownEvent where this program does not know the topic or the schema."""
        return Recorded(
            _uuid(stored_event.originator_id),
            stored_event.originator_version,
            decode_state(stored_event.topic, stored_event.state),
        )


Events = Sequence[StoredEvent] | Sequence[NewEvent]


def new_events(events: Events) -> Sequence[NewEvent]:
    """What a recorder is given, as NewEvent: the library's own come without a usage key."""
    if events and not isinstance(events[0], NewEvent):
        return [NewEvent(_uuid(each.originator_id), each.originator_version, each.topic, each.state) for each in events]
    return cast("Sequence[NewEvent]", events)


def _uuid(originator_id: UUID | str) -> UUID:
    return originator_id if isinstance(originator_id, UUID) else UUID(originator_id)
