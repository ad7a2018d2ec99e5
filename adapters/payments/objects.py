"""Stripe's objects, as dictionaries, into the port's answers. Pure."""

from collections.abc import Mapping
from typing import Any, Final

from adapters.payments.declines import asks_for_customer, decline_of
from adapters.payments.minor_units import from_minor
from application.payments import (
    Card,
    Charged,
    DisputeState,
    PaymentState,
    ProviderEvent,
    RefundState,
    Setup,
)
from domain.money import ZERO

Object = Mapping[str, Any]
_SECOND: Final = 1_000_000
_PAYMENT_STATES: Final = {
    "requires_payment_method": "created",
    "requires_confirmation": "created",
    "requires_action": "requires_action",
    "succeeded": "succeeded",
    "canceled": "canceled",
}
_DISPUTE_STATES: Final = {"needs_response": "open", "under_review": "open", "won": "won", "lost": "lost"}
_SETUP_STATES: Final = {"complete": "complete", "expired": "expired"}
_REFUND_STATES: Final = {"succeeded": "succeeded", "failed": "failed", "canceled": "canceled"}
# the first words of an event's type -> its kind, and which field names the object
_EVENT_KINDS: Final = (
    ("payment_intent.", "payment", "id"),
    ("charge.dispute.", "dispute", "id"),
    ("charge.refund", "refund", "payment_intent"),
    ("refund.", "refund", "payment_intent"),
    ("payment_method.", "method", "id"),
    ("checkout.session.", "setup", "id"),
)


def payment_of(intent: Object) -> PaymentState:
    """From a PaymentIntent; `refunded` only where `latest_charge` is expanded."""
    currency = intent["currency"].upper()
    state = _PAYMENT_STATES.get(intent["status"], "processing")
    decline, action_url = None, ""
    if state == "requires_action":
        action_url = ((intent.get("next_action") or {}).get("redirect_to_url") or {}).get("url") or ""
    elif state == "created" and (error := intent.get("last_payment_error")):
        decline = decline_of(error)
        state = "requires_action" if asks_for_customer(error) else "declined"
    charge = _expanded(intent.get("latest_charge"))
    metadata = intent.get("metadata") or {}
    return PaymentState(
        intent["id"],
        state,
        from_minor(intent["amount"], currency),
        currency,
        metadata.get("of", ""),
        metadata.get("account", ""),
        decline,
        action_url,
        from_minor(charge.get("amount_refunded") or 0, currency),
    )


def charged_of(intent: Object) -> Charged:
    """From a PaymentIntent that succeeded, with `latest_charge` expanded; nothing `lost` yet."""
    currency = intent["currency"].upper()
    charge = _expanded(intent.get("latest_charge"))
    metadata = intent.get("metadata") or {}
    return Charged(
        intent["id"],
        metadata.get("of", ""),
        metadata.get("account", ""),
        from_minor(intent["amount_received"], currency),
        currency,
        from_minor(charge.get("amount_refunded") or 0, currency),
        bool(charge.get("disputed")),
        ZERO,
        intent["created"] * _SECOND,
    )


def card_of(method: Object) -> Card:
    """From a PaymentMethod."""
    card = method.get("card") or {}
    expires = (card.get("exp_year") or 0) * 100 + (card.get("exp_month") or 0)
    return Card(method["id"], card.get("brand") or method["type"], card.get("last4") or "", expires)


def setup_of(session: Object) -> Setup:
    """From a Checkout session in mode `setup`, with `setup_intent.payment_method` expanded."""
    method = _expanded(_expanded(session.get("setup_intent")).get("payment_method"))
    state = _SETUP_STATES.get(session["status"], "open")
    return Setup(
        session["id"],
        session.get("url") or "",
        state,
        card_of(method) if state == "complete" and method else None,
        (session.get("metadata") or {}).get("account", ""),
        _id(session.get("customer")),
    )


def refund_of(refund: Object) -> RefundState:
    """From a Refund."""
    return RefundState(
        refund["id"],
        _REFUND_STATES.get(refund["status"], "pending"),
        from_minor(refund["amount"], refund["currency"].upper()),
        _id(refund.get("payment_intent")),
        (refund.get("metadata") or {}).get("of", ""),
        refund.get("failure_reason") or "",
        refund["created"] * _SECOND,
    )


def dispute_of(dispute: Object) -> DisputeState:
    """From a Dispute, with `payment_intent` expanded. One that was prevented or is an inquiry has moved no money."""
    metadata = _expanded(dispute.get("payment_intent")).get("metadata") or {}
    return DisputeState(
        dispute["id"],
        _DISPUTE_STATES.get(dispute["status"], "inquiry"),
        from_minor(dispute["amount"], dispute["currency"].upper()),
        _id(dispute.get("payment_intent")),
        metadata.get("account", ""),
        metadata.get("of", ""),
    )


def event_of(event: Object) -> ProviderEvent:
    """From a webhook's body. KeyError, TypeError or AttributeError where it is none."""
    data = event["data"]
    subject = data["object"]
    for beginning, kind, field in _EVENT_KINDS:
        object_id = _id(subject.get(field))
        if event["type"].startswith(beginning) and object_id:
            account = (subject.get("metadata") or {}).get("account", "")
            customer = _id(subject.get("customer") or (data.get("previous_attributes") or {}).get("customer"))
            return ProviderEvent(event["id"], kind, object_id, account, customer)
    return ProviderEvent(event["id"], "other", "", "", "")


def _id(value: Any) -> str:
    """Of an object that may be expanded, or not be there."""
    return value["id"] if isinstance(value, Mapping) else value or ""


def _expanded(value: Any) -> Object:
    return value if isinstance(value, Mapping) else {}
