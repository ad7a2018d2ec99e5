"""domain.md, Funding: a lot is closed at its instant and booked after the grace."""

from __future__ import annotations

from domain import commands
from domain.account import CreditAccount
from domain.events import AutoRechargeTriggered, Event
from domain.expiry import expire, next_booking
from domain.payment_events import DisputeOpened, LotExpired
from tests.support.given import at, by, debit, deck, do, fund, lot_draws, names, opened, rate, usage

EXACT = deck(rate("", "60", increment=1))  # one unit a second
EXPIRY = "2026-06-01T00:00:00Z"
BOOKED = "2026-06-04T00:00:00.000001Z"  # after 72 hours


def _expire(account: CreditAccount, now: str) -> list[Event]:
    return do(account, expire(account, by(now)))


def test_nothing_is_booked_while_late_records_may_still_come() -> None:
    account = opened(scale=0)
    fund(account, "10", "2025-06-01T00:00:00Z", now=EXPIRY)
    assert next_booking(account) == at(BOOKED)
    assert _expire(account, "2026-06-04T00:00:00Z") == []
    assert lot_draws(debit(account, usage(seconds=4, start=EXPIRY), rates=EXACT, now=EXPIRY)) == [("lot-2", "4")]


def test_after_the_grace_what_is_left_is_forfeited_as_of_the_expiry() -> None:
    account = opened(scale=0)
    fund(account, "10", "2025-06-01T00:00:00Z", now=EXPIRY)
    debit(account, usage(seconds=4, start=EXPIRY), rates=EXACT, now=EXPIRY)
    [event] = _expire(account, BOOKED)
    assert isinstance(event, LotExpired)
    assert (event.lot, event.amount, event.balance) == ("lot-2", 6, 0)
    assert (event.occurred_at, event.recorded_at) == (at(EXPIRY), at(BOOKED))
    assert (account.balance, account.open_lots, next_booking(account)) == (0, [], None)
    assert _expire(account, "2027-01-01T00:00:00Z") == []


def test_several_lots_are_booked_at_once_in_the_order_in_which_they_are_consumed() -> None:
    account = opened(scale=0)
    for day in ("2025-05-03", "2025-05-01", "2025-05-02", "2026-03-01"):
        fund(account, "10", f"{day}T00:00:00Z", now=EXPIRY)
    events = [event for event in _expire(account, BOOKED) if isinstance(event, LotExpired)]
    assert [(event.lot, event.balance) for event in events] == [("lot-3", 30), ("lot-4", 20), ("lot-2", 10)]
    assert [lot.id for lot in account.open_lots] == ["lot-5"]


def test_a_grace_of_nothing_still_lets_the_lot_pay_what_starts_at_its_expiry() -> None:
    account = opened(scale=0, expiry_grace_seconds=0)
    fund(account, "10", "2025-06-01T00:00:00Z", now="2025-07-01T00:00:00Z")
    assert _expire(account, EXPIRY) == []
    assert names(_expire(account, "2026-06-01T00:00:00.000001Z")) == ["LotExpired"]


def test_debt_that_stands_beside_an_expired_lot_stays_debt() -> None:
    account = opened(scale=0)
    fund(account, "10", "2025-06-01T00:00:00Z", now=EXPIRY)
    debit(account, usage(seconds=4, start="2026-06-02T00:00:00Z"), rates=EXACT, now="2026-06-02T00:01:00Z")
    assert (account.balance, account.debt) == (6, 4)
    _expire(account, BOOKED)
    assert (account.balance, account.debt) == (-4, 4)


def test_a_late_record_after_the_booking_becomes_debt() -> None:
    account = opened(scale=0)
    fund(account, "10", "2025-06-01T00:00:00Z", now=EXPIRY)
    _expire(account, BOOKED)
    event = debit(account, usage(seconds=4, start=EXPIRY), rates=EXACT, now=BOOKED)
    assert (lot_draws(event), account.debt) == ([], 4)


def test_a_lot_that_is_held_waits_for_the_outcome_of_its_dispute() -> None:
    account = opened(scale=0)
    fund(account, "10", "2025-06-01T00:00:00Z", now=EXPIRY)
    do(account, [DisputeOpened(*commands.header(account, by(EXPIRY)), "dp_1", "lot-2", account.balance)])
    assert next_booking(account) is None
    assert _expire(account, BOOKED) == []


def test_a_closed_accounts_lots_expire_too() -> None:
    account = opened()
    fund(account, "10", "2025-06-01T00:00:00Z", now=EXPIRY)
    do(account, commands.close(account, by(EXPIRY)))
    assert names(_expire(account, BOOKED)) == ["LotExpired"]


def test_a_host_clock_that_was_set_back_books_nothing_twice_and_loses_nothing() -> None:
    account = opened()
    fund(account, "10", "2025-06-01T00:00:00Z", now=EXPIRY)
    fund(account, "1", EXPIRY, now="2026-06-05T00:00:00Z")  # recorded after the grace
    [event] = _expire(account, "2026-05-01T00:00:00Z")
    assert event.recorded_at == at("2026-06-05T00:00:00Z")
    assert _expire(account, "2026-05-01T00:00:00Z") == []


def test_what_is_booked_was_spent_already_as_the_trigger_sees_it() -> None:
    account = opened(scale=0)
    fund(account, "100", "2025-06-01T00:00:00Z", now=EXPIRY)
    level = commands.Level(account.balance / 2, account.balance)
    do(account, commands.set_recharge(account, by(EXPIRY), level, account.balance / 2))
    triggered = do(
        account, commands.add_funds(account, by("2026-06-02T00:00:00Z"), commands.Funds(account.balance / 4))
    )
    assert isinstance(triggered[1], AutoRechargeTriggered)
    assert triggered[1].spendable == 25
    assert names(_expire(account, BOOKED)) == ["LotExpired"]
    assert account.spendable(at(BOOKED)) == 25
