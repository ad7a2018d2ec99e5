"""Refunds and disputes: money of a lot that goes back, for good or for now, and what was spent of it is debt."""

from __future__ import annotations

from decimal import Decimal

import pytest

from domain import commands, payments, refunds
from domain.account import CreditAccount, dump_account, load_account
from domain.errors import DomainError
from domain.events import Event
from domain.named import recharge_view
from domain.payment_events import DisputeClosed, RefundFailed, RefundRequested
from tests.support import paying
from tests.support.given import at, by, debit, do, fund, lot_draws, names, opened, usage
from tests.support.paying import EXACT, bought, card, later, set_level, spend

YEAR_LATER = "2027-11-22T10:00:00Z"


def _bought(amount: str = "100") -> tuple[CreditAccount, str]:
    """An account with one lot that a provider's payment has bought."""
    account = opened(scale=0)
    card(account)
    return account, _buy(account, amount)


def _buy(account: CreditAccount, amount: str = "100") -> str:
    of = bought(account, amount)
    paying.created(account, of)
    paying.tried(account, of)
    paying.succeeded(account, of, amount=amount)
    return account.purchases[of].lot


def _refund(account: CreditAccount, lot: str, amount: int | None = None, key: str = "") -> RefundRequested:
    wanted = None if amount is None else Decimal(amount)
    (requested,) = do(account, refunds.request_refund(account, by(), lot, wanted, key))
    assert isinstance(requested, RefundRequested)
    return requested


def _payment(account: CreditAccount, lot: str) -> str:
    return account.lots[lot].payment_id


def _dispute(account: CreditAccount, lot: str, state: str, amount: int = 100, dispute: str = "dp-1") -> list[Event]:
    """Told as it stands, until nothing is new."""
    written: list[Event] = []
    while events := refunds.dispute_seen(account, by(), dispute, _payment(account, lot), state, Decimal(amount)):
        written += do(account, events)
    return written


def test_a_refund_leaves_its_lot_at_once_and_at_most_what_is_unspent() -> None:
    account, lot = _bought()
    spend(account, 30)

    requested = _refund(account, lot)

    assert (requested.amount, requested.balance, account.balance) == (70, 0, 0)
    assert (account.lots[lot].remaining, account.lots[lot].refunded, account.open_lots) == (0, 70, [])
    with pytest.raises(DomainError) as refused:
        refunds.request_refund(account, by(), lot)
    assert refused.value.code == "nothing_unspent"


def test_a_refund_goes_to_the_provider_and_ends() -> None:
    account, lot = _bought()
    refund = _refund(account, lot, 40).refund_id
    do(account, refunds.refund_sent(account, by(), refund, "re-1"))
    assert refunds.refund_sent(account, by(), refund, "re-1") == []
    do(account, refunds.refund_succeeded(account, by(), refund))
    assert refunds.refund_succeeded(account, by(), refund) == []
    assert (account.refunds[refund].state, account.balance) == ("succeeded", 60)


def test_a_refund_that_fails_returns_to_debt_first_and_then_to_its_lot_with_its_old_expiry() -> None:
    account, lot = _bought()
    expires_at = account.lots[lot].expires_at
    refund = _refund(account, lot).refund_id
    do(account, refunds.refund_sent(account, by(), refund, "re-1"))
    do(account, refunds.refund_succeeded(account, by(), refund))
    spend(account, 30)
    assert account.debt == 30

    (failed,) = do(account, refunds.refund_failed(account, later(hours=50), refund, "expired_or_canceled_card"))

    assert isinstance(failed, RefundFailed)
    assert (failed.amount, failed.debt_covered, account.debt, account.balance) == (100, 30, 0, 70)
    assert [(one.id, one.remaining, one.expires_at) for one in account.open_lots] == [(lot, 70, expires_at)]
    assert refunds.refund_failed(account, by(), refund, "again") == []


def test_the_same_key_refunds_once() -> None:
    account, lot = _bought()
    _refund(account, lot, 40, "ticket-1")
    assert refunds.request_refund(account, by(), lot, Decimal(40), "ticket-1") == []
    assert refunds.request_refund(account, by(), lot, None, "ticket-1") == []
    with pytest.raises(DomainError) as refused:
        refunds.request_refund(account, by(), lot, Decimal(41), "ticket-1")
    assert refused.value.code == "key_conflict"


@pytest.mark.parametrize(
    ("lot", "amount", "code"),
    [
        ("lot-99", 10, "unknown_lot"),
        ("lot-2", 10, "no_provider_payment"),
        ("bought", 101, "more_than_unspent"),
        ("bought", 0, "invalid_amount"),
        ("bought", -1, "invalid_amount"),
    ],
)
def test_what_cannot_be_refunded_is_refused(lot: str, amount: int, code: str) -> None:
    account = opened(scale=0)
    fund(account, "100")
    card(account)
    wanted = _buy(account) if lot == "bought" else lot
    with pytest.raises(DomainError) as refused:
        refunds.request_refund(account, by(), wanted, Decimal(amount))
    assert refused.value.code == code


def test_what_has_expired_is_forfeited_and_not_refunded() -> None:
    account, lot = _bought()
    with pytest.raises(DomainError) as refused:
        refunds.request_refund(account, by("2027-11-22T10:00:00.000001Z"), lot)
    assert refused.value.code == "lot_expired"
    assert names(refunds.request_refund(account, by(YEAR_LATER), lot)) == ["RefundRequested"]


def test_a_closed_account_gets_its_money_back() -> None:
    account, lot = _bought()
    do(account, commands.close(account, by()))
    assert _refund(account, lot).amount == 100


def test_a_refund_from_the_providers_dashboard_is_booked_once_and_what_was_spent_is_debt() -> None:
    account, lot = _bought()
    spend(account, 30)
    payment = _payment(account, lot)

    events = do(account, refunds.refund_booked(account, by(), payment, "re-1", Decimal(100)))

    assert names(events) == ["RefundRequested", "RefundSent"]
    (refund,) = account.refunds.values()
    assert (refund.amount, refund.debt, refund.provider_refund, refund.state) == (100, 30, "re-1", "sent")
    assert (account.balance, account.debt, account.lots[lot].remaining) == (-30, 30, 0)
    assert refunds.refund_booked(account, by(), payment, "re-1", Decimal(100)) == []
    with pytest.raises(DomainError) as unknown:
        refunds.refund_booked(account, by(), "pi-of-nobody", "re-2", Decimal(5))
    assert unknown.value.code == "unknown_payment"


def test_a_refund_below_the_trigger_is_followed_by_a_recharge() -> None:
    account, lot = _bought()
    set_level(account, amount=50, below=50)
    events = do(account, refunds.request_refund(account, by(), lot, Decimal(60)))
    assert names(events) == ["RefundRequested", "AutoRechargeTriggered"]


def test_a_dispute_holds_what_is_left_which_pays_nothing_and_stays_in_the_balance() -> None:
    account, lot = _bought()
    other = _buy(account, "50")
    spend(account, 30)

    _dispute(account, lot, "open")

    assert (account.balance, account.held, account.spendable(by().now)) == (120, 70, 50)
    assert [one.id for one in account.open_lots] == [other]
    assert dump_account(load_account(dump_account(account))) == dump_account(account)
    spend(account, 60)
    assert (account.debt, account.spendable(by().now), account.balance) == (10, -10, 60)


def test_a_dispute_suspends_auto_recharge_and_has_an_open_one_cancelled() -> None:
    account = paying.charging()
    lot = _buy(account)
    events = _dispute(account, lot, "open")
    assert names(events) == ["RechargeSuspended", "DisputeOpened"]
    assert (account.recharge.state, account.recharge.reason) == ("suspended", "dispute")
    step = payments.step(account, paying.open_of(account), by().now)
    assert step is not None
    assert (step.what, step.cause) == ("cancel", "suspended")


def test_a_dispute_that_is_won_lets_the_lot_pay_again_and_auto_recharge_go_on() -> None:
    account, lot = _bought()
    set_level(account, amount=50, below=50)
    _dispute(account, lot, "open")
    assert (account.recharge.state, account.spendable(by().now)) == ("suspended", 0)

    events = _dispute(account, lot, "won")

    assert names(events) == ["DisputeClosed", "RechargeResumed"]
    assert (account.recharge.state, account.spendable(by().now), account.held) == ("armed", 100, 0)


def test_a_dispute_that_is_lost_takes_the_amount_and_what_was_spent_of_it_is_debt() -> None:
    account, lot = _bought()
    set_level(account, amount=50, below=20)
    spend(account, 30)
    _dispute(account, lot, "open")

    (closed,) = _dispute(account, lot, "lost")

    assert isinstance(closed, DisputeClosed)
    assert (closed.amount, closed.debt, closed.balance) == (100, 30, -30)
    assert (account.debt, account.lots[lot].remaining, account.held) == (30, 0, 0)
    assert account.recharge.state == "suspended"


def test_a_part_that_is_disputed_and_lost_leaves_the_rest() -> None:
    account, lot = _bought()
    _dispute(account, lot, "open", 40)
    _dispute(account, lot, "lost", 40)
    assert (account.balance, account.spendable(by().now), account.lots[lot].refunded) == (60, 60, 40)
    assert [one.id for one in account.open_lots] == [lot]


def test_a_dispute_first_heard_of_when_it_is_lost_is_opened_and_closed() -> None:
    account, lot = _bought()
    assert names(_dispute(account, lot, "lost")) == ["DisputeOpened", "DisputeClosed"]
    assert _dispute(account, lot, "lost") == []
    assert _dispute(account, lot, "won") == []
    assert _dispute(account, lot, "open") == []


def test_an_inquiry_moves_nothing() -> None:
    account, lot = _bought()
    assert _dispute(account, lot, "inquiry") == []


def test_of_two_disputes_both_have_to_end_before_all_goes_on() -> None:
    account, lot = _bought()
    other = _buy(account)
    set_level(account, amount=50, below=20)
    _dispute(account, lot, "open")
    _dispute(account, other, "open", dispute="dp-2")
    assert names(_dispute(account, lot, "won")) == ["DisputeClosed"]
    assert names(_dispute(account, other, "won", dispute="dp-2")) == ["DisputeClosed", "RechargeResumed"]


@pytest.mark.parametrize("outcomes", [("lost", "won"), ("won", "lost")])
def test_of_two_disputes_a_lost_one_keeps_auto_recharge_suspended_in_any_order(outcomes: tuple[str, str]) -> None:
    account, lot = _bought()
    other = _buy(account)
    set_level(account, amount=50, below=20)
    _dispute(account, lot, "open")
    _dispute(account, other, "open", dispute="dp-2")
    _dispute(account, lot, outcomes[0])
    _dispute(account, other, outcomes[1], dispute="dp-2")
    assert (account.recharge.state, recharge_view(account)["reason"]) == ("suspended", "dispute")


def test_a_lot_that_is_disputed_twice_is_held_until_both_are_over() -> None:
    account, lot = _bought()
    _dispute(account, lot, "open", 30)
    _dispute(account, lot, "open", 70, dispute="dp-2")
    _dispute(account, lot, "won", 30)
    assert (account.spendable(by().now), account.held) == (0, 100)
    _dispute(account, lot, "lost", 70, dispute="dp-2")
    assert (account.spendable(by().now), account.held, account.balance) == (30, 0, 30)


def test_a_disputed_lot_is_not_refunded() -> None:
    account, lot = _bought()
    _dispute(account, lot, "open")
    with pytest.raises(DomainError) as refused:
        refunds.request_refund(account, by(), lot)
    assert refused.value.code == "lot_disputed"


def test_a_refund_that_fails_while_its_lot_is_disputed_is_held_too() -> None:
    account, lot = _bought()
    refund = _refund(account, lot, 40).refund_id
    _dispute(account, lot, "open", 60)
    do(account, refunds.refund_failed(account, by(), refund, "failed"))
    assert (account.balance, account.held, account.spendable(at(YEAR_LATER))) == (100, 100, 0)


def test_usage_after_a_refund_is_paid_by_what_is_left() -> None:
    account, lot = _bought()
    _refund(account, lot, 40)
    event = debit(account, usage(seconds=70), rates=EXACT)
    assert (lot_draws(event), account.debt) == ([(lot, "60")], 10)


@pytest.mark.parametrize("scale", [2, 4])
def test_what_a_provider_tells_is_booked_at_the_accounts_scale(scale: int) -> None:
    account = opened(scale=scale)
    card(account)
    lot = _buy(account)
    payment = _payment(account, lot)

    refund, _ = do(account, refunds.refund_booked(account, by(), payment, "re-1", Decimal("10.5")))
    _dispute(account, lot, "open", 50)
    (closed,) = _dispute(account, lot, "lost", 50)

    assert isinstance(refund, RefundRequested)
    assert isinstance(closed, DisputeClosed)
    told = (refund.amount, refund.balance, closed.amount, closed.balance, account.lots[lot].remaining)
    assert {each.as_tuple().exponent for each in told} == {-scale}
