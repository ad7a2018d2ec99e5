"""Amounts in Stripe's own minor units, which are not ISO 4217's, and the smallest that it charges."""

from __future__ import annotations

from typing import Final

from commcredits.sandbox.stripe.errors import ApiError, wrong

NO_MINOR: Final = frozenset(
    {"bif", "clp", "djf", "gnf", "jpy", "kmf", "krw", "mga", "pyg", "rwf", "vnd", "vuv", "xaf", "xof", "xpf"}
)
# have three digits, the last one 0
THREE: Final = frozenset({"bhd", "jod", "kwd", "omr", "tnd"})
# have none, and are sent times 100 all the same
TIMES_100: Final = frozenset({"isk", "ugx"})
SMALLEST: Final = {
    "aed": 200, "bgn": 100, "czk": 1500, "dkk": 250, "gbp": 30, "hkd": 400, "huf": 17500, "jpy": 50, "mxn": 1000,
    "myr": 200, "nok": 300, "pln": 200, "ron": 200, "sek": 300, "thb": 1000,
}  # fmt: skip
LARGEST: Final = 99_999_999
_USUAL_SMALLEST: Final = 50


def check(amount: int, currency: str) -> None:
    """Raises ApiError 400 for an amount that Stripe does not charge in that currency."""
    if len(currency) != 3 or not currency.isalpha() or not currency.isascii():
        raise wrong(f"Invalid currency: {currency}", "currency")
    if amount < 1:
        raise wrong("Invalid positive integer", "amount", "parameter_invalid_integer")
    step = 10 if currency in THREE else 100 if currency in TIMES_100 else 1
    if amount % step:
        raise wrong(f"Invalid amount: in {currency} it must be a multiple of {step}", "amount")
    if amount > LARGEST:
        raise ApiError(
            400, f"Amount must be no more than {LARGEST}", began=False, code="amount_too_large", param="amount"
        )
    smallest = SMALLEST.get(currency, _USUAL_SMALLEST)
    if amount < smallest:
        text = f"Amount must be at least {smallest} {currency}"
        raise ApiError(400, text, began=False, code="amount_too_small", param="amount")
