"""A payment that the provider will not hold."""

from __future__ import annotations

from decimal import Decimal

from domain import payments
from domain.account import CreditAccount
from domain.events import Event
from domain.named import recharge_view
from tests.support.given import by, do, fund, names, opened
from tests.support.paying import bought, card, charging, later, open_of, triggered

TOO_MUCH = ("amount_too_large", "Stripe does not charge so much.")


def _refused(account: CreditAccount, of: str) -> list[Event]:
    return do(account, payments.payment_refused(account, by(), of, *TOO_MUCH))


def test_a_recharge_is_suspended_and_its_payment_over_at_once() -> None:
    account = triggered()

    assert names(_refused(account, open_of(account))) == ["PaymentDeclined", "RechargeSuspended", "PaymentCancelled"]

    seen = recharge_view(account)
    assert (seen["state"], seen["reason"], seen["failure"]) == ("suspended", "declined", "amount_too_large")
    assert not account.payments
    fund(account, "1")
    assert account.recharge.state == "suspended"


def test_a_purchase_has_failed() -> None:
    account = opened()
    card(account)
    purchase = bought(account)

    assert names(_refused(account, purchase)) == ["PaymentDeclined", "PaymentCancelled"]

    found = account.purchases[purchase]
    assert (found.state, found.failure, found.message) == ("failed", *TOO_MUCH)
    assert not account.payments
    assert account.balance == Decimal(0)


def test_what_the_provider_holds_or_what_is_over_is_not_refused() -> None:
    account = charging()
    of = open_of(account)
    assert not _refused(account, of)
    assert payments.step(account, of, later().now) is not None
    assert not _refused(account, "rch-of-another")
