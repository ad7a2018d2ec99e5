"""The write path on a real store, with a clock that the test moves."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from adapters.privacy import KeyVault
from adapters.store.store import migrate, open_store
from application.accounts import Accounts
from application.administration import Administration, FundsResult
from application.deck_import import ImportOptions, import_deck
from application.decks import DeckBook
from application.ingest import Ingest, Tally
from application.letters import Incoming
from application.ports import PositionSwap
from domain.account import CreditAccount
from domain.commands import By, Funds
from domain.events import Event, Settings, account_stream
from domain.instants import parse_instant
from domain.rates import Rate
from domain.usage import Refusal, Usage
from tests.support.given import rate

NOW = "2026-11-22T12:00:00Z"
MASTER_KEY = bytes(range(32))


class Rates(list[tuple[int, Rate]]):
    """A deck as a file reader would give it."""

    currency = "EUR"
    ignored_columns: Sequence[str] = ()

    def __iter__(self) -> Any:
        return super().__iter__()


class TestEngine:
    """One process's parts over a store: open as many as there are processes."""

    __test__ = False

    def __init__(self, url: str, create: bool = True) -> None:
        if create:
            migrate(url)
        self.store = open_store(url)
        self.vault = KeyVault(MASTER_KEY, self.store)
        self.accounts = Accounts(self.store)
        self.decks = DeckBook(self.store)
        self.time = parse_instant(NOW)
        self.ingest = Ingest(self.store, self.vault, self.accounts, self.decks, lambda: self.time, "")
        self.administration = Administration(self.store, self.vault, self.accounts)

    def by(self) -> By:
        return By(self.time, "ana", "cli")

    def open(self, account_id: str = "contoso", currency: str = "EUR", **settings: Any) -> CreditAccount:
        return self.administration.open_account(
            self.by(), account_id, currency, 4, Settings(**settings), parse_instant("2026-01-01")
        )

    def fund(self, amount: str, account_id: str = "contoso", **more: Any) -> FundsResult:
        funds = Funds(Decimal(amount).quantize(Decimal("0.0001")), **more)
        return self.administration.add_funds(self.by(), account_id, funds)

    def deck(self, *rates: Rate, name: str = "default") -> None:
        rows: Any = Rates(enumerate(rates or (rate("", "0.12"),), 1))
        import_deck(self.store, self.by(), rows, ImportOptions(name))

    def take(self, *records: Usage | Refusal, positions: Sequence[PositionSwap] = (), name: str = "calls.csv") -> Tally:
        incoming = [Incoming(record, ("file", name, line, 0)) for line, record in enumerate(records, 1)]
        return self.ingest.take(incoming, "file", positions)

    def events(self, account_id: str = "contoso") -> list[Event]:
        return [recorded.event for recorded in self.store.select_events(account_stream(account_id))]

    def balance(self, account_id: str = "contoso") -> Decimal:
        """From the log, not from memory."""
        account = CreditAccount()
        for recorded in self.store.select_events(account_stream(account_id)):
            account.apply(recorded.event, recorded.originator_version)
        return account.balance

    def close(self) -> None:
        self.store.close()
