"""interface.md: dates of a deck, and when a person is asked how they are written."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consumers.deck_files.dates import Dates, Undecided
from tests.support.decks import at


@pytest.mark.parametrize(
    "cell",
    [
        "2026-09-23",
        "2026/09/23",
        "2026.09.23",
        "20260923",
        "2026-09-23 00:00:00",
        "2026-09-23T00:00:00Z",
        "2026-09-23T02:00:00+02:00",
        "23/09/2026",
        "23-09-2026",
        "23.09.2026",
        "23/09/26",
        "9/23/2026",
        "23-Sep-2026",
        "23 September 2026",
        "Sep 23, 2026",
        "23-Sep-26",
        "23/09/2026 00:00",
    ],
)
def test_a_date_that_says_by_itself_what_it_is(cell: str) -> None:
    assert Dates().read(cell) == at("2026-09-23")


def test_a_fraction_of_a_second_is_kept() -> None:
    assert Dates().read("2026-09-23T10:00:00.000001Z") == at("2026-09-23T10:00:00.000001Z")
    for written in ("10:00:00 UTC", "12:00:00+02", "12:30:00+0230", "07:30:00 -02:30"):  # as databases write them, too
        assert Dates().read(f"2026-09-23 {written}") == at("2026-09-23T10:00:00Z")


@pytest.mark.parametrize("cell", ["ASAP", "asap", "immediate", "", "N/A", "0000-00-00 00:00:00", "0001-01-01"])
def test_no_date_means_the_versions_start(cell: str) -> None:
    assert Dates().read(cell) is None


def test_a_last_day_counts_whole_and_a_last_time_is_an_instant() -> None:
    assert Dates().read("2026-12-31", end=True) == at("2027-01-01")
    assert Dates().read("31/12/2026", end=True) == at("2027-01-01")
    assert Dates().read("2026-12-31 12:00:00", end=True) == at("2026-12-31T12:00:00Z")
    assert Dates().read("9999-12-31", end=True) is None


def test_a_date_that_may_be_two_is_undecided_until_another_tells() -> None:
    dates = Dates()
    with pytest.raises(Undecided):
        dates.read("10/09/2026")

    dates.read("23/09/2026")

    assert dates.read("10/09/2026") == at("2026-09-10")


def test_the_month_may_come_first() -> None:
    dates = Dates()
    dates.read("09/23/2026")

    assert dates.read("09/10/2026") == at("2026-09-10")


def test_a_day_and_month_of_one_number_need_no_decision() -> None:
    assert Dates().read("09/09/2026") == at("2026-09-09")


def test_points_always_mean_day_first() -> None:
    assert Dates().read("10.09.2026") == at("2026-09-10")


def test_dates_the_other_way_round_are_refused() -> None:
    dates = Dates()
    dates.read("23/09/2026")

    with pytest.raises(ValueError, match="the other way round"):
        dates.read("09/23/2026")


@pytest.mark.parametrize("date_format", ["dd/mm/yyyy", "%d/%m/%Y", "DD/MM/YYYY"])
def test_a_person_may_say_how_dates_are_written(date_format: str) -> None:
    assert Dates(date_format).read("10/09/2026") == at("2026-09-10")
    assert Dates("mm/dd/yyyy").read("10/09/2026") == at("2026-10-09")
    assert Dates("mm-dd-yyyy").read("10-09-2026 12:30") == at("2026-10-09T12:30:00Z")
    assert Dates(date_format).read("10/09/2026 12:30:00") == at("2026-09-10T12:30:00Z")
    assert Dates("dd/mm/yyyy hh:mm").read("10/09/2026 12:30") == at("2026-09-10T12:30:00Z")


def test_a_date_in_another_form_than_was_said_is_refused_but_for_iso() -> None:
    dates = Dates("dd/mm/yyyy")

    assert dates.read("2026-09-10") == at("2026-09-10")
    with pytest.raises(ValueError):
        dates.read("09/23/2026")


@pytest.mark.parametrize(
    "cell",
    ["2026-02-30", "31/02/2026", "0001-01-02", "46288", "soon", "23/09", "1/1/1", "2026-09-23 25:00:00", "12/2026"],
)
def test_what_is_no_date_is_refused(cell: str) -> None:
    with pytest.raises(ValueError):
        Dates().read(cell)


@given(st.text("0123456789/-. :TZ+SepASAP", max_size=24) | st.text(max_size=12), st.booleans())
def test_any_cell_gives_a_date_or_says_what_is_wrong(cell: str, end: bool) -> None:
    with suppress(ValueError, Undecided):
        assert Dates().read(cell, end) != 0


@pytest.mark.parametrize("cell", ["46288", "46288.5"])
def test_a_spreadsheets_number_of_a_day_is_told_from_a_wrong_date(cell: str) -> None:
    with pytest.raises(ValueError, match="spreadsheet's number of a day"):
        Dates().read(cell)
