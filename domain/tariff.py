"""Which rate holds for a number, a caller, a direction and a time: every version of a deck, compiled for look-up.

Rules, in this order. The version in force at the time: of those that have started, the latest import. Among its rates
those whose origin the caller's number begins with (a rate without origin holds for every caller), then the longest
destination prefix, then the longest origin. Until a rate's own `effective_from` the rate that the version before gave
that prefix and origin stays in force. A blocked rate refuses and is never passed over for a shorter prefix. A version
without any `in` rate rates both directions by `out`. A masked number matches by its visible digits; where what is
hidden could lead to another price the answer is `ambiguous_rate`.
"""

from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain
from typing import Final

import msgspec

from domain.numbers import Number, parse_number
from domain.prefixes import ALWAYS, HEAD, Entry, Item, Origins, PrefixTable, Windows
from domain.rates import AMBIGUOUS_RATE, IN, NO_RATE, OUT, DeckVersion, Rate, Terms

_UNKNOWN: Final = Number("", masked=False)


class Match(msgspec.Struct, frozen=True, gc=False):
    """The rate that holds, never a blocked one; which version says so, and by which prefixes it was found."""

    rate: Terms
    version: DeckVersion
    prefix: str
    origin_prefix: str | None


class _Compiled:
    """One version's tables."""

    __slots__ = ("inward", "outward", "version")

    def __init__(self, version: DeckVersion, rates: Iterable[Rate]) -> None:
        self.version = version
        sides: dict[str, list[Rate]] = {OUT: [], IN: []}
        for rate in rates:
            sides[rate.direction].append(rate)
        self.outward = PrefixTable(sides[OUT])
        self.inward = PrefixTable(sides[IN]) if sides[IN] else self.outward

    def side(self, direction: str) -> PrefixTable:
        return self.inward if direction == IN else self.outward


class Deck:
    """Every version of one deck. `load` gives a version's rates; it is called once for each version that is needed."""

    def __init__(self, versions: Iterable[DeckVersion], load: Callable[[DeckVersion], Iterable[Rate]]) -> None:
        self._load = load
        self._compiled: dict[int, _Compiled] = {}
        self._set(versions)

    def _set(self, versions: Iterable[DeckVersion]) -> None:
        self.versions: Sequence[DeckVersion] = sorted(versions, key=lambda v: v.version)
        self._starts, self._in_force = _timeline(self.versions)

    def add(self, version: DeckVersion) -> None:
        """A later import. What is compiled of the others is kept."""
        self._set((*self.versions, version))

    def with_version(self, version: DeckVersion) -> "Deck":
        """The same with a later import; this one stays as it is. What is compiled is shared."""
        deck = Deck((*self.versions, version), self._load)
        deck._compiled = self._compiled
        return deck

    def is_ready(self, at: int) -> bool:
        """Whether the version in force at an instant is compiled, so that looking up is quick."""
        version = self.version_at(at)
        return version is None or version.version in self._compiled

    def prepare(self, at: int) -> None:
        """Compile the version in force at an instant."""
        version = self.version_at(at)
        if version is not None and version.version not in self._compiled:
            self._compile(version)

    @property
    def newest(self) -> DeckVersion:
        """The latest import."""
        return self.versions[-1]

    def version_at(self, at: int) -> DeckVersion | None:
        """The version in force at an instant; None before the first has started."""
        index = bisect_right(self._starts, at) - 1
        return self._in_force[index] if index >= 0 else None

    def find(self, number: Number, origin: Number | str | None, direction: str, at: int) -> Match | str:
        """The rate in force, or why there is none: NO_RATE or AMBIGUOUS_RATE.

        `number` is the one that is rated, `origin` the caller's (None: unknown; a text is parsed only where a rate asks
        for it), `at` the start of the call.
        """
        starts = self._starts
        version = self._in_force[-1] if starts and at >= starts[-1] else self.version_at(at)
        if version is None:
            return NO_RATE
        compiled = self._compiled.get(version.version) or self._compile(version)
        if number.masked:
            return self._find_masked(compiled, number, _caller(origin), direction, at)
        table = compiled.inward if direction == IN else compiled.outward
        digits = number.digits
        entries = table.entries
        for length in table.lengths.get(digits[:HEAD], table.short):
            prefix = digits[:length]
            entry = entries.get(prefix)
            if entry is None:
                continue
            if isinstance(entry, Terms):
                return entry.refusal or Match(entry, version, prefix, None)
            caller = _caller(origin)
            if caller.masked:
                return self._find_masked(compiled, number, caller, direction, at)
            found = self._first(compiled, direction, prefix, entry, caller, at)
            if found is not None:
                return found
        return NO_RATE

    def _compile(self, version: DeckVersion) -> _Compiled:
        compiled = self._compiled[version.version] = _Compiled(version, self._load(version))
        return compiled

    def _first(
        self, compiled: _Compiled, direction: str, prefix: str, entry: Entry, origin: Number, at: int
    ) -> Match | str | None:
        """What a prefix answers: by the longest origin that has a rate in force, None where no origin has."""
        if isinstance(entry, Origins) and entry.undated is not None:
            return _by_origin(entry.undated, entry.lengths, origin.digits, compiled.version, prefix)
        items = entry.matching(origin.digits) if isinstance(entry, Origins) else (("", entry),)
        for origin_prefix, item in items:
            answer = self._answer(compiled, direction, prefix, origin_prefix, item, at)
            if answer is not None:
                return answer
        return None

    def _answer(
        self, compiled: _Compiled, direction: str, prefix: str, origin_prefix: str, item: Item | None, at: int
    ) -> Match | str | None:
        source: _Compiled | None = compiled
        while source is not None and item is not None:
            terms = item if isinstance(item, Terms) else item.at(at)
            if terms is not None:
                return terms.refusal or Match(terms, source.version, prefix, origin_prefix or None)
            if isinstance(item, Windows) and at >= item.first:
                return None
            source = self._before(source, at)
            item = source.side(direction).exact(prefix, origin_prefix) if source else None
        return None

    def _before(self, compiled: _Compiled, at: int) -> _Compiled | None:
        """The version that would be in force at an instant without this one and all later ones."""
        for version in reversed(self.versions):
            if version.version < compiled.version.version and (version.starts_at is None or version.starts_at <= at):
                return self._compiled.get(version.version) or self._compile(version)
        return None

    def _find_masked(self, compiled: _Compiled, number: Number, origin: Number, direction: str, at: int) -> Match | str:
        """As `find`, but what is hidden of either number may lead elsewhere: to another price is AMBIGUOUS_RATE."""
        table = compiled.side(direction)
        best: Match | str | None = None
        reached: list[tuple[str, Entry]] = []
        for length in table.lengths_for(number.digits):
            prefix = number.digits[:length]
            if (entry := table.entries.get(prefix)) is None:
                continue
            reached.append((prefix, entry))
            best = self._first(compiled, direction, prefix, entry, origin, at)
            if best is not None:
                break
        longer = table.beyond(number.digits) if number.masked else ()
        others = chain(
            (self._first(compiled, direction, prefix, entry, origin, at) for prefix, entry in longer),
            self._by_hidden_origins(compiled, direction, chain(reached, longer), origin, at),
        )
        answer = best or NO_RATE
        return AMBIGUOUS_RATE if any(other and _differ(answer, other) for other in others) else answer

    def _by_hidden_origins(
        self, compiled: _Compiled, direction: str, entries: Iterable[tuple[str, Entry]], origin: Number, at: int
    ) -> Iterator[Match | str | None]:
        if not origin.masked:
            return
        for prefix, entry in entries:
            if isinstance(entry, Origins):
                for longer, item in entry.items.items():
                    if len(longer) > len(origin.digits) and longer.startswith(origin.digits):
                        yield self._answer(compiled, direction, prefix, longer, item, at)


def _caller(origin: Number | str | None) -> Number:
    return (parse_number(origin) if isinstance(origin, str) else origin) or _UNKNOWN


def _by_origin(
    undated: dict[str, Terms], lengths: tuple[int, ...], digits: str, version: DeckVersion, prefix: str
) -> Match | str | None:
    for length in lengths:
        terms = undated.get(digits[:length])
        if terms is not None and length <= len(digits):
            return terms.refusal or Match(terms, version, prefix, digits[:length] or None)
    return None


def _differ(one: Match | str, other: Match | str) -> bool:
    if isinstance(one, Match) and isinstance(other, Match):
        return _money(one.version) != _money(other.version) or not one.rate.same_price(other.rate)
    return one != other


def _money(version: DeckVersion) -> tuple[str, int, str]:
    return version.currency, version.decimals, version.rounding


def _timeline(versions: Sequence[DeckVersion]) -> tuple[list[int], list[DeckVersion]]:
    """From which instant on which version is in force. `versions` in the order of their imports."""
    starts: list[int] = []
    in_force: list[DeckVersion] = []
    for version in sorted(versions, key=lambda v: (ALWAYS if v.starts_at is None else v.starts_at, v.version)):
        start = ALWAYS if version.starts_at is None else version.starts_at
        if in_force and version.version < in_force[-1].version:
            continue
        if starts and starts[-1] == start:
            in_force[-1] = version
        else:
            starts.append(start)
            in_force.append(version)
    return starts, in_force
