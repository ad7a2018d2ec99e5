"""Whatever becomes of an answer on its way, asking again under the same key takes the money once.

payments.md: "an answer that was lost can then always be read by id"; "The first answer is kept with its status, 500s
too"; "the library itself retries twice by default".
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from decimal import Decimal
from typing import TypeVar

import pytest

from adapters.payments.stripe import Stripe
from application.payments import ProviderUnavailable
from commcredits.sandbox.stripe.server import StripeSandbox
from tests.support.provider import ACCOUNT, FIFTY, RECHARGE, Till
from tests.support.waiting import wait_until

TOO_LATE_SECONDS = 0.4
IMPATIENT_SECONDS = 0.15
FAULTS = ("rate_limit", "lock_timeout", "error_before", "error_after", "cut_before", "cut_after", "delay", "late")
_Answer = TypeVar("_Answer")


@pytest.fixture
def hasty(till: Till, stripe_sandbox: StripeSandbox) -> Till:
    """The same customer, to one that does not wait for long."""
    sandbox = stripe_sandbox
    provider = Stripe(sandbox.api_key, sandbox.url, read_seconds=IMPATIENT_SECONDS, retries=0)
    return Till(provider, sandbox, till.customer)


def spoil(till: Till, kind: str, path: str, count: int = 1) -> None:
    till.control.fault(kind, count, path, seconds=TOO_LATE_SECONDS if kind in ("delay", "late") else 0)


def until_known(first: Callable[[], _Answer], again: Callable[[], _Answer]) -> _Answer:
    """Ask hastily, then until there is an answer, as `work` does."""
    answers: list[_Answer] = []

    def is_answered(ask: Callable[[], _Answer]) -> bool:
        with suppress(ProviderUnavailable):
            answers.append(ask())
        return bool(answers)

    if not is_answered(first):
        wait_until(lambda: is_answered(again), 10)
    return answers[0]


@pytest.mark.parametrize("kind", FAULTS)
def test_a_customer_is_named_in_the_end(till: Till, hasty: Till, kind: str) -> None:
    spoil(till, kind, "/v1/customers")

    customer = until_known(
        lambda: hasty.provider.create_customer("fabrikam", "fabrikam:customer:stripe"),
        lambda: till.provider.create_customer("fabrikam", "fabrikam:customer:stripe"),
    )

    assert till.provider.account_of(customer) == "fabrikam"


@pytest.mark.parametrize("kind", FAULTS)
def test_one_payment_is_made_for_a_recharge(till: Till, hasty: Till, kind: str) -> None:
    spoil(till, kind, "/v1/payment_intents")

    payment = until_known(hasty.create, till.create)

    assert till.create() == payment
    found = till.provider.find_payment(till.customer, RECHARGE, 0)
    assert found is not None
    assert found.payment_id == payment
    assert list(till.state.objects["payment_intent"]) == [payment]


@pytest.mark.parametrize("kind", FAULTS)
def test_one_charge_is_made_of_a_try(till: Till, hasty: Till, kind: str) -> None:
    token, payment = till.card(), till.create()
    spoil(till, kind, "/v1/payment_intents/*/confirm")

    paid = until_known(lambda: hasty.confirm(payment, token), lambda: till.confirm(payment, token))

    assert (paid.state, paid.of) == ("succeeded", RECHARGE)
    assert till.confirm(payment, token) == paid
    assert till.charges() == [(payment, 5000)]


@pytest.mark.parametrize("kind", FAULTS)
def test_a_decline_whose_answer_was_lost_is_a_decline(till: Till, hasty: Till, kind: str) -> None:
    token, payment = till.card(), till.create()
    till.control.card_answers(ACCOUNT, [], always="insufficient_funds")
    spoil(till, kind, "/v1/payment_intents/*/confirm")

    tried = until_known(lambda: hasty.confirm(payment, token), lambda: till.confirm(payment, token))

    assert tried.state == "declined"
    assert tried.decline is not None
    assert tried.decline.code == "insufficient_funds"
    assert till.charges() == []


@pytest.mark.parametrize("kind", FAULTS)
def test_a_bank_that_asked_is_asked_no_more_than_once(till: Till, hasty: Till, kind: str) -> None:
    token, payment = till.card("pm_card_authenticationRequired"), till.create()
    spoil(till, kind, "/v1/payment_intents/*/confirm")

    asked = until_known(
        lambda: hasty.confirm(payment, token, present=True), lambda: till.confirm(payment, token, present=True)
    )
    till.control.authenticate(payment)

    assert (asked.state, bool(asked.action_url)) == ("requires_action", True)
    assert till.provider.read_payment(payment).state == "succeeded"
    assert till.charges() == [(payment, 5000)]


@pytest.mark.parametrize("kind", FAULTS)
def test_a_cancelled_payment_is_read_back(till: Till, hasty: Till, kind: str) -> None:
    token, payment = till.card(), till.create()
    spoil(till, kind, "/v1/payment_intents/*/cancel")

    assert (
        until_known(lambda: hasty.provider.cancel(payment, "c"), lambda: till.provider.cancel(payment, "c")).state
        == "canceled"
    )
    assert till.confirm(payment, token).state == "canceled"
    assert till.charges() == []


@pytest.mark.parametrize("kind", FAULTS)
def test_one_refund_goes_back(till: Till, hasty: Till, kind: str) -> None:
    payment = till.pay()
    spoil(till, kind, "/v1/refunds")

    refund = until_known(
        lambda: hasty.provider.refund(payment, Decimal(20), "EUR", "ref-contoso-9", "ref-contoso-9"),
        lambda: till.provider.refund(payment, Decimal(20), "EUR", "ref-contoso-9", "ref-contoso-9"),
    )

    assert refund.amount == 20
    assert [each.refund_id for each in till.provider.refunds_of(payment)] == [refund.refund_id]
    assert till.control.ledger()[0]["refunded"] == 2000


@pytest.mark.parametrize("kind", FAULTS)
def test_one_card_is_saved(till: Till, hasty: Till, kind: str) -> None:
    spoil(till, kind, "/v1/setup_intents")

    token = until_known(hasty.card, till.card)

    assert till.confirm(till.create(), token).state == "succeeded"


def test_a_provider_that_fails_for_long_is_outlasted(till: Till, hasty: Till) -> None:
    token, payment = till.card(), till.create()
    spoil(till, "error_before", "/v1/payment_intents/*/confirm", 7)

    assert until_known(lambda: hasty.confirm(payment, token), lambda: till.confirm(payment, token)).state == "succeeded"
    assert till.charges() == [(payment, 5000)]


def test_a_key_that_stripe_has_forgotten_takes_nothing_twice(till: Till) -> None:
    token, payment = till.card(), till.create()
    spoil(till, "cut_after", "/v1/payment_intents/*/confirm")
    with pytest.raises(ProviderUnavailable):
        till.confirm(payment, token)

    till.control.forget_keys()

    assert till.confirm(payment, token).state == "succeeded"
    assert till.charges() == [(payment, 5000)]


def test_a_key_that_was_used_with_another_address_takes_nothing_twice(till: Till) -> None:
    token, payment = till.card("pm_card_authenticationRequired"), till.create()
    first = till.provider.confirm(payment, token, True, "https://old.example/pay/x", "k")

    again = till.provider.confirm(payment, token, True, "https://new.example/pay/x", "k")
    till.control.authenticate(payment)
    late = till.provider.confirm(payment, token, True, "https://newest.example/pay/x", "k")

    assert (first.state, again.state, late.state) == ("requires_action", "requires_action", "succeeded")
    assert till.charges() == [(payment, 5000)]


def test_the_librarys_own_tries_come_under_one_key(stripe_sandbox: StripeSandbox) -> None:
    till = Till(Stripe(stripe_sandbox.api_key, stripe_sandbox.url), stripe_sandbox)
    token, payment = till.card(), till.create()
    spoil(till, "cut_after", "/v1/payment_intents/*/confirm")

    assert till.confirm(payment, token).state == "succeeded"

    keys = [seen["key"] for seen in till.control.requests() if seen["path"].endswith("/confirm")]
    assert keys == [f"{payment}:confirm:1"] * 2
    assert till.charges() == [(payment, 5000)]


def test_a_provider_that_is_not_there_is_said_so(stripe_sandbox: StripeSandbox) -> None:
    away = Stripe(stripe_sandbox.api_key, "http://127.0.0.1:9", retries=0)

    with pytest.raises(ProviderUnavailable, match="does not answer") as unavailable:
        away.create_payment(ACCOUNT, "cus_1", RECHARGE, FIFTY, "EUR", "k")

    assert unavailable.value.code == "provider_unavailable"
