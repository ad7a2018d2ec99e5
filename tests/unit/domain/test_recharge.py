"""Auto-recharge: a level that is looked at after every event, one recharge open at most."""

from decimal import Decimal

import pytest

from domain import commands
from domain.account import CreditAccount
from domain.errors import DomainError
from domain.events import AutoRechargeTriggered, Event
from domain.named import recharge_view
from tests.support.given import by, debit, deck, do, fund, names, opened, rate, usage

EXACT = deck(rate("", "60", increment=1))
MINIMUM = Decimal(50)


def _set(account: CreditAccount, amount: str = "50", below: str = "20") -> list[Event]:
    return do(account, commands.set_recharge(account, by(), commands.Level(Decimal(below), Decimal(amount)), MINIMUM))


def test_it_triggers_when_the_balance_falls_strictly_below_the_trigger() -> None:
    account = opened(scale=0)
    fund(account, "25")
    _set(account)
    debit(account, usage(seconds=5), rates=EXACT)
    assert (account.balance, account.recharge.state) == (20, "armed")
    debit(account, usage(seconds=1), rates=EXACT)
    assert (account.recharge.state, account.recharge.recharge_id) == ("triggered", "rch-contoso-6")


def test_saving_settings_with_the_balance_below_already_triggers_at_once() -> None:
    account = opened()
    assert names(_set(account)) == ["RechargeConfigured", "AutoRechargeTriggered"]


def test_at_most_one_recharge_is_open_however_much_usage_follows() -> None:
    account = opened(scale=0)
    _set(account)
    before = account.recharge.recharge_id
    for _ in range(5):
        debit(account, usage(seconds=100), rates=EXACT)
    assert account.recharge.recharge_id == before


def test_new_settings_leave_an_open_recharge_open_and_say_still_why() -> None:
    account = opened()
    _set(account)
    before = account.recharge.recharge_id
    _set(account, amount="70")
    assert (account.recharge.state, account.recharge.recharge_id) == ("triggered", before)
    assert (account.recharge.amount, recharge_view(account)["reason"]) == (70, "awaiting_funds")


def test_money_for_the_open_recharge_ends_it_and_the_level_is_looked_at_again() -> None:
    account = opened(scale=0)
    debit(account, usage(seconds=100), rates=EXACT)
    _set(account)
    first = account.recharge.recharge_id
    events = fund(account, "50", recharge_id=first)
    assert names(events) == ["FundsAdded", "AutoRechargeTriggered"]  # -50 is still below: a level, not an edge
    second = account.recharge.recharge_id
    assert second != first
    fund(account, "100", recharge_id=second)
    assert (account.recharge.state, account.balance) == ("armed", 50)


def test_funds_without_the_recharges_id_leave_it_open() -> None:
    account = opened()
    _set(account)
    fund(account, "500")
    assert account.recharge.state == "triggered"


def test_a_recharge_that_has_ended_cannot_be_paid_again() -> None:
    account = opened()
    _set(account)
    recharge_id = account.recharge.recharge_id
    fund(account, "50", recharge_id=recharge_id)
    with pytest.raises(DomainError) as refused:
        fund(account, "50", recharge_id=recharge_id)
    assert refused.value.code == "recharge_not_open"


def test_the_trigger_looks_at_spendable_not_at_credit_that_has_expired() -> None:
    account = opened()
    fund(account, "100", "2025-06-01T00:00:00Z")
    _set(account)
    assert account.recharge.state == "triggered"


def test_switching_off_cancels_the_open_recharge() -> None:
    account = opened()
    _set(account)
    do(account, commands.recharge_off(account, by()))
    assert (account.recharge.state, account.recharge.recharge_id) == ("off", "")
    assert commands.recharge_off(account, by()) == []


def test_new_settings_while_a_recharge_is_open_leave_it_open() -> None:
    account = opened()
    _set(account)
    recharge_id = account.recharge.recharge_id
    _set(account, "80", "30")
    assert (account.recharge.recharge_id, account.recharge.amount) == (recharge_id, 80)


def test_closing_switches_it_off() -> None:
    account = opened()
    _set(account)
    do(account, commands.close(account, by()))
    debit(account, usage(seconds=100), rates=EXACT)
    assert account.recharge.state == "off"


@pytest.mark.parametrize(
    ("amount", "below", "code"),
    [("49", "10", "below_minimum"), ("50.5", "10", "invalid_amount"), ("50", "-1", "invalid_below")],
)
def test_settings_that_cannot_be_are_refused(amount: str, below: str, code: str) -> None:
    with pytest.raises(DomainError) as refused:
        _set(opened(), amount, below)
    assert refused.value.code == code


def test_the_trigger_event_says_what_caused_it() -> None:
    account = opened()
    trigger = _set(account)[-1]
    assert isinstance(trigger, AutoRechargeTriggered)
    assert (trigger.causation_id, trigger.spendable, trigger.amount) == ("contoso@2", 0, 50)
