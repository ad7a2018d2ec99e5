"""Writes domain/country_prefixes.py: which country a telephone number's first digits belong to.

The source is the metadata of the `phonenumbers` package, which knows each country's valid numbers as regular
expressions. Countries that share a code (+1, +7, +39, +44, +47 and others) are told apart as that package does it: the
first country whose patterns match wins. The patterns run side by side as automata, and a prefix is written only where
every number that begins with it belongs to one country that is not the code's main one.

Run it after an upgrade of `phonenumbers`: `python tools/make_prefix_table.py`.
"""

import sys
from collections import defaultdict
from collections.abc import Iterable
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

import phonenumbers
from phonenumbers import PhoneMetadata

# the parser of Python's own `re` has no public name and no types
ops: Any = import_module("re._constants")
sre: Any = import_module("re._parser")

TARGET = Path(__file__).resolve().parent.parent / "domain" / "country_prefixes.py"
NON_GEOGRAPHIC = "001"
NUMBER_TYPES = (
    "fixed_line", "mobile", "toll_free", "premium_rate", "shared_cost", "personal_number", "voip", "pager", "uan",
    "voicemail",
)  # fmt: skip
DIGITS = "0123456789"

HEADER = '''"""Prefix -> country, made by tools/make_prefix_table.py from phonenumbers {version}: do not edit by hand.

One line a country: ISO 3166 alpha-2, then the prefixes that are its own. The longest prefix of a number wins, so a
country that shares a code names only what departs from the code's main country (+1 is US, +44 is GB).
"""

from typing import Final

COUNTRY_PREFIXES: Final = """
'''

Residual = frozenset[int]


class Automaton:
    """A nondeterministic automaton over digits, of a union of regular expressions that match whole numbers."""

    def __init__(self, patterns: Iterable[str]) -> None:
        self.steps: list[list[tuple[str | None, int]]] = [[], []]  # per state: (digits or None for free, next state)
        self.end = 1
        for pattern in patterns:
            self._free(self._sequence(sre.parse(pattern), 0), self.end)
        self.start = self._closure({0})

    def after(self, states: Residual, digit: str) -> Residual:
        """The states reached by one more digit."""
        return self._closure({target for state in states for on, target in self.steps[state] if on and digit in on})

    def _new(self) -> int:
        self.steps.append([])
        return len(self.steps) - 1

    def _free(self, source: int, target: int) -> None:
        self.steps[source].append((None, target))

    def _closure(self, states: set[int]) -> Residual:
        todo = list(states)
        while todo:
            for on, target in self.steps[todo.pop()]:
                if on is None and target not in states:
                    states.add(target)
                    todo.append(target)
        return frozenset(states)

    def _sequence(self, parsed: Iterable[Any], state: int) -> int:
        for op, value in parsed:
            state = self._node(op, value, state)
        return state

    def _node(self, op: Any, value: Any, state: int) -> int:
        if op is ops.SUBPATTERN:
            return self._sequence(value[-1], state)
        if op is ops.BRANCH:
            end = self._new()
            for branch in value[1]:
                self._free(self._sequence(branch, state), end)
            return end
        if op is ops.MAX_REPEAT:
            least, most, body = value
            for _ in range(least):
                state = self._sequence(body, state)
            end = self._new()
            self._free(state, end)
            for _ in range(most - least):
                state = self._sequence(body, state)
                self._free(state, end)
            return end
        end = self._new()
        self.steps[state].append((_digits(op, value), end))
        return end


def _digits(op: Any, value: Any) -> str:
    if op is ops.LITERAL:
        return chr(value)
    found = ""
    for kind, detail in value:
        if kind is ops.LITERAL:
            found += chr(detail)
        elif kind is ops.RANGE:
            found += "".join(map(chr, range(detail[0], detail[1] + 1)))
        else:  # the category \d
            found += DIGITS
    return found


def _automaton(region: str) -> Automaton:
    metadata = PhoneMetadata.metadata_for_region(region)
    if metadata is None:
        raise LookupError(f"phonenumbers has no metadata of {region}")
    if metadata.leading_digits:
        return Automaton([f"(?:{metadata.leading_digits})[0-9]{{0,14}}"])
    kinds = (getattr(metadata, kind) for kind in NUMBER_TYPES)
    return Automaton(kind.national_number_pattern for kind in kinds if kind and kind.national_number_pattern)


def split(regions: tuple[str, ...]) -> dict[str, str]:
    """National prefix -> country, for the countries of one country code, main country first."""
    automata = [_automaton(region) for region in regions]

    @cache
    def step(states: tuple[Residual, ...], digit: str) -> tuple[Residual, ...]:
        return tuple(automaton.after(residual, digit) for automaton, residual in zip(automata, states, strict=True))

    @cache
    def owners(states: tuple[Residual, ...]) -> frozenset[str]:
        if not any(states):
            return frozenset()
        here = next((r for r, a, s in zip(regions, automata, states, strict=True) if a.end in s), None)
        return frozenset({here} if here else ()).union(*(owners(step(states, digit)) for digit in DIGITS))

    found: dict[str, str] = {}

    def walk(prefix: str, states: tuple[Residual, ...], inherited: str) -> None:
        countries = owners(states)
        if len(countries) == 1:
            (country,) = countries
            if country != inherited:
                found[prefix] = country
        elif countries:
            for digit in DIGITS:
                walk(prefix + digit, step(states, digit), inherited)

    walk("", tuple(automaton.start for automaton in automata), regions[0])
    return found


def prefixes_by_country() -> dict[str, list[str]]:
    """Country -> its prefixes, from the country code on."""
    table: dict[str, list[str]] = defaultdict(list)
    for code, regions in phonenumbers.COUNTRY_CODE_TO_REGION_CODE.items():
        if regions == (NON_GEOGRAPHIC,):
            continue
        table[regions[0]].append(str(code))
        if len(regions) > 1:
            for prefix, country in split(regions).items():
                table[country].append(f"{code}{prefix}")
    return table


def render() -> str:
    """The module's text."""
    lines = [f"{country} {' '.join(sorted(prefixes))}" for country, prefixes in sorted(prefixes_by_country().items())]
    wrapped = []
    for line in lines:
        country = line[:2]
        while len(line) > 118:
            cut = line.rindex(" ", 0, 118)
            wrapped.append(line[:cut])
            line = country + line[cut:]
        wrapped.append(line)
    return HEADER.format(version=phonenumbers.__version__) + "\n".join(wrapped) + '\n"""\n'


if __name__ == "__main__":
    TARGET.write_text(render(), encoding="utf-8")
    sys.stdout.write(f"wrote {TARGET.name}\n")
