"""PaymentIntents: `requires_payment_method -> requires_confirmation -> (requires_action) -> (processing) -> succeeded`,
or `canceled`. One succeeds at most once; after a decline it may be confirmed again.
"""

from __future__ import annotations

import secrets
from typing import Any, Final

from commcredits.sandbox.stripe import amounts, disputes
from commcredits.sandbox.stripe.cards import AUTHENTICATE, DECLINED, PROCESSING, SUCCEEDED, Answer
from commcredits.sandbox.stripe.charges import make_charge, outcome_of
from commcredits.sandbox.stripe.customers import declined, must_pay_for, update_metadata, usable_method
from commcredits.sandbox.stripe.errors import ApiError, wrong
from commcredits.sandbox.stripe.params import (
    PAGE,
    boolean,
    fields,
    integer,
    many,
    metadata,
    off_session,
    one_of,
    text,
    unsettable,
)  # fmt: skip
from commcredits.sandbox.stripe.routes import Route, page, route
from commcredits.sandbox.stripe.state import Object, State

CONFIRMABLE: Final = ("requires_payment_method", "requires_confirmation", "requires_action")
_NOT_AUTHENTICATED: Final = (
    "We are unable to authenticate your payment method. Please choose a different payment method and try again."
)


def create(state: State, params: Object) -> Object:
    for needless in ("off_session", "return_url"):
        if needless in params and not params.get("confirm"):
            raise wrong(f"The `{needless}` parameter may only be passed when `confirm` is true.", needless)
    currency = params["currency"].lower()
    amounts.check(params["amount"], currency)
    customer = params.get("customer")
    if customer is not None:
        state.named("customer", customer, "customer")
    method = usable_method(state, params["payment_method"]) if "payment_method" in params else None
    if method is not None:
        must_pay_for(state, method, customer)
    automatic = None
    if "payment_method_types" not in params:
        given = params.get("automatic_payment_methods", {})
        automatic = {"allow_redirects": given.get("allow_redirects", "always"), "enabled": given.get("enabled", True)}
    intent = state.make("payment_intent", _intent(params, currency, method, automatic))
    intent["client_secret"] = f"{intent['id']}_secret_{secrets.token_hex(12)}"
    state.emit("payment_intent.created", intent)
    return confirm(state, params, intent["id"]) if params.get("confirm") else intent


def _intent(params: Object, currency: str, method: Object | None, automatic: Object | None) -> Object:
    return {
        "amount": params["amount"],
        "amount_capturable": 0,
        "amount_details": {"tip": {}},
        "amount_received": 0,
        "application": None,
        "application_fee_amount": None,
        "automatic_payment_methods": automatic,
        "canceled_at": None,
        "cancellation_reason": None,
        "capture_method": "automatic_async",
        "client_secret": None,
        "confirmation_method": "automatic",
        "currency": currency,
        "customer": params.get("customer"),
        "description": params.get("description"),
        "excluded_payment_method_types": None,
        "last_payment_error": None,
        "latest_charge": None,
        "metadata": params.get("metadata", {}),
        "next_action": None,
        "on_behalf_of": None,
        "payment_method": method and method["id"],
        "payment_method_configuration_details": None,
        "payment_method_options": {"card": {"request_three_d_secure": "automatic"}},
        "payment_method_types": params.get("payment_method_types", ["card"]),
        "processing": None,
        "receipt_email": None,
        "review": None,
        "setup_future_usage": params.get("setup_future_usage"),
        "shipping": None,
        "statement_descriptor": params.get("statement_descriptor"),
        "statement_descriptor_suffix": params.get("statement_descriptor_suffix"),
        "status": "requires_confirmation" if method else "requires_payment_method",
        "transfer_data": None,
        "transfer_group": None,
    }


def read(state: State, params: Object, intent_id: str) -> Object:
    return state.get("payment_intent", intent_id, "intent")


def update(state: State, params: Object, intent_id: str) -> Object:
    intent = state.get("payment_intent", intent_id, "intent")
    if intent["status"] not in ("requires_payment_method", "requires_confirmation"):
        raise unexpected(intent, "update")
    update_metadata(intent, params)
    intent |= {name: params[name] for name in ("description",) if name in params}
    return intent


def listing(state: State, params: Object) -> Object:
    return page("/v1/payment_intents", state.newest("payment_intent"), params, customer="customer")


def unexpected(intent: Object, verb: str) -> ApiError:
    """400: what its state does not allow."""
    text = f"You cannot {verb} this PaymentIntent because it has a status of {intent['status']}."
    return ApiError(400, text, code="payment_intent_unexpected_state", payment_intent=intent)


def cancel(state: State, params: Object, intent_id: str) -> Object:
    intent = state.get("payment_intent", intent_id, "intent")
    if intent["status"] not in CONFIRMABLE:
        raise unexpected(intent, "cancel")
    intent |= {
        "status": "canceled",
        "canceled_at": state.now(),
        "cancellation_reason": params.get("cancellation_reason"),
        "next_action": None,
    }
    state.emit("payment_intent.canceled", intent)
    return intent


def confirm(state: State, params: Object, intent_id: str) -> Object:
    intent = state.get("payment_intent", intent_id, "intent")
    if intent["status"] not in CONFIRMABLE:
        raise unexpected(intent, "confirm")
    named = params.get("payment_method") or intent["payment_method"]
    if named is None:
        text = (
            "You cannot confirm this PaymentIntent because it's missing a payment method. Update the PaymentIntent with"
            " a payment method or provide one at confirmation."
        )
        raise ApiError(400, text, code="payment_intent_unexpected_state", payment_intent=intent)
    automatic = intent["automatic_payment_methods"]
    if automatic and automatic["allow_redirects"] == "always" and "return_url" not in params:
        text = (
            "This PaymentIntent is configured to accept payment methods enabled in your Dashboard. Because some of"
            " these payment methods might redirect your customer off of your page, you must provide a `return_url`, or"
            " set `automatic_payment_methods[allow_redirects]` to `never`, or name `payment_method_types`."
        )
        raise ApiError(400, text, param="return_url")
    method = usable_method(state, named)
    must_pay_for(state, method, intent["customer"])
    intent |= {"payment_method": method["id"], "next_action": None, "last_payment_error": None}
    away = params.get("off_session", False) or params.get("error_on_requires_action", False)
    answer = next_answer(state, intent, method)
    if answer.outcome == AUTHENTICATE or _asks_bank(state, method, away):
        if away:
            return conclude(state, intent, method, Answer(DECLINED, AUTHENTICATE))
        return _ask_customer(state, intent, params.get("return_url"), answer)
    return conclude(state, intent, method, answer)


def _asks_bank(state: State, method: Object, away: bool) -> bool:
    card = state.cards[method["id"]]
    return card.authentication == "always" or (card.authentication == "setup" and not (away and card.saved))


def next_answer(state: State, intent: Object, method: Object) -> Answer:
    """What the bank says: what was set for the customer's cards, else what the card always says."""
    customer = intent["customer"] or ""
    if state.answers.get(customer):
        return state.answers[customer].pop(0)
    return state.always.get(customer) or state.cards[method["id"]].on_charge


def _ask_customer(state: State, intent: Object, return_url: str | None, answer: Answer) -> Object:
    """3-D Secure. An answer other than asking is what the bank will say after it."""
    if answer.outcome != AUTHENTICATE:
        state.answers.setdefault(intent["customer"] or "", []).insert(0, answer)
    intent["status"] = "requires_action"
    intent["next_action"] = redirect(state, intent, return_url)
    state.emit("payment_intent.requires_action", intent)
    return intent


def redirect(state: State, intent: Object, return_url: str | None) -> Object:
    """Where the customer confirms with the bank; a link of its own for each try."""
    if return_url is None:
        return {"type": "use_stripe_sdk", "use_stripe_sdk": {"type": "three_d_secure_redirect"}}
    url = f"{state.url}/3ds/{intent['id']}/{secrets.token_hex(12)}"
    return {"type": "redirect_to_url", "redirect_to_url": {"return_url": return_url, "url": url}}


def authenticated(state: State, intent: Object, confirmed: bool) -> None:
    """The customer has confirmed with the bank, or could not. Does nothing to an intent that does not wait for it."""
    if intent["status"] != "requires_action":
        return
    method = state.objects["payment_method"][intent["payment_method"]]
    intent["next_action"] = None
    if not confirmed:
        intent["status"], intent["payment_method"] = "requires_payment_method", None
        intent["last_payment_error"] = {
            "code": "payment_intent_authentication_failure",
            "message": _NOT_AUTHENTICATED,
            "payment_method": method,
            "type": "invalid_request_error",
        }
        state.emit("payment_intent.payment_failed", intent)
        return
    try:
        conclude(state, intent, method, next_answer(state, intent, method))
    except ApiError as error:
        if error.status != 402:
            raise


def conclude(state: State, intent: Object, method: Object, answer: Answer) -> Object:
    """A try's end as the bank answered. Raises ApiError 402 where it declined."""
    if answer.outcome == AUTHENTICATE:
        answer = Answer(SUCCEEDED)
    make_charge(state, intent, method, answer)
    if answer.outcome == DECLINED:
        raise fail(state, intent, method, answer)
    if answer.outcome == PROCESSING:
        intent["status"], intent["processing"] = "processing", {"type": "card"}
        state.emit("payment_intent.processing", intent)
        return intent
    return succeed(state, intent, method)


def succeed(state: State, intent: Object, method: Object) -> Object:
    """The money has come."""
    intent |= {"status": "succeeded", "amount_received": intent["amount"], "processing": None}
    state.emit("payment_intent.succeeded", intent)
    if state.cards[method["id"]].disputed:
        disputes.open_dispute(state, state.objects["charge"][intent["latest_charge"]])
    return intent


def fail(state: State, intent: Object, method: Object, answer: Answer) -> ApiError:
    """The try took nothing; the intent can be confirmed again."""
    error: dict[str, Any] = {
        "charge": intent["latest_charge"],
        "code": answer.code,
        "decline_code": answer.decline_code,
        "message": answer.message,
        "payment_method": method,
        "type": "card_error",
    } | ({"advice_code": answer.advice_code} if answer.advice_code else {})
    intent |= {
        "status": "requires_payment_method",
        "payment_method": None,
        "last_payment_error": error,
        "processing": None,
    }
    state.emit("payment_intent.payment_failed", intent)
    return declined(answer, charge=intent["latest_charge"], payment_intent=intent, payment_method=method)


def settle(state: State, intent: Object, answer: Answer) -> Object:
    """What was processing has come to its end: money, or none."""
    if intent["status"] != "processing":
        raise unexpected(intent, "settle")
    charge = state.objects["charge"][intent["latest_charge"]]
    method = state.objects["payment_method"][intent["payment_method"]]
    charge["outcome"] = outcome_of(answer)
    if answer.outcome == SUCCEEDED:
        charge |= {"status": "succeeded", "captured": True, "amount_captured": charge["amount"]}
        state.emit("charge.succeeded", charge)
        return succeed(state, intent, method)
    charge |= {
        "status": "failed", "paid": False, "failure_code": answer.code, "failure_message": answer.message,
    }  # fmt: skip
    state.emit("charge.failed", charge)
    fail(state, intent, method, answer)
    return intent


_AUTOMATIC: Final = fields({"enabled!": boolean, "allow_redirects": one_of("always", "never")})
_CONFIRM: Final = {
    "payment_method": text,
    "off_session": off_session,
    "return_url": text,
    "setup_future_usage": one_of("off_session", "on_session"),
    "payment_method_types": many(text),
    "error_on_requires_action": boolean,
}
_CREATE: Final = {
    "amount!": integer,
    "currency!": text,
    "customer": text,
    "confirm": boolean,
    "description": unsettable,
    "metadata": metadata,
    "automatic_payment_methods": _AUTOMATIC,
    "capture_method": one_of("automatic", "automatic_async"),
    "confirmation_method": one_of("automatic"),
    "statement_descriptor": text,
    "statement_descriptor_suffix": text,
    **_CONFIRM,
}
_REASONS: Final = one_of("duplicate", "fraudulent", "requested_by_customer", "abandoned")
_PATH: Final = "/v1/payment_intents"
ROUTES: Final[tuple[Route, ...]] = (
    route("POST", _PATH, create, _CREATE),
    route("GET", _PATH, listing, {"customer": text, **PAGE}),
    route("GET", _PATH + "/{}", read, {"client_secret": text}),
    route("POST", _PATH + "/{}", update, {"metadata": metadata, "description": unsettable}),
    route("POST", _PATH + "/{}/confirm", confirm, _CONFIRM),
    route("POST", _PATH + "/{}/cancel", cancel, {"cancellation_reason": _REASONS}),
)
