"""A consumer that is stopped at any step of its commit: another one goes on, and when it wakes nothing is double."""

from __future__ import annotations

import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.consumers import Process, World
from tests.support.freezing import STEPS
from tests.support.locks import log_locked
from tests.support.stream import Stream
from tests.support.waiting import wait_until

MakeWorld = Callable[..., World]

TAKEOVER_SECONDS = 10  # a session of 1 s, the other's start, all that was published; on a busy machine
IMPATIENT = "?options=-c%20idle_in_transaction_session_timeout%3D1s"


def stopped(process: Process) -> bool:
    return Path(f"/proc/{process.pid}/stat").read_text().rpartition(") ")[2].startswith("T")


def frozen(world: World, step: str) -> Process:
    """A consumer of all partitions in the middle of its third batch."""
    process = world.consume(module="tests.support.freezing", freeze=step)
    wait_until(lambda: stopped(process), what="the consumer to stop itself")
    return process


def wake(world: World, stream: Stream, *processes: Process) -> None:
    """Both have work after that; then both leave and all is as it must be."""
    processes[0].send(signal.SIGCONT)
    world.publish(stream.messages(300))
    world.wait_for_debits(stream.accepted)
    ends = [process.end() for process in processes]
    assert [code for code, _ in ends] == [0, 0]
    assert sum(document["accepted"] for _, document in ends) == stream.accepted  # neither claims the other's
    world.check(stream)


@pytest.mark.parametrize("step", STEPS)
def test_another_goes_on_and_the_one_that_wakes_doubles_nothing(
    make_world: MakeWorld, postgres: str, kafka: str, step: str
) -> None:
    stream = Stream(seed=71)
    world = make_world(postgres + IMPATIENT, kafka, stream, batch_size="100", kafka_session="1s")
    world.publish(stream.messages(1_000))
    zombie = frozen(world, step)

    heir = world.consume()
    world.wait_for_debits(stream.accepted, TAKEOVER_SECONDS)

    wake(world, stream, zombie, heir)


def test_what_the_server_was_asked_before_the_client_froze_is_done(
    make_world: MakeWorld, postgres: str, kafka: str
) -> None:
    stream = Stream(seed=72)
    world = make_world(postgres, kafka, stream, batch_size="100", kafka_session="1s")
    zombie = world.consume()
    world.publish(stream.messages(20))
    world.wait_for_debits(stream.accepted)
    with log_locked(postgres, "EXCLUSIVE") as wait_for_a_batch_in_hand:
        world.publish(stream.messages(1_000))
        wait_for_a_batch_in_hand()
        zombie.send(signal.SIGSTOP)

    heir = world.consume()
    world.wait_for_debits(stream.accepted, TAKEOVER_SECONDS)

    wake(world, stream, zombie, heir)


def test_on_sqlite_the_others_wait_until_it_wakes(make_world: MakeWorld, sqlite_url: str, kafka: str) -> None:
    stream = Stream(seed=73)
    world = make_world(sqlite_url, kafka, stream, batch_size="100", kafka_session="1s")
    world.publish(stream.messages(1_000))
    zombie = frozen(world, "on SQLite")
    debits = world.debits()

    heir = world.consume()
    world.publish(stream.messages(300))
    assert world.debits() == debits  # who only reads does not wait

    wake(world, stream, zombie, heir)
