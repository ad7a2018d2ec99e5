"""Others write to accounts of a batch before it commits: what is of these accounts is decided again, and no more."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from application.ingest import MAX_TRIES
from application.ports import WriteConflict
from domain.events import account_stream
from domain.instants import parse_instant
from domain.usage import Usage
from tests.support.engine import TestEngine

START = parse_instant("2026-11-20T10:00:00Z")
ACCOUNTS = [f"account-{number}" for number in range(40)]


def batch(per_account: int = 3) -> list[Usage]:
    """Of all accounts, in turns."""
    return [
        Usage(f"u-{number}", account, "user_out", START, 60, callee="+4420712")
        for number in range(per_account)
        for account in ACCOUNTS
    ]


class Pair:
    """One process decides; the other writes to some accounts before each of its commits."""

    def __init__(self, url: str, monkeypatch: pytest.MonkeyPatch, written: Sequence[Sequence[str]]) -> None:
        self.writer, self.other = TestEngine(url), TestEngine(url)
        self.writer.deck()
        for account in ACCOUNTS:
            self.writer.open(account)
        self.writer.accounts.find(ACCOUNTS)
        self.loaded: list[set[UUID]] = []
        turns, commit, load = iter(written), self.writer.store.commit, self.writer.store.load_streams

        def late(given: Any, *more: Any) -> None:
            for account in next(turns, ()):
                self.other.fund("5", account)
            commit(given, *more)

        def watched(originators: Sequence[UUID]) -> Any:
            self.loaded.append(set(originators))
            return load(originators)

        monkeypatch.setattr(self.writer.store, "commit", late)
        monkeypatch.setattr(self.writer.store, "load_streams", watched)

    def close(self) -> None:
        self.writer.close()
        self.other.close()


def test_only_what_somebody_else_wrote_to_is_decided_again(store_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    turns = [ACCOUNTS[:2], [], ACCOUNTS[1:3]]
    pair = Pair(store_url, monkeypatch, turns)

    first, second = pair.writer.take(*batch(1)), pair.writer.take(*batch(3))

    assert (first.accepted, first.duplicates, first.charged) == (40, 0, {"EUR": Decimal("4.8000")})
    assert (second.accepted, second.duplicates, second.charged) == (80, 40, {"EUR": Decimal("9.6000")})
    assert pair.loaded == [set(map(account_stream, some)) for some in turns if some]
    paid = {account: 5 * sum(account in some for some in turns) for account in ACCOUNTS}
    assert {each: pair.other.balance(each) for each in ACCOUNTS} == {
        each: paid[each] - Decimal("0.36") for each in paid
    }
    pair.close()


def test_a_batch_gets_through_though_each_try_finds_another_account_written_to(
    store_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    pair = Pair(store_url, monkeypatch, [[account] for account in ACCOUNTS])

    assert pair.writer.take(*batch()).accepted == 3 * len(ACCOUNTS)

    assert all(pair.other.balance(account) == 5 - Decimal("0.36") for account in ACCOUNTS)
    pair.close()


def test_a_race_that_is_lost_for_ever_is_told_and_nothing_is_written(
    store_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    pair = Pair(store_url, monkeypatch, [ACCOUNTS[:1]] * MAX_TRIES)

    with pytest.raises(WriteConflict):
        pair.writer.take(*batch())

    assert [pair.other.balance(account) for account in ACCOUNTS[:2]] == [5 * MAX_TRIES, 0]
    assert pair.writer.take(*batch()).accepted == 3 * len(ACCOUNTS)
    pair.close()
