"""Dates of a deck as people write them. 23/09/2026 says by itself which of its numbers is the day; 10/09/2026 does not,
and is read as the other dates of its file are, or else the person is asked."""

import re
from datetime import UTC, datetime
from typing import Final, NamedTuple

from consumers.deck_files.cells import is_nothing
from domain.months import DAY, to_microseconds

REMEMBERED: Final = 20_000  # cells that repeat are read once
_AT_ONCE: Final = frozenset({"asap", "immediate", "immediately", "now"})
_UNSET: Final = ("0000-00-00", "0001-01-01")  # how databases write that there is none
_END_OF_TIME: Final = "9999-12-31"
_CLOCK: Final = r"(?:[T ]+(?P<hour>\d{1,2}):(?P<minute>\d\d)(?::(?P<second>\d\d)(?:\.(?P<fraction>\d+))?)?)?"
_ISO: Final = re.compile(
    r"(?P<year>\d{4})[-/.]?(?P<month>\d\d)[-/.]?(?P<day>\d\d)" + _CLOCK + r"\s*(?P<zone>Z|UTC|[+-]\d\d(?::?\d\d)?)?",
    re.ASCII,
)
_NUMERIC: Final = re.compile(
    r"(?P<one>\d{1,2})(?P<sep>[-/.])(?P<two>\d{1,2})(?P=sep)(?P<year>\d{4}|\d\d)" + _CLOCK, re.ASCII
)
_NAMED: Final = re.compile(
    r"(?:(?P<day>\d{1,2})[-/. ]+(?P<name>[A-Za-z]{3,9})\.?|(?P<name2>[A-Za-z]{3,9})\.? +(?P<day2>\d{1,2}))"
    r"[-/., ]+(?P<year>\d{4}|\d\d)" + _CLOCK,
    re.ASCII,
)
_DAY_NUMBER: Final = re.compile(r"[2-6]\d{4}(?:\.\d+)?", re.ASCII)  # 1954 to 2091, days since 1899-12-30
_MONTHS: Final = "jan feb mar apr may jun jul aug sep oct nov dec".split()
_DAY_LETTERS: Final = (("yyyy", "%Y"), ("(?<!%)yy", "%y"), ("mm", "%m"), ("dd", "%d"))
_CLOCK_LETTERS: Final = (("hh", "%H"), ("mm", "%M"), ("ss", "%S"))
_ORDERS: Final = {"%d/%m/%Y": True, "%m/%d/%Y": False}  # whether the day comes first


class Undecided(Exception):
    """A date whose day and month cannot be told apart."""


class _Moment(NamedTuple):
    at: int
    has_time: bool


class Dates:
    """Reads the dates of one file; learns from them whether the day or the month comes first."""

    def __init__(self, date_format: str = "") -> None:
        self._format = _strptime_format(date_format)
        self._day_first = _ORDERS.get(self._format.replace("-", "/"))
        if self._day_first is not None:
            self._format = ""  # it says what comes first; a time may follow all the same
        self._known: dict[tuple[str, bool], int | None] = {}

    @property
    def decided(self) -> bool:
        """Whether 10/09/2026 can be read."""
        return self._day_first is not None

    def read(self, cell: str, end: bool = False) -> int | None:
        """Microseconds; None where the cell names no date. A last day (`end`) counts whole: its end is meant.

        Raises Undecided, or ValueError where it is no date.
        """
        key = (cell, end)
        if key not in self._known:
            if len(self._known) >= REMEMBERED:
                self._known.clear()
            self._known[key] = self._read(cell.strip(), end)
        return self._known[key]

    def _read(self, text: str, end: bool) -> int | None:
        if is_nothing(text) or text.startswith(_UNSET) or (end and text.startswith(_END_OF_TIME)):
            return None
        if not end and text.lower() in _AT_ONCE:
            return None
        try:
            moment = self._by_format(text) if self._format else self._by_shape(text)
        except (ValueError, OverflowError) as error:
            raise ValueError(f"{text!r} is no date: {error}") from None
        return moment.at + (DAY if end and not moment.has_time else 0)

    def _by_format(self, text: str) -> _Moment:
        try:
            moment = datetime.strptime(text, self._format).replace(tzinfo=UTC)
        except ValueError:
            if _ISO.fullmatch(text):
                return self._by_shape(text)
            raise
        return _Moment(to_microseconds(moment), "%H" in self._format or "%I" in self._format)

    def _by_shape(self, text: str) -> _Moment:
        if match := _ISO.fullmatch(text):
            return _moment(match, int(match["year"]), int(match["month"]), int(match["day"]))
        if match := _NUMERIC.fullmatch(text):
            one, two = int(match["one"]), int(match["two"])
            day, month = (one, two) if match["sep"] == "." or self._is_day_first(one, two) else (two, one)
            return _moment(match, _year(match["year"]), month, day)
        if (match := _NAMED.fullmatch(text)) and (name := (match["name"] or match["name2"]).lower()[:3]) in _MONTHS:
            day = int(match["day"] or match["day2"])
            return _moment(match, _year(match["year"]), _MONTHS.index(name) + 1, day)
        if _DAY_NUMBER.fullmatch(text):
            raise ValueError("it looks like a spreadsheet's number of a day: give that column a date's format there")
        raise ValueError("say how dates are written with --date-format")

    def _is_day_first(self, one: int, two: int) -> bool:
        if one == two:
            return True
        if one > 12 or two > 12:
            day_first = one > 12
            if self._day_first is None:
                self._day_first = day_first
            elif self._day_first is not day_first:
                raise ValueError("day and month stand the other way round than in --date-format or the dates above")
        if self._day_first is None:
            raise Undecided
        return self._day_first


def _moment(match: re.Match[str], year: int, month: int, day: int) -> _Moment:
    has_time = match["hour"] is not None
    hour, minute, second = (int(match[part] or 0) for part in ("hour", "minute", "second"))
    zone = match.groupdict().get("zone")
    moment = datetime(year, month, day, hour, minute, second, tzinfo=UTC)
    if not 1970 <= year < 9000:
        raise ValueError("outside the calendar of telephony")
    at = to_microseconds(moment)
    if zone and zone[0] in "+-":
        sign = -1 if zone[0] == "+" else 1
        at += sign * (int(zone[1:3]) * 3600 + int(zone[3:].lstrip(":") or 0) * 60) * 1_000_000
    return _Moment(at + int((match["fraction"] or "")[:6].ljust(6, "0")), has_time)


def _year(text: str) -> int:
    return int(text) if len(text) == 4 else 2000 + int(text)


def _strptime_format(text: str) -> str:
    if "%" in text or not text:
        return text
    day, space, clock = text.partition(" ")
    for letters, directive in _DAY_LETTERS:
        day = re.sub(letters, directive, day, flags=re.IGNORECASE)
    for letters, directive in _CLOCK_LETTERS:
        clock = re.sub(letters, directive, clock, flags=re.IGNORECASE)
    return day + space + clock
