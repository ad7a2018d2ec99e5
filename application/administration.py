"""What an admin does to an account: open, set, fund, license, recharge. Each reads load -> decide -> append.

Somebody else may write in between; then the account is loaded anew and the decision is made again.
"""

from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import NamedTuple

from application.accounts import Accounts
from application.appending import Appender
from application.ports import Store
from application.privacy import Sealer, Vault
from domain import commands, notices
from domain.account import CreditAccount
from domain.commands import By, Funds, Level
from domain.errors import NotFound
from domain.events import Event, FundsAdded, Limits, Settings
from domain.recharge import POLICY, Policy


class FundsResult(NamedTuple):
    """`lot` is the one that was added, or that a known reference had added before (`duplicate`)."""

    account: CreditAccount
    lot: str
    amount: Decimal
    duplicate: bool


class LicenceRow(NamedTuple):
    """One licence to assign. `user` is a name (UPN or object id), times are microseconds."""

    user: str
    plan: str
    country: str
    starts_at: int | None
    ends_at: int | None
    limits: Limits


class Administration:
    """Use cases over one store. `by` is handed in with every call: who, through which door, when, why."""

    def __init__(self, store: Store, vault: Vault, accounts: Accounts, policy: Policy = POLICY) -> None:
        self._vault, self._accounts, self._policy = vault, accounts, policy
        self._append = Appender(store, vault, accounts, policy).append

    def open_account(
        self, by: By, account_id: str, currency: str, scale: int, settings: Settings, at: int | None = None
    ) -> CreditAccount:
        """Raises Refused `account_exists`, Invalid."""

        def decide(account: CreditAccount) -> Sequence[Event]:
            return commands.open_account(account, by, account_id, currency, scale, settings, at)

        return self._append(account_id, decide, create=True)[0]

    def change_settings(self, by: By, account_id: str, change: Callable[[Settings], Settings]) -> CreditAccount:
        """`change` answers the new settings from the ones in force."""
        return self._append(account_id, lambda a: commands.change_settings(a, by, change(a.settings)))[0]

    def close_account(self, by: By, account_id: str) -> CreditAccount:
        """At any balance."""
        return self._append(account_id, lambda account: commands.close(account, by))[0]

    def add_funds(self, by: By, account_id: str, funds: Funds) -> FundsResult:
        """Raises Refused `reference_conflict`, `account_closed`; NotFound `recharge_not_open`; Invalid."""
        account, events = self._append(account_id, lambda account: commands.add_funds(account, by, funds))
        added = next((event for event in events if isinstance(event, FundsAdded)), None)
        lot = added.lot if added is not None else account.references[funds.reference][0]
        return FundsResult(account, lot, funds.amount, added is None)

    def set_recharge(self, by: By, account_id: str, level: Level) -> CreditAccount:
        """Triggers at once when `spendable` is below already. Raises Refused, NotFound, Invalid (see recharging.py)."""
        minimum = self._policy.minimum
        return self._append(account_id, lambda account: commands.set_recharge(account, by, level, minimum))[0]

    def set_standing(self, by: By, account_id: str, amount: Decimal, on_day: int) -> CreditAccount:
        """A top-up every month on that day (1 to 28)."""
        minimum = self._policy.minimum
        return self._append(account_id, lambda a: commands.set_standing(a, by, amount, on_day, minimum))[0]

    def recharge_off(self, by: By, account_id: str, every_only: bool = False) -> CreditAccount:
        """Cancels an open recharge; where the provider knows of it `work` does that."""
        return self._append(account_id, lambda account: commands.recharge_off(account, by, every_only))[0]

    def resume_recharge(self, by: By, account_id: str) -> CreditAccount:
        """Armed again after it was suspended. Raises Refused `recharge_is_off`."""
        return self._append(account_id, lambda account: commands.resume(account, by))[0]

    def set_low_balance(self, by: By, account_id: str, threshold: Decimal | None) -> CreditAccount:
        """Below what a notice `balance.low` is given; None: never."""
        return self._append(account_id, lambda account: notices.set_low_balance(account, by, threshold))[0]

    def assign_licences(self, by: By, account_id: str, rows: Sequence[LicenceRow]) -> CreditAccount:
        """All of them in one commit, or none."""

        def decide(account: CreditAccount) -> Sequence[Event]:
            events: list[Event] = []
            for row, user in zip(rows, users, strict=True):
                new = commands.assign_licence(
                    account, by, user, row.plan, row.country, row.starts_at, row.ends_at, row.limits
                )
                events += new
            return events

        def name(sealer: Sealer) -> None:
            users.clear()
            sealer.prepare((), [(account_id, row.user) for row in rows])
            users.extend(sealer.pseudonym(account_id, row.user) for row in rows)

        users: list[str] = []
        return self._append(account_id, decide, name=name)[0]

    def remove_licence(self, by: By, account_id: str, user_id: str, plan: str) -> CreditAccount:
        """Raises NotFound `unknown_user`, `licence_not_held`."""
        user = self._vault.find_user(account_id, user_id)
        if user is None:
            self._accounts.get(account_id)
            raise NotFound("unknown_user", f"account {account_id} knows no user {user_id}", "user")
        return self._append(account_id, lambda account: commands.remove_licence(account, by, user, plan))[0]

    def purchase_licences(self, by: By, account_id: str, plan: str, count: int, limits: Limits) -> CreditAccount:
        """How many the organisation has bought of a plan."""
        return self._append(account_id, lambda a: commands.purchase_licences(a, by, plan, count, limits))[0]
