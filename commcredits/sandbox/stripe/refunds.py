"""Refunds: at most what is left of a charge. They can fail days later, and then the money is back."""

from __future__ import annotations

from typing import Final

from commcredits.sandbox.stripe.charges import paid_charge
from commcredits.sandbox.stripe.customers import update_metadata
from commcredits.sandbox.stripe.errors import ApiError, wrong
from commcredits.sandbox.stripe.params import PAGE, integer, metadata, one_of, text
from commcredits.sandbox.stripe.routes import Route, page, route
from commcredits.sandbox.stripe.state import Object, State


def create(state: State, params: Object) -> Object:
    charge = _charge(state, params)
    left = charge["amount"] - charge["amount_refunded"]
    if charge["disputed"] and not _refundable(state, charge):
        raise ApiError(
            400, f"Charge {charge['id']} has been charged back; cannot issue a refund.", code="charge_disputed"
        )
    if left == 0:
        text = f"Charge {charge['id']} has already been refunded."
        raise ApiError(400, text, code="charge_already_refunded")
    amount = params.get("amount", left)
    if amount < 1:
        raise wrong("Invalid positive integer", "amount", "parameter_invalid_integer")
    if amount > left:
        text = f"Refund amount ({amount}) is greater than unrefunded amount on charge ({left})"
        raise ApiError(400, text, param="amount")
    card = state.cards[charge["payment_method"]]
    status = {"": state.refund_status, "failing": "succeeded"}.get(card.refund, card.refund)
    refund = state.make(
        "refund",
        {
            "amount": amount,
            "balance_transaction": None,
            "charge": charge["id"],
            "currency": charge["currency"],
            "destination_details": {"card": {"type": "refund"}, "type": "card"},
            "metadata": params.get("metadata", {}),
            "payment_intent": charge["payment_intent"],
            "reason": params.get("reason"),
            "receipt_number": None,
            "source_transfer_reversal": None,
            "status": status,
            "transfer_reversal": None,
        },
    )
    _count(charge, amount)
    state.emit("refund.created", refund)
    state.emit("charge.refunded", charge)
    if card.refund == "failing":
        settle(state, refund, "failed", "lost_or_stolen_card")
    return refund


def _charge(state: State, params: Object) -> Object:
    if "charge" in params:
        charge = state.named("charge", params["charge"], "charge")
        if charge["status"] != "succeeded":
            raise ApiError(400, f"Charge {charge['id']} did not pay; it cannot be refunded.")
        return charge
    if "payment_intent" not in params:
        text = "One of the following params should be provided for this request: payment_intent or charge."
        raise wrong(text, "payment_intent", "parameter_missing")
    intent = state.named("payment_intent", params["payment_intent"], "payment_intent")
    charge_of = paid_charge(state, intent)
    if charge_of is None:
        text = f"This PaymentIntent ({intent['id']}) does not have a successful charge to refund."
        raise ApiError(400, text, code="payment_intent_unexpected_state", payment_intent=intent)
    return charge_of


def _refundable(state: State, charge: Object) -> bool:
    found = [each for each in state.objects["dispute"].values() if each["charge"] == charge["id"]]
    return all(each["status"].startswith("warning_") or each["status"] == "won" for each in found)


def _count(charge: Object, amount: int) -> None:
    charge["amount_refunded"] += amount
    charge["refunded"] = charge["amount_refunded"] == charge["amount"]


def settle(state: State, refund: Object, status: str, reason: str = "unknown") -> Object:
    """A refund's end: `succeeded`, `failed` or `canceled`; one that had succeeded can still fail."""
    before = refund["status"]
    allowed = {"pending": ("succeeded", "failed", "canceled"), "succeeded": ("failed",)}
    if status not in allowed.get(before, ()):
        raise wrong(f"A refund that is {before} does not become {status}.", "status")
    refund["status"] = status
    if status != "succeeded":
        refund["failure_reason"] = reason
        _count(state.objects["charge"][refund["charge"]], -refund["amount"])
    state.emit("refund.updated", refund, {"status": before})
    if status == "failed":
        state.emit("refund.failed", refund)
    return refund


def read(state: State, params: Object, refund_id: str) -> Object:
    return state.get("refund", refund_id, "refund")


def update(state: State, params: Object, refund_id: str) -> Object:
    refund = state.get("refund", refund_id, "refund")
    update_metadata(refund, params)
    return refund


def listing(state: State, params: Object) -> Object:
    return page(
        "/v1/refunds", state.newest("refund"), params, charge="charge", payment_intent="payment_intent"
    )  # fmt: skip


_CREATE: Final = {
    "payment_intent": text,
    "charge": text,
    "amount": integer,
    "reason": one_of("duplicate", "fraudulent", "requested_by_customer"),
    "metadata": metadata,
}
ROUTES: Final[tuple[Route, ...]] = (
    route("POST", "/v1/refunds", create, _CREATE),
    route("GET", "/v1/refunds", listing, {"charge": text, "payment_intent": text, **PAGE}),
    route("GET", "/v1/refunds/{}", read),
    route("POST", "/v1/refunds/{}", update, {"metadata": metadata}),
)
