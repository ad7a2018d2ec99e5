"""Instants as text: RFC 3339 in, RFC 3339 in UTC out. An instant is whole microseconds since the epoch, UTC."""

import re
from datetime import UTC, datetime
from typing import Final

from domain.months import to_datetime, to_microseconds

_DATE: Final = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_TIME: Final = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d(:\d\d(\.\d+)?)?([Zz]|[+-]\d\d:\d\d)", re.ASCII)


def is_date(text: str) -> bool:
    """Whether it is written as a date without a time."""
    return _DATE.fullmatch(text) is not None


def parse_instant(text: str) -> int:
    """An RFC 3339 time with its zone, or a date (00:00 UTC), cut to microseconds. Raises ValueError saying why."""
    try:
        if _DATE.fullmatch(text):
            return to_microseconds(datetime.fromisoformat(text).replace(tzinfo=UTC))
        if _TIME.fullmatch(text):
            return to_microseconds(datetime.fromisoformat(text.upper()))
    except (ValueError, OverflowError):
        raise ValueError(f"{text!r} is no day or time of the calendar") from None
    raise ValueError(f"{text!r} is no time: write 2026-11-24T10:00:00Z with its zone, or the date 2026-11-24")


def format_instant(at: int) -> str:
    """RFC 3339 in UTC, with a fraction only where there is one: 2026-11-24T10:00:00Z."""
    return to_datetime(at).replace(tzinfo=None).isoformat() + "Z"
