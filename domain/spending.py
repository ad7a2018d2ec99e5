"""Whether an hour's spending is unusual: held against the same hours of the last four weeks.

An hour is counted since the epoch (UTC). The same hour of another week has the same time of day in the account's zone,
also where a clock was changed in between.
"""

from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

from domain.account import CreditAccount
from domain.instants import format_instant
from domain.money import ZERO
from domain.months import to_datetime, to_microseconds
from domain.notices import Notice, make_notice

WEEKS: Final = 4
HOUR: Final = 3_600_000_000  # µs


class Usual(NamedTuple):
    """From which spending an hour is unusual: so many times the mean of the same hours, and at least the floor."""

    factor: Decimal
    floor: Decimal


def same_hours(account: CreditAccount, hour: int) -> list[int]:
    """Those of the weeks before in which the account was open already, newest first."""
    start = hour * HOUR
    local = to_datetime(start).astimezone(ZoneInfo(account.months.zone_of(account.months.of(start))))
    earlier = (local - timedelta(weeks=weeks) for weeks in range(1, WEEKS + 1))  # the same time on the wall
    return [found for found in (to_microseconds(each) // HOUR for each in earlier) if found * HOUR >= account.opened_at]


def unusual(account: CreditAccount, hour: int, spent: Decimal, before: Sequence[Decimal], usual: Usual) -> list[Notice]:
    """The notice of an hour, at most one ever. `before`: what the same hours had; where there are none, none."""
    if not before or spent < usual.floor:
        return []
    mean = sum(before, ZERO) / len(before)
    if spent <= mean * usual.factor:
        return []
    one = Decimal(1).scaleb(-account.scale)
    facts = {
        "hour": format_instant(hour * HOUR),
        "spent": f"{spent.quantize(one):f}",
        "usual": f"{mean.quantize(one):f}",
    }
    return [make_notice(account, "spend.unusual", str(hour), hour * HOUR, facts)]
