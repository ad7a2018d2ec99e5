"""What a recharge adds, and what stops a run-away: targets, the month's cap, the limit per hour, standing top-ups."""

from __future__ import annotations

from decimal import Decimal

import msgspec
import pytest

from domain import commands, payments
from domain.account import CreditAccount
from domain.by import By
from domain.commands import Level
from domain.errors import DomainError
from domain.events import AutoRechargeTriggered, Event
from domain.named import recharge_view
from domain.payment_events import RechargeCapped, RechargeSuspended, StandingRechargeConfigured
from domain.recharge import POLICY
from domain.recharging import warning
from domain.triggers import look_again, with_trigger
from tests.support import paying
from tests.support.given import at, by, do, names, opened
from tests.support.paying import MINIMUM, armed, later, open_of, set_level, spend


def _now(when: str) -> By:
    return By(at(when), "ana", "cli")


def _brings_money(account: CreditAccount, who: By | None = None) -> list[Event]:
    """The open recharge is paid."""
    paying.created(account, who=who)
    paying.tried(account, who=who)
    amount = account.payments[open_of(account)].amount
    return paying.succeeded(account, who=who, amount=f"{amount:f}")


def _every(account: CreditAccount, who: By, day: int = 15, amount: int = 100) -> list[Event]:
    return do(account, commands.set_standing(account, who, Decimal(amount), day, MINIMUM))


def _look(account: CreditAccount, when: str) -> list[Event]:
    return do(account, look_again(account, at(when)))


@pytest.mark.parametrize(
    ("to", "scale", "spent", "amount"),
    [("200", 2, "60.01", "161"), ("200", 2, "60.00", "160"), ("100", 0, "51", "51"), ("60", 0, "55", "50")],
)
def test_a_target_is_filled_up_to_in_whole_units_and_at_least_by_the_minimum(
    to: str, scale: int, spent: str, amount: str
) -> None:
    account = armed(scale=scale, to=to)
    units = Decimal(spent)
    spend(account, int(units))
    if units % 1:
        do(account, commands.recharge_off(account, by()))
        account.balance -= units % 1
        events = set_level(account, to=to, below=50)
        trigger = events[-1]
        assert isinstance(trigger, AutoRechargeTriggered)
        assert trigger.amount == Decimal(amount)
    else:
        assert account.payments[open_of(account)].amount == Decimal(amount)


def test_the_amount_is_fixed_at_the_trigger_whatever_is_spent_or_set_after_it() -> None:
    account = armed(to=200)
    spend(account, 60)
    spend(account, 30)
    set_level(account, amount=500, below=50)
    assert account.payments[open_of(account)].amount == 160


@pytest.mark.parametrize(
    ("level", "code", "field"),
    [
        (Level(Decimal(60), to=Decimal(50)), "trigger_above_target", "below"),
        (Level(Decimal(10), Decimal(49)), "below_minimum", "amount"),
        (Level(Decimal(10), Decimal("50.5")), "invalid_amount", "amount"),
        (Level(Decimal(-1), Decimal(50)), "invalid_below", "below"),
        (Level(Decimal(10), Decimal(50), monthly_cap=Decimal(0)), "invalid_monthly_cap", "monthly_cap"),
        (Level(Decimal(10), Decimal(50), method="pm-9"), "unknown_method", "method"),
        (Level(Decimal(10)), "invalid_amount", "amount"),
        (Level(Decimal(10), Decimal(50), to=Decimal(80)), "invalid_amount", "to"),
    ],
)
def test_settings_that_cannot_be_are_refused(level: Level, code: str, field: str) -> None:
    with pytest.raises(DomainError) as refused:
        commands.set_recharge(opened(), by(), level, MINIMUM)
    assert (refused.value.code, refused.value.field) == (code, field)


def test_no_recharge_adds_nothing_where_no_minimum_is_set() -> None:
    with pytest.raises(DomainError) as level:
        commands.set_recharge(opened(), by(), Level(Decimal(10), Decimal(0)), Decimal(0))
    with pytest.raises(DomainError) as standing:
        commands.set_standing(opened(), by(), Decimal(0), 1, Decimal(0))
    assert (level.value.code, standing.value.code) == ("invalid_amount", "invalid_amount")


def test_auto_recharge_and_post_paid_exclude_each_other() -> None:
    account = opened(when_empty="postpaid")
    with pytest.raises(DomainError) as level:
        commands.set_recharge(account, by(), Level(Decimal(10), Decimal(50)), MINIMUM)
    with pytest.raises(DomainError) as standing:
        commands.set_standing(account, by(), Decimal(50), 1, MINIMUM)
    assert (level.value.code, standing.value.code) == ("postpaid_is_on", "postpaid_is_on")

    account = armed()
    postpaid = msgspec.structs.replace(account.settings, when_empty="postpaid")
    with pytest.raises(DomainError) as refused:
        commands.change_settings(account, by(), postpaid)
    assert (refused.value.code, refused.value.field) == ("recharge_is_on", "when_empty")
    do(account, commands.recharge_off(account, by()))
    assert names(commands.change_settings(account, by(), postpaid)) == ["SettingsChanged"]


def test_a_debt_that_one_recharge_does_not_cover_is_said() -> None:
    account = opened(scale=0)
    spend(account, 180)
    set_level(account, amount=100, below=20)
    assert "180" in warning(account)
    assert "100" in warning(account)
    assert warning(armed()) == ""


def test_a_debt_that_one_standing_top_up_does_not_cover_is_said_where_nothing_else_would() -> None:
    account = opened(scale=0)
    spend(account, 180)
    _every(account, by())
    assert "debt of 180" in warning(account)
    assert "standing top-up of 100" in warning(account)
    set_level(account, to=200, below=0)
    assert warning(account) == ""


def test_a_cap_that_allows_none_is_said_of_a_target_and_of_a_standing_top_up() -> None:
    account = armed("1000", to=200, below=50, monthly_cap=149)
    assert "149 is less than a recharge of 150" in warning(account)
    set_level(account, to=200, below=50, monthly_cap=150)
    assert warning(account) == ""
    _every(account, by(), amount=151)
    assert "150 is less than a standing top-up of 151" in warning(account)


def test_what_would_pass_the_months_cap_is_not_charged_and_said_once() -> None:
    account = armed(amount=60, monthly_cap=100)
    spend(account, 60)
    _brings_money(account)
    assert account.balance == 100
    spend(account, 60)

    assert (account.recharge.state, open_of(account)) == ("armed", "")
    assert recharge_view(account)["capped_until"] == "2026-12-01T00:00:00Z"
    spend(account, 1)
    assert names(_look(account, "2026-11-30T23:59:59Z")) == []


def test_the_cap_says_what_was_due_and_what_was_charged_already() -> None:
    account = armed(amount=60, monthly_cap=100)
    spend(account, 60)
    _brings_money(account)
    do(account, commands.recharge_off(account, by()))
    spend(account, 60)

    (_, capped) = set_level(account, amount=60, below=50, monthly_cap=100)

    assert isinstance(capped, RechargeCapped)
    assert (capped.amount, capped.charged, capped.cap) == (60, 60, 100)


def test_exactly_the_cap_is_charged() -> None:
    account = armed(amount=50, monthly_cap=100)
    for _ in range(2):
        spend(account, 60)
        _brings_money(account)
    spend(account, 60)
    assert (account.balance, account.recharge.state) == (20, "armed")


def test_the_next_month_frees_what_was_capped_in_the_accounts_own_zone() -> None:
    account = opened(scale=0, time_zone="Europe/Ljubljana")
    paying.card(account)
    set_level(account, amount=60, below=1, monthly_cap=59)
    spend(account, 60)
    set_level(account, amount=60, below=1, monthly_cap=119)
    _brings_money(account)
    spend(account, 60)
    assert recharge_view(account)["capped_until"] == "2026-11-30T23:00:00Z"

    assert _look(account, "2026-11-30T22:59:59.999999Z") == []
    assert names(_look(account, "2026-11-30T23:00:00Z")) == ["AutoRechargeTriggered"]
    assert recharge_view(account)["capped_until"] is None


def test_a_raised_cap_frees_it_at_once_and_the_same_cap_says_nothing_again() -> None:
    account = armed(amount=60, monthly_cap=50)
    spend(account, 60)
    assert names(set_level(account, amount=70, below=50, monthly_cap=50)) == ["RechargeConfigured"]
    assert names(set_level(account, amount=70, below=50, monthly_cap=60)) == ["RechargeConfigured", "RechargeCapped"]
    assert names(set_level(account, amount=70, below=50, monthly_cap=70)) == [
        "RechargeConfigured", "AutoRechargeTriggered",
    ]  # fmt: skip


def test_purchases_do_not_count_for_the_cap() -> None:
    account = armed(amount=50, monthly_cap=50)
    of = paying.bought(account, "100")
    paying.created(account, of)
    paying.tried(account, of)
    paying.succeeded(account, of, amount="100")
    spend(account, 160)
    assert account.recharge.state == "triggered"


def test_the_sixth_trigger_within_an_hour_suspends() -> None:
    account = armed()
    for turn in range(5):
        spend(account, 60, later(turn * 60))
        _brings_money(account, later(turn * 60))
        account.recharge.below = Decimal(50) if turn < 4 else Decimal(500)
    events = with_trigger(account, commands.add_funds(account, later(3599), commands.Funds(Decimal(1))))

    suspended = events[-1]
    assert isinstance(suspended, RechargeSuspended)
    assert (suspended.cause, suspended.recharge_id) == ("too_frequent", "")
    assert names(do(account, commands.resume(account, later(3599)))) == ["RechargeResumed", "AutoRechargeTriggered"]


def test_an_hour_after_the_first_of_five_there_is_room_for_another() -> None:
    account = armed()
    for turn in range(5):
        spend(account, 60, later(turn * 60))
        _brings_money(account, later(turn * 60))
    account.recharge.below = Decimal(500)
    assert names(do(account, look_again(account, later(3600).now))) == ["AutoRechargeTriggered"]


def test_the_limit_per_hour_is_a_setting() -> None:
    policy = POLICY._replace(recharges_per_hour=1)
    account = armed()
    spend(account, 60)
    _brings_money(account)
    account.recharge.below = Decimal(500)
    (event,) = look_again(account, later(60).now, policy)
    assert isinstance(event, RechargeSuspended)


def test_a_lot_that_expires_makes_a_recharge_due_though_nothing_happens() -> None:
    account = armed()
    assert _look(account, "2027-11-22T10:00:00Z") == []
    (trigger,) = _look(account, "2027-11-22T10:00:00.000001Z")
    assert isinstance(trigger, AutoRechargeTriggered)
    assert (trigger.spendable, trigger.recorded_at) == (0, at("2027-11-22T10:00:00.000001Z"))


def test_a_standing_top_up_begins_with_its_next_day_and_needs_no_level() -> None:
    account = armed()
    (configured,) = _every(account, _now("2026-11-22T10:00:00Z"))
    assert isinstance(configured, StandingRechargeConfigured)
    assert configured.done_month == 202611
    assert _look(account, "2026-12-14T23:59:59Z") == []

    (trigger,) = _look(account, "2026-12-15T00:00:00Z")

    assert isinstance(trigger, AutoRechargeTriggered)
    assert (trigger.kind, trigger.month, trigger.amount, trigger.spendable) == ("standing", 202612, 100, 100)
    _brings_money(account, _now("2026-12-15T00:01:00Z"))
    assert (account.balance, account.recharge.state, _look(account, "2026-12-31T00:00:00Z")) == (200, "armed", [])


def test_a_standing_top_up_goes_alone_and_by_the_accounts_zone() -> None:
    account = opened(scale=0, time_zone="America/New_York")
    _every(account, _now("2026-11-01T12:00:00Z"), day=1)
    assert account.recharge.state == "armed"
    assert _look(account, "2026-12-01T04:59:59Z") == []
    assert names(_look(account, "2026-12-01T05:00:00Z")) == ["AutoRechargeTriggered"]


def test_months_that_were_missed_are_made_up_once() -> None:
    account = armed()
    _every(account, _now("2026-11-22T10:00:00Z"))
    (trigger,) = _look(account, "2027-03-20T00:00:00Z")
    assert isinstance(trigger, AutoRechargeTriggered)
    assert trigger.month == 202703
    _brings_money(account, _now("2027-03-20T00:00:00Z"))
    assert _look(account, "2027-03-21T00:00:00Z") == []
    assert names(_look(account, "2027-04-15T00:00:00Z")) == ["AutoRechargeTriggered"]


@pytest.mark.parametrize("zone", ["UTC", "Europe/Ljubljana", "Africa/Cairo", "Pacific/Apia", "America/Santiago"])
@pytest.mark.parametrize("day", [1, 24, 28])
def test_every_month_has_one_whatever_the_clocks_of_its_zone_do(zone: str, day: int) -> None:
    account = opened(scale=0, time_zone=zone)
    start = "2026-01-01T12:00:00Z"
    paying.card(account, who=_now(start))
    _every(account, _now(start), day=day)
    months = []
    for hour in range(2, 24 * 366):
        if hour == 24 * 100:
            elsewhere = msgspec.structs.replace(account.settings, time_zone="America/New_York")
            do(account, commands.change_settings(account, later(hours=hour, since=start), elsewhere))
        back = 30 * (hour % 2)  # a host's clock that jumps
        now = later(hours=hour - back, since=start)
        if do(account, look_again(account, now.now)):
            months.append(account.recharge.every_done)
            _brings_money(account, now)
    of_2026 = list(range(202601, 202613))
    assert months == ([*of_2026[1:], 202701] if day == 1 else of_2026)


def test_a_standing_top_up_waits_behind_an_open_recharge_and_has_its_own_turn() -> None:
    account = paying.triggered()
    _every(account, by())
    assert _look(account, "2026-12-20T00:00:00Z") == []
    _brings_money(account, _now("2027-01-02T00:00:00Z"))
    (trigger,) = _look(account, "2027-01-02T00:00:00Z")
    assert isinstance(trigger, AutoRechargeTriggered)
    assert (trigger.kind, trigger.month) == ("standing", 202612)
    _brings_money(account, _now("2027-01-02T00:00:00Z"))
    assert names(_look(account, "2027-01-15T00:00:00Z")) == ["AutoRechargeTriggered"]


def test_a_standing_top_up_is_charged_though_the_level_is_reached() -> None:
    account = armed("1000")
    _every(account, by())
    _look(account, "2026-12-15T00:00:00Z")
    step = payments.step(account, open_of(account), at("2026-12-15T00:00:00Z"))
    assert step is not None
    assert step.what == "create"


def test_a_standing_top_up_counts_for_the_cap_and_is_capped() -> None:
    account = armed(monthly_cap=120)
    _every(account, by())
    _look(account, "2026-12-15T00:00:00Z")
    _brings_money(account, _now("2026-12-15T00:00:00Z"))
    assert account.balance == 200
    spend(account, 160, _now("2026-12-16T00:00:00Z"))
    assert (account.recharge.state, recharge_view(account)["capped_until"]) == ("armed", "2027-01-01T00:00:00Z")

    account = armed(monthly_cap=99)
    _every(account, by())
    assert names(_look(account, "2026-12-15T00:00:00Z")) == ["RechargeCapped"]
    assert _look(account, "2026-12-20T00:00:00Z") == []


def test_the_cap_of_a_month_is_said_once_though_the_other_kind_is_charged_meanwhile() -> None:
    account = armed(amount=150, monthly_cap=120)
    _every(account, by(), amount=60)
    spend(account, 100, _now("2026-12-14T00:00:00Z"))
    assert recharge_view(account)["capped_until"] == "2027-01-01T00:00:00Z"
    _look(account, "2026-12-15T00:00:00Z")
    assert names(_brings_money(account, _now("2026-12-15T00:00:00Z"))) == ["FundsAdded"]
    assert recharge_view(account)["capped_until"] == "2027-01-01T00:00:00Z"


def test_another_amount_leaves_what_is_overdue_and_another_day_begins_with_its_next() -> None:
    account = paying.triggered()
    _every(account, by())
    _brings_money(account, _now("2026-12-20T00:00:00Z"))
    _every(account, _now("2026-12-20T00:00:00Z"), amount=70)
    assert names(look_again(account, at("2026-12-20T00:00:00Z"))) == ["AutoRechargeTriggered"]
    _every(account, _now("2026-12-20T00:00:00Z"), day=10, amount=70)
    assert look_again(account, at("2026-12-20T00:00:00Z")) == []


def test_switching_off_only_the_standing_one_leaves_the_trigger_and_an_open_recharge_of_it() -> None:
    account = paying.triggered()
    _every(account, by())
    of = open_of(account)
    assert names(do(account, commands.recharge_off(account, by(), every_only=True))) == ["StandingRechargeConfigured"]
    assert (account.recharge.state, open_of(account), recharge_view(account)["every"]) == ("triggered", of, None)


def test_switching_both_off_while_a_standing_one_is_open_triggers_nothing_else() -> None:
    account = armed()
    _every(account, by())
    _look(account, "2026-12-15T00:00:00Z")
    account.recharge.below = Decimal(500)
    events = do(account, commands.recharge_off(account, _now("2026-12-15T00:00:00Z")))
    assert names(events) == ["RechargeConfigured", "StandingRechargeConfigured"]
    assert (account.recharge.state, open_of(account)) == ("off", "")


@pytest.mark.parametrize(
    ("day", "amount", "code"), [(0, 50, "invalid_on_day"), (29, 50, "invalid_on_day"), (1, 49, "below_minimum")]
)
def test_a_standing_top_up_that_cannot_be_is_refused(day: int, amount: int, code: str) -> None:
    with pytest.raises(DomainError) as refused:
        commands.set_standing(opened(), by(), Decimal(amount), day, MINIMUM)
    assert refused.value.code == code
