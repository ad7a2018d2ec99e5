"""Included minutes: which pools a call may draw on, how large they are, and what they have paid.

A pool is a plan's minutes for one area (or one user) and one calendar month. Its size follows the licences; what was
used is on the debits and never changes. Minutes are whole, each call rounded up; a call that empties a pool is split.
"""

from collections.abc import Iterator
from sys import intern
from typing import NamedTuple

import msgspec

from domain.events import Limits, PoolDraw
from domain.months import Months
from domain.numbers import ZONE_A, area_of

DOMESTIC, INTERNATIONAL, DIALOUT = "domestic", "international", "dialout"
CREDITS_LICENCE = "MCOPSTNPP"
_LIMITS: dict[Limits, Limits] = {}  # a few for each plan that there is
CALLING_PLANS = ("domestic", "domestic_or_international")  # kinds of limits


class Licence(msgspec.Struct, array_like=True):
    """A plan that a user (pseudonym) holds. `removed_at` differs from `ends_at` in what the month of it still
    counts.
    """

    user: str
    plan: str
    country: str
    starts_at: int | None
    ends_at: int | None  # exclusive
    limits: Limits
    removed_at: int | None = None

    def covers(self, at: int) -> bool:
        """Whether a call that started then was made under this licence."""
        return (
            (self.starts_at is None or self.starts_at <= at)
            and (self.ends_at is None or at < self.ends_at)
            and (self.removed_at is None or at < self.removed_at)
        )

    def counts_in(self, start: int, end: int) -> bool:
        """Whether it sizes the pool of the month from `start` to `end`: whole while it lasts, gone when removed."""
        return (
            (self.starts_at is None or self.starts_at < end)
            and (self.ends_at is None or self.ends_at > start)
            and (self.removed_at is None or self.removed_at >= end)
        )


class Purchased(msgspec.Struct, array_like=True):
    """How many licences of a plan the organisation has bought, with the limits of each."""

    count: int
    limits: Limits


class Pool(NamedTuple):
    """A pool's identity."""

    plan: str
    kind: str
    country: str
    user: str
    month: int


class Pools:
    """All pools of one account: sizes from licences, use from debits."""

    __slots__ = (
        "_plans",
        "_sizes",
        "by_assigned",
        "by_purchased",
        "country",
        "licences",
        "months",
        "purchased",
        "used",
    )

    def __init__(self, months: Months) -> None:
        self.months = months
        self.country = ""
        self.licences: dict[str, list[Licence]] = {}
        self.purchased: dict[str, Purchased] = {}
        self.used: dict[Pool, int] = {}
        self.by_purchased = False  # calling plans are sized by purchased instead of assigned licences
        self.by_assigned = False  # the dial-out pool by assigned instead of purchased licences
        self._sizes: dict[Pool, int] = {}
        self._plans: dict[str, list[Licence]] = {}  # by user, the licences that have pools

    def changed(self) -> None:
        """Licences or settings changed: sizes are computed anew."""
        self._sizes.clear()
        self._plans.clear()

    def hold(self, licence: Licence) -> None:
        """One more of the user's, as it is. What thousands of accounts have in common is in memory once."""
        licence.plan, licence.country = intern(licence.plan), intern(licence.country)
        licence.limits = _LIMITS.setdefault(licence.limits, licence.limits)
        self.licences.setdefault(licence.user, []).append(licence)

    def assign(self, licence: Licence) -> None:
        """One that the user holds already of that plan ends where this begins, or gives way to it."""
        kept = []
        for other in self.licences.get(licence.user, ()):
            if other.plan == licence.plan and _overlap(other, licence):
                if licence.starts_at is None or (other.starts_at is not None and other.starts_at >= licence.starts_at):
                    continue
                other.ends_at = licence.starts_at
            kept.append(other)
        self.licences[licence.user] = kept
        self.hold(licence)
        kept.sort(key=_narrow_first)
        self.changed()

    def remove(self, user: str, plan: str, at: int) -> None:
        """The user's licence of that plan ends now."""
        for licence in self.licences.get(user, ()):
            if licence.plan == plan and licence.removed_at is None:
                licence.removed_at = at
        self.changed()

    def licensed(self, user: str, at: int) -> bool:
        """Whether the user held the credits licence when the call started."""
        for licence in self.licences.get(user, ()):  # noqa: SIM110 - any() takes twice as long, and each debit asks
            if licence.plan == CREDITS_LICENCE and licence.covers(at):
                return True
        return False

    def size(self, pool: Pool) -> int:
        """Whole minutes of a month, before any use."""
        known = self._sizes.get(pool)
        if known is None:
            known = self._sizes[pool] = self._dialout_size(pool) if pool.kind == DIALOUT else self._plan_size(pool)
        return known

    def remaining(self, pool: Pool) -> int:
        """Minutes left, never below 0; a limit of a plan with two that is reached exhausts both."""
        left = self.size(pool) - self.used.get(pool, 0)
        if left > 0 and pool.kind != DIALOUT:
            twin = pool._replace(kind=INTERNATIONAL if pool.kind == DOMESTIC else DOMESTIC)
            used = self.used.get(twin)
            if used is not None and used >= self.size(twin) and self._has_both(pool.plan):
                return 0
        return max(left, 0)

    def spend(self, draws: tuple[PoolDraw, ...]) -> None:
        """Book what pools paid."""
        used = self.used
        for plan, kind, country, user, month, minutes in map(_row, draws):
            pool = Pool(plan, kind, country, user, month)
            used[pool] = used.get(pool, 0) + minutes

    def give_back(self, draws: tuple[PoolDraw, ...]) -> None:
        """Minutes of a call that was taken back return to their month."""
        for plan, kind, country, user, month, minutes in map(_row, draws):
            pool = Pool(plan, kind, country, user, month)
            self.used[pool] -= minutes
            if not self.used[pool]:
                del self.used[pool]

    def plans_of(self, user: str) -> list[Licence]:
        """The licences of calling plans that a user holds or has held, the narrower first."""
        plans = self._plans.get(user)
        if plans is None:
            held = self.licences.get(user, ())
            plans = self._plans[user] = [each for each in held if each.limits.kind in CALLING_PLANS]
        return plans

    def for_call(self, user: str, country: str | None, at: int) -> Iterator[Pool]:
        """The calling-plan pools that a user's outgoing call to a country may draw on, the narrower plan first."""
        month = self.months.of(at)
        area = area_of(country) if country else None
        for licence in self.plans_of(user):
            if not licence.covers(at):
                continue
            kind = licence.limits.kind
            home = area_of(licence.country)
            if area == home:
                kind = DOMESTIC
            elif kind == DOMESTIC:
                continue
            else:
                kind = INTERNATIONAL
            yield Pool(licence.plan, kind, home, "" if licence.limits.pooled else user, month)

    def for_dialout(self, country: str | None, at: int) -> Iterator[Pool]:
        """The conference dial-out pools of the whole tenant; only destinations of Zone A draw on them."""
        if country not in ZONE_A:
            return
        month = self.months.of(at)
        for plan in sorted(self._dialout_plans()):
            yield Pool(plan, DIALOUT, "", "", month)

    def known(self, month: int) -> list[Pool]:
        """The pools to show: all of the running month, and earlier ones that were used."""
        pools = set(self.used) | {p for p in self._of_month(month) if self.size(p)}
        return sorted(pools, key=lambda p: (-p.month, p.plan, p.kind, p.country, p.user))

    def _of_month(self, month: int) -> Iterator[Pool]:
        for plan in self._dialout_plans():
            yield Pool(plan, DIALOUT, "", "", month)
        for user, held in self.licences.items():
            for licence in held:
                kinds = {"domestic": (DOMESTIC,), "domestic_or_international": (DOMESTIC, INTERNATIONAL)}
                for kind in kinds.get(licence.limits.kind, ()):
                    owner = "" if licence.limits.pooled else user
                    yield Pool(licence.plan, kind, area_of(licence.country), owner, month)

    def _dialout_plans(self) -> set[str]:
        plans = {plan for plan, bought in self.purchased.items() if bought.limits.kind == DIALOUT}
        if self.by_assigned:
            return {
                held.plan for all_held in self.licences.values() for held in all_held if held.limits.kind == DIALOUT
            }
        return plans

    def _has_both(self, plan: str) -> bool:
        return any(
            licence.limits.kind == "domestic_or_international"
            for held in self.licences.values()
            for licence in held
            if licence.plan == plan
        )

    def _counting(self, pool: Pool) -> list[Licence]:
        """The licences that size a pool, one a user however often it was assigned in the month."""
        start, end = self.months.start(pool.month), self.months.end(pool.month)
        counting = {}
        for user, held in self.licences.items():
            for licence in held:
                if (
                    licence.plan == pool.plan
                    and (pool.kind == DIALOUT or area_of(licence.country) == pool.country)
                    and licence.counts_in(start, end)
                ):
                    counting[user] = licence
        return list(counting.values())

    def _dialout_size(self, pool: Pool) -> int:
        if self.by_assigned:
            return sum(licence.limits.dialout_minutes for licence in self._counting(pool))
        bought = self.purchased.get(pool.plan)
        return bought.count * bought.limits.dialout_minutes if bought else 0

    def _plan_size(self, pool: Pool) -> int:
        if self.by_purchased and not pool.user:
            bought = self.purchased.get(pool.plan)
            if bought is None or (self.country and area_of(self.country) != pool.country):
                return 0
            return bought.count * _minutes(bought.limits, pool.kind)
        return sum(
            _minutes(licence.limits, pool.kind)
            for licence in self._counting(pool)
            if not pool.user or licence.user == pool.user
        )


def _overlap(one: Licence, other: Licence) -> bool:
    if one.removed_at is not None:
        return False
    return (one.ends_at is None or other.starts_at is None or other.starts_at < one.ends_at) and (
        other.ends_at is None or one.starts_at is None or one.starts_at < other.ends_at
    )


def minutes_of(seconds: int) -> int:
    """A pool takes whole minutes, each call rounded up."""
    return -(-seconds // 60)


def pay(pools: Pools, candidates: Iterator[Pool], duration_seconds: int) -> tuple[tuple[PoolDraw, ...], int]:
    """What the pools pay of a call, in order, and the second from which credit pays (the duration when pools pay
    all).
    """
    draws: list[PoolDraw] = []
    from_second = 0
    for pool in candidates:
        if from_second >= duration_seconds:
            break
        minutes = min(pools.remaining(pool), minutes_of(duration_seconds - from_second))
        if minutes:
            draws.append(PoolDraw(*pool, minutes))
            from_second += minutes * 60
    return tuple(draws), min(from_second, duration_seconds)


def _row(draw: PoolDraw) -> tuple[str, str, str, str, int, int]:
    return (draw.plan, draw.kind, draw.country, draw.user, draw.month, draw.minutes)


def _narrow_first(licence: Licence) -> tuple[bool, str]:
    return (licence.limits.kind != "domestic", licence.plan)


def _minutes(limits: Limits, kind: str) -> int:
    return limits.domestic_minutes if kind == DOMESTIC else limits.international_minutes
