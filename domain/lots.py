"""Lots: credit bought or granted, consumed first in, first out, with an end.

A lot pays usage that started no later than its expiry. What no lot pays is debt; the next funds cover debt first.
"""

from collections.abc import Iterable, Sequence
from decimal import Decimal

import msgspec

from domain.events import LotDraw
from domain.money import ZERO

NEVER = 1 << 62


class Lot(msgspec.Struct, array_like=True):
    """One purchase or grant. `version` (of its event in the stream) breaks ties of `purchased_at`."""

    id: str
    kind: str  # purchased, granted
    purchased_at: int
    expires_at: int
    amount: Decimal
    remaining: Decimal
    version: int
    provider: str = ""  # who took the money for it
    payment_id: str = ""
    held: bool = False  # for a dispute: it pays nothing
    refunded: Decimal = ZERO  # went back, by refunds and lost disputes

    @property
    def room(self) -> Decimal:
        """What of it was spent: the most that can come back to it."""
        return self.amount - self.refunded - self.remaining

    @property
    def order(self) -> tuple[int, int]:
        """First in, first out: by purchase, then by position."""
        return (self.purchased_at, self.version)


def draw(lots: Sequence[Lot], amount: Decimal, started_at: int) -> tuple[tuple[LotDraw, ...], Decimal]:
    """What each lot (given in order) pays of an amount of usage that started then, and the rest, which is debt."""
    if not amount:
        return (), amount
    if lots and (first := lots[0]).remaining >= amount and first.expires_at >= started_at:
        return (LotDraw(first.id, amount),), amount - amount  # 0 at the account's scale
    draws: list[LotDraw] = []
    for lot in lots:
        if not amount:
            break
        if lot.expires_at < started_at:
            continue
        paid = lot.remaining if lot.remaining < amount else amount
        draws.append(LotDraw(lot.id, paid))
        amount -= paid
    return tuple(draws), amount


def expired(lots: Iterable[Lot], now: int) -> Decimal:
    """What is left in lots that pay nothing that starts now."""
    return sum((lot.remaining for lot in lots if lot.expires_at < now), ZERO)
