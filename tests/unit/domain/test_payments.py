"""One recharge, one payment: tries, declines, the customer's bank, cancelling, money that comes after all."""

from __future__ import annotations

from decimal import Decimal

import pytest

from domain import commands, methods, payments
from domain.account import CreditAccount
from domain.commands import Funds
from domain.errors import DomainError
from domain.events import FundsAdded
from domain.named import recharge_view
from domain.payment_events import PaymentActionRequired, PaymentCancelled, PaymentDeclined, PaymentTried
from domain.recharge import POLICY
from tests.support import paying
from tests.support.given import NOW, at, by, do, fund, names
from tests.support.paying import HOUR, MASTERCARD, card, charging, later, open_of, retrying, triggered

HOURS = (1, 7, 31, 103)  # 1h, 6h, 24h, 72h, each from the try before


def _what(account: CreditAccount, hours: int = 0) -> str:
    step = payments.step(account, open_of(account), later(hours=hours).now)
    return "" if step is None else step.what


def test_a_recharge_that_succeeds_is_a_lot_that_says_who_took_the_money() -> None:
    account = triggered()
    of = open_of(account)

    events = [*paying.created(account), *paying.tried(account), *paying.succeeded(account)]

    assert names(events) == ["PaymentCreated", "PaymentTried", "FundsAdded"]
    added = events[-1]
    assert isinstance(added, FundsAdded)
    assert (added.recharge_id, added.provider, added.payment_id, added.method) == (of, "stripe", f"pi-{of}", "pm-2")
    assert (account.balance, account.recharge.state, account.payments) == (90, "armed", {})
    lot = account.lots[added.lot]
    assert (lot.provider, lot.payment_id, lot.remaining) == ("stripe", f"pi-{of}", 50)


@pytest.mark.parametrize("told", ["created", "tried", "succeeded", "declined", "processing", "cancelled"])
def test_what_is_told_of_a_recharge_that_is_over_writes_nothing(told: str) -> None:
    account = charging()
    of = open_of(account)
    paying.succeeded(account)

    assert getattr(paying, told)(account, of) == []


def test_what_is_told_twice_is_written_once() -> None:
    account = triggered()
    paying.created(account)
    assert paying.created(account) == []
    paying.tried(account)
    assert paying.tried(account) == []
    paying.processing(account)
    assert paying.processing(account) == []
    paying.declined(account)
    assert paying.declined(account) == []


def test_declined_for_now_is_tried_again_by_the_schedule_each_from_the_try_before() -> None:
    account = charging()
    for number, hours in enumerate(HOURS, 1):
        read_late = later(60 * number, hours=0 if number == 1 else HOURS[number - 2])
        (declined,) = paying.declined(account, who=read_late)
        assert isinstance(declined, PaymentDeclined)
        assert (declined.number, declined.next_try_at) == (number, at(NOW) + hours * HOUR)
        assert (_what(account, hours - 1), _what(account, hours)) == ("", "try")
        (tried,) = paying.tried(account, who=later(hours=hours))
        assert isinstance(tried, PaymentTried)
        assert (tried.number, account.recharge.state) == (number + 1, "charging")

    events = paying.declined(account, who=later(hours=HOURS[-1]))

    assert names(events) == ["PaymentDeclined", "RechargeSuspended"]
    assert (account.recharge.state, account.recharge.reason) == ("suspended", "retries_exhausted")
    assert _what(account, HOURS[-1]) == "cancel"


def test_declined_for_good_suspends_at_once_and_the_payment_is_cancelled_before_the_recharge_is_over() -> None:
    account = charging()
    of = open_of(account)

    events = paying.declined(account, code="expired_card", hard=True)

    assert names(events) == ["PaymentDeclined", "RechargeSuspended"]
    assert (account.recharge.reason, open_of(account), _what(account)) == ("declined", of, "cancel")
    assert recharge_view(account)["failure"] == "expired_card"
    paying.cancelled(account)
    assert (account.recharge.state, open_of(account)) == ("suspended", "")


def test_resumed_while_it_is_being_cancelled_nothing_is_triggered_before_that_is_done() -> None:
    account = charging()
    of = open_of(account)
    paying.declined(account, hard=True)

    assert names(do(account, commands.resume(account, by()))) == ["RechargeResumed"]
    assert (account.recharge.state, recharge_view(account)["reason"]) == ("armed", "cancelling")

    assert names(paying.cancelled(account)) == ["PaymentCancelled", "AutoRechargeTriggered"]
    assert open_of(account) != of


@pytest.mark.parametrize("code", ["lost_card", "stolen_card", "fraudulent"])
def test_an_admin_is_told_of_some_declines_only_that_the_bank_declined(code: str) -> None:
    account = charging()
    paying.declined(account, code=code, hard=True)
    assert recharge_view(account)["failure"] == "generic_decline"


def test_before_a_retry_the_level_is_looked_at_again_and_nothing_is_charged_when_it_is_reached() -> None:
    account = retrying()
    fund(account, "10", NOW)
    step = payments.step(account, open_of(account), later(hours=1).now)
    assert step is not None
    assert (step.what, step.cause) == ("cancel", "level")

    (ended,) = paying.cancelled(account, cause=step.cause)

    assert isinstance(ended, PaymentCancelled)
    assert (ended.cause, account.recharge.state, account.balance) == ("level", "armed", 50)


def test_money_that_is_one_cent_short_of_the_level_leaves_the_retry_as_it_was() -> None:
    account = retrying(scale=2)
    fund(account, "9.99", NOW)
    assert _what(account, 1) == "try"


def test_another_default_card_is_tried_at_once_and_the_count_of_declines_goes_on() -> None:
    account = retrying()
    card(account, MASTERCARD)
    do(account, methods.default_method(account, later(60), "pm-10"))

    step = payments.step(account, open_of(account), later(60).now)

    assert step is not None
    assert step.method is not None
    assert (step.what, step.number, step.method.token) == ("try", 2, MASTERCARD)
    paying.tried(account, who=later(60))
    (declined,) = paying.declined(account, who=later(60))
    assert isinstance(declined, PaymentDeclined)
    assert declined.next_try_at == later(60, hours=6).now


def test_a_card_that_is_removed_while_it_is_retried_gives_way_to_the_one_that_is_left() -> None:
    account = retrying()
    card(account, MASTERCARD)
    events = do(account, methods.remove_method(account, later(60), "pm-2"))

    step = payments.step(account, open_of(account), later(60).now)

    assert names(events) == ["PaymentMethodRemoved", "PaymentMethodDefaulted"]
    assert step is not None
    assert step.method is not None
    assert (step.what, step.method.token) == ("try", MASTERCARD)


def test_without_any_card_left_a_retry_waits_until_there_is_one() -> None:
    account = retrying()
    do(account, methods.remove_method(account, by(), "pm-2"))
    assert (_what(account, 1), recharge_view(account)["reason"]) == ("", "awaiting_funds")
    card(account, MASTERCARD, later(hours=2))
    assert _what(account, 2) == "try"


def test_the_same_card_with_a_new_expiry_is_tried_at_once() -> None:
    account = retrying()
    assert _what(account) == ""
    do(account, methods.update_method(account, later(60), "pm-2", "visa", "4242", 203312))
    step = payments.step(account, open_of(account), later(60).now)
    assert step is not None
    assert step.what == "try"


def test_while_the_bank_is_asked_the_try_stays_with_its_card() -> None:
    account = charging()
    card(account, MASTERCARD)
    do(account, methods.remove_method(account, by(), "pm-2"))
    step = payments.step(account, open_of(account), by().now)
    assert step is not None
    assert step.method is not None
    assert (step.what, step.method.token) == ("ask", paying.VISA)


def test_the_bank_asks_for_the_customer_who_comes_and_pays() -> None:
    account = charging()
    (asked,) = paying.action_required(account)
    assert isinstance(asked, PaymentActionRequired)
    assert (account.recharge.state, _what(account)) == ("action_required", "")

    paying.tried(account, who=later(hours=5), present=True)
    (again,) = paying.action_required(account, who=later(hours=5))
    assert isinstance(again, PaymentActionRequired)
    assert (again.number, again.until) == (2, asked.until)  # the time is not begun anew
    assert _what(account, 5) == "read"

    paying.succeeded(account, who=later(hours=6))
    assert (account.recharge.state, account.balance) == ("armed", 90)


def test_a_customer_who_fails_at_the_bank_is_one_more_decline() -> None:
    account = charging()
    paying.action_required(account)
    paying.tried(account, who=later(hours=5), present=True)
    paying.action_required(account, who=later(hours=5))

    (declined,) = paying.declined(account, who=later(hours=6))

    assert isinstance(declined, PaymentDeclined)
    assert (account.recharge.state, declined.next_try_at) == ("retrying", later(hours=6).now)


def test_a_customer_who_does_not_come_in_time_suspends_it() -> None:
    account = charging()
    paying.action_required(account)
    step = payments.step(account, open_of(account), later(hours=72).now)
    assert step is not None
    assert (step.what, step.cause) == ("cancel", "action_timeout")

    events = paying.cancelled(account, who=later(hours=72), cause=step.cause)

    assert names(events) == ["RechargeSuspended", "PaymentCancelled"]
    assert (account.recharge.state, account.recharge.reason) == ("suspended", "action_timeout")
    assert (open_of(account), account.payments) == ("", {})


def test_the_provider_that_tells_first_of_our_cancelling_suspends_it_all_the_same() -> None:
    account = charging()
    paying.action_required(account)

    events = paying.cancelled(account, who=later(hours=72), cause="gone")

    assert names(events) == ["RechargeSuspended", "PaymentCancelled"]
    assert (account.recharge.state, account.recharge.reason) == ("suspended", "action_timeout")


def test_a_payment_cancelled_in_the_dashboard_while_the_customer_has_time_is_made_anew() -> None:
    account = charging()
    paying.action_required(account)
    before = open_of(account)

    paying.cancelled(account, who=later(hours=71), cause="gone")

    assert account.recharge.state == "triggered"
    assert open_of(account) != before


@pytest.mark.parametrize("end", ["off", "closed", "suspended"])
def test_money_that_comes_although_it_was_to_be_cancelled_is_booked(end: str) -> None:
    account = charging()
    of = open_of(account)
    if end == "off":
        do(account, commands.recharge_off(account, by()))
    elif end == "closed":
        do(account, commands.close(account, by()))
    else:
        paying.declined(account, hard=True)
    assert _what(account) == "cancel"

    (added,) = paying.succeeded(account)

    assert isinstance(added, FundsAdded)
    assert (added.recharge_id, account.balance, account.payments) == (of, 90, {})
    assert account.recharge.state == ("suspended" if end == "suspended" else "off")


def test_switched_off_and_set_again_while_it_is_cancelled_waits_for_the_read_back() -> None:
    account = charging()
    of = open_of(account)
    do(account, commands.recharge_off(account, by()))

    assert names(paying.set_level(account, amount=60, below=50)) == ["RechargeConfigured"]
    assert (account.recharge.state, open_of(account)) == ("armed", of)

    events = paying.cancelled(account, cause="off")
    assert names(events) == ["PaymentCancelled", "AutoRechargeTriggered"]
    assert account.payments[open_of(account)].amount == 60


def test_what_the_provider_never_knew_is_over_at_once_when_it_is_switched_off() -> None:
    account = triggered()
    do(account, commands.recharge_off(account, by()))
    assert (account.recharge.state, open_of(account), account.payments) == ("off", "", {})


def test_funds_by_hand_for_a_recharge_that_the_provider_works_on_need_its_payment_cancelled() -> None:
    account = charging()
    funds = Funds(Decimal(50), recharge_id=open_of(account))
    with pytest.raises(DomainError) as refused:
        commands.add_funds(account, by(), funds)
    assert (refused.value.code, refused.value.field) == ("recharge_in_progress", "recharge")

    events = do(account, commands.add_funds(account, by(), funds, cancelled=True))

    assert names(events) == ["PaymentCancelled", "FundsAdded"]
    assert (account.recharge.state, account.balance, account.payments) == ("armed", 90, {})


def test_a_payment_too_small_for_the_level_is_followed_by_another_recharge() -> None:
    account = charging()
    paying.spend(account, 80)

    events = paying.succeeded(account)

    assert names(events) == ["FundsAdded", "AutoRechargeTriggered"]
    assert account.balance == 10


def test_an_invoice_waits_for_its_money_and_is_never_tried() -> None:
    account = triggered()
    method = paying.invoice(account)
    do(account, methods.default_method(account, by(), method))
    assert (_what(account, 500), recharge_view(account)["reason"]) == ("", "awaiting_funds")
    do(account, commands.add_funds(account, by(), Funds(Decimal(50), recharge_id=open_of(account))))
    assert account.recharge.state == "armed"


def test_a_recharge_has_the_method_it_was_set_to_while_that_is_there() -> None:
    account = triggered()
    other = card(account, MASTERCARD)
    paying.set_level(account, amount=50, below=50, method=other)
    paying.created(account)
    assert account.recharge_method() is account.methods[other]
    do(account, methods.remove_method(account, by(), other))
    assert account.recharge_method() is account.methods["pm-2"]


def test_a_payment_cancelled_at_the_provider_by_somebody_else_is_followed_by_another_recharge() -> None:
    account = charging()
    assert names(paying.cancelled(account, cause="gone")) == ["PaymentCancelled", "AutoRechargeTriggered"]
    assert account.recharge.state == "triggered"


def test_a_clock_that_is_set_back_does_not_take_an_expired_lot_for_credit() -> None:
    account = retrying()
    fund(account, "100", NOW, expires_at=later(60).now)
    do(account, methods.customer_created(account, later(hours=2), "stripe", "cus-2"))
    assert _what(account, 1) == "try"


def test_a_failure_is_told_until_the_recharge_is_over_or_resumed() -> None:
    account = retrying()
    assert recharge_view(account)["failure"] == "insufficient_funds"
    fund(account, "100", NOW)
    paying.cancelled(account, cause="level")
    assert recharge_view(account)["failure"] is None

    account = charging()
    paying.declined(account, hard=True)
    paying.cancelled(account)
    assert recharge_view(account)["failure"] == "insufficient_funds"
    do(account, commands.resume(account, by()))
    assert recharge_view(account)["failure"] is None


def test_with_a_target_the_open_recharge_says_how_much_it_is() -> None:
    account = paying.armed(to=200)
    assert recharge_view(account)["amount"] is None
    paying.spend(account, 60)
    assert (recharge_view(account)["amount"], recharge_view(account)["to"]) == (160, 200)


def test_the_customer_who_is_at_the_bank_is_not_disturbed_by_another_card() -> None:
    account = charging()
    paying.action_required(account)
    paying.tried(account, present=True)
    paying.action_required(account)
    card(account, MASTERCARD)
    do(account, methods.remove_method(account, by(), "pm-2"))
    assert account.recharge.state == "action_required"


def test_no_schedule_means_no_retry() -> None:
    account = charging()
    decision = payments.payment_declined(account, by(), open_of(account), "do_not_honor", "", False, "", ())
    assert names(decision) == ["PaymentDeclined", "RechargeSuspended"]
    assert POLICY.retry_schedule == (3600, 21_600, 86_400, 259_200)
