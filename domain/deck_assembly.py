"""The rates of one deck version, from the rows of a file: prices that contradict each other, dates, amendments.

Two rows of one direction, prefix and origin contradict each other where both hold at one instant and the price
differs. Rows without an end are no contradiction when they begin at different times: the later one takes over. Nothing
is decided silently: a contradiction is reported with both lines, and what it concerns is blocked as `ambiguous`.
"""

from collections.abc import Iterable, Iterator, Mapping
from itertools import chain
from typing import Final

import msgspec

from domain.errors import Refused
from domain.rates import UNDECIDED, Rate

MAX_RATES: Final = 2_000_000
REPORTED: Final = 1_000
MAX_REASON: Final = 400  # characters: it may repeat a cell of any length

_Side = tuple[str, str | None]  # direction and origin


class BadRow(msgspec.Struct, frozen=True, gc=False):
    """A row of a file that gives no rate; `other_line` is the row it contradicts. Lines count from 1."""

    line: int
    other_line: int | None
    column: str
    reason: str


class _Row(msgspec.Struct, gc=False):
    line: int
    rate: Rate


class Assembly:
    """Collects a file's rows; `finish` gives the version's rates in canonical order."""

    def __init__(self, starts_at: int | None) -> None:
        self.starts_at = starts_at
        self.bad: list[BadRow] = []  # the first 1,000
        self.bad_total = 0
        # by prefix mostly one row; where there are more they are told apart by when they begin
        self._rows: dict[_Side, dict[str, _Row | dict[int | None, _Row]]] = {}
        self._count = 0
        self._line = 0  # the last that contradicted others
        self._others: dict[int, int] = {}  # those others, and in how many of its rates
        self._times: dict[tuple[int, int | None], int] = {}  # the same of the lines in `bad`

    def report(self, row: BadRow) -> None:
        """A row that gives no rate."""
        self.bad_total += 1
        if len(self.bad) < REPORTED:
            short = row.reason if len(row.reason) <= MAX_REASON else f"{row.reason[:MAX_REASON]}…"
            self.bad.append(msgspec.structs.replace(row, reason=short))

    def add(self, line: int, rate: Rate) -> None:
        """A rate that a row gives. The same rate once more changes nothing."""
        side = (rate.direction, rate.origin)
        rows = self._rows.get(side)
        if rows is None:
            rows = self._rows[side] = {}
        known = rows.setdefault(rate.prefix, row := _Row(line, rate))
        if known is row:
            self._count += 1
            if self._count > MAX_RATES:
                raise Refused("deck_too_large", f"a deck has at most {MAX_RATES:,} rates", "file")
            return
        if isinstance(known, _Row):
            if known.rate.effective_from == rate.effective_from:
                known.rate = self._merged(known, row)
                return
            known = rows[rate.prefix] = {known.rate.effective_from: known}
        same_start = known.setdefault(rate.effective_from, row)
        if same_start is not row:
            same_start.rate = self._merged(same_start, row)

    def finish(self, previous: Iterable[Rate] = ()) -> list[Rate]:
        """All rates of the version: the file's, and those of the amended version whose key is not in the file."""
        rates: list[Rate] = []
        for rows in chain.from_iterable(side.values() for side in self._rows.values()):
            if isinstance(rows, _Row):
                rates.append(rows.rate)
            else:
                rates.extend(self._in_turn(rows))
        kept = (rate for rate in previous if rate.prefix not in self._rows.get((rate.direction, rate.origin), ()))
        self.bad = sorted(map(self._with_count, self.bad), key=lambda bad: (bad.line, bad.other_line or 0))
        return sorted(self._from_start(chain(rates, kept)), key=Rate.order)

    def _merged(self, first: _Row, other: _Row) -> Rate:
        if not first.rate.terms.same_price(other.rate.terms):
            return self._undecided(first, other)
        return _until(first.rate, _later(first.rate.effective_to, other.rate.effective_to))

    def _undecided(self, first: _Row, other: _Row) -> Rate:
        rate = first.rate
        if other.line != self._line:  # a row of many prefixes contradicts another one once
            self._line, self._others = other.line, {}
        times = self._others[first.line] = self._others.get(first.line, 0) + 1
        if times == 1:
            self.report(BadRow(other.line, first.line, "rate", f"{_named(rate)} has another price there"))
        elif self.bad_total <= REPORTED:
            self._times[other.line, first.line] = times
        end = _later(rate.effective_to, other.rate.effective_to)
        return msgspec.structs.replace(rate, effective_to=end, terms=UNDECIDED)

    def _in_turn(self, rows: Mapping[int | None, _Row]) -> Iterator[Rate]:
        """The rows of one key, one after the other in time."""
        ordered = sorted(rows.values(), key=self._begins)
        current = ordered[0]
        for row in ordered[1:]:
            start, end = self._begins(row), current.rate.effective_to
            if end is not None and end <= start:
                yield current.rate
                current = row
            elif current.rate.terms.same_price(row.rate.terms):
                current.rate = _until(current.rate, _later(end, row.rate.effective_to))
            elif self._takes_over(current, row):
                yield _until(current.rate, start)
                current = row
            else:
                current.rate = self._undecided(current, row)
        yield current.rate

    def _takes_over(self, current: _Row, later: _Row) -> bool:
        """Both have no end, and the later one says that it begins later."""
        if current.rate.effective_to is not None or later.rate.effective_to is not None:
            return False
        return later.rate.effective_from is not None and self._begins(later) > self._begins(current)

    def _begins(self, row: _Row) -> int:
        at = row.rate.effective_from
        if at is None:
            at = self.starts_at
        return -(1 << 63) if at is None else at

    def _from_start(self, rates: Iterable[Rate]) -> Iterator[Rate]:
        """Dates narrow the version's time: what ended before it is left out, what began before it begins with it."""
        start = self.starts_at
        for rate in rates:
            if start is None or (rate.effective_from is None and rate.effective_to is None):
                yield rate
            elif rate.effective_to is None or rate.effective_to > start:
                began = rate.effective_from is not None and rate.effective_from <= start
                yield msgspec.structs.replace(rate, effective_from=None) if began else rate

    def _with_count(self, bad: BadRow) -> BadRow:
        more = self._times.get((bad.line, bad.other_line), 1) - 1
        return msgspec.structs.replace(bad, reason=f"{bad.reason}, and so have {more} more") if more > 0 else bad


def _until(rate: Rate, end: int | None) -> Rate:
    return rate if rate.effective_to == end else msgspec.structs.replace(rate, effective_to=end)


def _later(one: int | None, other: int | None) -> int | None:
    return None if one is None or other is None else max(one, other)


def _named(rate: Rate) -> str:
    origin = f" from {rate.origin}" if rate.origin else ""
    return f"{rate.prefix or 'the empty prefix'}{origin} ({rate.direction})"
