"""What an account waits for, and when."""

from __future__ import annotations

from decimal import Decimal

from domain import commands, methods, refunds
from domain.account import CreditAccount
from domain.by import By
from domain.duties import Duty, duties, next_due
from domain.months import SECOND
from domain.triggers import look_again
from tests.support import paying
from tests.support.given import NOW, at, by, do, fund, opened
from tests.support.paying import HOUR, MASTERCARD, MINIMUM, armed, bought, card, later, open_of, set_level

NOON = at(NOW)
LOT_ENDS = at("2027-11-22T10:00:00.000001Z")


def _waits(account: CreditAccount) -> list[tuple[str, int]]:
    """Kind and time, without the lots' expiry, which every account with credit waits for."""
    return [(duty.kind, duty.due_at) for duty in duties(account) if duty.kind != "expire"]


def test_an_account_without_anything_waits_for_nothing() -> None:
    assert duties(opened()) == []
    assert next_due(opened()) is None


def test_credit_waits_for_its_expiry_to_be_booked() -> None:
    account = opened(scale=0)
    fund(account, "100", NOW)
    (duty,) = duties(account)
    assert duty == Duty("expire", "", LOT_ENDS + 72 * HOUR)
    assert next_due(account) == duty.due_at


def test_an_open_recharge_is_due_until_the_customer_or_a_time_is_waited_for() -> None:
    account = paying.triggered()
    of = open_of(account)
    assert _waits(account) == [("payment", NOON)]
    paying.created(account, who=later(1))
    assert duties(account)[0] == Duty("payment", of, NOON + SECOND)
    paying.tried(account, who=later(2))
    assert _waits(account) == [("payment", NOON + 2 * SECOND)]
    paying.declined(account, who=later(3))
    assert _waits(account) == [("payment", NOON + 2 * SECOND + HOUR)]
    paying.tried(account, who=later(hours=2))
    paying.action_required(account, who=later(hours=2))
    assert _waits(account) == [("action_timeout", NOON + 74 * HOUR)]
    paying.tried(account, who=later(hours=3), present=True)
    paying.action_required(account, who=later(hours=3))
    assert _waits(account) == [("payment", NOON + 3 * HOUR), ("action_timeout", NOON + 74 * HOUR)]


def test_a_recharge_that_no_card_pays_is_not_due() -> None:
    account = paying.triggered()
    do(account, methods.remove_method(account, by(), "pm-2"))
    assert _waits(account) == []
    card(account, MASTERCARD, later(5))
    assert _waits(account) == [("payment", NOON)]


def test_what_is_to_be_cancelled_is_due() -> None:
    account = paying.retrying()
    do(account, commands.recharge_off(account, later(7)))
    assert _waits(account) == [("payment", NOON + 7 * SECOND)]


def test_a_purchase_is_due_until_it_is_over() -> None:
    account = opened(scale=0)
    card(account)
    of = bought(account)
    assert duties(account)[0] == Duty("purchase", of, NOON)
    paying.created(account, of)
    paying.tried(account, of)
    paying.declined(account, of)
    assert _waits(account) == [("purchase", NOON)]
    paying.cancelled(account, of)
    assert _waits(account) == []


def test_a_purchase_by_invoice_is_not_due() -> None:
    account = opened(scale=0)
    paying.invoice(account)
    bought(account)
    assert _waits(account) == []


def test_a_refund_is_due_until_it_is_over() -> None:
    account = opened(scale=0)
    card(account)
    of = bought(account)
    paying.created(account, of)
    paying.tried(account, of)
    paying.succeeded(account, of, amount="100")
    do(account, refunds.request_refund(account, by(), account.purchases[of].lot, Decimal(5)))
    (refund,) = account.refunds
    assert duties(account)[0] == Duty("refund", refund, NOON)
    do(account, refunds.refund_sent(account, later(4), refund, "re-1"))
    assert _waits(account) == [("refund", NOON + 4 * SECOND)]
    do(account, refunds.refund_succeeded(account, by(), refund))
    assert _waits(account) == []


def test_the_level_is_due_when_a_lot_will_have_expired_that_holds_it_up() -> None:
    account = armed()
    assert _waits(account) == [("level", LOT_ENDS)]
    set_level(account, amount=50, below=0)
    assert _waits(account) == []


def test_what_is_capped_is_due_when_the_next_month_begins() -> None:
    account = armed(amount=60, monthly_cap=100)
    paying.spend(account, 60)
    paying.created(account)
    paying.tried(account)
    paying.succeeded(account, amount="60")
    paying.spend(account, 60)
    assert _waits(account) == [("level", at("2026-12-01T00:00:00Z"))]


def test_a_standing_top_up_is_due_on_its_day_and_after_the_cap() -> None:
    account = armed(monthly_cap=99)
    do(account, commands.set_standing(account, by(), Decimal(100), 15, MINIMUM))
    assert ("standing", at("2026-12-15T00:00:00Z")) in _waits(account)
    december = By(at("2026-12-15T00:00:00Z"), "", "engine")
    do(account, commands.set_standing(account, december, Decimal(99), 15, MINIMUM))
    assert ("standing", december.now) in _waits(account)


def test_a_standing_top_up_that_was_moved_to_a_later_day_waits_for_the_month_after() -> None:
    account = armed("1000")
    do(account, commands.set_standing(account, by(), Decimal(100), 25, MINIMUM))
    do(account, look_again(account, at("2026-11-25T00:00:00Z")))
    paying.created(account)
    paying.tried(account)
    paying.succeeded(account, amount="100")
    do(account, commands.set_standing(account, by("2026-11-26T00:00:00Z"), Decimal(100), 28, MINIMUM))
    assert _waits(account) == [("standing", at("2026-12-28T00:00:00Z")), ("level", LOT_ENDS)]


def test_what_is_suspended_or_closed_waits_for_nothing() -> None:
    account = armed()
    do(account, commands.set_standing(account, by(), Decimal(100), 15, MINIMUM))
    do(account, commands.close(account, by()))
    assert _waits(account) == []
