"""domain.md, What is charged: which usages cost what, and what is flagged."""

from decimal import Decimal

import pytest

from domain import commands
from domain.errors import Refused
from tests.support.given import (
    CREDITS,
    US_DOMESTIC,
    by,
    debit,
    decide,
    deck,
    do,
    fund,
    license_user,
    opened,
    rate,
    usage,
)


@pytest.mark.parametrize(
    "call_type",
    ["user_out", "user_out_conf", "user_out_transfer", "user_out_forwarding", "fmc_out", "ucap_out", "ucap_out_conf",
     "conf_out"],
)  # fmt: skip
def test_outgoing_calls_and_conference_dial_out_are_charged_by_destination(call_type: str) -> None:
    account = opened()
    fund(account, "10")
    event = debit(account, usage("+442071234567", 61, call_type), rates=deck(rate("44", "0.10"), rate("1", "9")))
    assert event.amount == Decimal("0.2000")
    assert event.proof is not None
    assert (event.proof.direction, event.proof.prefix) == ("out", "44")
    assert account.balance == Decimal("9.8000")


@pytest.mark.parametrize(
    ("call_type", "number_type", "capability", "charged"),
    [
        ("user_in", "Toll-Free", "", True),
        ("ucap_in", "toll_free", "", True),
        ("conf_in", "tollfree", "", True),
        ("unassigned_in", "TOLL FREE", "", True),
        ("conf_in", "toll", "MCOMEETACPEA", True),
        ("user_in", "toll", "MCOMEETACPEA", False),
        ("user_in", "subscriber", "MCOPSTN1", False),
        ("conf_in", "", "", False),
        ("user_in", "Toll-Free", "FREECALL", False),
        ("emergency_in", "Toll-Free", "", False),
        ("emergency_out", "", "", False),
        ("user_out", "", "FREECALL", False),
    ],
)
def test_inbound_is_charged_on_toll_free_and_pay_per_minute_conferences_only(
    call_type: str, number_type: str, capability: str, charged: bool
) -> None:
    account = opened()
    event = debit(account, usage("+80012345678", 60, call_type, number_type=number_type, capability=capability))
    assert bool(event.amount) is charged
    assert (event.proof is not None) is charged
    assert account.version == 2  # each writes one event, the free ones too


def test_inbound_is_rated_by_the_number_that_was_dialled_and_the_decks_inbound_rates() -> None:
    rates = deck(rate("", "9"), rate("800", "0.05", direction="in"))
    event = debit(opened(), usage("+80012345678", 30, "user_in", number_type="Toll-Free"), rates=rates)
    assert event.proof is not None
    assert (event.proof.direction, event.proof.prefix) == ("in", "800")
    assert event.amount == Decimal("0.0500")


def test_a_call_of_zero_seconds_costs_nothing_unless_the_account_says_its_fee_is_due() -> None:
    rates = deck(rate("", "0.10", fee="0.05"))
    assert debit(opened(), usage(seconds=0), rates=rates).amount == 0
    event = debit(opened(zero_second_fee=True), usage(seconds=0), rates=rates)
    assert event.amount == Decimal("0.0500")
    assert event.proof is not None
    assert event.proof.slots == ()


def test_an_as_priced_account_is_debited_charge_and_fee_rounded_half_up_to_its_scale() -> None:
    account = opened(pricing="as-priced", scale=2)
    fund(account, "1")
    call = usage(charge=Decimal("0.123"), connection_fee=Decimal("0.002"), call_type="user_in")
    event = debit(account, call)
    assert event.amount == Decimal("0.13")
    assert event.proof is not None
    assert (event.proof.deck, event.proof.price) == (None, Decimal("0.123"))


def test_an_as_priced_usage_without_a_charge_is_refused_but_not_when_it_is_free_anyway() -> None:
    account = opened(pricing="as-priced")
    with pytest.raises(Refused) as refused:
        decide(account, usage())
    assert refused.value.code == "not_priced"
    for free in (usage(call_type="emergency_out"), usage(capability="FREECALL", charge=Decimal(5))):
        assert decide(account, free).amount == 0


def test_the_amount_is_at_the_accounts_scale_and_rounded_to_the_lesser_of_its_and_the_decks_decimals() -> None:
    rates = deck(rate("", "0.12345", increment=1), decimals=6)
    event = debit(opened(scale=3), usage(seconds=60), rates=rates)
    assert (f"{event.amount:f}", event.proof.decimals if event.proof else 0) == ("0.123", 3)
    event = debit(opened(scale=6), usage(seconds=60), rates=deck(rate("", "0.125", increment=1), decimals=2))
    assert (f"{event.amount:f}", event.proof.decimals if event.proof else 0) == ("0.130000", 2)


def test_below_zero_is_recorded_and_flagged() -> None:
    account = opened()
    fund(account, "0.10")
    license_user(account, "ana", "MCOPSTNPP", CREDITS)
    event = debit(account, usage(seconds=60))
    assert event.flags == ("below_zero",)
    assert (account.balance, account.debt) == (Decimal("-0.0200"), Decimal("0.0200"))


def test_credit_that_pays_for_a_user_without_the_credits_licence_at_the_start_is_flagged() -> None:
    account = opened()
    fund(account, "10")
    license_user(account, "ana", "MCOPSTNPP", CREDITS, starts="2026-11-22T00:00:00Z")
    assert debit(account, usage(start="2026-11-21T23:00:00Z")).flags == ("unlicensed",)
    assert debit(account, usage(start="2026-11-22T00:00:00Z")).flags == ()
    assert debit(account, usage(), user="bob").flags == ("unlicensed",)
    assert debit(account, usage(call_type="conf_out"), user="bob").flags == ("unlicensed",)
    assert debit(account, usage(call_type="user_in", number_type="tollfree"), user="bob").flags == ()


def test_a_pool_that_pays_all_needs_no_credits_licence() -> None:
    account = opened()
    license_user(account, "ana", "MCOPSTN1", US_DOMESTIC)
    assert debit(account, usage("+12125550100")).flags == ()


def test_usage_before_opening_or_after_closing_is_debited_and_flagged() -> None:
    account = opened(when="2026-11-20T00:00:00Z")
    fund(account, "10", "2026-11-20T00:00:00Z")
    assert debit(account, usage(start="2026-11-19T00:00:00Z")).flags == ("unlicensed", "before_opening")
    do(account, commands.close(account, by()))
    closed = debit(account, usage(call_type="emergency_out"))
    assert (closed.flags, closed.amount) == (("account_closed",), 0)


def test_an_emergency_call_is_free_on_every_account_however_broke_or_closed() -> None:
    account = opened()
    debit(account, usage(seconds=3600))
    do(account, commands.close(account, by()))
    event = debit(account, usage("112", 600, "emergency_out"))
    assert (event.amount, event.proof) == (0, None)
