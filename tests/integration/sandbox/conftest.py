"""A customer at the Stripe sandbox."""

from __future__ import annotations

import pytest

from commcredits.sandbox.stripe.server import StripeSandbox
from tests.support.stripe_calls import Shop


@pytest.fixture
def shop(stripe_sandbox: StripeSandbox) -> Shop:
    return Shop(stripe_sandbox)
