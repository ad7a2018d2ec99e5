"""Lots and pools, whatever comes in whatever order, held against models that know a list and a few counters."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from domain import commands
from domain.commands import By, Funds
from domain.events import Limits
from domain.months import DAY
from tests.support.given import US_120, US_120_OWN, at, debit, deck, do, license_user, opened, pool_draws, rate, usage

DAY_0 = at("2026-06-01T00:00:00Z")
NOW = at("2026-12-31T00:00:00Z")
UNIT_A_SECOND = deck(rate("", "60", increment=1))
NEW_YORK, LONDON = "+12125550100", "+442071234567"
EITHER = Limits("domestic_or_international", True, 40, 10, 0)  # minutes: domestic, international

days = st.integers(0, 60)
purchases = st.tuples(st.just("funds"), days, st.integers(1, 300), st.integers(1, 40))  # day, amount, days it lasts
costs = st.tuples(st.just("call"), days, st.integers(0, 400), st.just(0))  # day, amount


@given(st.lists(purchases | costs, max_size=25))
def test_lots_are_a_queue_that_expires_and_what_none_pays_is_debt(
    story: list[tuple[str, int, int, int]],
) -> None:
    account, debt = opened(scale=0), 0
    queue: list[list[int]] = []  # bought on day, turn, good until day, left
    for turn, (kind, day, amount, lasts) in enumerate(story):
        if kind == "funds":
            bought = DAY_0 + day * DAY
            funds = Funds(Decimal(amount), at=bought, expires_at=bought + lasts * DAY)
            do(account, commands.add_funds(account, By(NOW, "ana", "cli"), funds))
            covered = min(debt, amount)
            debt -= covered
            queue.append([day, turn, day + lasts, amount - covered])
        else:
            start = f"2026-{6 + day // 30:02}-{1 + day % 30:02}T00:00:00Z"
            day = (at(start) - DAY_0) // DAY  # July has 31 days
            debit(account, usage(LONDON, amount, start=start, usage_id=f"u-{turn}"), rates=UNIT_A_SECOND)
            for lot in sorted(queue):
                paid = min(lot[3], amount) if day <= lot[2] else 0
                lot[3] -= paid
                amount -= paid
            debt += amount
        assert [lot.remaining for lot in account.open_lots] == [lot[3] for lot in sorted(queue) if lot[3]]
        assert account.debt == debt


calls = st.tuples(
    st.sampled_from(["ana", "bob", "cy", "dee", "eve"]), st.sampled_from([NEW_YORK, LONDON]), st.integers(6, 8),
    st.integers(0, 3_000),
)  # fmt: skip


@given(st.lists(calls, max_size=40))
def test_pools_pay_whole_minutes_until_they_are_empty_and_credit_pays_the_rest(
    story: list[tuple[str, str, int, int]],
) -> None:
    account = opened(scale=0)
    for user, plan, limits in (
        ("ana", "MCOPSTN5", US_120), ("bob", "MCOPSTN5", US_120), ("cy", "MCOPSTN8", US_120_OWN),
        ("eve", "MCOPSTN2", EITHER),
    ):  # fmt: skip
        license_user(account, user, plan, limits)
    used: Counter[tuple[str, int]] = Counter()  # minutes by pool and month
    for turn, (user, callee, month, seconds) in enumerate(story):
        domestic = callee == NEW_YORK
        name, left = "", 0
        if user == "eve":
            name = "domestic" if domestic else "international"
            rest = 40 - used["domestic", month], 10 - used["international", month]
            left = rest[not domestic] if min(rest) else 0  # either limit ends both
        elif domestic and user != "dee":
            name = "own" if user == "cy" else "shared"
            left = (120 if user == "cy" else 240) - used[name, month]
        minutes = min(left, -(-seconds // 60))
        used[name, month] += minutes

        call = usage(callee, seconds, start=f"2026-{month:02}-15T10:00:00Z", usage_id=f"u-{turn}")
        event = debit(account, call, user, UNIT_A_SECOND)

        assert [drawn for _, _, drawn in pool_draws(event)] == ([minutes] if minutes else [])
        assert event.amount == max(0, seconds - 60 * minutes)
