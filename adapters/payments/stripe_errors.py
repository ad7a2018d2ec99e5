"""What the stripe library raises, as the port's errors.

What came of a request is not known after a 5xx, a cut connection, a timeout, a 409 or a 429: ProviderUnavailable. All
else is an answer.
"""

from collections.abc import Mapping
from typing import Any, Final

import stripe

from adapters.payments.declines import decline_of
from application.payments import (
    KEY_REFUSED,
    CardDeclined,
    ProviderError,
    ProviderRefused,
    ProviderUnavailable,
    UnknownAtProvider,
)
from domain.errors import DomainError, Refused

_UNKNOWN: Final = "what came of it is not known, and asking again does nothing twice"
_AMOUNTS = ("amount_too_small", "amount_too_large")
# what was made under a test key is not there for a live one, and the other way round: only Stripe's sentence says so
_OTHER_MODE: Final = ("a similar object exists in live mode", "a similar object exists in test mode")
# nothing is wrong with what was asked for, only with whose key asked
_OF_THE_KEY = frozenset(
    "account_invalid api_key_expired livemode_mismatch platform_api_key_expired secret_key_required "
    "testmode_charges_only".split()
)


def translated(error: stripe.StripeError, host: str, fields: Mapping[str, str]) -> ProviderError | DomainError:
    """The port's error for the library's. `host`: who was asked.

    `fields`: Stripe's parameters that come from an option of ours -> that option; "" is where Stripe names none.
    """
    found = _translated(error, host)
    if isinstance(found, ProviderError) and isinstance(error, stripe.CardError | stripe.InvalidRequestError):
        found.field = fields.get(error.param or "", "")
    return found


def _translated(error: stripe.StripeError, host: str) -> ProviderError | DomainError:
    match error:
        case stripe.CardError():
            return CardDeclined(decline_of(error_object(error)))
        case stripe.APIConnectionError():
            reason = type(error.__cause__ or error).__name__
            return ProviderUnavailable(f"Stripe at {host} does not answer ({reason}); {_UNKNOWN}")
        case stripe.RateLimitError():
            text = (
                f"Stripe at {host} asks for a pause: too many requests, or another one holds the lock; ask again later"
            )
            return ProviderUnavailable(text)
        case stripe.AuthenticationError() | stripe.PermissionError():
            return _key_refused(error)
        case stripe.InvalidRequestError() if error.code in _OF_THE_KEY or is_of_other_mode(error):
            return _key_refused(error)
        case stripe.InvalidRequestError() if error.code in _AMOUNTS:
            return Refused(error.code, f"Stripe does not charge this amount: {error.user_message}", "amount")
        case stripe.InvalidRequestError() if error.code == "resource_missing":
            text = f"Stripe does not know it: {error.user_message}; is it of the Stripe account whose key is set?"
            return UnknownAtProvider(text)
        case stripe.InvalidRequestError() | stripe.IdempotencyError():
            return ProviderRefused(f"Stripe refused the request: {error.user_message}")
        case _:  # a 5xx, a 409, or a success that cannot be read
            return ProviderUnavailable(f"Stripe at {host} answered {error.http_status}; {_UNKNOWN}")


def _key_refused(error: stripe.StripeError) -> ProviderRefused:
    return ProviderRefused(f"Stripe does not accept COMMCREDITS_STRIPE_API_KEY: {error.user_message}", KEY_REFUSED)


def is_of_other_mode(error: stripe.StripeError) -> bool:
    """Whether what was asked for is there, and only a key of the other mode (test, live) may see it."""
    return error.code == "resource_missing" and any(each in (error.user_message or "") for each in _OTHER_MODE)


def error_object(error: stripe.StripeError) -> dict[str, Any]:
    """The `error` of the answer's body; empty where there is none."""
    body = error.json_body
    found = body.get("error") if isinstance(body, dict) else None
    return found if isinstance(found, dict) else {}


def told_again(headers: Mapping[str, str] | None) -> bool:
    """Whether an answer is the first one to its key, told once more."""
    return headers is not None and headers.get("Idempotent-Replayed") == "true"


def is_kept(error: stripe.StripeError) -> bool:
    """Whether this key will never do what is asked for: it keeps a failure, or was used for something else."""
    return isinstance(error, stripe.IdempotencyError) or (has_failed(error) and told_again(error.headers))


def has_failed(error: stripe.StripeError) -> bool:
    """Whether the provider answered that it failed: an answer that it keeps under the key."""
    return error.http_status is not None and error.http_status >= 500
