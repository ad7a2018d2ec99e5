"""Customers and the cards they saved."""

from __future__ import annotations

from typing import Any, Final

from commcredits.sandbox.stripe.cards import EXPIRES, Answer, Card, test_card
from commcredits.sandbox.stripe.errors import ApiError, missing, wrong
from commcredits.sandbox.stripe.params import PAGE, fields, integer, metadata, one_of, text, unsettable
from commcredits.sandbox.stripe.routes import Route, page, route
from commcredits.sandbox.stripe.state import Object, State

_BILLING: Final = {"address": None, "email": None, "name": None, "phone": None, "tax_id": None}


def create_customer(state: State, params: Object) -> Object:
    customer = state.make(
        "customer",
        {
            "address": None,
            "balance": 0,
            "currency": None,
            "default_source": None,
            "delinquent": False,
            "description": params.get("description"),
            "email": params.get("email"),
            "invoice_prefix": "SANDBOX",
            "invoice_settings": {
                "custom_fields": None, "default_payment_method": None, "footer": None, "rendering_options": None,
            },
            "metadata": params.get("metadata", {}),
            "name": params.get("name"),
            "next_invoice_sequence": 1,
            "phone": params.get("phone"),
            "preferred_locales": params.get("preferred_locales", []),
            "shipping": None,
            "tax_exempt": "none",
            "test_clock": None,
        },
    )  # fmt: skip
    state.emit("customer.created", customer)
    return customer


def update_customer(state: State, params: Object, customer_id: str) -> Object:
    customer = state.get("customer", customer_id)
    customer |= {name: value or None for name, value in params.items() if name not in ("metadata", "expand")}
    update_metadata(customer, params)
    return customer


def update_metadata(subject: Object, params: Object) -> None:
    """Merges what was given; an empty value removes its key."""
    merged = {**subject["metadata"], **params.get("metadata", {})}
    subject["metadata"] = {name: value for name, value in merged.items() if value}


def read_customer(state: State, params: Object, customer_id: str) -> Object:
    return state.get("customer", customer_id)


def delete_customer(state: State, params: Object, customer_id: str) -> Object:
    customer = state.get("customer", customer_id)
    for method in list(state.newest("payment_method")):
        if method["customer"] == customer_id:
            detach(state, {}, method["id"])
    customer["deleted"] = True
    return {"id": customer_id, "object": "customer", "deleted": True}


def list_customers(state: State, params: Object) -> Object:
    return page("/v1/customers", state.newest("customer"), params, email="email")


def make_method(state: State, card: Card, customer: str | None = None) -> Object:
    """A payment method of its own for a test card."""
    checks = {"address_line1_check": None, "address_postal_code_check": None, "cvc_check": "pass"}
    method = state.make(
        "payment_method",
        {
            "allow_redisplay": "unspecified",
            "billing_details": dict(_BILLING),
            "card": {
                "brand": card.brand,
                "checks": checks,
                "country": "US",
                "display_brand": card.brand,
                "exp_month": EXPIRES[0],
                "exp_year": EXPIRES[1],
                "fingerprint": f"sandbox{card.last4}",
                "funding": "credit",
                "generated_from": None,
                "last4": card.last4,
                "networks": {"available": [card.brand], "preferred": None},
                "regulated_status": "unregulated",
                "three_d_secure_usage": {"supported": True},
                "wallet": None,
            },
            "customer": customer,
            "metadata": {},
            "type": "card",
        },
    )
    state.cards[method["id"]] = card
    return method


def usable_method(state: State, method_id: str, param: str = "payment_method") -> Object:
    """The payment method that a parameter names; a test card's name makes one. Raises ApiError 400."""
    card = test_card(method_id)
    if card is not None:
        return make_method(state, card)
    return state.named("payment_method", method_id, param)


def attach(state: State, params: Object, method_id: str) -> Object:
    customer = state.named("customer", params["customer"], "customer")
    card = test_card(method_id)
    method = make_method(state, card) if card else state.get("payment_method", method_id, "payment_method")
    save(state, method, customer["id"])
    return method


def save(state: State, method: Object, customer_id: str) -> None:
    """Attach to the customer. Raises ApiError: 402 where the bank declines, 400 where the method is used up."""
    card = state.cards[method["id"]]
    if method["customer"] == customer_id:
        return
    if method["customer"] is not None:
        raise ApiError(400, "The payment method you provided has already been attached to a customer.")
    if card.used_up:
        raise ApiError(400, _USED_UP, param="payment_method")
    if card.on_attach:
        raise declined(Answer("declined", card.on_attach))
    method["customer"] = customer_id
    state.emit("payment_method.attached", method)


_USED_UP: Final = (
    "The provided PaymentMethod was previously used with a PaymentIntent without Customer attachment, shared with a"
    " connected account without Customer attachment, or was detached from a Customer. It may not be used again. To use"
    " a PaymentMethod multiple times, you must attach it to a Customer first."
)


def declined(answer: Answer, **more: Any) -> ApiError:
    """402, as the bank's answer makes it."""
    return ApiError(
        402, answer.message, "card_error", code=answer.code, decline_code=answer.decline_code,
        advice_code=answer.advice_code or None, **more,
    )  # fmt: skip


def must_pay_for(state: State, method: Object, customer_id: str | None) -> None:
    """Raises ApiError 400 where this method cannot pay for that customer."""
    if state.cards[method["id"]].used_up:
        raise ApiError(400, _USED_UP, param="payment_method")
    if method["customer"] is not None and method["customer"] != customer_id:
        text = "The PaymentMethod belongs to another Customer; include that Customer in the `customer` parameter."
        raise ApiError(400, text, param="payment_method")


def detach(state: State, params: Object, method_id: str) -> Object:
    method = state.get("payment_method", method_id, "payment_method")
    if method["customer"] is None:
        raise ApiError(
            400, "The payment method you provided is not attached to a customer so detachment is impossible."
        )
    before = {"customer": method["customer"]}
    method["customer"], state.cards[method_id].used_up = None, True
    state.emit("payment_method.detached", method, before)
    return method


def read_method(state: State, params: Object, method_id: str) -> Object:
    return state.get("payment_method", method_id, "payment_method")


def update_method(state: State, params: Object, method_id: str) -> Object:
    method = state.get("payment_method", method_id, "payment_method")
    if method["customer"] is None:
        raise ApiError(400, "You must save this PaymentMethod to a customer before you can update it.")
    renew(state, method, params.get("card", {}), "payment_method.updated")
    update_metadata(method, params)
    return method


def renew(state: State, method: Object, details: Object, event: str) -> None:
    """Other details of a card (`exp_month`, `exp_year`, `last4`), by the customer or by the bank."""
    before = {"card": {name: method["card"][name] for name in details}}
    method["card"] |= details
    state.emit(event, method, before)


def list_methods(state: State, params: Object) -> Object:
    if "customer" not in params:
        raise wrong("Missing required param: customer.", "customer", "parameter_missing")
    return page("/v1/payment_methods", state.newest("payment_method"), params, customer="customer", type="type")


def list_of_customer(state: State, params: Object, customer_id: str) -> Object:
    state.get("customer", customer_id)
    path = f"/v1/customers/{customer_id}/payment_methods"
    return page(path, state.newest("payment_method"), {**params, "customer": customer_id}, customer="customer")


def read_of_customer(state: State, params: Object, customer_id: str, method_id: str) -> Object:
    method = state.get("payment_method", method_id, "payment_method")
    if method["customer"] != customer_id:
        raise missing("payment_method", method_id, "payment_method", 404)
    return method


_CUSTOMER: Final = {
    "description": unsettable, "email": unsettable, "name": unsettable, "phone": unsettable, "metadata": metadata,
}  # fmt: skip
_CARD: Final = fields({"exp_month": integer, "exp_year": integer})
_TYPE: Final = one_of("card", "sepa_debit", "us_bank_account", "link")
ROUTES: Final[tuple[Route, ...]] = (
    route("POST", "/v1/customers", create_customer, _CUSTOMER),
    route("GET", "/v1/customers", list_customers, {"email": text, **PAGE}),
    route("GET", "/v1/customers/{}", read_customer),
    route("POST", "/v1/customers/{}", update_customer, _CUSTOMER),
    route("DELETE", "/v1/customers/{}", delete_customer),
    route("GET", "/v1/customers/{}/payment_methods", list_of_customer, {"type": _TYPE, **PAGE}),
    route("GET", "/v1/customers/{}/payment_methods/{}", read_of_customer),
    route("GET", "/v1/payment_methods", list_methods, {"customer": text, "type": _TYPE, **PAGE}),
    route("GET", "/v1/payment_methods/{}", read_method),
    route("POST", "/v1/payment_methods/{}", update_method, {"card": _CARD, "metadata": metadata}),
    route("POST", "/v1/payment_methods/{}/attach", attach, {"customer!": text}),
    route("POST", "/v1/payment_methods/{}/detach", detach),
)
