"""Following the log: apply what is new in memory, then rows and the new position in one transaction.

Several may follow for the same read models at once: who finds the position moved when its turn to write has come drops
what it had and goes on from there. An event that this program does not know stops them, after all that came before it.
"""

from collections.abc import Sequence
from typing import Final

from projections.log import Entry, Unreadable, readable
from projections.ports import ReadModel, Store

BATCH: Final = 5_000
EVENTS_A_WRITE: Final = 20_000  # when far behind: an account that is debited often is written less often
IDLE_SECONDS: Final = 0.5  # how long to wait for news of the log before looking without any


class Follower:
    """Keeps read models up to the log. Errors of the store pass through; it may be asked again after one."""

    def __init__(self, store: Store, models: Sequence[ReadModel], batch: int = BATCH) -> None:
        self._store, self._batch = store, batch
        self._models = sorted(models, key=lambda model: model.name)  # so that two never wait for each other
        self._positions: dict[str, int] = {}

    def catch_up(self, upto: int | None = None) -> None:
        """Apply the log up to a position, by default its end of now."""
        upto = self._store.max_position() if upto is None else upto
        while min(self.positions().values()) < upto and self.step(upto):
            pass

    def step(self, upto: int | None = None) -> bool:
        """Apply the next batch; False: there is none."""
        try:
            return self._step(self.positions(), upto)
        except BaseException:
            self.forget()
            raise

    def positions(self) -> dict[str, int]:
        """How far each read model has got, by name."""
        if not self._positions:
            self._positions = {model.name: self._store.tracked(model.name) for model in self._models}
        return self._positions

    def forget(self) -> None:
        """Drop what is in memory: the tables may hold something else."""
        self._positions = {}
        for model in self._models:
            model.forget()

    def _step(self, positions: dict[str, int], upto: int | None) -> bool:
        last = self._gather(positions, upto)
        if last is None:
            return False
        behind = {model: positions[model.name] for model in self._models if positions[model.name] < last}
        if self._write(behind, last):
            positions.update({model.name: last for model in behind})
        else:
            self.forget()
        return True

    def _gather(self, positions: dict[str, int], upto: int | None) -> int | None:
        """Apply in memory what one transaction is to write; answers the last position, None when there is nothing."""
        begun = last = min(positions.values())
        count = 0
        while count < EVENTS_A_WRITE and (rows := self._store.select_log(last, self._batch, upto)):
            for model in self._models:
                model.prepare(self._store, rows)
            try:
                for entries in readable(rows):
                    self._apply(positions, entries)
                    last = entries[-1][0]
            except Unreadable:
                if last == begun:
                    raise
                break  # what came before it is written first
            count += len(rows)
            if len(rows) < self._batch:
                break
        return None if last == begun else last

    def _apply(self, positions: dict[str, int], entries: list[Entry]) -> None:
        for model in self._models:
            after = positions[model.name]
            model.apply(entries if after < entries[0][0] else [entry for entry in entries if entry[0] > after])

    def _write(self, behind: dict[ReadModel, int], last: int) -> bool:
        """False: another one was first."""
        with self._store.transaction() as database:
            for model, after in behind.items():
                if self._store.hold_tracking(database, model.name) != after:
                    return False
            for model, after in behind.items():
                self._store.advance_tracking(database, model.name, last, after)
                model.write(database)
        return True
