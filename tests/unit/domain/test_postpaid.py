"""Post-paid takes over when the credit is used up: no debt, kept apart, split by amount."""

from __future__ import annotations

from decimal import Decimal

import msgspec
import pytest

from domain import commands
from domain.account import CreditAccount, dump_account, load_account
from domain.errors import Invalid, Refused
from domain.events import UsageDebited
from tests.support.given import CREDITS, US_120_OWN, by, debit, deck, do, fund, license_user, opened, rate, usage

EXACT = deck(rate("", "60", increment=1))  # one unit a second


def _switch(account: CreditAccount, when_empty: str) -> None:
    changed = msgspec.structs.replace(account.settings, when_empty=when_empty)
    do(account, commands.change_settings(account, by(), changed))


def _paid(event: UsageDebited) -> tuple[Decimal, Decimal, Decimal | None]:
    assert event.proof is not None
    return event.amount, event.proof.debt, event.proof.postpaid


def test_while_there_is_credit_it_pays() -> None:
    account = opened(scale=0, when_empty="postpaid")
    fund(account, "10")
    assert _paid(debit(account, usage(seconds=10), rates=EXACT)) == (10, 0, 0)
    assert (account.balance, account.postpaid) == (0, 0)


def test_a_call_that_crosses_the_edge_is_split_by_amount() -> None:
    account = opened(scale=0, when_empty="postpaid")
    fund(account, "10")
    event = debit(account, usage(seconds=25), rates=EXACT)
    assert _paid(event) == (10, 0, 15)
    assert (event.balance, account.balance, account.debt, account.postpaid) == (0, 0, 0, 15)
    assert "below_zero" not in event.flags


def test_what_is_billed_later_is_summed_and_the_balance_leaves_it_out() -> None:
    account = opened(scale=2, when_empty="postpaid")
    event = debit(account, usage(seconds=7), rates=EXACT)
    debit(account, usage(seconds=5), rates=EXACT)
    assert str(event.amount) == "0.00"
    assert (str(account.balance), str(account.postpaid)) == ("0.00", "12.00")


def test_a_later_top_up_pays_new_usage_only() -> None:
    account = opened(scale=0, when_empty="postpaid")
    debit(account, usage(seconds=7), rates=EXACT)
    fund(account, "10")
    assert (account.balance, account.postpaid) == (10, 7)
    assert _paid(debit(account, usage(seconds=4), rates=EXACT)) == (4, 0, 0)
    assert (account.balance, account.postpaid) == (6, 7)


def test_debt_from_before_the_switch_stays_debt() -> None:
    account = opened(scale=0)
    debit(account, usage(seconds=7), rates=EXACT)
    _switch(account, "postpaid")
    event = debit(account, usage(seconds=4), rates=EXACT)
    assert _paid(event) == (0, 0, 4)
    assert (account.balance, account.debt, account.postpaid, event.flags) == (-7, 7, 4, ("unlicensed",))
    fund(account, "10")
    assert (account.balance, account.debt, account.postpaid) == (3, 0, 4)


def test_switched_back_what_no_lot_pays_is_debt_again_and_what_is_to_be_billed_stays() -> None:
    account = opened(scale=0, when_empty="postpaid")
    debit(account, usage(seconds=7), rates=EXACT)
    _switch(account, "stop")
    assert _paid(debit(account, usage(seconds=4), rates=EXACT)) == (4, 4, None)
    assert (account.balance, account.postpaid) == (-4, 7)


def test_credit_that_cannot_pay_a_call_counts_as_used_up_for_it() -> None:
    account = opened(scale=0, when_empty="postpaid")
    fund(account, "10", "2025-06-01T00:00:00Z")  # expires 2026-06-01
    assert _paid(debit(account, usage(seconds=4), rates=EXACT)) == (0, 0, 4)
    assert _paid(debit(account, usage(seconds=4, start="2026-05-31T00:00:00Z"), rates=EXACT)) == (4, 0, 0)


def test_pools_pay_before_either() -> None:
    account = opened(scale=0, when_empty="postpaid")
    license_user(account, "ana", "MCOPSTN8", US_120_OWN)
    event = debit(account, usage("+12025550143", 121 * 60), rates=EXACT)
    assert event.proof is not None
    assert [draw.minutes for draw in event.proof.pools] == [120]
    assert _paid(event) == (0, 0, 60)


def test_as_priced_usage_is_split_likewise() -> None:
    account = opened(scale=2, when_empty="postpaid", pricing="as-priced")
    fund(account, "1.00")
    event = debit(account, usage(charge=Decimal("1.234"), connection_fee=Decimal("0.1")))
    assert _paid(event) == (Decimal("1.00"), 0, Decimal("0.33"))


def test_a_user_without_the_licence_is_flagged_for_what_is_billed_later_too() -> None:
    account = opened(when_empty="postpaid")
    license_user(account, "bob", "MCOPSTNPP", CREDITS)
    assert debit(account, usage(), user="ana").flags == ("unlicensed",)
    assert debit(account, usage(), user="bob").flags == ()


def test_on_a_prepaid_account_nothing_is_said_of_it() -> None:
    account = opened(scale=0)
    assert _paid(debit(account, usage(seconds=4), rates=EXACT)) == (4, 4, None)


def test_it_is_refused_while_auto_recharge_is_on_in_words_an_admin_understands() -> None:
    account = opened()
    fund(account, "100")
    do(account, commands.set_recharge(account, by(), commands.Level(Decimal(10), Decimal(50)), Decimal(50)))
    with pytest.raises(Refused) as refused:
        _switch(account, "postpaid")
    assert (refused.value.code, refused.value.field) == ("recharge_is_on", "when_empty")
    assert "for ever" in str(refused.value)
    do(account, commands.recharge_off(account, by()))
    _switch(account, "postpaid")
    with pytest.raises(Refused, match="post-paid") as refused:
        commands.set_recharge(account, by(), commands.Level(Decimal(10), Decimal(50)), Decimal(50))
    assert refused.value.code == "postpaid_is_on"


def test_anything_but_the_two_is_refused() -> None:
    with pytest.raises(Invalid) as invalid:
        opened(when_empty="beg")
    assert (invalid.value.code, invalid.value.field) == ("invalid_when_empty", "when_empty")


def test_a_snapshot_keeps_it() -> None:
    account = opened(scale=0, when_empty="postpaid")
    debit(account, usage(seconds=7), rates=EXACT)
    again = load_account(dump_account(account))
    assert (again.postpaid, again.is_postpaid) == (7, True)
