"""When a recharge begins: the level after every event of an account, a standing top-up on its day.

A level, not an edge: armed, nothing open, and `spendable` strictly below the trigger. The month's cap and the limit per
hour stop a run-away. Pure; whatever is answered belongs into the same commit as what made it due.
"""

from collections.abc import Iterable, Iterator
from decimal import ROUND_CEILING, Decimal

from domain.account import CreditAccount
from domain.events import AutoRechargeTriggered, Event
from domain.money import quantum
from domain.months import month_before
from domain.payment_events import RechargeCapped, RechargeSuspended
from domain.recharge import ARMED, LEVEL, POLICY, STANDING, Policy, Recharge

Due = AutoRechargeTriggered | RechargeCapped | RechargeSuspended


def due_trigger(account: CreditAccount, policy: Policy = POLICY, now: int = 0) -> Due | None:
    """What the level makes due, at the later of `now` and the account's last recorded time."""
    recharge = account.recharge
    if recharge.state != ARMED or not recharge.level or recharge.recharge_id:
        return None
    at = now if now > account.recorded_at else account.recorded_at  # each debit asks
    spendable = account.spendable(at)
    if spendable >= recharge.below:
        return None
    amount = recharge_amount(recharge, spendable, policy.minimum, account.scale)
    return _due(account, policy, at, LEVEL, amount, spendable, 0)


def due_standing(account: CreditAccount, policy: Policy = POLICY, now: int = 0) -> Due | None:
    """The standing top-up, when its day has come and nothing is open. Months that were missed are made up once."""
    recharge = account.recharge
    if recharge.state != ARMED or not recharge.every_day or recharge.recharge_id:
        return None
    at = max(now, account.recorded_at)
    month = standing_month(account, at, recharge.every_day)
    if month <= recharge.every_done:
        return None
    return _due(account, policy, at, STANDING, recharge.every_amount, account.spendable(at), month)


def standing_month(account: CreditAccount, at: int, day: int) -> int:
    """The last month of which that day has come."""
    month = account.months.of(at)
    return month if at >= account.months.day(month, day) else month_before(month)


def recharge_amount(recharge: Recharge, spendable: Decimal, minimum: Decimal, scale: int) -> Decimal:
    """What a recharge by level adds: the amount, or what fills up to `to` in whole units, at least the minimum."""
    if recharge.to is None:
        return recharge.amount
    missing = (recharge.to - spendable).to_integral_value(ROUND_CEILING)
    return max(missing, minimum).quantize(quantum(scale))


def _due(
    account: CreditAccount, policy: Policy, at: int, kind: str, amount: Decimal, spendable: Decimal, month: int
) -> Due | None:
    recharge, cap = account.recharge, account.recharge.monthly_cap
    cause = f"{account.account_id}@{account.version}"
    if cap is not None:
        running = account.months.of(at)
        charged = recharge.charged_in(running)
        if charged + amount > cap:
            until = account.months.end(running)
            if (recharge.capped_until, recharge.capped_by) == (until, cap):
                return None
            return RechargeCapped(
                RechargeCapped.VERSION, at, at, "engine", "engine", "", cause, until, amount, charged, cap
            )  # fmt: skip
    if kind == LEVEL and len(recharge.recent(at)) >= policy.recharges_per_hour:
        return RechargeSuspended(RechargeSuspended.VERSION, at, at, "engine", "engine", "", cause, "too_frequent", "")
    return AutoRechargeTriggered(
        AutoRechargeTriggered.VERSION, at, at, "engine", "engine", "", cause,
        f"rch-{account.account_id}-{account.version + 1}", amount, recharge.below, spendable, kind, month,
    )  # fmt: skip


def look_again(account: CreditAccount, now: int, policy: Policy = POLICY) -> list[Event]:
    """What time alone makes due: a lot has expired, a month or the standing top-up's day has come."""
    due = due_trigger(account, policy, now) or due_standing(account, policy, now)
    return [] if due is None else [due]


def with_trigger(account: CreditAccount, events: Iterable[Event], policy: Policy = POLICY) -> list[Event]:
    """Apply the events, each followed by the trigger it makes due; answers all of them in order."""
    return list(_with_trigger(account, events, policy))


def _with_trigger(account: CreditAccount, events: Iterable[Event], policy: Policy) -> Iterator[Event]:
    for event in events:
        account.apply(event, account.version + 1)
        yield event
        due = due_trigger(account, policy)
        if due is not None:
            account.apply(due, account.version + 1)
            yield due
