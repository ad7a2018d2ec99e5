"""Auto-recharge: the policy and where it stands.

A level, not an edge: after every event of the account, an armed recharge is triggered when `spendable` is strictly
below the trigger. At most one recharge is open; it ends by money (`FundsAdded` with its id) or by switching off.
"""

from decimal import Decimal
from typing import Final

import msgspec

from domain.money import ZERO

OFF: Final = "off"
ARMED: Final = "armed"
TRIGGERED: Final = "triggered"


class Recharge(msgspec.Struct, array_like=True):
    """The settings and the state; `recharge_id` names the open recharge, `reason` why it is not armed."""

    state: str = OFF
    amount: Decimal = ZERO
    below: Decimal = ZERO
    recharge_id: str = ""
    reason: str = ""

    def configure(self, enabled: bool, amount: Decimal, below: Decimal) -> None:
        """New settings; an open recharge stays open under them, unless it is switched off."""
        if not enabled:
            self.state, self.recharge_id = OFF, ""
        elif self.state == OFF:
            self.state = ARMED
        self.amount, self.below = amount, below
        if self.state != TRIGGERED:
            self.reason = ""

    def trigger(self, recharge_id: str) -> None:
        """One recharge is open now."""
        self.state, self.recharge_id, self.reason = TRIGGERED, recharge_id, "awaiting_funds"

    def settle(self) -> None:
        """Money came for the open recharge."""
        self.state, self.recharge_id, self.reason = ARMED, "", ""
