"""No room on SQLite's disk: what was committed stands, what was not is told, and it goes on when there is room."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.consumers import World
from tests.support.cramped import make_room
from tests.support.stream import Stream
from tests.support.waiting import wait_until

MakeWorld = Callable[..., World]
CRAMPED = "tests.support.cramped"


@pytest.fixture
def room(sqlite_url: str) -> Callable[[], str]:
    """Bytes: what there is, and a few batches more."""
    file = Path(sqlite_url.removeprefix("sqlite:///"))
    return lambda: str(file.stat().st_size + 500_000)


def test_ingest_tells_how_far_it_came_and_goes_on_when_there_is_room(
    make_world: MakeWorld, sqlite_url: str, kafka: str, tmp_path: Path, room: Callable[[], str]
) -> None:
    stream = Stream(seed=81)
    world = make_world(sqlite_url, kafka, stream, batch_size="100")
    file = tmp_path / "usage.ndjson"
    messages = list(stream.messages(2_000, rubbish=False))
    file.write_bytes(b"".join(message.value + b"\n" for message in messages if message.value))

    code, document = world.run("ingest", str(file), module=CRAMPED, room=room()).result()

    assert (code, document["error"]["code"]) == (4, "store_unavailable")
    assert str(sqlite_url.removeprefix("sqlite:///")) in document["error"]["message"]
    assert 0 < document["accepted"] == world.debits() < stream.accepted
    code, again = world.run("ingest", str(file)).result()
    assert (code, again["duplicates"]) == (0, document["accepted"])
    world.check(stream)


def test_a_consumer_that_finds_no_room_for_too_long_stops(
    make_world: MakeWorld, sqlite_url: str, kafka: str, room: Callable[[], str]
) -> None:
    stream = Stream(seed=82)
    world = make_world(sqlite_url, kafka, stream, batch_size="100")
    world.publish(stream.messages(2_000))

    code, document = world.consume(module=CRAMPED, room=room(), store_patience="1s").result()

    assert (code, document["error"]["code"]) == (4, "store_unavailable")
    assert 0 < world.debits() < stream.accepted
    assert sum(world.positions().values()) < stream.sent
    world.finish()
    world.check(stream)


def test_a_consumer_goes_on_by_itself_when_there_is_room(
    make_world: MakeWorld, sqlite_url: str, kafka: str, room: Callable[[], str]
) -> None:
    stream = Stream(seed=83)
    world = make_world(sqlite_url, kafka, stream, batch_size="100")
    world.publish(stream.messages(2_000))
    consumer = world.consume(module=CRAMPED, room=room())
    wait_until(lambda: "trouble" in consumer.told(), what="the disk to be full")
    assert world.debits() < stream.accepted

    make_room(consumer.pid)

    world.wait_for_debits(stream.accepted)
    assert consumer.end()[0] == 0
    world.check(stream)
