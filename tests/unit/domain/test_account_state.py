"""The stored form of an account: what is written comes back, and the form of the program before is read."""

from __future__ import annotations

import json

import pytest

from domain import refunds
from domain.account import dump_account, load_account
from domain.event import UnknownEvent
from tests.support import paying
from tests.support.given import by, do, opened

BEFORE = 18  # fields of schema 1


def _of_schema_1(state: bytes) -> bytes:
    """As the program before wrote it: fewer fields, of the account, of its lots and of auto-recharge."""
    fields = json.loads(state)[:BEFORE]
    fields[0] = 1
    fields[5] = fields[5][:11]
    fields[11] = [lot[:7] for lot in fields[11]]
    fields[17] = [*fields[17][:4], "awaiting_funds" if fields[17][3] else ""]
    return json.dumps(fields).encode()


def test_money_on_its_way_comes_back_as_it_was() -> None:
    account = paying.retrying(monthly_cap=500)
    of = paying.bought(account, key="k-1")
    paying.created(account, of)
    paying.tried(account, of)
    paying.succeeded(account, of, amount="100")
    lot = account.purchases[of].lot
    do(account, refunds.request_refund(account, by(), lot, None, "k-2"))
    do(account, refunds.dispute_opened(account, by(), "dp-1", account.lots[lot].payment_id, account.lots[lot].amount))
    state = dump_account(account)

    again = load_account(state)

    assert dump_account(again) == state
    assert (again.payments, again.purchases, again.refunds) == (account.payments, account.purchases, account.refunds)
    assert (again.methods, again.disputes, again.held) == (account.methods, account.disputes, account.held)


def test_an_account_of_the_program_before_has_its_trigger_and_its_open_recharge() -> None:
    account = paying.triggered()
    again = load_account(_of_schema_1(dump_account(account)))
    assert (again.recharge.level, again.recharge.state, again.recharge.kind) == (True, "triggered", "level")
    assert again.payments[again.recharge.recharge_id].amount == 50
    assert (again.balance, again.spendable(by().now)) == (40, 40)

    off = load_account(_of_schema_1(dump_account(opened())))
    assert (off.recharge.level, off.recharge.state, off.payments) == (False, "off", {})


def test_a_state_of_a_program_that_is_newer_is_refused() -> None:
    fields = json.loads(dump_account(opened()))
    fields[0] = 3
    with pytest.raises(UnknownEvent):
        load_account(json.dumps(fields).encode())
