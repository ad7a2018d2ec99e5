"""A cache of what was used last, made for batches: many keys at once, and next to nothing for a key that is there."""

from collections.abc import Callable, Iterable, Mapping
from itertools import islice
from typing import Generic, TypeVar

K = TypeVar("K")
V = TypeVar("V")


class Recent(Generic[K, V]):
    """At most `capacity` values stay. Where some have to go, those that were not used for longest do.

    The order of use is kept only when the room ends: to move each value at each use costs more than to find it.
    """

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._values: dict[K, V] = {}

    @property
    def get(self) -> Callable[[K], V | None]:
        """Looks a value up without noting that it was used: for as long as there is room that makes no difference."""
        return self._values.get

    def has_room(self, more: int) -> bool:
        """Whether so many more would make nobody leave."""
        return len(self._values) + more <= self._capacity

    def __len__(self) -> int:
        return len(self._values)

    def find(self, wanted: set[K], load: Callable[[set[K]], Mapping[K, V]]) -> dict[K, V]:
        """Those that exist. `load` answers the ones that are not here, as far as they exist."""
        get = self._values.get
        found = {key: value for key in wanted if (value := get(key)) is not None}
        if len(found) < len(wanted):
            found.update(load(wanted.difference(found)))
            self.keep(found)
        return found

    def keep(self, used: Mapping[K, V]) -> None:
        """These are in use now."""
        values = self._values
        if len(values) + len(used) > self._capacity:
            self.forget(used)
        values.update(used)
        for oldest in list(islice(values, max(len(values) - self._capacity, 0))):
            del values[oldest]

    def forget(self, keys: Iterable[K]) -> None:
        """These are not valid any more."""
        for key in keys:
            self._values.pop(key, None)

    def clear(self) -> None:
        """Forget all."""
        self._values.clear()
