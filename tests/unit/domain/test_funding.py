"""domain.md, Funding: lots, first in first out, expiry as to what pays what, debt, references."""

from decimal import Decimal

import pytest

from domain import commands
from domain.account import CreditAccount
from domain.commands import Funds
from domain.errors import DomainError, Invalid, NotFound, Refused
from domain.events import FundsAdded
from tests.support.given import at, by, debit, deck, fund, lot_draws, opened, rate, usage

EXACT = deck(rate("", "60", increment=1))  # one unit a second


def _lots(account: CreditAccount) -> dict[str, str]:
    return {lot.id: f"{lot.remaining:f}" for lot in account.open_lots}


def test_lots_are_consumed_first_in_first_out_by_purchase_then_position() -> None:
    account = opened(scale=0)
    fund(account, "10", "2026-03-01T00:00:00Z")
    fund(account, "10", "2026-02-01T00:00:00Z")
    fund(account, "10", "2026-03-01T00:00:00Z")
    event = debit(account, usage(seconds=25), rates=EXACT)
    assert lot_draws(event) == [("lot-3", "10"), ("lot-2", "10"), ("lot-4", "5")]
    assert _lots(account) == {"lot-4": "5"}


def test_a_lot_expires_twelve_months_after_its_purchase() -> None:
    account = opened()
    (added,) = fund(account, "10", "2026-02-28T10:00:00Z")
    assert isinstance(added, FundsAdded)
    assert added.expires_at == at("2027-02-28T10:00:00Z")
    (added,) = fund(account, "10", "2024-02-29T10:00:00Z")
    assert isinstance(added, FundsAdded)
    assert added.expires_at == at("2025-02-28T10:00:00Z")


def test_an_expired_lot_pays_usage_that_started_before_its_expiry_and_none_after() -> None:
    account = opened(scale=0)
    fund(account, "10", "2025-06-01T00:00:00Z")  # expires 2026-06-01
    fund(account, "10", "2026-01-01T00:00:00Z")
    late = debit(account, usage(seconds=4, start="2026-06-01T00:00:00Z"), rates=EXACT)
    after = debit(account, usage(seconds=4, start="2026-06-01T00:00:00.000001Z"), rates=EXACT)
    assert (lot_draws(late), lot_draws(after)) == ([("lot-2", "4")], [("lot-3", "4")])


def test_spendable_leaves_out_what_has_expired_while_the_balance_still_has_it() -> None:
    account = opened()
    fund(account, "10", "2025-06-01T00:00:00Z")
    fund(account, "5", "2026-01-01T00:00:00Z")
    assert account.balance == 15
    assert account.spendable(at("2026-06-01T00:00:00Z")) == 15
    assert account.spendable(at("2026-06-01T00:00:00.000001Z")) == 5


def test_in_the_grace_an_expired_lot_may_stand_beside_debt() -> None:
    account = opened(scale=0)
    fund(account, "10", "2025-06-01T00:00:00Z")
    event = debit(account, usage(seconds=4), rates=EXACT)
    assert (lot_draws(event), event.balance, account.debt) == ([], 6, 4)
    assert account.spendable(at("2026-11-22T10:00:00Z")) == -4


def test_debt_is_covered_first_by_the_next_funds() -> None:
    account = opened(scale=0)
    debit(account, usage(seconds=30), rates=EXACT)
    (added,) = fund(account, "20", "2026-11-01T00:00:00Z")
    assert isinstance(added, FundsAdded)
    assert (added.debt_covered, added.balance) == (20, -10)
    assert (account.debt, _lots(account)) == (10, {})
    fund(account, "15", "2026-11-02T00:00:00Z")
    assert (account.debt, account.balance, _lots(account)) == (0, 5, {"lot-4": "5"})


def test_one_debit_may_draw_on_several_lots_and_leave_debt() -> None:
    account = opened(scale=0)
    fund(account, "3", "2026-01-01T00:00:00Z")
    fund(account, "4", "2026-01-02T00:00:00Z")
    event = debit(account, usage(seconds=10), rates=EXACT)
    assert lot_draws(event) == [("lot-2", "3"), ("lot-3", "4")]
    assert event.proof is not None
    assert event.proof.debt == 3
    assert account.balance == -3


def test_a_known_reference_adds_nothing_and_with_another_amount_is_a_conflict() -> None:
    account = opened()
    fund(account, "10", reference="invoice-7")
    assert fund(account, "10", reference="invoice-7") == []
    with pytest.raises(Refused) as refused:
        fund(account, "11", reference="invoice-7")
    assert (refused.value.code, refused.value.field) == ("reference_conflict", "reference")


def test_a_known_reference_is_looked_at_before_anything_else() -> None:
    account = opened()
    fund(account, "10", reference="invoice-7")
    for event in commands.close(account, by()):
        account.apply(event, account.version + 1)
    assert fund(account, "10", reference="invoice-7", recharge_id="rch-unknown", expires_at=0) == []


@pytest.mark.parametrize(
    ("funds", "error", "code"),
    [
        (Funds(Decimal(0)), Invalid, "invalid_amount"),
        (Funds(Decimal(5), recharge_id="rch-1"), NotFound, "recharge_not_open"),
        (Funds(Decimal(5), at=at("2026-11-22T10:00:00.000001Z")), Invalid, "in_future"),
        (Funds(Decimal(5), expires_at=at("2026-11-22T10:00:00Z")), Invalid, "invalid_expires"),
    ],
)
def test_funds_that_cannot_be_are_refused(funds: Funds, error: type[DomainError], code: str) -> None:
    with pytest.raises(error) as refused:
        commands.add_funds(opened(), by(), funds)
    assert refused.value.code == code


def test_granted_credit_pays_like_bought_credit_and_is_told_apart() -> None:
    account = opened(scale=0)
    fund(account, "5", granted=True)
    assert account.lots["lot-2"].kind == "granted"
    assert lot_draws(debit(account, usage(seconds=1), rates=EXACT)) == [("lot-2", "1")]


def test_a_closed_account_takes_no_funds() -> None:
    account = opened()
    for event in commands.close(account, by()):
        account.apply(event, account.version + 1)
    with pytest.raises(Refused) as refused:
        fund(account, "5")
    assert refused.value.code == "account_closed"
