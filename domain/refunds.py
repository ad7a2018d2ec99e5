"""Deciding refunds and disputes: money of a lot that goes back, for good or for now. Pure.

A refund leaves its lot at once and returns when the provider fails. What is told of one that is known writes nothing.
"""

from decimal import Decimal

from domain.account import CreditAccount
from domain.by import By, header
from domain.errors import Invalid, NotFound, Refused
from domain.events import Event
from domain.lots import Lot
from domain.money import quantum
from domain.payment_events import (
    DisputeClosed,
    DisputeOpened,
    PaymentCancelled,
    RechargeResumed,
    RechargeSuspended,
    RefundFailed,
    RefundRequested,
    RefundSent,
    RefundSucceeded,
)
from domain.payment_state import NEW, Refund, nothing
from domain.recharge import DISPUTE, OFF, SUSPENDED


def request_refund(
    account: CreditAccount, by: By, lot_id: str, amount: Decimal | None = None, key: str = "",
    unit: Decimal | None = None,
) -> list[Event]:  # fmt: skip
    """Of a lot, at most what is unspent of it; None: all of that. The same key again writes nothing.

    `unit`: the smallest step that the provider can give back; None: as the account's scale.
    Raises NotFound `unknown_lot`; Refused `key_conflict`, `no_provider_payment`, `lot_disputed`, `lot_expired`,
    `nothing_unspent`, `more_than_unspent`; Invalid `invalid_amount`.
    """
    known = refund_by_key(account, key)
    if known is not None:
        if known.lot != lot_id or amount not in (None, known.amount):
            text = f"key {key} has refunded {known.amount:f} of {known.lot} already"
            raise Refused("key_conflict", text, "key")
        return []
    lot = account.lots.get(lot_id)
    if lot is None:
        raise NotFound(
            "unknown_lot",
            f"account {account.account_id} has no lot {lot_id}: `balance {account.account_id}` names its lots",
            "lot",
        )
    if not lot.payment_id:
        text = f"{lot_id} was not paid through a provider: give the money back the way it came"
        raise Refused("no_provider_payment", text, "lot")
    if lot.held:
        raise Refused("lot_disputed", f"the payment of {lot_id} is disputed: its bank has the money", "lot")
    if lot.expires_at < max(by.now, account.recorded_at):
        raise Refused("lot_expired", f"{lot_id} has expired", "lot")
    if not lot.remaining:
        raise Refused("nothing_unspent", f"nothing is left of {lot_id}", "lot")
    smallest = quantum(account.scale)
    unit = smallest if unit is None else unit
    if amount is None:
        amount = (lot.remaining // unit * unit).quantize(smallest)
        if not amount:
            raise Refused("nothing_unspent", f"less than {unit:f} is left of {lot_id}: that cannot be paid", "lot")
    if amount <= 0:
        raise Invalid("invalid_amount", "the amount must be more than 0", "amount")
    if amount % unit:
        raise Invalid("invalid_amount", f"only whole multiples of {unit:f} can be paid back", "amount")
    if amount > lot.remaining:
        raise Refused("more_than_unspent", f"only {lot.remaining:f} of {lot_id} is unspent", "amount")
    return [_requested(account, by, lot, amount, nothing(account.scale), key, "")]


def _requested(
    account: CreditAccount, by: By, lot: Lot, amount: Decimal, debt: Decimal, key: str, provider_refund: str
) -> RefundRequested:
    refund_id = f"ref-{account.account_id}-{account.version + 1}"
    return RefundRequested(
        *header(account, by), refund_id, key, lot.id, amount, debt, provider_refund, account.balance - amount
    )


def refund_by_key(account: CreditAccount, key: str) -> Refund | None:
    """The refund that a key has made."""
    return next((refund for refund in account.refunds.values() if refund.key == key), None) if key else None


def refund_sent(account: CreditAccount, by: By, refund_id: str, provider_refund: str) -> list[Event]:
    """The provider has taken it on."""
    refund = account.refunds[refund_id]
    if refund.state != "requested":
        return []
    return [RefundSent(*header(account, by), refund_id, provider_refund)]


def refund_succeeded(account: CreditAccount, by: By, refund_id: str) -> list[Event]:
    """The money has gone back."""
    if account.refunds[refund_id].state not in ("requested", "sent"):
        return []
    return [RefundSucceeded(*header(account, by), refund_id)]


def refund_failed(account: CreditAccount, by: By, refund_id: str, code: str) -> list[Event]:
    """The provider could not, perhaps days after it had said it did."""
    refund = account.refunds[refund_id]
    if refund.state == "failed":
        return []
    covered = min(account.debt, refund.amount)
    return [
        RefundFailed(
            *header(account, by), refund_id, code, refund.amount, covered, account.balance + refund.amount
        )
    ]  # fmt: skip


def refund_booked(
    account: CreditAccount, by: By, payment_id: str, provider_refund: str, amount: Decimal
) -> list[Event]:  # fmt: skip
    """Made in the provider's own dashboard, at any amount: what the lot has not any more is debt.

    Raises NotFound `unknown_payment`: no lot was paid by it (yet).
    """
    if any(refund.provider_refund == provider_refund for refund in account.refunds.values()):
        return []
    lot, amount = lot_paid_by(account, payment_id), amount.quantize(quantum(account.scale))
    debt = max(amount - lot.remaining, nothing(account.scale))
    requested = _requested(account, by, lot, amount, debt, "", provider_refund)
    return [requested, RefundSent(*header(account, by), requested.refund_id, provider_refund)]


def lot_paid_by(account: CreditAccount, payment_id: str) -> Lot:
    """The lot that a provider's payment has bought. Raises NotFound `unknown_payment`."""
    for lot in account.lots.values():
        if lot.payment_id == payment_id:
            return lot
    raise NotFound("unknown_payment", f"no lot of {account.account_id} was paid by {payment_id}", "payment")


def dispute_opened(
    account: CreditAccount, by: By, dispute_id: str, payment_id: str, amount: Decimal
) -> list[Event]:  # fmt: skip
    """The rest of the lot is held, and auto-recharge suspended. Raises NotFound `unknown_payment`."""
    if dispute_id in account.disputes:
        return []
    lot, recharge, head = lot_paid_by(account, payment_id), account.recharge, header(account, by)
    events: list[Event] = [DisputeOpened(*head, dispute_id, lot.id, amount.quantize(quantum(account.scale)))]
    if recharge.state not in (OFF, SUSPENDED):
        events.insert(0, RechargeSuspended(*head, DISPUTE, recharge.recharge_id))
        payment = account.payments.get(recharge.recharge_id)
        if payment is not None and payment.state == NEW:
            events.insert(1, PaymentCancelled(*head, payment.of, "suspended"))
    return events


def dispute_closed(account: CreditAccount, by: By, dispute_id: str, outcome: str) -> list[Event]:
    """`won`: the lot pays again, and auto-recharge goes on if disputes suspended it and none is open or was lost since.
    `lost`: the amount leaves.
    """
    dispute = account.disputes[dispute_id]
    if dispute.state != "open":
        return []
    head = header(account, by)
    amount = debt = nothing(account.scale)
    if outcome == "lost":
        amount = dispute.amount
        debt = max(amount - account.lots[dispute.lot].remaining, debt)
    events: list[Event] = [DisputeClosed(*head, dispute_id, outcome, amount, debt, account.balance - amount)]
    recharge = account.recharge
    others = any(other.state == "open" for other in account.disputes.values() if other.id != dispute_id)
    if outcome == "won" and recharge.state == SUSPENDED and recharge.reason == DISPUTE and not others:
        events.append(RechargeResumed(*head))
    return events


def dispute_seen(
    account: CreditAccount, by: By, dispute_id: str, payment_id: str, state: str, amount: Decimal
) -> list[Event]:
    """As the provider has it: open, won, lost (an inquiry: nothing). Call it until it writes nothing: a dispute that is
    first heard of when it is closed is opened first.
    """
    if state not in ("open", "won", "lost"):
        return []
    if dispute_id not in account.disputes:
        return dispute_opened(account, by, dispute_id, payment_id, amount)
    return dispute_closed(account, by, dispute_id, state) if state != "open" else []
