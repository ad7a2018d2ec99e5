"""How long the credit lasts: from what the account has spent in whole days, of its own time zone, so far. Pure.

A day's spending is what credit paid (and what is billed later) of the calls that started in it, less what was taken
back of them. Only whole weeks count, so that each day of the week weighs alike; before 28 days all days do, and there
is no band yet, and no advice.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

from domain.account import CreditAccount
from domain.money import ZERO, quantum
from domain.months import to_datetime, to_microseconds

LEAST_DAYS: Final = 28
MOST_DAYS: Final = 84  # twelve weeks
FARTHEST_DAYS: Final = 3650
DAYS_A_RECHARGE: Final = 30  # that an advised amount lasts
DAYS_TO_REACT: Final = 4  # in which a declined card is tried again for the last time


class Advice(NamedTuple):
    """Settings for auto-recharge, and why these."""

    amount: Decimal
    below: Decimal
    why: str


class Forecast(NamedTuple):
    """Amounts a day. `days_left` and `empty_on`: None where there is no end in sight, or no basis."""

    first_day: date  # of the basis; it ends the day before today
    days: int
    per_day: Decimal | None
    p10: Decimal | None
    p90: Decimal | None
    days_left: int | None
    empty_on: date | None
    advice: Advice | None


def day_of(account: CreditAccount, at: int) -> date:
    """The day of an instant in the account's zone."""
    zone = account.months.zone_of(account.months.of(at))
    return to_datetime(at).astimezone(ZoneInfo(zone)).date()


def forecast(
    account: CreditAccount, spent: Mapping[date, Decimal], first_day: date, now: int, minimum: Decimal
) -> Forecast:
    """`spent` by day, from `first_day` on: that of the first usage. `minimum`: of a recharge."""
    today = day_of(account, now)
    days = min(MOST_DAYS, max(0, (today - first_day).days) // 7 * 7)
    if days < LEAST_DAYS:
        days = max(0, (today - first_day).days)
    if not days:
        return Forecast(first_day, 0, None, None, None, None, None, None)
    first = today - timedelta(days)
    amounts = sorted(spent.get(first + timedelta(day), ZERO) for day in range(days))
    smallest = quantum(account.scale)
    mean = sum(amounts, ZERO) / days
    per_day = mean.quantize(smallest, ROUND_HALF_UP)
    left = _days_left(account, mean, today, now) if mean > 0 else None
    empty_on = None if left is None else today + timedelta(left)
    if days < LEAST_DAYS:
        return Forecast(first, days, per_day, None, None, left, empty_on, None)
    p10, p90 = (_percentile(amounts, percent).quantize(smallest) for percent in (10, 90))
    return Forecast(first, days, per_day, p10, p90, left, empty_on, _advice(mean, p90, minimum))


def _percentile(ordered: Sequence[Decimal], percent: int) -> Decimal:
    """The least of the values that so many percent do not pass (nearest rank)."""
    return ordered[max(0, -(-len(ordered) * percent // 100) - 1)]


def _days_left(account: CreditAccount, mean: Decimal, today: date, now: int) -> int | None:
    """Whole days until what pays is used up, lots that expire before they are used included."""
    debt = account.debt
    lots = [(lot, lot.remaining) for lot in account.open_lots if lot.expires_at >= now]
    for day, ends_at in _days(account, today):
        due, kept = mean + debt, []
        debt = ZERO
        for lot, remaining in lots:
            paid = min(remaining, due)
            due -= paid
            if remaining > paid and lot.expires_at > ends_at:
                kept.append((lot, remaining - paid))
        lots = kept
        if due > 0 or not lots:
            return day if due > 0 else day + 1
    return None


def _days(account: CreditAccount, today: date) -> Iterator[tuple[int, int]]:
    """The days to come, and the end of each."""
    zone = ZoneInfo(account.months.zones[-1][1])
    for day in range(FARTHEST_DAYS):
        then = today + timedelta(day + 1)
        yield day, to_microseconds(to_datetime(0).replace(year=then.year, month=then.month, day=then.day, tzinfo=zone))


def _advice(mean: Decimal, p90: Decimal, minimum: Decimal) -> Advice | None:
    if mean <= 0:
        return None
    amount = max(_whole(mean * DAYS_A_RECHARGE), _whole(minimum))
    below = max(_whole(p90 * DAYS_TO_REACT), Decimal(1))
    why = (
        f"the amount lasts {DAYS_A_RECHARGE} days at {mean:.2f} a day, at least the minimum of {minimum:f}; the trigger"
        f" leaves {DAYS_TO_REACT} days of heavy use, {p90:.2f} a day, to mend a card that is declined"
    )
    return Advice(amount, below, why)


def _whole(amount: Decimal) -> Decimal:
    """Rounded up to whole units."""
    return amount.to_integral_value("ROUND_CEILING")
