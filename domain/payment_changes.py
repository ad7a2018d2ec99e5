"""How the events of auto-recharge and payments change an account. Applied by `CreditAccount.apply`; nothing is decided.

A recharge that is switched off, closed or suspended while the provider knows of it goes on as a payment that is
`cancelling`: the recharge's state is where it goes to already, but the recharge stays the open one until the payment
was read back cancelled, or has brought its money after all.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from domain import payment_state as ps
from domain import recharge as rc
from domain.events import AccountClosed, AutoRechargeTriggered, Event, FundsAdded, RechargeConfigured
from domain.payment_events import (
    PaymentActionRequired,
    PaymentCancelled,
    PaymentCreated,
    PaymentDeclined,
    PaymentProcessing,
    PaymentTried,
    PurchaseRequested,
    RechargeCapped,
    RechargeResumed,
    RechargeSuspended,
    StandingRechargeConfigured,
)
from domain.payment_state import Payment, Purchase

if TYPE_CHECKING:
    from domain.account import CreditAccount


def configured(account: "CreditAccount", event: RechargeConfigured) -> None:
    """New settings of the trigger; an open recharge stays open under them, unless it is switched off."""
    recharge = account.recharge
    recharge.level = event.enabled
    recharge.amount, recharge.below, recharge.to = event.amount, event.below, event.to
    if event.monthly_cap != recharge.monthly_cap:
        recharge.monthly_cap, recharge.capped_until, recharge.capped_by = event.monthly_cap, 0, None
    recharge.method = event.method
    if event.enabled:
        _switched_on(account)
        method_changed(account, event.recorded_at)
    else:
        _switched_off(account, rc.LEVEL, event.recorded_at)


def standing_configured(account: "CreditAccount", event: StandingRechargeConfigured) -> None:
    """The monthly top-up; an open recharge stays open, unless it is of this kind and switched off."""
    recharge = account.recharge
    recharge.every_amount, recharge.every_done = event.amount, event.done_month
    recharge.every_day = event.on_day if event.enabled else 0
    if event.enabled:
        _switched_on(account)
    else:
        _switched_off(account, rc.STANDING, event.recorded_at)


def _switched_on(account: "CreditAccount") -> None:
    if account.recharge.state == rc.OFF:
        account.recharge.state = rc.ARMED


def _switched_off(account: "CreditAccount", kind: str, at: int) -> None:
    recharge = account.recharge
    if recharge.kind == kind or not recharge.is_on:
        cancel_open(account, "off", at)
    if recharge.state not in rc.UNDER_WAY:
        recharge.rest()


def cancel_open(account: "CreditAccount", cause: str, at: int) -> None:
    """The open recharge is not wanted any more. What the provider does not know of is over at once."""
    recharge = account.recharge
    payment = account.payments.get(recharge.recharge_id)
    if payment is None:
        return
    if recharge.state in rc.UNDER_WAY:
        recharge.state = rc.ARMED
    if payment.state == ps.NEW:
        _end(account, payment)
    elif not payment.cancelling:
        payment.cancelling, payment.since = cause, at
    recharge.rest()


def closed(account: "CreditAccount", event: AccountClosed) -> None:
    """Nothing is bought any more, and what is on its way is cancelled."""
    recharge, at = account.recharge, event.recorded_at
    recharge.level, recharge.every_day = False, 0
    cancel_open(account, "closed", at)
    recharge.rest()
    for payment in account.payments.values():
        if not payment.cancelling:
            payment.cancelling, payment.since = "closed", at


def triggered(account: "CreditAccount", event: AutoRechargeTriggered) -> None:
    """A recharge is open, with what it is to bring."""
    account.recharge.trigger(event.recharge_id, event.kind, event.month, event.recorded_at)
    account.payments[event.recharge_id] = Payment(
        event.recharge_id, ps.RECHARGE, event.amount, "", event.recorded_at
    )  # fmt: skip


def capped(account: "CreditAccount", event: RechargeCapped) -> None:
    """Not before the next month."""
    account.recharge.capped_until, account.recharge.capped_by = event.until, event.cap


def suspended(account: "CreditAccount", event: RechargeSuspended) -> None:
    """At rest; an open recharge is cancelled."""
    recharge = account.recharge
    recharge.state, recharge.reason = rc.SUSPENDED, event.cause
    payment = account.payments.get(event.recharge_id)
    if payment is not None and not payment.cancelling:
        payment.cancelling, payment.since = _WHY.get(event.cause, "suspended"), event.recorded_at


_WHY: Final = {"declined": "declined", "retries_exhausted": "declined", "action_timeout": "action_timeout"}


def resumed(account: "CreditAccount", event: RechargeResumed) -> None:
    """Armed, with a clean sheet for the limit per hour."""
    recharge = account.recharge
    recharge.state, recharge.reason, recharge.triggered_at = rc.ARMED, "", []
    recharge.failure = recharge.message = ""
    recharge.rest()


def requested(account: "CreditAccount", event: PurchaseRequested) -> None:
    """A purchase is on its way."""
    of, at = event.purchase_id, event.recorded_at
    account.purchases[of] = Purchase(of, event.key, event.amount, event.method, "processing", at)
    account.payments[of] = Payment(of, ps.PURCHASE, event.amount, event.method, at)


def created(account: "CreditAccount", event: PaymentCreated) -> None:
    """The provider knows of it."""
    payment = account.payments[event.of]
    payment.provider, payment.payment_id = event.provider, event.payment_id
    payment.state, payment.since = ps.CREATED, event.recorded_at


def tried(account: "CreditAccount", event: PaymentTried) -> None:
    """A try is under way."""
    payment = account.payments[event.of]
    payment.number, payment.method, payment.present = event.number, event.method, event.present
    payment.tried_at, payment.next_try_at = event.recorded_at, None
    _move(account, payment, ps.TRYING, rc.CHARGING, event)


def declined(account: "CreditAccount", event: PaymentDeclined) -> None:
    """A recharge waits for its next try; a purchase has failed, and its payment is cancelled."""
    payment = account.payments[event.of]
    payment.code, payment.message, payment.next_try_at = event.code, event.message, event.next_try_at
    payment.declines += 1
    _move(account, payment, ps.RETRYING, rc.RETRYING, event)
    if payment.kind == ps.PURCHASE:
        _fail(account, event.of, event.code, event.message)
        payment.cancelling = payment.cancelling or "declined"
    else:
        account.recharge.failure, account.recharge.message = ps.shown_code(event.code), event.message


def action_required(account: "CreditAccount", event: PaymentActionRequired) -> None:
    """The customer is asked for."""
    payment = account.payments[event.of]
    payment.until = event.until
    _move(account, payment, ps.ACTION_REQUIRED, rc.ACTION_REQUIRED, event)
    if payment.kind == ps.PURCHASE:
        account.purchases[event.of].state = "requires_action"


def processing(account: "CreditAccount", event: PaymentProcessing) -> None:
    """The bank takes its time."""
    payment = account.payments[event.of]
    _move(account, payment, ps.PROCESSING, rc.CHARGING, event)
    if payment.kind == ps.PURCHASE:
        account.purchases[event.of].state = "processing"


def _move(account: "CreditAccount", payment: Payment, state: str, of_recharge: str, event: Event) -> None:
    payment.state, payment.since = state, event.recorded_at
    if payment.kind == ps.RECHARGE and not payment.cancelling:
        account.recharge.state = of_recharge


def cancelled(account: "CreditAccount", event: PaymentCancelled) -> None:
    """It is over without money, but `funded`: then the money that came otherwise is booked next."""
    payment = account.payments[event.of]
    if event.cause == "funded":
        payment.state, payment.provider, payment.payment_id, payment.cancelling = ps.NEW, "", "", ""
        if payment.kind == ps.RECHARGE and account.recharge.state in rc.UNDER_WAY:
            account.recharge.state = rc.TRIGGERED
        return
    if payment.kind == ps.PURCHASE:
        _fail(account, event.of, event.cause, "")
    _end(account, payment)


def paid(account: "CreditAccount", event: FundsAdded) -> None:
    """Money has come for a recharge or a purchase."""
    if event.recharge_id:
        recharge = account.recharge
        recharge.count(account.months.of(event.recorded_at), event.amount)
        recharge.failure = recharge.message = ""
        account.payments.pop(event.recharge_id, None)
        recharge.end_by(event.recharge_id)
    if event.purchase_id:
        account.payments.pop(event.purchase_id, None)
        purchase = account.purchases[event.purchase_id]
        purchase.state, purchase.lot, purchase.failure, purchase.message = "succeeded", event.lot, "", ""


def _end(account: "CreditAccount", payment: Payment) -> None:
    del account.payments[payment.of]
    if payment.kind == ps.RECHARGE:
        account.recharge.end_by(payment.of)


def _fail(account: "CreditAccount", purchase_id: str, code: str, message: str) -> None:
    purchase = account.purchases[purchase_id]
    if purchase.state != "failed":
        purchase.state, purchase.failure, purchase.message = "failed", ps.shown_code(code), message


def method_changed(account: "CreditAccount", at: int, updated: str = "") -> None:
    """A recharge that waits for its next try, or for the customer who is away, is tried at once with another method."""
    for payment in account.payments.values():
        if payment.kind != ps.RECHARGE or payment.cancelling:
            continue
        waits = payment.state == ps.RETRYING or (payment.state == ps.ACTION_REQUIRED and not payment.present)
        method = account.recharge_method()
        if waits and method is not None and (method.id != payment.method or method.id == updated):
            payment.state, payment.since, payment.next_try_at, payment.until = ps.RETRYING, at, at, 0
            account.recharge.state = rc.RETRYING


CHANGES: Final[dict[type[Event], Callable[["CreditAccount", Any], None]]] = {
    RechargeConfigured: configured,
    StandingRechargeConfigured: standing_configured,
    AutoRechargeTriggered: triggered,
    RechargeCapped: capped,
    RechargeSuspended: suspended,
    RechargeResumed: resumed,
    PurchaseRequested: requested,
    PaymentCreated: created,
    PaymentTried: tried,
    PaymentDeclined: declined,
    PaymentActionRequired: action_required,
    PaymentProcessing: processing,
    PaymentCancelled: cancelled,
}
