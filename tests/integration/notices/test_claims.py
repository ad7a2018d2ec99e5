"""Who delivers a notice has claimed it: others leave it alone for a while, then take it over if nothing came."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import pytest

from domain.months import SECOND
from tests.integration.notices.conftest import World
from tests.support.waiting import wait_until

DAY = 86_400
LEASE_SECONDS = 1
T = TypeVar("T")


def test_processes_at_once_deliver_each_notice_once(world: World) -> None:
    world.tell("ana@contoso.com")
    world.add_webhook()
    for amount in range(10):
        world.low_balance(0)
        world.low_balance(1000 + amount)
    troubles: list[BaseException] = []

    def work() -> None:
        try:
            engine = world.process()
            world.run(engine)
        except BaseException as trouble:  # noqa: BLE001 - the test tells it
            troubles.append(trouble)

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert troubles == []
    assert len(world.mail.mails) == len({mail["Message-ID"] for mail in world.mail.mails}) == 10
    assert len(world.hook.posts) == len({post.headers["webhook-id"] for post in world.hook.posts}) == 10


def test_a_process_that_dies_while_it_delivers_leaves_it_to_the_next(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("application.notices.LEASE", LEASE_SECONDS * SECOND)
    world.add_webhook()
    world.make_low()
    dying = world.process()

    def die(*_: object) -> int:
        raise KeyboardInterrupt

    dying.notices._book = die  # type: ignore[method-assign, assignment]
    with pytest.raises(KeyboardInterrupt):
        world.run(dying)
    wait_until(lambda: world.engine.notices.run(world.now), what="the claim to end")

    assert len(world.hook.posts) == 2  # at least once
    assert len({post.headers["webhook-id"] for post in world.hook.posts}) == 1
    assert world.listed() == [("balance.low", ["delivered"])]


@pytest.mark.parametrize("channel", ["mail", "webhook"])
def test_a_moved_clock_ends_no_claim(world: World, monkeypatch: pytest.MonkeyPatch, channel: str) -> None:
    """What one delivers just now is left to it as long as its claim lasts, whatever time another one takes it to be."""
    monkeypatch.setattr("application.notices.LEASE", LEASE_SECONDS * SECOND)
    tried = list[float]()

    def late(answer: T) -> T:
        tried.append(time.monotonic())
        if len(tried) == 1:  # late
            assert world.hook.release.wait(30)
        return answer

    world.mail.answer = lambda recipient: late("250 OK")
    world.hook.answer = lambda handler: late(200)
    if channel == "mail":
        world.tell("ana@contoso.com")
    else:
        world.add_webhook()
    world.make_low()
    later = world.now + 30 * DAY * SECOND
    begun = time.monotonic()
    with ThreadPoolExecutor(1) as pool:
        slow = pool.submit(lambda: world.process().notices.run(world.now))
        try:
            wait_until(lambda: tried, what="the first try")
            wait_until(lambda: world.engine.notices.run(later) and len(tried) == 2, what="the claim to end")
        finally:
            world.hook.release.set()
        slow.result()

    assert tried[1] - begun >= LEASE_SECONDS
    assert world.listed() == [("balance.low", ["delivered"])]
