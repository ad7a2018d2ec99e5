"""How long the credit lasts, and what other settings would have charged."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

from domain.account import CreditAccount
from domain.forecast import Forecast, day_of, forecast
from domain.recharge_simulation import Change, Simulated, Simulation, simulate
from tests.support.given import NOW, at, fund, opened

TODAY = date(2026, 11, 22)
MINIMUM = Decimal(50)
HOUR = 3_600_000_000


def days(*amounts: str) -> dict[date, Decimal]:
    """The last of them is yesterday."""
    return {TODAY - timedelta(len(amounts) - place): Decimal(amount) for place, amount in enumerate(amounts)}


def foresee(account: CreditAccount, spent: dict[date, Decimal]) -> Forecast:
    return forecast(account, spent, min(spent), at(NOW), MINIMUM)


def test_before_28_days_there_is_a_mean_of_all_days_and_no_band() -> None:
    account = opened()
    fund(account, "60")

    found = foresee(account, days("28", *["1"] * 26))

    assert found == Forecast(TODAY - timedelta(27), 27, Decimal("2.0000"), None, None, 30, TODAY + timedelta(30), None)


def test_on_the_first_day_nothing_is_said() -> None:
    assert forecast(opened(), {TODAY: Decimal(1)}, TODAY, at(NOW), MINIMUM) == Forecast(
        TODAY, 0, None, None, None, None, None, None
    )


def test_whole_weeks_count_and_each_day_alike() -> None:
    account = opened()
    fund(account, "100")

    found = foresee(account, days("500", *["0", "1", "2", "3", "4", "5", "6"] * 4))

    assert (found.first_day, found.days) == (TODAY - timedelta(28), 28)
    assert (found.per_day, found.p10, found.p90) == (Decimal("3.0000"), Decimal("0.0000"), Decimal("6.0000"))
    assert (found.days_left, found.empty_on) == (33, TODAY + timedelta(33))


def test_the_advice_lasts_a_month_and_leaves_time_to_mend_a_card() -> None:
    account = opened()

    advice = foresee(account, days(*["2.10"] * 28)).advice

    assert advice is not None
    assert (advice.amount, advice.below) == (Decimal(63), Decimal(9))
    assert "2.10 a day" in advice.why


def test_an_amount_is_advised_that_may_be_bought() -> None:
    advice = foresee(opened(), days(*["0.01"] * 28)).advice

    assert advice is not None
    assert (advice.amount, advice.below) == (MINIMUM, Decimal(1))


def test_credit_that_expires_unused_does_not_last_longer() -> None:
    account = opened()
    fund(account, "1000", expires_at=at("2026-11-25T00:00:00Z"))
    fund(account, "10")

    assert foresee(account, days(*["5"] * 28)).days_left == 5


def test_an_account_that_spends_nothing_has_no_end_in_sight() -> None:
    account = opened()
    fund(account, "10")

    found = foresee(account, days(*["0"] * 28))

    assert (found.per_day, found.days_left, found.empty_on, found.advice) == (0, None, None, None)


def test_an_empty_account_has_no_days_left() -> None:
    assert foresee(opened(), days(*["1"] * 28)).days_left == 0


def test_a_day_is_one_of_the_accounts_zone() -> None:
    assert day_of(opened(time_zone="Europe/Ljubljana"), at("2026-11-22T23:30:00Z")) == date(2026, 11, 23)


def run(start: str, *changes: tuple[int, str], amount: str = "50", below: str = "20", most: int = 5) -> Simulation:
    happened = [Change(when, Decimal(change)) for when, change in changes]
    return simulate(Decimal(start), 0, happened, Decimal(amount), Decimal(below), most)


def test_a_recharge_comes_when_the_balance_is_strictly_below() -> None:
    found = run("30", (1, "-10"), (2, "-1"), (3, "-5"))

    assert found.charges == [Simulated(2, Decimal(19), Decimal(69))]
    assert (found.lowest_balance, found.lowest_at, found.end_balance) == (19, 2, 64)


def test_a_low_start_is_charged_at_once_until_it_is_above() -> None:
    assert [charge.at for charge in run("-60", amount="50").charges] == [0, 0]


def test_more_in_an_hour_than_are_made_suspend_it() -> None:
    found = run("0", (HOUR - 1, "-100"), (2 * HOUR, "-100"), most=1)

    assert [charge.at for charge in found.charges] == [0]
    assert (found.suspended_at, found.end_balance) == (HOUR - 1, -150)
