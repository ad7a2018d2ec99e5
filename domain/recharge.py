"""Auto-recharge: the settings, and where its state machine stands.

A level, not an edge: after every event of the account, an armed recharge is triggered when `spendable` is strictly
below the trigger. A standing top-up is triggered on its day of the month. At most one recharge is open, named by
`recharge_id`; it ends by money or by a payment that was read back cancelled. What of it is at a provider is a Payment
(payment_state.py). The steps are in payment_changes.py, the decisions in triggers.py, recharging.py and payments.py.
"""

from decimal import Decimal
from typing import Final, NamedTuple

import msgspec

from domain.money import ZERO
from domain.months import HOUR

OFF: Final = "off"
ARMED: Final = "armed"
TRIGGERED: Final = "triggered"  # nothing is asked of a bank yet; without a card it waits here for money
CHARGING: Final = "charging"  # a try is under way
ACTION_REQUIRED: Final = "action_required"  # the bank asks for the customer
RETRYING: Final = "retrying"  # declined for now
SUSPENDED: Final = "suspended"  # until an admin resumes it
STATES: Final = (OFF, ARMED, TRIGGERED, CHARGING, ACTION_REQUIRED, RETRYING, SUSPENDED)
UNDER_WAY: Final = frozenset((TRIGGERED, CHARGING, ACTION_REQUIRED, RETRYING))

DISPUTE: Final = "dispute"  # why it is suspended: until all that are open are won
DISPUTE_LOST: Final = "dispute_lost"  # whatever comes of the others; shown as `dispute`

LEVEL: Final = "level"
STANDING: Final = "standing"


class Policy(NamedTuple):
    """What an operator sets for all accounts; see the settings of the same names."""

    recharges_per_hour: int = 5
    minimum: Decimal = Decimal(50)  # of a purchase and of a recharge
    retry_schedule: tuple[int, ...] = (3600, 6 * 3600, 24 * 3600, 72 * 3600)  # seconds, each after the try before
    action_timeout_seconds: int = 72 * 3600


POLICY: Final = Policy()


class Recharge(msgspec.Struct, array_like=True):
    """The settings and the state. `recharge_id` names the open recharge, also while it is being cancelled."""

    state: str = OFF
    amount: Decimal = ZERO
    below: Decimal = ZERO
    recharge_id: str = ""
    reason: str = ""  # why it is suspended
    level: bool = False  # whether the trigger is on
    to: Decimal | None = None
    monthly_cap: Decimal | None = None
    method: str = ""
    capped_until: int = 0
    capped_by: Decimal | None = None  # the cap that `capped_until` is said of
    every_amount: Decimal = ZERO
    every_day: int = 0  # 0: there is no standing top-up
    every_done: int = 0  # the month (year * 100 + month) up to which none is due
    kind: str = ""  # of the open recharge: level, standing
    triggered_at: list[int] = []  # of an hour
    charged_month: int = 0
    charged: Decimal = ZERO  # by recharges in that month
    failure: str = ""  # code of the last decline, while it keeps the recharge from its end; as an admin may be told
    message: str = ""

    @property
    def is_on(self) -> bool:
        """Whether the trigger or the standing top-up is on."""
        return self.level or self.every_day > 0

    def rest(self) -> None:
        """Nothing is under way: armed, or off where nothing is on. What is suspended stays it."""
        if not self.is_on:
            self.state, self.reason = OFF, ""
        elif self.state != SUSPENDED:
            self.state = ARMED

    def trigger(self, recharge_id: str, kind: str, month: int, at: int) -> None:
        """One recharge is open now."""
        self.state, self.recharge_id, self.kind = TRIGGERED, recharge_id, kind
        if self.capped_until <= at:  # else the other kind is capped: that was said of this month already
            self.capped_until = 0
        if kind == STANDING:
            self.every_done = month
        self.triggered_at = [*self.recent(at), at]

    def recent(self, at: int) -> list[int]:
        """When it was triggered in the hour before."""
        return [then for then in self.triggered_at if then > at - HOUR]

    def end_by(self, recharge_id: str) -> None:
        """That recharge is over; where it was the open one none is open any more."""
        if self.recharge_id != recharge_id:
            return
        self.recharge_id = self.kind = ""
        if self.state in UNDER_WAY:
            self.state = ARMED
        self.rest()
        if self.state != SUSPENDED:
            self.failure = self.message = ""

    def count(self, month: int, amount: Decimal) -> None:
        """Money that a recharge brought."""
        self.charged = amount + (self.charged if self.charged_month == month else ZERO)
        self.charged_month = month

    def charged_in(self, month: int) -> Decimal:
        """What recharges of both kinds brought in a month, for the cap."""
        return self.charged if self.charged_month == month else ZERO
