"""Budgets: credit and what is billed later, by the month of the call's start; only hard ones flag."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.account import CreditAccount, dump_account, load_account
from domain.budget_commands import remove_budget, set_budget
from domain.budgets import Spending
from domain.corrections import reverse
from domain.errors import Invalid, NotFound, Refused
from domain.events import Event, UsageDebited
from tests.support.given import US_120_OWN, by, debit, deck, do, fund, license_user, opened, rate, usage

EXACT = deck(rate("", "60", increment=1))  # one unit a second


def _set(
    account: CreditAccount, amount: int, user: str = "", hard: bool = False, spent: Mapping[int, int] | None = None
) -> list[Event]:
    before = {month: Decimal(total) for month, total in (spent or {}).items()}
    return do(account, set_budget(account, by(), user, Decimal(amount), hard, lambda: before))


def _call(account: CreditAccount, seconds: int, user: str = "ana", start: str = "2026-11-22T10:00:00Z") -> UsageDebited:
    return debit(account, usage(seconds=seconds, start=start), user=user, rates=EXACT)


def _spent(account: CreditAccount, user: str = "") -> dict[int, int]:
    return {month: int(amount) for month, amount in account.budgets[user].spent.items()}


def test_what_was_spent_before_is_brought_along() -> None:
    account = opened(scale=0)
    _set(account, 100, spent={202610: 7, 202611: 8, 202609: 0})
    _call(account, 4)
    assert _spent(account) == {202610: 7, 202611: 12}


def test_a_month_is_that_of_the_calls_start_in_the_accounts_zone() -> None:
    account = opened(scale=0, time_zone="Europe/Ljubljana")
    _set(account, 100)
    _call(account, 4, start="2026-10-31T22:59:59Z")
    _call(account, 5, start="2026-10-31T23:00:00Z")
    assert _spent(account) == {202610: 4, 202611: 5}


def test_a_users_budget_counts_his_calls_and_the_accounts_all() -> None:
    account = opened(scale=0)
    _set(account, 100)
    _set(account, 100, user="ana")
    _call(account, 4, user="ana")
    _call(account, 5, user="bob")
    _call(account, 6, user="")
    assert (_spent(account), _spent(account, "ana")) == ({202611: 15}, {202611: 4})


def test_minutes_of_a_pool_are_not_spent_and_what_is_billed_later_is() -> None:
    account = opened(scale=0, when_empty="postpaid")
    license_user(account, "ana", "MCOPSTN8", US_120_OWN)
    fund(account, "3")
    _set(account, 100)
    debit(account, usage("+12025550143", 119 * 60), rates=EXACT)
    assert _spent(account) == {}
    debit(account, usage("+12025550143", 60 + 10), rates=EXACT)
    assert (_spent(account), account.postpaid) == ({202611: 10}, 7)


def test_a_correction_returns_to_the_month_of_its_call() -> None:
    account = opened(scale=0)
    _set(account, 100)
    _set(account, 100, user="ana")
    event = _call(account, 4, start="2026-10-05T00:00:00Z")
    version = account.version
    _call(account, 5)
    do(account, reverse(account, by(), event, version))
    assert (_spent(account), _spent(account, "ana")) == ({202610: 0, 202611: 5}, {202610: 0, 202611: 5})


def test_a_debit_that_breaks_a_hard_budget_is_flagged_and_taken_all_the_same() -> None:
    account = opened(scale=0)
    fund(account, "100")
    _set(account, 10, hard=True)
    flags = [_call(account, seconds).flags for seconds in (6, 4, 0, 1)]
    assert ["over_limit" in each for each in flags] == [False, False, False, True]
    assert account.balance == 89
    assert "over_limit" not in _call(account, 9, start="2026-10-05T00:00:00Z").flags


def test_a_users_hard_budget_flags_his_calls_alone() -> None:
    account = opened(scale=0)
    _set(account, 10, user="ana", hard=True)
    assert "over_limit" in _call(account, 11).flags
    assert "over_limit" not in _call(account, 11, user="bob").flags


def test_a_soft_budget_flags_nothing() -> None:
    account = opened(scale=0)
    _set(account, 10)
    assert "over_limit" not in _call(account, 11).flags


def test_a_hard_budget_of_nothing_allows_pools_and_free_calls_only() -> None:
    account = opened(scale=0)
    _set(account, 0, hard=True)
    assert "over_limit" in _call(account, 1).flags
    assert debit(account, usage(call_type="user_in")).flags == ()


def test_a_budget_that_is_changed_goes_on_counting_and_unchanged_writes_nothing() -> None:
    account = opened(scale=0)
    _set(account, 10)
    _call(account, 4)
    assert _set(account, 10, spent={202611: 999}) == []
    _set(account, 20, hard=True, spent={202611: 999})
    assert (_spent(account), account.budgets[""].amount, account.budgets[""].hard) == ({202611: 4}, 20, True)


def test_a_budget_that_is_removed_counts_no_more() -> None:
    account = opened(scale=0)
    _set(account, 10, hard=True)
    do(account, remove_budget(account, by(), ""))
    assert "over_limit" not in _call(account, 11).flags
    for user in ("", "ana"):
        with pytest.raises(NotFound) as missing:
            remove_budget(account, by(), user)
        assert missing.value.code == "budget_not_set"


def test_what_cannot_be_a_budget_is_refused() -> None:
    account = opened()
    with pytest.raises(Invalid) as invalid:
        _set(account, -1)
    assert (invalid.value.code, invalid.value.field) == ("invalid_amount", "amount")
    account.closed = True
    with pytest.raises(Refused):
        _set(account, 1)


CALLS = st.lists(
    st.tuples(st.integers(0, 20), st.sampled_from(["ana", "bob", ""]), st.sampled_from([10, 11]), st.booleans()),
    max_size=12,
)


@given(CALLS, st.integers(0, 12), st.sampled_from(["", "ana"]), st.booleans())
def test_a_budget_knows_the_same_whenever_it_was_set(
    calls: list[tuple[int, str, int, bool]], when: int, user: str, postpaid: bool
) -> None:
    """Set before, between or after the calls: what was counted and what the stream told come to one."""
    account = opened(scale=0, when_empty="postpaid" if postpaid else "stop")
    fund(account, "40")
    spending = Spending(user)
    expected: dict[int, int] = {}
    for place, (seconds, who, month, taken_back) in enumerate([*calls, (0, "", 11, False)]):
        if place == min(when, len(calls)):
            _set(account, 25, user, spent={m: int(total) for m, total in spending.by_month.items()})
        event = _call(account, seconds, who, f"2026-{month}-05T00:00:00Z")
        events: list[Event] = [event]
        if taken_back:
            events += do(account, reverse(account, by(), event, account.version))
        elif user in ("", who):
            expected[202600 + month] = expected.get(202600 + month, 0) + seconds
        for each in events:
            spending.take(each, account.version, account.months)
    found = {month: total for month, total in _spent(account, user).items() if total}
    assert found == {month: total for month, total in expected.items() if total}
    assert {m: total for m, total in spending.by_month.items() if total} == found
    assert load_account(dump_account(account)).budgets == account.budgets
