"""`commcredits`, killed (SIGKILL) once at a step of the work: `python -m tests.support.killing COMMAND …`.

COMMCREDITS_KILL names the step: `before X` or `after X`, X an event that is committed, a call of the provider, a claim
that is taken or released, or `PLACE.NAME`, a step of the notices. `after X 2`: the second time.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from itertools import count
from typing import Any, Final

from adapters.mail import SmtpServer
from adapters.payments.stripe import Stripe
from adapters.store.postgres_store import PostgresStore
from adapters.store.sqlite_store import SQLiteStore
from adapters.webhooks import Webhooks
from application import notices, outbox, paying
from application.claims import Claims
from application.ports import Commit
from commcredits import work
from commcredits.cli import main
from domain.months import SECOND
from projections import notice_look
from projections.duties import Duties
from projections.notices import NoticeModel

CLAIM_SECONDS = 0.3  # the next one is not to wait long for what a dead one had begun
OF_MONEY: Final = (Stripe, Claims, Duties)
OF_NOTICES: Final = {
    "NoticeModel": NoticeModel,
    "notice_look": notice_look,
    "Notices": notices.Notices,
    "outbox": outbox,
    "SmtpServer": SmtpServer,
    "Webhooks": Webhooks,
}


def die() -> None:
    """Here and now."""
    os.kill(os.getpid(), signal.SIGKILL)


def at(
    when: str, step: Callable[..., Any], due: Callable[..., bool] = lambda *_: True, time: int = 1
) -> Callable[..., Any]:
    """The step of a class or a module, and death before it is due or after it is done, the so-manieth time."""
    times = count(1)

    def mortal(*args: Any, **kwargs: Any) -> Any:
        is_due = due(*args[1:])
        if is_due and when == "before" and next(times) == time:
            die()
        answer = step(*args, **kwargs)  # that it fails is not yet the time
        if is_due and when == "after" and next(times) == time:
            die()
        return answer

    return mortal


def kill_at(step: str) -> None:
    """Put death in its place."""
    when, what, *times = step.split()
    place, _, name = what.rpartition(".")
    for holder in [OF_NOTICES[place]] if place else OF_MONEY:
        if hasattr(holder, name):
            setattr(holder, name, at(when, getattr(holder, name), time=int(*times or (1,))))
            return

    def holds(commit: Commit) -> bool:
        return any(event.topic == what for event in commit.events)

    for store in (SQLiteStore, PostgresStore):
        store.commit = at(when, store.commit, holds)  # type: ignore[method-assign]


if __name__ == "__main__":
    kill_at(os.environ["COMMCREDITS_KILL"])
    work.CLAIM_SECONDS = paying.FOREGROUND_SECONDS = CLAIM_SECONDS
    notices.LEASE = int(CLAIM_SECONDS * SECOND)
    sys.exit(main())
