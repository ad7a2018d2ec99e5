"""Auto-recharge paid by card, from the trigger to the credit, with `work --once --at` for what time does."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from commcredits.sandbox.stripe.control import Control
from commcredits.sandbox.stripe.server import StripeSandbox
from tests.acceptance.conftest import prepare
from tests.support.program import Program


@pytest.fixture
def shop(program: Program, stripe_sandbox: StripeSandbox) -> Program:
    """Account contoso with 100 EUR and a card; nothing is set to recharge yet."""
    program.set("STRIPE_API_KEY", stripe_sandbox.api_key)
    program.set("STRIPE_API_BASE", stripe_sandbox.url)
    prepare(program)
    program("payment-method", "add", "contoso", "--card", "pm_card_visa")
    return program


@pytest.fixture
def control(stripe_sandbox: StripeSandbox) -> Control:
    return stripe_sandbox.control


def trigger(shop: Program, *more: str) -> Any:
    """Recharges by 100 below 150: one is due at once."""
    return shop("recharge", "set", "contoso", "--amount", "100", "--below", "150", *more)


def shown(shop: Program) -> Any:
    return shop("recharge", "show", "contoso")


def later(instant: str, **passed: int) -> str:
    """A time after another."""
    return (datetime.fromisoformat(instant) + timedelta(**passed)).isoformat().replace("+00:00", "Z")


def paid(control: Control) -> list[tuple[int, str]]:
    """The provider's ledger: amounts and what each was for."""
    return [(line["amount"], line["metadata"]["of"]) for line in control.ledger()]


def test_a_trigger_is_charged_once_and_credited(shop: Program, control: Control) -> None:
    recharge = trigger(shop)["recharge_id"]
    shop("work", "--once")
    shop("work", "--once")

    assert shop("balance", "contoso")["balance"] == "200.0000"
    assert shown(shop)["state"] == "armed"
    assert paid(control) == [(10000, recharge)]


def test_a_soft_decline_is_tried_again_by_the_schedule(shop: Program, control: Control) -> None:
    control.card_answers("contoso", ["insufficient_funds"])
    trigger(shop)
    shop("work", "--once")
    declined = shown(shop)
    assert (declined["state"], declined["failure"]) == ("retrying", "insufficient_funds")

    shop("work", "--once", "--at", later(declined["next_try_at"], seconds=-1))
    assert paid(control) == []
    shop("work", "--once", "--at", declined["next_try_at"])

    assert len(paid(control)) == 1
    assert (shown(shop)["state"], shown(shop)["failure"]) == ("armed", None)


def test_after_the_last_try_it_is_suspended_and_nothing_can_be_paid_any_more(shop: Program, control: Control) -> None:
    shop.set("RETRY_SCHEDULE", "1h,6h")
    control.card_answers("contoso", [], always="do_not_honor")
    trigger(shop)
    shop("work", "--once")
    pauses = []
    while (at := shown(shop)["next_try_at"]) is not None:
        shop("work", "--once", "--at", at)
        pauses.append(at)

    assert later(pauses[0], hours=6)[:16] == pauses[1][:16]
    assert (shown(shop)["state"], shown(shop)["reason"]) == ("suspended", "retries_exhausted")
    shop("work", "--once", "--at", later(pauses[-1], hours=1))
    assert [each["status"] for each in control_payments(shop, control)] == ["canceled"]
    assert paid(control) == []


def control_payments(shop: Program, control: Control) -> list[dict[str, Any]]:
    """The provider's payments, by its own answers to us."""
    found = {
        each["path"].split("/")[3] for each in control.requests() if each["path"].startswith("/v1/payment_intents/")
    }
    return [control.payment(payment) for payment in sorted(found)]


@pytest.mark.parametrize("code", ["lost_card", "expired_card"])
def test_a_hard_decline_suspends_at_once_and_a_new_card_helps(shop: Program, control: Control, code: str) -> None:
    control.card_answers("contoso", [code])
    trigger(shop)
    shop("work", "--once")
    assert (shown(shop)["state"], shown(shop)["reason"]) == ("suspended", "declined")
    assert shown(shop)["failure"] != "lost_card"

    master = shop("payment-method", "add", "contoso", "--card", "pm_card_mastercard")
    shop("payment-method", "default", "contoso", master["method"])
    assert shop("recharge", "resume", "contoso")["state"] == "triggered"
    shop("work", "--once")

    assert shop("balance", "contoso")["balance"] == "200.0000"
    assert len(paid(control)) == 1


def test_a_method_that_is_changed_while_retrying_is_tried_at_once(shop: Program, control: Control) -> None:
    control.card_answers("contoso", ["insufficient_funds"])
    trigger(shop)
    shop("work", "--once")

    master = shop("payment-method", "add", "contoso", "--card", "pm_card_mastercard")
    shop("payment-method", "default", "contoso", master["method"])
    shop("work", "--once")

    assert len(paid(control)) == 1
    assert shown(shop)["state"] == "armed"


def test_a_removed_method_is_not_shown_as_the_one_that_is_charged(shop: Program) -> None:
    master = shop("payment-method", "add", "contoso", "--card", "pm_card_mastercard")["method"]
    shop("recharge", "set", "contoso", "--amount", "50", "--below", "0", "--method", master)
    assert shown(shop)["method"] == master
    shop("payment-method", "remove", "contoso", master)
    assert shown(shop)["method"] is None


def test_money_that_came_otherwise_cancels_the_retry(shop: Program, control: Control) -> None:
    control.card_answers("contoso", ["insufficient_funds"])
    recharge = trigger(shop)["recharge_id"]
    shop("work", "--once")

    shop("funds", "add", "contoso", "100", "--recharge", recharge)

    assert shown(shop)["state"] == "armed"
    assert [each["status"] for each in control_payments(shop, control)] == ["canceled"]


def test_a_level_that_is_reached_again_needs_no_retry(shop: Program, control: Control) -> None:
    control.card_answers("contoso", ["insufficient_funds"])
    trigger(shop)
    shop("work", "--once")
    at = shown(shop)["next_try_at"]

    shop("funds", "add", "contoso", "100")
    shop("work", "--once", "--at", at)

    assert (shown(shop)["state"], paid(control)) == ("armed", [])


def test_a_customer_who_does_not_confirm_in_time_has_paid_nothing(shop: Program, control: Control) -> None:
    control.card_answers("contoso", ["authentication_required"])
    trigger(shop)
    shop("work", "--once")
    assert shown(shop)["state"] == "action_required"

    at = later(shop("balance", "contoso")["read_at"], hours=73)
    shop("work", "--once", "--at", at)

    assert (shown(shop)["state"], shown(shop)["reason"]) == ("suspended", "action_timeout")
    assert [each["status"] for each in control_payments(shop, control)] == ["canceled"]


def test_over_the_months_cap_nothing_is_charged_in_part(shop: Program, control: Control) -> None:
    trigger(shop, "--monthly-cap", "150")
    shop("work", "--once")
    done = shop("recharge", "set", "contoso", "--amount", "100", "--below", "250", "--monthly-cap", "150")

    assert done["state"] == "armed"
    assert done["capped_until"].endswith("-01T00:00:00Z")
    shop("work", "--once")
    assert len(paid(control)) == 1
    shop("work", "--once", "--at", done["capped_until"])
    assert len(paid(control)) == 2


def test_a_bank_that_takes_its_time(shop: Program, control: Control) -> None:
    control.card_answers("contoso", ["processing"])
    trigger(shop)
    shop("work", "--once")
    assert shown(shop)["state"] == "charging"

    control.settle(control.requests()[-1]["path"].split("/")[3])
    shop("work", "--once", "--at", later(shop("balance", "contoso")["read_at"], hours=24))

    assert shop("balance", "contoso")["balance"] == "200.0000"


@pytest.mark.parametrize("kind", ["rate_limit", "cut_after", "error_after", "error_before"])
def test_an_answer_that_is_lost_loses_and_doubles_nothing(shop: Program, control: Control, kind: str) -> None:
    recharge = trigger(shop)["recharge_id"]
    control.fault(kind, count=2, path="/v1/payment_intents*")
    at = shop("balance", "contoso")["read_at"]
    for minutes in range(0, 30, 10):
        shop.run("work", "--once", "--at", later(at, minutes=minutes))

    assert paid(control) == [(10000, recharge)]
    assert shop("balance", "contoso")["balance"] == "200.0000"


def test_a_standing_top_up_comes_on_its_day(shop: Program, control: Control) -> None:
    shop("recharge", "every", "contoso", "--amount", "60", "--on-day", "15")
    shop("work", "--once")
    assert paid(control) == []
    read_at = datetime.fromisoformat(shop("balance", "contoso")["read_at"])

    month_later = later(read_at.isoformat(), days=31)
    shop("work", "--once", "--at", month_later)
    shop("work", "--once", "--at", month_later)

    assert [amount for amount, _ in paid(control)] == [6000]


def test_money_for_a_recharge_that_the_bank_is_paying_is_refused(shop: Program, control: Control) -> None:
    control.card_answers("contoso", ["processing"])
    recharge = trigger(shop)["recharge_id"]
    shop("work", "--once")

    said = shop.refused(5, "funds", "add", "contoso", "100", "--recharge", recharge)

    assert (said["code"], said["field"]) == ("recharge_in_progress", "recharge")
    assert shop("balance", "contoso")["balance"] == "100.0000"


def test_money_for_a_recharge_waits_until_the_provider_can_be_asked(
    shop: Program, control: Control, stripe_sandbox: StripeSandbox
) -> None:
    control.card_answers("contoso", ["insufficient_funds"])
    recharge = trigger(shop)["recharge_id"]
    shop("work", "--once")
    shop.set("STRIPE_API_BASE", "http://127.0.0.1:1")

    said = shop.refused(4, "funds", "add", "contoso", "100", "--recharge", recharge)

    assert said["code"] == "provider_unavailable"
    shop.set("STRIPE_API_BASE", stripe_sandbox.url)
    assert shop("funds", "add", "contoso", "100", "--recharge", recharge)["balance"] == "200.0000"


def test_a_link_of_a_recharge_that_ended_pays_nothing(shop: Program, control: Control) -> None:
    control.card_answers("contoso", ["authentication_required"])
    trigger(shop)
    shop("work", "--once")
    assert shown(shop)["state"] == "action_required"

    shop("recharge", "off", "contoso")
    shop("work", "--once")
    (payment,) = control_payments(shop, control)
    control.authenticate(payment["id"])

    assert payment["status"] == "canceled"
    assert (shown(shop)["state"], paid(control)) == ("off", [])


def test_a_closed_account_is_charged_no_more(shop: Program, control: Control) -> None:
    control.card_answers("contoso", ["insufficient_funds"])
    trigger(shop)
    shop("work", "--once")
    at = shown(shop)["next_try_at"]

    shop("account", "close", "contoso")
    shop("work", "--once", "--at", at)

    assert (shown(shop)["state"], paid(control)) == ("off", [])
    assert [each["status"] for each in control_payments(shop, control)] == ["canceled"]
