"""Money is exact: text in, one rounding, text out."""

from decimal import ROUND_DOWN, ROUND_HALF_EVEN, ROUND_HALF_UP, ROUND_UP, Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.money import ROUNDINGS, AmountError, parse_amount, quantum, round_ratio, to_decimal, to_units

MODES = {"half-up": ROUND_HALF_UP, "half-even": ROUND_HALF_EVEN, "up": ROUND_UP, "down": ROUND_DOWN}


@given(st.integers(0, 10**30), st.integers(1, 10**12), st.sampled_from(ROUNDINGS))
def test_a_ratio_is_rounded_once_and_exactly(numerator: int, denominator: int, rounding: str) -> None:
    exact = Fraction(numerator, denominator)
    low = exact.numerator // exact.denominator
    distance = exact - low
    up = {
        "half-up": distance >= Fraction(1, 2),
        "half-even": distance > Fraction(1, 2) or (distance == Fraction(1, 2) and low % 2 == 1),
        "up": distance > 0,
        "down": False,
    }[rounding]
    assert round_ratio(numerator, denominator, rounding) == low + up


@given(st.integers(0, 10**9), st.sampled_from(ROUNDINGS))
def test_rounding_agrees_with_the_decimal_module(thousandths: int, rounding: str) -> None:
    expected = Decimal(thousandths).scaleb(-3).quantize(Decimal("0.01"), MODES[rounding])
    assert to_decimal(round_ratio(thousandths, 10, rounding), 2) == expected


@given(st.integers(0, 10**20 - 1), st.integers(0, 8))
def test_units_and_amounts_are_inverse(units: int, decimals: int) -> None:
    assert to_units(to_decimal(units, decimals), decimals) == units


@pytest.mark.parametrize("text", ["12", "12.3", "0.0001", "999999999999.9999", "007"])
def test_an_amount_has_exactly_the_accounts_scale(text: str) -> None:
    amount = parse_amount(text, 4)
    assert amount == Decimal(text)
    assert amount.as_tuple().exponent == -4


@pytest.mark.parametrize(
    "text", ["", "-1", "+1", "1e3", "1,5", "NaN", "Infinity", "1_000", " 1", "١", ".5", "5.", "1.00001", "1" * 13]
)
def test_anything_else_is_no_amount(text: str) -> None:
    with pytest.raises(AmountError):
        parse_amount(text, 4)


def test_more_decimals_than_asked_for_are_an_error_not_a_rounding() -> None:
    with pytest.raises(AmountError):
        to_units(Decimal("0.125"), 2)
    assert quantum(2) == Decimal("0.01")
