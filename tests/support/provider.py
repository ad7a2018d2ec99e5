"""A customer at a payment provider, and what the sandbox's own ledger says of their payments."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from adapters.payments.stripe import Stripe
from application.payments import PaymentState
from commcredits.sandbox.stripe.server import StripeSandbox

ACCOUNT: Final = "contoso"
RECHARGE: Final = "rch-contoso-7"
FIFTY: Final = Decimal("50.0000")


class Till:
    """Account contoso with a saved card, at one provider."""

    def __init__(self, provider: Stripe, sandbox: StripeSandbox, customer: str = "") -> None:
        self.provider, self.control, self.state = provider, sandbox.control, sandbox.state
        self.customer = customer or provider.create_customer(ACCOUNT, "contoso:customer:stripe")

    def card(self, name: str = "pm_card_visa") -> str:
        """The token of a card that was saved."""
        return self.provider.attach(self.customer, name, f"contoso:attach:{name}").token

    def create(self, of: str = RECHARGE, amount: Decimal = FIFTY) -> str:
        """The id of a payment that is not confirmed yet."""
        return self.provider.create_payment(ACCOUNT, self.customer, of, amount, "EUR", f"{of}:create").payment_id

    def confirm(self, payment: str, token: str, number: int = 1, *, present: bool = False) -> PaymentState:
        """Try for the money."""
        returns = "https://credits.example/pay/x" if present else ""
        return self.provider.confirm(payment, token, present, returns, f"{payment}:confirm:{number}")

    def pay(self, of: str = RECHARGE, card: str = "pm_card_visa", amount: Decimal = FIFTY) -> str:
        """The id of a payment that succeeded."""
        payment = self.create(of, amount)
        assert self.confirm(payment, self.card(card)).state == "succeeded"
        return payment

    def charges(self) -> list[tuple[str, int]]:
        """What the provider took, in all: payment and amount in minor units."""
        return [(line["payment"], line["amount"]) for line in self.control.ledger()]
