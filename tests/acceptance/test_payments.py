"""Money in, as an admin types it: payment methods, one-time top-ups, refunds. The sandbox stands in for Stripe."""

from __future__ import annotations

from http.client import HTTPConnection
from urllib.parse import urlencode, urlsplit

import pytest

from commcredits.sandbox.stripe.api import LIVE_KEY
from commcredits.sandbox.stripe.server import StripeSandbox
from tests.acceptance.conftest import prepare
from tests.support.program import Program

NOWHERE = "http://127.0.0.1:1"


@pytest.fixture
def shop(program: Program, stripe_sandbox: StripeSandbox) -> Program:
    """Account contoso with 100 EUR; cards through the sandbox."""
    program.set("STRIPE_API_KEY", stripe_sandbox.api_key)
    program.set("STRIPE_API_BASE", stripe_sandbox.url)
    return prepare(program)


def test_a_card_is_added_listed_chosen_and_removed(shop: Program) -> None:
    visa = shop("payment-method", "add", "contoso", "--card", "pm_card_visa")
    assert visa == {
        "account": "contoso", "method": visa["method"], "kind": "card", "provider": "stripe", "brand": "visa",
        "last4": "4242", "expires": "2034-12", "agreement": None, "purchase_order": None, "default": True,
    }  # fmt: skip
    invoice = shop("payment-method", "add", "contoso", "--invoice", "EA-4711", "--po", "PO-9")
    assert (invoice["kind"], invoice["agreement"], invoice["purchase_order"]) == ("invoice", "EA-4711", "PO-9")
    assert [each["default"] for each in shop("payment-method", "list", "contoso")] == [True, False]

    assert shop("payment-method", "default", "contoso", invoice["method"])["default"] is True
    removed = shop("payment-method", "remove", "contoso", visa["method"])

    assert removed == {"account": "contoso", "method": visa["method"], "default": invoice["method"]}
    assert shop("payment-method", "list", "contoso") == [{**invoice, "default": True}]


def test_a_card_is_saved_on_the_providers_page(shop: Program, stripe_sandbox: StripeSandbox) -> None:
    link = shop("payment-method", "add", "contoso", "--link")["link"]
    assert link.startswith(stripe_sandbox.url)
    connection = HTTPConnection(urlsplit(link).netloc)
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    connection.request("POST", urlsplit(link).path, urlencode({"card": "pm_card_visa"}), form)
    answer = connection.getresponse()
    connection.close()

    assert answer.status == 303
    assert str(answer.getheader("Location")).startswith("http://127.0.0.1:8080/pay/")


@pytest.mark.parametrize(
    ("options", "code", "error", "field"),
    [
        ("", 2, "conflicting_options", None),
        ("--link --card pm_card_visa", 2, "conflicting_options", None),
        ("--card pm_card_visa --po PO-9", 2, "conflicting_options", "po"),
        ("--card pm_card_visa_chargeDeclinedLostCard", 5, "card_declined", "card"),
        ("--card pm_card_authenticationRequiredOnSetup", 5, "authentication_required", "card"),
        ("--card pm_none", 3, "unknown_at_provider", "card"),
        ("--card cus_1", 3, "unknown_at_provider", "card"),
        ("--card 4242424242424242", 2, "invalid_argument", "card"),
    ],
)
def test_a_method_that_cannot_be_added(shop: Program, options: str, code: int, error: str, field: str | None) -> None:
    said = shop.refused(code, "payment-method", "add", "contoso", *options.split())
    assert (said["code"], said["field"]) == (error, field)
    assert "lost" not in said["message"]
    assert "4242" not in said["message"]


def test_who_answered_is_the_source_and_no_key_is_told(shop: Program, stripe_sandbox: StripeSandbox) -> None:
    known = {"kind": "provider", "name": "stripe", "host": urlsplit(stripe_sandbox.url).netloc}
    add = ("payment-method", "add", "contoso", "--card", "pm_none")
    assert shop.refused(3, *add)["source"] == known

    shop.set("STRIPE_API_KEY", "sk_live_wrong")
    wrong = shop.refused(5, *add)
    assert (wrong["code"], wrong["field"], wrong["source"]) == ("provider_key_refused", None, known)
    assert "sk_live_wrong" not in wrong["message"]

    shop.set("STRIPE_API_BASE", NOWHERE)
    away = shop.refused(4, *add)
    assert (away["code"], away["field"]) == ("provider_unavailable", None)
    assert away["source"] == {"kind": "provider", "name": "stripe", "host": "127.0.0.1:1"}
    assert "Stripe at 127.0.0.1:1 does not answer" in away["message"]
    assert "asking again does nothing twice" in away["message"]


def test_a_card_of_the_other_mode_is_named(shop: Program) -> None:
    shop.set("STRIPE_API_KEY", LIVE_KEY)

    said = shop.refused(5, "payment-method", "add", "contoso", "--card", "pm_card_visa")

    assert (said["code"], said["field"]) == ("provider_key_refused", "card")
    assert "a live mode key was used" in said["message"]


def test_without_a_provider_only_invoices_can_be_added(program: Program) -> None:
    prepare(program)
    assert program.refused(5, "payment-method", "add", "contoso", "--card", "pm_card_visa")["code"] == "no_provider"
    assert program("payment-method", "add", "contoso", "--invoice", "EA-4711")["default"] is True


def test_credit_is_bought_now(shop: Program, stripe_sandbox: StripeSandbox) -> None:
    shop("payment-method", "add", "contoso", "--card", "pm_card_visa")

    bought = shop("funds", "buy", "contoso", "60", "--key", "order-17")

    assert bought == {
        "account": "contoso", "purchase": bought["purchase"], "state": "succeeded", "amount": "60.0000",
        "balance": "160.0000", "action_url": None, "failure": None,
    }  # fmt: skip
    assert shop("balance", "contoso")["balance"] == "160.0000"
    assert [(line["amount"], line["currency"]) for line in stripe_sandbox.control.ledger()] == [(6000, "eur")]


def test_the_same_key_never_buys_twice(shop: Program, stripe_sandbox: StripeSandbox) -> None:
    shop("payment-method", "add", "contoso", "--card", "pm_card_visa")
    first = shop("funds", "buy", "contoso", "60", "--key", "order-17")

    assert shop("funds", "buy", "contoso", "60", "--key", "order-17") == first
    said = shop.refused(5, "funds", "buy", "contoso", "70", "--key", "order-17")

    assert (said["code"], said["field"]) == ("key_conflict", "key")
    assert len(stripe_sandbox.control.ledger()) == 1


def test_a_decline_is_known_at_once(shop: Program, stripe_sandbox: StripeSandbox) -> None:
    shop("payment-method", "add", "contoso", "--card", "pm_card_visa")
    stripe_sandbox.control.card_answers("contoso", ["insufficient_funds", "lost_card"])

    poor = shop.run("funds", "buy", "contoso", "60")
    lost = shop.run("funds", "buy", "contoso", "60")

    assert (poor.code, poor.json["state"], poor.json["failure"]) == (1, "failed", "insufficient_funds")
    assert poor.json["balance"] == "100.0000"
    assert (lost.code, lost.json["state"]) == (1, "failed")
    assert "lost" not in lost.err  # only that the bank declined
    assert stripe_sandbox.control.ledger() == []


def test_the_bank_may_ask_the_customer_who_is_there(shop: Program) -> None:
    shop("payment-method", "add", "contoso", "--card", "pm_card_authenticationRequired")

    asked = shop("funds", "buy", "contoso", "60")

    assert asked["state"] == "requires_action"
    assert asked["action_url"].startswith("http://127.0.0.1:8080/pay/")
    assert asked["balance"] == "100.0000"


def test_what_the_bank_takes_its_time_for_is_processing(shop: Program, stripe_sandbox: StripeSandbox) -> None:
    shop("payment-method", "add", "contoso", "--card", "pm_card_visa")
    stripe_sandbox.control.card_answers("contoso", ["processing"])
    assert shop("funds", "buy", "contoso", "60")["state"] == "processing"


def test_a_provider_that_is_away_leaves_it_to_work(shop: Program, stripe_sandbox: StripeSandbox) -> None:
    shop("payment-method", "add", "contoso", "--card", "pm_card_visa")
    shop.set("STRIPE_API_BASE", NOWHERE)

    answer = shop.run("funds", "buy", "contoso", "60", "--key", "order-17")

    assert (answer.code, answer.json["state"]) == (4, "processing")
    assert "work" in answer.err
    shop.set("STRIPE_API_BASE", stripe_sandbox.url)
    assert shop("funds", "buy", "contoso", "60", "--key", "order-17")["state"] == "succeeded"
    assert len(stripe_sandbox.control.ledger()) == 1


@pytest.mark.parametrize(
    ("arguments", "code", "error", "field", "words"),
    [
        ("contoso 60.5", 2, "invalid_amount", "amount", "whole currency units, not 60.5"),
        ("contoso 60.55555", 2, "invalid_argument", "amount", "more decimals"),
        ("contoso -- -60", 2, "invalid_argument", "amount", "digits and one point"),
        ("contoso 60EUR", 2, "invalid_argument", "amount", "digits and one point"),
        ("contoso 0", 2, "invalid_amount", "amount", "more than 0"),
        ("contoso 49", 5, "below_minimum", "amount", "at least 50"),
        ("contoso 1000000", 5, "amount_too_large", "amount", "the largest payment by card is 999999.99 EUR"),
        ("contoso 60 --method pm-99", 3, "unknown_method", "method", "`payment-method list contoso`"),
        ("fabrikam 60", 3, "unknown_account", "account", "no account fabrikam"),
    ],
)
def test_what_cannot_be_bought_is_refused_in_words(
    shop: Program, arguments: str, code: int, error: str, field: str, words: str
) -> None:
    shop("payment-method", "add", "contoso", "--card", "pm_card_visa")
    said = shop.refused(code, "funds", "buy", *arguments.split())
    assert (said["code"], said["field"]) == (error, field)
    assert words in said["message"]


def test_without_a_method_nothing_is_bought(shop: Program) -> None:
    said = shop.refused(5, "funds", "buy", "contoso", "60")
    assert said["code"] == "no_payment_method"
    assert "payment-method add" in said["message"]


def test_an_invoice_is_booked_when_its_money_came(shop: Program) -> None:
    shop("payment-method", "add", "contoso", "--invoice", "EA-4711")
    open_one = shop("funds", "buy", "contoso", "60")
    assert open_one["state"] == "processing"

    came = shop("funds", "add", "contoso", "60", "--purchase", open_one["purchase"], "--reference", "wire-1")

    assert came["balance"] == "160.0000"
    again = shop.refused(3, "funds", "add", "contoso", "60", "--purchase", open_one["purchase"])
    assert (again["code"], again["field"]) == ("purchase_not_open", "purchase")


def test_what_is_unspent_goes_back(shop: Program, stripe_sandbox: StripeSandbox) -> None:
    shop("payment-method", "add", "contoso", "--card", "pm_card_visa")
    shop("funds", "buy", "contoso", "60")
    lot = shop("balance", "contoso")["lots"][-1]["id"]

    part = shop("funds", "refund", "contoso", lot, "--amount", "20", "--key", "back-1", "--reason", "too much")

    assert part == {
        "account": "contoso", "refund": part["refund"], "lot": lot, "state": "succeeded", "amount": "20.0000",
        "balance": "140.0000", "failure": None,
    }  # fmt: skip
    again = shop("funds", "refund", "contoso", lot, "--amount", "20", "--key", "back-1", "--reason", "too much")
    assert again == part
    assert shop("funds", "refund", "contoso", lot, "--reason", "all of it")["amount"] == "40.0000"
    assert [line["refunded"] for line in stripe_sandbox.control.ledger()] == [6000]


def test_after_calls_only_what_the_provider_can_give_back_goes_back(
    shop: Program, stripe_sandbox: StripeSandbox
) -> None:
    shop("payment-method", "add", "contoso", "--card", "pm_card_visa")
    shop("funds", "buy", "contoso", "60")
    lot = shop("balance", "contoso")["lots"][-1]["id"]
    usage = (
        '{"usage_id":"u1","account_id":"contoso","call_type":"user_out","callee":"+38641234567",'
        '"started_at":"2026-11-24T00:00:00Z","duration_seconds":600001}'
    )
    shop("ingest", shop.write("usage.ndjson", usage))  # 100.0002: all of the first lot, and of this one 0.0002
    said = shop.refused(2, "funds", "refund", "contoso", lot, "--amount", "20.0012", "--reason", "R")
    assert (said["code"], said["field"]) == ("invalid_amount", "amount")

    back = shop("funds", "refund", "contoso", lot, "--reason", "too much")

    assert (back["state"], back["amount"], back["balance"]) == ("succeeded", "59.9900", "0.0098")
    assert [line["refunded"] for line in stripe_sandbox.control.ledger()] == [5999]
    said = shop.refused(5, "funds", "refund", "contoso", lot, "--reason", "the rest")
    assert said["code"] == "nothing_unspent"


@pytest.mark.parametrize(
    ("arguments", "code", "error", "field", "words"),
    [
        ("lot-2 --reason R", 5, "no_provider_payment", "lot", "the way it came"),
        ("lot-99 --reason R", 3, "unknown_lot", "lot", "`balance contoso`"),
        ("LOT --reason R --amount 61", 5, "more_than_unspent", "amount", "60"),
        ("LOT --reason R --amount 0", 2, "invalid_amount", "amount", "more than 0"),
        ("LOT", 2, "missing_argument", "reason", "--reason missing"),
    ],
)
def test_what_cannot_be_refunded_is_refused_in_words(
    shop: Program, arguments: str, code: int, error: str, field: str, words: str
) -> None:
    shop("payment-method", "add", "contoso", "--card", "pm_card_visa")
    shop("funds", "buy", "contoso", "60")
    lot = shop("balance", "contoso")["lots"][-1]["id"]
    said = shop.refused(code, "funds", "refund", "contoso", *arguments.replace("LOT", lot).split())
    assert (said["code"], said["field"]) == (error, field)
    assert words in said["message"]


def test_a_refund_that_fails_is_told_and_its_money_is_there_again(shop: Program) -> None:
    shop("payment-method", "add", "contoso", "--card", "pm_card_refundFail")
    shop("funds", "buy", "contoso", "60")
    lot = shop("balance", "contoso")["lots"][-1]["id"]

    answer = shop.run("funds", "refund", "contoso", lot, "--reason", "too much")

    assert (answer.code, answer.json["state"]) in ((0, "succeeded"), (1, "failed"))
