"""Money: exact decimal amounts, one rounding, and the text people write amounts in.

Amounts are `Decimal` at the account's scale (decimals after the point). Where a quotient is needed
(rates are per minute, usage is in seconds) it is computed as a ratio of whole numbers and rounded once.
"""

import re
from decimal import Decimal
from typing import Final, Literal, get_args

Rounding = Literal["half-up", "half-even", "up", "down"]
ROUNDINGS: Final[tuple[str, ...]] = get_args(Rounding)
MAX_SCALE: Final = 8
MAX_WHOLE_DIGITS: Final = 12
ZERO: Final = Decimal(0)

# ISO 4217 codes of circulating currencies; funds and precious-metal codes are left out on purpose.
CURRENCIES: Final = frozenset(
    "AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF "
    "CLP CNY COP CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GNF GTQ GYD HKD HNL "
    "HTG HUF IDR ILS INR IQD IRR ISK JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD KZT LAK LBP LKR LRD LSL LYD MAD "
    "MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN PYG "
    "QAR RON RSD RUB RWF SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TND TOP TRY TTD "
    "TWD TZS UAH UGX USD UYU UZS VED VES VND VUV WST XAF XCD XCG XOF XPF YER ZAR ZMW ZWG".split()
)

_AMOUNT = re.compile(r"[0-9]{1,12}(?:\.[0-9]{1,12})?", re.ASCII)


class AmountError(ValueError):
    """Text that is no amount; the message says why."""


def quantum(scale: int) -> Decimal:
    """The smallest amount at `scale` decimals: quantum(2) == Decimal("0.01")."""
    return Decimal((0, (1,), -scale))


# the context's 28 digits hold every product of an amount and one of these exactly
_QUANTA: Final = tuple(quantum(scale) for scale in range(32))


def parse_amount(text: str, scale: int) -> Decimal:
    """An amount of zero or more, written with digits and one point, as a Decimal with exactly `scale` decimals.

    Raises AmountError for anything else: signs, exponents, separators, more decimals than the scale holds.
    """
    if not _AMOUNT.fullmatch(text):
        raise AmountError(f"{text!r} is no amount: write digits and one point, at most 12 digits on each side")
    amount = Decimal(text)
    exact = amount.quantize(quantum(scale))
    if exact != amount:
        raise AmountError(f"{text} has more decimals than the account's scale of {scale}")
    return exact


def round_ratio(numerator: int, denominator: int, rounding: str) -> int:
    """numerator / denominator (both not negative, denominator positive), rounded once to a whole number."""
    whole, rest = divmod(numerator, denominator)
    if not rest or rounding == "down":
        return whole
    if rounding == "up":
        return whole + 1
    twice = rest * 2
    if twice > denominator or (twice == denominator and (rounding == "half-up" or whole & 1)):
        return whole + 1
    return whole


def to_decimal(units: int, decimals: int) -> Decimal:
    """`units` of the last decimal as an amount: to_decimal(12, 4) == Decimal("0.0012")."""
    return Decimal(units) * _QUANTA[decimals]


def to_units(amount: Decimal, decimals: int) -> int:
    """The inverse of to_decimal; the amount must have no more than `decimals` decimals."""
    units = amount.scaleb(decimals)
    whole = int(units)
    if whole != units:
        raise AmountError(f"{amount} has more than {decimals} decimals")
    return whole
