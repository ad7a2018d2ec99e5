"""A made-up history of many accounts, decided by the domain itself: what read models are built from.

The same seed gives the same events. Accounts are opened, funded, licensed and armed first, then usage and further funds
come, mixed over all accounts.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator
from decimal import Decimal
from hashlib import sha256
from itertools import islice
from typing import TypeVar
from uuid import UUID

from application.ports import Commit, NewEvent, Store
from domain import commands
from domain.account import CreditAccount
from domain.commands import By, Funds
from domain.debit import decide_free, decide_rated
from domain.events import (
    DeckImported,
    Event,
    LicencesPurchased,
    Settings,
    UsageDebited,
    account_stream,
    deck_stream,
    encode_state,
)
from domain.numbers import parse_number
from domain.tariff import Match
from tests.support.given import CREDITS, DIALOUT, US_120, at, deck, usage

START = "2026-11-22T10:00:00Z"
SECOND = 1_000_000
COMMIT_EVENTS = 500

Item = TypeVar("Item")


class History:
    """Events to come, and the accounts as they are after those that came."""

    def __init__(self, accounts: int, seed: int = 0) -> None:
        self.accounts = {f"account-{place}": CreditAccount() for place in range(accounts)}
        self._random = random.Random(seed)
        self._now = at(START)
        self._rates = deck()

    def beginning(self) -> Iterator[NewEvent]:
        """A deck, and each account's opening, funds, licences and recharge."""
        header = (1, self._now, self._now, "ana", "cli", "", "")
        yield _row(
            deck_stream("default"), 1, DeckImported(*header, "default", 1, "EUR", 4, "half-up", None, "", 1, False)
        )
        for account_id, account in self.accounts.items():
            yield from self._do(
                account, commands.open_account(account, self._by(), account_id, "EUR", 4, Settings(), None)
            )
            yield from self._fund(account)
            yield from self._do(
                account, commands.assign_licence(account, self._by(), "u-1", "MCOPSTN5", "US", None, None, US_120)
            )
            yield from self._do(
                account, commands.assign_licence(account, self._by(), "u-1", "MCOPSTNPP", "US", None, None, CREDITS)
            )
            yield from self._do(account, [LicencesPurchased(*header, "MCOMEETADD", 1, DIALOUT)])
            yield from self._do(
                account,
                commands.set_recharge(account, self._by(), commands.Level(Decimal(5), Decimal(50)), Decimal(50)),
            )

    def usages(self, count: int) -> Iterator[NewEvent]:
        """Debits of all kinds, and some funds."""
        names = list(self.accounts)
        for _ in range(count):
            account_id = self._random.choice(names)
            account = self.accounts[account_id]
            if self._random.random() < 0.002:
                yield from self._fund(account)
            yield from self._do(account, [self._debit(account)], account_id)

    def _debit(self, account: CreditAccount) -> UsageDebited:
        self._now += self._random.randrange(SECOND)
        dice = self._random.randrange(100)
        number = "+12125550100" if dice < 30 else f"+4420{dice:08}"
        call = usage(number, self._random.randrange(1200), usage_id=f"usage-{account.version}-{dice}")
        parsed = parse_number(number)
        assert parsed is not None
        match = self._rates.find(parsed, None, "out", call.started_at)
        assert isinstance(match, Match)
        taken = decide_free(account, call) if dice >= 95 else decide_rated(account, call, "u-1", parsed, "out", match)
        return UsageDebited(
            UsageDebited.VERSION,
            self._now - dice * SECOND, self._now, "kafka", "kafka", "", call.usage_id, "user_out", self._now,
            call.duration_seconds, taken.amount, taken.balance, "u-1", taken.flags, taken.proof,
            ("kafka", "call-usage", dice % 8, account.version), b"c" * 32, b"s" * 200,
        )  # fmt: skip

    def _fund(self, account: CreditAccount) -> Iterator[NewEvent]:
        amount = Decimal(self._random.randrange(20, 200)).quantize(Decimal("0.0001"))
        yield from self._do(account, commands.add_funds(account, self._by(), Funds(amount)))

    def _by(self) -> By:
        return By(self._now, "ana", "cli")

    def _do(self, account: CreditAccount, events: Iterable[Event], account_id: str = "") -> Iterator[NewEvent]:
        before = account.version
        for version, event in enumerate(commands.with_trigger(account, events), before + 1):
            yield _row(account.stream, version, event, f"{account_id}#{version}" if account_id else "")


def _row(stream: UUID, version: int, event: Event, usage: str = "") -> NewEvent:
    key = sha256(usage.encode()).digest()[:16] if isinstance(event, UsageDebited) else None
    return NewEvent(stream, version, type(event).__name__, encode_state(event), key)


def append(store: Store, rows: Iterable[NewEvent], commit_events: int = COMMIT_EVENTS) -> int:
    """Commit rows, so many at a time; answers how many there were."""
    count = 0
    rows = iter(rows)
    while batch := list(islice(rows, commit_events)):
        store.commit(Commit(batch))
        count += len(batch)
    return count


def written(store: Store, accounts: int = 5, usages: int = 200, seed: int = 0) -> History:
    """A history that is in a store already."""
    history = History(accounts, seed)
    append(store, history.beginning())
    append(store, history.usages(usages))
    return history


__all__ = ["History", "account_stream", "append", "written"]
