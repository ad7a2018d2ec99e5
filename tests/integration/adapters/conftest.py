"""Stripe's adapter, before the sandbox that stands in for Stripe."""

from __future__ import annotations

import pytest

from adapters.payments.stripe import Stripe
from commcredits.sandbox.stripe.server import StripeSandbox
from tests.support.provider import Till


@pytest.fixture
def provider(stripe_sandbox: StripeSandbox) -> Stripe:
    """Without the library's own retries: they sleep."""
    return Stripe(stripe_sandbox.api_key, stripe_sandbox.url, [stripe_sandbox.webhook_secret], retries=0)


@pytest.fixture
def till(provider: Stripe, stripe_sandbox: StripeSandbox) -> Till:
    return Till(provider, stripe_sandbox)
