"""Deciding payments: what is to be asked of the provider next (`step`), and what its answer means for the account.

A payment belongs to a recharge or a purchase, `of`. Each answer may be told twice, late and in any order: what is known
already, or is of a payment that is over, writes nothing.
"""

from collections.abc import Sequence
from decimal import Decimal
from typing import NamedTuple

from domain.account import CreditAccount
from domain.by import By, header
from domain.errors import Refused
from domain.events import Event
from domain.funding import paid_by
from domain.methods import known_method
from domain.money import quantum
from domain.months import SECOND
from domain.payment_events import (
    PaymentActionRequired,
    PaymentCancelled,
    PaymentCreated,
    PaymentDeclined,
    PaymentProcessing,
    PaymentTried,
    RechargeSuspended,
)
from domain.payment_state import (
    ACTION_REQUIRED,
    CREATED,
    INVOICE,
    NEW,
    PROCESSING,
    PURCHASE,
    RECHARGE,
    RETRYING,
    TRYING,
    Method,
    Payment,
)
from domain.recharge import LEVEL, UNDER_WAY

CREATE, TRY, ASK, READ, CANCEL = "create", "try", "ask", "read", "cancel"


class Step(NamedTuple):
    """What to do at the provider now.

    create: make the payment, then `payment_created` · try: append `payment_tried`, then confirm as `number` · ask: a
    try's outcome is not known: confirm again under the same key, else read · read: ask how it stands · cancel: cancel
    and read back, then `payment_cancelled` with `cause` (where the provider knows of none: at once).
    """

    what: str
    payment: Payment
    method: Method | None = None
    number: int = 0
    present: bool = False
    cause: str = ""


def step(account: CreditAccount, of: str, now: int) -> Step | None:
    """The next step of an open payment, or None: it is over, or waits (for money, a method, a time, the customer)."""
    payment, now = account.payments.get(of), max(now, account.recorded_at)
    if payment is None:
        return None
    if payment.cancelling:
        return Step(CANCEL, payment, cause=payment.cancelling)
    if payment.state == TRYING:
        method = known_method(account, payment.method)
        return Step(ASK, payment, method, payment.number, payment.present)
    if payment.state == PROCESSING:
        return Step(READ, payment)
    if payment.state == ACTION_REQUIRED:
        if payment.until <= now:
            return Step(CANCEL, payment, cause="action_timeout")
        return Step(READ, payment) if payment.present else None
    if payment.state == RETRYING and (payment.next_try_at is None or payment.next_try_at > now):
        return None
    return _next_try(account, payment, now)


def _next_try(account: CreditAccount, payment: Payment, now: int) -> Step | None:
    method = method_of(account, payment)
    if method is None:
        return Step(CANCEL, payment, cause="gone") if payment.kind == PURCHASE else None
    if method.kind == INVOICE:
        return None
    if payment.kind == RECHARGE and is_filled(account, now):
        return Step(CANCEL, payment, cause="level")
    what = CREATE if payment.state == NEW else TRY
    return Step(what, payment, method, payment.number + 1, payment.kind == PURCHASE)


def method_of(account: CreditAccount, payment: Payment) -> Method | None:
    """What the next try is paid with. A purchase keeps its method; a recharge has the one in force."""
    return account.methods.get(payment.method) if payment.kind == PURCHASE else account.recharge_method()


def is_filled(account: CreditAccount, now: int) -> bool:
    """Whether the open recharge was triggered by level and the level is not below any more."""
    recharge = account.recharge
    return recharge.kind == LEVEL and recharge.level and account.spendable(now) >= recharge.below


def waits_for_money(account: CreditAccount, payment: Payment) -> bool:
    """Whether no card pays it: what ends it is `funds add`. (A purchase whose method is gone is cancelled.)"""
    if payment.state not in (NEW, CREATED, RETRYING):
        return False
    method = method_of(account, payment)
    return payment.kind == RECHARGE if method is None else method.kind == INVOICE


def payment_created(account: CreditAccount, by: By, of: str, provider: str, payment_id: str) -> list[Event]:
    """The provider holds it. Nothing where it is over: cancel it at the provider then."""
    payment = account.payments.get(of)
    if payment is None or payment.state != NEW:
        return []
    return [PaymentCreated(*header(account, by), of, provider, payment_id, payment.amount)]


def payment_tried(account: CreditAccount, by: By, of: str, present: bool) -> list[Event]:
    """Appended before the bank is asked. `present`: the customer is there. Nothing where no try may be made now.

    Raises Refused `no_payment_method`.
    """
    payment = account.payments.get(of)
    if payment is None or payment.cancelling or payment.state not in (CREATED, RETRYING, ACTION_REQUIRED):
        return []
    method = method_of(account, payment)
    if method is None or method.kind == INVOICE:
        raise Refused("no_payment_method", f"account {account.account_id} has no card that could pay this", "method")
    return [PaymentTried(*header(account, by), of, payment.number + 1, method.id, present)]


def payment_succeeded(account: CreditAccount, by: By, of: str, amount: Decimal) -> list[Event]:
    """The money has come: what the provider says it took is booked, also where it was to be cancelled."""
    payment = account.payments.get(of)
    if payment is None or payment.state == NEW:
        return []
    return [paid_by(account, by, payment, amount.quantize(quantum(account.scale)))]


def payment_declined(
    account: CreditAccount, by: By, of: str, code: str, advice: str, hard: bool, message: str,
    schedule: Sequence[int],
) -> list[Event]:  # fmt: skip
    """A try took nothing. Of a recharge: again by `schedule` (seconds, each from the try before), else suspended."""
    payment = account.payments.get(of)
    if payment is None or not _is_asked(payment):
        return []
    cause, next_try_at = "", None
    if payment.kind == RECHARGE and not payment.cancelling:
        if hard:
            cause = "declined"
        elif payment.declines >= len(schedule):
            cause = "retries_exhausted"
        else:
            next_try_at = payment.tried_at + schedule[payment.declines] * SECOND
    head = header(account, by)
    events: list[Event] = [PaymentDeclined(*head, of, payment.number, code, advice, hard, message, next_try_at)]
    if cause:
        events.append(RechargeSuspended(*head, cause, of))
    return events


def payment_refused(account: CreditAccount, by: By, of: str, code: str, message: str) -> list[Event]:
    """The provider will not hold it, and never will as it is: it is over, and a recharge is suspended."""
    payment = account.payments.get(of)
    if payment is None or payment.state != NEW:
        return []
    head = header(account, by)
    events: list[Event] = [PaymentDeclined(*head, of, payment.number, code, "", True, message, None)]
    if payment.kind == RECHARGE:
        events.append(RechargeSuspended(*head, "declined", of))
    return [*events, PaymentCancelled(*head, of, "declined")]


def _is_asked(payment: Payment) -> bool:
    """Whether a try is under way, the customer at the bank's page included."""
    return payment.state in (TRYING, PROCESSING) or (payment.state == ACTION_REQUIRED and payment.present)


def payment_action_required(account: CreditAccount, by: By, of: str, until: int) -> list[Event]:
    """The bank asks for the customer, who has until then, or until what was said the first time."""
    payment = account.payments.get(of)
    if payment is None or payment.state not in (TRYING, PROCESSING):
        return []
    return [PaymentActionRequired(*header(account, by), of, payment.number, payment.until or until)]


def payment_processing(account: CreditAccount, by: By, of: str) -> list[Event]:
    """The bank takes its time."""
    payment = account.payments.get(of)
    if payment is None or not _is_asked(payment) or payment.state == PROCESSING:
        return []
    return [PaymentProcessing(*header(account, by), of, payment.number)]


def payment_cancelled(account: CreditAccount, by: By, of: str, cause: str) -> list[Event]:
    """It was read back cancelled, or the provider knows of none. Where the customer was waited for in vain it rests,
    also where the provider tells of it before who had it cancelled does.
    """
    payment = account.payments.get(of)
    if payment is None:
        return []
    in_vain = payment.state == ACTION_REQUIRED and payment.until <= max(by.now, account.recorded_at)
    if in_vain and not payment.cancelling:
        cause = "action_timeout"
    head = header(account, by)
    cancelled = PaymentCancelled(*head, of, payment.cancelling or cause)
    if cause == "action_timeout" and payment.kind == RECHARGE and account.recharge.state in UNDER_WAY:
        return [RechargeSuspended(*head, "action_timeout", of), cancelled]
    return [cancelled]
