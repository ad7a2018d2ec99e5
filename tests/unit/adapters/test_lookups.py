"""A resolver that does not answer: whoever asked goes on in time, and no more threads wait for it than may."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

from adapters.lookups import Lookups, NotLookedUp
from tests.support.waiting import wait_until

SOON_SECONDS = 0.2


class Resolver:
    """Hangs for every name that begins with `slow`, until it is told to go on."""

    def __init__(self, ask: Any) -> None:
        self.go_on, self.asked, self._ask = threading.Event(), list[str](), ask

    def __call__(self, host: str, port: int, **more: Any) -> Any:
        self.asked.append(host)
        if host.startswith("slow"):
            assert self.go_on.wait(30)
        return self._ask("192.0.2.1", port, **more)


@pytest.fixture
def resolver(monkeypatch: pytest.MonkeyPatch) -> Iterator[Resolver]:
    made = Resolver(socket.getaddrinfo)
    monkeypatch.setattr(socket, "getaddrinfo", made)
    yield made
    made.go_on.set()


def soon() -> float:
    return time.monotonic() + SOON_SECONDS


def waiting() -> int:
    """How many threads wait for the resolver."""
    return sum(thread.name == "lookup" for thread in threading.enumerate())


def test_a_resolver_that_hangs_is_given_up_in_time_by_everybody_who_asked(resolver: Resolver) -> None:
    lookups, began = Lookups(), time.monotonic()

    for _ in range(3):
        with pytest.raises(NotLookedUp, match=r"slow\.example was not looked up in time"):
            lookups.addresses("slow.example", 80, soon())

    assert time.monotonic() - began < 3 * SOON_SECONDS + 5
    assert resolver.asked == ["slow.example"]
    assert lookups.addresses("quick.example", 80, time.monotonic() + 10) == ["192.0.2.1"]
    resolver.go_on.set()
    assert lookups.addresses("slow.example", 80, time.monotonic() + 10) == ["192.0.2.1"]


def test_no_more_threads_wait_for_a_resolver_than_may(resolver: Resolver) -> None:
    before, lookups = waiting(), Lookups(most=2)

    for number in range(5):
        with pytest.raises(NotLookedUp, match="2 other names" if number > 1 else "does not answer"):
            lookups.addresses(f"slow-{number}.example", 80, soon())

    assert waiting() - before == 2
    assert resolver.asked == ["slow-0.example", "slow-1.example"]
    resolver.go_on.set()
    wait_until(lambda: waiting() == before, what="they end")
    assert lookups.addresses("slow-4.example", 80, time.monotonic() + 10) == ["192.0.2.1"]


def test_what_the_resolver_says_no_to_is_raised(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any, **__: Any) -> Any:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", refuse)

    with pytest.raises(socket.gaierror, match="not known"):
        Lookups().addresses("none.example", 80, time.monotonic() + 10)
