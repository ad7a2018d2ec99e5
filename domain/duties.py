"""What an account waits for, and when: the times at which `work` has something to do, though nobody asks.

Computed from the state alone, so that a read model can keep the next one of every account.
"""

from collections.abc import Iterator
from decimal import Decimal
from typing import NamedTuple

from domain.account import CreditAccount
from domain.expiry import next_booking
from domain.months import next_month
from domain.payment_state import ACTION_REQUIRED, PROCESSING, PURCHASE, RETRYING, TRYING, Payment
from domain.payments import waits_for_money
from domain.recharge import ARMED, POLICY, Policy
from domain.triggers import due_standing, due_trigger, standing_month


class Duty(NamedTuple):
    """Something to do from `due_at` on.

    `kind`: payment (of a recharge: see `payments.step`) | purchase (likewise) | action_timeout (`step` is cancel) |
    refund (requested: ask for it; sent: read it) | level, standing (`triggers.look_again`) | expire (`expiry.expire`).
    `of`: the recharge, purchase or refund.
    """

    kind: str
    of: str
    due_at: int


def duties(account: CreditAccount, policy: Policy = POLICY) -> list[Duty]:
    """All that wait, the earliest first."""
    return sorted(_duties(account, policy), key=lambda duty: duty.due_at)


def next_due(account: CreditAccount, policy: Policy = POLICY) -> int | None:
    """When the next thing is to be done; None: nothing waits."""
    return min((duty.due_at for duty in _duties(account, policy)), default=None)


def _duties(account: CreditAccount, policy: Policy) -> Iterator[Duty]:
    for payment in account.payments.values():
        yield from _of_payment(account, payment)
    for refund in account.refunds.values():
        if refund.state in ("requested", "sent"):
            yield Duty("refund", refund.id, refund.since)
    booking = next_booking(account)
    if booking is not None:
        yield Duty("expire", "", booking)
    if account.recharge.state == ARMED and not account.recharge.recharge_id:
        yield from _of_recharge(account, policy)


def _of_payment(account: CreditAccount, payment: Payment) -> Iterator[Duty]:
    kind = "purchase" if payment.kind == PURCHASE else "payment"
    if payment.cancelling or payment.state in (TRYING, PROCESSING):
        yield Duty(kind, payment.of, payment.since)
    elif payment.state == ACTION_REQUIRED:
        if payment.present:
            yield Duty(kind, payment.of, payment.since)
        yield Duty("action_timeout", payment.of, payment.until)
    elif not waits_for_money(account, payment):
        due_at = payment.next_try_at if payment.state == RETRYING else payment.since
        if due_at is not None:
            yield Duty(kind, payment.of, due_at)


def _of_recharge(account: CreditAccount, policy: Policy) -> Iterator[Duty]:
    recharge, now = account.recharge, account.recorded_at
    if recharge.level:
        times = sorted({_falls_below(account, now, recharge.below), recharge.capped_until, now})
        level = next((at for at in times if at >= now and due_trigger(account, policy, at) is not None), None)
        if level is not None:
            yield Duty("level", recharge.recharge_id, level)
    if recharge.every_day:
        months = account.months
        following = next_month(max(standing_month(account, now, recharge.every_day), recharge.every_done))
        times = sorted({now, recharge.capped_until, months.day(following, recharge.every_day)})
        standing = next((at for at in times if at >= now and due_standing(account, policy, at) is not None), None)
        if standing is not None:
            yield Duty("standing", recharge.recharge_id, standing)


def _falls_below(account: CreditAccount, now: int, below: Decimal) -> int:
    """When `spendable` will be below, as lots expire and nothing else happens; `now` where it never will."""
    left = account.spendable(now)
    for lot in sorted(account.open_lots, key=lambda lot: lot.expires_at):
        if lot.expires_at >= now:
            left -= lot.remaining
            if left < below:
                return lot.expires_at + 1
    return now
