"""`project`: keeps the read models up to the log until it is asked to stop."""

from collections.abc import Callable
from contextlib import closing, suppress

from adapters.store.watch import watch_log
from application.ports import StoreUnavailable, WriteConflict
from commcredits.bootstrap import Engine, read_models
from consumers.kafka.errors import Stopped
from consumers.kafka.patience import Patience
from projections.runner import IDLE_SECONDS, Follower


def project(engine: Engine, stop: Callable[[], bool]) -> None:
    """Follow the log. A store that goes away is waited for; then raises StoreUnavailable. Others: Unreadable."""
    patience = Patience(engine.settings.store_patience, stop, lambda trouble: trouble)
    with closing(watch_log(engine.settings.store)) as watch, suppress(Stopped):
        store = patience.ask(lambda: engine.store, StoreUnavailable)
        follower = Follower(store, [make() for make in read_models().values()])
        while not stop():
            try:
                if not follower.step():
                    watch.wait(IDLE_SECONDS)
            except (StoreUnavailable, WriteConflict) as trouble:
                patience.bear(trouble)
            else:
                patience.over()


def project_once(engine: Engine) -> None:
    """Up to the end that the log has now."""
    Follower(engine.store, [make() for make in read_models().values()]).catch_up()
