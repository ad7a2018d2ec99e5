"""`project` and `rebuild` are killed, again and again, while a consumer writes: what they show in the end is right."""

from __future__ import annotations

import os
import random
import signal
import time
from collections.abc import Callable

from tests.support.consumers import World
from tests.support.engine import TestEngine
from tests.support.stream import Stream
from tests.support.waiting import wait_until

MakeWorld = Callable[..., World]

ROUNDS = max(3, int(os.environ.get("COMMCREDITS_SOAK_ROUNDS", "3")) // 5)


def test_followers_and_rebuilds_killed_while_a_consumer_writes(
    make_world: MakeWorld, store_url: str, kafka: str
) -> None:
    instants, stream = random.Random(95), Stream(accounts=30, seed=95)
    world = make_world(store_url, kafka, stream, batch_size="50")
    consumer, survivor = world.consume(), world.run("project")
    killed = dict.fromkeys(("project", "balance", "statement"), 0)

    for attempt in range(ROUNDS * 10):
        world.publish(stream.messages(300))
        doomed = {"balance": world.run("rebuild", "balance"), "statement": world.run("rebuild", "statement")}
        doomed["project"] = world.run("project")
        deadline = time.monotonic() + instants.uniform(0.05, 0.7)
        for name, process in doomed.items():
            process.kill(after_seconds=max(0.0, deadline - time.monotonic()))
            killed[name] += process.process.returncode == -signal.SIGKILL
        if attempt >= ROUNDS - 1 and min(killed.values()) >= ROUNDS:
            break

    assert min(killed.values()) >= ROUNDS, killed
    world.wait_for_debits(stream.accepted)
    engine = TestEngine(store_url, create=False)
    end = engine.store.max_position()
    wait_until(lambda: {engine.store.tracked(name) for name in ("balance", "statement")} == {end}, what="the survivor")
    engine.close()
    assert [process.end()[0] for process in (survivor, consumer)] == [0, 0]
    world.check(stream)
