"""Which calls may be made, and why: given an account, when somebody asks, then the answer."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from domain import commands
from domain.account import CreditAccount
from domain.authorize import Decision, authorize
from domain.budgets import Budget
from domain.errors import Invalid
from domain.tariff import Deck
from domain.usage import CALL_TYPES
from tests.support.given import (
    CREDITS,
    NOW,
    US_120_OWN,
    at,
    by,
    deck,
    do,
    fund,
    license_user,
    opened,
    rate,
    usage,
)

UK = "+442071234567"
US = "+12025550123"


def account(funds: str = "10", *, licensed: bool = True, **settings: Any) -> CreditAccount:
    made = opened(**settings)
    if licensed:
        license_user(made, "ana", "MCOPSTNPP", CREDITS)
    if Decimal(funds):
        fund(made, funds)
    return made


def ask(of: CreditAccount, callee: str = UK, rates: Deck | str | None = None, **call: Any) -> Decision:
    call.setdefault("user_id", "ana@contoso.com")
    user = "ana" if call["user_id"] == "ana@contoso.com" else ""
    return authorize(of, usage(callee, 0, **call), user, deck() if rates is None else rates)


def said(decision: Decision) -> tuple[bool, str, int | None, tuple[str, ...]]:
    return decision.allowed, decision.reason, decision.max_seconds, decision.paid_from


def test_credit_pays_until_it_is_used_up() -> None:
    decision = ask(account("1"))

    assert said(decision) == (True, "ok", 480, ("credit",))  # 0.12 a minute, 8 whole minutes
    assert (decision.rate, decision.spendable) == (Decimal("0.12"), Decimal("1.0000"))


def test_the_connection_fee_comes_first() -> None:
    rates = deck(rate("", "0.60", 1, "0.95"))

    assert ask(account("1"), rates=rates).max_seconds == 5
    assert said(ask(account("0.95"), rates=rates)) == (False, "balance_too_low", 0, ())


def test_a_call_lasts_31_days_at_most() -> None:
    assert ask(account("100000000")).max_seconds == 2_678_400


def test_an_emergency_call_is_allowed_always() -> None:
    closed = account("0")
    do(closed, commands.close(closed, by()))

    assert said(ask(closed, "112", "no_rate", call_type="emergency_out", user_id="")) == (
        True, "emergency", None, ("free",),
    )  # fmt: skip


def test_a_closed_account_makes_no_other_call() -> None:
    closed = account()
    do(closed, commands.close(closed, by()))

    assert said(ask(closed)) == (False, "account_closed", 0, ())


def test_credit_pays_only_for_who_holds_the_credits_licence() -> None:
    assert said(ask(account(licensed=False))) == (False, "not_licensed", 0, ())


def test_a_plan_pays_without_the_credits_licence_as_far_as_it_reaches() -> None:
    planned = account(licensed=False)
    license_user(planned, "ana", "MCOPSTN8", US_120_OWN)

    assert said(ask(planned, US)) == (True, "ok", 7200, ("pool",))
    assert ask(planned, US).rate is None


def test_after_the_pool_credit_pays_without_a_connection_fee() -> None:
    planned = account("0.12")
    license_user(planned, "ana", "MCOPSTN8", US_120_OWN)

    assert said(ask(planned, US, deck(rate("", "0.12", 60, "5")))) == (True, "ok", 7260, ("pool", "credit"))


@pytest.mark.parametrize("call_type", ["user_out", "conf_out", "ucap_out"])
def test_without_a_user_nothing_goes_out(call_type: str) -> None:
    assert said(ask(account(), call_type=call_type, user_id="")) == (False, "not_licensed", 0, ())


@pytest.mark.parametrize("call_type", ["user_in", "unassigned_in", "conf_in"])
def test_without_a_user_a_service_number_is_reached_while_there_is_credit(call_type: str) -> None:
    toll_free: dict[str, Any] = {"call_type": call_type, "number_type": "Toll-Free", "user_id": ""}

    assert said(ask(account("0.12"), "+80012345", **toll_free)) == (True, "ok", 60, ("credit",))
    assert said(ask(account("0"), "+80012345", **toll_free)) == (False, "balance_not_positive", 0, ())


def test_a_conferences_organizer_needs_the_licence_for_a_toll_free_number() -> None:
    call = {"call_type": "conf_in", "number_type": "tollfree"}

    assert ask(account(licensed=False), "+80012345", **call).reason == "not_licensed"


def test_inbound_that_is_not_charged_is_free() -> None:
    assert said(ask(account("0", licensed=False), call_type="user_in", number_type="subscriber")) == (
        True, "ok", None, ("free",),
    )  # fmt: skip


def test_a_rate_of_nothing_costs_nothing() -> None:
    assert said(ask(account("0", licensed=False), rates=deck(rate("", "0")))) == (True, "ok", None, ("free",))


def test_without_credit_what_costs_is_refused_even_where_it_would_round_to_nothing() -> None:
    assert said(ask(account("0"), rates=deck(rate("", "0.0001", 1)))) == (False, "balance_not_positive", 0, ())


@pytest.mark.parametrize("reason", ["no_rate", "currency_mismatch"])
def test_without_a_deck_the_reason_is_passed_on(reason: str) -> None:
    assert said(ask(account(), rates=reason)) == (False, reason, 0, ())


def test_a_rate_is_needed_also_where_a_pool_pays() -> None:
    planned = account()
    license_user(planned, "ana", "MCOPSTN8", US_120_OWN)

    assert ask(planned, US, deck(rate("44", "0.12"))).reason == "no_rate"


def test_a_masked_number_may_have_no_single_rate() -> None:
    rates = deck(rate("44", "0.12"), rate("4420", "0.10"))

    assert ask(account(), "+44*", rates).reason == "ambiguous_rate"


@pytest.mark.parametrize("user", ["", "ana"])
def test_a_hard_budget_limits_in_its_month(user: str) -> None:
    limited = account("10")
    month = limited.months.of(at(NOW))
    limited.budgets[user] = Budget(Decimal(1), True, {month: Decimal("0.40")})

    assert ask(limited).max_seconds == 300
    limited.budgets[user].spent[month] = Decimal("0.95")
    assert said(ask(limited)) == (False, "budget_exhausted", 0, ())
    limited.budgets[user].spent[month] = Decimal(1)
    assert said(ask(limited)) == (False, "budget_exhausted", 0, ())
    assert ask(limited, start="2026-12-01T00:00:00Z").allowed
    limited.budgets[user] = Budget(Decimal(1), False, {month: Decimal(1)})
    assert ask(limited).max_seconds == 4980


def test_a_budget_of_another_user_does_not_limit() -> None:
    limited = account("1")
    limited.budgets["bor"] = Budget(Decimal(0), True, {})

    assert ask(limited).allowed


def test_post_paid_goes_on_when_the_credit_is_used_up() -> None:
    assert said(ask(account("1", when_empty="postpaid"))) == (True, "ok", None, ("credit", "postpaid"))
    assert said(ask(account("0", when_empty="postpaid"))) == (True, "ok", None, ("postpaid",))


def test_post_paid_is_limited_by_a_hard_budget() -> None:
    limited = account("1", when_empty="postpaid")
    limited.budgets[""] = Budget(Decimal("0.24"), True, {})

    assert said(ask(limited)) == (True, "ok", 120, ("credit",))
    limited.budgets[""] = Budget(Decimal("1.20"), True, {})
    assert said(ask(limited)) == (True, "ok", 600, ("credit", "postpaid"))


def test_a_lot_pays_what_starts_by_its_expiry() -> None:
    made = account("0")
    fund(made, "1", expires_at=at("2026-11-25T00:00:00Z"))

    assert ask(made, start="2026-11-25T00:00:00Z").max_seconds == 480
    assert ask(made, start="2026-11-25T00:00:01Z").reason == "balance_not_positive"


def test_debt_is_what_can_not_be_spent() -> None:
    made = account("1")
    made.debt, made.balance = Decimal("0.52"), Decimal("0.48")

    assert ask(made).max_seconds == 240


def test_an_account_debited_as_priced_is_limited_by_nothing_that_is_known() -> None:
    assert said(ask(account("1", pricing="as-priced"), "x", "no_rate")) == (True, "ok", None, ("credit",))
    assert ask(account("0", pricing="as-priced"), "x", "no_rate").reason == "balance_not_positive"
    assert ask(account("1", licensed=False, pricing="as-priced"), "x", "no_rate").reason == "not_licensed"


def test_an_unknown_call_type_and_a_number_that_is_none_are_invalid() -> None:
    with pytest.raises(Invalid, match="no call type"):
        ask(account(), call_type="user_outt")
    with pytest.raises(Invalid, match="no number"):
        ask(account(), "44 20")


@pytest.mark.parametrize("call_type", sorted(CALL_TYPES))
def test_every_call_type_is_answered(call_type: str) -> None:
    assert ask(account(), call_type=call_type, number_type="tollfree").allowed


@pytest.mark.parametrize(("callee", "caller"), [("112", ""), ("113", ""), ("999", "+442071234567")])
def test_a_call_for_help_is_allowed_whatever_type_it_is_asked_as(callee: str, caller: str) -> None:
    broke = account("0", licensed=False, country="SI")
    do(broke, commands.close(broke, by()))
    answer = ask(broke, callee, caller=caller, user_id="")
    assert (answer.allowed, answer.reason, answer.max_seconds) == (True, "emergency", None)


def test_a_number_that_calls_for_help_elsewhere_is_a_number() -> None:
    assert ask(account("0", country="SI"), "999", caller="").reason != "emergency"
