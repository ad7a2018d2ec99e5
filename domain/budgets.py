"""Budgets: the most that an account, or one of its users, is to spend on usage in a calendar month.

Spent is what credit paid and what is billed later (post-paid), never a pool's minutes. The month is that of the call's
start, in the account's zone; a correction returns to the month of its call. Only hard budgets limit: a call that
happened is debited all the same, and flagged `over_limit`. An account without budgets counts nothing: the budget that
is set brings along what was spent before. Users are named by their pseudonyms, the whole account by "".
"""

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Final

import msgspec

from domain.events import Event, UsageDebited
from domain.money import ZERO
from domain.months import Months
from domain.payment_events import UsageReversed

WHOLE_ACCOUNT: Final = ""


class Budget(msgspec.Struct, array_like=True):
    """A limit by month, and what was spent by month (year * 100 + month)."""

    amount: Decimal
    hard: bool
    spent: dict[int, Decimal]

    def remaining(self, month: int) -> Decimal:
        """What is left of it in a month; below 0 where it is overspent."""
        return self.amount - self.spent.get(month, ZERO)


Budgets = Mapping[str, Budget]


def budgets_of(budgets: Budgets, user: str) -> Iterator[Budget]:
    """Those that a user's call counts to."""
    if (whole := budgets.get(WHOLE_ACCOUNT)) is not None:
        yield whole
    if user and (own := budgets.get(user)) is not None:
        yield own


def book(budgets: Budgets, user: str, month: int, amount: Decimal) -> None:
    """Count what a user's call cost in a month; negative: what came back."""
    for budget in budgets_of(budgets, user):
        budget.spent[month] = budget.spent.get(month, ZERO) + amount


def breaks_hard(budgets: Budgets, user: str, month: int, amount: Decimal) -> bool:
    """Whether a call of that cost passes a hard budget, or comes when one is passed already."""
    return any(budget.hard and amount > budget.remaining(month) for budget in budgets_of(budgets, user))


class Spending:
    """What was spent by month before a budget was set, from the account's events."""

    def __init__(self, user: str) -> None:
        self.version = 0  # of the last event that is counted
        self.by_month: dict[int, Decimal] = {}
        self._user = user

    def take(self, event: Event, version: int, months: Months) -> None:
        """The next event of the account's stream."""
        self.version = version
        if not isinstance(event, UsageDebited | UsageReversed) or self._user not in (WHOLE_ACCOUNT, event.user):
            return
        amount = -(event.amount + event.postpaid) if isinstance(event, UsageReversed) else cost_of(event)
        if amount:
            month = months.of(event.started_at)
            self.by_month[month] = self.by_month.get(month, ZERO) + amount


def cost_of(debit: UsageDebited) -> Decimal:
    """What credit paid of a usage, and what is billed later."""
    postpaid = debit.proof.postpaid if debit.proof is not None else None
    return debit.amount + postpaid if postpaid else debit.amount
