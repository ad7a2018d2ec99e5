"""What a customer does on the sandbox's pages: saving a card, confirming with the bank; and `/_control` over HTTP."""

from __future__ import annotations

import json
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlencode, urlsplit

import pytest
import stripe

from commcredits.sandbox.stripe.faults import KINDS
from commcredits.sandbox.stripe.server import StripeSandbox
from tests.support.stripe_calls import Shop

RETURN = "https://credits.example/pay/t"


def fetch(url: str, form: dict[str, str] | None = None) -> tuple[int, str, str]:
    """As a browser does: status, where it leads, body. A form is posted."""
    parts = urlsplit(url)
    connection = HTTPConnection(parts.netloc)
    try:
        connection.request(
            "GET" if form is None else "POST",
            parts.path,
            None if form is None else urlencode(form),
            {"Content-Type": "application/x-www-form-urlencoded"},
        )
        answer = connection.getresponse()
        return answer.status, answer.getheader("Location", ""), answer.read().decode()
    finally:
        connection.close()


def checkout(shop: Shop) -> Any:
    """A Checkout Session that saves a card."""
    return shop.api.checkout.sessions.create(
        {
            "mode": "setup",
            "customer": shop.customer,
            "payment_method_types": ["card"],
            "success_url": RETURN + "?session={CHECKOUT_SESSION_ID}",
            "cancel_url": RETURN + "?cancelled=1",
        }
    )


def ask_bank(shop: Shop) -> tuple[str, str]:
    """A payment that waits for the customer, and the bank's page."""
    payment = shop.intent()
    card = shop.save("pm_card_authenticationRequired")
    assert shop.confirm(payment, card, off_session=False, return_url=RETURN) == "requires_action"
    action = shop.api.payment_intents.retrieve(payment).next_action
    assert action is not None
    assert action.redirect_to_url is not None
    assert action.redirect_to_url.url is not None
    return payment, action.redirect_to_url.url


def test_a_card_is_saved_on_a_page_of_theirs_that_returns_to_ours(shop: Shop) -> None:
    """ "Stripe Checkout in `mode=setup`, a page of theirs that returns to ours"."""
    session = checkout(shop)
    status, _, page = fetch(session.url)
    assert (status, "pm_card_mastercard" in page, "sandbox" in page) == (200, True, True)

    status, location, _ = fetch(session.url, {"card": "pm_card_mastercard"})

    assert (status, location) == (303, f"{RETURN}?session={session.id}")
    done = shop.api.checkout.sessions.retrieve(session.id, {"expand": ["setup_intent.payment_method"]})
    assert done.status == "complete"
    setup: Any = done.setup_intent
    assert (setup.usage, setup.status, setup.payment_method.card.last4) == ("off_session", "succeeded", "4444")
    assert setup.payment_method.customer == shop.customer
    assert [each["data"]["object"]["id"] for each in shop.events("checkout.session.completed")] == [session.id]
    assert fetch(session.url)[:2] == (303, location)  # coming back to it goes on


def test_a_card_that_cannot_be_saved_is_told_on_the_page(shop: Shop) -> None:
    session = checkout(shop)

    status, _, page = fetch(session.url, {"card": "pm_card_visa_chargeDeclinedInsufficientFunds"})

    assert (status, "Your card has insufficient funds." in page) == (402, True)
    assert shop.api.checkout.sessions.retrieve(session.id).status == "open"


def test_the_bank_may_ask_at_saving(shop: Shop) -> None:
    """ "`pm_card_authenticationRequiredOnSetup` asks at saving"; then it pays unattended."""
    session = checkout(shop)

    status, bank, _ = fetch(session.url, {"card": "pm_card_authenticationRequiredOnSetup"})
    assert status == 303
    status, back, _ = fetch(bank, {"action": "complete"})
    assert back.startswith(session.url)
    assert fetch(back)[:2] == (303, f"{RETURN}?session={session.id}")

    card = shop.api.payment_methods.list({"customer": shop.customer}).data[0].id
    assert shop.confirm(shop.intent(), card) == "succeeded"


def test_without_saving_first_that_card_asks_every_time(shop: Shop) -> None:
    with pytest.raises(stripe.CardError) as asked:
        shop.confirm(shop.intent(), shop.save("pm_card_authenticationRequiredOnSetup"))

    assert asked.value.code == "authentication_required"


def test_a_customer_may_turn_back(shop: Shop) -> None:
    session = checkout(shop)
    assert fetch(session.url, {"action": "cancel"})[:2] == (303, RETURN + "?cancelled=1")


def test_a_session_expires(shop: Shop) -> None:
    session = checkout(shop)

    shop.control.advance_clock(24 * 3600)

    assert shop.api.checkout.sessions.retrieve(session.id).status == "expired"
    assert fetch(session.url)[0] == 410


def test_while_the_customer_is_away_the_bank_cannot_ask(shop: Shop) -> None:
    """ "402 `authentication_required` and the intent is back in `requires_payment_method`"."""
    payment = shop.intent()

    with pytest.raises(stripe.CardError) as asked:
        shop.confirm(payment, shop.save("pm_card_authenticationRequired"))

    assert (asked.value.http_status, asked.value.code) == (402, "authentication_required")
    assert shop.status(payment) == "requires_payment_method"


def test_a_customer_who_is_there_confirms_and_pays(shop: Shop) -> None:
    """ "confirmed with `off_session=false` while the customer is there -> `requires_action` with `next_action`"."""
    payment, bank = ask_bank(shop)
    assert fetch(bank)[0] == 200

    status, back, _ = fetch(bank, {"action": "complete"})

    assert (status, shop.status(payment)) == (303, "succeeded")
    assert back.startswith(RETURN)
    assert f"payment_intent={payment}" in back
    assert "redirect_status=succeeded" in back
    assert fetch(bank)[0] == 410
    assert len(shop.control.ledger()) == 1


def test_a_customer_who_fails_pays_nothing(shop: Shop) -> None:
    payment, bank = ask_bank(shop)

    _, back, _ = fetch(bank, {"action": "fail"})

    found = shop.api.payment_intents.retrieve(payment)
    assert "redirect_status=failed" in back
    assert found.status == "requires_payment_method"
    assert found.last_payment_error is not None
    assert found.last_payment_error.code == "payment_intent_authentication_failure"


def test_the_bank_may_decline_after_it_asked(shop: Shop) -> None:
    payment, bank = ask_bank(shop)
    shop.control.card_answers("contoso", ["insufficient_funds"])

    assert fetch(bank, {"action": "complete"})[0] == 303

    assert shop.status(payment) == "requires_payment_method"
    assert shop.control.ledger() == []


def test_a_link_pays_nothing_once_its_payment_was_cancelled(shop: Shop) -> None:
    """ "must cancel it and read it back, or the link to 3-D Secure still pays it later"."""
    payment, bank = ask_bank(shop)
    shop.api.payment_intents.cancel(payment)

    assert fetch(bank, {"action": "complete"})[0] == 410

    assert shop.status(payment) == "canceled"
    assert shop.control.ledger() == []


def test_a_newer_try_has_a_link_of_its_own(shop: Shop) -> None:
    payment, bank = ask_bank(shop)
    card = shop.save("pm_card_authenticationRequired")
    assert shop.confirm(payment, card, off_session=False, return_url=RETURN) == "requires_action"

    assert fetch(bank, {"action": "complete"})[0] == 410

    assert shop.status(payment) == "requires_action"


def test_nothing_is_anywhere_else(shop: Shop) -> None:
    assert fetch(shop.sandbox.url + "/c/pay/cs_none")[0] == 404
    assert fetch(shop.sandbox.url + "/elsewhere")[0] == 404


def control(sandbox: StripeSandbox, method: str, name: str = "", **given: Any) -> tuple[int, Any]:
    """`/_control` over HTTP."""
    connection = HTTPConnection(urlsplit(sandbox.url).netloc)
    try:
        connection.request(method, f"/_control/{name}", json.dumps(given) if given else None)
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read())
    finally:
        connection.close()


def test_the_sandbox_is_told_over_http_too(shop: Shop) -> None:
    status, said = control(shop.sandbox, "POST", "card_answers", customer="contoso", answers=["lost_card"])
    assert (status, said) == (200, {"result": None})
    with pytest.raises(stripe.CardError):
        shop.pay()
    payment = shop.pay()

    status, said = control(shop.sandbox, "GET", "ledger")

    assert status == 200
    assert [line["payment"] for line in said["result"]] == [payment]
    listed = control(shop.sandbox, "GET")[1]
    assert listed["card_answers"]["takes"] == {"customer": "needed", "answers": "needed", "always": None}
    assert "`insufficient_funds`" in listed["card_answers"]["does"]
    assert all(kind in listed["fault"]["does"] for kind in KINDS)


@pytest.mark.parametrize(
    ("method", "name", "given", "status"),
    [
        ("POST", "nothing", {}, 404),
        ("GET", "forget_keys", {}, 405),
        ("POST", "fault", {"kind": "earthquake"}, 400),
        ("POST", "fault", {"wrong": 1}, 400),
        ("POST", "card_answers", {"customer": "nobody", "answers": []}, 400),
        ("POST", "card_answers", {"customer": "contoso", "answers": [7]}, 400),
        ("POST", "settle", {"payment": "pi_none"}, 404),
    ],
)
def test_what_it_cannot_be_told_is_refused(
    shop: Shop, method: str, name: str, given: dict[str, Any], status: int
) -> None:
    assert control(shop.sandbox, method, name, **given)[0] == status
