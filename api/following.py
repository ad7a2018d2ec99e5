"""Authorization from memory: one task follows the log and applies it between requests, so none waits for the store.

One thread waits for the log and reads it, another reads what is not in memory (an account, a user's pseudonym, a deck).
The event loop alone touches the accounts: a request never meets half of an event, and there is no lock.
"""

import asyncio
import gc
import logging
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, contextmanager, suppress
from time import monotonic
from typing import Final, Protocol, TypeVar

from litestar import Litestar

from api.errors import not_ready
from application.account_book import DECK_TOPIC, AccountBook, LogRow
from application.authorize import Authorization, Question, decide
from application.decks import DeckBook
from application.ports import StoreError
from application.recent import Recent
from domain.account import CreditAccount
from domain.errors import NotFound
from domain.tariff import Deck

ROWS_AT_ONCE: Final = 50  # applied between two looks at the requests: well under a millisecond
LOADED_AT_ONCE: Final = 500  # accounts, at the start
RETRY_SECONDS: Final = 0.5
SILENCE_SECONDS: Final = 2.0  # of the store, after which nobody knows how old the accounts are
_log = logging.getLogger("commcredits.serve")
T = TypeVar("T")


class Log(Protocol):
    """What the following thread reads from."""

    def end(self) -> int:
        """The newest position."""
        ...

    def after(self, position: int) -> Sequence[LogRow]:
        """The next rows, waiting a moment for them where there are none."""
        ...

    def close(self) -> None: ...


class Source(Protocol):
    """What the asking thread reads from."""

    def account_ids(self, most: int) -> list[str]: ...

    def load(self, account_ids: Sequence[str]) -> list[CreditAccount]:
        """Those that exist."""
        ...

    def known_user(self, account_id: str, user_id: str) -> str | None:
        """A user's pseudonym, from memory; for any thread."""
        ...

    def user(self, account_id: str, user_id: str) -> str | None:
        """The same, from the store."""
        ...

    def decks(self, known: DeckBook | None) -> DeckBook:
        """Up to the log's end."""
        ...

    def close(self) -> None: ...


class Following:
    """Opens `log` and `source` each in a thread of its own. `clock`: microseconds since the epoch."""

    def __init__(
        self, log: Callable[[], Log], source: Callable[[], Source], capacity: int, clock: Callable[[], int]
    ) -> None:
        self._trouble = "it has not read the log yet"
        self._asked_at = 0.0  # when the log was asked and has not answered yet; 0: it has
        self._book = AccountBook(capacity)
        self._capacity, self._clock = capacity, clock
        self._make_log, self._make_source = log, source
        self._reading, self._asking = ThreadPoolExecutor(1, "log"), ThreadPoolExecutor(1, "store")
        self._loading: dict[str, asyncio.Future[CreditAccount | None]] = {}
        self._strangers: Recent[tuple[str, str], int] = Recent(capacity)  # by which version the account knew none

    @property
    def position(self) -> int:
        """How far the accounts have got in the log."""
        return self._book.position

    @property
    def trouble(self) -> str:
        """Why the accounts are not up to the log; empty where they are."""
        if not self._trouble and self._asked_at and monotonic() - self._asked_at > SILENCE_SECONDS:
            return "the store does not answer"
        return self._trouble

    @asynccontextmanager
    async def running(self, app: Litestar) -> AsyncIterator[None]:
        """Beside the application. Raises what opening the store raises."""
        loop = asyncio.get_running_loop()
        try:
            self._log = await loop.run_in_executor(self._reading, self._make_log)
            self._source = await loop.run_in_executor(self._asking, self._make_source)
            task = asyncio.create_task(self._run())
            try:
                yield
            finally:
                task.cancel()
                with suppress(asyncio.CancelledError):
                    await task
                await loop.run_in_executor(self._reading, self._log.close)
                await loop.run_in_executor(self._asking, self._source.close)
        finally:
            self._reading.shutdown()
            self._asking.shutdown()

    async def authorize(self, account_id: str, question: Question) -> Authorization:
        """From memory, as far as it has read. Raises NotFound `unknown_account`, Invalid, FaultError, StoreError."""
        if trouble := self.trouble:
            raise not_ready(trouble)
        user = await self._user(account_id, question.user_id) if question.user_id else ""
        account = await self._account(account_id)
        now = self._clock()
        deck = self._decks.deck_for(account.settings.deck, account.currency)
        at = now if question.at is None else question.at
        if isinstance(deck, Deck) and not deck.is_ready(at):
            await self._ask(lambda: deck.prepare(at))
        return Authorization(decide(account, question, user, self._decks, now), self._book.position)

    async def _account(self, account_id: str) -> CreditAccount:
        account = self._book.find(account_id)
        if account is None:
            loading = self._loading.get(account_id)
            if loading is None:
                loading = self._loading[account_id] = asyncio.ensure_future(self._load_one(account_id))
            account = await asyncio.shield(loading)
        if account is None:
            raise NotFound("unknown_account", f"there is no account {account_id}", "account")
        return account

    async def _load_one(self, account_id: str) -> CreditAccount | None:
        try:
            await self._load([account_id])
            return self._book.find(account_id)
        finally:
            del self._loading[account_id]

    async def _load(self, account_ids: Sequence[str]) -> None:
        found: list[CreditAccount] = []
        self._book.begin(account_ids)
        try:
            found = await self._ask(lambda: self._source.load(account_ids))
        finally:
            self._book.install(account_ids, found)

    async def _user(self, account_id: str, user_id: str) -> str:
        """The pseudonym; empty where the account knows no such user, which is asked again when it has changed."""
        known = self._source.known_user(account_id, user_id)
        if known is not None:
            return known
        account = await self._account(account_id)
        stranger, version = (account_id, user_id), account.version
        if self._strangers.find({stranger}, lambda _: {}).get(stranger) == version:
            return ""
        pseudonym = await self._ask(lambda: self._source.user(account_id, user_id))
        if pseudonym is None:
            self._strangers.keep({stranger: version})
        return pseudonym or ""

    async def _ask(self, question: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._asking, question)

    async def _run(self) -> None:
        started = False
        while True:
            try:
                if not started:
                    await self._start()
                    started = True
                await self._follow()
            except StoreError as error:
                if str(error) != self._trouble:
                    _log.warning("the store does not answer, trying again: %s", error)
                self._trouble = str(error)
                await asyncio.sleep(RETRY_SECONDS)
            except Exception as error:  # noqa: BLE001 - the edge of a task: `ready` says no from now on
                self._trouble = "a fault of ours stopped it; the log of `serve` says more"
                _log.error("following the log: a fault of ours", exc_info=error)
                return

    async def _start(self) -> None:
        """All accounts, as far as there is room, and the decks."""
        loop = asyncio.get_running_loop()
        self._book.position = await loop.run_in_executor(self._reading, self._log.end)
        account_ids = await self._ask(lambda: self._source.account_ids(self._capacity))
        self._decks = await self._ask(lambda: self._source.decks(None))
        with _uncollected():
            for start in range(0, len(account_ids), LOADED_AT_ONCE):
                await self._load(account_ids[start : start + LOADED_AT_ONCE])

    async def _follow(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            self._asked_at = monotonic()
            rows = await loop.run_in_executor(self._reading, self._log.after, self._book.position)
            self._asked_at = 0.0
            if any(row[3] == DECK_TOPIC for row in rows):
                self._decks = await self._ask(lambda: self._source.decks(self._decks))
            for start in range(0, len(rows), ROWS_AT_ONCE):
                self._book.apply(rows[start : start + ROWS_AT_ONCE])
                await asyncio.sleep(0)
            self._trouble = ""


@contextmanager
def _uncollected() -> Iterator[None]:
    """What is made within it is there to stay: the collector is off meanwhile, and does not look at it afterwards.

    It would look at all accounts again and again, a tenth of a second each time, while requests wait.
    """
    gc.disable()
    try:
        yield
    finally:
        gc.collect()
        gc.freeze()
        gc.enable()
