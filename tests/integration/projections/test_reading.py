"""What is read from the read models, and how fresh it says it is."""

from __future__ import annotations

import json

import pytest

from application.ports import Store
from domain.account import dump_account
from domain.instants import parse_instant
from projections import statement
from projections.balance import balance_of, list_accounts
from projections.freshness import freshness
from projections.runner import Follower
from projections.statement import Statement, read_statement
from tests.support.history import append, written
from tests.support.read_models import expected, follower

NOW = parse_instant("2026-11-24T10:00:00Z")


@pytest.fixture
def small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(statement, "LINES_A_PAGE", 10)


def lines_of(store: Store, account_id: str) -> list[dict[str, str]]:
    return [json.loads(line) for line in read_statement(store, account_id)]


@pytest.mark.usefixtures("small_pages")
def test_a_statement_has_the_accounts_lines_in_order_of_the_log(store: Store) -> None:
    history = written(store, accounts=3)
    follower(store).catch_up()

    for account_id, account in history.accounts.items():
        wanted = [line.encode() for _, stream, _, line in expected(store)[1] if stream == account.stream.bytes]
        assert len(wanted) > 30
        assert list(read_statement(store, account_id)) == wanted
        assert list(read_statement(store, account_id, limit=0)) == []
        assert list(read_statement(store, account_id, limit=10)) == wanted[:10]
        assert list(read_statement(store, account_id, limit=25)) == wanted[:25]
        assert list(read_statement(store, account_id, limit=10_000)) == wanted
    assert list(read_statement(store, "nobody")) == []


@pytest.mark.usefixtures("small_pages")
def test_a_statement_is_bounded_by_when_it_happened_and_by_position(store: Store) -> None:
    written(store, accounts=1)
    follower(store).catch_up()
    everything = lines_of(store, "account-0")
    first, last = everything[30]["occurred_at"], everything[100]["occurred_at"]
    first, last = min(first, last), max(first, last)

    some = read_statement(store, "account-0", from_at=parse_instant(first), to_at=parse_instant(last))
    assert [json.loads(line) for line in some] == [
        line for line in everything if parse_instant(first) <= parse_instant(line["occurred_at"]) < parse_instant(last)
    ]
    upto = int(everything[50]["position"])
    assert [json.loads(line) for line in read_statement(store, "account-0", upto=upto)] == everything[:51]


def test_a_balance_is_the_account_as_of_the_position_it_names(store: Store) -> None:
    history = written(store, usages=50)
    follower(store).catch_up()
    append(store, history.usages(7))

    found = balance_of(store, "account-0", NOW)

    assert found is not None
    account, fresh = found
    assert fresh.view() == {
        "log": "main",
        "position": store.tracked("balance"),
        "lag_events": store.count_log(store.tracked("balance")),
        "read_at": "2026-11-24T10:00:00Z",
    }
    assert fresh.lag_events >= 7
    streams = [row for row in store.select_log(0, 10_000, fresh.position) if row[1] == account.stream]
    assert account.version == streams[-1][2]


def test_an_account_that_is_not_known_has_no_balance(store: Store) -> None:
    assert balance_of(store, "account-0", NOW) is None
    written(store)
    assert balance_of(store, "account-0", NOW) is None
    follower(store).catch_up()
    assert balance_of(store, "account-0", NOW) is not None
    assert balance_of(store, "Account-0", NOW) is None


def test_each_read_model_says_how_fresh_it_is(store: Store) -> None:
    written(store)
    Follower(store, [Statement()]).catch_up(10)

    assert freshness(store, "balance", NOW).lag_events == store.count_log(0)
    assert freshness(store, "statement", NOW)[:2] == (10, store.count_log(0) - 10)


def test_accounts_are_listed_in_order_of_their_ids_page_by_page(store: Store) -> None:
    history = written(store, accounts=25, usages=10)
    follower(store).catch_up()

    listed, after = [], ""
    with store.reading() as database:
        while page := list_accounts(database, after, 10):
            listed += [account for _, account in page]
            after = listed[-1].account_id

    assert [account.account_id for account in listed] == sorted(history.accounts)
    assert [dump_account(account) for account in listed] == [
        dump_account(history.accounts[account_id]) for account_id in sorted(history.accounts)
    ]
