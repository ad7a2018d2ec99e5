"""`work`: does what is due, with the provider where it takes one: follows the log, claims, hands out to threads.

The main thread keeps the duties up to the log and claims what is due; each account is advanced in a thread that has a
store of its own, so a provider that is slow to answer keeps only its own accounts waiting (docs/decisions/0025).
"""

import logging
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, closing, suppress
from dataclasses import replace
from typing import Final

from adapters.store.watch import watch_log
from application.claims import Claim
from application.payments import KEY_REFUSED, ProviderRefused, ProviderUnavailable
from application.ports import StoreUnavailable, WriteConflict
from commcredits.bootstrap import Engine, now
from commcredits.notices_thread import NoticesThread
from commcredits.outage import Outage
from commcredits.pauses import LOOK_SECONDS, pause_seconds
from consumers.kafka.errors import Stopped
from consumers.kafka.patience import Patience
from domain.commands import By
from domain.parts import PARTS
from projections.duties import Duties, due_accounts
from projections.runner import IDLE_SECONDS, Follower

NOTICES: Final = "notices"
THREADS: Final = 24
AT_ONCE: Final = 3 * THREADS  # claimed: so many wait for a thread that none of them has to wait for work
CLAIM_SECONDS = 6.0  # how long what a dead worker had begun keeps waiting
RENEW_SECONDS: Final = CLAIM_SECONDS / 3
SHORT_PAUSE_SECONDS: Final = 1.0
PAUSES_ONCE: Final = 4  # with `--once`: then it is left for another time
ENGINE: Final = "engine"
_log = logging.getLogger("commcredits.work")


class Tally:
    """How often each part was done something for; `unreachable`: how often a provider did not answer to the last."""

    def __init__(self) -> None:
        self.done = dict.fromkeys((*PARTS, NOTICES), 0)
        self.unreachable = 0
        self.fault: Exception | None = None  # the first of ours; it ended nothing but its own account's turn


class Worker:
    """One process's work. `at`: the time it is taken to be (µs; None: the clock's), `parts`: which of PARTS."""

    def __init__(self, engine: Engine, parts: Sequence[str], at: int | None = None, once: bool = False) -> None:
        self._engine, self._at, self._once = engine, at, once
        self._parts = [part for part in PARTS if part in parts]
        self._claims = engine.claims
        self._touched: set[str] = set()
        self._follower = Follower(engine.store, [Duties(touched=self._touched)])
        self._running: dict[Claim, Future[bool]] = {}
        self._pauses: dict[Claim, int] = {}
        self._left: set[Claim] = set()  # with `--once`: tried often enough
        self._outage = Outage()
        self._looked_at = self._renewed_at = self._moved_at = time.monotonic()
        self._local = threading.local()
        self._opened = ExitStack()
        self._pool = self._opened.enter_context(ThreadPoolExecutor(THREADS, "work"))
        self.tally = Tally()

    def close(self) -> None:
        """Waits for what has begun, and lets go of the threads' stores."""
        self._pool.shutdown(wait=True, cancel_futures=True)
        self._collect()
        self._opened.close()

    def warm_up(self) -> None:
        """A library that is slow to import is not to keep the first account waiting."""
        self._pool.submit(lambda: self._thread_engine().advancing)

    def step(self) -> bool:
        """Gather what is done, follow the log, begin what is due. False: nothing moved."""
        moved = self._collect()
        moved |= self._follower.step()  # after it: then the duties know what the turns that are over have done
        self._wake()
        clock = time.monotonic()
        if moved or clock >= self._looked_at + LOOK_SECONDS:
            self._looked_at = clock
            moved |= self._begin()
        if self._running and clock >= self._renewed_at + RENEW_SECONDS:
            self._renewed_at = clock
            self._claims.hold(self._running, CLAIM_SECONDS)
        if moved or self._running:
            self._moved_at = clock
        return moved

    def _wake(self) -> None:
        """Whom something has happened to is looked at again at once: what is due now may be another thing than what
        could not be done. A short pause ends by itself.
        """
        claims = [Claim(account, part) for account in self._touched for part in self._parts]
        self._touched.clear()
        rests = [claim for claim in claims if claim in self._pauses and claim not in self._running]
        self._claims.release(claim for claim in rests if pause_seconds(self._pauses[claim]) > SHORT_PAUSE_SECONDS)

    def idle(self) -> bool:
        """Whether nothing is due any more but what was given up, or what another one has had for longer than any dead
        one could. Only to be asked when nothing moved.
        """
        if self._running:
            return False
        if time.monotonic() > self._moved_at + 2 * CLAIM_SECONDS:
            return True
        at = self._time()
        with self._engine.store.reading() as database:
            due = {Claim(each, part) for part in self._parts for each in due_accounts(database, part, at, 1_000_000)}
        return due <= self._left

    def _time(self) -> int:
        return now() if self._at is None else self._at

    def _begin(self) -> bool:
        """Claim what is due and nobody's, as much as there is room for."""
        wanted: list[Claim] = []
        with self._engine.store.reading() as database:
            free_at = self._claims.now(database)
            for part in self._parts:
                room = AT_ONCE - len(self._running) - len(wanted)
                if room > 0:
                    passed_over = len(self._left) + len(self._running)
                    accounts = due_accounts(database, part, self._time(), room + passed_over, free_at)
                    found = [Claim(account, part) for account in accounts]
                    wanted += [each for each in found if each not in self._running and each not in self._left][:room]
        taken = self._claims.take(wanted, CLAIM_SECONDS)
        for claim in taken:
            self._running[claim] = self._pool.submit(self._advance, claim)
        return bool(taken)

    def _advance(self, claim: Claim) -> bool:
        """In a thread: everything of the account's that is due. False: something is, and cannot be done now."""
        engine = self._thread_engine()
        by = By(self._time(), ENGINE, ENGINE)
        return engine.advancing.advance(by, claim.account, claim.part)

    def _thread_engine(self) -> Engine:
        engine: Engine | None = getattr(self._local, "engine", None)
        if engine is None:
            # a thread goes from account to account and meets none of them again soon
            engine = Engine(replace(self._engine.settings, cache_accounts=100))
            self._opened.callback(engine.close)
            self._local.engine = engine
        return engine

    def _collect(self) -> bool:
        """What came of the turns that are over: each account is free again, or rests."""
        over = [claim for claim, future in self._running.items() if future.done()]
        free = [claim for claim in over if self._settle(claim, self._running.pop(claim))]
        self._claims.release(free)
        self._outage.tell()
        return bool(over)

    def _settle(self, claim: Claim, turn: Future[bool]) -> bool:
        """Whether the account is free again."""
        if turn.cancelled():
            return True
        try:
            done = turn.result()
        except (StoreUnavailable, WriteConflict) as trouble:
            _log.warning("%s of %s: %s", claim.part, claim.account, trouble)
            return self._rest(claim, PAUSES_ONCE)
        except ProviderUnavailable as trouble:
            self._outage.waits(claim, str(trouble))
            return self._rest(claim, PAUSES_ONCE)
        except Exception as fault:  # noqa: BLE001 - one account's fault is told, and stops no other account
            self._tell(claim, fault)
            self.tally.fault = self.tally.fault or fault
            return self._rest(claim, 0)
        self._outage.goes_on(claim)
        if not done:
            return self._rest(claim, 0)
        self.tally.done[claim.part] += 1
        self._pauses.pop(claim, None)
        return True

    def _tell(self, claim: Claim, fault: Exception) -> None:
        if isinstance(fault, ProviderRefused) and fault.code == KEY_REFUSED:
            self._outage.waits(claim, str(fault))  # it is the same for all accounts
            return
        self._outage.goes_on(claim)
        where = None if isinstance(fault, ProviderRefused) else fault  # that is an answer: its text says it all
        _log.error("%s of %s: %s", claim.part, claim.account, fault, exc_info=where)

    def _rest(self, claim: Claim, pauses_once: int) -> bool:
        """Nobody looks at it for a while that grows; with `--once` it is left after so many. True: it is left."""
        pauses = self._pauses[claim] = self._pauses.get(claim, 0) + 1
        if self._once and pauses > pauses_once:
            self._left.add(claim)
            self.tally.unreachable += pauses_once > 0
            return True
        self._claims.hold([claim], pause_seconds(pauses))
        return False


def work(engine: Engine, parts: Sequence[str], stop: Callable[[], bool]) -> Tally:
    """Until `stop()`. A store that goes away is waited for; then raises StoreUnavailable."""
    patience = Patience(engine.settings.store_patience, stop, lambda trouble: trouble)
    with suppress(Stopped), ExitStack() as stack:
        watch = stack.enter_context(closing(watch_log(engine.settings.store)))
        patience.ask(lambda: engine.store, StoreUnavailable)
        worker = stack.enter_context(closing(Worker(engine, parts)))
        worker.warm_up()
        notices = stack.enter_context(closing(NoticesThread(engine.settings))) if NOTICES in parts else None
        while not stop():
            if notices is not None:
                notices.check()
            try:
                if not worker.step():
                    watch.wait(IDLE_SECONDS)
            except (StoreUnavailable, WriteConflict) as trouble:
                patience.bear(trouble)
            else:
                patience.over()
        return worker.tally
    return Tally()


def work_once(engine: Engine, parts: Sequence[str], at: int | None) -> Tally:
    """All that is due at a time (None: now), also what it makes due in turn. Raises the first fault of ours, once all
    else is done.
    """
    with closing(watch_log(engine.settings.store)) as watch, closing(Worker(engine, parts, at, once=True)) as worker:
        while worker.step() or not worker.idle():
            watch.wait(LOOK_SECONDS / 10)
    if NOTICES in parts:
        while done := engine.notices.run(now() if at is None else at):
            worker.tally.done[NOTICES] += done
    if worker.tally.fault is not None:
        raise worker.tally.fault
    return worker.tally
