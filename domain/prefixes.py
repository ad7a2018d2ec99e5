"""One direction of one deck version, compiled: which rates stand at a prefix, longest prefix first, without a scan.

One dictionary holds all prefixes; per beginning of three digits it is known which lengths occur, so a look-up tries
few. Most prefixes have plain `Terms`; where the caller's number or the date matters there is an `Origins` or a
`Windows`. Equal ones are one object: a row of thousands of prefixes and dozens of origins stays small.
"""

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from sys import intern
from typing import Final

from domain.rates import Rate, Terms

ALWAYS: Final = -(1 << 63)
NEVER: Final = (1 << 63) - 1
HEAD: Final = 3
_REMEMBERED: Final = 10_000  # beginnings of masked numbers


class Windows:
    """Rates of one prefix and origin that hold at some times only: (from, to, terms), oldest first."""

    __slots__ = ("first", "spans")

    def __init__(self, spans: tuple[tuple[int, int, Terms], ...]) -> None:
        self.spans = spans
        self.first = spans[0][0]

    def at(self, at: int) -> Terms | None:
        """The terms in force at an instant."""
        return next((terms for start, end, terms in self.spans if start <= at < end), None)


Item = Terms | Windows


class Origins:
    """Rates of one prefix by the caller's prefix; the empty one holds for every caller."""

    __slots__ = ("items", "lengths", "undated")

    def __init__(self, items: dict[str, Item]) -> None:
        self.items = items
        self.lengths = tuple(sorted({len(origin) for origin in items}, reverse=True))
        undated = {origin: item for origin, item in items.items() if isinstance(item, Terms)}
        self.undated = undated if len(undated) == len(items) else None  # None: dates matter

    def matching(self, digits: str) -> Iterator[tuple[str, Item]]:
        """What holds for a caller, longest origin first. No digits: only what holds for every caller."""
        for length in self.lengths:
            if length <= len(digits) and (item := self.items.get(digits[:length])) is not None:
                yield digits[:length], item


Entry = Terms | Windows | Origins


class PrefixTable:
    """Compiled rates of one direction."""

    __slots__ = ("_beyond", "_sorted", "entries", "lengths", "short")

    def __init__(self, rates: Iterable[Rate]) -> None:
        self.entries = _entries(rates)
        present = {len(prefix) for prefix in self.entries}
        self.short = tuple(sorted((n for n in present if n < HEAD), reverse=True))
        self.lengths = _lengths(self.entries, self.short)
        self._sorted: list[str] | None = None
        self._beyond: dict[str, Sequence[tuple[str, Entry]]] = {}

    def lengths_for(self, digits: str) -> tuple[int, ...]:
        """The lengths of prefixes that a number with these digits may have, longest first."""
        return self.lengths.get(digits[:HEAD], self.short)

    def exact(self, prefix: str, origin: str) -> Item | None:
        """What stands at that prefix and origin themselves."""
        entry = self.entries.get(prefix)
        if isinstance(entry, Origins):
            return entry.items.get(origin)
        return entry if origin == "" else None

    def beyond(self, digits: str) -> Sequence[tuple[str, Entry]]:
        """Longer prefixes that begin with these digits, one for each that may be rated otherwise."""
        if self._sorted is None:
            self._sorted = sorted(self.entries)
        low, high = bisect_left(self._sorted, digits + "0"), bisect_left(self._sorted, digits + ":")
        if low == high:
            return ()
        known = self._beyond.get(digits)
        if known is None:
            known = self._differing(self._sorted[low:high])
            if len(self._beyond) >= _REMEMBERED:
                self._beyond.clear()
            self._beyond[digits] = known
        return known

    def _differing(self, prefixes: Iterable[str]) -> Sequence[tuple[str, Entry]]:
        found: dict[object, tuple[str, Entry]] = {}
        for prefix in prefixes:
            entry = self.entries[prefix]
            # what a date leaves open may be answered by an earlier version, which looks at the prefix itself
            dated = isinstance(entry, Windows) or (isinstance(entry, Origins) and entry.undated is None)
            found.setdefault(prefix if dated else id(entry), (prefix, entry))
        return tuple(found.values())


def _entries(rates: Iterable[Rate]) -> dict[str, Entry]:
    entries: dict[str, Entry] = {}
    mixed: dict[str, list[Rate]] = {}
    for rate in rates:
        if rate.origin is None and rate.effective_from is None and rate.effective_to is None:
            entries[intern(rate.prefix)] = rate.terms
        else:
            mixed.setdefault(rate.prefix, []).append(rate)
    windows: dict[object, Windows] = {}
    origins: dict[object, Origins] = {}
    for prefix, dated in mixed.items():
        items = _items(dated, windows)
        if isinstance(always := entries.get(prefix), Terms):
            items[""] = always
        if items.keys() == {""}:
            entries[intern(prefix)] = items[""]
        else:
            same = tuple((origin, id(item)) for origin, item in items.items())
            entries[intern(prefix)] = origins.setdefault(same, Origins(items))
    return entries


def _items(rates: Iterable[Rate], windows: dict[object, Windows]) -> dict[str, Item]:
    by_origin: dict[str, list[tuple[int, int, Terms]]] = {}
    items: dict[str, Item] = {}
    for rate in rates:
        origin = rate.origin or ""
        start, end = rate.effective_from, rate.effective_to
        if start is None and end is None:
            items[origin] = rate.terms
        else:
            span = (ALWAYS if start is None else start, NEVER if end is None else end, rate.terms)
            by_origin.setdefault(origin, []).append(span)
    for origin, spans in by_origin.items():
        same = tuple((start, end, id(terms)) for start, end, terms in spans)
        items[origin] = windows.setdefault(same, Windows(tuple(spans)))
    return items


def _lengths(entries: Mapping[str, Entry], short: tuple[int, ...]) -> dict[str, tuple[int, ...]]:
    by_head: dict[str, int] = {}  # a set of lengths as bits
    for prefix in entries:
        if len(prefix) >= HEAD:
            head = prefix[:HEAD]
            by_head[head] = by_head.get(head, 0) | 1 << len(prefix)
    shared: dict[tuple[int, ...], tuple[int, ...]] = {}
    lengths = {}
    for head, bits in by_head.items():
        long = (n for n in range(bits.bit_length() - 1, HEAD - 1, -1) if bits >> n & 1)
        both = (*long, *(n for n in short if head[:n] in entries))
        lengths[head] = shared.setdefault(both, both)
    return lengths
