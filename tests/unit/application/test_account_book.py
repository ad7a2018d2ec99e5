"""Accounts in memory: what the log brings while an account is being loaded is not lost, and not taken twice."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from application.account_book import AccountBook, LogRow
from domain import commands
from domain.account import CreditAccount, dump_account, load_account
from domain.events import Event, account_stream, encode_state
from domain.funding import Funds, add_funds
from tests.support.given import by, opened


def grow(account: CreditAccount, count: int, position: int) -> list[LogRow]:
    """So many more funds, as the log has them."""
    rows = []
    for number in range(count):
        events: Sequence[Event] = add_funds(account, by(), Funds(Decimal("1.0000")))
        [event] = commands.with_trigger(account, events)
        state = encode_state(event)
        rows.append((position + number, account.stream, account.version, type(event).__name__, state))
    return rows


def copy(account: CreditAccount) -> CreditAccount:
    return load_account(dump_account(account))


def test_what_comes_while_it_is_loaded_is_applied_once() -> None:
    account, book = opened(), AccountBook(10)
    book.begin(["contoso"])
    before = grow(account, 2, 10)
    loaded = copy(account)  # somebody reads it now
    after = grow(account, 3, 12)
    book.apply([*before, *after])
    book.install(["contoso"], [loaded])

    found = book.find("contoso")
    assert found is not None
    assert (found.version, found.balance, book.position) == (account.version, account.balance, 14)


def test_it_follows_the_log_from_then_on() -> None:
    account, book = opened(), AccountBook(10)
    book.begin(["contoso"])
    book.install(["contoso"], [copy(account)])
    book.apply(grow(account, 2, 10))

    found = book.find("contoso")
    assert found is not None
    assert dump_account(found) == dump_account(account)


def test_an_account_that_is_not_there_is_not_remembered() -> None:
    book = AccountBook(10)
    book.begin(["contoso"])
    book.install(["contoso"], [])
    book.apply(grow(opened(), 1, 10))

    assert book.find("contoso") is None
    assert (len(book), book.position) == (0, 10)


def test_an_account_whose_log_does_not_follow_is_loaded_anew() -> None:
    account, book = opened(), AccountBook(10)
    book.begin(["contoso"])
    book.install(["contoso"], [copy(account)])
    book.apply(grow(account, 2, 10)[1:])

    assert book.find("contoso") is None


def test_the_first_give_way_where_there_is_no_room() -> None:
    book = AccountBook(2)
    for name in ("a", "b", "c"):
        account = opened()
        account.account_id, account.stream = name, account_stream(name)
        book.begin([name])
        book.install([name], [account])

    assert [book.find(name) is not None for name in ("a", "b", "c")] == [False, True, True]
