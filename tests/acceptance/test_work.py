"""`work`, as its user runs it."""

from __future__ import annotations

import pytest

from commcredits import pauses
from commcredits.sandbox.stripe.server import StripeSandbox
from tests.acceptance.conftest import prepare
from tests.support.program import Program

DONE = {"recharges": 0, "purchases": 0, "expiry": 0, "notices": 0, "unreachable": 0}


@pytest.fixture
def shop(program: Program, stripe_sandbox: StripeSandbox) -> Program:
    """Account contoso with 100 EUR and a card, its auto-recharge triggered."""
    program.set("STRIPE_API_KEY", stripe_sandbox.api_key)
    program.set("STRIPE_API_BASE", stripe_sandbox.url)
    prepare(program)
    program("payment-method", "add", "contoso", "--card", "pm_card_visa")
    program("recharge", "set", "contoso", "--amount", "50", "--below", "120")
    return program


def test_what_is_due_is_done_once(shop: Program) -> None:
    first = shop("work", "--once", "--only", "recharges,purchases,expiry")
    assert first == {**DONE, "recharges": 1}
    assert shop("work", "--once", "--only", "recharges") == DONE

    assert shop("balance", "contoso")["balance"] == "150.0000"


def test_the_clock_of_one_run_is_moved(shop: Program, stripe_sandbox: StripeSandbox) -> None:
    stripe_sandbox.control.card_answers("contoso", ["insufficient_funds"])
    shop("work", "--once", "--only", "recharges")
    next_try_at = shop("balance", "contoso")["recharge"]["next_try_at"]

    shop("work", "--once", "--only", "recharges", "--at", next_try_at)

    assert shop("balance", "contoso")["balance"] == "150.0000"


def test_a_provider_that_does_not_answer_is_exit_4(
    shop: Program, stripe_sandbox: StripeSandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pauses, "FIRST_PAUSE_SECONDS", 0.01)
    stripe_sandbox.control.fault("rate_limit", count=100)

    answer = shop.run("work", "--once", "--only", "recharges")

    assert (answer.code, answer.json) == (4, {**DONE, "unreachable": 1})


def test_without_a_provider_what_needs_one_waits(shop: Program) -> None:
    shop.set("STRIPE_API_KEY", "")

    assert shop("work", "--once", "--only", "recharges") == DONE


@pytest.mark.parametrize(
    ("arguments", "field", "says"),
    [
        ("--at 2026-11-22T10:00:00Z", "at", "needs --once"),
        ("--once --at tomorrow", "at", "a date or a time"),
        ("--once --only recharge", "only", "did you mean recharges"),
        ("--once --only", "only", "needs a value"),
    ],
)
def test_wrong_use_says_what_to_do(program: Program, arguments: str, field: str, says: str) -> None:
    error = program.refused(2, "work", *arguments.split())

    assert (error["field"], error["code"]) == (field, "invalid_argument")
    assert says in error["message"]
