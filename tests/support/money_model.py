"""The account's money a second time, with no line of ours: a queue of lots, a debt, what is on its way, one machine.

It hears the facts of an event (who brought how much, what a call cost) and computes everything else by itself: what
each lot pays, what is debt, whether a recharge was due, capped or too frequent, in which state auto-recharge is. Where
the event says otherwise an assertion fails.
"""

# ruff: noqa: N802 - a listener has the name of its event
from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from typing import Any, Final

HOUR: Final = 3_600_000_000
GRACE: Final = 72 * HOUR
PER_HOUR: Final = 5
PAUSES: Final = (1, 6, 24, 72)  # hours
ASKED, DECLINED = ("trying", "processing"), "declined"


def month_of(at: int) -> str:
    """In UTC."""
    return f"{datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=at):%Y-%m}"


@dataclass
class Queued:
    """A lot in the queue."""

    bought: int
    turn: int
    expires: int
    amount: Fraction
    left: Fraction
    payment: str
    went_back: Fraction = Fraction(0)


@dataclass
class OnItsWay:
    """A payment of a recharge or a purchase; `state` as we were told last."""

    amount: Fraction
    purchase: bool
    state: str = "new"
    declines: int = 0
    tried_at: int = 0
    card: str = ""  # of the last try
    present: bool = False
    ending: bool = False  # it is to be cancelled


@dataclass
class Money:
    """One account. The settings of auto-recharge are None where it is off."""

    turn: int = 1
    debt: Fraction = Fraction(0)
    lots: dict[str, Queued] = field(default_factory=dict)
    payments: dict[str, OnItsWay] = field(default_factory=dict)
    over: set[str] = field(default_factory=set)  # recharges and purchases that ended
    paid: dict[str, Fraction] = field(default_factory=dict)  # by a provider, once each
    refunds: dict[str, tuple[str, Fraction, str]] = field(default_factory=dict)  # lot, amount, state
    disputes: dict[str, tuple[str, Fraction, bool]] = field(default_factory=dict)  # lot, amount, whether open
    cards: list[str] = field(default_factory=list)  # the first is the default
    level: Any = None  # amount, below, to, cap
    cap: Fraction | None = None
    every: bool = False
    suspended: bool = False
    open: str = ""
    kind: str = ""
    triggers: list[int] = field(default_factory=list)
    charged: dict[str, Fraction] = field(default_factory=dict)  # by recharges, a month
    said: tuple[str, Fraction | None] = ("", None)  # month and cap of the last RechargeCapped
    spent: dict[tuple[str, str], Fraction] = field(default_factory=dict)  # user and month, "": all

    @property
    def balance(self) -> Fraction:
        return sum((lot.left for lot in self.lots.values()), Fraction(0)) - self.debt

    def held(self, lot: str) -> bool:
        return any(disputed == lot and is_open for disputed, _, is_open in self.disputes.values())

    def spendable(self, now: int) -> Fraction:
        pays = (lot.left for name, lot in self.lots.items() if lot.expires >= now and not self.held(name))
        return sum(pays, Fraction(0)) - self.debt

    @property
    def state(self) -> str:
        """Of auto-recharge."""
        if self.level is None and not self.every:
            return "off"
        if self.suspended:
            return "suspended"
        payment = self.payments.get(self.open)
        if payment is None or payment.ending:
            return "armed"
        return {"new": "triggered", "created": "triggered", "asked": "action_required", DECLINED: "retrying"}.get(
            payment.state, "charging"
        )

    def hear(self, event: Any) -> None:
        """An event of the account, in order."""
        self.turn += 1
        if (listener := getattr(self, "_" + type(event).__name__, None)) is not None:
            listener(event)

    def _FundsAdded(self, event: Any) -> None:
        amount = Fraction(event.amount)
        covered = min(self.debt, amount)
        assert Fraction(event.debt_covered) == covered
        self.debt -= covered
        self.lots[event.lot] = Queued(
            event.occurred_at, self.turn, event.expires_at, amount, amount - covered, event.payment_id
        )
        of = event.recharge_id or event.purchase_id
        if event.payment_id:
            assert of not in self.paid
            assert self.payments[of].amount == amount
            self.paid[of] = amount
        if event.recharge_id:
            month = month_of(event.recorded_at)
            self.charged[month] = self.charged.get(month, Fraction(0)) + amount
        if of:
            self._end(of)

    def _end(self, of: str) -> None:
        del self.payments[of]
        self.over.add(of)
        if self.open == of:
            self.open = self.kind = ""

    def _UsageDebited(self, event: Any) -> None:
        amount, draws = Fraction(event.amount), []
        for name, lot in sorted(self.lots.items(), key=lambda item: (item[1].bought, item[1].turn)):
            if lot.left and amount and lot.expires >= event.started_at and not self.held(name):
                paid = min(lot.left, amount)
                lot.left -= paid
                amount -= paid
                draws.append((name, paid))
        self.debt += amount
        assert [(draw.lot, Fraction(draw.amount)) for draw in event.proof.lots] == draws
        assert Fraction(event.proof.debt) == amount
        self._spend(event.user, event.started_at, Fraction(event.amount))

    def _spend(self, user: str, at: int, amount: Fraction) -> None:
        for whom in {user, ""}:
            key = whom, month_of(at)
            self.spent[key] = self.spent.get(key, Fraction(0)) + amount

    def _UsageReversed(self, event: Any) -> None:
        reduced = min(self.debt, Fraction(event.amount))
        assert Fraction(event.debt_reduced) == reduced
        self.debt -= reduced
        for part in event.lots:
            amount = Fraction(part.amount)
            reduced += amount
            if part.new:
                at = event.recorded_at
                self.lots[part.lot] = Queued(at, self.turn, at + 30 * 24 * HOUR, amount, amount, "")
            else:
                lot = self.lots[part.lot]
                lot.left += amount
                assert lot.expires >= event.recorded_at
                assert lot.left + lot.went_back <= lot.amount
        assert reduced == Fraction(event.amount)
        self._spend(event.user, event.started_at, -Fraction(event.amount))

    def _LotExpired(self, event: Any) -> None:
        lot = self.lots[event.lot]
        assert event.recorded_at > lot.expires + GRACE
        assert not self.held(event.lot)
        assert Fraction(event.amount) == lot.left
        lot.left = Fraction(0)

    def _RechargeConfigured(self, event: Any) -> None:
        self.level = (event.amount, event.below, event.to) if event.enabled else None
        self.cap = None if event.monthly_cap is None else Fraction(event.monthly_cap)
        if not event.enabled and self.kind != "standing":
            self._stop()

    def _StandingRechargeConfigured(self, event: Any) -> None:
        self.every = event.enabled
        if not event.enabled and self.kind == "standing":
            self._stop()
        if not event.enabled and self.level is None:
            self.suspended = False

    def _stop(self) -> None:
        """The open recharge is not wanted any more."""
        payment = self.payments.get(self.open)
        if payment is not None and payment.state == "new":
            self._end(self.open)
        elif payment is not None:
            payment.ending = True
        if self.level is None and not self.every:
            self.suspended = False

    def _AutoRechargeTriggered(self, event: Any) -> None:
        assert self.state == "armed"
        assert not self.open
        assert event.recharge_id not in self.over
        at, amount = event.recorded_at, Fraction(event.amount)
        if event.kind == "level":
            assert amount == self._due(at)
            assert len(self._recent(at)) < PER_HOUR
        assert self._room(at) is None or amount <= self._room(at)
        self.open, self.kind, self.triggers = event.recharge_id, event.kind, [*self._recent(at), at]
        self.payments[self.open] = OnItsWay(amount, False)

    def _due(self, at: int) -> Fraction | None:
        """What a recharge by level would bring; None: the level is reached."""
        amount, below, to = self.level
        spendable = self.spendable(at)
        if spendable >= below:
            return None
        return Fraction(amount) if to is None else max(Fraction(-((spendable - Fraction(to)) // 1)), Fraction(50))

    def _recent(self, at: int) -> list[int]:
        return [then for then in self.triggers if at - then < HOUR]

    def _room(self, at: int) -> Any:
        return None if self.cap is None else self.cap - self.charged.get(month_of(at), Fraction(0))

    def nothing_is_overlooked(self, at: int) -> None:
        """After every event: armed with nothing open means that the level is reached, or capped, and that was said."""
        if self.state != "armed" or self.open or self.level is None:
            return
        due = self._due(at)
        if due is not None:
            assert self.cap is not None
            assert due > self._room(at)
            assert self.said == (month_of(at), self.cap)

    def _RechargeCapped(self, event: Any) -> None:
        at = event.recorded_at
        assert self.state == "armed"
        assert Fraction(event.amount) > self._room(at)
        assert self.said != (month_of(at), self.cap)
        self.said = month_of(at), self.cap

    def _RechargeSuspended(self, event: Any) -> None:
        if event.cause == "too_frequent":
            assert len(self._recent(event.recorded_at)) >= PER_HOUR
        self.suspended = True
        if event.recharge_id:
            self.payments[event.recharge_id].ending = True

    def _RechargeResumed(self, event: Any) -> None:
        self.suspended, self.triggers = False, []

    def _PaymentMethodAdded(self, event: Any) -> None:
        self.cards.append(event.method)
        self._look_at_cards()

    def _PaymentMethodDefaulted(self, event: Any) -> None:
        self.cards.sort(key=lambda card: card != event.method)
        self._look_at_cards()

    def _PaymentMethodRemoved(self, event: Any) -> None:
        self.cards.remove(event.method)

    def _look_at_cards(self) -> None:
        """Who waits for a customer that is away is tried with another card."""
        payment = self.payments.get(self.open)
        if payment is not None and payment.state == "asked" and not payment.present and not payment.ending:
            payment.state = "asked" if payment.card == self.cards[0] else DECLINED

    def _PurchaseRequested(self, event: Any) -> None:
        self.payments[event.purchase_id] = OnItsWay(Fraction(event.amount), True)

    def _PaymentCreated(self, event: Any) -> None:
        assert self.payments[event.of].state == "new"
        self.payments[event.of].state = "created"

    def _PaymentTried(self, event: Any) -> None:
        payment = self.payments[event.of]
        assert not payment.ending
        assert payment.state in ("created", DECLINED, "asked")
        payment.state, payment.tried_at = "trying", event.recorded_at
        payment.card, payment.present = event.method, event.present
        assert event.method in self.cards

    def _PaymentDeclined(self, event: Any) -> None:
        payment = self.payments[event.of]
        assert payment.state in (*ASKED, "asked")
        again = not (event.hard or payment.purchase or payment.ending or payment.declines >= len(PAUSES))
        assert (event.next_try_at is not None) == again
        if again:
            assert event.next_try_at == payment.tried_at + PAUSES[payment.declines] * HOUR
        payment.state = DECLINED
        payment.declines += 1
        payment.ending = payment.ending or payment.purchase

    def _PaymentActionRequired(self, event: Any) -> None:
        self.payments[event.of].state = "asked"

    def _PaymentProcessing(self, event: Any) -> None:
        self.payments[event.of].state = "processing"

    def _PaymentCancelled(self, event: Any) -> None:
        if event.cause == "funded":
            self.payments[event.of].state, self.payments[event.of].ending = "new", False
        else:
            self._end(event.of)

    def _RefundRequested(self, event: Any) -> None:
        lot, amount = self.lots[event.lot], Fraction(event.amount)
        taken = min(lot.left, amount)
        assert Fraction(event.debt) == amount - taken
        self._goes_back(lot, taken, amount)
        self.refunds[event.refund_id] = event.lot, amount, "on its way"

    def _goes_back(self, lot: Queued, taken: Fraction, amount: Fraction) -> None:
        lot.left -= taken
        lot.went_back += amount
        self.debt += amount - taken

    def _RefundSucceeded(self, event: Any) -> None:
        self.refunds[event.refund_id] = (*self.refunds[event.refund_id][:2], "succeeded")

    def _RefundFailed(self, event: Any) -> None:
        name, amount, state = self.refunds[event.refund_id]
        assert state != "failed"
        covered = min(self.debt, amount)
        assert Fraction(event.debt_covered) == covered
        self.debt -= covered
        self.lots[name].left += amount - covered
        self.lots[name].went_back -= amount
        self.refunds[event.refund_id] = name, amount, "failed"

    def _DisputeOpened(self, event: Any) -> None:
        self.disputes[event.dispute_id] = event.lot, Fraction(event.amount), True

    def _DisputeClosed(self, event: Any) -> None:
        name, amount, is_open = self.disputes[event.dispute_id]
        assert is_open
        self.disputes[event.dispute_id] = name, amount, False
        if event.outcome == "lost":
            taken = min(self.lots[name].left, amount)
            assert Fraction(event.debt) == amount - taken
            self._goes_back(self.lots[name], taken, amount)
