"""A stateful machine on the write path: two processes on one store, and a model that knows ids, wires and sums.

One may write while the other is in the middle of its batch. Invariants: no usage id is on two events, what came again
is told from what is another call, balance = paid - spent.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from itertools import count

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from application.ingest import Tally
from application.ports import PositionMoved, PositionSwap
from domain.errors import Refused
from domain.events import UsageDebited
from domain.instants import parse_instant
from domain.usage import Usage
from tests.support.engine import TestEngine

START = parse_instant("2026-11-20T10:00:00Z")
PRICE = Decimal("0.12")  # of a minute, in the deck that an engine makes by itself

Batch = list[tuple[int, int, int]]  # account, id, minutes
accounts = st.integers(0, 2)
batches = st.lists(st.tuples(accounts, st.integers(0, 6), st.integers(1, 2)), max_size=10)
processes = st.integers(0, 1)


def meanwhile(engine: TestEngine, action: Callable[[], object]) -> None:
    """Something that happens once, when the engine has loaded the accounts of its next batch and decides."""
    pending = [action]

    def clock() -> int:
        while pending:
            pending.pop()()
        return engine.time

    engine.ingest._clock = clock


class WritePath(RuleBasedStateMachine):
    numbers = count()

    def __init__(self, engines: list[TestEngine]) -> None:
        super().__init__()
        self.engines = engines
        run = next(self.numbers)
        self.accounts = [f"account-{run}-{each}" for each in range(3)]
        for account in self.accounts:
            engines[0].open(account)
        self.minutes: dict[tuple[int, int], int] = {}
        self.wires: dict[tuple[int, int], int] = {}

    def _usages(self, batch: Batch) -> list[Usage]:
        return [
            Usage(f"u-{number}", self.accounts[account], "user_out", START, 60 * minutes, callee="+4420712")
            for account, number, minutes in batch
        ]

    def _expected(self, batch: Batch) -> Tally:
        known, before = len(self.minutes), sum(self.minutes.values())
        same = [self.minutes.setdefault((account, number), minutes) == minutes for account, number, minutes in batch]
        new, spent = len(self.minutes) - known, PRICE * (sum(self.minutes.values()) - before)
        charged = {"EUR": spent} if batch else {}
        return Tally(len(batch), new, same.count(True) - new, same.count(False), 0, charged)

    @rule(process=processes, batch=batches)
    def usage_comes(self, process: int, batch: Batch) -> None:
        assert self.engines[process].take(*self._usages(batch)) == self._expected(batch)

    @rule(process=processes, batch=batches, first=batches)
    def usage_comes_while_the_other_process_commits_some(self, process: int, batch: Batch, first: Batch) -> None:
        tallies: list[Tally] = []
        meanwhile(self.engines[process], lambda: tallies.append(self.engines[1 - process].take(*self._usages(first))))
        tallies.append(self.engines[process].take(*self._usages(batch)))

        assert tallies == [self._expected(first), self._expected(batch)]

    @rule(process=processes, batch=batches)
    def a_batch_is_refused_as_a_whole(self, process: int, batch: Batch) -> None:
        zombie = [PositionSwap("call-usage", 0, "id", 7, 8)]
        with pytest.raises(PositionMoved):
            self.engines[process].take(*self._usages(batch), positions=zombie)

    @rule(process=processes, account=accounts, wire=st.integers(0, 3), amount=st.integers(1, 2))
    def funds_come(self, process: int, account: int, wire: int, amount: int) -> None:
        engine, known = self.engines[process], self.wires.setdefault((account, wire), amount)
        if known == amount:
            engine.fund(str(amount), self.accounts[account], reference=f"wire-{wire}")
        else:
            with pytest.raises(Refused, match="booked already"):
                engine.fund(str(amount), self.accounts[account], reference=f"wire-{wire}")

    @invariant()
    def the_log_is_what_the_model_knows(self) -> None:
        for place, account in enumerate(self.accounts):
            debited = [event for event in self.engines[0].events(account) if isinstance(event, UsageDebited)]
            known = {number: minutes for (of, number), minutes in self.minutes.items() if of == place}
            assert sorted(event.usage_id for event in debited) == sorted(f"u-{number}" for number in known)
            paid = sum(amount for (of, _), amount in self.wires.items() if of == place)
            assert self.engines[1].balance(account) == paid - PRICE * sum(known.values())


def test_two_processes_whatever_comes(store_url: str) -> None:
    engines = [TestEngine(store_url), TestEngine(store_url)]
    engines[0].deck()

    def machine() -> WritePath:
        return WritePath(engines)

    tries = settings(max_examples=25, stateful_step_count=20)
    run_state_machine_as_test(machine, settings=tries)  # type: ignore[arg-type]  # it is only called

    for engine in engines:
        engine.close()
