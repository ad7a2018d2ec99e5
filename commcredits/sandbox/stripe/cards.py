"""The test cards by Stripe's own names, and what a bank may answer.

Quoted from what Stripe documents: `pm_card_visa`, `pm_card_mastercard` pay; some attach and then decline; some cannot
be attached; some ask for 3-D Secure; one pays and is disputed; two refund late or never.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Final, NamedTuple

EXPIRES: Final = (12, 2034)
SUCCEEDED, DECLINED, PROCESSING, AUTHENTICATE = "succeeded", "declined", "processing", "authentication_required"
# decline codes that are the error's code too; all others are `card_declined`
OWN_CODES: Final = frozenset(
    {
        "authentication_required",
        "expired_card",
        "incorrect_cvc",
        "incorrect_number",
        "invalid_number",
        "processing_error",
    }
)
_MESSAGES: Final = {
    "authentication_required": "Your card was declined. This transaction requires authentication.",
    "card_velocity_exceeded": "Your card was declined for making repeated attempts too frequently.",
    "expired_card": "Your card has expired.",
    "incorrect_cvc": "Your card's security code is incorrect.",
    "incorrect_number": "Your card number is incorrect.",
    "insufficient_funds": "Your card has insufficient funds.",
    "processing_error": "An error occurred while processing your card. Try again in a little bit.",
}


class Answer(NamedTuple):
    """What the bank says to a charge: one of the outcomes above; of a decline its codes."""

    outcome: str
    decline_code: str = ""
    advice_code: str = ""

    @property
    def code(self) -> str:
        """The error's code."""
        return self.decline_code if self.decline_code in OWN_CODES else "card_declined"

    @property
    def message(self) -> str:
        """What Stripe says of it."""
        return _MESSAGES.get(self.decline_code, "Your card was declined.")


def answer_of(given: Any) -> Answer:
    """From an outcome, a decline code, or `{"decline_code", "advice_code"}`. ValueError where it is none of them."""
    match given:
        case "succeeded" | "processing" | "authentication_required":
            return Answer(given)
        case str() if given.isidentifier():
            return Answer(DECLINED, given)
        case {"decline_code": str(decline_code), "advice_code": str(advice_code)}:
            return Answer(DECLINED, decline_code, advice_code)
    raise ValueError(f"an answer is succeeded, processing, authentication_required or a decline code, not {given!r}")


@dataclass
class Card:
    """How a card behaves. `authentication`: "", "always" (on every charge), or "setup" (asked at saving; charged
    unattended only then)."""

    brand: str = "visa"
    last4: str = "4242"
    on_attach: str = ""  # the decline code
    on_charge: Answer = Answer(SUCCEEDED)  # noqa: RUF009 - it is immutable
    authentication: str = ""
    disputed: bool = False
    refund: str = ""  # the first status of its refunds, where not the usual one
    saved: bool = False  # through a SetupIntent
    used_up: bool = False  # detached: it cannot come back


_CARDS: Final = {
    "pm_card_visa": Card(),
    "pm_card_mastercard": Card("mastercard", "4444"),
    "pm_card_chargeCustomerFail": Card(last4="0341", on_charge=Answer(DECLINED, "generic_decline")),
    "pm_card_visa_chargeDeclined": Card(last4="0002", on_attach="generic_decline"),
    "pm_card_chargeDeclined": Card(last4="0002", on_attach="generic_decline"),
    "pm_card_visa_chargeDeclinedInsufficientFunds": Card(last4="9995", on_attach="insufficient_funds"),
    "pm_card_visa_chargeDeclinedLostCard": Card(last4="9987", on_attach="lost_card"),
    "pm_card_visa_chargeDeclinedStolenCard": Card(last4="9979", on_attach="stolen_card"),
    "pm_card_chargeDeclinedExpiredCard": Card(last4="0069", on_attach="expired_card"),
    "pm_card_chargeDeclinedProcessingError": Card(last4="0119", on_attach="processing_error"),
    "pm_card_authenticationRequired": Card(last4="3184", authentication="always"),
    "pm_card_authenticationRequiredOnSetup": Card(last4="3155", authentication="setup"),
    "pm_card_createDispute": Card(last4="0259", disputed=True),
    "pm_card_pendingRefund": Card(last4="7726", refund="pending"),
    "pm_card_refundFail": Card(last4="5126", refund="failing"),
}
TEST_CARDS: Final = tuple(_CARDS)


def test_card(name: str) -> Card | None:
    """A card of its own of that name."""
    found = _CARDS.get(name)
    return None if found is None else replace(found)
