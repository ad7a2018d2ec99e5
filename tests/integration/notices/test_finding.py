"""Notices are found once, however the log is read and whenever somebody looks at the time."""

from __future__ import annotations

import random
from typing import Any

import pytest

from application.deck_import import ImportOptions, import_deck
from application.letters import Incoming
from application.ports import Store
from commcredits.bootstrap import Engine
from domain.instants import format_instant, parse_instant
from projections import hours, notices
from projections.hours import Hours
from projections.notices import NoticeModel
from projections.rebuild import KINDS, rebuild
from projections.runner import Follower
from projections.tables import digest
from tests.integration.notices.conftest import World
from tests.support.engine import Rates
from tests.support.given import rate, usage

DAY = 86_400


def rows(store: Store) -> list[tuple[Any, ...]]:
    with store.reading() as database:
        return database.execute("SELECT id, account, kind, occurred_at, position, facts FROM notices ORDER BY id")


def sums(store: Store) -> list[tuple[Any, ...]]:
    with store.reading() as database:
        return database.execute(f"SELECT key, spent FROM {hours.TABLE} ORDER BY key")


def states(store: Store) -> list[tuple[Any, ...]]:
    with store.reading() as database:
        return database.execute(f"SELECT stream, account, position, state FROM {notices.TABLE} ORDER BY stream")


def forget(store: Store, *, told: bool) -> None:
    """As if nothing had been followed yet; `told`: nor told."""
    with store.transaction() as database:
        for table in (notices.TABLE, hours.TABLE, *(["notices"] if told else [])):
            database.execute(f"DELETE FROM {table}")
        tracking = "tracking" if database.dialect == "sqlite" else "notification_tracking"
        database.execute(f"DELETE FROM {tracking} WHERE application_name IN ('notices', 'hours')")


def eventful(world: World) -> None:
    """Accounts whose balances rise and fall."""
    dice = random.Random(5)
    for name in ("contoso", "fabrikam", "wingtip"):
        if name != "contoso":
            world.open(name)
        world.low_balance(50, name)
    for _ in range(30):
        name = dice.choice(["contoso", "fabrikam", "wingtip"])
        world.fund(dice.randrange(1, 40), name)
        world.low_balance(dice.randrange(1, 300), name)
        world.pass_time(60)


def follower(store: Store, batch: int = 5_000) -> Follower:
    return Follower(store, [NoticeModel(), Hours()], batch)


def test_the_rows_are_the_same_however_the_log_is_read(world: World) -> None:
    eventful(world)
    store = world.engine.store
    follower(store).catch_up()
    first = rows(store), sums(store), states(store)
    assert len(first[0]) > 5

    for batch in (1, 7):
        forget(store, told=True)
        for stop in range(5, store.max_position(), 11):
            follower(store, batch).catch_up(stop)
        follower(store, batch).catch_up()
        assert (rows(store), sums(store), states(store)) == first


def test_the_log_read_again_tells_nothing_anew(world: World) -> None:
    world.tell("ana@contoso.com")
    eventful(world)
    world.run()
    before, mails = rows(world.engine.store), len(world.mail.mails)
    assert mails > 0

    forget(world.engine.store, told=False)
    world.run(world.process())

    assert rows(world.engine.store) == before
    assert len(world.mail.mails) == mails


@pytest.mark.parametrize("name", ["notices", "hours"])
def test_a_rebuild_makes_the_same_and_tells_nothing_anew(world: World, name: str) -> None:
    world.tell("ana@contoso.com")
    call_now_and_then(world)
    eventful(world)
    world.run()
    store = world.engine.store
    before = rows(store), sums(store), states(store)
    mails = len(world.mail.mails)
    with store.reading() as database:
        live = digest(database, KINDS[name].table, KINDS[name].columns)
    assert live.rows > 0

    rebuilt = rebuild(store, name)
    world.run()

    assert (rebuilt.rows, rebuilt.sha256) == live
    assert (rows(store), sums(store), states(store)) == before
    assert len(world.mail.mails) == mails


def test_two_that_follow_at_once_find_each_once(world: World) -> None:
    eventful(world)
    one, other = follower(world.engine.store, 5), follower(world.process().store, 7)
    while one.step() | other.step():
        pass
    found = rows(world.engine.store), sums(world.engine.store)

    forget(world.engine.store, told=True)
    follower(world.engine.store).catch_up()

    assert (rows(world.engine.store), sums(world.engine.store)) == found


def test_credit_that_expires_is_told_in_time_once_also_when_the_clock_is_set_back(world: World) -> None:
    world.tell("ana@contoso.com")
    world.fund(100, expires_at=parse_instant("2027-03-01"))
    world.run()
    assert world.listed() == []
    seen = []
    for day in (
        "2026-12-30T23:59:59Z",
        "2026-12-31",
        "2026-12-30",
        "2027-01-30",
        "2027-01-29",
        "2027-02-22",
        "2027-02-20",
    ):
        world.now = parse_instant(day)
        world.run()
        world.run(world.process())
        seen.append(len(world.mail.mails))

    assert seen == [0, 1, 1, 2, 2, 3, 3]
    facts = [each.notice.facts["days"] for each in world.engine.recipients.notices("contoso", 10)]
    assert facts == [60, 30, 7]


def test_a_process_that_was_away_finds_what_it_missed(world: World) -> None:
    world.fund(100, expires_at=parse_instant("2027-03-01"))
    world.run()
    world.now = parse_instant("2027-03-02")
    world.run()

    assert [kind for kind, _ in world.listed()] == ["credit.expiring"] * 3 + ["balance.zero"]


def test_new_credit_is_looked_at_although_the_account_has_been(world: World) -> None:
    world.fund(100, expires_at=parse_instant("2027-03-01"))
    world.now = parse_instant("2027-01-15")
    world.run()
    world.fund(50, expires_at=parse_instant("2027-02-25"))
    world.now = parse_instant("2027-01-27")
    world.run()

    amounts = [each.notice.facts["amount"] for each in world.engine.recipients.notices("contoso", 10)]
    assert amounts == ["100.0000", "50.0000"]


def test_what_comes_with_little_time_left_is_not_told_of_as_if_it_had_been_there(world: World) -> None:
    world.run()
    world.pass_time(200 * DAY)
    soon = world.now + 20 * DAY * 1_000_000
    world.fund(100, expires_at=soon)
    world.run()
    assert world.listed() == []
    world.now = soon - 7 * DAY * 1_000_000
    world.run()

    [listed] = world.engine.recipients.notices("contoso", 10)
    assert listed.notice.facts["days"] == 7


def test_a_time_that_has_come_is_not_passed_over_by_the_events_after_it(world: World) -> None:
    world.tell("ana@contoso.com")
    world.fund(100, expires_at=parse_instant("2027-03-01"))
    world.run()
    world.now = parse_instant("2026-12-31T00:00:00Z")
    world.low_balance(10)
    world.pass_time(60)
    world.low_balance(20)
    world.run()

    assert world.listed() == [("credit.expiring", ["delivered"])]


def test_a_level_that_fell_with_a_lot_is_told_though_funds_came_before_anybody_looked(world: World) -> None:
    world.fund(100, expires_at=parse_instant("2027-03-01"))
    world.low_balance(10)
    world.run()
    world.now = parse_instant("2027-03-01T01:00:00Z")
    world.fund(50)
    world.run()

    assert [kind for kind, _ in world.listed()] == ["credit.expiring"] * 3 + ["balance.low", "balance.zero"]
    before = rows(world.engine.store)
    forget(world.engine.store, told=True)
    world.run(world.process())
    assert rows(world.engine.store) == before


def talk(engine: Engine, at: int, minutes: int, name: str) -> None:
    """A call that ends then and costs a unit a minute."""
    begin = format_instant(at - minutes * 60_000_000)
    call = usage("+38612345678", minutes * 60, start=begin, usage_id=name)
    engine.ingest.take([Incoming(call, ("file", name, 1, 0))], "file", ())


def call_now_and_then(world: World) -> None:
    deck: Any = Rates(enumerate([rate("", "1")], 1))
    import_deck(world.engine.store, world.by(), deck, ImportOptions("default"))
    for number in range(5):
        talk(world.engine, world.now - number * 3_600_000_000, 10, f"call-{number}")


def test_an_hour_that_costs_far_more_than_usual_is_told_while_it_lasts(world: World) -> None:
    deck: Any = Rates(enumerate([rate("", "1")], 1))
    import_deck(world.engine.store, world.by(), deck, ImportOptions("default"))
    world.tell("ana@contoso.com", "contoso", "en", "spend.unusual")
    world.fund(10_000)
    begin = world.now = parse_instant("2026-11-24T10:20:00Z")
    for week in range(1, 5):
        talk(world.engine, begin - week * 7 * DAY * 1_000_000, 10, f"usual-{week}")
    talk(world.engine, begin, 39, "today-1")
    world.run()
    assert world.listed() == []
    world.pass_time(120)
    talk(world.engine, world.now, 2, "today-2")
    world.run()

    [listed] = world.engine.recipients.notices("contoso", 10)
    assert listed.notice.kind == "spend.unusual"
    assert (listed.notice.facts["spent"], listed.notice.facts["usual"]) == ("41.0000", "10.0000")
    world.pass_time(120)
    talk(world.engine, world.now, 2, "today-3")
    world.run(world.process())
    assert len(world.listed()) == len(world.mail.mails) == 1
