"""The provider's webhook and the customers' links, against the sandbox."""

from __future__ import annotations

import json
import time
from collections.abc import Callable

import pytest

from commcredits.sandbox.stripe.api import LIVE_KEY
from commcredits.sandbox.stripe.server import StripeSandbox
from commcredits.sandbox.stripe.webhooks import signature
from tests.integration.api.conftest import TOKEN, furnish
from tests.support.serving import Reply, Serving
from tests.support.shop import Shop, money
from tests.support.waiting import wait_until

WEBHOOK = "/providers/stripe/webhook"
EVENT = {
    "id": "evt_nobody", "object": "event", "type": "payment_intent.succeeded",
    "data": {"object": {"id": "pi_nobody", "object": "payment_intent", "customer": None, "metadata": {}}},
}  # fmt: skip


def deliver(serving: Serving, secret: str, body: bytes, age_seconds: int = 0) -> Reply:
    signed = signature(body, [secret], int(time.time()) - age_seconds)
    return serving.post(WEBHOOK, body, Stripe_Signature=signed)


def test_what_the_provider_did_not_just_sign_is_refused(served: Serving, served_secret: str) -> None:
    body = json.dumps(EVENT).encode()

    assert deliver(served, "whsec_wrong", body).error == (400, "bad_signature", None)
    assert deliver(served, served_secret, body, 301).error == (400, "bad_signature", None)
    assert deliver(served, served_secret, b"no event").error == (400, "bad_signature", None)


def test_an_unknown_event_is_taken_and_changes_nothing(
    shop: Shop, serve: Callable[..., Serving], stripe_sandbox: StripeSandbox
) -> None:
    serving = serve()
    before = shop.engine.store.max_position()

    for _ in range(2):
        assert deliver(serving, stripe_sandbox.webhook_secret, json.dumps(EVENT).encode()).status == 200

    wait_until(lambda: "evt_nobody" in serving.process.told(), what="it is looked into")
    assert shop.engine.store.max_position() == before


def test_10_mb_are_too_large(served: Serving) -> None:
    assert served.post(WEBHOOK, b"x" * 10_000_000).error == (413, "too_large", None)


def test_without_a_secret_webhooks_are_not_taken(shop: Shop) -> None:
    furnish(shop)
    serving = Serving(shop, API_TOKEN=TOKEN)

    assert serving.post(WEBHOOK, json.dumps(EVENT).encode()).error == (503, "webhook_secret_missing", None)


def test_the_provider_tells_and_its_state_is_booked_once(
    shop: Shop, serve: Callable[..., Serving], stripe_sandbox: StripeSandbox
) -> None:
    serving = serve()
    shop.open("fabrikam")
    bought = shop.engine.paying.buy(shop.by(), "fabrikam", money("50"))
    assert bought.state == "succeeded"
    stripe_sandbox.control.webhook(serving.url + WEBHOOK)
    stripe_sandbox.control.webhooks(times=2)

    payment = next(line["payment"] for line in stripe_sandbox.control.ledger())
    stripe_sandbox.control.refund(payment, 2000)  # in the provider's own dashboard

    wait_until(lambda: shop.account("fabrikam").balance == money("30"), what="the refund is booked")
    wait_until(lambda: len(stripe_sandbox.control.deliveries()) >= 2, what="all is delivered")
    assert {each["status"] for each in stripe_sandbox.control.deliveries()} == {200}
    assert shop.happened("fabrikam").count("RefundRequested") == 1


@pytest.mark.parametrize(
    ("setting", "value"),
    [("STRIPE_API_BASE", "http://127.0.0.1:9"), ("STRIPE_API_KEY", "sk_live_wrong"), ("STRIPE_API_KEY", LIVE_KEY)],
)
def test_what_the_provider_could_not_be_asked_waits_for_it(
    shop: Shop, serve: Callable[..., Serving], stripe_sandbox: StripeSandbox, setting: str, value: str
) -> None:
    first = serve(**{setting: value})
    shop.open("fabrikam")
    shop.engine.paying.buy(shop.by(), "fabrikam", money("50"))
    stripe_sandbox.control.webhook(first.url + WEBHOOK)
    payment = next(line["payment"] for line in stripe_sandbox.control.ledger())
    stripe_sandbox.control.refund(payment, 2000)
    wait_until(stripe_sandbox.control.deliveries, what="it is delivered")
    assert {each["status"] for each in stripe_sandbox.control.deliveries()} == {200}
    stripe_sandbox.control.webhooks(hold=True)
    wait_until(
        lambda: "evt_" in first.process.told() and " waits: Stripe " in first.process.told(),
        what="it could not be asked for",
    )
    first.process.kill()

    Serving(shop)

    wait_until(lambda: shop.account("fabrikam").balance == money("30"), what="the refund is booked after all")


def test_a_link_leads_to_the_provider_and_back(shop: Shop, serve: Callable[..., Serving]) -> None:
    serving = serve()
    token = shop.engine.links.url("setup", "contoso").rpartition("/")[2]

    on = serving.get(f"/pay/{token}")
    assert (on.status, on.headers["referrer-policy"], on.headers["cache-control"]) == (303, "no-referrer", "no-store")
    session = shop.control.save_card(on.headers["location"].rpartition("/")[2])
    back = serving.get(f"/pay/{token}?back=1&session={session['id']}")

    assert back.status == 200
    assert b"is saved" in back.body
    assert len(shop.account().methods) == 1


def test_a_link_that_is_none_of_ours_is_a_page_that_says_so(served: Serving) -> None:
    reply = served.get("/pay/abc")

    assert (reply.status, reply.headers["content-type"]) == (404, "text/html; charset=utf-8")
    assert b"not one of ours" in reply.body
