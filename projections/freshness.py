"""How fresh an answer from a read model is."""

from typing import NamedTuple

from domain.events import LOG
from domain.instants import format_instant
from projections.ports import Store


class Freshness(NamedTuple):
    """`position`: all up to it is in the answer; `lag_events`: how many the log has after it; `read_at` in µs."""

    position: int
    lag_events: int
    read_at: int

    def view(self) -> dict[str, str | int]:
        """As answers show it."""
        return {
            "log": LOG,
            "position": self.position,
            "lag_events": self.lag_events,
            "read_at": format_instant(self.read_at),
        }


def freshness(store: Store, name: str, now: int) -> Freshness:
    """Of a read model. Ask before reading its rows: what they then have more is not claimed."""
    position = store.tracked(name)
    return Freshness(position, store.count_log(position), now)
