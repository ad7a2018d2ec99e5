"""Accounts in memory that follow the log, for a process that answers many questions about them.

Reading the store is somebody else's thread; the book itself belongs to one. An account that is being loaded while the
log goes on gets what came in between: `begin` before its state is read, `install` with it afterwards.
"""

import logging
from collections.abc import Iterable, Sequence
from typing import Final
from uuid import UUID

from domain.account import CreditAccount
from domain.events import DeckImported, UnknownEvent, account_stream, decode_state

LogRow = tuple[int, UUID, int, str, bytes]  # position, stream, version, topic, state
DECK_TOPIC: Final = DeckImported.__name__
_log = logging.getLogger("commcredits.serve")


class AccountBook:
    """At most `capacity` accounts, those that came first go first. `position`: all of the log up to it is in them."""

    def __init__(self, capacity: int) -> None:
        self.position = 0
        self._capacity = capacity
        self._by_id: dict[str, CreditAccount] = {}
        self._by_stream: dict[UUID, CreditAccount] = {}
        self._loading: dict[UUID, list[LogRow]] = {}

    def __len__(self) -> int:
        return len(self._by_id)

    def find(self, account_id: str) -> CreditAccount | None:
        """Where it is in memory."""
        return self._by_id.get(account_id)

    def begin(self, account_ids: Iterable[str]) -> None:
        """Their state is about to be read: keep what the log brings of them."""
        for account_id in account_ids:
            self._loading.setdefault(account_stream(account_id), [])

    def install(self, account_ids: Iterable[str], accounts: Iterable[CreditAccount]) -> None:
        """What was read of those that `begin` named; one that is not there is not known."""
        missed = {stream: self._loading.pop(stream, []) for stream in map(account_stream, account_ids)}
        for account in accounts:
            while len(self._by_id) >= self._capacity and account.account_id not in self._by_id:
                self._forget(next(iter(self._by_id.values())))
            self._by_id[account.account_id] = self._by_stream[account.stream] = account
            for row in missed.get(account.stream, ()):
                self._apply(account, row)

    def apply(self, rows: Sequence[LogRow]) -> None:
        """The next rows of the log."""
        by_stream, loading = self._by_stream, self._loading
        for row in rows:
            account = by_stream.get(row[1])
            if account is not None:
                self._apply(account, row)
            if loading and row[1] in loading:
                loading[row[1]].append(row)
        if rows:
            self.position = rows[-1][0]

    def _apply(self, account: CreditAccount, row: LogRow) -> None:
        position, _, version, topic, state = row
        if version <= account.version:
            return
        try:
            account.apply(decode_state(topic, state), version)
        except (UnknownEvent, ValueError, LookupError) as error:
            _log.error("position %d: account %s is loaded anew when asked for: %s", position, account.account_id, error)
            self._forget(account)

    def _forget(self, account: CreditAccount) -> None:
        self._by_id.pop(account.account_id, None)
        self._by_stream.pop(account.stream, None)
