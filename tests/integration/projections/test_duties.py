"""Duties: the same rows however they came about, and found when they are due."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from adapters.store.store import open_store
from application import claims
from application.claims import Claim, Claims
from application.ports import Store
from domain.account import CreditAccount, load_account
from domain.duties import duties
from domain.parts import PARTS, part_of
from projections.duties import COLUMNS, TABLE, Duties, due_accounts
from projections.rebuild import rebuild
from projections.runner import Follower
from projections.tables import digest
from tests.support.history import append, written

EVER = 1 << 61


def rows(store: Store) -> list[tuple[object, ...]]:
    with store.reading() as database:
        return database.execute(f"SELECT account, {', '.join(PARTS)} FROM {TABLE} ORDER BY account")


def expected(store: Store) -> list[tuple[object, ...]]:
    """From each account's state alone."""
    found = []
    streams = list({row[1]: None for row in store.select_log(0, 1_000_000, topics=["AccountOpened"])})
    for state, _, events in store.load_streams(streams).values():
        account = CreditAccount() if state is None else load_account(state)
        for recorded in events:
            account.apply(recorded.event, recorded.originator_version)
        dues: dict[str, list[int]] = {part: [] for part in PARTS}
        for duty in duties(account):
            dues[part_of(duty)].append(duty.due_at if duty.due_at > account.recorded_at else 0)
        found.append((account.account_id, *(min(dues[part], default=None) for part in PARTS)))
    return sorted(found)


@pytest.mark.parametrize("batch", [3, 5_000])
def test_each_account_has_what_its_state_says_however_it_was_batched(store: Store, batch: int) -> None:
    history = written(store, accounts=10, usages=60)
    Follower(store, [Duties(capacity=4)], batch).catch_up()
    append(store, history.usages(20))
    Follower(store, [Duties()], batch).catch_up()

    assert rows(store) == expected(store)
    with store.reading() as database:
        followed = digest(database, TABLE, COLUMNS)
    assert rebuild(store, "duties").sha256 == followed.sha256


def test_two_who_follow_at_once_leave_what_the_last_event_says(store: Store, opened: Callable[[], Store]) -> None:
    history = written(store, accounts=5, usages=10)
    one, other = Follower(store, [Duties()], 7), Follower(opened(), [Duties()], 11)
    for _ in range(10):
        one.step()
        append(store, history.usages(5))
        other.step()
    one.catch_up()

    assert rows(store) == expected(store)


def test_what_is_due_is_found_first_due_first_without_what_is_claimed(store: Store) -> None:
    written(store, accounts=6, usages=0)
    Follower(store, [Duties()]).catch_up()
    with store.reading() as database:
        due = due_accounts(database, "expiry", EVER, 10)
        assert due_accounts(database, "expiry", 0, 10) == []
        assert due_accounts(database, "expiry", EVER, 2) == due[:2]
    assert len(due) == 6

    worker = Claims(store, "one", lambda: 1_000)
    assert worker.take([Claim(due[0], "expiry")], 60) == [Claim(due[0], "expiry")]

    with store.reading() as database:
        assert due_accounts(database, "expiry", EVER, 10, worker.now(database)) == due[1:]


class Clock:
    """Of a machine; a store with a clock of its own is not asked for it."""

    def __init__(self) -> None:
        self.now = 1_795_000_000_000_000

    def __call__(self) -> int:
        return self.now


CLAIMS = [Claim("contoso", "recharges"), Claim("fabrikam", "recharges")]


def test_a_claim_is_one_workers_until_it_is_released_or_runs_out(store: Store, opened: Callable[[], Store]) -> None:
    one, other = Claims(store, "one", Clock()), Claims(opened(), "other", Clock())

    assert one.take(CLAIMS, 60) == CLAIMS
    assert other.take([CLAIMS[0]], 60) == []
    assert other.take([Claim("contoso", "expiry")], 60) == [Claim("contoso", "expiry")]
    other.release(CLAIMS)
    other.hold(CLAIMS, 0)
    assert other.take(CLAIMS, 60) == []
    one.release(CLAIMS[:1])
    assert other.take(CLAIMS, 60) == CLAIMS[:1]
    one.hold(CLAIMS, 0)
    assert other.take(CLAIMS, 60) == CLAIMS[1:]


def test_a_claim_of_before_the_clock_was_set_back_is_over(sqlite_url: str) -> None:
    store, clock = open_store(sqlite_url, [claims.create]), Clock()
    worker = Claims(store, "dead", clock)
    assert worker.take(CLAIMS, 6) == CLAIMS

    clock.now -= 3600 * 1_000_000

    assert Claims(store, "other", clock).take(CLAIMS, 6) == CLAIMS
    store.close()
