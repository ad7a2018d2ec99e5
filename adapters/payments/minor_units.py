"""Amounts in Stripe's own minor units, which are not ISO 4217's, and the smallest charge that it takes.

- Some currencies have no minor unit: 500 JPY is sent as 500.
- ISK and UGX have none either, yet are sent times 100: 5 ISK is 500, and 550 cannot be said.
- BHD, JOD, KWD, OMR and TND have three digits of which the last is 0: 5.12 KWD is 5120.
- All others have two.
"""

from decimal import Decimal
from typing import Final

from domain.errors import Invalid, Refused

_NO_DIGITS: Final = frozenset("BIF CLP DJF GNF JPY KMF KRW MGA PYG RWF VND VUV XAF XOF XPF".split())
_WHOLE_TIMES_100: Final = frozenset(("ISK", "UGX"))
_THREE_DIGITS: Final = frozenset(("BHD", "JOD", "KWD", "OMR", "TND"))
# as documented, by presentment currency; of the rest only the provider knows (about 0.50 USD in its own currency)
_SMALLEST: Final = {
    "AED": Decimal("2.00"), "AUD": Decimal("0.50"), "BGN": Decimal("1.00"), "BRL": Decimal("0.50"),
    "CAD": Decimal("0.50"), "CHF": Decimal("0.50"), "CZK": Decimal("15.00"), "DKK": Decimal("2.50"),
    "EUR": Decimal("0.50"), "GBP": Decimal("0.30"), "HKD": Decimal("4.00"), "HUF": Decimal("175.00"),
    "INR": Decimal("0.50"), "JPY": Decimal(50), "MXN": Decimal("10.00"), "MYR": Decimal("2.00"),
    "NOK": Decimal("3.00"), "NZD": Decimal("0.50"), "PLN": Decimal("2.00"), "RON": Decimal("2.00"),
    "SEK": Decimal("3.00"), "SGD": Decimal("0.50"), "THB": Decimal("10.00"), "USD": Decimal("0.50"),
}  # fmt: skip
_LARGEST: Final = 99_999_999  # minor units: eight digits, in any currency


def decimals(currency: str) -> int:
    """How many decimals an amount may have, to be said to Stripe."""
    return 0 if currency in _NO_DIGITS or currency in _WHOLE_TIMES_100 else 2


def _digits(currency: str) -> int:
    return 0 if currency in _NO_DIGITS else 3 if currency in _THREE_DIGITS else 2


def to_minor(amount: Decimal, currency: str) -> int:
    """An amount of more than 0 as Stripe is told it. Raises Invalid `invalid_amount` where that cannot be said."""
    places = decimals(currency)
    if not amount.is_finite() or amount <= 0:
        raise Invalid("invalid_amount", f"the amount must be more than 0, not {amount}", "amount")
    if amount != round(amount, places):
        text = f"{amount:f} {currency} cannot be paid by card: {currency} is charged with at most {places} decimals"
        raise Invalid("invalid_amount", text, "amount")
    return int(amount.scaleb(_digits(currency)))


def from_minor(units: int, currency: str) -> Decimal:
    """What Stripe tells as an amount, with as many decimals as it has."""
    digits = _digits(currency)
    return Decimal(units).scaleb(-digits)


def check_charge(amount: Decimal, currency: str) -> None:
    """Raises Invalid `invalid_amount`, Refused `amount_too_small`, `amount_too_large`."""
    if to_minor(amount, currency) > _LARGEST:
        most = from_minor(_LARGEST, currency)
        raise Refused("amount_too_large", f"the largest payment by card is {most:f} {currency}", "amount")
    smallest = _SMALLEST.get(currency)
    if smallest is not None and amount < smallest:
        text = f"the smallest payment by card is {smallest:f} {currency}, this is {amount:f}"
        raise Refused("amount_too_small", text, "amount")
