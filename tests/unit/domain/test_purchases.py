"""One-time top-ups: bought once per key, ended by money, by a decline, or by a payment that was cancelled."""

from __future__ import annotations

from decimal import Decimal

import pytest

from domain import commands, methods, payments, purchases
from domain.account import CreditAccount
from domain.commands import Funds
from domain.errors import DomainError
from domain.events import FundsAdded
from tests.support import paying
from tests.support.given import by, do, names, opened
from tests.support.paying import MASTERCARD, MINIMUM, bought, card, later


def _with_card() -> CreditAccount:
    account = opened(scale=2)
    card(account)
    return account


def _step(account: CreditAccount, of: str) -> tuple[str, str]:
    step = payments.step(account, of, later(hours=100).now)
    return ("", "") if step is None else (step.what, step.cause)


def test_a_purchase_that_succeeds_is_a_lot_that_names_it() -> None:
    account = _with_card()
    of = bought(account, "100")
    paying.created(account, of)
    paying.tried(account, of, present=True)

    (added,) = paying.succeeded(account, of, amount="100")

    assert isinstance(added, FundsAdded)
    assert (added.purchase_id, added.recharge_id, added.method) == (of, "", "pm-2")
    purchase = account.purchases[of]
    assert (purchase.state, purchase.lot, account.balance, account.payments) == ("succeeded", added.lot, 100, {})


def test_the_customer_is_there_and_the_bank_may_ask() -> None:
    account = _with_card()
    of = bought(account)
    paying.created(account, of)
    step = payments.step(account, of, by().now)
    assert step is not None
    assert (step.what, step.present) == ("try", True)
    paying.tried(account, of, present=True)
    paying.action_required(account, of)
    assert account.purchases[of].state == "requires_action"
    assert _step(account, of) == ("cancel", "action_timeout")
    paying.cancelled(account, of, cause="action_timeout")
    assert (account.purchases[of].state, account.purchases[of].failure) == ("failed", "action_timeout")
    assert account.recharge.state == "off"


def test_the_same_key_never_buys_twice() -> None:
    account = _with_card()
    of = bought(account, "100", key="order-7")
    assert purchases.request_purchase(account, by(), Decimal(100), "", "order-7", MINIMUM) == []
    known = purchases.purchase_by_key(account, "order-7")
    assert known is account.purchases[of]
    with pytest.raises(DomainError) as refused:
        purchases.request_purchase(account, by(), Decimal(101), "", "order-7", MINIMUM)
    assert (refused.value.code, refused.value.field) == ("key_conflict", "key")


def test_without_a_key_each_is_another_purchase() -> None:
    account = _with_card()
    assert bought(account) != bought(account)
    assert purchases.purchase_by_key(account, "") is None


def test_a_declined_purchase_has_failed_and_its_payment_is_cancelled_at_the_provider() -> None:
    account = _with_card()
    of = bought(account)
    paying.created(account, of)
    paying.tried(account, of, present=True)

    assert names(paying.declined(account, of, code="stolen_card")) == ["PaymentDeclined"]

    assert (account.purchases[of].state, account.purchases[of].failure) == ("failed", "generic_decline")
    assert _step(account, of) == ("cancel", "declined")
    paying.cancelled(account, of)
    assert (account.payments, account.purchases[of].failure) == ({}, "generic_decline")


def test_money_of_a_purchase_that_was_thought_declined_is_booked() -> None:
    account = _with_card()
    of = bought(account)
    paying.created(account, of)
    paying.tried(account, of)
    paying.declined(account, of)
    paying.succeeded(account, of, amount="100")
    assert (account.purchases[of].state, account.balance) == ("succeeded", 100)


def test_a_purchase_keeps_its_method_and_ends_with_it() -> None:
    account = _with_card()
    of = bought(account)
    card(account, MASTERCARD)
    do(account, methods.default_method(account, by(), "pm-4"))
    assert account.purchases[of].method == "pm-2"
    do(account, methods.remove_method(account, by(), "pm-2"))
    assert _step(account, of) == ("cancel", "gone")


def test_a_purchase_by_invoice_waits_for_funds_that_name_it() -> None:
    account = opened(scale=2)
    paying.invoice(account)
    of = bought(account)
    assert _step(account, of) == ("", "")

    do(account, commands.add_funds(account, by(), Funds(Decimal(100), purchase_id=of)))

    assert (account.purchases[of].state, account.balance) == ("succeeded", 100)
    with pytest.raises(DomainError) as refused:
        commands.add_funds(account, by(), Funds(Decimal(100), purchase_id=of))
    assert (refused.value.code, refused.value.field) == ("purchase_not_open", "purchase")


def test_funds_for_a_purchase_that_the_provider_works_on_need_its_payment_cancelled() -> None:
    account = _with_card()
    of = bought(account)
    paying.created(account, of)
    with pytest.raises(DomainError) as refused:
        commands.add_funds(account, by(), Funds(Decimal(100), purchase_id=of))
    assert refused.value.code == "purchase_in_progress"
    events = do(account, commands.add_funds(account, by(), Funds(Decimal(100), purchase_id=of), cancelled=True))
    assert names(events) == ["PaymentCancelled", "FundsAdded"]
    assert (account.purchases[of].state, account.payments) == ("succeeded", {})


def test_closing_ends_what_nobody_was_asked_for_and_has_the_rest_cancelled() -> None:
    account = _with_card()
    new, asked = bought(account), bought(account)
    paying.created(account, asked)

    assert names(do(account, commands.close(account, by()))) == ["AccountClosed", "PaymentCancelled"]

    assert account.purchases[new].failure == "closed"
    assert _step(account, asked) == ("cancel", "closed")


@pytest.mark.parametrize(
    ("amount", "method", "code"),
    [
        ("100.50", "", "invalid_amount"),
        ("0", "", "invalid_amount"),
        ("-50", "", "invalid_amount"),
        ("49", "", "below_minimum"),
        ("50", "pm-9", "unknown_method"),
    ],
)
def test_what_cannot_be_bought_is_refused(amount: str, method: str, code: str) -> None:
    with pytest.raises(DomainError) as refused:
        purchases.request_purchase(_with_card(), by(), Decimal(amount), method, "", MINIMUM)
    assert refused.value.code == code


def test_without_a_method_nothing_is_bought() -> None:
    with pytest.raises(DomainError) as refused:
        purchases.request_purchase(opened(), by(), Decimal(50), "", "", MINIMUM)
    assert refused.value.code == "no_payment_method"


def test_a_purchase_goes_beside_a_recharge() -> None:
    account = paying.charging()
    of = bought(account)
    paying.created(account, of)
    paying.tried(account, of)
    paying.succeeded(account, of, amount="100")
    assert (account.purchases[of].state, account.recharge.state) == ("succeeded", "charging")
