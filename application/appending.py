"""Load -> decide -> append, again when somebody else wrote in between: how every use case changes one account."""

from collections.abc import Callable, Sequence

from application.accounts import Accounts, is_snapshot_due
from application.ports import Commit, NewEvent, Store, WriteConflict
from application.privacy import Sealer, Vault
from domain import commands
from domain.account import CreditAccount
from domain.events import Event, account_stream, encode_state
from domain.recharge import POLICY, Policy

MAX_TRIES = 100  # each loses a race against another writer of the account
Decision = Callable[[CreditAccount], Sequence[Event]]


class Appender:
    """Over one store. What a decision raises passes through, and nothing is written."""

    def __init__(self, store: Store, vault: Vault, accounts: Accounts, policy: Policy = POLICY) -> None:
        self._store, self._vault, self._accounts, self._policy = store, vault, accounts, policy

    def append(
        self,
        account_id: str,
        decide: Decision,
        *,
        create: bool = False,
        name: Callable[[Sealer], None] | None = None,
    ) -> tuple[CreditAccount, list[Event]]:
        """The account after it, and the events that were written, with the recharge they make due.

        `create`: the account need not be there yet. `name`: mints pseudonyms that are to be written with the events.
        """
        for attempt in range(MAX_TRIES):
            sealer = self._vault.sealer()
            account = self.load(account_id, create)
            try:
                if name is not None:
                    name(sealer)
                before = account.version
                events = commands.with_trigger(account, decide(account), self._policy)
                stream = account_stream(account_id)
                rows = [
                    NewEvent(stream, before + place, type(event).__name__, encode_state(event))
                    for place, event in enumerate(events, 1)
                ]
                if rows:
                    self._store.commit(Commit(events=rows, keys=sealer.keys, users=sealer.users))
            except WriteConflict:
                self._accounts.evict([account_id])
                if attempt == MAX_TRIES - 1:
                    raise
                continue
            except BaseException:
                self._accounts.evict([account_id])
                raise
            if rows:
                sealer.committed()
                self._accounts.committed([account] if is_snapshot_due(before, account.version) else ())
            return account, events
        raise AssertionError("unreachable")

    def load(self, account_id: str, create: bool = False) -> CreditAccount:
        """As the log has it now. Raises NotFound `unknown_account`, but where it may be created."""
        self._accounts.evict([account_id])
        if create:
            return self._accounts.find([account_id]).get(account_id) or CreditAccount()
        return self._accounts.get(account_id)
