"""domain.md, Included minutes come before credits: pools, splits, order, months."""

from decimal import Decimal

import pytest

from domain import commands
from domain.pools import Pool
from tests.support.given import (
    CREDITS,
    DIALOUT,
    US_120,
    US_120_OWN,
    US_BOTH,
    US_DOMESTIC,
    at,
    by,
    debit,
    deck,
    do,
    fund,
    license_user,
    opened,
    pool_draws,
    rate,
    usage,
)

NEW_YORK, LONDON, PUERTO_RICO, TORONTO = "+12125550100", "+442071234567", "+17875550100", "+14165550100"


def test_an_outgoing_domestic_call_takes_whole_minutes_of_the_plan_pool_and_no_credit() -> None:
    account = opened()
    license_user(account, "ana", "MCOPSTN1", US_DOMESTIC)
    event = debit(account, usage(NEW_YORK, 61))
    assert (pool_draws(event), event.amount) == ([("MCOPSTN1", "domestic", 2)], 0)
    assert event.proof is not None
    assert event.proof.prefix == ""


def test_licences_of_one_plan_and_country_share_a_pool() -> None:
    account = opened()
    for number in range(100):
        license_user(account, f"user-{number}", "MCOPSTN1", US_DOMESTIC)
    assert account.pools.size(Pool("MCOPSTN1", "domestic", "US", "", 202611)) == 300_000


def test_us_and_puerto_rico_are_one_area_and_canada_is_not() -> None:
    account = opened()
    license_user(account, "ana", "MCOPSTN1", US_DOMESTIC, "US")
    license_user(account, "bob", "MCOPSTN1", US_DOMESTIC, "PR")
    assert account.pools.size(Pool("MCOPSTN1", "domestic", "US", "", 202611)) == 6_000
    assert pool_draws(debit(account, usage(PUERTO_RICO), "ana")) == [("MCOPSTN1", "domestic", 1)]
    assert pool_draws(debit(account, usage(NEW_YORK), "bob")) == [("MCOPSTN1", "domestic", 1)]
    assert pool_draws(debit(account, usage(TORONTO), "ana")) == []


def test_international_calls_on_a_domestic_plan_are_paid_by_credit() -> None:
    account = opened()
    license_user(account, "ana", "MCOPSTN1", US_DOMESTIC)
    event = debit(account, usage(LONDON, 60))
    assert (pool_draws(event), event.amount) == ([], Decimal("0.1200"))


def test_a_plan_with_two_limits_is_exhausted_by_whichever_is_reached_first() -> None:
    account = opened()
    license_user(account, "ana", "MCOPSTN2", US_BOTH)
    event = debit(account, usage(LONDON, 601 * 60))
    assert pool_draws(event) == [("MCOPSTN2", "international", 600)]
    assert event.amount == Decimal("0.1200")
    domestic = Pool("MCOPSTN2", "domestic", "US", "", 202611)
    assert (account.pools.size(domestic), account.pools.remaining(domestic)) == (3000, 0)
    assert pool_draws(debit(account, usage(NEW_YORK))) == []


def test_the_narrower_plan_of_a_user_with_two_drains_first() -> None:
    account = opened()
    license_user(account, "ana", "MCOPSTN2", US_BOTH)
    license_user(account, "ana", "MCOPSTN5", US_120)
    event = debit(account, usage(NEW_YORK, 150 * 60))
    assert pool_draws(event) == [("MCOPSTN5", "domestic", 120), ("MCOPSTN2", "domestic", 30)]
    assert event.amount == 0


def test_an_unpooled_plan_belongs_to_its_user_alone() -> None:
    account = opened()
    license_user(account, "ana", "MCOPSTN8", US_120_OWN)
    license_user(account, "bob", "MCOPSTN8", US_120_OWN)
    assert pool_draws(debit(account, usage(NEW_YORK, 200 * 60), "ana")) == [("MCOPSTN8", "domestic", 120)]
    assert pool_draws(debit(account, usage(NEW_YORK, 60), "ana")) == []
    assert pool_draws(debit(account, usage(NEW_YORK, 60), "bob")) == [("MCOPSTN8", "domestic", 1)]


def test_a_call_that_empties_a_pool_is_split_and_credit_begins_in_the_slot_in_force_there_without_a_fee() -> None:
    account = opened()
    fund(account, "10")
    license_user(account, "ana", "MCOPSTN5", US_120)
    debit(account, usage(NEW_YORK, 119 * 60))
    event = debit(account, usage(NEW_YORK, 90), rates=deck(rate("", "0.60", increment=20, fee="0.50")))
    assert pool_draws(event) == [("MCOPSTN5", "domestic", 1)]
    assert event.proof is not None
    assert event.proof.slots[0].from_second == 60
    assert event.proof.slots[0].billed_seconds == 40  # 30 seconds in increments of 20 counted from second 60
    assert (event.amount, event.proof.connection_fee) == (Decimal("0.4000"), 0)


def test_the_fee_is_charged_when_the_pool_pays_nothing() -> None:
    account = opened()
    license_user(account, "ana", "MCOPSTN5", US_120)
    event = debit(account, usage(LONDON, 60), rates=deck(rate("", "0.10", fee="0.05")))
    assert event.amount == Decimal("0.1500")


def test_pools_begin_anew_each_calendar_month_without_carry_over() -> None:
    account = opened()
    license_user(account, "ana", "MCOPSTN5", US_120)
    debit(account, usage(NEW_YORK, 120 * 60, start="2026-10-31T23:59:59.999999Z"))
    november = debit(account, usage(NEW_YORK, 121 * 60, start="2026-11-01T00:00:00Z"))
    assert pool_draws(november) == [("MCOPSTN5", "domestic", 120)]


def test_the_month_is_that_of_the_accounts_zone_and_a_new_zone_holds_from_the_next_month() -> None:
    account = opened(time_zone="Europe/Ljubljana")
    license_user(account, "ana", "MCOPSTN5", US_120)
    event = debit(account, usage(NEW_YORK, 60, start="2026-10-31T23:30:00Z"))
    assert event.proof is not None
    assert event.proof.pools[0].month == 202611
    settings = account.settings
    changed = type(settings)(**{**{f: getattr(settings, f) for f in settings.__struct_fields__}, "time_zone": "UTC"})
    do(account, commands.change_settings(account, by("2026-11-22T10:00:00Z"), changed))
    assert account.months.of(at("2026-10-31T23:30:00Z")) == 202611
    assert account.months.of(at("2026-11-30T23:30:00Z")) == 202611  # December begins in UTC
    assert account.months.of(at("2026-12-31T23:30:00Z")) == 202612


def test_assigning_adds_the_whole_month_at_once_and_removing_leaves_what_was_not_used() -> None:
    account = opened()
    license_user(account, "ana", "MCOPSTN5", US_120)
    license_user(account, "bob", "MCOPSTN5", US_120)
    debit(account, usage(NEW_YORK, 150 * 60))
    pool = Pool("MCOPSTN5", "domestic", "US", "", 202611)
    do(account, commands.remove_licence(account, by(), "bob", "MCOPSTN5"))
    assert (account.pools.size(pool), account.pools.remaining(pool)) == (120, 0)
    license_user(account, "eva", "MCOPSTN5", US_120)
    assert account.pools.remaining(pool) == 90


def test_a_licence_with_a_start_covers_usage_that_started_since_and_one_without_covers_all_the_past() -> None:
    account = opened()
    license_user(account, "ana", "MCOPSTN5", US_120, starts="2026-11-10T00:00:00Z", ends="2026-11-20T00:00:00Z")
    license_user(account, "bob", "MCOPSTN6", US_120)
    starts = ["2026-11-09T23:59:59Z", "2026-11-10T00:00:00Z", "2026-11-19T23:59:59Z", "2026-11-20T00:00:00Z"]
    paid = [bool(pool_draws(debit(account, usage(NEW_YORK, start=start)))) for start in starts]
    assert paid == [False, True, True, False]
    assert pool_draws(debit(account, usage(NEW_YORK, start="2025-01-01T00:00:00Z"), "bob"))


def test_a_removed_licence_still_covers_late_records_of_calls_from_before() -> None:
    account = opened()
    license_user(account, "ana", "MCOPSTNPP", CREDITS)
    do(account, commands.remove_licence(account, by("2026-11-22T10:00:00Z"), "ana", "MCOPSTNPP"))
    fund(account, "10")
    assert debit(account, usage(start="2026-11-22T09:00:00Z")).flags == ()
    assert debit(account, usage(start="2026-11-22T10:00:00Z")).flags == ("unlicensed",)


def test_a_licence_assigned_twice_in_a_month_counts_once() -> None:
    account = opened()
    license_user(account, "ana", "MCOPSTN5", US_120)
    license_user(account, "ana", "MCOPSTN5", US_120, starts="2026-11-10T00:00:00Z")
    assert account.pools.size(Pool("MCOPSTN5", "domestic", "US", "", 202611)) == 120
    assert pool_draws(debit(account, usage(NEW_YORK, start="2026-11-05T00:00:00Z")))


def test_a_changed_home_sizes_only_the_new_countrys_pool_from_then_on() -> None:
    account = opened()
    license_user(account, "ana", "MCOPSTN5", US_120)
    license_user(account, "ana", "MCOPSTN5", US_120, "GB")
    assert account.pools.size(Pool("MCOPSTN5", "domestic", "US", "", 202611)) == 0
    assert pool_draws(debit(account, usage(LONDON))) == [("MCOPSTN5", "domestic", 1)]


def test_conference_dial_out_draws_on_the_tenants_pool_sized_by_purchased_licences() -> None:
    account = opened()
    do(account, commands.purchase_licences(account, by(), "MCOMEETADD", 115, DIALOUT))
    event = debit(account, usage(LONDON, 60, "conf_out"), "organizer")
    assert pool_draws(event) == [("MCOMEETADD", "dialout", 1)]
    assert account.pools.size(Pool("MCOMEETADD", "dialout", "", "", 202611)) == 6_900


@pytest.mark.parametrize(
    ("callee", "capability", "paid"),
    [
        (LONDON, "MCOMEETADD", True),
        ("+38612345678", "", True),  # SI is in Zone A
        ("+98212345678", "", False),  # IR is not
        ("+80012345678", "", False),  # no country
        (LONDON, "MCOMEETACPEA", False),
    ],
)
def test_only_zone_a_and_not_pay_per_minute_conferences_draw_on_the_dial_out_pool(
    callee: str, capability: str, paid: bool
) -> None:
    account = opened()
    do(account, commands.purchase_licences(account, by(), "MCOMEETADD", 1, DIALOUT))
    assert bool(pool_draws(debit(account, usage(callee, 60, "conf_out", capability=capability)))) is paid


def test_calls_out_of_meetings_are_calls_and_draw_on_the_plan() -> None:
    account = opened()
    license_user(account, "ana", "MCOPSTN1", US_DOMESTIC)
    do(account, commands.purchase_licences(account, by(), "MCOMEETADD", 1, DIALOUT))
    assert pool_draws(debit(account, usage(NEW_YORK, 60, "user_out_conf"))) == [("MCOPSTN1", "domestic", 1)]


@pytest.mark.parametrize(("after", "expected"), [("credit", []), ("plan", [("MCOPSTN1", "domestic", 2)])])
def test_after_the_dial_out_pool_comes_credit_or_the_callers_plan_as_set(
    after: str, expected: list[tuple[str, str, int]]
) -> None:
    account = opened(after_dialout_pool=after)
    license_user(account, "ana", "MCOPSTN1", US_DOMESTIC)
    do(account, commands.purchase_licences(account, by(), "MCOMEETADD", 1, DIALOUT))
    event = debit(account, usage(NEW_YORK, 62 * 60, "conf_out"))
    assert pool_draws(event) == [("MCOMEETADD", "dialout", 60), *expected]


def test_pools_may_be_sized_by_purchased_plans_and_assigned_conference_licences_instead() -> None:
    account = opened(plan_pool_by="purchased", dialout_pool_by="assigned", country="US")
    license_user(account, "ana", "MCOPSTN5", US_120)
    license_user(account, "ana", "MCOMEETADD", DIALOUT)
    do(account, commands.purchase_licences(account, by(), "MCOPSTN5", 3, US_120))
    do(account, commands.purchase_licences(account, by(), "MCOMEETADD", 50, DIALOUT))
    assert account.pools.size(Pool("MCOPSTN5", "domestic", "US", "", 202611)) == 360
    assert account.pools.size(Pool("MCOMEETADD", "dialout", "", "", 202611)) == 60


def test_inbound_toll_free_never_draws_on_minutes() -> None:
    account = opened()
    license_user(account, "ana", "MCOPSTN1", US_DOMESTIC)
    event = debit(account, usage("+18005550100", 60, "user_in", number_type="Toll-Free"))
    assert (pool_draws(event), event.amount) == ([], Decimal("0.1200"))


def test_a_masked_destination_finds_its_pool_by_the_visible_digits() -> None:
    account = opened()
    license_user(account, "ana", "MCOPSTN1", US_DOMESTIC)
    assert pool_draws(debit(account, usage("+1212555****"))) == [("MCOPSTN1", "domestic", 1)]


def test_a_zero_second_call_takes_no_minutes() -> None:
    account = opened()
    license_user(account, "ana", "MCOPSTN1", US_DOMESTIC)
    assert pool_draws(debit(account, usage(NEW_YORK, 0))) == []
