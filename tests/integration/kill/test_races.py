"""Others write while a consumer does: admins on the account it debits, files with the usage that it reads."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from itertools import count, groupby
from pathlib import Path

from application.administration import LicenceRow
from domain.commands import Level
from domain.errors import NotFound
from domain.events import AutoRechargeTriggered, Event, FundsAdded, LicenceAssigned, LicenceRemoved, UsageDebited
from tests.support.consumers import World
from tests.support.engine import TestEngine
from tests.support.given import CREDITS
from tests.support.stream import Stream
from tests.support.waiting import wait_until

MakeWorld = Callable[..., World]

TOP_UP, RECHARGE, BELOW = Decimal("0.0100"), Decimal(50), Decimal(990)


class Admin:
    """One of several, with a connection of its own, until `over`. `pay` answers how much was paid in."""

    def __init__(self, url: str, account: str, over: threading.Event) -> None:
        self.url, self.account, self.over = url, account, over
        self.engine: TestEngine

    def __call__(self, work: Callable[[Admin, int], Decimal]) -> Decimal:
        self.engine, paid = TestEngine(self.url, create=False), Decimal(0)
        try:
            for number in count():
                if self.over.is_set():
                    return paid
                paid += work(self, number)
        finally:
            self.engine.close()
        raise AssertionError("unreachable")

    def top_up(self, number: int) -> Decimal:
        """Two admins book the same wires: each counts once."""
        booked = self.engine.fund(str(TOP_UP), self.account, reference=f"wire-{number}")
        return Decimal(0) if booked.duplicate else TOP_UP

    def settle(self, number: int) -> Decimal:
        """Whoever is first pays the open recharge."""
        recharge_id = open_recharge(self.engine, self.account)
        if not recharge_id:
            return Decimal(0)
        try:
            self.engine.fund(str(RECHARGE), self.account, recharge_id=recharge_id)
        except NotFound:
            return Decimal(0)  # another one was first
        return RECHARGE

    def license(self, number: int) -> Decimal:
        """A user gets the licence and loses it."""
        user = f"user-{number % 5}@example.com"
        row = LicenceRow(user, "MCOPSTNPP", "SI", None, None, CREDITS)
        self.engine.administration.assign_licences(self.engine.by(), self.account, [row])
        self.engine.administration.remove_licence(self.engine.by(), self.account, user, "MCOPSTNPP")
        return Decimal(0)


def open_recharge(engine: TestEngine, account: str) -> str:
    """Its id, or nothing."""
    engine.accounts.evict([account])
    return engine.accounts.get(account).recharge.recharge_id


def recharges(events: list[Event]) -> tuple[int, int]:
    """How many were triggered and paid, one at a time."""
    triggered, paid, open_one = 0, 0, ""
    for event in events:
        if isinstance(event, AutoRechargeTriggered):
            assert not open_one
            triggered, open_one = triggered + 1, event.recharge_id
        elif isinstance(event, FundsAdded) and event.recharge_id:
            assert event.recharge_id == open_one
            paid, open_one = paid + 1, ""
    return triggered, paid


def test_admins_and_a_consumer_on_one_account(make_world: MakeWorld, store_url: str, kafka: str) -> None:
    stream, over = Stream(accounts=1, seed=61), threading.Event()
    world = make_world(store_url, kafka, stream, batch_size="50")
    [hot] = stream.accounts
    engine = TestEngine(store_url, create=False)
    engine.administration.set_recharge(engine.by(), hot, Level(BELOW, RECHARGE))
    consumer = world.consume()
    work = [Admin.top_up, Admin.top_up, Admin.settle, Admin.settle, Admin.license]

    with ThreadPoolExecutor(len(work)) as admins:
        try:
            each = [admins.submit(Admin(store_url, hot, over), one) for one in work]
            for _ in range(5):  # each costs more than there is above the trigger
                world.publish(stream.messages(200))
                world.wait_for_debits(stream.accepted)
                wait_until(lambda: not open_recharge(engine, hot), what="an admin to pay")
        finally:
            over.set()
        world.note_funds(hot, sum((one.result() for one in each), Decimal(0)))

    assert consumer.end()[0] == 0
    world.check(stream)
    events = engine.events(hot)
    triggered, paid = recharges(events)
    assert triggered >= paid >= 5
    kinds = [kind for kind, _ in groupby(type(event) for event in events)]
    assert {LicenceAssigned, LicenceRemoved} < set(kinds)
    assert kinds.count(UsageDebited) >= 5  # others wrote between its batches
    engine.close()


def test_the_same_usage_by_files_and_by_kafka_at_once(
    make_world: MakeWorld, store_url: str, kafka: str, tmp_path: Path
) -> None:
    stream = Stream(seed=62)
    world = make_world(store_url, kafka, stream, batch_size="100")
    messages = list(stream.messages(1_500, rubbish=False))
    file = tmp_path / "usage.ndjson"
    file.write_bytes(b"".join(message.value + b"\n" for message in messages if message.value))
    world.publish(messages)

    processes = [world.run("ingest", str(file)), world.consume("--once"), world.run("ingest", str(file))]
    ends = [process.result() for process in processes]

    assert [code for code, _ in ends] == [0, 0, 0]
    documents = [document for _, document in ends]
    assert [document["read"] for document in documents] == [len(messages)] * 3
    assert sum(document["accepted"] for document in documents) == stream.accepted
    assert all(document["conflicts"] == document["dead"] == 0 for document in documents)
    world.check(stream)
