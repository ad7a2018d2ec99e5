"""Idempotency keys, faults and parameters at the Stripe sandbox. What is quoted is what Stripe documents."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
import stripe

from commcredits.sandbox.stripe.api import LIVE_KEY
from tests.support.stripe_calls import Shop, said
from tests.support.waiting import wait_until

CONFIRM = "/v1/payment_intents/*/confirm"
CREATE = "/v1/payment_intents"


def test_the_first_answer_is_returned_for_the_same_key(shop: Shop) -> None:
    assert shop.intent(key="rch-1:create") == shop.intent(key="rch-1:create") != shop.intent(key="rch-2:create")


def test_a_decline_is_kept_so_that_a_new_try_needs_a_new_key(shop: Shop) -> None:
    payment, card = shop.intent(), shop.save()
    shop.control.card_answers("contoso", ["insufficient_funds"])

    for _ in range(2):
        with pytest.raises(stripe.CardError):
            shop.confirm(payment, card, key="rch-1:confirm:1")

    assert shop.confirm(payment, card, key="rch-1:confirm:2") == "succeeded"


def test_other_parameters_under_a_key_are_an_error(shop: Shop) -> None:
    shop.intent(5000, key="k")

    with pytest.raises(stripe.IdempotencyError) as refused:
        shop.intent(6000, key="k")

    assert refused.value.http_status == 400


@pytest.mark.parametrize(("kind", "payments"), [("error_before", 0), ("error_after", 1)])
def test_500s_are_kept_too(shop: Shop, kind: str, payments: int) -> None:
    payment, card = shop.intent(), shop.save()
    shop.control.fault(kind, path=CONFIRM)

    for _ in range(3):
        with pytest.raises(stripe.APIError) as failed:
            shop.confirm(payment, card, key="k")
        assert failed.value.http_status == 500

    assert len(shop.control.ledger()) == payments
    assert shop.status(payment) == ("succeeded" if payments else "requires_payment_method")


def test_a_request_that_is_refused_as_invalid_is_not_kept(shop: Shop) -> None:
    with pytest.raises(stripe.InvalidRequestError):
        shop.intent(1, key="k")

    assert shop.intent(5000, key="k")


def test_a_key_is_forgotten_after_a_day(shop: Shop) -> None:
    first = shop.intent(key="k")
    shop.control.advance_clock(24 * 3600 - 10)
    assert shop.intent(key="k") == first

    shop.control.advance_clock(20)

    assert shop.intent(key="k") != first


def test_a_key_that_is_still_running_is_in_use(shop: Shop) -> None:
    shop.control.fault("delay", path=CREATE, seconds=30)
    slow = threading.Thread(target=_quietly, args=(lambda: shop.intent(key="k"),))
    slow.start()
    wait_until(lambda: shop.control.faults_left() == 0)

    with pytest.raises(stripe.APIError) as refused:
        shop.intent(key="k")

    assert (refused.value.http_status, said(refused.value)["code"]) == (409, "idempotency_key_in_use")
    shop.sandbox.close()
    slow.join()


@pytest.mark.parametrize("kind", ["rate_limit", "lock_timeout"])
def test_429_asks_for_a_pause_and_keeps_nothing(shop: Shop, kind: str) -> None:
    shop.control.fault(kind, count=2, path=CREATE)

    for _ in range(2):
        with pytest.raises(stripe.RateLimitError) as refused:
            shop.intent(key="k")
        assert said(refused.value)["code"] == kind

    assert shop.intent(key="k")


def test_an_answer_that_was_cut_off_is_asked_for_under_the_old_key(shop: Shop) -> None:
    payment, card = shop.intent(), shop.save()
    shop.control.fault("cut_after", path=CONFIRM)

    with pytest.raises(stripe.APIConnectionError):
        shop.confirm(payment, card, key="k")

    assert shop.confirm(payment, card, key="k") == "succeeded"
    assert len(shop.control.ledger()) == 1


def test_a_connection_that_is_cut_before_the_work_did_nothing(shop: Shop) -> None:
    shop.control.fault("cut_before", path=CREATE)

    with pytest.raises(stripe.APIConnectionError):
        shop.intent(key="k")

    assert shop.sandbox.state.objects["payment_intent"] == {}
    assert shop.intent(key="k")


def test_a_fault_waits_for_its_turn(shop: Shop) -> None:
    shop.control.fault("rate_limit", path=CREATE, skip=1)
    shop.intent()

    with pytest.raises(stripe.RateLimitError):
        shop.intent()

    shop.intent()


def test_every_third_request_may_be_limited(shop: Shop) -> None:
    shop.control.latency(0.001, rate_limit_every=3)

    limited = [_quietly(shop.intent) for _ in range(6)]

    assert [error is not None for error in limited] == [False, False, True, False, False, True]


@pytest.mark.parametrize(
    ("params", "code", "param"),
    [
        ({"currency": "eur"}, "parameter_missing", "amount"),
        ({"amount": 5000, "currency": "eur", "wrong": 1}, "parameter_unknown", "wrong"),
        ({"amount": "5.00", "currency": "eur"}, "parameter_invalid_integer", "amount"),
        ({"amount": 5000, "currency": ""}, "parameter_invalid_empty", "currency"),
        ({"amount": 5000, "currency": "eur", "customer": "cus_none"}, "resource_missing", "customer"),
        ({"amount": 5000, "currency": "eur", "automatic_payment_methods": {"wrong": 1}}, "parameter_unknown",
         "automatic_payment_methods[wrong]"),
        ({"amount": 5000, "currency": "eur", "off_session": True}, None, "off_session"),
    ],
)  # fmt: skip
def test_wrong_parameters_are_refused_by_name(shop: Shop, params: Any, code: str | None, param: str) -> None:
    with pytest.raises(stripe.InvalidRequestError) as refused:
        shop.api.payment_intents.create(params)

    assert (refused.value.http_status, refused.value.code, refused.value.param) == (400, code, param)


def test_what_is_not_there_is_404(shop: Shop) -> None:
    with pytest.raises(stripe.InvalidRequestError) as refused:
        shop.api.payment_intents.retrieve("pi_none")

    assert (refused.value.http_status, refused.value.code) == (404, "resource_missing")


def test_a_key_of_the_real_stripe_is_refused(shop: Shop) -> None:
    live = stripe.StripeClient("sk_live_1", base_addresses={"api": shop.sandbox.url}, max_network_retries=0)

    with pytest.raises(stripe.AuthenticationError):
        live.v1.customers.create({})


def test_what_was_made_in_one_mode_is_not_there_in_the_other(shop: Shop) -> None:
    """ "a similar object exists in live mode, but a test mode key was used to make this request"."""
    live = stripe.StripeClient(LIVE_KEY, base_addresses={"api": shop.sandbox.url}, max_network_retries=0).v1
    made, payment = live.customers.create({}, {"idempotency_key": "k"}), shop.intent(key="k")
    assert (made.livemode, shop.api.payment_intents.retrieve(payment).livemode) == (True, False)
    assert live.customers.retrieve(made.id).id == made.id

    wrong: tuple[tuple[str, str, int, Callable[[], object]], ...] = (
        ("live", "id", 404, lambda: shop.api.customers.retrieve(made.id)),
        ("live", "customer", 400, lambda: shop.api.payment_intents.list({"customer": made.id})),
        ("test", "id", 404, lambda: live.payment_intents.retrieve(payment)),
        ("test", "customer", 400, lambda: live.payment_methods.attach(made.id, {"customer": shop.customer})),
        ("test", "payment_method", 400, lambda: live.setup_intents.create({"payment_method": "pm_card_visa"})),
    )
    for there, param, status, ask in wrong:
        with pytest.raises(stripe.InvalidRequestError, match=f"a similar object exists in {there} mode") as refused:
            ask()
        assert (refused.value.http_status, refused.value.code) == (status, "resource_missing")
        assert refused.value.param == param


def test_redirects_need_a_return_url_unless_only_cards_are_taken(shop: Shop) -> None:
    """An intent for "payment methods enabled in your Dashboard" cannot be confirmed without one."""
    payment = shop.api.payment_intents.create({"amount": 5000, "currency": "eur", "customer": shop.customer}).id

    with pytest.raises(stripe.InvalidRequestError) as refused:
        shop.confirm(payment, shop.save())

    assert refused.value.param == "return_url"


def test_ids_are_expanded_where_it_is_asked_for(shop: Shop) -> None:
    payment = shop.pay()

    found = shop.api.payment_intents.retrieve(payment, {"expand": ["latest_charge", "customer"]})

    assert isinstance(found.latest_charge, stripe.Charge)
    assert isinstance(found.customer, stripe.Customer)
    assert found.latest_charge.paid
    listed = shop.api.payment_intents.list({"customer": shop.customer, "expand": ["data.latest_charge"]})
    assert isinstance(listed.data[0].latest_charge, stripe.Charge)


def _quietly(call: Any) -> Exception | None:
    try:
        call()
    except stripe.StripeError as error:
        return error
    return None
