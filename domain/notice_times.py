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

CREDIT_DAYS: Final = (60, 30, 7)  # before a lot expires
CARD_DAYS: Final = (30, 7)  # before the last day of a card's last month has ended


class _Time(NamedTuple):
    """An instant that is told of; `ends`: the lot whose end may make the level fall."""

    at: int
    kind: str
    cause: str
    facts: Facts
    ends: Lot | None = None


def next_time(account: CreditAccount, after: int) -> int | None:
    """The first instant after another at which there may be something to tell; None: never, as things stand."""
    return min((time.at for time in _times(account) if time.at > after), default=None)


def due(account: CreditAccount, after: int, upto: int) -> list[Notice]:
    """What the time from `after` (exclusive) to `upto` (inclusive) has caused, in order."""
    found: list[Notice] = []
    for time in sorted(_times(account), key=lambda each: each[:3]):
        if not after < time.at <= upto:
            continue
        if time.ends is None:
            found.append(make_notice(account, time.kind, time.cause, time.at, time.facts))
            continue
        before, now = account.spendable(time.ends.expires_at), account.spendable(time.at)
        for kind, _, facts in levels_fallen(account, before, now):
            found.append(make_notice(account, kind, time.cause, time.at, facts))
    return found


def _times(account: CreditAccount) -> Iterator[_Time]:
    for lot in account.open_lots:
        for days in CREDIT_DAYS:
            facts: Facts = {
                "lot": lot.id,
                "amount": f"{lot.remaining:f}",
                "expires_at": format_instant(lot.expires_at),
                "days": days,
            }
            yield _Time(lot.expires_at - days * DAY, "credit.expiring", f"{lot.id} {days}", facts)
        ended = lot.expires_at + 1  # it pays what began at its expiry
        yield _Time(ended, "", f"ended {ended}", {}, lot)
    for method in account.methods.values():
        if not method.expires:
            continue
        ends = account.months.end(method.expires)
        for days in CARD_DAYS:
            facts = {
                "method": method.id,
                "brand": method.brand,
                "last4": method.last4,
                "expires": f"{method.expires // 100}-{method.expires % 100:02}",
                "days": days,
            }
            yield _Time(ends - days * DAY, "card.expiring", f"{method.id} {method.expires} {days}", facts)
