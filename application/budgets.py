"""Budgets of an account and its users. The first budget of its kind counts what was spent before, from the stream."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Final

from application.appending import Appender
from application.ports import Store
from application.privacy import Sealer, Vault
from domain.account import CreditAccount
from domain.budget_commands import remove_budget, set_budget
from domain.budgets import WHOLE_ACCOUNT, Spending
from domain.by import By
from domain.errors import NotFound
from domain.events import Event, account_stream

EVENTS_A_PAGE: Final = 5_000


class BudgetKeeper:
    """Use cases over one store. Users are named by UPN or object id; "" is the whole account."""

    def __init__(self, store: Store, vault: Vault, appender: Appender) -> None:
        self._store, self._vault, self._appender = store, vault, appender

    def set(self, by: By, account_id: str, user_id: str, amount: Decimal, hard: bool) -> tuple[CreditAccount, str]:
        """The account, and the user's pseudonym. Raises Refused `account_closed`, Invalid `invalid_amount`."""
        user = WHOLE_ACCOUNT
        spending = Spending(user)

        def name(sealer: Sealer) -> None:
            nonlocal user, spending
            if user_id:
                sealer.prepare((), [(account_id, user_id)])
                pseudonym = sealer.pseudonym(account_id, user_id)
                if pseudonym != user:  # when somebody else wrote first only what he wrote is read again
                    user, spending = pseudonym, Spending(pseudonym)

        def decide(account: CreditAccount) -> list[Event]:
            return set_budget(account, by, user, amount, hard, lambda: self._spent(account, spending))

        account, _ = self._appender.append(account_id, decide, name=name)
        return account, user

    def remove(self, by: By, account_id: str, user_id: str) -> CreditAccount:
        """Raises NotFound `unknown_user`, `budget_not_set`."""
        user = WHOLE_ACCOUNT
        if user_id:
            found = self._vault.find_user(account_id, user_id)
            if found is None:
                self._appender.load(account_id)
                raise NotFound("unknown_user", f"account {account_id} knows no user {user_id}", "user")
            user = found
        return self._appender.append(account_id, lambda account: remove_budget(account, by, user))[0]

    def _spent(self, account: CreditAccount, spending: Spending) -> Mapping[int, Decimal]:
        stream = account_stream(account.account_id)
        while spending.version < account.version:
            upto = min(spending.version + EVENTS_A_PAGE, account.version)
            for recorded in self._store.select_events(stream, gt=spending.version, lte=upto):
                spending.take(recorded.event, recorded.originator_version, account.months)
            spending.version = upto
        return spending.by_month
