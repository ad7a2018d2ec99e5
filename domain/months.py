"""Calendar months: which month an instant lies in, by the account's time zone, and months added to an instant.

A month is written year * 100 + month. A changed time zone holds from a month on; month M lasts from its own first
midnight to the first midnight of M + 1, each in the zone that holds for that month, so no instant is in two or none.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from domain.errors import Invalid

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
SECOND = 1_000_000
HOUR = 3600 * SECOND
DAY = 86_400 * SECOND
_MICROSECOND = timedelta(microseconds=1)
FIRST, LAST = datetime(1900, 1, 1, tzinfo=UTC), datetime(9000, 1, 1, tzinfo=UTC)


def to_datetime(at: int) -> datetime:
    """Microseconds since the epoch as an aware UTC datetime."""
    return EPOCH + timedelta(microseconds=at)


def to_microseconds(moment: datetime) -> int:
    """An aware datetime as microseconds since the epoch, exactly."""
    return (moment - EPOCH) // _MICROSECOND


def next_month(month: int) -> int:
    """202612 -> 202701."""
    return month + 1 if month % 100 < 12 else month + 89


def month_before(month: int) -> int:
    """202701 -> 202612."""
    return month - 1 if month % 100 > 1 else month - 89


def check_zone(name: str) -> str:
    """The name if the IANA database knows it. Raises Invalid."""
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise Invalid(
            "invalid_time_zone", f"{name!r} is no IANA time zone such as Europe/Ljubljana", "time_zone"
        ) from None
    return name


@lru_cache(4096)
def month_start(zone: str, month: int) -> int:
    """The first instant of a month in a zone."""
    return day_start(zone, month, 1)


def day_start(zone: str, month: int, day: int) -> int:
    """The first instant of a day of a month in a zone."""
    return to_microseconds(datetime(month // 100, month % 100, day, tzinfo=ZoneInfo(zone)))


@lru_cache(4096)
def _utc_month_of_day(day: int) -> int:
    moment = to_datetime(day * DAY)
    return moment.year * 100 + moment.month


def utc_month(at: int) -> int:
    """The calendar month of an instant in UTC."""
    return _utc_month_of_day(at // DAY)


def add_months(at: int, months: int) -> int:
    """The same day and time of day (UTC) that many months later; a day that is not there becomes the month's last."""
    moment = to_datetime(at)
    year, index = divmod(moment.year * 12 + moment.month - 1 + months, 12)
    if not FIRST.year <= year < LAST.year:
        raise Invalid("invalid_time", f"{months} months after {moment:%Y-%m-%d} is outside the calendar")
    for day in range(moment.day, 27, -1):
        try:
            return to_microseconds(moment.replace(year=year, month=index + 1, day=day))
        except ValueError:
            continue
    return to_microseconds(moment.replace(year=year, month=index + 1))


class Months:
    """The months of one account. `zones`: (first month it holds for, IANA name), oldest first, the first from 0."""

    __slots__ = ("_from", "_month", "_until", "zones")

    def __init__(self, zones: Sequence[tuple[int, str]]) -> None:
        self.zones = list(zones)
        self._from = self._until = self._month = 0

    def zone_of(self, month: int) -> str:
        """The zone that holds for a month."""
        return next(zone for first, zone in reversed(self.zones) if first <= month)

    def start(self, month: int) -> int:
        """The month's first instant."""
        return month_start(self.zone_of(month), month)

    def end(self, month: int) -> int:
        """The first instant after the month."""
        return self.start(next_month(month))

    def day(self, month: int, day: int) -> int:
        """The first instant of a day of the month."""
        return day_start(self.zone_of(month), month, day)

    def of(self, at: int) -> int:
        """The month an instant lies in."""
        if self._from <= at < self._until:
            return self._month
        month = utc_month(at)
        if at < self.start(month):
            month = month_before(month)
        elif at >= self.end(month):
            month = next_month(month)
        self._from, self._until, self._month = self.start(month), self.end(month), month
        return month

    def change(self, zone: str, first: int) -> None:
        """From month `first` on another zone holds."""
        self.zones = [z for z in self.zones if z[0] < first] + [(first, zone)]
        self._from = self._until = 0
