"""How the events of payment methods, refunds and disputes change an account. Applied by `CreditAccount.apply`."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from domain.events import Event
from domain.payment_changes import method_changed
from domain.payment_events import (
    CustomerCreated,
    DisputeClosed,
    DisputeOpened,
    PaymentMethodAdded,
    PaymentMethodDefaulted,
    PaymentMethodRemoved,
    PaymentMethodUpdated,
    RefundFailed,
    RefundRequested,
    RefundSent,
    RefundSucceeded,
)
from domain.payment_state import Dispute, Method, Refund
from domain.recharge import DISPUTE, DISPUTE_LOST

if TYPE_CHECKING:
    from domain.account import CreditAccount


def method_added(account: "CreditAccount", event: PaymentMethodAdded) -> None:
    """A way to pay."""
    account.methods[event.method] = Method(
        event.method, event.kind, event.provider, event.customer, event.token, event.brand, event.last4, event.expires,
        event.agreement, event.purchase_order,
    )  # fmt: skip
    if event.customer:
        account.customers[event.provider] = event.customer
    if event.default:
        account.default_method = event.method
    method_changed(account, event.recorded_at)


def method_updated(account: "CreditAccount", event: PaymentMethodUpdated) -> None:
    """The same card with other details."""
    method = account.methods[event.method]
    method.brand, method.last4, method.expires = event.brand, event.last4, event.expires
    method_changed(account, event.recorded_at, event.method)


def method_defaulted(account: "CreditAccount", event: PaymentMethodDefaulted) -> None:
    """Another one pays where none is named."""
    account.default_method = event.method
    method_changed(account, event.recorded_at)


def method_removed(account: "CreditAccount", event: PaymentMethodRemoved) -> None:
    """Kept aside: a try that is under way still names it."""
    account.former_methods[event.method] = account.methods.pop(event.method)
    if account.default_method == event.method:
        account.default_method = ""
    method_changed(account, event.recorded_at)


def customer_created(account: "CreditAccount", event: CustomerCreated) -> None:
    """The provider's name for the account."""
    account.customers[event.provider] = event.customer


def refund_requested(account: "CreditAccount", event: RefundRequested) -> None:
    """It leaves the lot at once."""
    account.refunds[event.refund_id] = Refund(
        event.refund_id, event.key, event.lot, event.amount, event.debt, "requested", event.recorded_at,
        event.provider_refund,
    )  # fmt: skip
    account.take_back(event.lot, event.amount, event.debt, event.balance)


def refund_sent(account: "CreditAccount", event: RefundSent) -> None:
    """The provider works on it."""
    refund = account.refunds[event.refund_id]
    refund.state, refund.provider_refund, refund.since = "sent", event.provider_refund, event.recorded_at


def refund_succeeded(account: "CreditAccount", event: RefundSucceeded) -> None:
    """The money is back."""
    account.refunds[event.refund_id].state = "succeeded"


def refund_failed(account: "CreditAccount", event: RefundFailed) -> None:
    """Back to debt, then to its lot."""
    refund = account.refunds[event.refund_id]
    refund.state, refund.code = "failed", event.code
    account.take_back(refund.lot, -event.amount, -event.debt_covered, event.balance)


def dispute_opened(account: "CreditAccount", event: DisputeOpened) -> None:
    """What is left of its lot pays nothing."""
    account.disputes[event.dispute_id] = Dispute(event.dispute_id, event.lot, event.amount, "open", event.recorded_at)
    account.lots[event.lot].held = True
    account.sort_lots()


def dispute_closed(account: "CreditAccount", event: DisputeClosed) -> None:
    """What is left of its lot pays again, unless another dispute of it is open."""
    if event.outcome == "lost" and account.recharge.reason == DISPUTE:
        account.recharge.reason = DISPUTE_LOST
    dispute = account.disputes[event.dispute_id]
    dispute.state, dispute.since = event.outcome, event.recorded_at
    lot = account.lots[dispute.lot]
    lot.held = any(other.lot == lot.id and other.state == "open" for other in account.disputes.values())
    account.take_back(lot.id, event.amount, event.debt, event.balance)


CHANGES: Final[dict[type[Event], Callable[["CreditAccount", Any], None]]] = {
    PaymentMethodAdded: method_added,
    PaymentMethodUpdated: method_updated,
    PaymentMethodDefaulted: method_defaulted,
    PaymentMethodRemoved: method_removed,
    CustomerCreated: customer_created,
    RefundRequested: refund_requested,
    RefundSent: refund_sent,
    RefundSucceeded: refund_succeeded,
    RefundFailed: refund_failed,
    DisputeOpened: dispute_opened,
    DisputeClosed: dispute_closed,
}
