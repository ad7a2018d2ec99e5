"""What a rate deck is made of: slots, terms, rates, and the versions of a deck.

A `Rate` says for which numbers it holds (destination prefix, optionally the caller's prefix, direction, dates) and at
which `Terms`. Thousands of prefixes share a few terms, so terms are shared objects with their exact whole numbers ready
for `rating.price`.
"""

from collections.abc import Iterable, Sequence
from decimal import Decimal
from itertools import pairwise
from typing import Final

import msgspec

from domain.money import ZERO

OUT: Final = "out"
IN: Final = "in"
WITHDRAWN: Final = "withdrawn"
AMBIGUOUS: Final = "ambiguous"

NO_RATE: Final = "no_rate"
AMBIGUOUS_RATE: Final = "ambiguous_rate"
_REFUSALS: Final = {None: None, WITHDRAWN: NO_RATE, AMBIGUOUS: AMBIGUOUS_RATE}

MAX_PREFIX_DIGITS: Final = 15  # E.164
MAX_SECONDS: Final = 2_678_400  # the longest usage
NO_END: Final = 1 << 62  # of the last slot
END_OF_CALENDAR: Final = 221_845_392_000_000_000  # 9000-01-01


class BadRate(ValueError):
    """A rate that cannot be: `column` is the field (or the source's own column), `reason` a sentence for a person."""

    def __init__(self, column: str, reason: str) -> None:
        super().__init__(f"{column}: {reason}" if column else reason)
        self.column, self.reason = column, reason


class Slot(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """From that second of the call on: the price of a minute, and in which steps it is billed."""

    from_second: int
    rate_per_minute: Decimal
    increment_seconds: int


class Terms:
    """What a call costs: connection fee and slots. `refusal` is the reason code where the rate is blocked, else None.

    `minutes` are the slots as they are billed: (the second where the next begins, price of a minute in units of
    10^-`exponent`, increment, rate per minute); `fee_units` likewise.
    Slots of one price and increment that follow each other are one slot: it bills the same.
    """

    __slots__ = ("blocked", "connection_fee", "exponent", "fee_units", "minutes", "refusal", "slots")

    def __init__(self, connection_fee: Decimal, slots: Iterable[Slot], blocked: str | None = None) -> None:
        self.blocked = blocked
        self.refusal = _REFUSALS[blocked]
        self.connection_fee = plain(connection_fee)
        self.slots = _joined(slots)
        self.exponent = max(places(p) for p in (self.connection_fee, *(s.rate_per_minute for s in self.slots)))
        self.fee_units = int(self.connection_fee.scaleb(self.exponent))
        ends = (*(s.from_second for s in self.slots[1:]), NO_END)
        self.minutes = tuple(
            (until, int(s.rate_per_minute.scaleb(self.exponent)), s.increment_seconds, s.rate_per_minute)
            for until, s in zip(ends, self.slots, strict=False)  # blocked: no slot at all
        )

    def same_price(self, other: "Terms") -> bool:
        """Whether a call costs the same by both, whatever it is. What is blocked has no price."""
        if self is other:
            return True
        if self.blocked or other.blocked:
            return self.blocked == other.blocked
        return self.slots == other.slots and self.connection_fee == other.connection_fee


class Rate(msgspec.Struct, frozen=True, gc=False):
    """One line of a deck. Times are microseconds, `effective_to` is the first instant at which it no longer holds."""

    prefix: str  # digits; empty: every number
    origin: str | None  # the caller's prefix; None: every caller
    direction: str  # out, in
    name: str
    effective_from: int | None  # None: from the version's start
    effective_to: int | None
    terms: Terms

    def order(self) -> tuple[str, str, str, int]:
        """Where it stands in a deck's canonical form."""
        at = self.effective_from
        return self.direction, self.prefix, self.origin or "", -(1 << 63) if at is None else at


class DeckVersion(msgspec.Struct, frozen=True):
    """One import of a deck. `sha256` is that of its canonical NDJSON."""

    deck: str
    version: int
    currency: str
    decimals: int
    rounding: str
    starts_at: int | None  # None: covers all the past
    sha256: str
    rates: int


def places(amount: Decimal) -> int:
    """How many digits stand after the point."""
    exponent = amount.as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0


def plain(amount: Decimal) -> Decimal:
    """The same amount without trailing zeros and without an exponent."""
    bare = amount.normalize()
    return bare if places(bare) else bare.quantize(Decimal(1))


def plain_name(text: str) -> str:
    """A destination's name on one line: runs of spaces and control characters become one space."""
    if text.isprintable() and "  " not in text:
        return text.strip()
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


def check_slots(slots: Sequence[Slot], blocked: str | None) -> None:
    """Raises BadRate where a call could not be billed by them. A blocked rate needs none."""
    if not slots and blocked:
        return
    if not slots or slots[0].from_second != 0:
        raise BadRate("slots", "the first slot begins at second 0")
    for slot in slots:
        if not 1 <= slot.increment_seconds <= MAX_SECONDS:
            raise BadRate("increment", f"an increment of {slot.increment_seconds} seconds; write 1 to {MAX_SECONDS}")
    starts = [slot.from_second for slot in slots]
    if any(later <= earlier for earlier, later in pairwise(starts)) or starts[-1] > MAX_SECONDS:
        raise BadRate("slots", "each slot begins after the one before it")


def check_dates(effective_from: int | None, effective_to: int | None) -> None:
    """Raises BadRate where it would hold at no time, or outside the calendar of telephony."""
    for column, at in (("effective from", effective_from), ("effective to", effective_to)):
        if at is not None and not 0 <= at < END_OF_CALENDAR:
            raise BadRate(column, "write a year from 1970 to 8999")
    if effective_from is not None and effective_to is not None and effective_to <= effective_from:
        raise BadRate("effective to", "it ends before it begins")


def is_prefix(text: str) -> bool:
    """Whether the text is digits that a number can begin with (or empty)."""
    return not text or (text.isdecimal() and text.isascii() and len(text) <= MAX_PREFIX_DIGITS)


def _joined(slots: Iterable[Slot]) -> tuple[Slot, ...]:
    joined: list[Slot] = []
    for slot in slots:
        last = joined[-1] if joined else None
        if last and (last.rate_per_minute, last.increment_seconds) == (slot.rate_per_minute, slot.increment_seconds):
            continue
        joined.append(Slot(slot.from_second, plain(slot.rate_per_minute), slot.increment_seconds))
    return tuple(joined)


UNDECIDED: Final = Terms(ZERO, (), AMBIGUOUS)
