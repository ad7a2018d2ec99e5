"""Single values of a usage record: text in, checked value out.

Each function raises ValueError with the rest of a sentence that begins with the field. It never repeats the value:
what a refusal says is kept in the clear, and a wrong value may be a person's.
"""

import re
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Final

from domain.usage import MAX_DURATION_SECONDS, MAX_USAGE_ID_LENGTH

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_YEAR_2000_AT: Final = 946_684_800_000_000

# RFC 3339, of any precision: what `fromisoformat` takes differs between Python versions, so the shape is checked first.
# A space before the offset is how SQL Server writes it.
_CLOCK: Final = r"(?:[01]\d|2[0-3]):[0-5]\d"
_UTC_TIME: Final = re.compile(rf"\d{{4}}-\d\d-\d\dT{_CLOCK}:[0-5]\d(?:\.\d+)?Z", re.ASCII)
_TIME: Final = re.compile(
    rf"(?P<time>\d{{4}}-\d\d-\d\d[Tt ]{_CLOCK}:[0-5]\d(?:\.\d+)?)(?P<zone>[Zz]| ?[+-]{_CLOCK})?", re.ASCII
)
_AMOUNT: Final = re.compile(r"\d{1,12}(?:\.\d{1,12})?", re.ASCII)
is_account_id: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@-]{0,127}", re.ASCII).fullmatch
_CURRENCY: Final = re.compile(r"[A-Za-z]{3}", re.ASCII)
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_DIGITS: Final = 12
_DURATION_DIGITS: Final = 20


@lru_cache(8192)  # two hours' seconds: usage is reported soon after it ends
def parse_time(text: str, utc_assumed: bool = False) -> int:
    """Microseconds since the epoch, finer digits cut. `utc_assumed`: the format's own rule for times without a zone."""
    if not _UTC_TIME.fullmatch(text):
        text = _to_iso(text, utc_assumed)
    try:
        since = datetime.fromisoformat(text) - _EPOCH
    except ValueError as error:
        raise ValueError("is no time of the calendar") from error
    at = (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds
    if at < _YEAR_2000_AT:
        raise ValueError("is before the year 2000")
    return at


def _to_iso(text: str, utc_assumed: bool) -> str:
    """A time that is not simply in UTC, as `fromisoformat` takes it."""
    shape = _TIME.fullmatch(text)
    if shape is None:
        raise ValueError("is no time: write it like 2026-11-22T10:00:00Z")
    zone = shape["zone"] or ("Z" if utc_assumed else "")
    if not zone:
        raise ValueError("has no time zone: write it like 2026-11-22T10:00:00Z")
    return f"{shape['time']}{zone.strip()}".upper()


def parse_duration(text: str) -> int:
    """Whole seconds from digits."""
    if not (text.isascii() and text.isdecimal() and len(text) <= _DURATION_DIGITS):
        raise ValueError("is no whole number of seconds")
    return check_duration(int(text))


def duration_of_number(number: str) -> int:
    """Whole seconds from the digits of a JSON number: 125, 125.0, 1.25e2."""
    seconds = _number(number)
    if seconds.adjusted() >= _DURATION_DIGITS or seconds != seconds.to_integral_value():
        raise ValueError("is no whole number of seconds")
    return check_duration(int(seconds))


def check_duration(seconds: int) -> int:
    """The seconds, when a call can last as long."""
    if not 0 <= seconds <= MAX_DURATION_SECONDS:
        raise ValueError(f"is not between 0 and {MAX_DURATION_SECONDS:,} seconds")
    return seconds


def parse_price(text: str) -> Decimal:
    """An amount from digits and one point, at most 12 on either side."""
    if not _AMOUNT.fullmatch(text):
        raise ValueError(f"is no amount: digits and one point, at most {_DIGITS} on either side")
    return Decimal(text)


def price_of_number(number: str) -> Decimal:
    """An amount from the digits of a JSON number, which may have an exponent."""
    value = _number(number)
    if abs(value.adjusted()) > _DIGITS:  # before it is written out: 1e999999999 has a billion digits
        raise ValueError(f"is no amount: at most {_DIGITS} digits on either side of the point")
    return parse_price(format(value, "f"))


def check_account_id(text: str) -> str:
    """An account id: 1-128 of [A-Za-z0-9._@-], beginning with a letter or digit."""
    if not is_account_id(text):
        raise ValueError("is no account id: 1-128 of A-Z a-z 0-9 . _ @ -, a letter or digit first")
    return text


def check_usage_id(text: str) -> str:
    """A usage id: 1-200 characters."""
    if len(text) > MAX_USAGE_ID_LENGTH:
        raise ValueError(f"is {len(text)} characters long; at most {MAX_USAGE_ID_LENGTH} are taken")
    return text


def parse_currency(text: str) -> str:
    """Three letters, in upper case. Whether it is the account's is not known here."""
    if not _CURRENCY.fullmatch(text):
        raise ValueError("is no currency: three letters like EUR")
    return text.upper()


def check_text(text: str) -> str:
    """Text without control characters."""
    found = _CONTROL.search(text)
    if found:
        raise ValueError(f"holds the control character U+{ord(found[0]):04X} at character {found.start() + 1}")
    return text


def _number(text: str) -> Decimal:
    """The exact value of a JSON number; zero has no sign."""
    try:
        value = Decimal(text)
    except InvalidOperation as error:  # an exponent beyond what decimal can hold
        raise ValueError("is out of range") from error
    return value.copy_abs() if value.is_zero() else value
