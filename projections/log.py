"""The rows of the log as events."""

from collections.abc import Iterator, Sequence
from typing import Final
from uuid import UUID

from domain.events import Event, UnknownEvent, decode_state

LogRow = tuple[int, UUID, int, str, bytes]  # position, stream, version, topic, state
Entry = tuple[int, UUID, int, Event]  # position, stream, version, event

DECODED_AT_ONCE: Final = 500  # decoding ten times as many before they are applied takes half as long again


class LogError(Exception):
    """An event of the log that a read model cannot take."""

    code = ""

    def __init__(self, position: int, stream: UUID, version: int, cause: Exception) -> None:
        super().__init__(f"position {position} of the log (version {version} of stream {stream}): {cause}")
        self.position, self.stream, self.version = position, stream, version


class Unreadable(LogError):
    """This program does not know the event; read models stand at the position before it."""

    code = "unreadable_event"


class Inapplicable(LogError):
    """The event cannot follow those before it: the log or a read model's row is not what was written."""

    code = "inapplicable_event"


def readable(rows: Sequence[LogRow]) -> Iterator[list[Entry]]:
    """The events, some at a time. Raises Unreadable, after those that come before."""
    for start in range(0, len(rows), DECODED_AT_ONCE):
        entries: list[Entry] = []
        for position, stream, version, topic, state in rows[start : start + DECODED_AT_ONCE]:
            try:
                entries.append((position, stream, version, decode_state(topic, state)))
            except UnknownEvent as error:
                if entries:
                    yield entries
                raise Unreadable(position, stream, version, error) from error
        yield entries
