"""Auto-recharge as an admin types it. The sandbox stands in for Stripe."""

from __future__ import annotations

import pytest

from commcredits.sandbox.stripe.server import StripeSandbox
from tests.support.program import Program

SHAPE = {
    "account", "state", "amount", "below", "recharge_id", "reason", "failure", "next_try_at", "action_url", "to",
    "monthly_cap", "capped_until", "method", "every",
}  # fmt: skip


def test_a_recharge_is_set_shown_and_switched_off(contoso: Program) -> None:
    done = contoso("recharge", "set", "contoso", "--amount", "100", "--below", "25", "--monthly-cap", "500")

    assert set(done) == SHAPE
    assert (done["state"], done["amount"], done["below"], done["monthly_cap"], done["to"]) == (
        "armed", "100.0000", "25.0000", "500.0000", None,
    )  # fmt: skip
    assert contoso("recharge", "show", "contoso") == done
    assert contoso("recharge", "off", "contoso")["state"] == "off"


def test_a_target_takes_the_place_of_an_amount(contoso: Program) -> None:
    done = contoso("recharge", "set", "contoso", "--to", "300", "--below", "25")
    assert (done["amount"], done["to"]) == (None, "300.0000")


def test_a_standing_top_up_stands_beside_the_trigger(contoso: Program) -> None:
    contoso("recharge", "set", "contoso", "--amount", "100", "--below", "25")

    done = contoso("recharge", "every", "contoso", "--amount", "200", "--on-day", "15")

    assert (done["state"], done["every"]) == ("armed", {"amount": "200.0000", "on_day": 15})
    only_trigger = contoso("recharge", "off", "contoso", "--every")
    assert (only_trigger["state"], only_trigger["every"]) == ("armed", None)


def test_without_a_method_it_waits_and_says_so(contoso: Program) -> None:
    answer = contoso.run("recharge", "set", "contoso", "--amount", "50", "--below", "200")

    assert (answer.json["state"], answer.json["reason"]) == ("triggered", "awaiting_funds")
    assert "no payment method yet" in answer.err
    done = contoso("funds", "add", "contoso", "150", "--recharge", answer.json["recharge_id"])
    assert done["balance"] == "250.0000"
    assert contoso("recharge", "show", "contoso")["state"] == "armed"


def test_a_debt_larger_than_the_amount_is_said(program: Program) -> None:
    program("account", "open", "contoso", "--currency", "EUR", "--pricing", "as-priced", "--at", "2026-01-01")
    usage = (
        '{"usage_id":"u1","account_id":"contoso","call_type":"user_out","callee":"+386123","charge":"120",'
        '"started_at":"2026-02-01T00:00:00Z","duration_seconds":60}'
    )
    program("ingest", program.write("usage.ndjson", usage))

    answer = program.run("recharge", "set", "contoso", "--amount", "50", "--below", "25")

    assert answer.code == 0
    assert "the debt of 120.0000 is larger than a recharge of 50.0000" in answer.err
    answer = program.run("recharge", "set", "contoso", "--amount", "50", "--below", "25", "--monthly-cap", "49")
    assert answer.code == 0
    assert "the monthly cap of 49.0000 is less than a recharge of 50.0000" in answer.err


@pytest.mark.parametrize(
    ("arguments", "code", "error", "field"),
    [
        ("set contoso --below 25", 2, "invalid_amount", "amount"),
        ("set contoso --amount 100 --to 200 --below 25", 2, "invalid_amount", "to"),
        ("set contoso --amount 100.5 --below 25", 2, "invalid_amount", "amount"),
        ("set contoso --amount 49 --below 25", 5, "below_minimum", "amount"),
        ("set contoso --to 100 --below 125", 5, "trigger_above_target", "below"),
        ("set contoso --amount 100 --below 25 --monthly-cap 0", 2, "invalid_monthly_cap", "monthly_cap"),
        ("set contoso --amount 100 --below 25 --method pm-99", 3, "unknown_method", "method"),
        ("set fabrikam --amount 100 --below 25", 3, "unknown_account", "account"),
        ("set contoso --amount 100 --below 25.00001", 2, "invalid_argument", "below"),
        ("every contoso --amount 100 --on-day 29", 2, "invalid_argument", "on_day"),
        ("every contoso --amount 10 --on-day 1", 5, "below_minimum", "amount"),
        ("every contoso --on-day 1", 2, "missing_argument", "amount"),
        ("resume contoso", 5, "recharge_is_off", "account"),
    ],
)
def test_what_cannot_be_set_is_refused_by_name(
    contoso: Program, arguments: str, code: int, error: str, field: str
) -> None:
    said = contoso.refused(code, "recharge", *arguments.split())
    assert (said["code"], said["field"]) == (error, field)


def test_post_paid_and_auto_recharge_exclude_each_other_in_plain_words(contoso: Program) -> None:
    contoso("recharge", "set", "contoso", "--amount", "100", "--below", "25")
    said = contoso.refused(5, "account", "set", "contoso", "--when-empty", "postpaid")
    assert said["code"] == "recharge_is_on"
    contoso("recharge", "off", "contoso")
    contoso("account", "set", "contoso", "--when-empty", "postpaid")

    said = contoso.refused(5, "recharge", "set", "contoso", "--amount", "100", "--below", "25")

    assert said["code"] == "postpaid_is_on"


def test_what_the_provider_does_not_charge_is_refused_when_it_is_set(program: Program) -> None:
    program.set("STRIPE_API_KEY", "sk_test_1")
    program("account", "open", "contoso", "--currency", "HUF")

    for field, arguments in (
        ("amount", "set contoso --amount 100 --below 25"),
        ("to", "set contoso --to 100 --below 25"),
        ("amount", "every contoso --amount 100 --on-day 1"),
    ):
        said = program.refused(5, "recharge", *arguments.split())
        assert (said["code"], said["field"]) == ("amount_too_small", field)
        assert "175" in said["message"]


def test_a_recharge_that_waits_for_the_customer_shows_our_link(contoso: Program, stripe_sandbox: StripeSandbox) -> None:
    contoso.set("STRIPE_API_KEY", stripe_sandbox.api_key)
    contoso.set("STRIPE_API_BASE", stripe_sandbox.url)
    contoso("payment-method", "add", "contoso", "--card", "pm_card_authenticationRequired")
    contoso("recharge", "set", "contoso", "--amount", "50", "--below", "200")
    contoso("work", "--once")

    shown = contoso("recharge", "show", "contoso")

    assert shown["state"] == "action_required"
    assert shown["action_url"].startswith("http://127.0.0.1:8080/pay/")
    assert {"account": "contoso", **contoso("balance", "contoso")["recharge"]} == shown
    assert {"account": "contoso", **contoso("account", "show", "contoso")["recharge"]} == shown
