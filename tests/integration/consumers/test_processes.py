"""`consume --processes N`: workers share the partitions, a dead one is started anew, all end together."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path

from tests.support.consumers import Process, World
from tests.support.stream import Stream
from tests.support.waiting import wait_until

MakeWorld = Callable[..., World]


def workers(process: Process) -> list[int]:
    """The processes that consume: not the one that only tracks what spawned processes share."""
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    return [int(pid) for pid in children if b"spawn_main" in Path(f"/proc/{pid}/cmdline").read_bytes()]


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_several_processes_consume_to_the_end_and_tell_the_sum(
    make_world: MakeWorld, postgres: str, kafka: str
) -> None:
    stream = Stream(accounts=40, seed=51)
    world = make_world(postgres, kafka, stream)
    world.publish(stream.messages(4_000))

    document = world.finish("--processes", "3", batch_size="200")

    assert document["accepted"] == stream.accepted
    world.check(stream)


def test_a_worker_that_is_killed_is_started_anew(make_world: MakeWorld, postgres: str, kafka: str) -> None:
    stream = Stream(accounts=40, seed=52)
    world = make_world(postgres, kafka, stream, batch_size="100", kafka_session="1s")
    world.publish(stream.messages(3_000))
    process = world.consume("--processes", "2")
    world.wait_for_debits(200)

    [victim, other] = workers(process)
    os.kill(victim, signal.SIGKILL)
    wait_until(lambda: len(workers(process)) == 2 and victim not in workers(process), what="another worker")
    world.publish(stream.messages(3_000))
    world.wait_for_debits(stream.accepted)
    pids = [*workers(process), other]

    assert process.end()[0] == 0
    assert not any(map(alive, pids))
    world.check(stream)


def test_workers_do_not_outlive_a_supervisor_that_was_killed(make_world: MakeWorld, postgres: str, kafka: str) -> None:
    stream = Stream(seed=53)
    world = make_world(postgres, kafka, stream, batch_size="100")
    world.publish(stream.messages(2_000))
    process = world.consume("--processes", "2")
    world.wait_for_debits(100)
    pids = workers(process)

    process.process.kill()

    wait_until(lambda: not any(map(alive, pids)), what="the workers to leave")
    world.finish()
    world.check(stream)


def test_an_error_that_ends_one_worker_ends_all_with_its_code(make_world: MakeWorld, postgres: str, kafka: str) -> None:
    stream = Stream(seed=54)
    world = make_world(postgres, kafka, stream)
    world.publish(stream.messages(200))
    process = world.consume("--processes", "2")
    world.wait_for_debits(stream.accepted)
    pids = workers(process)

    world.remake_topics()
    code, document = process.result()

    assert (code, document["error"]["code"]) == (4, "topic_recreated")
    assert document["error"]["source"]["topic"] in world.topics
    wait_until(lambda: not any(map(alive, pids)), what="the workers to be gone")


def test_on_sqlite_there_is_one_process(make_world: MakeWorld, sqlite_url: str, kafka: str) -> None:
    code, document = make_world(sqlite_url, kafka).consume("--processes", "2").result()

    assert (code, document["error"]["code"], document["error"]["field"]) == (
        2,
        "processes_need_postgresql",
        "processes",
    )
