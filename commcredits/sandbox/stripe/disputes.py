"""Disputes: a bank takes a payment back for now, and says later who was right.

`needs_response -> under_review -> won | lost`; a `warning_…` status is an inquiry, and no money has moved.
"""

from __future__ import annotations

from typing import Final

from commcredits.sandbox.stripe.errors import ApiError, wrong
from commcredits.sandbox.stripe.params import PAGE, text
from commcredits.sandbox.stripe.routes import Route, page, route
from commcredits.sandbox.stripe.state import Object, State

_DAYS_TO_ANSWER: Final = 7
_NEXT: Final = {
    "needs_response": ("under_review", "won", "lost"),
    "under_review": ("won", "lost"),
    "warning_needs_response": ("warning_under_review", "warning_closed", "needs_response"),
    "warning_under_review": ("warning_closed", "needs_response"),
}


def open_dispute(
    state: State, charge: Object, amount: int | None = None, reason: str = "fraudulent", inquiry: bool = False
) -> Object:
    """Of a charge that paid. The money leaves at once, unless it is an inquiry."""
    if charge["status"] != "succeeded" or charge["disputed"]:
        raise ApiError(400, f"Charge {charge['id']} did not pay, or is disputed already.")
    amount = charge["amount"] if amount is None else amount
    if not 0 < amount <= charge["amount"]:
        raise wrong("A dispute is for at most the charge's amount.", "amount")
    dispute = state.make(
        "dispute",
        {
            "amount": amount,
            "balance_transactions": [],
            "charge": charge["id"],
            "currency": charge["currency"],
            "enhanced_eligibility_types": [],
            "evidence": {"enhanced_evidence": {}},
            "evidence_details": {
                "enhanced_eligibility": {},
                "due_by": state.now() + _DAYS_TO_ANSWER * 86_400, "has_evidence": False, "past_due": False,
                "submission_count": 0,
            },
            "is_charge_refundable": inquiry,
            "metadata": {},
            "payment_intent": charge["payment_intent"],
            "reason": reason,
            "status": "warning_needs_response" if inquiry else "needs_response",
        },
    )  # fmt: skip
    charge["disputed"] = True
    state.emit("charge.dispute.created", dispute)
    if not inquiry:
        state.emit("charge.dispute.funds_withdrawn", dispute)
    return dispute


def move_dispute(state: State, dispute: Object, status: str) -> Object:
    """On to its next status. Raises ApiError where it cannot follow the present one."""
    before = dispute["status"]
    if status not in _NEXT.get(before, ()):
        raise wrong(f"A dispute that is {before} does not become {status}.", "status")
    dispute |= {"status": status, "is_charge_refundable": status.startswith("warning_")}
    if status not in ("won", "lost", "warning_closed"):
        state.emit("charge.dispute.updated", dispute, {"status": before})
        if status == "needs_response":
            state.emit("charge.dispute.funds_withdrawn", dispute)
        return dispute
    state.emit("charge.dispute.closed", dispute, {"status": before})
    if status == "won":
        state.emit("charge.dispute.funds_reinstated", dispute)
    return dispute


def read_dispute(state: State, params: Object, dispute_id: str) -> Object:
    return state.get("dispute", dispute_id, "dispute")


def list_disputes(state: State, params: Object) -> Object:
    return page(
        "/v1/disputes", state.newest("dispute"), params, charge="charge", payment_intent="payment_intent"
    )  # fmt: skip


def give_up(state: State, params: Object, dispute_id: str) -> Object:
    return move_dispute(state, state.get("dispute", dispute_id, "dispute"), "lost")


ROUTES: Final[tuple[Route, ...]] = (
    route("GET", "/v1/disputes", list_disputes, {"charge": text, "payment_intent": text, **PAGE}),
    route("GET", "/v1/disputes/{}", read_dispute),
    route("POST", "/v1/disputes/{}/close", give_up),
)
