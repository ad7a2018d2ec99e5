"""Text that people write -> values: amounts, times, durations, choices. For options and settings alike.

Each function takes text and answers the value, or raises ValueError with the end of a sentence ("is …") that says what
is wanted; whoever knows the option or setting puts its name in front. Times are microseconds since the epoch (UTC).
"""

import re
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Final

DAY_SECONDS: Final = 86_400
FIRST_YEAR, LAST_YEAR = 1900, 9000
_MAX_OFFSET = timedelta(hours=14)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_AMOUNT = re.compile(r"[0-9]{1,12}(?:\.[0-9]{1,12})?", re.ASCII)
_DATE = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})", re.ASCII)
_TIME = re.compile(
    _DATE.pattern + r"[Tt ]([0-9]{2}):([0-9]{2}):([0-9]{2})(?:\.([0-9]+))?([Zz]|([+-])([0-9]{2}):([0-9]{2}))", re.ASCII
)
_DURATION = re.compile(r"([0-9]{1,9})([smhd])", re.ASCII)
MOST_DAYS = 366
_UNIT_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": DAY_SECONDS}
_ACCOUNT = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@-]{0,127}", re.ASCII)
_TOKEN = re.compile(r"[A-Za-z0-9_]{1,100}", re.ASCII)
_OTHERWISE = {"UK": "GB", "EL": "GR"}  # how the EU writes two countries; numbers and plans go by ISO 3166
_EMAIL = re.compile(
    r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]{1,64}@(?=.{1,190}$)[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?"
    r"(?:\.[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?)*",
    re.ASCII,
)
_NAME = re.compile(r"[^\x00-\x1f\x7f-\x9f\ud800-\udfff]{1,200}")


def amount(text: str) -> Decimal:
    """An amount of money: digits and one point."""
    if not _AMOUNT.fullmatch(text):
        raise ValueError(f"is digits and one point, at most 12 digits on each side, not {text!r}")
    return Decimal(text)


def account_id(text: str) -> str:
    """An account's id, as the design says."""
    if not _ACCOUNT.fullmatch(text):
        raise ValueError(f"is 1 to 128 of A-Z a-z 0-9 . _ @ - and begins with a letter or digit, not {text!r}")
    return text


def name(text: str) -> str:
    """A name of something: 1 to 200 characters, none of them a control character."""
    if not _NAME.fullmatch(text):
        raise ValueError(f"is 1 to 200 characters in UTF-8 without control characters, not {text[:40]!r}")
    return text


def card_token(text: str) -> str:
    """A provider's name for a card. Never a card's number, which is not repeated either: it is not to be kept."""
    if not _TOKEN.fullmatch(text) or text.isdigit():
        raise ValueError("is the provider's own token for a card, such as pm_1Qx…, and never a card's number")
    return text


def email(text: str) -> str:
    """An e-mail address, without a name before it."""
    local = text.partition("@")[0]
    if not _EMAIL.fullmatch(text) or local.startswith(".") or local.endswith(".") or ".." in local:
        raise ValueError(f"is an address such as ana@contoso.com, not {text[:80]!r}")
    return text


def in_utf8(text: str) -> str:
    """A command line's text as any encoding takes it: bytes that were no UTF-8, as in a file's name, are escaped."""
    return text.encode("utf-8", "backslashreplace").decode()


def country(text: str) -> str:
    """An ISO 3166 alpha-2 code, in capitals: one that telephone numbers can belong to."""
    from domain.country_prefixes import COUNTRY_PREFIXES

    code = text.upper()
    if not re.fullmatch("[A-Z]{2}", code) or f"\n{code} " not in COUNTRY_PREFIXES:
        hint = f"; did you mean {_OTHERWISE[code]}?" if code in _OTHERWISE else ""
        raise ValueError(f"is a country's two letters such as SI, not {text!r}{hint}")
    return code


def currency(text: str) -> str:
    """An ISO 4217 code, in capitals."""
    from domain.money import CURRENCIES

    if text.upper() not in CURRENCIES or not text.isascii():
        raise ValueError(f"is an ISO 4217 code such as EUR, not {text!r}")
    return text.upper()


def time_zone(text: str) -> str:
    """An IANA time zone's name."""
    if text != "UTC":
        from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

        try:
            ZoneInfo(text)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            hint = nearest(text, available_timezones())
            raise ValueError(f"is an IANA time zone such as Europe/Ljubljana, not {text!r}{hint}") from None
    return text


def instant(text: str) -> int:
    """An RFC 3339 time with its zone, or a date (its 00:00 UTC)."""
    if _DATE.fullmatch(text):
        return instant(f"{text}T00:00:00Z")
    found = _TIME.fullmatch(text)
    if found is None:
        raise ValueError(f"is a date or a time with its zone, such as 2026-11-22T10:00:00Z, not {text!r}")
    year, month, day, hour, minute, second, fraction, _, sign, off_hours, off_minutes = found.groups()
    try:
        moment = datetime(int(year), int(month), int(day), int(hour), int(minute), int(second), tzinfo=UTC)
        offset = timedelta(hours=int(off_hours or 0), minutes=int(off_minutes or 0))
        if not FIRST_YEAR <= moment.year < LAST_YEAR or offset > _MAX_OFFSET or int(off_minutes or 0) > 59:
            raise ValueError
    except ValueError:
        raise ValueError(f"is a time of the calendar from {FIRST_YEAR} on, not {text!r}") from None
    whole = (moment - _EPOCH + (offset if sign == "-" else -offset)) // _MICROSECOND
    return whole + int((fraction or "")[:6].ljust(6, "0"))


def end_instant(text: str) -> int:
    """The first instant after: a date includes its whole day (UTC), a time is where it ends."""
    return instant(text) + (DAY_SECONDS * 1_000_000 if _DATE.fullmatch(text) else 0)


def duration_seconds(text: str) -> int:
    """A whole number with its unit: 45s, 90m, 72h, 30d. At most 366 days: what it is added to stays in the calendar."""
    found = _DURATION.fullmatch(text)
    if found is None:
        raise ValueError(f"is a whole number with its unit, such as 72h, 30d, 90m or 45s, not {text!r}")
    seconds = int(found[1]) * _UNIT_SECONDS[found[2]]
    if seconds > MOST_DAYS * DAY_SECONDS:
        raise ValueError(f"is at most {MOST_DAYS}d, not {text!r}")
    return seconds


def durations(text: str) -> tuple[int, ...]:
    """Durations, comma separated: 1h,6h,24h."""
    return tuple(duration_seconds(each.strip()) for each in text.split(","))


def networks(text: str) -> tuple[str, ...]:
    """Networks in CIDR form, comma separated: 10.1.0.0/16,fd00::/8."""
    from ipaddress import ip_network

    try:
        return tuple(str(ip_network(each.strip())) for each in text.split(","))
    except ValueError:
        raise ValueError(f"is networks such as 10.1.0.0/16, several separated by commas, not {text!r}") from None


def web_address(text: str) -> str:
    """An http or https address, without a / at its end."""
    from urllib.parse import urlsplit

    try:
        parts = urlsplit(text)
        usable = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:
        usable = False
    if not usable or not text.isascii() or " " in text:
        raise ValueError(f"is an address such as https://credits.example.com, not {text!r}")
    return text.rstrip("/")


def yes_no(text: str) -> bool:
    """yes or no."""
    return choice("yes", "no")(text) == "yes"


def choice(*words: str) -> Callable[[str], str]:
    """One of the words, exactly."""

    def read(text: str) -> str:
        if text not in words:
            raise ValueError(f"is {', '.join(words[:-1])} or {words[-1]}, not {text!r}" + nearest(text, words))
        return text

    return read


def whole(least: int, most: int) -> Callable[[str], int]:
    """A whole number between two."""

    def read(text: str) -> int:
        if not (text.isdecimal() and text.isascii() and len(text) <= 18 and least <= int(text) <= most):
            raise ValueError(f"is a whole number from {least} to {most}, not {text!r}")
        return int(text)

    return read


def nearest(word: str, known: Iterable[str] | Mapping[str, str]) -> str:
    """What to add to a sentence: the known word that was probably meant (as a mapping shows it), or nothing."""
    from difflib import get_close_matches

    shown = known if isinstance(known, Mapping) else {each: each for each in known}
    close = get_close_matches(word, shown, 1, 0.6)
    return f"; did you mean {shown[close[0]]}?" if close else ""


def time_text(at: int) -> str:
    """Microseconds since the epoch as RFC 3339 in UTC, with fractions only where there are some."""
    moment = _EPOCH + timedelta(microseconds=at)
    return moment.isoformat().replace("+00:00", "Z")


def duration_text(seconds: int) -> str:
    """The shortest way to write a duration: 72h, 30d, 90m, 45s; the inverse of duration_seconds."""
    for unit, size in (("h", 3600), ("m", 60)):
        if seconds % size == 0:
            if unit == "h" and seconds > 96 * size and seconds % DAY_SECONDS == 0:
                return f"{seconds // DAY_SECONDS}d"
            return f"{seconds // size}{unit}"
    return f"{seconds}s"
