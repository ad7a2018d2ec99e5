"""Deciding funds that come: by hand, for a recharge or a purchase, or by a payment that succeeded. Pure."""

from decimal import Decimal
from typing import NamedTuple

from domain.account import CreditAccount
from domain.by import By, header, must_be_open
from domain.errors import Invalid, NotFound, Refused
from domain.events import Event, FundsAdded
from domain.lots import NEVER
from domain.months import add_months
from domain.payment_events import PaymentCancelled
from domain.payment_state import NEW, PURCHASE, RECHARGE, Payment

_NOT_OPEN = {RECHARGE: "recharge_not_open", PURCHASE: "purchase_not_open"}
_HINT = {
    RECHARGE: "`recharge show {}` says which one is",
    PURCHASE: "it was paid or has failed, or account {} never began it",
}
_IN_PROGRESS = {RECHARGE: "recharge_in_progress", PURCHASE: "purchase_in_progress"}


class Funds(NamedTuple):
    """Money received: what `funds add` was given."""

    amount: Decimal
    reference: str = ""
    at: int | None = None
    recharge_id: str = ""
    granted: bool = False
    expires_at: int | None = None
    purchase_id: str = ""


def add_funds(account: CreditAccount, by: By, funds: Funds, cancelled: bool = False) -> list[Event]:
    """A lot. A known reference adds nothing, before anything else is looked at.

    `cancelled`: the payment of the recharge or purchase that this ends was read back cancelled at the provider.
    Raises Refused `reference_conflict`, `account_closed`, `recharge_in_progress`, `purchase_in_progress`; NotFound
    `recharge_not_open`, `purchase_not_open`; Invalid for amount and times.
    """
    known = account.references.get(funds.reference) if funds.reference else None
    if known is not None:
        if known[1] != funds.amount:
            raise Refused(
                "reference_conflict", f"reference {funds.reference} was booked already with {known[1]:f}", "reference"
            )
        return []
    must_be_open(account)
    if funds.amount <= 0:
        raise Invalid("invalid_amount", "the amount must be more than 0", "amount")
    before = _ended(account, by, funds, cancelled)
    purchased_at = by.now if funds.at is None else funds.at
    if purchased_at > by.now:
        raise Invalid("in_future", "funds cannot have come in the future", "at")
    expires_at = funds.expires_at
    if expires_at is None:
        expires_at = add_months(purchased_at, account.settings.expiry_months)
    if not purchased_at < expires_at < NEVER:
        raise Invalid("invalid_expires", "funds expire after they were purchased", "expires")
    added = FundsAdded(
        *header(account, by, purchased_at, FundsAdded.VERSION),
        f"lot-{account.version + len(before) + 1}",
        "granted" if funds.granted else "purchased",
        funds.amount,
        min(account.debt, funds.amount),
        expires_at,
        funds.reference,
        funds.recharge_id,
        account.balance + funds.amount,
        funds.purchase_id,
    )
    return [*before, added]


def _ended(account: CreditAccount, by: By, funds: Funds, cancelled: bool) -> list[Event]:
    """The end of the payments at the provider, of what this money is for."""
    if funds.recharge_id and funds.purchase_id:
        raise Invalid("invalid_purchase", "money ends a recharge or a purchase, not both", "purchase")
    payments = []
    for of, kind in ((funds.recharge_id, RECHARGE), (funds.purchase_id, PURCHASE)):
        if not of:
            continue
        payment = account.payments.get(of)
        if payment is None or payment.kind != kind:
            raise NotFound(_NOT_OPEN[kind], f"{kind} {of} is not open: {_HINT[kind].format(account.account_id)}", kind)
        if payment.state != NEW and not cancelled:
            text = f"{kind} {of} is being paid through the provider, where it is not cancelled: wait until it has ended"
            raise Refused(_IN_PROGRESS[kind], text, kind)
        payments.append(payment)
    return [
        PaymentCancelled(*header(account, by), payment.of, "funded") for payment in payments if payment.state != NEW
    ]


def paid_by(account: CreditAccount, by: By, payment: Payment, amount: Decimal) -> FundsAdded:
    """The lot that a payment has bought. Also of a closed account: the money has come."""
    recharge = payment.kind == RECHARGE
    return FundsAdded(
        *header(account, by, None, FundsAdded.VERSION),
        f"lot-{account.version + 1}",
        "purchased",
        amount,
        min(account.debt, amount),
        add_months(by.now, account.settings.expiry_months),
        "",
        payment.of if recharge else "",
        account.balance + amount,
        "" if recharge else payment.of,
        payment.provider,
        payment.payment_id,
        payment.method,
    )
