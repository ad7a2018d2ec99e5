"""Payments in `serve`: threads that ask the store and the provider, each with parts of its own.

What the provider tells is kept and answered; one task looks into what waits, and again later where it could not.
"""

import asyncio
import logging
import threading
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, suppress
from typing import Final, TypeVar

from litestar import Litestar

from application.inbox import Inbox
from application.payments import KEY_REFUSED, ProviderEvent, ProviderRefused, ProviderUnavailable
from application.ports import StoreError
from application.visits import Link
from commcredits.bootstrap import Engine, now
from commcredits.settings import Settings
from domain.by import By

THREADS: Final = 4  # a provider may take half a minute to answer
LOOK_SECONDS: Final = 30.0  # another process may have kept something and gone
RETRY_SECONDS: Final = 5.0
_log = logging.getLogger("commcredits.serve")
T = TypeVar("T")


class PaymentDesk:
    """`api.payments.Desk`."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._own = threading.local()
        self._engines: list[Engine] = []
        self._threads = ThreadPoolExecutor(THREADS, "payments")
        self._news = asyncio.Event()

    @asynccontextmanager
    async def running(self, app: Litestar) -> AsyncIterator[None]:
        """Beside the application."""
        task = asyncio.create_task(self._work())
        try:
            yield
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
            await asyncio.to_thread(self._threads.shutdown)
            for engine in self._engines:
                engine.close()

    async def receive(self, body: bytes, signature: str) -> None:
        """Raises BadSignature, StoreUnavailable."""

        def keep(engine: Engine) -> None:
            Inbox(engine.store).put(engine.provider_events.open(body, signature), now())

        await self._do(keep)
        self._news.set()

    async def opened(self, token: str) -> Link:
        """A customer follows a link."""
        return await self._do(lambda engine: engine.visits.open_link(_customer(), token))

    async def returned(self, token: str, session: str) -> Link:
        """The provider sends a customer back."""
        return await self._do(lambda engine: engine.visits.returned(_customer(), token, session))

    async def _do(self, what: Callable[[Engine], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._threads, lambda: what(self._engine()))

    def _engine(self) -> Engine:
        """This thread's."""
        if not hasattr(self._own, "engine"):
            self._own.engine = Engine(self._settings)
            self._engines.append(self._own.engine)
        engine: Engine = self._own.engine
        return engine

    async def _work(self) -> None:
        pause = 0.0
        while True:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._news.wait(), pause)
            self._news.clear()
            try:
                pause = LOOK_SECONDS if await self._do(_look_into) else RETRY_SECONDS
            except Exception as error:  # noqa: BLE001 - the edge of a task: it goes on when the cause is gone
                _log.warning("webhooks wait: %s", error, exc_info=None if isinstance(error, StoreError) else error)
                pause = RETRY_SECONDS


def _look_into(engine: Engine) -> bool:
    """Whether nothing waits any more. One that cannot be is logged and does not hold up the others."""
    inbox, left = Inbox(engine.store), False
    for event in inbox.waiting():
        if _take(engine, event):
            inbox.done(event)
        else:
            left = True
    return not left


def _take(engine: Engine, event: ProviderEvent) -> bool:
    try:
        engine.provider_events.take(event)
    except (ProviderUnavailable, StoreError) as error:
        _log.warning("event %s waits: %s", event.id, error)
        return False
    except Exception as error:  # noqa: BLE001 - the edge of a thread: one event must not hold up the others
        if isinstance(error, ProviderRefused) and error.code == KEY_REFUSED:
            _log.error("event %s waits: %s", event.id, error)
            return False
        _log.exception("event %s changes nothing", event.id)
    return True


def _customer() -> By:
    return By(now(), "customer", "http")
