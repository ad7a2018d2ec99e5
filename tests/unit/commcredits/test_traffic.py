"""Simulated traffic is like real traffic (SOURCES.md, workload figures), and the same for the same seed."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from itertools import pairwise

import pytest

from commcredits.simulate import start_for
from commcredits.traffic import account_ids, days_of, generate
from consumers.decode import decode_message
from domain.numbers import Number, country_of
from domain.usage import Usage, charged_direction, is_conference, rated_number

START = datetime(2026, 11, 16, tzinfo=UTC)


@pytest.fixture(scope="module")
def traffic() -> list[Usage]:
    usages = [decode_message(message.value) for message in generate(100, 30_000, 7, START)]
    return [usage for usage in usages if isinstance(usage, Usage)]


def test_every_message_is_taken(traffic: list[Usage]) -> None:
    assert len(traffic) == 30_000
    assert len({usage.usage_id for usage in traffic}) == 30_000
    assert {usage.account_id for usage in traffic} == set(account_ids(100))


def test_the_same_seed_and_start_give_the_same_traffic() -> None:
    first = list(generate(10, 500, 7, START))
    assert list(generate(10, 500, 7, START)) == first
    for seed, start in ((8, START), (7, datetime(2026, 11, 17, tzinfo=UTC))):
        ids = {message.value[:49] for message in generate(10, 500, seed, start)}
        assert not ids & {message.value[:49] for message in first}


def test_60_percent_of_calls_end_within_90_seconds_and_they_last_three_minutes_on_average(traffic: list[Usage]) -> None:
    durations = [usage.duration_seconds for usage in traffic]
    assert 0.58 < sum(seconds <= 90 for seconds in durations) / len(durations) < 0.64
    assert 160 < sum(durations) / len(durations) < 190
    assert max(durations) <= 4 * 3600
    assert 0.01 < durations.count(0) / len(durations) < 0.03


def test_the_busy_hour_has_an_eighth_of_the_day_and_little_comes_after_six(traffic: list[Usage]) -> None:
    hours = Counter(usage.started_at // 3_600_000_000 % 24 for usage in traffic)
    shares = {hour: count / len(traffic) for hour, count in hours.items()}
    assert 1 / 10 < shares[10] < 1 / 8
    assert shares[12] < shares[11] / 1.5
    assert 0.75 < shares[14] / shares[10] < 0.85
    assert sum(share for hour, share in shares.items() if hour >= 18) < 0.1


def test_usage_comes_in_the_order_of_its_start(traffic: list[Usage]) -> None:
    starts = [usage.started_at for usage in traffic]
    assert all(later - earlier > -60_000_000 for earlier, later in pairwise(starts))


def test_what_is_charged_has_a_number_of_a_country(traffic: list[Usage]) -> None:
    charged = [usage for usage in traffic if charged_direction(usage)]
    numbers = [rated_number(usage) for usage in charged]
    assert all(isinstance(number, Number) and country_of(number.digits) for number in numbers)
    assert 0.4 < len(charged) / len(traffic) < 0.7
    assert {charged_direction(usage) for usage in traffic} == {"out", "in", None}


def test_conferences_have_legs_that_share_an_id(traffic: list[Usage]) -> None:
    legs = Counter(usage.conference_id for usage in traffic if is_conference(usage.call_type))
    assert "" not in legs
    assert max(legs.values()) > 2
    assert {usage.conference_id for usage in traffic if not is_conference(usage.call_type)} == {""}


def test_a_message_says_which_topic_is_its_own() -> None:
    for message in generate(3, 300, 1, START):
        usage = decode_message(message.value)
        assert isinstance(usage, Usage)
        assert message.is_conference == is_conference(usage.call_type)
        assert message.account_id == usage.account_id


@pytest.mark.parametrize(("accounts", "usages"), [(1, 1), (1, 10**10), (50, 123_456)])
def test_no_usage_starts_in_the_future(accounts: int, usages: int) -> None:
    now = datetime(2026, 11, 24, 13, 57, tzinfo=UTC)
    start = start_for(accounts, usages, now)
    assert 1 <= days_of(accounts, usages) <= 365
    assert (datetime(2026, 11, 24, tzinfo=UTC) - start).days == days_of(accounts, usages)


def test_as_many_usages_as_asked_for_come() -> None:
    for count in (1, 2, 23, 24, 25, 1000, 1001):
        assert len(list(generate(3, count, 1, START))) == count
