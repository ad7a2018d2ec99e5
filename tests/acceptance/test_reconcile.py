"""`reconcile payments`: the provider's ledger against ours, as an auditor types it."""

from __future__ import annotations

import pytest

from commcredits.sandbox.stripe.server import StripeSandbox
from tests.acceptance.conftest import prepare
from tests.support.program import Program


@pytest.fixture
def shop(program: Program, stripe_sandbox: StripeSandbox) -> Program:
    """Account contoso with a card that has paid 80 EUR."""
    program.set("STRIPE_API_KEY", stripe_sandbox.api_key)
    program.set("STRIPE_API_BASE", stripe_sandbox.url)
    prepare(program)
    program("payment-method", "add", "contoso", "--card", "pm_card_visa")
    program("funds", "buy", "contoso", "80", "--key", "order-17")
    return program


def test_ledgers_that_agree_say_so(shop: Program) -> None:
    agreed = {
        "account": "contoso", "from": None, "to": None, "accounts": 1, "payments": 1, "foreign": 0,
        "totals": [{"currency": "EUR", "booked": "80.0000", "taken": "80.0000"}], "differences": [],
    }  # fmt: skip

    assert shop("reconcile", "payments", "contoso") == agreed
    assert shop("reconcile", "payments", "--all") == {**agreed, "account": None}
    empty = shop("reconcile", "payments", "contoso", "--from", "2026-01-01", "--to", "2026-01-02")
    assert (empty["from"], empty["to"], empty["payments"]) == ("2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z", 0)


def test_ledgers_that_differ_are_exit_1(shop: Program, stripe_sandbox: StripeSandbox) -> None:
    payment = stripe_sandbox.control.ledger()[0]["payment"]
    stripe_sandbox.control.refund(payment, 500)

    answer = shop.run("reconcile", "payments", "contoso")

    assert answer.code == 1
    [difference] = answer.json["differences"]
    assert difference["lot"].startswith("lot-")
    assert difference["of"].startswith("pur-contoso-")
    assert {name: difference[name] for name in difference if name not in ("lot", "of")} == {
        "kind": "refunded_differs", "account": "contoso", "payment_id": payment, "ours": "0.0000", "theirs": "5.0000",
        "currency": "EUR",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("options", "code", "error"),
    [
        ("", 2, "missing_argument"),
        ("contoso --all", 2, "missing_argument"),
        ("fabrikam", 3, "unknown_account"),
        ("contoso --from tomorrow", 2, "invalid_argument"),
        ("contoso --from 2026-12-01 --to 2026-11-01", 2, "invalid_to"),
    ],
)
def test_what_cannot_be_compared_is_refused(shop: Program, options: str, code: int, error: str) -> None:
    answer = shop.run("reconcile", "payments", *options.split())

    assert (answer.code, answer.error["code"]) == (code, error)


def test_without_a_provider_there_is_no_ledger(contoso: Program) -> None:
    answer = contoso.run("reconcile", "payments", "contoso")

    assert (answer.code, answer.error["code"]) == (5, "no_provider")


def test_a_provider_that_is_away_is_exit_4(shop: Program) -> None:
    shop.set("STRIPE_API_BASE", "http://127.0.0.1:9")

    answer = shop.run("reconcile", "payments", "contoso")

    assert (answer.code, answer.error["code"]) == (4, "provider_unavailable")
