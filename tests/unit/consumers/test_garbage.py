"""The cycle collector rests while batches are taken, and is itself again afterwards."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest

from consumers import garbage
from consumers.garbage import Collector


@pytest.fixture(autouse=True)
def enabled() -> Iterator[None]:
    yield
    gc.enable()
    gc.unfreeze()


def test_nothing_is_collected_on_the_way() -> None:
    with Collector():
        assert not gc.isenabled()
    assert gc.isenabled()


def test_a_collector_that_was_off_stays_off() -> None:
    gc.disable()
    with Collector():
        assert not gc.isenabled()
    assert not gc.isenabled()


def test_cycles_are_collected_when_it_is_time_and_what_is_there_is_set_aside(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(garbage, "EVERY_SECONDS", 0.0)
    collections = gc.get_stats()[2]["collections"]

    with Collector() as collector:
        collector.tick()
        assert gc.get_freeze_count() > 0
        collector.tick()

    assert gc.get_stats()[2]["collections"] == collections + 2
    assert gc.get_freeze_count() == 0


def test_nothing_is_collected_before_it_is_time() -> None:
    collections = gc.get_stats()[2]["collections"]

    with Collector() as collector:
        collector.tick()

    assert gc.get_stats()[2]["collections"] == collections
