"""Names looked up in bounded time, which the system's resolver cannot do: nothing ends a look-up that it has begun.

So each runs in a thread of its own that nobody waits for longer than the deadline. A name is asked for by one of them
at a time, and no more than MOST run in a process: whoever finds none free waits, within the deadline too.
"""

import socket
import threading
import time
from collections.abc import Callable
from typing import Final

MOST: Final = 16


class NotLookedUp(TimeoutError):
    """The resolver has not answered in time."""


class _Lookup:
    """`found`: addresses, or what was raised; None while it runs."""

    def __init__(self) -> None:
        self.found: list[str] | Exception | None = None


class Lookups:
    """Safe to call from threads."""

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._running: dict[tuple[str, int], _Lookup] = {}
        self._changed = threading.Condition()

    def addresses(self, host: str, port: int, end: float) -> list[str]:
        """In order of preference. `end`: by time.monotonic(). Raises OSError; of these NotLookedUp."""
        name = (host, port)
        with self._changed:
            if not self._wait(lambda: name in self._running or len(self._running) < self._most, end):
                raise NotLookedUp(f"{host} was not looked up in time: {self._most} other names are still looked up")
            lookup = self._running.get(name) or self._begin(name)
            if not self._wait(lambda: lookup.found is not None, end):
                raise NotLookedUp(f"{host} was not looked up in time: the resolver does not answer")
        if isinstance(lookup.found, Exception):
            raise lookup.found
        return lookup.found or []

    def _wait(self, until: Callable[[], bool], end: float) -> bool:
        return self._changed.wait_for(until, max(0.0, end - time.monotonic()))

    def _begin(self, name: tuple[str, int]) -> _Lookup:
        lookup = self._running[name] = _Lookup()
        threading.Thread(target=self._run, args=(name, lookup), name="lookup", daemon=True).start()
        return lookup

    def _run(self, name: tuple[str, int], lookup: _Lookup) -> None:
        try:
            places = socket.getaddrinfo(*name, type=socket.SOCK_STREAM)
            found: list[str] | Exception = list(dict.fromkeys(str(place[0]) for *_, place in places))
        except Exception as error:  # noqa: BLE001 - it is raised where it is waited for
            found = error
        with self._changed:
            lookup.found = found
            del self._running[name]
            self._changed.notify_all()


OF_THE_PROCESS: Final = Lookups()
