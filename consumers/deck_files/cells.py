"""What stands in single cells: prices, billing increments, yes and no."""

import re
from decimal import Decimal
from typing import Final

from domain.money import CURRENCIES

MAX_DECIMALS: Final = 12
_NOTHING: Final = frozenset({"", "n/a", "na", "#n/a", "-", "--", "–", "none", "null", "nil"})
_YES: Final = frozenset({"1", "yes", "y", "true", "t", "x", "on"})
_NO: Final = frozenset({"0", "no", "n", "false", "f", "off"})
_CLOSED: Final = frozenset(
    "closed withdrawn discontinued forbidden blocked deleted removed inactive disabled terminated".split()
)
_OF_ONE: Final = {"US$": "USD", "€": "EUR"}  # signs of a single currency; $ and £ are those of several
_CURRENCY_SIGNS: Final = "$£¥" + "".join(map(chr, range(0x20A0, 0x20D0)))
_SIGNS: Final = str.maketrans(dict.fromkeys(_CURRENCY_SIGNS + "\" \t\u00a0\u2009\u202f'’", ""))
_CODE: Final = re.compile(r"\A([A-Z]{3})(?![A-Za-z])|(?<![A-Za-z])([A-Z]{3})\Z")
_NUMBER: Final = re.compile(r"(?=\.?[0-9])[0-9]*(\.[0-9]*)?([eE]-[0-9]{1,2})?", re.ASCII)
_GROUPED: Final = re.compile(r"[1-9][0-9]{0,2}(,[0-9]{3})+", re.ASCII)
_INCREMENT: Final = re.compile(r"([0-9]{1,7})\s*(?:s|sec|secs|seconds?)?", re.ASCII | re.IGNORECASE)


def is_nothing(cell: str) -> bool:
    """Whether a cell says that it holds no value."""
    return cell.strip().lower() in _NOTHING


def read_price(cell: str, unit: Decimal, decimal_comma: bool) -> tuple[Decimal | None, str]:
    """The amount (None where the cell holds none) and the currency it names ("" = none).

    `decimal_comma` says how to take `1,250`: the file separates its cells by something else. Raises ValueError.
    """
    text = cell.strip()
    if text.lower() in _NOTHING:
        return None, ""
    currency, text = _currency_of(text)
    number = _with_point(text.translate(_SIGNS), decimal_comma, cell)
    if not _NUMBER.fullmatch(number):
        raise ValueError(f"{cell!r} is no price")
    price = Decimal(number)
    if +price != price:  # computing would round it
        raise ValueError(f"{cell!r} has more than {MAX_DECIMALS} decimals")
    amount = price * unit
    if amount >= 10**12:
        raise ValueError(f"{cell!r} has more than 12 digits before the point")
    if -int(amount.normalize().as_tuple().exponent) > MAX_DECIMALS:
        raise ValueError(f"{cell!r} has more than {MAX_DECIMALS} decimals")
    return amount, currency


def _currency_of(text: str) -> tuple[str, str]:
    """The currency that a price names ("" = none), and the rest of it."""
    if text[0].isdigit() and text[-1].isdigit():
        return "", text
    for sign, code in _OF_ONE.items():
        if sign in text:
            return code, text.replace(sign, "", 1)
    if (match := _CODE.search(text)) and (code := match[1] or match[2]) in CURRENCIES:
        return code, text.replace(code, "", 1)
    return "", text


def _with_point(text: str, decimal_comma: bool, cell: str) -> str:
    comma, point = text.rfind(","), text.rfind(".")
    if comma < 0:
        return text
    if point > comma:
        return text.replace(",", "")
    if point >= 0:
        return text.replace(".", "").replace(",", ".")
    if _GROUPED.fullmatch(text):
        if text.count(",") > 1:
            return text.replace(",", "")
        if not decimal_comma:
            plain = text.replace(",", "")
            raise ValueError(f"{cell!r} may be {text.replace(',', '.')} or {plain}: write it with a point")
    return text.replace(",", ".")


def read_increments(cell: str) -> tuple[int | None, int | None]:
    """Seconds of the first and of the later increments: `60/1` names both, one number names one. Raises ValueError."""
    text = cell.strip()
    if text.lower() in _NOTHING:
        return None, None
    matches = [_INCREMENT.fullmatch(part.strip()) for part in text.split("/")]
    seconds = [int(match[1]) for match in matches if match]
    if len(seconds) != len(matches) or len(seconds) > 2:
        raise ValueError(f"{cell!r} is no increment: write seconds such as 60, or 60/1")
    return seconds[0], seconds[1] if len(seconds) == 2 else None


def read_flag(cell: str) -> bool:
    """Yes or no; an empty cell is no. Raises ValueError."""
    text = cell.strip().lower()
    if text in _YES:
        return True
    if text in _NO or text in _NOTHING:
        return False
    raise ValueError(f"{cell!r} is neither yes nor no")


def is_closed(cell: str) -> bool:
    """Whether a status or change column says that the code is no longer served."""
    return cell.strip().lower() in _CLOSED
