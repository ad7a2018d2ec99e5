"""How expiries, corrections and budgets change an account. Applied by `CreditAccount.apply`; nothing is decided."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from domain.budgets import Budget, book
from domain.events import Event
from domain.lots import Lot
from domain.payment_events import BudgetRemoved, BudgetSet, LotExpired, UsageReversed

if TYPE_CHECKING:
    from domain.account import CreditAccount


class Reversed(NamedTuple):
    """A debit was taken back: by which event of the stream, under which of the caller's keys (may be empty)."""

    version: int
    key: str


def lot_expired(account: "CreditAccount", event: LotExpired) -> None:
    """What was left of a lot is forfeited."""
    account.lots[event.lot].remaining -= event.amount
    account.balance = event.balance
    account.sort_lots()


def usage_reversed(account: "CreditAccount", event: UsageReversed) -> None:
    """Credit, minutes, what would be billed later and what counts to budgets are as if the call had not been."""
    version = account.version + 1
    for part in event.lots:
        if part.new:
            bought = event.recorded_at, part.expires_at
            account.lots[part.lot] = Lot(part.lot, "granted", *bought, part.amount, part.amount, version)
        else:
            account.lots[part.lot].remaining += part.amount
    if event.lots:
        account.sort_lots()
    account.debt -= event.debt_reduced
    account.postpaid -= event.postpaid
    account.balance = event.balance
    account.pools.give_back(event.pools)
    if account.budgets:
        month = account.months.of(event.started_at)
        book(account.budgets, event.user, month, -(event.amount + event.postpaid))
    account.reversals[event.debit_version] = Reversed(version, event.key)


def budget_set(account: "CreditAccount", event: BudgetSet) -> None:
    """What was spent before is counted in."""
    account.budgets[event.user] = Budget(event.amount, event.hard, dict(event.spent))


def budget_removed(account: "CreditAccount", event: BudgetRemoved) -> None:
    """Nothing is counted any more."""
    del account.budgets[event.user]


CHANGES: Final[dict[type[Event], Callable[["CreditAccount", Any], None]]] = {
    LotExpired: lot_expired,
    UsageReversed: usage_reversed,
    BudgetSet: budget_set,
    BudgetRemoved: budget_removed,
}
