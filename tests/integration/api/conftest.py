"""`serve`, started once for tests that change nothing, and on a store of its own for those that do."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any

import pytest

from application.administration import LicenceRow
from application.deck_import import ImportOptions, import_deck
from commcredits.bootstrap import Engine
from commcredits.sandbox.stripe.server import StripeSandbox
from commcredits.sandbox.stripe.webhooks import new_secret
from domain.commands import By
from tests.support.engine import Rates
from tests.support.given import CREDITS, rate
from tests.support.serving import Serving
from tests.support.shop import Shop

TOKEN = "t0ken-of-the-test"


def furnish(shop: Shop) -> None:
    """Account contoso, 10 EUR, ana with the credits licence; a deck of 6 cents a minute, by the minute."""
    shop.open(card="")
    shop.grant("10")
    import_rate(shop, "0.06")
    license_user(shop.engine, shop.by(), "ana@contoso.com")


def import_rate(shop: Shop, per_minute: str) -> None:
    """A version of the deck `default`."""
    rows: Any = Rates([(1, rate("", per_minute))])
    import_deck(shop.engine.store, shop.by(), rows, ImportOptions("default"))


def license_user(engine: Engine, by: By, user: str) -> None:
    """With the credits licence."""
    engine.administration.assign_licences(by, "contoso", [LicenceRow(user, "MCOPSTNPP", "", None, None, CREDITS)])


@pytest.fixture(scope="module")
def served_secret() -> str:
    """What `served` checks webhooks with."""
    return new_secret()


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory, served_secret: str) -> Iterator[Serving]:
    """With a token, on SQLite. Tests that share it leave the store as it is."""
    folder = tmp_path_factory.mktemp("served")
    with StripeSandbox() as sandbox, closing(Shop(f"sqlite:///{folder / 'c.db'}", sandbox, folder)) as shop:
        furnish(shop)
        yield Serving(shop, API_TOKEN=TOKEN, STRIPE_WEBHOOK_SECRET=served_secret)


@pytest.fixture
def serve(shop: Shop, stripe_sandbox: StripeSandbox) -> Callable[..., Serving]:
    """`serve(SETTING=…)` on the shop's store, which is furnished."""
    furnish(shop)

    def start(*arguments: str, **settings: str) -> Serving:
        return Serving(shop, *arguments, STRIPE_WEBHOOK_SECRET=stripe_sandbox.webhook_secret, **settings)

    return start
