"""What must come out, computed a second time: slow, by fractions, straight from the rules, with no line of ours."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from fractions import Fraction
from typing import NamedTuple

Key = tuple[str, str, str]  # prefix, origin ("" = any), direction


@dataclass
class Row:
    """A row of a deck file. `until` is the first instant at which it no longer holds."""

    rate: Fraction
    fee: Fraction
    initial: int
    increment: int
    since: datetime | None = None
    until: datetime | None = None
    withdrawn: bool = False


@dataclass
class Version:
    """A version of the deck; those rows only that did not end before it began."""

    start: datetime | None
    rows: dict[Key, Row]

    def __post_init__(self) -> None:
        start = self.start
        if start is not None:
            self.rows = {key: row for key, row in self.rows.items() if row.until is None or row.until > start}

    def started(self, at: datetime) -> bool:
        return self.start is None or self.start <= at


class Call(NamedTuple):
    """A usage; `area` is the domestic area of its number, `zone_a` whether dial-out minutes reach it."""

    usage_id: str
    call_type: str
    number: str
    caller: str
    toll_free: bool
    at: datetime
    seconds: int
    user: str
    capability: str
    area: str
    zone_a: bool


class Charged(NamedTuple):
    """What credit paid of a call, what is billed later, and the minutes that pools paid."""

    amount: Fraction
    later: Fraction
    minutes: dict[str, int]


@dataclass
class Lot:
    """Credit until its expiry."""

    bought: datetime
    expires: datetime
    remaining: Fraction


@dataclass
class Model:
    """One account, rated by one deck. `pools` are plan -> (minutes a month, user, from); "" = any user."""

    versions: list[Version]
    decimals: int
    rounding: str
    lots: list[Lot]
    pools: dict[str, tuple[int, str, datetime | None]]
    dialout: dict[str, int]
    postpaid: bool = False
    debt: Fraction = Fraction(0)
    later: Fraction = Fraction(0)
    taken_back: Fraction = Fraction(0)
    used: dict[tuple[str, str], int] = field(default_factory=dict)

    def take(self, call: Call) -> Charged | None:
        """The charge, taken from pools, lots and debt, or billed later; None where there is no rate."""
        direction = self._direction(call)
        if not direction:
            return Charged(Fraction(0), Fraction(0), {})
        row = self._find(call, direction)
        if row is None:
            return None
        minutes = self._from_pools(call) if direction == "out" and call.seconds else {}
        amount = self._price(row, call.seconds, 60 * sum(minutes.values()), not minutes and call.seconds > 0)
        later = self._pay(amount, call.at)
        return Charged(amount - later, later, minutes)

    def take_back(self, call: Call, charged: Charged) -> None:
        """As if the call had not been; whose money it was is not asked."""
        self.taken_back += charged.amount
        self.later -= charged.later
        for plan, minutes in charged.minutes.items():
            self.used[plan, f"{call.at:%Y-%m}"] -= minutes

    @property
    def balance(self) -> Fraction:
        return sum((lot.remaining for lot in self.lots), Fraction(0)) - self.debt + self.taken_back

    def _direction(self, call: Call) -> str:
        if call.capability == "FREECALL" or call.call_type.startswith("emergency"):
            return ""
        if call.call_type.endswith("_out"):
            return "out"
        pays = call.toll_free or (call.call_type == "conf_in" and call.capability == "MCOMEETACPEA")
        return "in" if pays else ""

    def _find(self, call: Call, direction: str) -> Row | None:
        index = max(i for i, version in enumerate(self.versions) if version.started(call.at))
        rows = self.versions[index].rows
        if direction == "in" and not any(key[2] == "in" for key in rows):
            direction = "out"
        best: tuple[int, int, Row] | None = None
        for key in rows:
            prefix, origin, side = key
            if side == direction and call.number.startswith(prefix) and call.caller.startswith(origin):
                row = self._in_force(index, key, call.at)
                if row is not None and (best is None or (len(prefix), len(origin)) > best[:2]):
                    best = len(prefix), len(origin), row
        return None if best is None or best[2].withdrawn else best[2]

    def _in_force(self, index: int, key: Key, at: datetime) -> Row | None:
        """The row, or until its own beginning that of the version before."""
        row = self.versions[index].rows.get(key)
        if row is None:
            return None
        start = self.versions[index].start
        begins = None if row.since and start and row.since <= start else row.since
        if begins is None or at >= begins:
            return row if row.until is None or at < row.until else None
        before = [i for i in range(index) if self.versions[i].started(at)]
        return self._in_force(before[-1], key, at) if before else None

    def _from_pools(self, call: Call) -> dict[str, int]:
        month = f"{call.at:%Y-%m}"
        if call.call_type == "conf_out":
            if call.capability == "MCOMEETACPEA" or not call.zone_a:
                return {}
            sizes = self.dialout
        else:
            sizes = {
                plan: size
                for plan, (size, user, since) in self.pools.items()
                if call.area == "US" and user == call.user.lower() and (since is None or call.at >= since)
            }
        taken: dict[str, int] = {}
        for plan, size in sizes.items():
            left = size - self.used.get((plan, month), 0)
            minutes = min(left, -(-call.seconds // 60) - sum(taken.values()))
            if minutes > 0:
                taken[plan] = minutes
                self.used[plan, month] = self.used.get((plan, month), 0) + minutes
        return taken

    def _price(self, row: Row, seconds: int, paid: int, with_fee: bool) -> Fraction:
        total = row.fee if with_fee else Fraction(0)
        second = paid
        while second < seconds:
            step = row.initial if second < row.initial else row.increment
            total += row.rate * step / 60
            second += step
        return self._rounded(total)

    def _rounded(self, amount: Fraction) -> Fraction:
        whole, rest = divmod(amount * 10**self.decimals, 1)
        half = Fraction(1, 2)
        up = {
            "half-up": rest >= half,
            "half-even": rest > half or (rest == half and whole % 2 == 1),
            "up": rest > 0,
            "down": False,
        }
        return Fraction(int(whole) + up[self.rounding], 10**self.decimals)

    def _pay(self, amount: Fraction, at: datetime) -> Fraction:
        """From the lots; what is left is debt, or the answer: what is billed later."""
        for lot in sorted(self.lots, key=lambda lot: lot.bought):
            if lot.expires >= at:
                paid = min(lot.remaining, amount)
                lot.remaining -= paid
                amount -= paid
        if self.postpaid:
            self.later += amount
            return amount
        self.debt += amount
        return Fraction(0)
