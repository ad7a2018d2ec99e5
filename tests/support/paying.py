"""Short ways to a payment that is somewhere on its way, by the decisions themselves; nothing is asked of a provider."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from domain import commands, methods, payments, purchases
from domain.account import CreditAccount
from domain.commands import By, Level
from domain.events import Event
from domain.instants import format_instant
from domain.months import SECOND
from domain.recharge import POLICY
from tests.support.given import NOW, at, by, debit, deck, do, fund, opened, rate, usage

EXACT = deck(rate("", "60", increment=1))  # one unit a second
MINIMUM = POLICY.minimum
HOUR = 3600 * SECOND
VISA, MASTERCARD = "tok-visa", "tok-mastercard"


def later(seconds: int = 0, *, hours: int = 0, since: str = NOW) -> By:
    """The same operator, some time after."""
    return By(at(since) + seconds * SECOND + hours * HOUR, "ana", "cli")


def card(account: CreditAccount, token: str = VISA, who: By | None = None) -> str:
    """Save a card; answers its method."""
    do(account, methods.add_card(account, who or by(), "stripe", "cus-1", token, "visa", "4242", 203012))
    return next(method.id for method in account.methods.values() if method.token == token)


def invoice(account: CreditAccount) -> str:
    """Pay by invoice; answers the method."""
    do(account, methods.add_invoice(account, by(), "EA-7", "PO-1"))
    return next(method.id for method in account.methods.values() if method.agreement)


def spend(account: CreditAccount, amount: int, who: By | None = None) -> None:
    """Usage that costs so many units."""
    now = who.now if who is not None else at(NOW)
    call = usage(seconds=amount, usage_id=f"u-{account.version}")
    debit(account, call, rates=EXACT, now=format_instant(now))


def armed(funds: str = "100", *, scale: int = 0, **level: Any) -> CreditAccount:
    """An account with a card, so much credit, and auto-recharge: 50 below 50, where nothing else is said."""
    account = opened(scale=scale)
    card(account)
    fund(account, funds, NOW)
    set_level(account, **{"amount": 50, "below": 50, **level})
    return account


def set_level(account: CreditAccount, who: By | None = None, *, method: str = "", **amounts: Any) -> list[Event]:
    """Save settings of auto-recharge."""
    given = {name: Decimal(amount) for name, amount in amounts.items()}
    if "to" in given:
        given.pop("amount", None)
    return do(account, commands.set_recharge(account, who or by(), Level(**given, method=method), MINIMUM))


def triggered(**more: Any) -> CreditAccount:
    """A recharge of 50 is open: 40 is left, below 50."""
    account = armed(**more)
    spend(account, 60)
    return account


def open_of(account: CreditAccount) -> str:
    """The open recharge."""
    return account.recharge.recharge_id


def created(account: CreditAccount, of: str = "", who: By | None = None) -> list[Event]:
    """The provider holds the payment."""
    of = of or open_of(account)
    return do(account, payments.payment_created(account, who or by(), of, "stripe", f"pi-{of}"))


def tried(account: CreditAccount, of: str = "", who: By | None = None, present: bool = False) -> list[Event]:
    """The bank is being asked."""
    return do(account, payments.payment_tried(account, who or by(), of or open_of(account), present))


def succeeded(account: CreditAccount, of: str = "", who: By | None = None, amount: str = "50") -> list[Event]:
    """The money has come."""
    return do(account, payments.payment_succeeded(account, who or by(), of or open_of(account), Decimal(amount)))


def declined(
    account: CreditAccount, of: str = "", who: By | None = None, code: str = "insufficient_funds", hard: bool = False
) -> list[Event]:
    """The bank says no."""
    decision = payments.payment_declined(
        account, who or by(), of or open_of(account), code, "", hard, "The bank declined.", POLICY.retry_schedule
    )
    return do(account, decision)


def action_required(account: CreditAccount, of: str = "", who: By | None = None, hours: int = 72) -> list[Event]:
    """The bank asks for the customer."""
    who = who or by()
    until = who.now + hours * HOUR
    return do(account, payments.payment_action_required(account, who, of or open_of(account), until))


def processing(account: CreditAccount, of: str = "", who: By | None = None) -> list[Event]:
    """The bank takes its time."""
    return do(account, payments.payment_processing(account, who or by(), of or open_of(account)))


def cancelled(account: CreditAccount, of: str = "", who: By | None = None, cause: str = "gone") -> list[Event]:
    """The payment was read back cancelled."""
    return do(account, payments.payment_cancelled(account, who or by(), of or open_of(account), cause))


def charging(**more: Any) -> CreditAccount:
    """A try is under way."""
    account = triggered(**more)
    created(account)
    tried(account)
    return account


def retrying(**more: Any) -> CreditAccount:
    """Declined for now."""
    account = charging(**more)
    declined(account)
    return account


def bought(account: CreditAccount, amount: str = "100", who: By | None = None, key: str = "") -> str:
    """A purchase that was asked for; answers it."""
    do(account, purchases.request_purchase(account, who or by(), Decimal(amount), "", key, MINIMUM))
    return next(reversed(account.purchases))
