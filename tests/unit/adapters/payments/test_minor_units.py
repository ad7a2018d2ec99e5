"""Amounts as Stripe is told them: payments.md, "Stripe's own minor units, not ISO 4217's"."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.payments.minor_units import check_charge, decimals, from_minor, to_minor
from domain.errors import Invalid, Refused
from domain.money import CURRENCIES

currencies = st.sampled_from(sorted(CURRENCIES))


@pytest.mark.parametrize(
    ("amount", "currency", "units"),
    [
        ("50", "EUR", 5000),
        ("0.5", "USD", 50),
        ("50.0000", "EUR", 5000),
        ("500", "JPY", 500),
        ("10", "KRW", 10),
        ("5", "ISK", 500),
        ("10", "UGX", 1000),
        ("5.12", "KWD", 5120),
        ("100", "TND", 100_000),
        ("175", "HUF", 17_500),
    ],
)
def test_an_amount_is_said_in_stripes_own_units(amount: str, currency: str, units: int) -> None:
    assert to_minor(Decimal(amount), currency) == units
    assert from_minor(units, currency) == Decimal(amount)


@pytest.mark.parametrize(
    ("amount", "currency"),
    [
        ("0.001", "EUR"),
        ("0.5", "JPY"),
        ("5.5", "ISK"),
        ("5.123", "KWD"),
        ("0", "EUR"),
        ("-1", "EUR"),
        ("NaN", "EUR"),
        ("Infinity", "EUR"),
    ],
)
def test_what_cannot_be_said_is_refused_by_name(amount: str, currency: str) -> None:
    with pytest.raises(Invalid) as refused:
        to_minor(Decimal(amount), currency)

    assert (refused.value.code, refused.value.field) == ("invalid_amount", "amount")


@pytest.mark.parametrize(
    ("smallest", "less", "currency"),
    [
        ("0.50", "0.49", "USD"),
        ("0.50", "0.49", "EUR"),
        ("0.30", "0.29", "GBP"),
        ("50", "49", "JPY"),
        ("175", "174.99", "HUF"),
    ],
)
def test_the_smallest_charge_depends_on_the_currency(smallest: str, less: str, currency: str) -> None:
    check_charge(Decimal(smallest), currency)
    with pytest.raises(Refused, match="smallest payment") as refused:
        check_charge(Decimal(less), currency)

    assert (refused.value.code, refused.value.field) == ("amount_too_small", "amount")


@given(currencies, st.decimals("0.01", "999999999", places=2))
def test_what_can_be_said_comes_back_to_the_cent(currency: str, amount: Decimal) -> None:
    amount = max(round(amount, decimals(currency)), Decimal(1))

    assert from_minor(to_minor(amount, currency), currency) == amount


@given(currencies, st.integers(1, 10**10))
def test_units_are_told_again_as_they_came_or_not_at_all(currency: str, units: int) -> None:
    amount = from_minor(units, currency)
    try:
        assert to_minor(amount, currency) == units
    except Invalid:  # only where the last digits must be 0
        assert units % (100 if currency in ("ISK", "UGX") else 10)
        assert currency in ("ISK", "UGX", "BHD", "JOD", "KWD", "OMR", "TND")


@given(currencies, st.decimals("0.0001", "9999", places=4))
def test_nothing_is_rounded_on_the_way(currency: str, amount: Decimal) -> None:
    try:
        units = to_minor(amount, currency)
    except Invalid:
        assert amount != round(amount, decimals(currency))
    else:
        assert from_minor(units, currency) == amount
