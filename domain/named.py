"""Events and state as objects with named fields: what leaves the system, whatever door it leaves by.

Amounts stay Decimal and times become RFC 3339 text here; how they are written (JSON, a table) is the edge's business.
The shapes are the interface's promises.
"""

from decimal import Decimal
from typing import Any, TypeGuard

from domain.account import CreditAccount
from domain.events import BilledSlot, Event, FundsAdded, LotDraw, PoolDraw, Proof, UsageDebited
from domain.instants import format_instant
from domain.lots import Lot
from domain.payment_events import DisputeClosed, LotExpired, RefundFailed, RefundRequested, UsageReversed
from domain.payment_state import Method, Payment
from domain.payments import waits_for_money
from domain.pools import Pool
from domain.recharge import DISPUTE, DISPUTE_LOST, SUSPENDED

Named = dict[str, Any]
Entry = UsageDebited | FundsAdded | UsageReversed | RefundRequested | RefundFailed | DisputeClosed | LotExpired


def proof_view(proof: Proof | None, flags: tuple[str, ...]) -> Named:
    """The proof of a debit. Without one (a usage that costs nothing and needs no rate) every rate field is null."""
    if proof is None:
        proof = _NOTHING
    return {
        "deck": proof.deck,
        "deck_version": proof.deck_version,
        "direction": proof.direction,
        "prefix": proof.prefix,
        "origin_prefix": proof.origin_prefix,
        "connection_fee": proof.connection_fee,
        "slots": [_slot(slot) for slot in proof.slots],
        "billed_seconds": sum(slot.billed_seconds for slot in proof.slots),
        "pools": [_pool_draw(draw) for draw in proof.pools],
        "lots": [_lot_draw(draw) for draw in proof.lots],
        "debt": proof.debt,
        "rounding": proof.rounding,
        "decimals": proof.decimals,
        "price": proof.price,
        "postpaid": proof.postpaid,
        "flags": list(flags),
    }


_NOTHING = Proof(None, None, None, None, None, Decimal(0), (), (), (), Decimal(0), "half-up", 0)


def _slot(slot: BilledSlot) -> Named:
    return {
        "from_second": slot.from_second,
        "rate_per_minute": slot.rate_per_minute,
        "increment_seconds": slot.increment_seconds,
        "billed_seconds": slot.billed_seconds,
    }


def _pool_draw(draw: PoolDraw) -> Named:
    return {"plan": draw.plan, "kind": draw.kind, "minutes": draw.minutes}


def _lot_draw(draw: LotDraw) -> Named:
    return {"lot": draw.lot, "amount": draw.amount}


def source_view(source: tuple[str, str, int, int]) -> Named:
    """Where a usage came from."""
    kind, name, first, second = source
    if kind == "kafka":
        return {"kind": kind, "topic": name, "partition": first, "offset": second}
    return {"kind": kind, "name": name, "line": first}


def reversal_view(event: UsageReversed) -> Named:
    """The proof of a correction: amount = debt_reduced + what the lots got. A part that is `new` began a lot."""
    return {
        "debit_version": event.debit_version,
        "debt_reduced": event.debt_reduced,
        "lots": [
            {"lot": part.lot, "amount": part.amount, "new": part.new, "expires_at": format_instant(part.expires_at)}
            for part in event.lots
        ],
        "pools": [_pool_draw(draw) for draw in event.pools],
        "postpaid": event.postpaid,
        "key": event.key or None,
    }


def is_entry(event: Event) -> TypeGuard[Entry]:
    """Whether it is a line of the statement: every debit and correction, and all else that changes the balance."""
    return event.__class__ in _COMES and not (isinstance(event, DisputeClosed) and not event.amount)


def signed_amount(event: Entry) -> Decimal:
    """By how much it changes the balance."""
    return event.amount if _COMES[event.__class__] or not event.amount else -event.amount


# whether an event that changes the balance makes it more
_COMES: dict[type[Event], bool] = {
    UsageDebited: False,
    FundsAdded: True,
    UsageReversed: True,
    RefundRequested: False,
    RefundFailed: True,
    DisputeClosed: False,
    LotExpired: False,
}


def entry_view(log: str, position: int, event: Entry) -> Named:
    """A line of the statement. What leaves the balance is negative."""
    proof = None
    if isinstance(event, UsageDebited):
        proof = proof_view(event.proof, event.flags)
    elif isinstance(event, UsageReversed):
        proof = reversal_view(event)
    return {
        "log": log,
        "position": position,
        "type": type(event).__name__,
        "occurred_at": format_instant(event.occurred_at),
        "recorded_at": format_instant(event.recorded_at),
        "amount": signed_amount(event),
        "balance": event.balance,
        "usage_id": event.usage_id if isinstance(event, UsageDebited | UsageReversed) else None,
        "source": source_view(event.source) if isinstance(event, UsageDebited) else None,
        "proof": proof,
    }


def lot_view(lot: Lot) -> Named:
    """A lot of credit."""
    return {
        "id": lot.id,
        "kind": lot.kind,
        "purchased_at": format_instant(lot.purchased_at),
        "expires_at": format_instant(lot.expires_at),
        "amount": lot.amount,
        "remaining": lot.remaining,
    }


def pool_view(account: CreditAccount, pool: Pool, names: dict[str, str]) -> Named:
    """A pool of whole minutes; `names` by pseudonym, an erased user's pool shows the pseudonym."""
    return {
        "plan": pool.plan,
        "kind": pool.kind,
        "country": pool.country or None,
        "user": names.get(pool.user, pool.user) if pool.user else None,
        "month": _month(pool.month),
        "minutes": account.pools.size(pool),
        "used": account.pools.used.get(pool, 0),
        "remaining": account.pools.remaining(pool),
    }


def budget_view(account: CreditAccount, user: str, now: int, names: dict[str, str]) -> Named:
    """A budget in the running month; `names` by pseudonym, an erased user shows the pseudonym."""
    budget, month = account.budgets[user], account.months.of(now)
    return {
        "account": account.account_id,
        "user": names.get(user, user) or None,
        "amount": budget.amount,
        "hard": budget.hard,
        "month": _month(month),
        "spent": budget.amount - budget.remaining(month),
        "remaining": budget.remaining(month),
    }


def _month(month: int) -> str:
    return f"{month // 100}-{month % 100:02}"


def method_view(account: CreditAccount, method: Method) -> Named:
    """A payment method. Of a card only what its provider shows of it; of an invoice its agreement."""
    return {
        "account": account.account_id,
        "method": method.id,
        "kind": method.kind,
        "provider": method.provider or None,
        "brand": method.brand or None,
        "last4": method.last4 or None,
        "expires": _month(method.expires) if method.expires else None,
        "agreement": method.agreement or None,
        "purchase_order": method.purchase_order or None,
        "default": account.default_method == method.id,
    }


def recharge_view(account: CreditAccount, now: int | None = None, action_url: str = "") -> Named:
    """Auto-recharge: settings and state. With a target `amount` is the open recharge's. `failure`: the last decline."""
    recharge = account.recharge
    payment = account.payments.get(recharge.recharge_id)
    configured = recharge.level or recharge.amount or recharge.to is not None
    capped = recharge.capped_until > (account.recorded_at if now is None else now)
    return {
        "state": recharge.state,
        "amount": _adds(account, payment) if configured else None,
        "below": recharge.below if configured else None,
        "recharge_id": recharge.recharge_id or None,
        "reason": _why(account, payment) or None,
        "failure": recharge.failure or None,
        "next_try_at": None
        if payment is None or payment.cancelling or payment.next_try_at is None
        else format_instant(payment.next_try_at),
        "action_url": action_url or None,
        "to": recharge.to,
        "monthly_cap": recharge.monthly_cap,
        "capped_until": format_instant(recharge.capped_until) if capped else None,
        "method": recharge.method
        if recharge.method in account.methods
        else None,  # removed: the default one is charged
        "every": {"amount": recharge.every_amount, "on_day": recharge.every_day} if recharge.every_day else None,
    }


def _adds(account: CreditAccount, payment: Payment | None) -> Decimal | None:
    if account.recharge.to is None:
        return account.recharge.amount
    return None if payment is None else payment.amount


def _why(account: CreditAccount, payment: Payment | None) -> str:
    """Why it waits: cancelling (at the provider), awaiting_funds (no card pays it), else why it is suspended."""
    if payment is not None and payment.cancelling and account.recharge.state != SUSPENDED:
        return "cancelling"
    if payment is not None and not payment.cancelling and waits_for_money(account, payment):
        return "awaiting_funds"
    return DISPUTE if account.recharge.reason == DISPUTE_LOST else account.recharge.reason


def balance_view(account: CreditAccount, now: int, names: dict[str, str]) -> Named:
    """An account's credit now; position and freshness are the reader's to add."""
    return {
        "account": account.account_id,
        "currency": account.currency,
        "balance": account.balance,
        "spendable": account.spendable(now),
        "postpaid": account.postpaid,
        "lots": [lot_view(lot) for lot in sorted(account.lots.values(), key=lambda lot: lot.order) if lot.remaining],
        "pools": [pool_view(account, pool, names) for pool in account.pools.known(account.months.of(now))],
        "recharge": recharge_view(account, now),
    }
