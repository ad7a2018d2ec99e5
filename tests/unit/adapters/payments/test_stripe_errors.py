"""Whose fault a refusal is: of what was asked, or of the key that asked."""

from __future__ import annotations

import pytest
import stripe

from adapters.payments.stripe_errors import translated
from application.payments import ProviderRefused, UnknownAtProvider
from domain.errors import Refused

HOST = "stripe.example"


def _wrong(code: str | None, text: str = "Not so.") -> stripe.StripeError:
    return stripe.InvalidRequestError(text, "param", code, http_status=400)  # type: ignore[no-untyped-call]


def _elsewhere(there: str, used: str) -> stripe.StripeError:
    text = (
        f"No such customer: 'cus_1'; a similar object exists in {there} mode, but a {used} mode key was used to make"
        " this request."
    )
    return _wrong("resource_missing", text)


@pytest.mark.parametrize(
    "error",
    [
        stripe.AuthenticationError("Invalid API Key provided", http_status=401),
        stripe.PermissionError("This key may not do that", http_status=403),
        _wrong("testmode_charges_only"),
        _wrong("livemode_mismatch"),
        _elsewhere("live", "test"),
        _elsewhere("test", "live"),
    ],
)
def test_a_key_that_may_not_ask_says_nothing_of_what_it_asked(error: stripe.StripeError) -> None:
    refused = translated(error, HOST, {})

    assert isinstance(refused, ProviderRefused)
    assert refused.code == "provider_key_refused"
    assert str(refused).startswith("Stripe does not accept COMMCREDITS_STRIPE_API_KEY: ")


@pytest.mark.parametrize(
    ("code", "kind", "told"),
    [
        ("amount_too_large", Refused, "amount_too_large"),
        ("resource_missing", UnknownAtProvider, "unknown_at_provider"),
        ("parameter_unknown", ProviderRefused, "provider_refused"),
        (None, ProviderRefused, "provider_refused"),
    ],
)
def test_what_is_wrong_with_the_request_is_told_by_its_code(code: str | None, kind: type, told: str) -> None:
    refused = translated(_wrong(code), HOST, {})

    assert type(refused) is kind
    assert getattr(refused, "code", "") == told


def test_a_parameter_that_is_an_option_of_ours_is_named_by_it() -> None:
    fields = {"param": "card"}
    named, other = translated(_wrong("resource_missing"), HOST, fields), translated(_wrong(None), HOST, {"": "card"})

    assert (getattr(named, "field", ""), getattr(other, "field", "")) == ("card", "")


@pytest.mark.parametrize(
    "error",
    [
        stripe.APIConnectionError("cut"),  # type: ignore[no-untyped-call]
        stripe.RateLimitError("slow", http_status=429),
        stripe.APIError("failed", http_status=500),
    ],
)
def test_whoever_cannot_be_asked_is_named(error: stripe.StripeError) -> None:
    assert f"Stripe at {HOST} " in str(translated(error, HOST, {}))
