"""Notices that only the passing of time causes: credit that will expire, cards that will, a level that falls because a
lot has ended.

Each has its instant, made of the account's state alone. Whoever looks asks for what lies after the last look and up to
now; a look that comes late finds the same notices, and one that comes twice finds the same ids.
"""

from collections.abc import Iterator
from typing import Final, NamedTuple

from domain.account import CreditAccount
from domain.instants import format_instant
from domain.lots import Lot
from domain.months import DAY
from domain.notices import Facts, Notice, levels_fallen, make_notice
from domain.payment_state import Method

CREDIT_DAYS: Final = (60, 30, 7)  # before a lot expires
CARD_DAYS: Final = (30, 7)  # before the last day of a card's last month has ended


class _Time(NamedTuple):
    """An instant that is told of: so many days before a lot or a card ends; 0: a lot has ended."""

    at: int
    of: Lot | Method
    days: int


def next_time(account: CreditAccount, after: int) -> int | None:
    """The first instant after another at which there may be something to tell; None: never, as things stand."""
    return min((time.at for time in _times(account) if time.at > after), default=None)


def due(account: CreditAccount, after: int, upto: int) -> list[Notice]:
    """What the time from `after` (exclusive) to `upto` (inclusive) has caused, in order."""
    found: list[Notice] = []
    times = [(time.at, *_named(time), time) for time in _times(account) if after < time.at <= upto]
    for at, kind, cause, time in sorted(times, key=lambda each: each[:3]):
        if time.days:
            found.append(make_notice(account, kind, cause, at, _facts(time)))
            continue
        before, now = account.spendable(at - 1), account.spendable(at)
        for fallen, _, facts in levels_fallen(account, before, now):
            found.append(make_notice(account, fallen, cause, at, facts))
    return found


def _times(account: CreditAccount) -> Iterator[_Time]:
    for lot in account.open_lots:
        for days in CREDIT_DAYS:
            yield _Time(lot.expires_at - days * DAY, lot, days)
        yield _Time(lot.expires_at + 1, lot, 0)  # it pays what began at its expiry
    for method in account.methods.values():
        if method.expires:
            ends = account.months.end(method.expires)
            for days in CARD_DAYS:
                yield _Time(ends - days * DAY, method, days)


def _named(time: _Time) -> tuple[str, str]:
    """Kind and cause; an end has no kind of its own."""
    if isinstance(time.of, Method):
        return "card.expiring", f"{time.of.id} {time.of.expires} {time.days}"
    return ("credit.expiring", f"{time.of.id} {time.days}") if time.days else ("", f"ended {time.at}")


def _facts(time: _Time) -> Facts:
    if isinstance(time.of, Method):
        method = time.of
        return {
            "method": method.id,
            "brand": method.brand,
            "last4": method.last4,
            "expires": f"{method.expires // 100}-{method.expires % 100:02}",
            "days": time.days,
        }
    lot = time.of
    return {
        "lot": lot.id,
        "amount": f"{lot.remaining:f}",
        "expires_at": format_instant(lot.expires_at),
        "days": time.days,
    }
