"""The events of money: recharges and purchases on their way, payment methods, refunds, disputes, expiry, corrections,
budgets. The header, the stored form and the registry are in event.py and events.py.

A payment belongs to a recharge or to a purchase, named by `of`: the id of either.
"""

from decimal import Decimal
from typing import Final

import msgspec

from domain.event import Event, PoolDraw


class StandingRechargeConfigured(Event, frozen=True, array_like=True, gc=False):
    """The monthly standing top-up is set or switched off: due on that day at 00:00 of the account's zone."""

    enabled: bool
    amount: Decimal
    on_day: int  # 1 to 28
    done_month: int  # year * 100 + month: those up to it are not due


class RechargeCapped(Event, frozen=True, array_like=True, gc=False):
    """A recharge was due and would have passed the month's cap: nothing is charged before `until`."""

    until: int  # the next month's first instant, in the account's zone
    amount: Decimal  # what was due
    charged: Decimal  # by recharges in this month so far
    cap: Decimal


class RechargeSuspended(Event, frozen=True, array_like=True, gc=False):
    """Auto-recharge rests until an admin resumes it. No recharge is open."""

    cause: str  # declined, retries_exhausted, action_timeout, too_frequent, dispute
    recharge_id: str  # the one that failed; empty where none was open


class RechargeResumed(Event, frozen=True, array_like=True, gc=False):
    """Armed again."""


class PaymentMethodAdded(Event, frozen=True, array_like=True, gc=False):
    """A way to pay: a card that the provider keeps, or an invoice under an agreement. Never any card data."""

    method: str  # its id here: pm-N
    kind: str  # card, invoice
    provider: str  # stripe; empty for an invoice
    customer: str  # the provider's
    token: str  # the provider's
    brand: str
    last4: str
    expires: int  # year * 100 + month, 0 where none
    agreement: str  # of an invoice: the enterprise agreement
    purchase_order: str
    default: bool


class PaymentMethodUpdated(Event, frozen=True, array_like=True, gc=False):
    """The provider has other details of the card (a new expiry, another number)."""

    method: str
    brand: str
    last4: str
    expires: int


class PaymentMethodDefaulted(Event, frozen=True, array_like=True, gc=False):
    """The method that pays where none is named."""

    method: str


class PaymentMethodRemoved(Event, frozen=True, array_like=True, gc=False):
    """No longer used. Where it was the default there is none."""

    method: str


class CustomerCreated(Event, frozen=True, array_like=True, gc=False):
    """The provider knows the account by this name."""

    provider: str
    customer: str


class PurchaseRequested(Event, frozen=True, array_like=True, gc=False):
    """A one-time top-up. It ends by FundsAdded, PaymentDeclined or PaymentCancelled."""

    purchase_id: str  # pur-ACCOUNT-VERSION
    key: str  # the caller's; the same key never buys twice; empty where none
    amount: Decimal
    method: str


class PaymentCreated(Event, frozen=True, array_like=True, gc=False):
    """The provider holds a payment for a recharge or a purchase, `of`; nothing is taken yet."""

    of: str
    provider: str
    payment_id: str
    amount: Decimal


class PaymentTried(Event, frozen=True, array_like=True, gc=False):
    """The provider is about to be asked to take the money: written before, so that a lost answer is asked for."""

    of: str
    number: int  # from 1
    method: str
    present: bool  # whether the customer is there (3-D Secure may be asked)


class PaymentDeclined(Event, frozen=True, array_like=True, gc=False):
    """A try took nothing."""

    of: str
    number: int
    code: str  # the decline's, or the error's code
    advice: str  # the provider's advice code, empty where none
    hard: bool  # never again with this card as it is
    message: str  # what an admin is told
    next_try_at: int | None  # None: there is none


class PaymentActionRequired(Event, frozen=True, array_like=True, gc=False):
    """The bank asks for the customer (3-D Secure). Cancelled after `until`."""

    of: str
    number: int
    until: int


class PaymentProcessing(Event, frozen=True, array_like=True, gc=False):
    """The bank takes its time (days for a debit); it may still fail."""

    of: str
    number: int


class PaymentCancelled(Event, frozen=True, array_like=True, gc=False):
    """A recharge or purchase ends without money: its payment was read back cancelled, or was never made."""

    of: str
    cause: str  # level (no longer below), off, closed, funded, action_timeout, suspended, declined, gone


class RefundRequested(Event, frozen=True, array_like=True, gc=False):
    """Money of a lot goes back: it leaves the lot at once. What the lot had not any more is debt."""

    refund_id: str  # ref-ACCOUNT-VERSION
    key: str
    lot: str
    amount: Decimal
    debt: Decimal  # of a refund made in the provider's dashboard: what was spent already
    provider_refund: str  # where it was made there; else empty
    balance: Decimal


class RefundSent(Event, frozen=True, array_like=True, gc=False):
    """The provider has taken it on."""

    refund_id: str
    provider_refund: str


class RefundSucceeded(Event, frozen=True, array_like=True, gc=False):
    """The money has gone back."""

    refund_id: str


class RefundFailed(Event, frozen=True, array_like=True, gc=False):
    """The provider could not: it returns to debt first, then to its lot, with the lot's old expiry."""

    refund_id: str
    code: str
    amount: Decimal  # that comes back
    debt_covered: Decimal
    balance: Decimal


class DisputeOpened(Event, frozen=True, array_like=True, gc=False):
    """The bank took a payment back for now: what is left of its lot pays nothing."""

    dispute_id: str  # the provider's
    lot: str
    amount: Decimal


class DisputeClosed(Event, frozen=True, array_like=True, gc=False):
    """Lost: the amount leaves the lot, and what was spent of it is debt. Won: all goes on."""

    dispute_id: str
    outcome: str  # won, lost
    amount: Decimal  # that leaves: 0 when won
    debt: Decimal
    balance: Decimal


class LotExpired(Event, frozen=True, array_like=True, gc=False):
    """What was not used of a lot is forfeited, after the grace. Occurred at the expiry."""

    lot: str
    amount: Decimal
    balance: Decimal


class LotPart(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """What a correction puts back: into the lot that paid, or (`new`) into one that begins with it."""

    lot: str
    amount: Decimal
    new: bool
    expires_at: int


class UsageReversed(Event, frozen=True, array_like=True, gc=False):
    """A debit taken back: debt first, then the lots that paid, last first. Its usage id stays used."""

    usage_id: str
    debit_version: int  # of the debit in the account's stream
    started_at: int  # the usage's
    user: str
    amount: Decimal  # what comes back to the balance
    debt_reduced: Decimal
    lots: tuple[LotPart, ...]
    pools: tuple[PoolDraw, ...]  # minutes that return to their month
    postpaid: Decimal  # what is no longer billed later
    key: str
    balance: Decimal


class BudgetSet(Event, frozen=True, array_like=True, gc=False):
    """The most credit that the account, or one user, is to spend in a calendar month of the account's zone."""

    user: str  # pseudonym; empty: the whole account
    amount: Decimal
    hard: bool
    spent: tuple[tuple[int, Decimal], ...]  # by month (year * 100 + month) before this event


class BudgetRemoved(Event, frozen=True, array_like=True, gc=False):
    """No budget any more."""

    user: str


class LowBalanceSet(Event, frozen=True, array_like=True, gc=False):
    """Below what a notice `balance.low` is given; None: never."""

    threshold: Decimal | None


EVENTS: Final[tuple[type[Event], ...]] = (
    StandingRechargeConfigured,
    RechargeCapped,
    RechargeSuspended,
    RechargeResumed,
    PaymentMethodAdded,
    PaymentMethodUpdated,
    PaymentMethodDefaulted,
    PaymentMethodRemoved,
    CustomerCreated,
    PurchaseRequested,
    PaymentCreated,
    PaymentTried,
    PaymentDeclined,
    PaymentActionRequired,
    PaymentProcessing,
    PaymentCancelled,
    RefundRequested,
    RefundSent,
    RefundSucceeded,
    RefundFailed,
    DisputeOpened,
    DisputeClosed,
    LotExpired,
    UsageReversed,
    BudgetSet,
    BudgetRemoved,
    LowBalanceSet,
)
