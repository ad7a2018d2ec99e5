"""What a call costs by its rate: exact whole numbers inside, rounded once.

A slot begins at its second of the call and bills what lies in it by its own increment; the increment that has begun
counts whole, and the next slot starts where the billed time of the one before it ends. The charge is the connection fee
and, per slot, the price of a minute times the billed minutes; the sum is rounded by the deck's rule.
"""

from collections.abc import Iterable
from decimal import Decimal
from typing import Final

import msgspec

from domain.events import BilledSlot
from domain.money import ZERO, round_ratio, to_decimal
from domain.rates import Terms, places

_POWERS: Final = tuple(10**n for n in range(32))


class Charge(msgspec.Struct, frozen=True, gc=False):
    """A charge at the decimals it was rounded to, and what it is made of."""

    amount: Decimal
    connection_fee: Decimal  # 0 where it was not charged
    slots: tuple[BilledSlot, ...]
    billed_seconds: int


def price(
    rate: Terms, decimals: int, rounding: str, duration_seconds: int, from_second: int = 0, with_fee: bool = True
) -> Charge:
    """The charge for the call's seconds from `from_second` on (those before it were paid by a pool).

    Rating begins at `from_second`, in the slot in force there, and increments are counted from there. Nothing is billed
    when `from_second` is the end of the call or later. The caller decides whether the connection fee is due.
    """
    begun = from_second
    total = rate.fee_units * 60 if with_fee else 0
    billed_slots: list[BilledSlot] = []
    for until, units, increment, rate_per_minute in rate.minutes:
        seconds = (until if until < duration_seconds else duration_seconds) - begun
        if seconds > 0:
            billed = -(-seconds // increment) * increment
            billed_slots.append(BilledSlot(begun, rate_per_minute, increment, billed))
            total += units * billed
            begun += billed
    whole = round_ratio(total * _POWERS[decimals], 60 * _POWERS[rate.exponent], rounding)
    fee = rate.connection_fee if with_fee else ZERO
    return Charge(to_decimal(whole, decimals), fee, tuple(billed_slots), begun - from_second)


def recompute(connection_fee: Decimal, slots: Iterable[BilledSlot], decimals: int, rounding: str) -> Decimal:
    """The amount from a proof alone: connection fee + sum of rate per minute * billed seconds / 60, rounded once."""
    billed = [(slot.rate_per_minute, slot.billed_seconds) for slot in slots]
    exponent = max(places(amount) for amount in (connection_fee, *(rate for rate, _ in billed)))
    total = int(connection_fee.scaleb(exponent)) * 60
    total += sum(int(rate.scaleb(exponent)) * seconds for rate, seconds in billed)
    return to_decimal(round_ratio(total * 10**decimals, 60 * 10**exponent, rounding), decimals)
