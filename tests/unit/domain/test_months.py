"""Months in a zone, and months added to an instant."""

from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import Invalid
from domain.months import Months, add_months, check_zone, next_month, to_datetime, utc_month
from tests.support.given import at

instants = st.integers(at("1990-01-01"), at("2090-01-01"))
zones = st.sampled_from(["UTC", "Europe/Ljubljana", "America/New_York", "Pacific/Kiritimati", "Pacific/Apia"])


@given(instants, zones)
def test_the_month_of_an_instant_is_that_of_the_zones_calendar(instant: int, zone: str) -> None:
    local = to_datetime(instant).astimezone(ZoneInfo(zone))
    assert Months([(0, zone)]).of(instant) == local.year * 100 + local.month


@given(st.lists(instants, max_size=20), zones, zones, st.integers(2000, 2080), st.integers(1, 12))
def test_every_instant_lies_in_one_month_even_where_the_zone_changes(
    moments: list[int], old: str, new: str, year: int, month: int
) -> None:
    months = Months([(0, old)])
    months.change(new, year * 100 + month)
    for moment in moments:
        found = months.of(moment)
        assert months.start(found) <= moment < months.end(found)


@pytest.mark.parametrize(
    ("moment", "months", "later"),
    [
        ("2025-11-24T10:00:00.000001Z", 12, "2026-11-24T10:00:00.000001Z"),
        ("2024-02-29T00:00:00Z", 12, "2025-02-28T00:00:00Z"),
        ("2023-12-31T23:59:59Z", 2, "2024-02-29T23:59:59Z"),
        ("2025-12-31T00:00:00Z", 1, "2026-01-31T00:00:00Z"),
    ],
)
def test_a_day_that_is_not_there_becomes_the_months_last(moment: str, months: int, later: str) -> None:
    assert add_months(at(moment), months) == at(later)


def test_months_beyond_the_calendar_and_unknown_zones_are_refused() -> None:
    with pytest.raises(Invalid):
        add_months(at("2026-01-01"), 12 * 9000)
    for zone in ("Mars/Olympus", "../etc/passwd", ""):
        with pytest.raises(Invalid):
            check_zone(zone)


def test_december_is_followed_by_january_and_days_have_months() -> None:
    assert (next_month(202612), next_month(202611)) == (202701, 202612)
    assert utc_month(at("2026-11-30T23:59:59.999999Z")) == 202611
