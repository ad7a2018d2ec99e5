"""`project` and `rebuild` are killed, again and again, while a consumer writes: what they show in the end is right."""

from __future__ import annotations

import os
import random
import signal
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
    killed = 0
    consumer, survivor = world.consume(), world.run("project")

    for _ in range(ROUNDS):
        world.publish(stream.messages(1_000))
        doomed = [world.run("project"), world.run("rebuild", "balance"), world.run("rebuild", "statement")]
        for process in doomed:
            process.kill(after_seconds=instants.uniform(0.1, 0.7))
            killed += process.process.returncode == -signal.SIGKILL

    assert killed > ROUNDS
    world.wait_for_debits(stream.accepted)
    engine = TestEngine(store_url, create=False)
    end = engine.store.max_position()
    wait_until(lambda: {engine.store.tracked(name) for name in ("balance", "statement")} == {end}, what="the survivor")
    engine.close()
    assert [process.end()[0] for process in (survivor, consumer)] == [0, 0]
    world.check(stream)
