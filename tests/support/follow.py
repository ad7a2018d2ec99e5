"""A process that follows the log until it is told to stop: `python -m tests.support.follow URL [BATCH]`."""

from __future__ import annotations

import signal
import sys

from adapters.store.store import open_store
from adapters.store.watch import watch_log
from projections.runner import IDLE_SECONDS
from tests.support.read_models import follower


def main(url: str, batch: str = "50") -> None:
    """SIGTERM ends it after the batch in hand."""
    stopped: list[int] = []
    signal.signal(signal.SIGTERM, lambda number, _: stopped.append(number))
    store, watch = open_store(url), watch_log(url)
    print("following", flush=True)
    following = follower(store, int(batch))
    while not stopped:
        if not following.step():
            watch.wait(IDLE_SECONDS)
    watch.close()
    store.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
