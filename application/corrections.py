"""Taking a debit back: find it, decide, append."""

from typing import NamedTuple

from application.appending import Appender
from application.ports import Store
from application.usages import find_usage
from domain.account import CreditAccount
from domain.by import By
from domain.corrections import reverse
from domain.errors import Refused
from domain.events import Event, UnknownEvent, UsageDebited, account_stream, decode_state
from domain.payment_events import UsageReversed


class Correction(NamedTuple):
    """`duplicate`: the same key had taken it back before."""

    account: CreditAccount
    event: UsageReversed
    duplicate: bool


class Corrections:
    """The use case over one store."""

    def __init__(self, store: Store, appender: Appender) -> None:
        self._store, self._appender = store, appender

    def reverse(self, by: By, usage_id: str, account_id: str = "", key: str = "") -> Correction:
        """`by.reason` says why.

        Raises NotFound `unknown_account`, `unknown_usage`; Refused `ambiguous_usage_id`, `already_reversed`,
        `key_conflict`, `unreadable_debit`.
        """
        account_id, stored = find_usage(self._store, usage_id, account_id)
        try:
            debit = decode_state(UsageDebited.__name__, stored.state)
        except UnknownEvent as error:
            raise Refused("unreadable_debit", f"what is stored of usage {usage_id} is no debit: {error}") from error
        assert isinstance(debit, UsageDebited)
        version = stored.originator_version

        def decide(account: CreditAccount) -> list[Event]:
            return reverse(account, by, debit, version, key)

        account, events = self._appender.append(account_id, decide)
        new = next((event for event in events if isinstance(event, UsageReversed)), None)
        return Correction(account, new or self._earlier(account, version), new is None)

    def _earlier(self, account: CreditAccount, debit_version: int) -> UsageReversed:
        version = account.reversals[debit_version].version
        [recorded] = self._store.select_events(account_stream(account.account_id), gt=version - 1, lte=version)
        assert isinstance(recorded.event, UsageReversed)
        return recorded.event
