"""`work` while something does not answer, or is broken: what can be done goes on, and few lines tell of it."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from commcredits.sandbox.postgres import PostgresServer
from commcredits.sandbox.stripe.server import StripeSandbox
from tests.support.shop import Shop, money
from tests.support.waiting import wait_until

FAULT, UNREACHABLE = 70, 4


def rename(shop: Shop, before: str, after: str) -> None:
    """A table of the store."""
    with shop.engine.store.transaction() as database:
        database.execute(f"ALTER TABLE {before} RENAME TO {after}")


def credited(shop: Shop, account: str) -> None:
    """An account whose trigger is reached gets its recharge."""
    shop.open(account)
    shop.arm(account)
    wait_until(lambda: shop.account(account).balance == 100, what=f"{account} to be credited")


def test_a_fault_of_notices_is_told_once_and_stops_no_recharge(shop_on_each_store: Shop) -> None:
    shop = shop_on_each_store
    process = shop.start("work")
    credited(shop, "before")
    rename(shop, "notices", "notices_elsewhere")
    for account in ("a", "b", "c"):
        credited(shop, account)
    wait_until(lambda: "notices do not go out" in process.told(), what="the fault to be told")
    credited(shop, "d")

    rename(shop, "notices_elsewhere", "notices")
    wait_until(lambda: "notices go out again" in process.told(), what="notices to go on")
    wait_until(lambda: shop.engine.recipients.notices("d", 10), what="what was missed meanwhile")

    assert process.end()[0] == 0
    assert "Traceback" in process.told()
    assert process.told().count("notices do not go out") == process.told().count("notices go out again") == 1
    shop.check()


def test_once_a_fault_of_notices_is_an_error_when_all_else_is_done(shop_on_each_store: Shop) -> None:
    shop = shop_on_each_store
    shop.open()
    shop.arm()
    rename(shop, "notices", "notices_elsewhere")

    process = shop.start("work", "--once")

    code, document = process.result()
    known = (FAULT, "internal_error") if "sqlite" in shop.settings.store else (UNREACHABLE, "schema_missing")
    assert (code, document["error"]["code"]) == known
    assert "notices" in document["error"]["message"]
    assert shop.account().balance == 100


def test_a_fault_of_one_account_keeps_no_notice_back(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    shop.open()
    shop.grant("10")
    shop.engine.administration.set_low_balance(shop.by(), "contoso", money("20"))
    shop.arm()
    monkeypatch.setattr("application.work.Advancing.advance", _broken)

    with pytest.raises(RuntimeError, match="a fault of ours"):
        shop.finish(parts=["recharges", "notices"])

    assert [each.notice.kind for each in shop.engine.recipients.notices("contoso", 10)] == ["balance.low"]


def _broken(*_: object) -> bool:
    raise RuntimeError("a fault of ours")


def test_a_store_that_goes_away_for_good_ends_it(
    own_postgres: Callable[..., PostgresServer], stripe_sandbox: StripeSandbox, tmp_path: Path
) -> None:
    server = own_postgres()
    with closing(Shop(server.dsn, stripe_sandbox, tmp_path)) as shop:
        process = shop.start("work", STORE_PATIENCE="1s")
        credited(shop, "contoso")
        server.crash()

        code, document = process.result()
        assert (code, document["error"]["code"]) == (UNREACHABLE, "store_unavailable")


def test_a_provider_that_goes_away_is_told_of_in_two_lines_whoever_waits(shop: Shop) -> None:
    accounts = [f"a{number}" for number in range(30)]
    for account in accounts:
        shop.open(account)
        shop.arm(account)
    shop.control.fault("rate_limit", count=1_000_000)
    before = len(shop.control.requests())

    process = shop.start("work", "--only", "recharges")
    wait_until(lambda: len(shop.control.requests()) > before + 3 * len(accounts), what="each to be tried again")
    shop.control.clear_faults()
    wait_until(lambda: "answers again" in process.told(), what="the provider to be back")

    assert process.end()[0] == 0
    assert {shop.account(account).balance for account in accounts} == {100}
    first, second = [line for line in process.told().splitlines() if "provider" in line or "recharges of" in line]
    assert "the provider cannot be asked, " in first
    assert "too many requests" in first
    assert "the provider answers again" in second
    shop.check()
