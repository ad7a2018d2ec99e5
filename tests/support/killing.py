"""`commcredits`, killed (SIGKILL) once at a step of the work: `python -m tests.support.killing COMMAND …`.

COMMCREDITS_KILL names the step: `before X` or `after X`, X an event that is committed, a call of the provider, or a
claim that is taken or released.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from typing import Any

from adapters.payments.stripe import Stripe
from adapters.store.postgres_store import PostgresStore
from adapters.store.sqlite_store import SQLiteStore
from application import paying
from application.claims import Claims
from application.ports import Commit
from commcredits import work
from commcredits.cli import main
from projections.duties import Duties

CLAIM_SECONDS = 0.3  # the next one is not to wait long for what a dead one had begun


def die() -> None:
    """Here and now."""
    os.kill(os.getpid(), signal.SIGKILL)


def at(when: str, step: Callable[..., Any], due: Callable[..., bool] = lambda *_: True) -> Callable[..., Any]:
    """The step of a method, and death before or after it where it is due."""

    def mortal(self: Any, *args: Any, **kwargs: Any) -> Any:
        doomed = due(*args)
        if doomed and when == "before":
            die()
        answer = step(self, *args, **kwargs)
        if doomed and when == "after":
            die()
        return answer

    return mortal


def kill_at(step: str) -> None:
    """Put death in its place."""
    when, what = step.split()
    for holder in (Stripe, Claims, Duties):
        if hasattr(holder, what):
            setattr(holder, what, at(when, getattr(holder, what)))
            return

    def holds(commit: Commit) -> bool:
        return any(event.topic == what for event in commit.events)

    for store in (SQLiteStore, PostgresStore):
        store.commit = at(when, store.commit, holds)  # type: ignore[method-assign]


if __name__ == "__main__":
    kill_at(os.environ["COMMCREDITS_KILL"])
    work.CLAIM_SECONDS = paying.FOREGROUND_SECONDS = CLAIM_SECONDS
    sys.exit(main())
