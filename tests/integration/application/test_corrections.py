"""Corrections and budgets while another process writes to the account at the same moment, on each store."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

import pytest

from application.appending import Appender
from application.budgets import BudgetKeeper
from application.corrections import Corrections
from domain.errors import Refused
from domain.events import UsageDebited
from domain.instants import parse_instant
from domain.payment_events import UsageReversed
from domain.usage import Usage
from tests.support.engine import TestEngine

START = parse_instant("2026-11-20T10:00:00Z")


def _calls(first: int, last: int, seconds: int = 600) -> list[Usage]:
    numbers = range(first, last + 1)
    return [Usage(f"u-{n}", "contoso", "user_out", START, seconds, callee="+4420712", user_id="Ana@x") for n in numbers]


class Process(TestEngine):
    """One process with what an admin uses; `before_commit` comes once, between its decision and its commit."""

    def __init__(self, url: str, create: bool, patch: pytest.MonkeyPatch) -> None:
        super().__init__(url, create)
        appender = Appender(self.store, self.vault, self.accounts)
        self.corrections = Corrections(self.store, appender)
        self.budgets = BudgetKeeper(self.store, self.vault, appender)
        self.before_commit: list[Callable[[], object]] = []
        commit = self.store.commit

        def late(given: Any, *more: Any) -> None:
            if self.before_commit:
                self.before_commit.pop()()
            commit(given, *more)

        patch.setattr(self.store, "commit", late)

    def reversals(self) -> list[UsageReversed]:
        return [event for event in self.events() if isinstance(event, UsageReversed)]


@pytest.fixture
def pair(store_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Process, Process]]:
    """Two processes on one store; account contoso has 100, and u-1 to u-3 of 1.2000 each."""
    one, other = Process(store_url, True, monkeypatch), Process(store_url, False, monkeypatch)
    one.open()
    one.deck()
    one.fund("100")
    one.take(*_calls(1, 3))
    yield one, other
    one.close()
    other.close()


def test_two_who_take_back_one_debit_at_once_take_it_back_once(pair: tuple[Process, Process]) -> None:
    one, other = pair
    one.before_commit.append(lambda: other.corrections.reverse(other.by(), "u-2"))
    with pytest.raises(Refused) as refused:
        one.corrections.reverse(one.by(), "u-2")
    assert refused.value.code == "already_reversed"
    assert (len(one.reversals()), one.balance()) == (1, Decimal("97.6000"))


def test_two_with_one_key_are_answered_the_same(pair: tuple[Process, Process]) -> None:
    one, other = pair
    answers = []
    one.before_commit.append(lambda: answers.append(other.corrections.reverse(other.by(), "u-2", key="k")))
    late = one.corrections.reverse(one.by(), "u-2", key="k")
    assert (answers[0].duplicate, late.duplicate, late.event) == (False, True, answers[0].event)
    assert len(one.reversals()) == 1


def test_a_debit_in_between_is_seen_by_the_correction(pair: tuple[Process, Process]) -> None:
    one, other = pair
    one.before_commit.append(lambda: other.take(*_calls(4, 4, seconds=600_000)))
    done = one.corrections.reverse(one.by(), "u-2")
    assert done.event.balance == Decimal("96.4000") - 1200 + Decimal("1.2000") == one.balance()
    assert done.event.debt_reduced == Decimal("1.2000")


def test_what_another_debits_while_a_budget_is_set_is_counted_once(
    pair: tuple[Process, Process], monkeypatch: pytest.MonkeyPatch
) -> None:
    one, other = pair
    read: list[tuple[int, int | None]] = []
    select = one.store.select_events

    def watched(originator_id: Any, gt: int = 0, lte: int | None = None) -> Any:
        read.append((gt, lte))
        return select(originator_id, gt=gt, lte=lte)

    monkeypatch.setattr(one.store, "select_events", watched)
    one.before_commit.append(lambda: other.take(*_calls(4, 5)))
    account, user = one.budgets.set(one.by(), "contoso", "ana@X", Decimal("10.0000"), False)
    assert account.budgets[user].spent == {202611: Decimal("6.0000")}
    assert read == [(0, 5), (5, 7)]
    assert list(account.budgets) == [user]


def test_a_budget_is_in_the_state_that_others_load(pair: tuple[Process, Process]) -> None:
    one, other = pair
    one.budgets.set(one.by(), "contoso", "", Decimal("4.0000"), True)
    other.take(*_calls(4, 4))
    one.corrections.reverse(one.by(), "u-4")
    other.accounts.evict(["contoso"])
    assert other.accounts.get("contoso").budgets[""].spent == {202611: Decimal("3.6000")}
    [debited] = [event for event in one.events() if isinstance(event, UsageDebited) and event.usage_id == "u-4"]
    assert "over_limit" in debited.flags
