"""The parts of the work that time brings: what a process may be told to do alone."""

from typing import Final

from domain.duties import Duty

RECHARGES: Final = "recharges"
PURCHASES: Final = "purchases"  # refunds, too: money that is on its way because somebody asked for it
EXPIRY: Final = "expiry"
PARTS: Final = (RECHARGES, PURCHASES, EXPIRY)
_OF: Final = {"purchase": PURCHASES, "refund": PURCHASES, "expire": EXPIRY}


def part_of(duty: Duty) -> str:
    """An `action_timeout` is a recharge's or a purchase's, as its id says."""
    if duty.kind == "action_timeout" and duty.of.startswith("pur-"):
        return PURCHASES
    return _OF.get(duty.kind, RECHARGES)
