"""Which notices the events of an account cause: given, when, then."""

from __future__ import annotations

from decimal import Decimal

import pytest

from domain import budget_commands, refunds
from domain.account import CreditAccount, dump_account, load_account
from domain.errors import Invalid
from domain.notices import KINDS, set_low_balance
from tests.support.given import NOW, US_120, US_BOTH, at, by, debit, deck, do, fund, license_user, opened, rate, usage
from tests.support.paying import (
    action_required,
    armed,
    bought,
    cancelled,
    card,
    charging,
    created,
    declined,
    later,
    open_of,
    spend,
    succeeded,
    tried,
    triggered,
)
from tests.support.telling import Told


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> Told:
    """What has been told so far."""
    watching = Told(CreditAccount.apply)
    monkeypatch.setattr(
        CreditAccount, "apply", lambda account, event, version: watching.record(account, event, version)
    )
    return watching


def low_below(account: CreditAccount, amount: str | None) -> None:
    do(account, set_low_balance(account, by(), None if amount is None else Decimal(amount)))


def account_of(funds: str, **settings: str) -> CreditAccount:
    account = opened(scale=0, **settings)
    fund(account, funds, NOW)
    return account


def test_a_balance_that_falls_below_the_threshold_is_told_once(told: Told) -> None:
    account = account_of("100")
    low_below(account, "50")

    spend(account, 50)
    assert told.kinds() == []
    spend(account, 1)
    spend(account, 1)

    assert told.kinds() == ["balance.low"]
    assert told.the("balance.low").facts == {
        "balance": "49",
        "spendable": "49",
        "threshold": "50",
        "currency": "EUR",
    }


def test_each_time_it_falls_again_is_told(told: Told) -> None:
    account = account_of("100")
    low_below(account, "50")
    spend(account, 60)
    fund(account, "100", NOW)
    spend(account, 100)

    assert told.kinds() == ["balance.low", "balance.low"]
    assert len({notice.id for notice in told.notices()}) == 2


def test_a_threshold_above_what_there_is_tells_at_once_and_a_higher_one_not_again(told: Told) -> None:
    account = account_of("100")
    low_below(account, "200")
    low_below(account, "300")

    assert told.kinds() == ["balance.low"]


def test_without_a_threshold_nothing_is_low(told: Told) -> None:
    account = account_of("100")
    low_below(account, "200")
    low_below(account, None)
    spend(account, 99)

    assert told.kinds() == ["balance.low"]
    assert load_account(dump_account(account)).low_balance is None


def test_a_threshold_is_kept_with_the_account_and_the_same_one_writes_nothing() -> None:
    account = account_of("100")
    low_below(account, "20")

    assert load_account(dump_account(account)).low_balance == 20
    assert set_low_balance(account, by(), Decimal(20)) == []
    with pytest.raises(Invalid, match="0 or more"):
        set_low_balance(account, by(), Decimal(-1))


def test_a_balance_that_is_used_up_is_told_once_and_an_empty_account_not_at_all(told: Told) -> None:
    account = account_of("100")
    assert told.kinds() == []

    spend(account, 100)
    spend(account, 5)

    assert told.kinds() == ["balance.zero"]


def test_a_call_that_empties_a_full_balance_tells_both(told: Told) -> None:
    account = account_of("100")
    low_below(account, "50")
    spend(account, 120)

    assert told.kinds() == ["balance.low", "balance.zero"]
    assert told.the("balance.zero").facts["spendable"] == "-20"


def test_expired_credit_does_not_keep_a_balance_up(told: Told) -> None:
    account = account_of("10")
    fund(account, "500", "2026-01-01T00:00:00Z", expires_at=at("2026-11-25"))
    low_below(account, "20")
    assert told.kinds() == []

    spend(account, 1, later(hours=100))  # a call of before, reported after the lot has ended

    assert told.kinds() == []  # that the level fell then is for the time to tell


def test_money_for_a_recharge_is_told(told: Told) -> None:
    account = charging()
    of = open_of(account)
    succeeded(account)

    assert told.kinds() == ["recharge.succeeded"]
    assert told.the("recharge.succeeded").facts == {
        "recharge": of,
        "amount": "50",
        "lot": "lot-9",
        "balance": "90",
        "currency": "EUR",
    }


def test_every_declined_try_of_a_recharge_is_told_with_the_next(told: Told) -> None:
    account = charging()
    declined(account)

    facts = told.the("recharge.failed").facts
    assert facts["next_try_at"] == "2026-11-22T11:00:00Z"
    assert (facts["amount"], facts["method"], facts["code"]) == ("50", "visa 4242", "insufficient_funds")
    tried(account, who=later(hours=1))
    declined(account, who=later(hours=1))
    assert told.kinds() == ["recharge.failed", "recharge.failed"]


def test_what_a_bank_says_of_a_lost_card_stays_with_the_bank(told: Told) -> None:
    account = charging()
    declined(account, code="lost_card", hard=True)

    assert told.kinds() == ["recharge.failed", "recharge.suspended"]
    assert told.the("recharge.failed").facts["code"] == "generic_decline"
    assert told.the("recharge.suspended").facts["cause"] == "declined"


def test_a_bank_that_asks_for_the_customer_is_told_with_the_end(told: Told) -> None:
    account = charging()
    of = open_of(account)
    action_required(account)

    facts = told.the("recharge.action_required").facts
    assert (facts["recharge"], facts["until"]) == (of, "2026-11-25T10:00:00Z")


def test_a_cap_is_told(told: Told) -> None:
    account = armed("60", monthly_cap=60)
    spend(account, 20)
    created(account)
    tried(account)
    succeeded(account)
    spend(account, 60)

    assert told.kinds() == ["recharge.succeeded", "recharge.capped"]
    assert told.the("recharge.capped").facts["cap"] == "60"


def test_purchases_are_told_apart_from_recharges(told: Told) -> None:
    account = opened(scale=0)
    card(account)
    for end in (succeeded, declined, action_required):
        of = bought(account)
        created(account, of)
        tried(account, of)
        if end is succeeded:
            succeeded(account, of, amount="100")
        else:
            end(account, of)

    assert told.kinds() == ["purchase.succeeded", "purchase.failed", "purchase.action_required"]


def test_a_purchase_that_ends_without_money_is_told_once(told: Told) -> None:
    account = opened(scale=0)
    card(account)
    of = bought(account)
    created(account, of)
    tried(account, of)
    action_required(account, of)
    cancelled(account, of, cause="action_timeout")

    assert told.kinds() == ["purchase.action_required", "purchase.failed"]
    assert told.notices()[-1].facts["code"] == "action_timeout"


def test_refunds_are_told(told: Told) -> None:
    account = charging()
    succeeded(account)
    lot = next(lot.id for lot in account.lots.values() if lot.payment_id)
    for number, end in enumerate((refunds.refund_succeeded, refunds.refund_failed)):
        do(account, refunds.request_refund(account, by(), lot, Decimal(5), f"key-{number}"))
        refund = next(reversed(account.refunds))
        do(account, refunds.refund_sent(account, by(), refund, f"re-{number}"))
        if end is refunds.refund_failed:
            do(account, refunds.refund_failed(account, by(), refund, "expired_or_canceled_card"))
        else:
            do(account, refunds.refund_succeeded(account, by(), refund))

    kinds = [kind for kind in told.kinds() if kind.startswith("refund.")]
    assert kinds == ["refund.requested", "refund.succeeded", "refund.requested", "refund.failed"]


def test_a_dispute_is_told_and_how_it_ended(told: Told) -> None:
    account = charging()
    succeeded(account)
    payment = next(lot.payment_id for lot in account.lots.values() if lot.payment_id)
    do(account, refunds.dispute_opened(account, by(), "dp-1", payment, Decimal(50)))
    do(account, refunds.dispute_closed(account, by(), "dp-1", "lost"))

    kinds = [kind for kind in told.kinds() if kind != "recharge.succeeded"]
    assert sorted(kinds[:2]) == ["dispute.opened", "recharge.suspended"]
    assert kinds[-1] == "dispute.lost"


def test_a_pool_is_told_at_80_and_at_100_percent(told: Told) -> None:
    account = account_of("100")
    license_user(account, "ana", "MCOPSTN5", US_120)
    home = "+12025550123"

    debit(account, usage(home, 95 * 60, usage_id="u-1"))
    assert told.kinds() == []
    debit(account, usage(home, 60, usage_id="u-2"))
    debit(account, usage(home, 22 * 60, usage_id="u-4"))
    debit(account, usage(home, 60, usage_id="u-5"))
    assert told.kinds() == ["pool.80"]
    debit(account, usage(home, 60, usage_id="u-6"))

    assert told.kinds() == ["pool.80", "pool.100"]
    facts = told.the("pool.80").facts
    assert (facts["plan"], facts["used"], facts["minutes"], facts["month"]) == ("MCOPSTN5", 96, 120, "2026-11")


def test_one_call_may_pass_both_and_each_pool_tells_its_own(told: Told) -> None:
    account = account_of("1000")
    license_user(account, "ana", "MCOPSTN5", US_120)
    license_user(account, "ana", "MCOPSTN2", US_BOTH)
    debit(account, usage("+12025550123", 3121 * 60), rates=deck(rate("", "0")))

    assert sorted(told.kinds()) == ["pool.100", "pool.100", "pool.80", "pool.80"]
    assert len({notice.id for notice in told.notices()}) == 4


def test_a_pool_that_shrinks_under_its_use_is_told(told: Told) -> None:
    from domain.commands import remove_licence

    account = account_of("100")
    license_user(account, "ana", "MCOPSTN5", US_120)
    license_user(account, "bor", "MCOPSTN5", US_120)
    debit(account, usage("+12025550123", 121 * 60))
    assert told.kinds() == []
    do(account, remove_licence(account, by(), "bor", "MCOPSTN5"))

    assert told.kinds() == ["pool.80", "pool.100"]


def test_a_budget_is_told_for_the_user_and_for_the_whole_account(told: Told) -> None:
    account = account_of("1000")
    for user, amount in (("", 100), ("ana", 50)):
        do(account, budget_commands.set_budget(account, by(), user, Decimal(amount), False, dict))
    spend(account, 40)
    assert told.kinds() == ["budget.80"]
    assert told.the("budget.80").facts["user"] == "ana"
    spend(account, 10)
    assert told.kinds() == ["budget.80", "budget.100"]
    spend(account, 30)
    spend(account, 30)

    assert told.kinds() == ["budget.80", "budget.100", "budget.80", "budget.100"]
    last = told.notices()[-1].facts
    assert (last["user"], last["month"], last["amount"], last["spent"]) == (None, "2026-11", "100", "110")


def test_a_budget_that_is_nearly_spent_when_it_is_set_is_told_at_once(told: Told) -> None:
    account = account_of("1000")
    do(account, budget_commands.set_budget(account, by(), "", Decimal(10), False, lambda: {202611: Decimal(9)}))

    assert told.kinds() == ["budget.80"]
    spend(account, 1)
    assert told.kinds() == ["budget.80", "budget.100"]


def test_postpaid_begins_once_and_again_after_a_top_up(told: Told) -> None:
    account = account_of("10", when_empty="postpaid")
    spend(account, 15)
    spend(account, 5)
    assert [kind for kind in told.kinds() if kind.startswith("post")] == ["postpaid.began"]
    assert told.the("postpaid.began").facts["postpaid"] == "5"
    fund(account, "10", NOW)
    spend(account, 15)

    assert [kind for kind in told.kinds() if kind.startswith("post")] == ["postpaid.began"] * 2


def test_the_same_history_has_the_same_notices(told: Told) -> None:
    account = triggered()
    low_below(account, "60")
    spend(account, 50)

    assert told.notices() == told.notices()
    assert {notice.account for notice in told.notices()} == {"contoso"}
    assert all(notice.kind in KINDS and notice.id.startswith("ntc-") for notice in told.notices())
