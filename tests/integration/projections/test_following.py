"""Following the log: the rows are what the log says, however it is batched and whoever else follows."""

from __future__ import annotations

import random
from collections.abc import Callable
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from application.ports import Commit, NewEvent, Store, WriteConflict
from domain.account import dump_account
from domain.events import AccountClosed, encode_state
from projections import runner
from projections.balance import Balances, balance_of
from projections.log import Inapplicable, Unreadable
from projections.runner import Follower
from projections.statement import Statement
from tests.support.history import append, written
from tests.support.read_models import clear, expected, follower, tables

CLOSED = encode_state(AccountClosed(1, 5, 5, "ana", "cli", "", ""))


def test_the_rows_are_what_the_log_says(store: Store) -> None:
    history = written(store)

    follower(store).catch_up()

    assert tables(store) == expected(store)
    for account_id, account in history.accounts.items():
        found = balance_of(store, account_id, 0)
        assert found is not None
        assert dump_account(found[0]) == dump_account(account)


@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.integers(0, 500), max_size=6), st.integers(1, 200), st.integers(1, 10), st.integers(1, 300))
def test_the_rows_are_the_same_however_the_log_is_batched(
    store: Store, stops: list[int], batch: int, capacity: int, events_a_write: int
) -> None:
    if not store.max_position():
        written(store, accounts=8, usages=300)
    clear(store)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(runner, "EVENTS_A_WRITE", events_a_write)
        for stop in sorted(stops):
            follower(store, batch, capacity).catch_up(min(stop, store.max_position()))
        follower(store, batch, capacity).catch_up()

    assert tables(store) == expected(store)


def test_what_has_been_followed_is_not_followed_again(store: Store) -> None:
    written(store)
    first = follower(store)
    first.catch_up()

    assert not first.step()
    assert not follower(store).step()


def test_catching_up_ends_at_the_position_it_was_given(store: Store) -> None:
    written(store)

    follower(store, batch=10).catch_up(45)

    assert (store.tracked("balance"), store.tracked("statement")) == (45, 45)
    assert tables(store)[1][-1][0] <= 45


def test_read_models_at_different_positions_come_together(store: Store) -> None:
    written(store)
    Follower(store, [Balances()]).catch_up(100)
    Follower(store, [Statement()]).catch_up(60)

    follower(store, batch=50).catch_up()

    assert tables(store) == expected(store)


def test_who_comes_second_drops_its_work_and_goes_on(store: Store, opened: Callable[[], Store]) -> None:
    history = written(store)
    first, second = follower(store), follower(opened(), batch=20)
    second.catch_up(40)
    first.catch_up()

    assert second.step()  # it went on from where it was
    assert not second.step()
    assert tables(store) == expected(store)

    append(store, history.usages(30))
    second.catch_up()
    assert tables(store) == expected(store)


def test_followers_that_take_turns_at_random_do_no_harm(opened: Callable[[], Store]) -> None:
    store = opened()
    history = written(store, usages=0)
    dice = random.Random(1)
    others = [opened(), opened()]
    followers = [
        follower(store, 7),
        follower(others[0], 11, capacity=2),
        Follower(others[1], [Balances()], 5),
        Follower(others[1], [Statement()], 13),
    ]
    for _ in range(60):
        append(store, history.usages(dice.randrange(8)))
        dice.choice(followers).step()
    for each in followers:
        each.catch_up()

    assert tables(store) == expected(store)


def test_positions_without_events_are_passed_over(store: Store) -> None:
    history = written(store, usages=20)
    account = next(iter(history.accounts.values()))
    with pytest.raises(WriteConflict):  # takes positions on PostgreSQL, and gives none back
        store.commit(
            Commit([NewEvent(uuid4(), 1, "AccountOpened", b"[]"), NewEvent(account.stream, 1, "AccountClosed", CLOSED)])
        )
    append(store, history.usages(20))
    with store.transaction() as database:
        database.execute("DELETE FROM stored_events WHERE topic = 'DeckImported'")

    follower(store, batch=3).catch_up()

    assert tables(store) == expected(store)
    assert store.tracked("balance") == store.max_position()


def test_an_event_of_the_future_stops_them_after_all_that_came_before_it(store: Store) -> None:
    history = written(store, usages=50)
    before = store.max_position()
    unknown = uuid4()
    append(store, [NewEvent(unknown, 1, "FromTheFuture", b"[]")])
    append(store, history.usages(10))
    following = follower(store)

    following.step()
    for _ in range(2):
        with pytest.raises(Unreadable, match=f"position {store.tracked('balance') + 1} of the log") as raised:
            following.step()

    assert raised.value.stream == unknown
    assert store.tracked("balance") == store.tracked("statement") == before
    with store.transaction() as database:
        database.execute("DELETE FROM stored_events WHERE topic = 'FromTheFuture'")
    following.catch_up()
    assert tables(store) == expected(store)


def test_an_event_that_does_not_follow_changes_nothing(store: Store) -> None:
    history = written(store, usages=50)
    follower(store).catch_up()
    before = tables(store)
    account = next(iter(history.accounts.values()))
    append(store, history.usages(10))
    append(store, [NewEvent(account.stream, account.version + 2, "AccountClosed", CLOSED)])

    with pytest.raises(Inapplicable, match=f"event {account.version + 2} does not follow {account.version}"):
        follower(store).catch_up()

    assert tables(store) == before
