"""Charges: what a bank was asked for, and whether it paid. An intent has one a try, and at most one that paid."""

from __future__ import annotations

from typing import Any, Final

from commcredits.sandbox.stripe.cards import DECLINED, PROCESSING, SUCCEEDED, Answer
from commcredits.sandbox.stripe.params import PAGE, text
from commcredits.sandbox.stripe.routes import Route, page, route
from commcredits.sandbox.stripe.state import Object, State

_STATUS: Final = {SUCCEEDED: "succeeded", DECLINED: "failed", PROCESSING: "pending"}


def make_charge(state: State, intent: Object, method: Object, answer: Answer) -> Object:
    """The charge that a try of the intent made, as the bank answered."""
    paid = answer.outcome == SUCCEEDED
    charge = state.make(
        "charge",
        {
            "amount": intent["amount"],
            "amount_captured": intent["amount"] if paid else 0,
            "amount_refunded": 0,
            "application": None,
            "application_fee": None,
            "application_fee_amount": None,
            "balance_transaction": None,
            "billing_details": method["billing_details"],
            "calculated_statement_descriptor": "SANDBOX",
            "captured": paid,
            "currency": intent["currency"],
            "customer": intent["customer"],
            "description": intent["description"],
            "disputed": False,
            "failure_balance_transaction": None,
            "failure_code": answer.code if answer.outcome == DECLINED else None,
            "failure_message": answer.message if answer.outcome == DECLINED else None,
            "fraud_details": {},
            "metadata": dict(intent["metadata"]),
            "on_behalf_of": None,
            "outcome": outcome_of(answer),
            "paid": paid or answer.outcome == PROCESSING,
            "payment_intent": intent["id"],
            "payment_method": method["id"],
            "payment_method_details": {"card": _card(method), "type": "card"},
            "receipt_email": None,
            "receipt_number": None,
            "receipt_url": None,
            "refunded": False,
            "review": None,
            "shipping": None,
            "source_transfer": None,
            "statement_descriptor": None,
            "statement_descriptor_suffix": None,
            "status": _STATUS[answer.outcome],
            "transfer_data": None,
            "transfer_group": None,
        },
    )
    intent["latest_charge"] = charge["id"]
    if answer.outcome != PROCESSING:
        state.emit("charge.succeeded" if paid else "charge.failed", charge)
    return charge


def outcome_of(answer: Answer) -> Object:
    """What the networks said."""
    declined = answer.outcome == DECLINED
    return {
        "advice_code": answer.advice_code or None,
        "network_advice_code": None,
        "network_decline_code": None,
        "network_status": "declined_by_network" if declined else "approved_by_network",
        "reason": answer.decline_code if declined else None,
        "risk_level": "normal",
        "seller_message": answer.message if declined else "Payment complete.",
        "type": "issuer_declined" if declined else "authorized",
    }


def _card(method: Object) -> dict[str, Any]:
    names = ("brand", "checks", "country", "exp_month", "exp_year", "fingerprint", "funding", "last4", "wallet")
    return {name: method["card"][name] for name in names} | {"network": method["card"]["brand"]}


def paid_charge(state: State, intent: Object) -> Object | None:
    """The charge that paid an intent."""
    charge = state.objects["charge"].get(intent["latest_charge"] or "")
    return charge if charge is not None and charge["status"] == "succeeded" else None


def read_charge(state: State, params: Object, charge_id: str) -> Object:
    return state.get("charge", charge_id)


def list_charges(state: State, params: Object) -> Object:
    return page(
        "/v1/charges", state.newest("charge"), params, customer="customer", payment_intent="payment_intent"
    )  # fmt: skip


ROUTES: Final[tuple[Route, ...]] = (
    route("GET", "/v1/charges", list_charges, {"customer": text, "payment_intent": text, **PAGE}),
    route("GET", "/v1/charges/{}", read_charge),
)
