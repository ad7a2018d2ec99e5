"""Several worker processes as one: starts them, starts anew the one that dies, ends them all.

A worker that ends by an error of its own accord (its store has gone, a topic was made anew) has done all that waiting
can do: its error ends the whole. A worker that was killed, or fell over a fault of ours, is started again, after a
pause that grows, unless it dies again and again without having done anything.
"""

import logging
import multiprocessing
import signal
import sys
import time
import traceback
from collections.abc import Callable
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from typing import Final

from application.ingest import Tally
from commcredits.cli.errors import FAULT, Failure, failure_of
from commcredits.stopping import StopSignal

Stop = Callable[[], bool]
Report = Callable[[Tally], None]
Work = Callable[[Stop, Report], object]  # can be pickled; returns when its work is done or `stop()` is true

LOOK_SECONDS: Final = 0.1  # how long a stop may go unnoticed
FIRST_PAUSE_SECONDS: Final = 0.1
LONGEST_PAUSE_SECONDS: Final = 10.0
SIGNALLED: Final = 128 + signal.SIGTERM
MOST_DEATHS: Final = 8  # in a row, of a worker that reported nothing in between
_SPAWN: Final = multiprocessing.get_context("spawn")  # threads and connections do not survive a fork
_log = logging.getLogger("commcredits.supervisor")


class WorkerFailed(Exception):
    """A worker ended by an error: `failure` is how the command line shows it."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.message)
        self.failure = failure


def supervise(work: Work, processes: int, stop: Stop) -> Tally:
    """Run `work` in so many processes until all are done, or `stop()`; answers the sum of what they reported.

    Raises WorkerFailed; the others have been ended by then.
    """
    total = Tally()
    workers = [Worker(work, number, total) for number in range(1, processes + 1)]
    try:
        while not all(worker.done for worker in workers) and not stop():
            for worker in workers:
                worker.start_if_due()
            wait([worker.reports for worker in workers if worker.reports is not None], LOOK_SECONDS)
            for worker in workers if not stop() else ():
                worker.look()
    finally:
        for worker in workers:
            worker.ask_to_stop()
        for worker in workers:
            worker.join()
    return total


class Worker:
    """One place among the workers, and the process that fills it now."""

    def __init__(self, work: Work, number: int, total: Tally) -> None:
        self._work, self._number, self._total = work, number, total
        self._process: SpawnProcess | None = None
        self.reports: Connection | None = None
        self._lifeline: Connection | None = None  # closed, by us or by our death, it asks the worker to stop
        self._failure: Failure | None = None
        self._deaths = 0
        self._due_at = 0.0
        self.done = False

    def start_if_due(self) -> None:
        """Start a process where there is none, and it is time."""
        if self.done or self._process is not None or time.monotonic() < self._due_at:
            return
        reports, their_reports = _SPAWN.Pipe(duplex=False)
        their_lifeline, lifeline = _SPAWN.Pipe(duplex=False)
        arguments = (self._work, their_lifeline, their_reports)
        process = _SPAWN.Process(target=run_worker, args=arguments, name=f"worker-{self._number}")
        process.start()
        their_reports.close()
        their_lifeline.close()
        self._process, self.reports, self._lifeline, self._failure = process, reports, lifeline, None

    def look(self) -> None:
        """Take in what the process reported; see to it when it has ended. Raises WorkerFailed."""
        if self._process is None or not self._read():
            return
        self._process.join()
        code = self._process.exitcode
        self._forget()
        if code == 0:
            self.done = True
            return
        failure = self._failure or Failure(FAULT, "worker_died", f"it ended with {code}", None, None)
        self._deaths += 1
        if failure.exit_code != FAULT or self._deaths > MOST_DEATHS:
            raise WorkerFailed(failure)
        pause = min(FIRST_PAUSE_SECONDS * 2 ** (self._deaths - 1), LONGEST_PAUSE_SECONDS)
        _log.warning("worker %s: %s; starting it again in %.1f s", self._number, failure.message, pause)
        self._due_at = time.monotonic() + pause

    def _read(self) -> bool:
        """Everything that was reported; whether the process has closed its end."""
        assert self.reports is not None
        try:
            while self.reports.poll():
                report = self.reports.recv()
                if isinstance(report, Failure):
                    self._failure = report
                else:
                    self._deaths = 0
                    self._total.add(report)
        except (EOFError, ConnectionResetError):
            return True
        return False

    def ask_to_stop(self) -> None:
        """The process finishes what it has in hand and ends."""
        if self._lifeline is not None:
            self._lifeline.close()

    def join(self) -> None:
        """Wait for the end, reading on: a full pipe would keep the process from ending."""
        if self._process is None or self.reports is None:
            return
        while not self._read():
            wait([self.reports])
        self._process.join()
        if self._failure is not None:
            _log.warning("%s", self._failure.message)
        self._forget()

    def _forget(self) -> None:
        for connection in (self.reports, self._lifeline):
            if connection is not None:
                connection.close()
        self._process = self.reports = self._lifeline = None


def run_worker(work: Work, lifeline: Connection, reports: Connection) -> None:
    """The life of a worker process. It stops, too, when its supervisor has gone."""
    with StopSignal() as stop:
        try:
            work(lambda: stop() or lifeline.poll(), lambda tally: _send(reports, tally))
        except Exception as error:  # noqa: BLE001 - the edge of the process: it is told to the supervisor
            if "--debug" in sys.argv:
                traceback.print_exc()
            failure = failure_of(error)
            _send(reports, failure)
            sys.exit(failure.exit_code)
        if stop():
            sys.exit(SIGNALLED)  # by somebody else than the supervisor, who asks by the lifeline


def _send(reports: Connection, report: Tally | Failure) -> None:
    try:
        reports.send(report)
    except BrokenPipeError:
        _log.warning("the supervisor has gone")  # the lifeline tells it, too
