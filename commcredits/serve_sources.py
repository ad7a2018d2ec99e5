"""Where `serve` reads from: each is opened, and but for what it says used, by one thread, with a store of its own."""

from collections.abc import Sequence
from typing import Final

from adapters.directory import Directory
from adapters.store.watch import watch_log
from application.account_book import LogRow
from application.accounts import opened_accounts
from application.decks import DeckBook
from commcredits.bootstrap import Engine, now
from commcredits.settings import Settings
from domain.account import CreditAccount

ROWS: Final = 500  # of the log, read at once: building them holds up everything else in the process
USERS: Final = 200_000  # whose pseudonyms are in memory
WAIT_SECONDS: Final = 0.25  # without news of the log


class LogSource:
    """The log, as it grows."""

    def __init__(self, settings: Settings) -> None:
        self._store = Engine(settings).store
        self._watch = watch_log(settings.store)

    def end(self) -> int:
        """The newest position."""
        return self._store.max_position()

    def after(self, position: int) -> Sequence[LogRow]:
        """The next rows, waiting a moment for them where there are none."""
        rows = self._store.select_log(position, ROWS)
        if not rows:
            self._watch.wait(WAIT_SECONDS)
            rows = self._store.select_log(position, ROWS)
        return rows

    def close(self) -> None:
        """Lets go of the store."""
        self._watch.close()
        self._store.close()


class StoreSource:
    """What is not in memory."""

    def __init__(self, settings: Settings) -> None:
        self._engine = engine = Engine(settings)
        self._directory = Directory(engine.store, engine.vault, USERS)

    def account_ids(self, most: int) -> list[str]:
        """Of the accounts that were opened first."""
        found: list[str] = []
        for page in opened_accounts(self._engine.store):
            found += page
            if len(found) >= most:
                break
        return found[:most]

    def load(self, account_ids: Sequence[str]) -> list[CreditAccount]:
        """Those that exist, as they are now; none is kept here."""
        accounts = self._engine.accounts
        accounts.clear()
        found = list(accounts.find(account_ids).values())
        accounts.clear()
        self._directory.load([account.account_id for account in found])
        return found

    def known_user(self, account_id: str, user_id: str) -> str | None:
        """A user's pseudonym, from memory; for any thread."""
        return self._directory.find(account_id, user_id)

    def user(self, account_id: str, user_id: str) -> str | None:
        """The same, from the store."""
        return self._directory.ask(account_id, user_id)

    def decks(self, known: DeckBook | None) -> DeckBook:
        """Up to the log's end, ready for calls that begin now."""
        return (known or DeckBook(self._engine.store)).renewed(now())

    def close(self) -> None:
        """Lets go of the store."""
        self._engine.close()
