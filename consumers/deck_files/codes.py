"""The prefixes of one cell: lists, ranges, spaces, a leading + or 00, regular expressions.

376, 3764 · 1684;1671 · 447400-447409 · 52 33 (5233) · 336 07, 336 08 · 61 38,39 (6138 and 6139) · +521 · ^44.*
In a column named npanxx 212-555 is one code.
"""

import re
from collections.abc import Iterator
from itertools import islice
from typing import Final

from domain.rates import MAX_PREFIX_DIGITS

MAX_CODES: Final = 100_000  # of a range, and of a cell: a few characters must not fill the memory
_SEPARATORS: Final = re.compile(r"[,;|\r\n]+")
_RANGE: Final = re.compile(r"([^-–]+)[-–]([^-–]+)")
_REGEX: Final = re.compile(r"\^?(?P<digits>[+0-9]*)(?:\.[*+]|\\d[*+]|\[0-9\][*+])?\$?", re.ASCII)
_NPA_NXX: Final = re.compile(r"([2-9][0-9]{2})-([2-9][0-9]{2})", re.ASCII)
_NORTH_AMERICA: Final = "1"
_WRAPPING: Final = " \t'\"="


class Codes:
    """Reads cells of codes. `country_code` is put before codes that are not written with + or 00.

    `npanxx`: the column is named so. North American codes lack their 1 unless they begin with it: no area code does.
    """

    def __init__(self, country_code: str = "", npanxx: bool = False) -> None:
        self._country_code = country_code or (_NORTH_AMERICA if npanxx else "")
        self._npanxx = npanxx

    def read(self, cell: str) -> tuple[str, ...]:
        """The prefixes, digits only; an empty cell is the empty prefix. Raises ValueError saying what is wrong."""
        if cell.isdecimal() and cell.isascii() and cell[0] != "0":
            return (self._whole(cell, cell),)
        if not cell.strip():
            return (self._country_code,)
        codes = tuple(islice(self._all(cell), MAX_CODES + 1))
        if len(codes) > MAX_CODES:
            raise ValueError(f"the cell holds more than {MAX_CODES:,} codes: write them in several rows")
        return codes

    def _all(self, cell: str) -> Iterator[str]:
        parts = [text for part in _SEPARATORS.split(cell) if (text := part.strip(_WRAPPING))]
        if not parts:
            raise ValueError(f"{cell!r} holds no code")
        spaced = [" " in part for part in parts]
        shared = ""
        if spaced[0] and len(parts) > 1 and not any(spaced[1:]):
            shared = parts[0].split()[0] + " "  # the country stands once, before the first of its codes
        elif any(spaced) and not all(spaced):
            raise ValueError(f"{cell!r}: which country do the codes without a space belong to? Write them in full")
        yield from self._part(parts[0])
        for part in parts[1:]:
            yield from self._part(shared + part)

    def _part(self, part: str) -> Iterator[str]:
        if part[0] == "^" or part.endswith((".*", ".+", "$")):
            yield self._expression(part)
        elif self._npanxx and (match := _NPA_NXX.fullmatch(part)):
            yield self._whole(match[1] + match[2], part)
        elif match := _RANGE.fullmatch(part):
            yield from self._range(part, match[1].strip(), match[2].strip())
        else:
            yield self._whole("".join(part.split()), part)

    def _expression(self, part: str) -> str:
        match = _REGEX.fullmatch(part)
        if not match or (part.endswith("$") and match["digits"] == part.strip("^$")):
            raise ValueError(f"{part!r}: of regular expressions only a beginning such as ^44.* is a prefix")
        return self._whole(match["digits"], part) if match["digits"] else ""

    def _range(self, part: str, first: str, last: str) -> Iterator[str]:
        head, _, tail = first.rpartition(" ")
        start = self._whole("".join(first.split()), part)
        if len(tail) == len(last):  # 44 7400-7409: the country stands once
            last = head + last
        end = self._whole("".join(last.split()), part)
        if len(start) != len(end) or end < start:
            raise ValueError(f"{part!r} is neither a code nor a range: both ends need the same number of digits")
        if int(end) - int(start) >= MAX_CODES:
            raise ValueError(f"{part!r} is a range of more than {MAX_CODES:,} codes")
        for number in range(int(start), int(end) + 1):
            yield str(number).zfill(len(start))

    def _whole(self, code: str, part: str) -> str:
        international = code.startswith(("+", "00"))
        digits = code.removeprefix("+").removeprefix("00")
        if not (digits.isdecimal() and digits.isascii()):
            raise ValueError(f"{part!r} is no code: write its digits")
        complete = international or (self._country_code == _NORTH_AMERICA and digits.startswith(_NORTH_AMERICA))
        if not complete:
            digits = self._country_code + digits
        if digits.startswith("0"):
            raise ValueError(f"{part!r} begins with 0: write codes with their country, or say --country-code")
        if len(digits) > MAX_PREFIX_DIGITS:
            raise ValueError(f"{part!r} has more than {MAX_PREFIX_DIGITS} digits")
        return digits
