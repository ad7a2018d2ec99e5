"""`work`'s notices: in a thread of their own, so that nothing of money waits for them, nor they for it."""

import logging
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress

from application.ports import StoreUnavailable, WriteConflict
from commcredits.bootstrap import Engine, now
from commcredits.pauses import LOOK_SECONDS, pause_seconds
from commcredits.settings import Settings
from consumers.kafka.errors import Stopped
from consumers.kafka.patience import Patience

_log = logging.getLogger("commcredits.work")


class NoticesThread:
    """What it cannot begin with ends it, and a store that stays away. Any other fault is told and tried again."""

    def __init__(self, settings: Settings) -> None:
        self._settings, self._stopping = settings, threading.Event()
        self._failures, self._told = 0, ""
        self._pool = ThreadPoolExecutor(1, "notices")
        self._done = self._pool.submit(self._run)

    def check(self) -> None:
        """Raises what ended it."""
        if self._done.done():
            self._done.result()

    def close(self) -> None:
        """Ends it; deliveries that are on their way are waited for."""
        self._stopping.set()
        self._pool.shutdown(wait=True)

    def _run(self) -> None:
        patience = Patience(self._settings.store_patience, self._stopping.is_set, lambda trouble: trouble)
        with suppress(Stopped), closing(Engine(self._settings)) as engine:
            notices = patience.ask(lambda: engine.notices, StoreUnavailable)
            while not self._stopping.is_set():
                try:
                    done = patience.ask(lambda: notices.run(now()), StoreUnavailable, WriteConflict)
                except (Stopped, StoreUnavailable, WriteConflict):
                    raise
                except Exception as fault:  # noqa: BLE001 - recharges go on
                    patience.over()
                    self._failed(fault)
                    self._stopping.wait(pause_seconds(self._failures))
                else:
                    self._succeeded()
                    if not done:
                        self._stopping.wait(LOOK_SECONDS)

    def _failed(self, fault: Exception) -> None:
        """Told once for as long as it stays the same."""
        self._failures += 1
        what = f"{type(fault).__name__}: {fault}"
        if what != self._told:
            self._told = what
            _log.error("notices do not go out, and are tried again until they do: %s", what, exc_info=fault)

    def _succeeded(self) -> None:
        if self._failures:
            _log.warning("notices go out again")
            self._failures, self._told = 0, ""
