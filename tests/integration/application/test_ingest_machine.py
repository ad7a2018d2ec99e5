"""A stateful machine on the write path: two processes on one store, and a model that knows ids, wires and sums.

Invariants: no usage id is on two events, what came again is told from what is another call, balance = paid - spent.
"""

from __future__ import annotations

from decimal import Decimal
from itertools import count

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from application.ports import PositionMoved, PositionSwap
from domain.errors import Refused
from domain.events import UsageDebited
from domain.instants import parse_instant
from domain.usage import Usage
from tests.support.engine import TestEngine

START = parse_instant("2026-11-20T10:00:00Z")
PRICE = Decimal("0.12")  # of a minute, in the deck that an engine makes by itself

batches = st.lists(st.tuples(st.integers(0, 12), st.integers(1, 2)), max_size=8)  # id, minutes
processes = st.integers(0, 1)


class WritePath(RuleBasedStateMachine):
    numbers = count()

    def __init__(self, engines: list[TestEngine]) -> None:
        super().__init__()
        self.engines = engines
        self.account = f"account-{next(self.numbers)}"
        engines[0].open(self.account)
        self.minutes: dict[int, int] = {}
        self.wires: dict[int, int] = {}

    def _usages(self, batch: list[tuple[int, int]]) -> list[Usage]:
        return [
            Usage(f"u-{number}", self.account, "user_out", START, 60 * minutes, callee="+4420712")
            for number, minutes in batch
        ]

    @rule(process=processes, batch=batches)
    def usage_comes(self, process: int, batch: list[tuple[int, int]]) -> None:
        known = len(self.minutes)
        same = [self.minutes.setdefault(number, minutes) == minutes for number, minutes in batch]
        new = len(self.minutes) - known

        tally = self.engines[process].take(*self._usages(batch))

        assert (tally.accepted, tally.duplicates) == (new, same.count(True) - new)
        assert (tally.conflicts, tally.dead) == (same.count(False), 0)

    @rule(process=processes, batch=batches)
    def a_batch_is_refused_as_a_whole(self, process: int, batch: list[tuple[int, int]]) -> None:
        zombie = [PositionSwap("call-usage", 0, "id", 7, 8)]
        with pytest.raises(PositionMoved):
            self.engines[process].take(*self._usages(batch), positions=zombie)

    @rule(process=processes, wire=st.integers(0, 3), amount=st.integers(1, 2))
    def funds_come(self, process: int, wire: int, amount: int) -> None:
        engine, known = self.engines[process], self.wires.setdefault(wire, amount)
        if known == amount:
            engine.fund(str(amount), self.account, reference=f"wire-{wire}")
        else:
            with pytest.raises(Refused, match="booked already"):
                engine.fund(str(amount), self.account, reference=f"wire-{wire}")

    @invariant()
    def the_log_is_what_the_model_knows(self) -> None:
        debited = [event for event in self.engines[0].events(self.account) if isinstance(event, UsageDebited)]
        assert sorted(event.usage_id for event in debited) == sorted(f"u-{number}" for number in self.minutes)
        spent = PRICE * sum(self.minutes.values())
        assert self.engines[1].balance(self.account) == sum(self.wires.values()) - spent


def test_two_processes_whatever_comes(store_url: str) -> None:
    engines = [TestEngine(store_url), TestEngine(store_url)]
    engines[0].deck()

    def machine() -> WritePath:
        return WritePath(engines)

    tries = settings(max_examples=25, stateful_step_count=20)
    run_state_machine_as_test(machine, settings=tries)  # type: ignore[arg-type]  # it is only called

    for engine in engines:
        engine.close()
