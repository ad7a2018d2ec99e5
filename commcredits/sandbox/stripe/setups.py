"""Saving a card: SetupIntents, and Checkout Sessions in `mode=setup`, whose page the sandbox serves too."""

from __future__ import annotations

import secrets
from typing import Any, Final

from commcredits.sandbox.stripe.cards import Answer
from commcredits.sandbox.stripe.customers import declined, save, usable_method
from commcredits.sandbox.stripe.errors import ApiError, wrong
from commcredits.sandbox.stripe.params import PAGE, boolean, fields, integer, many, metadata, one_of, text
from commcredits.sandbox.stripe.payments import redirect
from commcredits.sandbox.stripe.routes import Route, page, route
from commcredits.sandbox.stripe.state import Object, State

SESSION_SECONDS: Final = 24 * 3600
_OPEN: Final = ("requires_payment_method", "requires_confirmation", "requires_action")


def create_setup(state: State, params: Object) -> Object:
    if "customer" in params:
        state.named("customer", params["customer"], "customer")
    method = usable_method(state, params["payment_method"]) if "payment_method" in params else None
    setup = state.make("setup_intent", _setup(params, method))
    setup["client_secret"] = f"{setup['id']}_secret_{secrets.token_hex(12)}"
    state.emit("setup_intent.created", setup)
    return confirm_setup(state, params, setup["id"]) if params.get("confirm") else setup


def _setup(params: Object, method: Object | None) -> Object:
    return {
        "application": None,
        "automatic_payment_methods": None,
        "cancellation_reason": None,
        "client_secret": None,
        "customer": params.get("customer"),
        "description": params.get("description"),
        "excluded_payment_method_types": None,
        "flow_directions": None,
        "last_setup_error": None,
        "latest_attempt": None,
        "mandate": None,
        "metadata": params.get("metadata", {}),
        "next_action": None,
        "on_behalf_of": None,
        "payment_method": method and method["id"],
        "payment_method_configuration_details": None,
        "payment_method_options": {
            "card": {"mandate_options": None, "network": None, "request_three_d_secure": "automatic"}
        },
        "payment_method_types": params.get("payment_method_types", ["card"]),
        "single_use_mandate": None,
        "status": "requires_confirmation" if method else "requires_payment_method",
        "usage": params.get("usage", "off_session"),
    }


def confirm_setup(state: State, params: Object, setup_id: str) -> Object:
    setup = state.get("setup_intent", setup_id, "intent")
    if setup["status"] not in _OPEN:
        raise _unexpected(setup, "confirm")
    named = params.get("payment_method") or setup["payment_method"]
    if named is None:
        text = "You cannot confirm this SetupIntent because it's missing a payment method."
        raise ApiError(400, text, code="setup_intent_unexpected_state", setup_intent=setup)
    method = usable_method(state, named)
    card = state.cards[method["id"]]
    if card.on_attach:
        raise _fail(state, setup, Answer("declined", card.on_attach), method)
    setup |= {"payment_method": method["id"], "last_setup_error": None, "next_action": None}
    if card.authentication == "setup":
        setup |= {"status": "requires_action", "next_action": redirect(state, setup, params.get("return_url"))}
        state.emit("setup_intent.requires_action", setup)
        return setup
    return _succeed(state, setup, method)


def _succeed(state: State, setup: Object, method: Object) -> Object:
    if setup["customer"] is not None:
        save(state, method, setup["customer"])
    state.cards[method["id"]].saved = setup["usage"] == "off_session"
    setup |= {"status": "succeeded", "next_action": None}
    state.emit("setup_intent.succeeded", setup)
    return setup


def _fail(state: State, setup: Object, answer: Answer, method: Object) -> ApiError:
    error: dict[str, Any] = {
        "code": answer.code, "decline_code": answer.decline_code, "message": answer.message, "payment_method": method,
        "type": "card_error",
    }  # fmt: skip
    setup |= {
        "status": "requires_payment_method",
        "payment_method": None,
        "last_setup_error": error,
        "next_action": None,
    }
    state.emit("setup_intent.setup_failed", setup)
    return declined(answer, setup_intent=setup, payment_method=method)


def setup_authenticated(state: State, setup: Object, confirmed: bool) -> None:
    """The customer has confirmed with the bank, or could not."""
    if setup["status"] != "requires_action":
        return
    method = state.objects["payment_method"][setup["payment_method"]]
    if confirmed:
        _succeed(state, setup, method)
        return
    setup |= {
        "status": "requires_payment_method",
        "payment_method": None,
        "next_action": None,
        "last_setup_error": {"code": "setup_intent_authentication_failure", "type": "invalid_request_error"},
    }
    state.emit("setup_intent.setup_failed", setup)


def read_setup(state: State, params: Object, setup_id: str) -> Object:
    return state.get("setup_intent", setup_id, "intent")


def list_setups(state: State, params: Object) -> Object:
    return page("/v1/setup_intents", state.newest("setup_intent"), params, customer="customer")


def cancel_setup(state: State, params: Object, setup_id: str) -> Object:
    setup = state.get("setup_intent", setup_id, "intent")
    if setup["status"] not in _OPEN:
        raise _unexpected(setup, "cancel")
    setup |= {"status": "canceled", "next_action": None, "cancellation_reason": params.get("cancellation_reason")}
    state.emit("setup_intent.canceled", setup)
    return setup


def _unexpected(setup: Object, verb: str) -> ApiError:
    text = f"You cannot {verb} this SetupIntent because it has a status of {setup['status']}."
    return ApiError(400, text, code="setup_intent_unexpected_state", setup_intent=setup)


def create_session(state: State, params: Object) -> Object:
    if params["mode"] != "setup":
        raise wrong("The sandbox has Checkout in mode=setup only.", "mode")
    if "payment_method_types" not in params and "currency" not in params:
        text = "`currency` is required in `setup` mode when `payment_method_types` is not set."
        raise wrong(text, "currency", "parameter_missing")
    if "customer" in params:
        state.named("customer", params["customer"], "customer")
    data = {**params.get("setup_intent_data", {}), "usage": "off_session"}
    setup = state.make("setup_intent", _setup({**data, "customer": params.get("customer")}, None))
    session = state.make("checkout.session", _session(params, setup))
    session["expires_at"] = params.get("expires_at", session["created"] + SESSION_SECONDS)
    session["url"] = f"{state.url}/c/pay/{session['id']}"
    return session


def _session(params: Object, setup: Object) -> Object:
    names = (
        "after_expiration", "allow_promotion_codes", "amount_subtotal", "amount_total", "billing_address_collection",
        "consent", "consent_collection", "currency_conversion", "customer_creation", "invoice", "invoice_creation",
        "payment_intent", "payment_link", "payment_method_configuration_details", "recovered_from",
        "shipping_address_collection", "shipping_cost", "submit_type", "subscription", "total_details",
    )  # fmt: skip
    return {
        **dict.fromkeys(names),
        "automatic_tax": {"enabled": False, "liability": None, "provider": None, "status": None},
        "cancel_url": params.get("cancel_url"),
        "client_reference_id": params.get("client_reference_id"),
        "client_secret": None,
        "currency": params.get("currency"),
        "custom_fields": [],
        "custom_text": {
            "after_submit": None, "shipping_address": None, "submit": None, "terms_of_service_acceptance": None,
        },
        "customer": params.get("customer"),
        "customer_details": None,
        "customer_email": None,
        "locale": params.get("locale"),
        "metadata": params.get("metadata", {}),
        "mode": "setup",
        "payment_method_collection": "always",
        "payment_method_options": {},
        "payment_method_types": params.get("payment_method_types", ["card"]),
        "payment_status": "no_payment_required",
        "phone_number_collection": {"enabled": False},
        "setup_intent": setup["id"],
        "shipping_options": [],
        "status": "open",
        "success_url": params.get("success_url"),
        "ui_mode": "hosted_page",
        "url": None,
    }  # fmt: skip


def read_session(state: State, params: Object, session_id: str) -> Object:
    session = state.get("checkout.session", session_id, "session")
    if session["status"] == "open" and session["expires_at"] <= state.now():
        _expire(state, session)
    return session


def list_sessions(state: State, params: Object) -> Object:
    return page("/v1/checkout/sessions", state.newest("checkout.session"), params, customer="customer", status="status")


def expire_session(state: State, params: Object, session_id: str) -> Object:
    session = read_session(state, params, session_id)
    if session["status"] != "open":
        raise ApiError(400, f"Only Checkout Sessions with a status of open can be expired, not {session['status']}.")
    return _expire(state, session)


def _expire(state: State, session: Object) -> Object:
    session |= {"status": "expired", "url": None}
    state.emit("checkout.session.expired", session)
    return session


def choose_card(state: State, session: Object, card: str) -> Object:
    """What the customer does on the page. Answers the SetupIntent; raises ApiError 402 where the bank declines."""
    setup = state.objects["setup_intent"][session["setup_intent"]]
    confirm_setup(state, {"payment_method": card, "return_url": session["url"]}, setup["id"])
    finish_session(state, session)
    return setup


def finish_session(state: State, session: Object) -> None:
    """Once its card is saved."""
    setup = state.objects["setup_intent"][session["setup_intent"]]
    if session["status"] == "open" and setup["status"] == "succeeded":
        session |= {"status": "complete", "url": None}
        state.emit("checkout.session.completed", session)


_SETUP: Final = {
    "customer": text,
    "usage": one_of("off_session", "on_session"),
    "payment_method_types": many(text),
    "payment_method": text,
    "confirm": boolean,
    "return_url": text,
    "description": text,
    "metadata": metadata,
}
_SESSION: Final = {
    "mode!": one_of("setup", "payment", "subscription"),
    "customer": text,
    "currency": text,
    "success_url!": text,
    "cancel_url": text,
    "payment_method_types": many(text),
    "client_reference_id": text,
    "locale": text,
    "metadata": metadata,
    "expires_at": integer,
    "setup_intent_data": fields({"description": text, "metadata": metadata}),
    "ui_mode": one_of("hosted_page"),
}
_REASONS: Final = one_of("abandoned", "requested_by_customer", "duplicate")
_STATUS: Final = one_of("open", "complete", "expired")
ROUTES: Final[tuple[Route, ...]] = (
    route("POST", "/v1/setup_intents", create_setup, _SETUP),
    route("GET", "/v1/setup_intents", list_setups, {"customer": text, **PAGE}),
    route("GET", "/v1/setup_intents/{}", read_setup),
    route("POST", "/v1/setup_intents/{}/confirm", confirm_setup, {"payment_method": text, "return_url": text}),
    route("POST", "/v1/setup_intents/{}/cancel", cancel_setup, {"cancellation_reason": _REASONS}),
    route("POST", "/v1/checkout/sessions", create_session, _SESSION),
    route("GET", "/v1/checkout/sessions", list_sessions, {"customer": text, "status": _STATUS, **PAGE}),
    route("GET", "/v1/checkout/sessions/{}", read_session),
    route("POST", "/v1/checkout/sessions/{}/expire", expire_session),
)
