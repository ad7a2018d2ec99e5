"""A customer at the Stripe sandbox, through the official library, as the program's adapter uses it."""

from __future__ import annotations

from typing import Any

import stripe

from commcredits.sandbox.stripe.server import StripeSandbox

ACCOUNT = "contoso"


def said(error: stripe.StripeError) -> dict[str, Any]:
    """The `error` of an answer that is none of success."""
    body: Any = error.json_body
    shown: dict[str, Any] = body["error"]
    return shown


class Shop:
    """One customer, known by the account's id, and what is asked for it. Amounts in minor units."""

    def __init__(self, sandbox: StripeSandbox) -> None:
        self.sandbox, self.control = sandbox, sandbox.control
        client = stripe.StripeClient(sandbox.api_key, base_addresses={"api": sandbox.url}, max_network_retries=0)
        self.api = client.v1
        self.customer = self.api.customers.create({"metadata": {"account": ACCOUNT}}).id

    def save(self, card: str = "pm_card_visa") -> str:
        """A saved card's id."""
        return self.api.payment_methods.attach(card, {"customer": self.customer}).id

    def intent(self, amount: int = 5000, currency: str = "eur", key: str = "", **metadata: str) -> str:
        """An unconfirmed payment's id."""
        created = self.api.payment_intents.create(
            {
                "amount": amount,
                "currency": currency,
                "customer": self.customer,
                "payment_method_types": ["card"],
                "metadata": metadata,
            },
            {"idempotency_key": key} if key else None,
        )
        return created.id

    def confirm(self, payment: str, method: str, key: str = "", **more: Any) -> str:
        """Unattended, unless `off_session=False` and a `return_url`. Answers the status; a decline raises CardError."""
        given: Any = {"payment_method": method, "off_session": True, **more}
        return self.api.payment_intents.confirm(payment, given, {"idempotency_key": key} if key else None).status

    def pay(self, amount: int = 5000, card: str = "pm_card_visa") -> str:
        """A payment that succeeded."""
        payment = self.intent(amount)
        assert self.confirm(payment, self.save(card)) == "succeeded"
        return payment

    def status(self, payment: str) -> str:
        """As the sandbox says now."""
        return self.api.payment_intents.retrieve(payment).status

    def events(self, *kinds: str) -> list[dict[str, Any]]:
        """The events so far, the oldest first, of these kinds or all."""
        found = self.api.events.list({"limit": 100}).data
        return [event.to_dict() for event in reversed(found) if not kinds or event.type in kinds]
