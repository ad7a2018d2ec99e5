"""interface.md: decimal commas, currency signs, `N/A`, `60/1`, whole numbers for fractions, withdrawn and closed."""

from contextlib import suppress
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consumers.deck_files.cells import is_closed, read_flag, read_increments, read_price

ONE = Decimal(1)


@pytest.mark.parametrize(
    ("cell", "amount"),
    [
        ("0.0495", "0.0495"),
        ("0,0495", "0.0495"),
        (" 0.05 ", "0.05"),
        (".05", "0.05"),
        ("5.", "5"),
        ("$0.05", "0.05"),
        ("0.05 ₹", "0.05"),
        (' "0.05"', "0.05"),
        ("1,234.56", "1234.56"),
        ("1.234,56", "1234.56"),
        ("1'234.56", "1234.56"),
        ("1,234,567", "1234567"),
        ("0,045", "0.045"),
        ("1e-05", "0.00001"),
        ("0.000001", "0.000001"),
    ],
)
def test_a_price_as_people_write_it(cell: str, amount: str) -> None:
    assert read_price(cell, ONE, decimal_comma=False) == (Decimal(amount), "")


def test_a_price_may_name_its_currency() -> None:
    for cell in ("USD 0.05", "USD0.05", "US$ 0.05", "0.05USD"):
        assert read_price(cell, ONE, decimal_comma=False) == (Decimal("0.05"), "USD")
    for cell in ("0.05 EUR", "0,05 €", "€0.05"):
        assert read_price(cell, ONE, decimal_comma=False) == (Decimal("0.05"), "EUR")


@pytest.mark.parametrize("cell", ["", " ", "N/A", "n/a", "-", "null"])
def test_a_cell_may_hold_no_price(cell: str) -> None:
    assert read_price(cell, ONE, decimal_comma=False) == (None, "")


def test_a_comma_that_may_be_either_is_not_decided_silently() -> None:
    with pytest.raises(ValueError, match=r"'1,250' may be 1.250 or 1250"):
        read_price("1,250", ONE, decimal_comma=False)
    assert read_price("1,250", ONE, decimal_comma=True)[0] == Decimal("1.250")


def test_whole_numbers_may_stand_for_fractions() -> None:
    assert read_price("495", Decimal("0.0001"), decimal_comma=False)[0] == Decimal("0.0495")


@pytest.mark.parametrize(
    "cell",
    [
        "-0.05",
        "abc",
        "0.05.1",
        "NaN",
        "Infinity",
        "1_000",
        "٠.٥",
        "1e400",
        "1" * 13,
        "0.0300000000000004",
        "0.0" + "9" * 40,
        "0.05%",
        "XQQ 1",
    ],
)
def test_what_is_no_price_is_refused(cell: str) -> None:
    with pytest.raises(ValueError):
        read_price(cell, ONE, decimal_comma=False)


@given(st.text("0123456789.,-+eE$€ USD'", max_size=20) | st.text(max_size=10), st.booleans())
def test_any_cell_gives_an_exact_price_or_says_what_is_wrong(cell: str, decimal_comma: bool) -> None:
    with suppress(ValueError):
        amount, _ = read_price(cell, ONE, decimal_comma)
        assert amount is None or 0 <= amount < 10**12


@pytest.mark.parametrize(
    ("cell", "seconds"),
    [
        ("60/1", (60, 1)),
        ("30 / 6", (30, 6)),
        ("60", (60, None)),
        ("60s", (60, None)),
        ("6 sec", (6, None)),
        ("", (None, None)),
        ("N/A", (None, None)),
    ],
)
def test_increments_in_one_cell(cell: str, seconds: tuple[int | None, int | None]) -> None:
    assert read_increments(cell) == seconds


@pytest.mark.parametrize("cell", ["60/1/1", "per minute", "-1", "1.5", "/", "60/"])
def test_what_is_no_increment_is_refused(cell: str) -> None:
    with pytest.raises(ValueError):
        read_increments(cell)


def test_flags() -> None:
    assert [read_flag(cell) for cell in ("1", "yes", "TRUE", "x")] == [True] * 4
    assert [read_flag(cell) for cell in ("0", "no", "False", "", "N/A")] == [False] * 5
    with pytest.raises(ValueError):
        read_flag("maybe")


def test_closed_in_a_status_column_withdraws() -> None:
    assert is_closed(" Closed ")
    assert not is_closed("Active")
    assert not is_closed("Increase")
