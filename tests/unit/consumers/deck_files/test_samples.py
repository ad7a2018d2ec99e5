"""The decks in tests/samples/decks, as their writers left them."""

import pytest

from domain.deck_assembly import Assembly, BadRow
from domain.errors import Refused
from domain.rates import Rate
from tests.support.deck_files import SAMPLES, Read, day, first_price, increments
from tests.support.decks import at


def sample(name: str) -> Read:
    return Read((SAMPLES / name).read_bytes())


def assembled(read: Read, starts: str | None = None) -> tuple[list[Rate], list[BadRow]]:
    assembly = Assembly(at(starts))
    for line, rate in read.lines:
        assembly.add(line, rate)
    return assembly.finish(), assembly.bad


def test_a_published_price_list_is_read_whole_and_its_one_conflict_is_found() -> None:
    read = sample("twilio_outbound_voice_pricing.csv")

    assert read.bad == []
    assert read.ignored_columns == ["ISO"]
    assert len({line for line, _ in read.lines}) == 610
    assert sum(len({rate.prefix for rate in rates}) for rates in by_line(read).values()) == 16_984
    rates, conflicts = assembled(read)
    assert [(bad.line, bad.other_line) for bad in conflicts] == [(606, 604)]
    assert conflicts[0].reason.startswith("27800 from ")
    assert {rate.prefix for rate in rates if rate.terms.blocked} == {"27800"}
    assert len({rate.prefix for rate in rates}) == 14_194


def by_line(read: Read) -> dict[int, list[Rate]]:
    found: dict[int, list[Rate]] = {}
    for line, rate in read.lines:
        found.setdefault(line, []).append(rate)
    return found


def test_a_carriers_notice_equals_its_expected_flat_form() -> None:
    notice, expected = (sample(f"tcxc_acme_rate_notice.{kind}.csv") for kind in ("illustrative", "expected"))

    # the flat form writes ASAP for what holds at the notice's issue, 16/09/2026
    flat = [
        [
            (
                rate.prefix,
                rate.effective_from,
                rate.effective_to,
                first_price(rate),
                increments(rate),
                rate.terms.blocked,
            )
            for rate in assembled(read, "2026-09-16")[0]
        ]
        for read in (notice, expected)
    ]

    assert flat[0] == flat[1]
    assert len(flat[0]) == 25
    assert (notice.bad, expected.bad) == ([], [])
    assert notice.currency == "USD"
    assert (notice.ignored_columns, expected.ignored_columns) == (["Network"], ["Rate Id"])


def test_the_notices_dates_are_read_day_first_since_one_of_them_tells() -> None:
    rates = {rate.prefix: rate for rate in sample("tcxc_acme_rate_notice.illustrative.csv").rates}

    assert day(rates["49"].effective_from) == "2026-09-10"
    assert day(rates["521"].effective_from) == "2026-10-01"
    assert rates["234805"].terms.blocked == "withdrawn"


def test_an_export_with_a_byte_order_mark() -> None:
    read = sample("astpp_export_with_BOM.csv")

    assert [(rate.prefix, rate.name, first_price(rate), increments(rate)) for rate in read.rates] == [
        ("36", "24.9999", "0", "25/25")
    ]
    assert f"{read.rates[0].terms.connection_fee:f}" == "0.383"
    assert read.currency == "USD"
    assert "Grace Time" in read.ignored_columns


def test_a_header_without_a_price_is_refused_by_what_it_lacks() -> None:
    with pytest.raises(
        Refused, match=r"header in line 1 \(Code, Destination, Country\) has no column for the rate"
    ) as no:
        sample("astpp_ratedeck_sample.csv")

    assert no.value.code == "deck_column_missing"
