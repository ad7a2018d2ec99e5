"""What the provider refuses for good ends: the recharge is suspended, the purchase has failed, anew it can be tried.

A wrong API key, or one of Stripe's other mode, is no answer about any payment: everything waits for the right one.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from dataclasses import replace

import pytest
from stripe import StripeClient

from application.payments import ProviderEvent, ProviderRefused
from commcredits.bootstrap import Engine
from commcredits.sandbox.stripe.api import LIVE_KEY
from commcredits.sandbox.stripe.server import StripeSandbox
from commcredits.work import work_once
from domain.errors import Refused
from domain.named import recharge_view
from domain.payment_events import PaymentDeclined
from tests.support.shop import PARTS, Shop, money

CONFIRM = "/v1/payment_intents/*/confirm"
WRONG_KEYS = ("sk_live_wrong", LIVE_KEY)


def delete_customer(shop: Shop, sandbox: StripeSandbox) -> None:
    """As somebody does in the provider's dashboard."""
    client = StripeClient(sandbox.api_key, base_addresses={"api": sandbox.url})
    client.v1.customers.delete(shop.account().customers["stripe"])


def decline_of(shop: Shop) -> PaymentDeclined:
    """The only one."""
    [declined] = [event for event in shop.events() if isinstance(event, PaymentDeclined)]
    assert declined.hard
    return declined


def is_at_rest(shop: Shop) -> bool:
    """Nothing is on its way, and nothing more is done however often it is looked at."""
    version = shop.account().version
    tally = shop.finish()
    return not shop.account().payments and shop.account().version == version and not any(tally.done.values())


def test_a_customer_who_is_gone_suspends_the_recharge(shop: Shop, stripe_sandbox: StripeSandbox) -> None:
    shop.open()
    shop.arm()
    delete_customer(shop, stripe_sandbox)

    shop.finish()

    assert shop.happened()[-3:] == ["PaymentDeclined", "RechargeSuspended", "PaymentCancelled"]
    seen = recharge_view(shop.account())
    assert (seen["state"], seen["reason"], seen["failure"]) == ("suspended", "declined", "unknown_at_provider")
    assert "does not know" in decline_of(shop).message
    assert is_at_rest(shop)
    shop.check()


def test_after_a_customer_is_gone_a_card_is_saved_under_a_new_one(shop: Shop, stripe_sandbox: StripeSandbox) -> None:
    gone = shop.open()
    shop.arm()
    delete_customer(shop, stripe_sandbox)
    shop.finish()

    session = shop.engine.paying.add_link(shop.by(), "contoso").rpartition("/")[2]
    _, method = shop.engine.paying.add_card(shop.by(), "contoso", "pm_card_mastercard")
    shop.engine.paying.remove(shop.by(), "contoso", gone)
    shop.engine.administration.resume_recharge(shop.by(), "contoso")
    shop.finish()

    assert shop.happened().count("CustomerCreated") == 2
    customer = shop.control.save_card(session)["customer"]
    assert (shop.account().customers["stripe"], shop.account().methods[method].customer) == (customer, customer)
    assert (shop.account().recharge.state, shop.account().balance) == ("armed", 100)
    shop.check()


def test_an_amount_that_the_provider_does_not_charge_suspends_the_recharge(shop: Shop) -> None:
    shop.open()
    shop.arm(amount="1000000")

    shop.finish()

    assert (shop.account().recharge.state, decline_of(shop).code) == ("suspended", "amount_too_large")
    assert is_at_rest(shop)
    shop.arm(amount="100")
    shop.engine.administration.resume_recharge(shop.by(), "contoso")
    shop.finish()
    assert (shop.account().recharge.state, shop.account().balance) == ("armed", 100)
    shop.check()


@pytest.mark.parametrize(
    "add",
    [
        lambda shop: shop.engine.paying.add_card(shop.by(), "contoso", "pm_card_visa"),
        lambda shop: shop.engine.paying.add_link(shop.by(), "contoso"),
    ],
)
def test_the_provider_is_not_asked_for_an_account_that_is_closed(shop: Shop, add: Callable[[Shop], object]) -> None:
    shop.open()
    shop.engine.administration.close_account(shop.by(), "contoso")
    asked = len(shop.control.requests())

    with pytest.raises(Refused) as refused:
        add(shop)

    assert (refused.value.code, refused.value.field) == ("account_closed", "account")
    assert len(shop.control.requests()) == asked


def test_a_customer_who_is_gone_fails_the_purchase(shop: Shop, stripe_sandbox: StripeSandbox) -> None:
    shop.open()
    delete_customer(shop, stripe_sandbox)

    bought = shop.engine.paying.buy(shop.by(), "contoso", money("50"), key="k")

    assert (bought.state, bought.failure, bought.reachable) == ("failed", "unknown_at_provider", True)
    assert "does not know" in bought.message
    assert shop.engine.paying.buy(shop.by(), "contoso", money("50"), key="k")[1:] == bought[1:]
    assert is_at_rest(shop)
    shop.check()


def test_a_card_that_went_between_two_steps_fails_the_purchase(shop: Shop, stripe_sandbox: StripeSandbox) -> None:
    shop.open()
    shop.control.fault("rate_limit", count=20, path=CONFIRM)
    shop.engine.paying.buy(shop.by(), "contoso", money("50"), key="k")
    shop.control.clear_faults()
    delete_customer(shop, stripe_sandbox)

    shop.finish()

    assert decline_of(shop).code == "card_gone"
    assert shop.engine.paying.buy(shop.by(), "contoso", money("50"), key="k").state == "failed"
    assert is_at_rest(shop)
    shop.check()


def test_a_payment_that_the_provider_does_not_know_any_more_ends(shop: Shop, stripe_sandbox: StripeSandbox) -> None:
    shop.open()
    shop.control.fault("rate_limit", count=20, path=CONFIRM)
    shop.engine.paying.buy(shop.by(), "contoso", money("50"), key="k")
    shop.control.clear_faults()
    stripe_sandbox.state.objects["payment_intent"].clear()

    shop.finish()

    assert decline_of(shop).code == "unknown_at_provider"
    assert shop.happened()[-1] == "PaymentCancelled"
    assert is_at_rest(shop)
    shop.check()


@pytest.mark.parametrize("key", WRONG_KEYS)
@pytest.mark.parametrize("path", ["/v1/payment_intents", CONFIRM])
def test_with_a_wrong_key_everything_waits_for_the_right_one(
    shop: Shop, path: str, key: str, caplog: pytest.LogCaptureFixture
) -> None:
    shop.open()
    shop.control.fault("rate_limit", count=20, path=path)
    shop.engine.paying.buy(shop.by(), "contoso", money("50"), key="k")
    shop.control.clear_faults()
    version = shop.account().version

    with closing(Engine(replace(shop.settings, stripe_api_key=key))) as wrong:
        with pytest.raises(ProviderRefused, match="COMMCREDITS_STRIPE_API_KEY") as refused:
            work_once(wrong, PARTS, None)
        assert refused.value.code == "provider_key_refused"

    [logged] = caplog.messages
    assert "1 account waits (contoso): Stripe does not accept COMMCREDITS_STRIPE_API_KEY: " in logged
    assert "Traceback" not in caplog.text
    assert shop.account().version == version
    shop.finish()
    assert shop.account().balance == 50
    shop.check()


@pytest.mark.parametrize("key", WRONG_KEYS)
@pytest.mark.parametrize("path", ["/v1/payment_intents", CONFIRM, ""])
def test_a_recharge_under_a_wrong_key_is_not_suspended_and_credited_once_under_the_right_one(
    shop: Shop, path: str, key: str
) -> None:
    shop.open()
    shop.arm()
    if path:
        shop.control.fault("rate_limit", count=20, path=path)
        shop.finish()
        shop.control.clear_faults()
    state, version = shop.account().recharge.state, shop.account().version

    with closing(Engine(replace(shop.settings, stripe_api_key=key))) as wrong:
        for _ in range(2):
            with pytest.raises(ProviderRefused, match="COMMCREDITS_STRIPE_API_KEY"):
                work_once(wrong, PARTS, None)

    assert (shop.account().recharge.state, shop.account().version) == (state, version)
    shop.finish()
    assert (shop.account().recharge.state, shop.account().balance) == ("armed", 100)
    assert list(shop.charged().values()) == [100]
    shop.check()


def test_a_key_of_the_other_mode_takes_no_card_away(shop: Shop) -> None:
    method = shop.open()

    with closing(Engine(replace(shop.settings, stripe_api_key=LIVE_KEY))) as wrong:
        with pytest.raises(ProviderRefused, match="test mode"):
            wrong.paying.remove(shop.by(), "contoso", method)
        told = ProviderEvent("evt_1", "method", shop.account().methods[method].token, "contoso", "")
        with pytest.raises(ProviderRefused, match="test mode"):
            wrong.provider_events.take(told)

    assert list(shop.account().methods) == [method]


@pytest.mark.parametrize("key", WRONG_KEYS)
def test_with_a_wrong_key_what_is_bought_or_refunded_is_on_its_way_and_done_once(shop: Shop, key: str) -> None:
    shop.open()
    with closing(Engine(replace(shop.settings, stripe_api_key=key))) as wrong:
        bought = wrong.paying.buy(shop.by(), "contoso", money("50"))
        assert (bought.state, bought.reachable) == ("processing", False)
        assert "COMMCREDITS_STRIPE_API_KEY" in bought.message
        shop.finish()
        [lot] = shop.account().lots
        refunded = wrong.paying.refund(shop.by(), "contoso", lot, money("20"), "k")
        assert (refunded.state, refunded.reachable) == ("processing", False)
        assert "COMMCREDITS_STRIPE_API_KEY" in refunded.message

    shop.finish()
    assert shop.engine.paying.refund(shop.by(), "contoso", lot, money("20"), "k").state == "succeeded"
    shop.check()
