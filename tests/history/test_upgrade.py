"""A database of version 1 becomes one of this version, by itself or by `migrate`, and what is new follows from it."""

from __future__ import annotations

import json
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from adapters.store.schema import SCHEMA_VERSION
from adapters.store.store import migrate, open_store
from application.ports import Store
from commcredits.bootstrap import create_read_models
from domain.account import STATE_TOPIC, CreditAccount, dump_account, load_account
from domain.events import account_stream
from domain.money import ZERO
from tests.history.make import ACCOUNTS
from tests.history.restore import VERSIONS, restore
from tests.support.program import MASTER_KEY, Program

OF_VERSION_1 = ACCOUNTS[:3]
AFTER_IT_WAS_MADE = "2026-11-25T00:00:00Z"


@pytest.fixture
def old(store_url: str) -> str:
    """A store of version 1."""
    restore(VERSIONS[0], store_url)
    return store_url


@pytest.fixture
def program(old: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Program:
    """This program, on it."""
    return Program(monkeypatch, tmp_path, old, MASTER_KEY=MASTER_KEY)


def test_sqlite_upgrades_by_itself_and_postgresql_by_migrate(program: Program) -> None:
    if program.store.startswith("postgresql"):
        refused = program.refused(4, "balance", "contoso")
        assert (refused["code"], "run migrate" in refused["message"]) == ("schema_missing", True)
        program("migrate")
    assert program("balance", "contoso")["balance"] == "-18.0927"
    assert program("migrate") == program("migrate")


def test_a_newer_schema_is_refused(program: Program) -> None:
    migrate(program.store, [create_read_models])
    with closing(open_store(program.store)) as store, store.transaction() as database:
        database.execute("UPDATE commcredits_schema SET version = ?", (SCHEMA_VERSION + 1,))

    for command in (["balance", "contoso"], ["migrate"], ["work", "--once"]):
        refused = program.refused(4, *command)
        assert (refused["code"], "newer" in refused["message"]) == ("schema_missing", True)


@pytest.mark.parametrize("version", VERSIONS, ids=lambda path: path.name)
def test_it_then_has_the_tables_of_a_new_database(version: Path, store_url: str, tmp_path: Path) -> None:
    old = store_url
    restore(version, old)
    migrate(old, [create_read_models])
    with closing(open_store(old)) as store:
        upgraded = columns(store)
        if old.startswith("postgresql"):
            with store.transaction() as database:
                database.execute("DROP SCHEMA public CASCADE")
                database.execute("CREATE SCHEMA public")
    new = old if old.startswith("postgresql") else f"sqlite:///{tmp_path}/new.db"
    migrate(new, [create_read_models])
    with closing(open_store(new)) as store:
        assert upgraded == columns(store)


def columns(store: Store) -> set[tuple[Any, ...]]:
    """Of all tables, and the indexes."""
    with store.reading() as database:
        if database.dialect == "postgresql":
            found = database.execute(
                "SELECT table_name, column_name, data_type, is_nullable FROM information_schema.columns"
                " WHERE table_schema = 'public'"
            )
            indexes = database.execute("SELECT tablename, indexdef FROM pg_indexes WHERE schemaname = 'public'")
        else:
            found = database.execute(
                'SELECT m.name, c.name, c.type, c."notnull", c.pk FROM sqlite_master AS m,'
                " pragma_table_info(m.name) AS c WHERE m.type = 'table'"
            )
            indexes = database.execute("SELECT tbl_name, name FROM sqlite_master WHERE type = 'index'")
    return {tuple(row) for row in [*found, *indexes]}


def test_an_account_kept_by_version_1_is_what_its_events_make(old: str) -> None:
    migrate(old, [create_read_models])
    with closing(open_store(old)) as store:
        with store.reading() as database:
            rows = database.execute("SELECT account, state FROM balances ORDER BY account")
        assert [account for account, _ in rows] == sorted(OF_VERSION_1)
        for account, state in rows:
            assert json.loads(bytes(state))[0] == 1
            replayed = CreditAccount()
            for recorded in store.select_events(account_stream(account)):
                replayed.apply(recorded.event, recorded.originator_version)
            forget_what_version_1_did_not_keep(replayed)
            kept = load_account(bytes(state))
            forget_what_version_1_did_not_keep(kept)
            assert dump_account(kept) == dump_account(replayed)


def forget_what_version_1_did_not_keep(account: CreditAccount) -> None:
    """When recharges were triggered: the hour's and the month's count begin with the upgrade."""
    account.recharge.triggered_at, account.recharge.charged_month = [], 0
    account.recharge.charged = ZERO
    for payment in account.payments.values():
        payment.since = 0


def test_what_is_new_follows_the_whole_log_and_tells_nobody_of_old_things(program: Program) -> None:
    program("migrate")
    program("notice", "to", "contoso", "ana@contoso.example")
    program("webhook", "add", "https://hooks.invalid/credits")

    program("work", "--once", "--at", AFTER_IT_WAS_MADE)

    notices = {account: program("notice", "list", account) for account in OF_VERSION_1}
    assert {each["kind"] for each in notices["contoso"]} >= {"balance.zero", "pool.100", "recharge.succeeded"}
    assert [each for listed in notices.values() for each in listed if each["deliveries"]] == []
    assert program("work", "--once", "--at", AFTER_IT_WAS_MADE)["notices"] == 0
    followed = rows(program.store, "duties")
    assert [row[1] for row in followed] == sorted(OF_VERSION_1, key=lambda account: account_stream(account).bytes)
    program("rebuild", "duties")
    assert rows(program.store, "duties") == followed


def rows(url: str, table: str) -> list[tuple[Any, ...]]:
    with closing(open_store(url)) as store, store.reading() as database:
        return [tuple(row) for row in database.execute(f"SELECT * FROM {table} ORDER BY stream")]


def test_a_recharge_that_was_open_then_ends_by_the_money(program: Program) -> None:
    program("migrate")
    [recharge] = [program("recharge", "show", "contoso")]
    assert (recharge["state"], recharge["reason"]) == ("triggered", "awaiting_funds")

    program("funds", "add", "contoso", "6000", "--recharge", recharge["recharge_id"])

    assert program("recharge", "show", "contoso")["state"] == "armed"


def test_what_version_1_kept_of_an_account_is_gone_on_from(program: Program) -> None:
    program("migrate")
    with closing(open_store(program.store)) as store:
        with store.reading() as database:
            kept = [
                (account, bytes(state))
                for account, state in database.execute("SELECT account, state FROM balances ORDER BY account")
            ]
        store.put_snapshots(
            (account_stream(account), json.loads(state)[1], STATE_TOPIC, state) for account, state in kept
        )

    program("notice", "set", "contoso", "--low-balance", "20")
    program("work", "--once", "--only", "recharges,expiry", "--at", AFTER_IT_WAS_MADE)

    assert program("balance", "contoso")["balance"] == "-18.0927"
    assert program("balance", "contoso")["recharge"]["reason"] == "awaiting_funds"
