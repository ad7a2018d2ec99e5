"""Notices: which events of an account are worth a message to people, and the facts it tells.

A notice has one cause, and its id is made of account, kind and cause: the same history gives the same notices, however
often it is read. What only the passing of time causes is in notice_times.py.
"""

import uuid
from collections.abc import Callable, Iterable, Iterator, Sequence
from decimal import Decimal
from typing import Any, Final, NamedTuple

from domain import payment_events as paid
from domain.account import CreditAccount
from domain.budgets import WHOLE_ACCOUNT
from domain.by import By, header, must_be_open
from domain.errors import Invalid
from domain.events import (
    Event,
    FundsAdded,
    LicenceAssigned,
    LicenceRemoved,
    LicencesPurchased,
    UsageDebited,
)
from domain.instants import format_instant
from domain.money import ZERO
from domain.payment_state import shown_code
from domain.pools import Pool

KINDS: Final = (
    "balance.low",
    "balance.zero",
    "recharge.succeeded",
    "recharge.failed",
    "recharge.action_required",
    "recharge.suspended",
    "recharge.capped",
    "purchase.succeeded",
    "purchase.failed",
    "purchase.action_required",
    "refund.requested",
    "refund.succeeded",
    "refund.failed",
    "dispute.opened",
    "dispute.won",
    "dispute.lost",
    "credit.expiring",
    "pool.80",
    "pool.100",
    "budget.80",
    "budget.100",
    "card.expiring",
    "spend.unusual",
    "postpaid.began",
)
TEST_KIND: Final = "test"  # what `webhook test` sends; nobody can ask for it
_NAMESPACE: Final = uuid.UUID("5d8f0a43-3c64-5a06-9f9b-8a1f2f0f7d11")
_PERCENTS: Final = (80, 100)

Facts = dict[str, Any]  # JSON with named fields: amounts as strings, times as RFC 3339, users as pseudonyms
Found = tuple[str, str, Facts]  # kind, what tells this from another notice of the kind that the event causes, facts


class Notice(NamedTuple):
    """A message with one cause. `at`: when it came about (µs)."""

    id: str
    account: str
    kind: str
    at: int
    facts: Facts


def make_notice(account: CreditAccount, kind: str, cause: str, at: int, facts: Facts) -> Notice:
    """`cause`: an event's version, or a lot, a card, a month: what tells this notice from others of its kind."""
    number = uuid.uuid5(_NAMESPACE, f"{account.account_id}\0{kind}\0{cause}")
    return Notice(f"ntc-{number.hex}", account.account_id, kind, at, {**facts, "currency": account.currency})


def set_low_balance(account: CreditAccount, by: By, threshold: Decimal | None) -> list[Event]:
    """`balance.low` is given when what can be spent falls below; None: never. The same again writes nothing."""
    must_be_open(account)
    if threshold is not None and threshold < 0:
        raise Invalid("invalid_low_balance", "the threshold is 0 or more", "low_balance")
    if threshold == account.low_balance:
        return []
    return [paid.LowBalanceSet(*header(account, by), threshold)]


def observe(account: CreditAccount, event: Event, version: int) -> list[Notice]:
    """Apply an event of the account's stream; answers the notices that it causes. Raises what `apply` raises."""
    if not account.version:
        account.apply(event, version)
        return []
    at = event.recorded_at
    spendable, threshold = account.spendable(at), account.low_balance
    was_low = threshold is not None and spendable < threshold
    limits = _limits(account, event)
    reached = {limit: _percent(account, limit) for limit in limits}
    tell = _TOLD.get(event.__class__)
    found = list(tell(account, event)) if tell is not None else []
    account.apply(event, version)
    after = account.spendable(at)
    if after < spendable or threshold != account.low_balance:
        found += _levels(account, spendable, after, was_low)
    for limit in limits:
        found += _passed(account, limit, reached[limit])
    return [make_notice(account, kind, f"{version}{more}", at, facts) for kind, more, facts in found]


def levels_fallen(account: CreditAccount, before: Decimal, after: Decimal) -> Iterable[Found]:
    """What is told when `spendable` falls from one amount to another."""
    threshold = account.low_balance
    return _levels(account, before, after, threshold is not None and before < threshold)


def _levels(account: CreditAccount, before: Decimal, after: Decimal, was_low: bool) -> Iterator[Found]:
    funds = {"balance": _text(account.balance), "spendable": _text(after)}
    threshold = account.low_balance
    if threshold is not None and after < threshold and not was_low:
        yield "balance.low", "", {**funds, "threshold": _text(threshold)}
    if before > 0 >= after:
        yield "balance.zero", "", funds


class _BudgetMonth(NamedTuple):
    """A budget in one month; `user` as in the account's budgets."""

    user: str
    month: int


_Limit = Pool | _BudgetMonth


def _limits(account: CreditAccount, event: Event) -> Sequence[_Limit]:
    """The pools and budgets that an event may bring nearer to their end."""
    if isinstance(event, UsageDebited):
        if event.proof is None:
            return ()
        pools = [Pool(d.plan, d.kind, d.country, d.user, d.month) for d in event.proof.pools]
        if not account.budgets:
            return pools
        month = account.months.of(event.started_at)
        users = {WHOLE_ACCOUNT, event.user}
        return [*pools, *(_BudgetMonth(user, month) for user in sorted(users) if user in account.budgets)]
    if isinstance(event, LicenceAssigned | LicenceRemoved | LicencesPurchased):
        running = account.months.of(event.recorded_at)
        return [pool for pool in account.pools.used if pool.month >= running]
    if isinstance(event, paid.BudgetSet):
        return [_BudgetMonth(event.user, account.months.of(event.recorded_at))]
    return ()


def _percent(account: CreditAccount, limit: _Limit) -> int:
    """Which of the percents is reached: 0, 80 or 100."""
    if isinstance(limit, Pool):
        used, size = Decimal(account.pools.used.get(limit, 0)), Decimal(account.pools.size(limit))
    else:
        budget = account.budgets.get(limit.user)
        if budget is None:
            return 0
        used, size = budget.spent.get(limit.month, ZERO), budget.amount
    return max((percent for percent in _PERCENTS if used and used * 100 >= size * percent), default=0)


def _passed(account: CreditAccount, limit: _Limit, before: int) -> Iterator[Found]:
    after = _percent(account, limit)
    for percent in _PERCENTS:
        if before < percent <= after:
            family, facts = _limit_facts(account, limit)
            yield f"{family}.{percent}", " " + " ".join(map(str, limit)), facts


def _limit_facts(account: CreditAccount, limit: _Limit) -> tuple[str, Facts]:
    month = f"{limit.month // 100}-{limit.month % 100:02}"
    if isinstance(limit, Pool):
        facts: Facts = {"plan": limit.plan, "kind": limit.kind, "country": limit.country or None}
        minutes = {"minutes": account.pools.size(limit), "used": account.pools.used.get(limit, 0)}
        return "pool", {**facts, "user": limit.user or None, "month": month, **minutes}
    budget = account.budgets[limit.user]
    spent = _text(budget.spent.get(limit.month, ZERO))
    facts = {"user": limit.user or None, "month": month, "amount": _text(budget.amount), "spent": spent}
    return "budget", {**facts, "hard": budget.hard}


def _of(payment: str) -> tuple[str, Facts]:
    """Whether it pays a recharge or a purchase, and its id under that name."""
    family = "recharge" if payment.startswith("rch-") else "purchase"
    return family, {family: payment}


def _amount_of(account: CreditAccount, payment: str) -> str | None:
    found = account.payments.get(payment)
    return None if found is None else _text(found.amount)


def _method_of(account: CreditAccount, payment: str) -> str | None:
    """How people know the card or agreement: `visa 4242`."""
    found = account.payments.get(payment)
    if found is None:
        return None
    method = account.methods.get(found.method) or account.former_methods.get(found.method)
    if method is None:
        return None
    return f"{method.brand} {method.last4}".strip() or method.agreement or None


def _funded(account: CreditAccount, event: FundsAdded) -> Iterator[Found]:
    facts = {"amount": _text(event.amount), "lot": event.lot, "balance": _text(event.balance)}
    if event.recharge_id:
        yield "recharge.succeeded", "", {"recharge": event.recharge_id, **facts}
    if event.purchase_id:
        yield "purchase.succeeded", "", {"purchase": event.purchase_id, **facts}


def _declined(account: CreditAccount, event: paid.PaymentDeclined) -> Iterator[Found]:
    family, facts = _of(event.of)
    facts |= {"amount": _amount_of(account, event.of), "method": _method_of(account, event.of)}
    next_try_at = None if event.next_try_at is None else format_instant(event.next_try_at)
    facts |= {"code": shown_code(event.code), "message": event.message, "next_try_at": next_try_at}
    yield f"{family}.failed", "", facts


def _action_required(account: CreditAccount, event: paid.PaymentActionRequired) -> Iterator[Found]:
    family, facts = _of(event.of)
    facts |= {"amount": _amount_of(account, event.of), "method": _method_of(account, event.of)}
    yield f"{family}.action_required", "", {**facts, "until": format_instant(event.until)}


def _cancelled(account: CreditAccount, event: paid.PaymentCancelled) -> Iterator[Found]:
    """A recharge that ends so has its own events, and so has a purchase that was declined."""
    family, facts = _of(event.of)
    if family == "purchase" and event.cause != "declined":
        facts |= {"amount": _amount_of(account, event.of), "method": _method_of(account, event.of)}
        yield "purchase.failed", "", {**facts, "code": event.cause, "message": "", "next_try_at": None}


def _suspended(account: CreditAccount, event: paid.RechargeSuspended) -> Iterator[Found]:
    yield "recharge.suspended", "", {"recharge": event.recharge_id or None, "cause": event.cause}


def _capped(account: CreditAccount, event: paid.RechargeCapped) -> Iterator[Found]:
    amounts = {name: _text(getattr(event, name)) for name in ("amount", "charged", "cap")}
    yield "recharge.capped", "", {**amounts, "until": format_instant(event.until)}


def _refund_requested(account: CreditAccount, event: paid.RefundRequested) -> Iterator[Found]:
    facts = {"refund": event.refund_id, "lot": event.lot, "amount": _text(event.amount)}
    yield "refund.requested", "", {**facts, "balance": _text(event.balance)}


def _refund_ended(account: CreditAccount, event: paid.RefundSucceeded | paid.RefundFailed) -> Iterator[Found]:
    refund = account.refunds[event.refund_id]
    facts: Facts = {"refund": refund.id, "lot": refund.lot, "amount": _text(refund.amount)}
    if isinstance(event, paid.RefundFailed):
        yield "refund.failed", "", {**facts, "code": event.code, "balance": _text(event.balance)}
    else:
        yield "refund.succeeded", "", facts


def _dispute_opened(account: CreditAccount, event: paid.DisputeOpened) -> Iterator[Found]:
    yield "dispute.opened", "", {"dispute": event.dispute_id, "lot": event.lot, "amount": _text(event.amount)}


def _dispute_closed(account: CreditAccount, event: paid.DisputeClosed) -> Iterator[Found]:
    facts = {"dispute": event.dispute_id, "amount": _text(event.amount), "debt": _text(event.debt)}
    yield f"dispute.{event.outcome}", "", {**facts, "balance": _text(event.balance)}


def _debited(account: CreditAccount, event: UsageDebited) -> Iterator[Found]:
    """Post-paid begins with the first usage that no credit pays: ever, or since there was some again."""
    postpaid = event.proof.postpaid if event.proof is not None else None
    if postpaid and (not account.postpaid or account.spendable(event.recorded_at) > 0):
        yield "postpaid.began", "", {"postpaid": _text(postpaid)}


def _text(amount: Decimal) -> str:
    return f"{amount:f}"


_TOLD: Final[dict[type[Event], Callable[[CreditAccount, Any], Iterator[Found]]]] = {
    UsageDebited: _debited,
    FundsAdded: _funded,
    paid.PaymentDeclined: _declined,
    paid.PaymentActionRequired: _action_required,
    paid.PaymentCancelled: _cancelled,
    paid.RechargeSuspended: _suspended,
    paid.RechargeCapped: _capped,
    paid.RefundRequested: _refund_requested,
    paid.RefundSucceeded: _refund_ended,
    paid.RefundFailed: _refund_ended,
    paid.DisputeOpened: _dispute_opened,
    paid.DisputeClosed: _dispute_closed,
}
