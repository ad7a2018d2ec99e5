"""May this call be made? Load -> rate -> decide, and nothing is written.

`Authorizer` asks the store for one call (the command line); `serve` answers from memory (account_book.py).
"""

from collections.abc import Callable
from typing import Any

import msgspec

from application.accounts import Accounts
from application.decks import DeckBook
from application.ports import Store
from application.privacy import Vault
from domain.account import CreditAccount
from domain.authorize import Decision, authorize
from domain.event import LOG
from domain.usage import Usage

DEFAULT_CALL_TYPE = "user_out"


class Question(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The call that is to be made. `at`: its start in µs, None: now. "" stands for none."""

    callee: str
    caller: str = ""
    user_id: str = ""
    call_type: str = DEFAULT_CALL_TYPE
    number_type: str = ""
    at: int | None = None

    def call(self, account_id: str, now: int) -> Usage:
        """As a usage that has no duration yet."""
        start = now if self.at is None else self.at
        return Usage(
            "", account_id, self.call_type, start, 0, self.caller, self.callee, self.user_id,
            number_type=self.number_type,
        )  # fmt: skip


class Authorization(msgspec.Struct, frozen=True):
    """A decision, and the position of the log that it takes into account."""

    decision: Decision
    position: int

    def view(self) -> dict[str, Any]:
        """As answers show it; amounts are Decimals."""
        decision = self.decision
        return {
            "allowed": decision.allowed,
            "reason": decision.reason,
            "max_seconds": decision.max_seconds,
            "paid_from": list(decision.paid_from),
            "rate": decision.rate,
            "spendable": decision.spendable,
            "log": LOG,
            "position": self.position,
        }


def decide(account: CreditAccount, question: Question, user: str, decks: DeckBook, now: int) -> Decision:
    """By the account and the decks as they are. Raises Invalid for a call type or number that cannot be."""
    deck = decks.deck_for(account.settings.deck, account.currency)
    return authorize(account, question.call(account.account_id, now), user, deck)


class Authorizer:
    """Asks the store each time. `clock` answers microseconds since the epoch."""

    def __init__(
        self, store: Store, vault: Vault, accounts: Accounts, decks: DeckBook, clock: Callable[[], int]
    ) -> None:
        self._store, self._vault, self._accounts, self._decks, self._clock = store, vault, accounts, decks, clock

    def authorize(self, account_id: str, question: Question) -> Authorization:
        """Raises NotFound `unknown_account`, Invalid."""
        position = self._store.max_position()  # before what is read: it may hold more, never less
        account = self._accounts.get(account_id)
        user = self._vault.find_user(account_id, question.user_id) if question.user_id else None
        return Authorization(decide(account, question, user or "", self._decks, self._clock()), position)
