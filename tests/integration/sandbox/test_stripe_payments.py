"""The sandbox's PaymentIntents and cards, through the official library. What is quoted is what Stripe documents."""

from __future__ import annotations

import pytest
import stripe

from tests.support.stripe_calls import Shop, said


def test_only_once_can_it_succeed(shop: Shop) -> None:
    """`requires_payment_method -> requires_confirmation -> … -> succeeded`; "only once can it succeed"."""
    payment, card = shop.intent(), shop.save()
    assert shop.status(payment) == "requires_payment_method"
    assert shop.confirm(payment, card) == "succeeded"

    with pytest.raises(stripe.InvalidRequestError) as refused:
        shop.confirm(payment, card)

    assert refused.value.code == "payment_intent_unexpected_state"
    assert [(line["payment"], line["amount"]) for line in shop.control.ledger()] == [(payment, 5000)]


def test_after_a_decline_it_may_be_confirmed_again(shop: Shop) -> None:
    """ "After a decline it is `requires_payment_method` with `last_payment_error`, and may be confirmed again"."""
    payment, card = shop.intent(), shop.save()
    shop.control.card_answers("contoso", ["insufficient_funds"])

    with pytest.raises(stripe.CardError):
        shop.confirm(payment, card)

    found = shop.api.payment_intents.retrieve(payment)
    assert found.status == "requires_payment_method"
    assert found.last_payment_error is not None
    assert found.last_payment_error.decline_code == "insufficient_funds"
    assert shop.confirm(payment, shop.save("pm_card_mastercard")) == "succeeded"


def test_a_decline_says_its_codes(shop: Shop) -> None:
    """ "HTTP 402 with `error`: `type` `card_error`, `code`, `decline_code`, `advice_code`, `payment_intent`"."""
    payment, card = shop.intent(), shop.save()
    lost = {"decline_code": "lost_card", "advice_code": "do_not_try_again"}
    shop.control.card_answers("contoso", [lost, "expired_card", "processing_error"])

    answers = []
    for _ in range(3):
        with pytest.raises(stripe.CardError) as declined:
            shop.confirm(payment, card)
        error = said(declined.value)
        answers.append((error["type"], error["code"], error["decline_code"], error.get("advice_code")))
        assert declined.value.http_status == 402
        assert error["payment_intent"]["id"] == payment

    assert answers == [
        ("card_error", "card_declined", "lost_card", "do_not_try_again"),
        ("card_error", "expired_card", "expired_card", None),
        ("card_error", "processing_error", "processing_error", None),
    ]


def test_cancel_ends_it_for_good(shop: Shop) -> None:
    payment, card = shop.intent(), shop.save()
    assert shop.api.payment_intents.cancel(payment).status == "canceled"

    with pytest.raises(stripe.InvalidRequestError) as confirmed:
        shop.confirm(payment, card)
    with pytest.raises(stripe.InvalidRequestError) as cancelled:
        shop.api.payment_intents.cancel(payment)

    for refused in (confirmed, cancelled):
        assert said(refused.value)["payment_intent"]["status"] == "canceled"

    assert shop.control.ledger() == []


def test_what_has_succeeded_cannot_be_cancelled(shop: Shop) -> None:
    payment = shop.pay()

    with pytest.raises(stripe.InvalidRequestError) as refused:
        shop.api.payment_intents.cancel(payment)

    assert said(refused.value)["payment_intent"]["status"] == "succeeded"


@pytest.mark.parametrize(
    ("answer", "end"), [("succeeded", "succeeded"), ("generic_decline", "requires_payment_method")]
)
def test_processing_may_last_and_still_fail(shop: Shop, answer: str, end: str) -> None:
    """ "`processing` (bank debits) may last days and still fail"."""
    payment, card = shop.intent(), shop.save()
    shop.control.card_answers("contoso", ["processing"])
    assert shop.confirm(payment, card) == "processing"
    assert shop.control.ledger() == []

    shop.control.settle(payment, answer)

    assert shop.status(payment) == end
    assert len(shop.control.ledger()) == (end == "succeeded")


def test_listing_by_customer_and_created_is_consistent_at_once(shop: Shop) -> None:
    """ "`metadata` comes back on the intent, its events and lists"."""
    payments = [shop.intent(recharge=f"rch-{place}") for place in range(3)]
    created = shop.api.payment_intents.retrieve(payments[0]).created

    found = shop.api.payment_intents.list({"customer": shop.customer, "created": {"gte": created}, "limit": 2})
    every = list(found.auto_paging_iter())

    assert [each.id for each in every] == payments[::-1]
    assert [each.metadata["recharge"] for each in every] == ["rch-2", "rch-1", "rch-0"]
    assert len(found.data) == 2
    assert shop.api.payment_intents.list({"customer": shop.customer, "created": {"lt": created}}).data == []
    assert shop.events("payment_intent.created")[0]["data"]["object"]["metadata"] == {"recharge": "rch-0"}


@pytest.mark.parametrize(
    ("amount", "currency", "wrong"),
    [
        (50, "usd", ""), (49, "usd", "amount_too_small"), (50, "jpy", ""), (49, "jpy", "amount_too_small"),
        (17500, "huf", ""), (17400, "huf", "amount_too_small"), (5000, "isk", ""), (5050, "isk", "amount"),
        (5000, "ugx", ""), (5010, "kwd", ""), (5001, "kwd", "amount"), (100_000_000, "eur", "amount_too_large"),
        (5000, "euro", "currency"),
    ],
)  # fmt: skip
def test_amounts_are_in_minor_units_of_their_own(shop: Shop, amount: int, currency: str, wrong: str) -> None:
    """ "ISK and UGX are sent times 100; KWD has three digits (last one 0)"; "the smallest charge depends on it"."""
    if not wrong:
        assert shop.intent(amount, currency)
        return
    with pytest.raises(stripe.InvalidRequestError) as refused:
        shop.intent(amount, currency)
    assert wrong in (refused.value.code, refused.value.param)


@pytest.mark.parametrize("card", ["pm_card_visa", "pm_card_mastercard", "pm_card_createDispute"])
def test_cards_that_pay(shop: Shop, card: str) -> None:
    assert shop.status(shop.pay(card=card)) == "succeeded"


def test_a_card_that_attaches_and_then_declines(shop: Shop) -> None:
    card = shop.save("pm_card_chargeCustomerFail")

    with pytest.raises(stripe.CardError) as declined:
        shop.confirm(shop.intent(), card)

    assert said(declined.value)["decline_code"] == "generic_decline"


@pytest.mark.parametrize(
    ("card", "code", "decline_code"),
    [
        ("pm_card_visa_chargeDeclinedInsufficientFunds", "card_declined", "insufficient_funds"),
        ("pm_card_visa_chargeDeclinedLostCard", "card_declined", "lost_card"),
        ("pm_card_visa_chargeDeclinedStolenCard", "card_declined", "stolen_card"),
        ("pm_card_chargeDeclinedExpiredCard", "expired_card", "expired_card"),
        ("pm_card_chargeDeclinedProcessingError", "processing_error", "processing_error"),
    ],
)
def test_cards_that_cannot_be_attached(shop: Shop, card: str, code: str, decline_code: str) -> None:
    with pytest.raises(stripe.CardError) as declined:
        shop.save(card)

    assert declined.value.http_status == 402
    assert (declined.value.code, said(declined.value)["decline_code"]) == (code, decline_code)


def test_saved_cards_are_listed_until_they_are_detached(shop: Shop) -> None:
    first, second = shop.save(), shop.save("pm_card_mastercard")
    listed = shop.api.payment_methods.list({"customer": shop.customer, "type": "card"}).data
    assert [each.id for each in listed] == [second, first]

    shop.api.payment_methods.detach(first)

    assert [each.id for each in shop.api.payment_methods.list({"customer": shop.customer}).data] == [second]
    with pytest.raises(stripe.InvalidRequestError):
        shop.confirm(shop.intent(), first)
    with pytest.raises(stripe.InvalidRequestError):
        shop.api.payment_methods.attach(first, {"customer": shop.customer})


def test_a_card_pays_for_its_own_customer_only(shop: Shop) -> None:
    stranger = Shop(shop.sandbox)

    with pytest.raises(stripe.InvalidRequestError) as refused:
        shop.confirm(shop.intent(), stranger.save())

    assert refused.value.param == "payment_method"
