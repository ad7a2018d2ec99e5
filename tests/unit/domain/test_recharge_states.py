"""The tables of auto-recharge in domain/README.md, walked cell by cell: what they say is what happens."""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pytest

from domain import commands, methods, payments, refunds
from domain.account import CreditAccount
from domain.errors import DomainError
from domain.events import Event
from domain.triggers import look_again
from tests.support import paying
from tests.support.given import NOW, by, do, fund, opened
from tests.support.paying import MASTERCARD, armed, card, charging, later, open_of, retrying, triggered

README = Path(__file__).parents[3] / "domain" / "README.md"
SOME = "rch-contoso-1"  # names a recharge where none is open


def _off() -> CreditAccount:
    account = opened(scale=0)
    card(account)
    fund(account, "100", NOW)
    return account


def _created() -> CreditAccount:
    account = triggered()
    paying.created(account)
    return account


def _action_required() -> CreditAccount:
    account = charging()
    paying.action_required(account)
    return account


def _suspending() -> CreditAccount:
    account = charging()
    paying.declined(account, hard=True)
    return account


def _suspended() -> CreditAccount:
    account = _suspending()
    paying.cancelled(account)
    return account


def _cancelling() -> CreditAccount:
    account = charging()
    do(account, commands.recharge_off(account, by()))
    return account


STATES: dict[str, Callable[[], CreditAccount]] = {
    "off": _off,
    "armed": armed,
    "triggered": triggered,
    "triggered, created": _created,
    "charging": charging,
    "action_required": _action_required,
    "retrying": retrying,
    "suspended": _suspended,
    "suspended, cancelling": _suspending,
    "off, cancelling": _cancelling,
}


def _of(account: CreditAccount) -> str:
    return open_of(account) or SOME


def _by_hand(account: CreditAccount, cancelled: bool = False) -> list[Event]:
    funds = commands.Funds(Decimal(50), recharge_id=_of(account))
    return do(account, commands.add_funds(account, by(), funds, cancelled))


def _standing(account: CreditAccount) -> list[Event]:
    """Set on the 22nd for the 23rd, without the event that says so."""
    account.recharge.every_amount, account.recharge.every_day, account.recharge.every_done = account.balance, 23, 202610
    return do(account, look_again(account, later(hours=24).now))


def _expired(account: CreditAccount) -> list[Event]:
    return do(account, look_again(account, later(hours=24 * 366).now))


EVENTS: dict[str, Callable[[CreditAccount], list[Event]]] = {
    "settings are saved": lambda a: paying.set_level(a, amount=70, below=50),
    "switched off": lambda a: do(a, commands.recharge_off(a, by())),
    "resumed": lambda a: do(a, commands.resume(a, by())),
    "account is closed": lambda a: do(a, commands.close(a, by())),
    "time: credit has expired": _expired,
    "time: the standing top-up's day": _standing,
    "other funds come": lambda a: fund(a, "100", NOW),
    "funds with its id": _by_hand,
    "funds with its id, cancelled at the provider": lambda a: _by_hand(a, cancelled=True),
    "another card is the default": lambda a: [
        *do(a, methods.add_card(a, by(), "stripe", "cus-1", MASTERCARD, "mastercard", "4444", 203012)),
        *do(a, methods.default_method(a, by(), "pm-" + str(a.version))),
    ],
    "dispute is opened": lambda a: _dispute(a),
    "payment is created": lambda a: paying.created(a, _of(a)),
    "it is tried": lambda a: paying.tried(a, _of(a)),
    "succeeded": lambda a: paying.succeeded(a, _of(a)),
    "declined, may be retried": lambda a: paying.declined(a, _of(a)),
    "declined for good": lambda a: paying.declined(a, _of(a), hard=True),
    "the customer is asked for": lambda a: paying.action_required(a, _of(a)),
    "the bank takes its time": lambda a: paying.processing(a, _of(a)),
    "read back cancelled, level reached": lambda a: _filled(a),
    "read back cancelled, no customer in time": lambda a: paying.cancelled(a, _of(a), cause="action_timeout"),
}


def _dispute(account: CreditAccount) -> list[Event]:
    lot = next(iter(account.lots.values()))
    lot.payment_id = "pi-disputed"
    return do(account, refunds.dispute_opened(account, by(), "dp-1", "pi-disputed", lot.amount))


def _filled(account: CreditAccount) -> list[Event]:
    fund(account, "100", NOW)
    return paying.cancelled(account, _of(account), cause="level")


def _outcome(account: CreditAccount, event: Callable[[CreditAccount], list[Event]]) -> str:
    try:
        events = event(account)
    except DomainError as error:
        return error.code
    if not events:
        return "–"
    open_one = account.payments.get(open_of(account))
    return account.recharge.state + (", cancelling" if open_one is not None and open_one.cancelling else "")


STEPS: dict[str, Callable[[CreditAccount], str]] = {
    "at once": lambda a: _step(a, 0),
    "at once, level reached": lambda a: (fund(a, "100", NOW), _step(a, 0))[1],
    "an hour after the try": lambda a: _step(a, 1),
    "an hour after the try, level reached": lambda a: (fund(a, "100", NOW), _step(a, 1))[1],
    "72 hours after the try": lambda a: _step(a, 72),
}


def _step(account: CreditAccount, hours: int) -> str:
    step = payments.step(account, open_of(account), later(hours=hours).now)
    return "–" if step is None else step.what


def _table(first: str) -> dict[tuple[str, str], str]:
    """The cells of the table whose first column has that title, by (row, column)."""
    lines = iter(README.read_text(encoding="utf-8").splitlines())
    title = next(line for line in lines if line.startswith(f"| {first} |"))
    columns = _cells(title)[1:]
    next(lines)
    cells: dict[tuple[str, str], str] = {}
    for line in lines:
        if not line.startswith("|"):
            break
        row, *found = _cells(line)
        cells |= {(row, column): cell for column, cell in zip(columns, found, strict=True)}
    return cells


def _cells(line: str) -> list[str]:
    return [re.sub("`", "", cell).strip() for cell in line.strip("|").split("|")]


TRANSITIONS = _table("event \\ state")
NEXT = _table("step \\ state")


def test_the_tables_have_every_event_and_every_state() -> None:
    assert set(TRANSITIONS) == {(event, state) for event in EVENTS for state in STATES}
    assert set(NEXT) == {(when, state) for when in STEPS for state in STATES}


@pytest.mark.parametrize("event", EVENTS)
def test_an_event_does_what_the_table_says(event: str) -> None:
    expected = {state: TRANSITIONS[event, state] for state in STATES}

    assert {state: _outcome(given(), EVENTS[event]) for state, given in STATES.items()} == expected


@pytest.mark.parametrize("when", STEPS)
def test_the_next_step_is_what_the_table_says(when: str) -> None:
    expected = {state: NEXT[when, state] for state in STATES}

    assert {state: STEPS[when](given()) for state, given in STATES.items()} == expected
