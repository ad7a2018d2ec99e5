"""What people write for amounts, times, durations and names."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from commcredits import values


@pytest.mark.parametrize(("text", "amount"), [("0", "0"), ("50", "50"), ("12.3400", "12.3400"), ("007.5", "7.5")])
def test_an_amount_is_digits_and_one_point(text: str, amount: str) -> None:
    assert values.amount(text) == Decimal(amount)


@pytest.mark.parametrize(
    "text", ["", "-1", "+1", "1,5", "1.", ".5", "1e3", " 1", "1_000", "NaN", "Infinity", "٣", "1" * 13, "0." + "1" * 13]
)
def test_anything_else_is_no_amount(text: str) -> None:
    with pytest.raises(ValueError, match="is digits and one point"):
        values.amount(text)


@pytest.mark.parametrize("text", ["a", "contoso", "Contoso.EU_1@x-y", "9", "a" * 128])
def test_account_ids_are_taken_as_they_are(text: str) -> None:
    assert values.account_id(text) == text


@pytest.mark.parametrize("text", ["", "-a", ".a", "a b", "a/b", "č", "a" * 129, "a\n"])
def test_other_account_ids_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="begins with a letter or digit"):
        values.account_id(text)


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("2026-11-22T10:00:00Z", "2026-11-22T10:00:00Z"),
        ("2026-11-22t10:00:00z", "2026-11-22T10:00:00Z"),
        ("2026-11-22 10:00:00Z", "2026-11-22T10:00:00Z"),
        ("2026-11-22T10:00:00+01:00", "2026-11-22T09:00:00Z"),
        ("2026-11-22T10:00:00-05:30", "2026-11-22T15:30:00Z"),
        ("2026-11-22T23:59:59.9999999Z", "2026-11-22T23:59:59.999999Z"),
        ("2026-11-22T10:00:00.5Z", "2026-11-22T10:00:00.500000Z"),
        ("2026-11-22", "2026-11-22T00:00:00Z"),
        ("1969-12-31T23:59:59.5Z", "1969-12-31T23:59:59.500000Z"),
    ],
)
def test_a_time_has_its_zone_and_is_cut_to_microseconds(text: str, written: str) -> None:
    assert values.time_text(values.instant(text)) == written


@pytest.mark.parametrize(
    "text",
    [
        "", "now", "2026-11-22T10:00:00", "2026-11-22T10:00Z", "2026-13-01", "2026-02-30", "2026-11-22T24:00:00Z",
        "2026-11-22T10:00:60Z", "0001-01-01", "9999-01-01", "2026-11-22T10:00:00+15:00", "2026-11-22T10:00:00+01:60",
        "22.11.2026", "2026-11-22T10:00:00Z ", "٢٠٢٦-11-22",
    ],
)  # fmt: skip
def test_other_times_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"is a (date|time)"):
        values.instant(text)


@given(
    st.integers(values.instant("1900-01-02"), values.instant("8999-12-30")),
    st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes))),
)
def test_a_time_survives_being_written_and_read(at: int, zone: timezone) -> None:
    assert values.instant(values.time_text(at)) == at
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=at)
    assert values.instant(moment.astimezone(zone).isoformat()) == at


def test_a_to_date_is_inclusive_and_a_to_time_is_where_it_ends() -> None:
    assert values.end_instant("2026-11-22") == values.instant("2026-11-23")
    assert values.end_instant("2026-11-22T10:00:00Z") == values.instant("2026-11-22T10:00:00Z")


@pytest.mark.parametrize(
    ("text", "seconds"), [("72h", 259_200), ("30d", 2_592_000), ("90m", 5400), ("45s", 45), ("0h", 0)]
)
def test_a_duration_is_a_whole_number_with_its_unit(text: str, seconds: int) -> None:
    assert values.duration_seconds(text) == seconds
    assert values.duration_text(seconds) == text


@given(st.integers(0, 366 * 86_400))
def test_a_duration_survives_being_written_and_read(seconds: int) -> None:
    assert values.duration_seconds(values.duration_text(seconds)) == seconds


@pytest.mark.parametrize("text", ["", "72", "h", "1.5h", "-1h", "72 h", "72H", "1w", "1h30m"])
def test_other_durations_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="such as 72h"):
        values.duration_seconds(text)


@pytest.mark.parametrize("text", ["367d", "8785h", "100000000h"])
def test_a_duration_that_would_leave_the_calendar_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="at most 366d"):
        values.duration_seconds(text)


@pytest.mark.parametrize(
    ("read", "text", "value"),
    [
        (values.yes_no, "yes", True),
        (values.yes_no, "no", False),
        (values.country, "si", "SI"),
        (values.currency, "eur", "EUR"),
        (values.time_zone, "Europe/Ljubljana", "Europe/Ljubljana"),
        (values.whole(0, 8), "8", 8),
        (values.choice("rated", "as-priced"), "rated", "rated"),
        (values.name, "Contoso d.o.o.", "Contoso d.o.o."),
    ],
)
def test_what_is_taken(read: Callable[[str], Any], text: str, value: object) -> None:
    assert read(text) == value


@pytest.mark.parametrize(
    ("read", "text", "says"),
    [
        (values.yes_no, "true", "is yes or no"),
        (values.country, "SVN", "two letters"),
        (values.country, "ŠI", "two letters"),
        (values.country, "ZZ", "two letters"),
        (values.country, "uk", "did you mean GB?"),
        (values.currency, "EURO", "ISO 4217"),
        (values.currency, "XXX", "ISO 4217"),
        (values.time_zone, "Europe/Lubljana", "did you mean Europe/Ljubljana?"),
        (values.time_zone, "../etc/passwd", "IANA"),
        (values.whole(0, 8), "9", "from 0 to 8"),
        (values.whole(0, 8), "²", "from 0 to 8"),
        (values.whole(0, 8), "9" * 5000, "from 0 to 8"),
        (values.choice("rated", "as-priced"), "as_priced", r"did you mean as-priced\?"),
        (values.name, "", "1 to 200"),
        (values.name, "a\x07", "control"),
        (values.name, "a\x9b", "control"),
        (values.name, "\udcff", "UTF-8"),
    ],
)
def test_what_is_refused_says_what_is_wanted(read: Callable[[str], Any], text: str, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        read(text)


@pytest.mark.parametrize(
    "text", ["4242424242424242", "4242 4242 4242 4242", "4242-4242-4242-4242", "", "pm 1", "p" * 101]
)
def test_a_cards_number_is_no_token_and_is_not_repeated(text: str) -> None:
    assert values.card_token("pm_1Qx0") == "pm_1Qx0"
    with pytest.raises(ValueError, match="never a card's number") as told:
        values.card_token(text)
    assert "4242" not in str(told.value)
