"""`commcredits`, stopped (SIGSTOP) once at a step of a commit: `python -m tests.support.freezing COMMAND …`.

COMMCREDITS_FREEZE names the step; it is the third commit that has events.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from itertools import count
from typing import Any

from adapters.store import postgres, sqlite
from commcredits.cli import main

COMMIT = 3
STEPS = ("not begun", "begun", "in mid-COPY", "copied")


class Freezer:
    """Stops this process when its time has come."""

    def __init__(self) -> None:
        self._commits = count(1)
        self.due = False

    def watch(self, insert_events: Callable[..., Any]) -> Callable[..., Any]:
        """Counts commits of events."""

        def watched(recorder: Any, events: Any, **kwargs: Any) -> Any:
            self.due = bool(events) and next(self._commits) == COMMIT
            return insert_events(recorder, events, **kwargs)

        return watched

    def stop(self) -> None:
        """Here, if it is due; SIGCONT lets it go on."""
        if self.due:
            self.due = False
            os.kill(os.getpid(), signal.SIGSTOP)

    def before(self, step: Callable[..., Any]) -> Callable[..., Any]:
        """Stopped, then the step."""

        def stopped_first(*args: Any, **kwargs: Any) -> Any:
            self.stop()
            return step(*args, **kwargs)

        return stopped_first

    def after(self, step: Callable[..., Any]) -> Callable[..., Any]:
        """The step, then stopped."""

        def stopped_then(*args: Any, **kwargs: Any) -> Any:
            answer = step(*args, **kwargs)
            self.stop()
            return answer

        return stopped_then

    def amid(self, connection: Any, events: Any) -> None:
        """Half of the rows are sent when it stops."""
        rows = postgres.copy_rows(events)
        with connection.cursor() as cursor, cursor.copy(postgres.COPY) as copy:
            copy.write(rows[: len(rows) // 2])
            self.stop()
            copy.write(rows[len(rows) // 2 :])


def freeze_at(step: str) -> None:
    """Put the stop in its place."""
    freezer = Freezer()
    recorder: Any = sqlite.SQLiteLedgerRecorder if step == "on SQLite" else postgres.PostgresLedgerRecorder
    recorder.insert_events = freezer.watch(recorder.insert_events)
    match step:
        case "not begun":
            postgres.begin = freezer.before(postgres.begin)
        case "begun":
            postgres.begin = freezer.after(postgres.begin)
        case "in mid-COPY":
            postgres.stage = freezer.amid
        case "copied":
            recorder._finish = freezer.before(recorder._finish)
        case "on SQLite":
            recorder._insert_events = freezer.after(recorder._insert_events)


if __name__ == "__main__":
    freeze_at(os.environ["COMMCREDITS_FREEZE"])
    sys.exit(main())
