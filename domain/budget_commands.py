"""Deciding budgets: setting and removing them. Pure; see budgets.py for what they count."""

from collections.abc import Callable, Mapping
from decimal import Decimal

from domain.account import CreditAccount
from domain.budgets import WHOLE_ACCOUNT
from domain.by import By, header, must_be_open
from domain.errors import Invalid, NotFound
from domain.events import Event
from domain.payment_events import BudgetRemoved, BudgetSet


def set_budget(
    account: CreditAccount, by: By, user: str, amount: Decimal, hard: bool,
    spent_before: Callable[[], Mapping[int, Decimal]],
) -> list[Event]:  # fmt: skip
    """`user`: a pseudonym, "": the whole account. `spent_before`: asked only where there was no such budget.

    The same again writes nothing. Raises Refused `account_closed`, Invalid `invalid_amount`.
    """
    must_be_open(account)
    if amount < 0:
        raise Invalid("invalid_amount", "a budget is 0 or more: with --hard, 0 allows nothing but pools", "amount")
    known = account.budgets.get(user)
    if known is not None and (known.amount, known.hard) == (amount, hard):
        return []
    spent = spent_before() if known is None else known.spent
    counted = tuple(sorted((month, total) for month, total in spent.items() if total))
    return [BudgetSet(*header(account, by), user, amount, hard, counted)]


def remove_budget(account: CreditAccount, by: By, user: str) -> list[Event]:
    """Raises NotFound `budget_not_set`."""
    if user not in account.budgets:
        whose = "the account has" if user == WHOLE_ACCOUNT else "the user has"
        raise NotFound("budget_not_set", f"{whose} no budget", "user")
    return [BudgetRemoved(*header(account, by), user)]
