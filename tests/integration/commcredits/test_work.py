"""`work`: what is due is done once, whatever the clock shows, however many are at it, however much is due at once."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from decimal import Decimal

import pytest

from adapters.payments.stripe import Stripe
from application.claims import Claim
from application.payments import ProviderUnavailable
from commcredits import pauses, work
from commcredits.work import Tally, Worker, work_once
from domain.events import AutoRechargeTriggered, FundsAdded
from domain.instants import parse_instant
from domain.months import DAY, SECOND
from domain.payment_events import LotExpired, RechargeCapped
from domain.purchases import request_purchase
from tests.support.engine import TestEngine
from tests.support.given import rate, usage
from tests.support.shop import Shop, money
from tests.support.waiting import wait_until

HOUR = DAY // 24
LJUBLJANA = "Europe/Ljubljana"


def test_a_recharge_a_retry_and_its_success(shop_on_each_store: Shop) -> None:
    shop = shop_on_each_store
    shop.open()
    shop.control.card_answers("contoso", ["insufficient_funds", "try_again_later"])
    shop.arm()

    shop.finish()
    first = shop.account().payments[shop.account().recharge.recharge_id]
    assert (shop.account().recharge.state, first.next_try_at) == ("retrying", first.tried_at + HOUR)
    shop.finish(first.tried_at + HOUR - 1)
    assert shop.account().payments[first.of].number == 1
    shop.finish(first.tried_at + HOUR)
    second = shop.account().payments[first.of]
    assert (second.number, second.next_try_at) == (2, second.tried_at + 6 * HOUR)
    shop.finish(second.tried_at + 6 * HOUR)

    assert (shop.account().balance, shop.account().recharge.state) == (100, "armed")
    shop.check()


def test_a_card_that_never_pays_suspends_and_its_payment_is_cancelled(shop: Shop) -> None:
    shop.open()
    shop.control.card_answers("contoso", [], always="insufficient_funds")
    shop.arm()

    for day in range(8):
        shop.finish(shop.by().now + day * DAY)

    recharge = shop.account().recharge
    assert (recharge.state, recharge.reason) == ("suspended", "retries_exhausted")
    assert shop.happened().count("PaymentTried") == 5
    assert (shop.account().payments, shop.charged()) == ({}, {})


def test_before_a_retry_the_level_is_looked_at_again(shop: Shop) -> None:
    shop.open()
    shop.control.card_answers("contoso", ["insufficient_funds"])
    shop.arm()
    shop.finish()
    shop.grant("200")

    shop.finish(shop.by().now + 2 * HOUR)

    assert (shop.account().recharge.state, shop.happened()[-1]) == ("armed", "PaymentCancelled")
    assert shop.charged() == {}


SPRING, AUTUMN = [202801, 202802, 202803, 202804], [202809, 202810, 202811, 202812]


@pytest.mark.parametrize(
    ("day", "zone", "months"), [(1, LJUBLJANA, SPRING), (28, LJUBLJANA, AUTUMN), (5, "Africa/Cairo", SPRING)]
)
def test_a_standing_top_up_comes_once_a_month_whatever_the_clock_does(
    shop: Shop, day: int, zone: str, months: list[int]
) -> None:
    shop.at("2027-12-29T12:00:00Z" if months == SPRING else "2028-08-30T12:00:00Z")
    shop.open(time_zone=zone)
    shop.engine.administration.set_standing(shop.by(), "contoso", money("50"), day)
    shop.finish()
    before = len(shop.events())

    for month in months:
        start = shop.account().months.day(month, day)
        # to just before it, onto it, past it, set back, and past it again
        for at in (start - 1, start, start + HOUR, start - 2 * HOUR, start + HOUR, start + DAY):
            shop.finish(at)

    triggers = [event for event in shop.events()[before:] if isinstance(event, AutoRechargeTriggered)]
    assert [trigger.month for trigger in triggers] == months
    assert all(t.occurred_at == shop.account().months.day(t.month, day) for t in triggers)
    shop.check()


def test_standing_top_ups_that_were_missed_are_made_up_once(shop: Shop) -> None:
    shop.at("2027-12-15T12:00:00Z")
    shop.open(time_zone=LJUBLJANA)
    shop.engine.administration.set_standing(shop.by(), "contoso", money("50"), 29 - 1)

    shop.finish(parse_instant("2028-04-02T00:00:00Z"))
    shop.finish(parse_instant("2028-04-27T12:00:00Z"))

    assert shop.account().balance == 50
    shop.check()


def test_a_cap_holds_for_each_calendar_month_of_the_accounts_zone(shop: Shop) -> None:
    shop.at("2028-01-30T12:00:00Z")
    shop.open(time_zone=LJUBLJANA)
    shop.arm(amount="50", below="100000", monthly_cap=money("100"))

    for month in (202802, 202803, 202804):
        start = shop.account().months.start(month)
        for at in (start - 1, start, start + HOUR, start - HOUR, start + 2 * DAY):
            shop.finish(at)

    charged: Counter[int] = Counter()
    for event in shop.events():
        if isinstance(event, FundsAdded):
            charged[shop.account().months.of(event.recorded_at)] += int(event.amount)
    assert charged == dict.fromkeys((202801, 202802, 202803, 202804), 100)
    assert sum(isinstance(event, RechargeCapped) for event in shop.events()) == 4
    shop.check()


def test_each_lot_expires_once_after_its_grace_whatever_the_clock_does(shop: Shop) -> None:
    shop.at("2027-02-28T10:00:00Z")
    shop.open(card="", expiry_grace_seconds=72 * 3600)
    ends = [parse_instant(text) for text in ("2028-02-29T23:30:00Z", "2028-03-26T01:30:00Z", "2028-10-29T00:30:00Z")]
    for end in ends:
        shop.grant("10", expires_at=end)

    for end in ends:
        for at in (end, end + 3 * DAY, end + 3 * DAY + 1, end - DAY, end + 3 * DAY + 1, end + 4 * DAY):
            shop.finish(at)
            booked = sum(isinstance(event, LotExpired) for event in shop.events())
            assert booked == ends.index(end) + (at > end + 3 * DAY or shop.account().recorded_at > end + 3 * DAY)

    expired = [event for event in shop.events() if isinstance(event, LotExpired)]
    assert [event.occurred_at for event in expired] == ends
    assert shop.account().balance == 0


def test_credit_that_ends_triggers_a_recharge_at_its_instant(shop: Shop) -> None:
    shop.open()
    end = shop.by().now + DAY
    shop.grant("80", expires_at=end)
    shop.arm()
    shop.finish(end)
    assert shop.account().recharge.state == "armed"

    shop.finish(end + 1)

    assert shop.account().spendable(end + 1) == 100
    shop.check()


def test_a_clock_that_was_set_back_keeps_nobody_waiting(shop: Shop) -> None:
    shop.open()
    shop.arm()

    shop.finish(shop.by().now - 30 * DAY)

    assert shop.account().balance == 100


def test_parts_are_done_alone(shop: Shop) -> None:
    shop.open()
    shop.grant("10", expires_at=shop.by().now + DAY)
    shop.arm()
    later = shop.by().now + 30 * DAY

    tally = shop.finish(later, parts=["expiry"])
    assert ([part for part, count in tally.done.items() if count], shop.account().balance) == (["expiry"], 0)
    tally = shop.finish(later, parts=["purchases"])
    assert sum(tally.done.values()) == 0
    shop.finish(later, parts=["recharges"])

    assert shop.account().balance == 100


def test_late_records_in_two_processes_at_once_make_one_recharge(shop_on_each_store: Shop) -> None:
    shop = shop_on_each_store
    shop.open()
    shop.grant("60")
    shop.arm(amount="100", below="50")
    engines = [TestEngine(shop.settings.store, create=False) for _ in range(3)]
    engines[0].deck(rate("", "1"))

    def take(engine: TestEngine) -> None:
        engine.time = shop.by().now
        name = f"calls-{engines.index(engine)}.csv"
        for batch in range(5):
            calls = [usage(seconds=60, usage_id=f"{name}-{batch}-{number}") for number in range(4)]
            engine.take(*calls, name=name)

    with closing(engines[0]), closing(engines[1]), closing(engines[2]), ThreadPoolExecutor(4) as pool:
        turns = [pool.submit(take, engine) for engine in engines]
        pool.submit(shop.finish).result()
        for turn in turns:
            turn.result()
    shop.finish()

    assert shop.account().balance == 60 + 100 - 60
    assert sum(isinstance(event, AutoRechargeTriggered) for event in shop.events()) == 1
    shop.check()


def test_many_accounts_at_once_are_each_credited_once(shop_on_each_store: Shop) -> None:
    shop = shop_on_each_store
    accounts = [f"a{number}" for number in range(40)]
    for account in accounts:
        shop.open(account)
        shop.arm(account)
    shop.control.latency(0.05, rate_limit_every=10)

    with ThreadPoolExecutor(2) as pool:
        turns = [pool.submit(shop.finish), pool.submit(_finish_elsewhere, shop)]
        tallies = [turn.result() for turn in turns]

    assert sum(tally.unreachable for tally in tallies) == 0
    assert {shop.account(account).balance for account in accounts} == {Decimal(100)}
    shop.check()


def _finish_elsewhere(shop: Shop) -> Tally:
    with closing(shop.another()) as engine:
        return work_once(engine, ["recharges"], None)


def test_a_fault_with_one_account_stops_no_other(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    for account in ("a", "b", "c"):
        shop.open(account)
        shop.arm(account)
    create = Stripe.create_payment

    def faulty(self: Stripe, account_id: str, *rest: str) -> object:
        if account_id == "b":
            raise RuntimeError("a fault of ours")
        return create(self, account_id, *rest)  # type: ignore[arg-type]

    with monkeypatch.context() as patch:
        patch.setattr(Stripe, "create_payment", faulty)
        with pytest.raises(RuntimeError, match="a fault of ours"):
            shop.finish()
        assert [shop.account(account).balance for account in ("a", "b", "c")] == [100, 0, 100]

    shop.finish()
    assert shop.account("b").balance == 100
    shop.check()


def test_what_cannot_be_done_hides_nothing_that_can(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(work, "AT_ONCE", 2)
    for number in range(4):
        shop.open(f"a{number}")
        shop.arm(f"a{number}")
    shop.open("invoiced")
    shop.grant("10", "invoiced", expires_at=shop.by().now + DAY)
    create = Stripe.create_payment

    def unavailable(self: Stripe, account_id: str, *rest: str) -> object:
        if account_id != "a3":
            raise ProviderUnavailable("none of theirs")
        return create(self, account_id, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(Stripe, "create_payment", unavailable)
    monkeypatch.setattr(pauses, "FIRST_PAUSE_SECONDS", 0.01)

    tally = shop.finish(shop.by().now + 30 * DAY)

    assert (tally.unreachable, tally.done["recharges"], tally.done["expiry"]) == (3, 1, 1)


def test_what_another_one_keeps_is_not_waited_for_longer_than_the_dead_are(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(work, "CLAIM_SECONDS", 0.2)
    shop.open()
    shop.arm()
    with closing(shop.another()) as other:
        other.claims.take([Claim("contoso", "recharges")], 60)

        assert shop.finish().done["recharges"] == 0


def ask_for(shop: Shop) -> str:
    """A purchase that is on the log, and of which nobody has asked the provider yet."""
    before = set(shop.account().purchases)
    shop.engine.appender.append(
        "contoso", lambda account: request_purchase(account, shop.by(), money("50"), "", "", money("50"))
    )
    [purchase] = set(shop.account().purchases) - before
    return purchase


def test_what_the_provider_does_not_answer_for_keeps_nothing_else_of_the_account_waiting(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pauses, "FIRST_PAUSE_SECONDS", 0.01)
    shop.open()
    shop.control.fault("rate_limit", count=100, path="/v1/payment_intents/*/confirm")
    stuck = shop.engine.paying.buy(shop.by(), "contoso", money("50")).purchase
    shop.control.clear_faults()
    path = f"/v1/payment_intents/{shop.account().payments[stuck].payment_id}/confirm"
    shop.control.fault("rate_limit", count=1000, path=path)
    other = ask_for(shop)

    tally = shop.finish()

    states = {each: shop.account().purchases[each].state for each in (stuck, other)}
    assert (states, tally.unreachable) == ({stuck: "processing", other: "succeeded"}, 1)
    shop.control.clear_faults()
    shop.finish()
    shop.check()


def test_what_is_new_does_not_wait_until_the_pause_of_what_was_before_is_over(
    shop_on_each_store: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop = shop_on_each_store
    monkeypatch.setattr(pauses, "FIRST_PAUSE_SECONDS", 60.0)
    shop.open()
    shop.control.card_answers("contoso", ["processing"])
    slow = ask_for(shop)
    with closing(Worker(shop.engine, ["purchases"])) as worker:

        def rests() -> bool:
            worker.step()
            with shop.engine.store.reading() as database:
                held = database.execute("SELECT until - taken_at FROM claims")
            return held == [(60 * SECOND,)]

        wait_until(rests, what="the bank to be waited for")
        other = ask_for(shop)
        wait_until(
            lambda: worker.step() and shop.account().purchases[other].state == "succeeded",
            what="the new one",
        )

    assert shop.account().purchases[slow].state == "processing"
