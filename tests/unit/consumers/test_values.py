"""Times, durations, prices and ids as text: what is taken, to which value, and what is not."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consumers.values import (
    check_account_id,
    check_text,
    duration_of_number,
    parse_currency,
    parse_duration,
    parse_price,
    parse_time,
    price_of_number,
)

YEAR_2000_AT = 946_684_800_000_000
YEAR_9999_AT = 253_370_764_800_000_000
DAY_AT = 1_795_305_600_000_000  # 2026-11-22T00:00:00Z


@pytest.mark.parametrize(
    ("text", "after_midnight"),
    [
        ("2026-11-22T10:00:00Z", 36_000_000_000),
        ("2026-11-22t10:00:00z", 36_000_000_000),
        ("2026-11-22 10:00:00+00:00", 36_000_000_000),
        ("2026-11-22 10:00:00.5000000 +02:00", 28_800_500_000),
        ("2026-11-21T23:30:00-05:30", 18_000_000_000),
        ("2026-11-22T00:00:00.000001Z", 1),
        ("2026-11-22T00:00:00.1Z", 100_000),
    ],
)
def test_a_time_is_microseconds_in_utc(text: str, after_midnight: int) -> None:
    assert parse_time(text) == DAY_AT + after_midnight


def test_the_seventh_digit_of_a_second_is_cut_and_never_rounded() -> None:
    assert parse_time("2026-11-22T23:59:59.9999999Z") == DAY_AT + 86_400_000_000 - 1
    assert parse_time("2026-11-22T00:00:00." + "9" * 30 + "Z") == DAY_AT + 999_999


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("2026-11-22T10:00:00", "no time zone"),
        ("1999-12-31T23:59:59Z", "before the year 2000"),
        ("2000-01-01T00:00:00+01:00", "before the year 2000"),
        ("0001-01-01T00:00:00Z", "before the year 2000"),
        ("0001-01-01T00:00:00+14:00", "before the year 2000"),
        ("2026-02-30T10:00:00Z", "no time"),
        ("2026-11-22T24:00:00Z", "no time"),
        ("2026-11-22T23:59:60Z", "no time"),
        ("2026-11-22", "no time"),
        ("2026-W47-7T10:00:00Z", "no time"),
        ("20261122T100000Z", "no time"),
        ("2026-11-22T10:00Z", "no time"),
        ("2026-11-22x10:00:00Z", "no time"),
        ("2026-11-22T10:00:00,5Z", "no time"),
        ("2026-11-22T10:00:00.Z", "no time"),
        ("2026-11-22T10:00:00+25:00", "no time"),
        ("٢٠٢٦-11-22T10:00:00Z", "no time"),
        (" 2026-11-22T10:00:00Z", "no time"),
        ("2026-11-22T10:00:00Z\n", "no time"),
        ("", "no time"),
    ],
)
def test_what_is_no_time_from_2000_on_with_a_zone_is_refused(text: str, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        parse_time(text)


def test_a_format_that_says_utc_needs_no_zone() -> None:
    assert parse_time("2026-11-22T10:00:00", utc_assumed=True) == DAY_AT + 36_000_000_000
    assert parse_time("2026-11-22T10:00:00+02:00", utc_assumed=True) == DAY_AT + 28_800_000_000


@given(st.integers(YEAR_2000_AT, YEAR_9999_AT), st.integers(-1439, 1439))
def test_every_time_at_any_offset_is_the_instant_it_names(at: int, offset_minutes: int) -> None:
    instant = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=at)
    local = instant.astimezone(timezone(timedelta(minutes=offset_minutes)))

    assert parse_time(local.isoformat(timespec="microseconds")) == at


def test_a_duration_is_whole_seconds_however_it_is_written() -> None:
    assert parse_duration("0125") == 125
    assert {duration_of_number(text) for text in ("125.0", "1.25e2", "1250E-1")} == {125}
    assert duration_of_number("-0.0") == 0
    assert parse_duration("2678400") == 2_678_400


@pytest.mark.parametrize("text", ["", "-1", "+1", "1.0", "1e2", " 1", "1_0", "٣", "2678401", "1" * 5000, "None"])
def test_a_duration_in_text_is_digits_up_to_31_days(text: str) -> None:
    with pytest.raises(ValueError, match="seconds"):
        parse_duration(text)


@pytest.mark.parametrize(
    "number",
    ["0.5", "-1.0", "1e7", "1e999999999", "1e-999999999", "1e-99999999999999999999", "2678400.0000000000000001"],
)
def test_a_duration_that_is_no_whole_number_of_seconds_is_refused(number: str) -> None:
    with pytest.raises(ValueError, match=r"seconds|out of range"):
        duration_of_number(number)


@pytest.mark.parametrize("text", ["0", "0.13", "999999999999.999999999999", "000000000001", "1.50"])
def test_a_price_is_its_digits(text: str) -> None:
    price = parse_price(text)
    assert price == Decimal(text)
    assert str(price) == str(Decimal(text))


@pytest.mark.parametrize(
    "text",
    [
        "NaN", "Infinity", "-Infinity", "sNaN", "1_000", " 1", "1 ", "١٢", "1e2", "1E2", "-1", "+1", "-0", "", ".5",
        "5.", "1,5", "1000000000000", "0.0000000000001", "1.2.3", "0x1", "1\n",
    ],
)  # fmt: skip
def test_a_price_in_text_has_digits_and_one_point_only(text: str) -> None:
    with pytest.raises(ValueError, match="amount"):
        parse_price(text)


@pytest.mark.parametrize(
    ("number", "value"),
    [
        ("1.3e-1", "0.13"),
        ("13E-2", "0.13"),
        ("1e2", "100"),
        ("-0.0", "0.0"),
        ("0.00", "0.00"),
        ("1e-12", "1E-12"),
    ],
)
def test_a_json_number_may_have_an_exponent(number: str, value: str) -> None:
    assert str(price_of_number(number)) == value


@pytest.mark.parametrize(
    "number", ["-0.5", "1e12", "1e-13", "1e999999999", "1e-99999999999999999999", "0.1000000000000"]
)
def test_a_json_number_has_at_most_12_digits_on_either_side(number: str) -> None:
    with pytest.raises(ValueError, match=r"amount|out of range"):
        price_of_number(number)


@given(st.decimals(0, 999_999_999_999, places=12, allow_nan=False, allow_infinity=False))
def test_a_price_never_goes_through_a_float(price: Decimal) -> None:
    assert parse_price(format(price, "f")) == price
    assert price_of_number(format(price, "e") if price else "0e0") == price


@pytest.mark.parametrize("text", ["a", "9", "A.b_c@d-e", "x" * 128])
def test_an_account_id_has_letters_digits_and_a_few_signs(text: str) -> None:
    assert check_account_id(text) == text


@pytest.mark.parametrize("text", ["", ".a", "@a", "a b", "ä", "x" * 129, "a\n", "a/b"])
def test_another_account_id_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="account id"):
        check_account_id(text)


def test_a_currency_is_three_letters_in_upper_case() -> None:
    assert parse_currency("eur") == "EUR"
    for text in ("EURO", "€", "E1R", "ÉUR", ""):
        with pytest.raises(ValueError, match="currency"):
            parse_currency(text)


@pytest.mark.parametrize("character", ["\0", "\t", "\n", "\x1f", "\x7f", "\x80", "\x9f"])
def test_a_control_character_is_named_with_its_place(character: str) -> None:
    with pytest.raises(ValueError, match=f"U\\+{ord(character):04X} at character 3"):
        check_text(f"ab{character}c")
