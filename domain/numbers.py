"""Telephone numbers: their digits, and the country they belong to.

Numbers are international (E.164) digits without `+`. A masked number ends in `*`; what counts is its visible digits.
The country is that of the longest known prefix. What shares a code and is no other country's belongs to the code's
main country: toll-free and unassigned North American codes are US, as in the `phonenumbers` package. Codes that
belong to no country (+800, +808, +870, +878, +881, +882, +883, +888, +979) have none.
"""

from collections.abc import Iterable
from itertools import product
from typing import Final

import msgspec

from domain.country_prefixes import COUNTRY_PREFIXES
from domain.emergency_numbers import EMERGENCY_NUMBERS

# Destinations that a conference's dial-out minutes reach (domain.md, Zone A).
_ZONE_A = (
    "AU AT BE BR BG CA CN HR CZ DK EE FI FR DE GR HK HU IN IE IT JP LU MY MX NL NZ NO PL PT PR RO RU SG SK SI ZA KR ES "
    "SE CH TW TH GB US"
)
ZONE_A: Final = frozenset(_ZONE_A.split())

_HEAD_DIGITS: Final = 3  # every country code ends within them
_AREAS: Final = {"PR": "US"}

# A head's country; or that, and by length, longest first, the longer prefixes that are another country's.
_Split = tuple[str, tuple[tuple[int, dict[str, str]], ...]]
_Head = str | _Split


class Number(msgspec.Struct, frozen=True, gc=False):
    """A telephone number as usage names it: its visible digits, and whether its end is masked."""

    digits: str
    masked: bool


def parse_number(text: str) -> Number | None:
    """The number written as digits, with an optional leading `+` and a trailing run of `*` where masked; else None.

    A number that is masked whole has no visible digits, so it is none either.
    """
    digits = text.removeprefix("+")
    if digits.isdecimal() and digits.isascii():
        return Number(digits, False)
    visible = digits.rstrip("*")
    if visible.isdecimal() and visible.isascii():
        return Number(visible, True)
    return None


def country_of(digits: str) -> str | None:
    """ISO 3166 alpha-2 country of international digits, None where they belong to no country."""
    head = _HEADS.get(digits[:_HEAD_DIGITS])
    if head is None or isinstance(head, str):
        return head
    inherited, splits = head
    for length, countries in splits:
        country = countries.get(digits[:length])
        if country is not None:
            return country
    return inherited


def area_of(country: str) -> str:
    """The domestic area of a country; Puerto Rico and the US are one, as they share pools."""
    return _AREAS.get(country, country)


def same_area(a: str | None, b: str | None) -> bool:
    """Whether a call between two countries is domestic; a number of no country is domestic to none."""
    return a is not None and b is not None and area_of(a) == area_of(b)


def _heads() -> dict[str, _Head]:
    owner = {prefix: line[:2] for line in COUNTRY_PREFIXES.split("\n") for prefix in line[3:].split()}
    inherited: dict[str, str] = {}
    deeper: dict[str, dict[int, dict[str, str]]] = {}
    for prefix in sorted(owner, key=len):
        if len(prefix) > _HEAD_DIGITS:
            deeper.setdefault(prefix[:_HEAD_DIGITS], {}).setdefault(len(prefix), {})[prefix] = owner[prefix]
            continue
        for missing in range(_HEAD_DIGITS - len(prefix) + 1):
            for tail in product("0123456789", repeat=missing):
                inherited[prefix + "".join(tail)] = owner[prefix]
    heads: dict[str, _Head] = dict(inherited)
    for head, by_length in deeper.items():
        heads[head] = (inherited[head], tuple(sorted(by_length.items(), reverse=True)))
    return heads


_HEADS: Final = _heads()


_EMERGENCY: Final = {line.split()[0]: frozenset(line.split()[1:]) for line in EMERGENCY_NUMBERS.split("\n") if line}
_EMERGENCY_ANYWHERE: Final = frozenset(("112", "911"))  # what any mobile telephone takes for one


def is_emergency_number(dialled: str, countries: Iterable[str]) -> bool:
    """Whether a number, as it is dialled in one of these countries, calls for help."""
    return dialled in _EMERGENCY_ANYWHERE or any(dialled in _EMERGENCY.get(country, ()) for country in countries)
