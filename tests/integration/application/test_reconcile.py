"""The provider's ledger against ours: what agrees says nothing, what does not has a name."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from decimal import Decimal
from pathlib import Path

import pytest
from stripe import StripeClient

from adapters.payments.stripe import Stripe
from application.reconcile import Reconciled, customers_of, reconcile
from commcredits.sandbox.stripe.server import StripeSandbox
from domain.by import header
from domain.events import Event, FundsAdded
from tests.support.provider import Till
from tests.support.shop import Shop, money

SECOND = 1_000_000
HOUR = 3600 * SECOND


@pytest.fixture
def shop(sqlite_url: str, stripe_sandbox: StripeSandbox, tmp_path: Path) -> Iterator[Shop]:
    with closing(Shop(sqlite_url, stripe_sandbox, tmp_path)) as shop:
        shop.open()
        yield shop


@pytest.fixture
def till(shop: Shop, stripe_sandbox: StripeSandbox) -> Till:
    """The same customer, at the provider alone: what is done here is not told to us."""
    provider = Stripe(stripe_sandbox.api_key, stripe_sandbox.url, retries=0)
    return Till(provider, stripe_sandbox, shop.account().customers["stripe"])


def compared(shop: Shop, since: int | None = None, until: int | None = None) -> Reconciled:
    """Of all accounts, on which the one of contoso alone must agree."""
    provider = shop.engine.provider
    assert provider is not None
    customers = customers_of(shop.account(), provider.name)
    alone = reconcile(provider, lambda: [shop.account()], customers, since, until)
    whole = reconcile(provider, shop.engine.every_account, None, since, until)
    assert [each for each in whole.differences if each.account == "contoso"] == alone.differences
    return whole


def differences(found: Reconciled) -> list[tuple[str, str, Decimal | None, Decimal | None]]:
    return [(each.kind, each.payment_id, each.ours, each.theirs) for each in found.differences]


def buy(shop: Shop, amount: str = "80") -> str:
    """The payment of a top-up that was paid."""
    bought = shop.engine.paying.buy(shop.by(), "contoso", money(amount))
    assert bought.state == "succeeded"
    return shop.account().lots[shop.account().purchases[bought.purchase].lot].payment_id


def book(shop: Shop, payment: str, amount: str) -> str:
    """A lot that says it was paid by a payment; answers it."""
    lot = f"lot-{shop.account().version + 1}"

    def decide(account: object) -> list[Event]:
        now, by = shop.account(), shop.by()
        head, nothing = header(now, by, by.now, FundsAdded.VERSION), money("0")
        return [
            FundsAdded(
                *head, lot, "purchased", money(amount), nothing, by.now + 10**12, "", "", now.balance + money(amount),
                provider="stripe", payment_id=payment,
            )
        ]  # fmt: skip

    shop.engine.appender.append("contoso", decide)
    return lot


def test_what_was_bought_recharged_refunded_and_disputed_agrees(shop: Shop, till: Till) -> None:
    shop.grant("10")
    first, _ = buy(shop), buy(shop, "60")
    shop.arm(amount="100", below="200")
    shop.finish()
    lots = {lot.payment_id: lot.id for lot in shop.account().lots.values()}
    shop.engine.paying.refund(shop.by(), "contoso", lots[first], money("12.50"))

    found = compared(shop)

    assert found.differences == []
    assert (found.accounts, found.payments, found.foreign) == (1, 3, 0)
    assert found.booked == found.taken == {"EUR": Decimal(240)}
    assert str(found.taken["EUR"]) == "240.0000"


def test_money_that_they_took_and_we_have_not_is_named(shop: Shop, till: Till) -> None:
    taken = till.pay("rch-contoso-99")

    found = compared(shop)

    assert differences(found) == [("not_booked", taken, None, Decimal(50))]
    assert (found.differences[0].of, found.booked, found.taken) == ("rch-contoso-99", {}, {"EUR": Decimal(50)})


def test_a_payment_that_is_under_way_is_booked_by_work(shop: Shop) -> None:
    shop.control.card_answers("contoso", ["processing"])
    shop.arm()
    shop.finish()
    [payment] = shop.account().payments.values()
    shop.control.settle(payment.payment_id)
    assert [kind for kind, *_ in differences(compared(shop))] == ["not_booked_yet"]

    shop.finish(shop.by().now + HOUR)

    assert compared(shop).differences == []


def test_a_lot_that_nobody_paid_is_named(shop: Shop, till: Till) -> None:
    unpaid = till.create("pur-contoso-98")
    book(shop, unpaid, "50")
    book(shop, "pi_of_nobody", "70")

    assert differences(compared(shop)) == [("not_taken", unpaid, 50, None), ("not_taken", "pi_of_nobody", 70, None)]


def test_a_lot_that_is_not_as_it_was_paid_is_named(shop: Shop, till: Till) -> None:
    dollars = till.provider.create_payment("contoso", till.customer, "pur-1", money("60"), "USD", "usd").payment_id
    assert till.confirm(dollars, till.card()).state == "succeeded"
    other, twice = till.pay("pur-2"), buy(shop)
    for payment, amount in ((dollars, "60"), (other, "49.99"), (twice, "80")):
        book(shop, payment, amount)

    assert differences(compared(shop)) == [
        ("currency_differs", dollars, 60, 60),
        ("amount_differs", other, Decimal("49.99"), 50),
        ("booked_twice", twice, 80, None),
    ]


def test_money_that_went_back_without_us_is_named_until_we_are_told(shop: Shop, till: Till) -> None:
    refunded, lost = buy(shop), buy(shop)
    till.control.refund(refunded, 500)
    till.control.move_dispute(till.control.open_dispute(lost)["id"], "lost")

    assert differences(compared(shop)) == [("refunded_differs", refunded, 0, 5), ("lost_differs", lost, 0, 80)]


def test_what_is_not_ours_is_told_apart(shop: Shop, till: Till, stripe_sandbox: StripeSandbox) -> None:
    gone = till.provider.create_payment("gone", till.customer, "pur-gone-3", money("50"), "EUR", "gone").payment_id
    till.confirm(gone, till.card())
    api = StripeClient(stripe_sandbox.api_key, base_addresses={"api": stripe_sandbox.url}).v1
    api.payment_intents.create(
        {"amount": 700, "currency": "eur", "customer": till.customer, "payment_method": till.card(), "confirm": True,
         "payment_method_types": ["card"]}
    )  # fmt: skip

    provider = shop.engine.provider
    assert provider is not None
    found = reconcile(provider, shop.engine.every_account, None)

    assert [(each.kind, each.account, each.payment_id) for each in found.differences] == [
        ("unknown_account", "gone", gone)
    ]
    assert found.foreign == 1


def test_a_span_of_time_cuts_no_payment_in_two(shop: Shop, till: Till) -> None:
    paid = buy(shop)
    lot = next(lot for lot in shop.account().lots.values() if lot.payment_id == paid)
    charged = till.provider.charged(paid)
    assert charged is not None
    made, booked = charged.created_at, lot.purchased_at
    assert made <= booked

    for since, until in ((made, booked), (booked, None), (made + SECOND, None), (None, booked), (made, made + SECOND)):
        found = compared(shop, since, until)
        assert found.differences == []
        assert found.booked == found.taken
    assert compared(shop, booked + HOUR).payments == 0
    assert compared(shop, None, made - HOUR).payments == 0
