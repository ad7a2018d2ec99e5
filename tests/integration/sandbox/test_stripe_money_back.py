"""Refunds and disputes at the Stripe sandbox. What is quoted is what Stripe documents."""

from __future__ import annotations

import pytest
import stripe

from tests.support.stripe_calls import Shop, said


def test_a_refund_is_at_most_what_is_left(shop: Shop) -> None:
    """ "A refund names the intent and at most what is left of it"."""
    payment = shop.pay(5000)
    made = shop.api.refunds.create({"payment_intent": payment, "amount": 2000, "metadata": {"refund": "ref-1"}})
    assert (made.status, made.amount, dict(made.to_dict()["metadata"])) == ("succeeded", 2000, {"refund": "ref-1"})

    with pytest.raises(stripe.InvalidRequestError) as refused:
        shop.api.refunds.create({"payment_intent": payment, "amount": 3001})
    assert refused.value.param == "amount"
    assert shop.api.refunds.create({"payment_intent": payment}).amount == 3000
    with pytest.raises(stripe.InvalidRequestError) as nothing_left:
        shop.api.refunds.create({"payment_intent": payment})

    assert nothing_left.value.code == "charge_already_refunded"
    assert shop.control.ledger()[0]["refunded"] == 5000
    assert [each.amount for each in shop.api.refunds.list({"payment_intent": payment}).data] == [3000, 2000]
    assert [each["data"]["object"]["amount_refunded"] for each in shop.events("charge.refunded")] == [2000, 5000]


@pytest.mark.parametrize(("end", "kept"), [("succeeded", 5000), ("failed", 0), ("canceled", 0)])
def test_a_pending_refund_comes_to_an_end_later(shop: Shop, end: str, kept: int) -> None:
    shop.control.refunds_are("pending")
    refund = shop.api.refunds.create({"payment_intent": shop.pay(5000)})
    assert refund.status == "pending"

    shop.control.settle_refund(refund.id, end)

    assert shop.api.refunds.retrieve(refund.id).status == end
    assert shop.control.ledger()[0]["refunded"] == kept
    assert len(shop.events("refund.failed")) == (end == "failed")


def test_it_can_fail_days_after_it_succeeded(shop: Shop) -> None:
    refund = shop.api.refunds.create({"payment_intent": shop.pay(card="pm_card_refundFail")})
    assert shop.api.refunds.retrieve(refund.id).failure_reason == "lost_or_stolen_card"
    assert shop.control.ledger()[0]["refunded"] == 0


def test_what_was_not_paid_is_not_refunded(shop: Shop) -> None:
    with pytest.raises(stripe.InvalidRequestError) as refused:
        shop.api.refunds.create({"payment_intent": shop.intent()})

    assert refused.value.code == "payment_intent_unexpected_state"


def test_a_refund_of_the_dashboard_has_none_of_our_metadata(shop: Shop) -> None:
    payment = shop.pay(5000)

    shop.control.refund(payment, 1000)

    found = shop.api.refunds.list({"payment_intent": payment}).data
    assert [(each.amount, each.to_dict()["metadata"]) for each in found] == [(1000, {})]


@pytest.mark.parametrize(
    ("outcome", "kinds"),
    [
        ("won", ["charge.dispute.closed", "charge.dispute.funds_reinstated"]),
        ("lost", ["charge.dispute.closed"]),
    ],
)
def test_a_dispute_takes_the_money_at_once_and_ends(shop: Shop, outcome: str, kinds: list[str]) -> None:
    """ "`needs_response -> under_review -> won | lost`"."""
    payment = shop.pay(card="pm_card_createDispute")
    dispute = shop.api.disputes.list({"payment_intent": payment}).data[0]
    assert dispute.status == "needs_response"
    opened = ["charge.dispute.created", "charge.dispute.funds_withdrawn"]
    assert [each["type"] for each in shop.events() if ".dispute." in each["type"]] == opened

    shop.control.move_dispute(dispute.id, "under_review")
    shop.control.move_dispute(dispute.id, outcome)

    assert shop.api.disputes.retrieve(dispute.id).status == outcome
    told = [each["type"] for each in shop.events() if ".dispute." in each["type"]]
    assert told == [*opened, "charge.dispute.updated", *kinds]


def test_an_inquiry_moves_no_money(shop: Shop) -> None:
    """ "A `warning_*` status is an inquiry: no money has moved"."""
    dispute = shop.control.open_dispute(shop.pay(), inquiry=True)
    assert shop.api.disputes.retrieve(dispute["id"]).status == "warning_needs_response"
    assert shop.events("charge.dispute.funds_withdrawn") == []

    shop.control.move_dispute(dispute["id"], "needs_response")

    assert len(shop.events("charge.dispute.funds_withdrawn")) == 1


def test_a_disputed_payment_is_not_refunded(shop: Shop) -> None:
    payment = shop.pay()
    shop.control.open_dispute(payment, amount=1000)

    with pytest.raises(stripe.InvalidRequestError) as refused:
        shop.api.refunds.create({"payment_intent": payment})

    assert said(refused.value)["code"] == "charge_disputed"


def test_what_has_ended_does_not_move_again(shop: Shop) -> None:
    dispute = shop.control.open_dispute(shop.pay())
    shop.control.move_dispute(dispute["id"], "lost")

    with pytest.raises(Exception, match="lost does not become won"):
        shop.control.move_dispute(dispute["id"], "won")
