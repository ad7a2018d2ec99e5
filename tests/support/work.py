"""What supervised processes do in tests: it must be importable in a process of its own."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path

from application.ingest import Tally
from consumers.kafka.errors import TopicMissing
from tests.support.waiting import wait_until

Stop = Callable[[], bool]
Report = Callable[[Tally], None]


class Reports:
    """Tells of so many batches of one, and is done."""

    def __init__(self, batches: int) -> None:
        self.batches = batches

    def __call__(self, stop: Stop, report: Report) -> None:
        for _ in range(self.batches):
            report(Tally(read=1, accepted=1))


class Dies:
    """Is killed so many times, after a batch or before."""

    def __init__(self, folder: Path, times: int, report: bool = True) -> None:
        self.folder, self.times, self.report = folder, times, report

    def __call__(self, stop: Stop, report: Report) -> None:
        if self.report:
            report(Tally(read=1))
        before = len(list(self.folder.iterdir()))
        (self.folder / str(before)).touch()
        if before < self.times:
            os.kill(os.getpid(), signal.SIGKILL)


class Waits:
    """Until it is asked to stop."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __call__(self, stop: Stop, report: Report) -> None:
        (self.folder / "started").touch()
        wait_until(stop, what="to be asked to stop")
        (self.folder / "left").touch()


class Fails(Waits):
    """One of the workers ends by an error once the other waits."""

    def __call__(self, stop: Stop, report: Report) -> None:
        try:
            (self.folder / "first").touch(exist_ok=False)
        except FileExistsError:
            wait_until((self.folder / "started").exists, what="the other worker")
            raise TopicMissing("there is no topic t", {"topic": "t"}) from None
        super().__call__(stop, report)
