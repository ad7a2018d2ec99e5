"""Deciding auto-recharge: setting it, the standing top-up, switching off, resuming. Pure; see commands.py."""

from decimal import ROUND_CEILING, Decimal
from typing import NamedTuple

from domain.account import CreditAccount
from domain.by import By, header, must_be_open
from domain.errors import Invalid, Refused
from domain.events import Event, RechargeConfigured
from domain.methods import unknown_method
from domain.money import quantum
from domain.payment_events import RechargeResumed, StandingRechargeConfigured
from domain.payment_state import nothing
from domain.recharge import OFF, SUSPENDED
from domain.triggers import standing_month

POSTPAID = "postpaid"


class Level(NamedTuple):
    """What `recharge set` was given: either an amount or what `spendable` is filled up to."""

    below: Decimal
    amount: Decimal | None = None
    to: Decimal | None = None
    monthly_cap: Decimal | None = None
    method: str = ""


def set_recharge(account: CreditAccount, by: By, level: Level, minimum: Decimal) -> list[Event]:
    """The amount in whole units, at least `minimum`. Unchanged settings write nothing.

    Raises Refused `below_minimum`, `trigger_above_target`, `postpaid_is_on`, `account_closed`; NotFound
    `unknown_method`; Invalid naming the field.
    """
    _may_be_on(account)
    if (level.amount is None) == (level.to is None):
        text = "a recharge has an amount, or a target that it fills up to: say one of both"
        raise Invalid("invalid_amount", text, "amount" if level.to is None else "to")
    if level.amount is not None:
        check_amount(level.amount, minimum)
    if level.below < 0:
        raise Invalid("invalid_below", "the trigger is 0 or more", "below")
    if level.to is not None and level.below > level.to:
        text = f"it would trigger below {level.below:f} and fill up to {level.to:f} only: the target is the greater one"
        raise Refused("trigger_above_target", text, "below")
    if level.monthly_cap is not None and level.monthly_cap <= 0:
        raise Invalid("invalid_monthly_cap", "the month's cap is more than 0", "monthly_cap")
    if level.method and level.method not in account.methods:
        raise unknown_method(account, level.method)
    recharge = account.recharge
    amount = nothing(account.scale) if level.amount is None else level.amount.quantize(quantum(account.scale))
    settings = (amount, level.below, level.to, level.monthly_cap, level.method)
    if recharge.level and settings == (
        recharge.amount, recharge.below, recharge.to, recharge.monthly_cap, recharge.method,
    ):  # fmt: skip
        return []
    return [RechargeConfigured(*header(account, by, None, RechargeConfigured.VERSION), True, *settings)]


def least_charge(level: Level, minimum: Decimal) -> Decimal | None:
    """The least that a recharge will charge: a provider may not charge so little. None where the settings are wrong."""
    if level.amount is not None or level.to is None:
        return level.amount
    return max((level.to - level.below).to_integral_value(ROUND_CEILING), minimum)


def check_amount(amount: Decimal, minimum: Decimal) -> None:
    """Of a recharge or a purchase. Raises Invalid `invalid_amount`, Refused `below_minimum`."""
    if amount <= 0:
        raise Invalid("invalid_amount", "the amount must be more than 0", "amount")
    if amount != amount.to_integral_value():
        raise Invalid(
            "invalid_amount", f"credit is bought in whole currency units, not {amount.normalize():f}", "amount"
        )
    if amount < minimum:
        raise Refused("below_minimum", f"at least {minimum:f} is bought at a time", "amount")


def set_standing(account: CreditAccount, by: By, amount: Decimal, on_day: int, minimum: Decimal) -> list[Event]:
    """Every month on that day, from its next one on. Raises Refused, Invalid as `set_recharge`."""
    _may_be_on(account)
    check_amount(amount, minimum)
    if not 1 <= on_day <= 28:
        raise Invalid("invalid_on_day", "the day is 1 to 28: every month has it", "on_day")
    recharge = account.recharge
    if (recharge.every_day, recharge.every_amount) == (on_day, amount):
        return []
    amount, done = amount.quantize(quantum(account.scale)), recharge.every_done
    if recharge.every_day != on_day:
        done = max(done, standing_month(account, max(by.now, account.recorded_at), on_day))
    return [StandingRechargeConfigured(*header(account, by), True, amount, on_day, done)]


def _may_be_on(account: CreditAccount) -> None:
    must_be_open(account)
    if account.settings.when_empty == POSTPAID:
        text = (
            "the account goes on post-paid when its credit is used up, and auto-recharge would keep that from ever"
            " happening: set --when-empty stop first"
        )
        raise Refused("postpaid_is_on", text, "account")


def recharge_off(account: CreditAccount, by: By, every_only: bool = False) -> list[Event]:
    """Both off, or only the standing top-up. An open recharge is cancelled: at the provider, if it is there."""
    recharge = account.recharge
    events: list[Event] = []
    if recharge.level and not every_only:
        events.append(
            RechargeConfigured(
                *header(account, by, None, RechargeConfigured.VERSION), False, recharge.amount, recharge.below,
                recharge.to, recharge.monthly_cap, recharge.method,
            )
        )  # fmt: skip
    if recharge.every_day:
        events.append(
            StandingRechargeConfigured(
                *header(account, by), False, recharge.every_amount, recharge.every_day, recharge.every_done
            )
        )
    return events


def resume(account: CreditAccount, by: By) -> list[Event]:
    """Armed again after it was suspended; the level is looked at. Not suspended: nothing. Raises Refused
    `recharge_is_off`.
    """
    must_be_open(account)
    if account.recharge.state == OFF:
        raise Refused("recharge_is_off", "auto-recharge is off: set it first", "account")
    return [RechargeResumed(*header(account, by))] if account.recharge.state == SUSPENDED else []


def must_not_recharge(account: CreditAccount) -> None:
    """Before post-paid is switched on. Raises Refused `recharge_is_on`."""
    recharge = account.recharge
    if recharge.recharge_id and not recharge.is_on:
        text = f"recharge {recharge.recharge_id} is still being cancelled at the provider: wait until that is done"
        raise Refused("recharge_is_on", text, "when_empty")
    if recharge.is_on:
        text = (
            "auto-recharge is on and would refill the credit for ever, so that post-paid would never begin: switch it"
            " off first"
        )
        raise Refused("recharge_is_on", text, "when_empty")


def warning(account: CreditAccount) -> str:
    """What is to be said when settings are saved: a cap that allows none, a debt that one top-up does not cover.

    Empty: nothing.
    """
    recharge, cap = account.recharge, account.recharge.monthly_cap
    least = recharge.amount if recharge.to is None else (recharge.to - recharge.below).to_integral_value(ROUND_CEILING)
    for is_on, what, amount in (
        (recharge.level, "recharge", least), (recharge.every_day, "standing top-up", recharge.every_amount),
    ):  # fmt: skip
        if is_on and cap is not None and cap < amount:
            return f"the monthly cap of {cap:f} is less than a {what} of {amount:f}: none is ever charged"
    spendable = account.spendable(account.recorded_at)
    if recharge.level and recharge.to is None and spendable + recharge.amount < 0:
        return (
            f"the debt of {-spendable:f} is larger than a recharge of {recharge.amount:f}:"
            f" several are charged, one after the other, until {recharge.below:f} is reached"
        )
    if recharge.every_day and not recharge.level and spendable + recharge.every_amount < 0:
        return (
            f"the debt of {-spendable:f} is larger than a standing top-up of {recharge.every_amount:f}:"
            " what can be spent stays below 0 after the next one"
        )
    return ""
