"""What the time alone causes: each once, whenever and however often somebody looks, whatever clocks do."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain import methods
from domain.account import CreditAccount
from domain.instants import format_instant
from domain.months import DAY
from domain.notice_times import due, next_time
from domain.notices import Notice, set_low_balance
from domain.spending import HOUR, Usual, same_hours, unusual
from tests.support.given import at, by, do, fund, opened
from tests.support.paying import VISA, spend

BEGIN = at("2026-01-01")
EXPIRY = "2026-12-01T00:00:00Z"


def expiring(*amounts: str, **settings: str) -> CreditAccount:
    account = opened(scale=0, **settings)
    for amount in amounts:
        fund(account, amount, "2026-01-02T00:00:00Z", "2026-01-02T00:00:00Z", expires_at=at(EXPIRY))
    return account


def told(account: CreditAccount, *looks: str) -> list[Notice]:
    """What is found by looking at those times, one after the other."""
    after, found = BEGIN, []
    for look in looks:
        if at(look) > after:
            found += due(account, after, at(look))
            after = at(look)
    return found


def brief(notices: list[Notice]) -> list[tuple[str, str]]:
    return [(notice.kind, format_instant(notice.at)) for notice in notices]


def test_credit_that_expires_is_told_60_30_and_7_days_before_with_the_amount() -> None:
    account = expiring("100")
    found = told(account, "2026-12-31")

    assert brief(found)[:3] == [
        ("credit.expiring", "2026-10-02T00:00:00Z"),
        ("credit.expiring", "2026-11-01T00:00:00Z"),
        ("credit.expiring", "2026-11-24T00:00:00Z"),
    ]
    assert found[0].facts == {"lot": "lot-2", "amount": "100", "expires_at": EXPIRY, "days": 60, "currency": "EUR"}


def test_nothing_is_told_before_its_instant_and_all_of_it_at_its_instant() -> None:
    account = expiring("100")

    assert told(account, "2026-10-01T23:59:59.999999Z") == []
    assert len(told(account, "2026-10-02")) == 1
    assert next_time(account, BEGIN) == at("2026-10-02")
    assert next_time(account, at("2026-10-02")) == at("2026-11-01")


def test_what_was_spent_meanwhile_does_not_expire() -> None:
    account = expiring("100")
    spend(account, 60, by("2026-01-03T00:00:00Z"))
    assert told(account, "2026-10-03")[0].facts["amount"] == "40"
    spend(account, 40, by("2026-01-03T00:00:00Z"))

    assert next_time(account, BEGIN) is None


def test_a_level_that_falls_because_a_lot_ends_is_told_at_its_end() -> None:
    account = expiring("100")
    do(account, set_low_balance(account, by("2026-01-03T00:00:00Z"), Decimal(10)))

    found = told(account, "2026-11-30", "2026-12-01", "2026-12-02")

    assert brief(found)[3:] == [
        ("balance.low", "2026-12-01T00:00:00.000001Z"),
        ("balance.zero", "2026-12-01T00:00:00.000001Z"),
    ]
    assert found[3].facts["spendable"] == "0"


def test_lots_that_end_together_make_the_level_fall_once() -> None:
    found = told(expiring("100", "50"), "2026-12-02")

    zeros = [notice for notice in found if notice.kind == "balance.zero"]
    assert len({notice.id for notice in zeros}) == 1


def test_a_level_that_others_hold_up_is_not_told() -> None:
    account = expiring("100")
    fund(account, "5", "2026-01-03T00:00:00Z", "2026-01-03T00:00:00Z")

    assert "balance.zero" not in [notice.kind for notice in told(account, "2026-12-02")]


@given(st.lists(st.integers(-40 * DAY, 400 * DAY), max_size=12))
def test_any_looks_tell_each_once_also_when_the_clock_is_set_back(moves: list[int]) -> None:
    account = expiring("100", time_zone="Europe/Ljubljana")
    do(account, methods.add_card(account, by("2026-01-03T00:00:00Z"), "stripe", "c", VISA, "visa", "4242", 202610))
    looked, now, found = BEGIN, BEGIN, []
    for move in moves:
        now += move
        if now > looked:
            found += due(account, looked, now)
            looked = now
    found += due(account, looked, at("2028-01-01"))

    assert len(found) == len({notice.id for notice in found})
    assert {notice.id for notice in found} == {notice.id for notice in due(account, BEGIN, at("2028-01-01"))}


@pytest.mark.parametrize(
    ("month", "zone", "thirty", "seven"),
    [
        (202611, "UTC", "2026-11-01T00:00:00Z", "2026-11-24T00:00:00Z"),
        # the end of March is in summer time, and 30 days before it is not
        (202603, "Europe/Ljubljana", "2026-03-01T22:00:00Z", "2026-03-24T22:00:00Z"),
        (202802, "America/New_York", "2028-01-31T05:00:00Z", "2028-02-23T05:00:00Z"),
    ],
)
def test_a_card_is_told_30_and_7_days_before_its_last_month_ends(
    month: int, zone: str, thirty: str, seven: str
) -> None:
    account = opened(time_zone=zone)
    do(account, methods.add_card(account, by("2026-01-03T00:00:00Z"), "stripe", "c", VISA, "visa", "4242", month))

    assert brief(told(account, "2029-01-01")) == [("card.expiring", thirty), ("card.expiring", seven)]


def test_a_card_that_was_renewed_or_removed_is_not_told() -> None:
    account = opened()
    who = by("2026-01-03T00:00:00Z")
    do(account, methods.add_card(account, who, "stripe", "c", VISA, "visa", "4242", 202611))
    [method] = account.methods
    do(account, methods.update_method(account, who, method, "visa", "4242", 203011))
    assert told(account, "2027-01-01") == []
    do(account, methods.remove_method(account, who, method))

    assert next_time(account, BEGIN) is None


USUAL = Usual(Decimal(4), Decimal(20))
HOUR_OF = at("2026-11-24T10:00:00Z") // HOUR


@pytest.mark.parametrize(
    ("spent", "before", "is_unusual"),
    [
        ("40.01", ["10", "10", "10", "10"], True),
        ("40", ["10", "10", "10", "10"], False),
        ("19.99", ["0", "0", "0", "0"], False),
        ("20", ["0", "0", "0", "0"], True),
        ("500", [], False),  # the account is too young to tell
        ("90", ["80"], False),
    ],
)
def test_an_hour_is_unusual_by_factor_and_floor(spent: str, before: list[str], is_unusual: bool) -> None:
    found = unusual(opened(), HOUR_OF, Decimal(spent), [Decimal(each) for each in before], USUAL)

    assert [notice.kind for notice in found] == ["spend.unusual"] * is_unusual
    if found:
        assert found[0].facts["hour"] == "2026-11-24T10:00:00Z"


def test_an_hour_is_told_once_however_much_is_spent_in_it() -> None:
    account = opened()
    before = [Decimal(1)]
    first, second = (unusual(account, HOUR_OF, Decimal(spent), before, USUAL)[0] for spent in (30, 300))

    assert first.id == second.id
    assert first.id != unusual(account, HOUR_OF + 1, Decimal(30), before, USUAL)[0].id


def test_the_same_hours_are_those_on_the_wall_of_the_account() -> None:
    account = opened(time_zone="Europe/Ljubljana", when="2026-01-01T00:00:00Z")
    # 2026-10-25 the clock went back: 09:00 there is 08:00 UTC after it and 07:00 UTC before
    hour = at("2026-11-05T08:00:00Z") // HOUR

    assert [format_instant(each * HOUR) for each in same_hours(account, hour)] == [
        "2026-10-29T08:00:00Z",
        "2026-10-22T07:00:00Z",
        "2026-10-15T07:00:00Z",
        "2026-10-08T07:00:00Z",
    ]


def test_weeks_before_the_account_was_opened_do_not_count() -> None:
    account = opened(when="2026-11-12T00:00:00Z")

    assert [format_instant(each * HOUR) for each in same_hours(account, HOUR_OF)] == ["2026-11-17T10:00:00Z"]
