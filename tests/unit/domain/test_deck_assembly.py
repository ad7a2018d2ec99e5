"""interface.md: two prices for one (direction, prefix, origin, instant) in one file, dates, amendments."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain import deck_assembly
from domain.deck_assembly import Assembly, BadRow
from domain.errors import Refused
from domain.instants import format_instant
from domain.rates import Rate
from tests.support.decks import assembled, at, rate


def assemble(rates: list[Rate], starts: str | None = None) -> Assembly:
    assembly = Assembly(at(starts))
    for line, each in enumerate(rates, 1):
        assembly.add(line, each)
    return assembly


def lines_of(assembly: Assembly) -> list[tuple[int, int | None]]:
    assembly.finish()
    return [(bad.line, bad.other_line) for bad in assembly.bad]


def day(instant: int | None) -> str | None:
    return None if instant is None else format_instant(instant)[:10]


def spans(rates: list[Rate]) -> list[tuple[str | None, str | None, str]]:
    """(from, to, price) of rates of one key."""
    prices = [each.terms.blocked or f"{each.terms.slots[0].rate_per_minute:f}" for each in rates]
    dates = [(day(each.effective_from), day(each.effective_to)) for each in rates]
    return [(since, until, price) for (since, until), price in zip(dates, prices, strict=True)]


def test_what_is_said_of_a_bad_row_is_short_however_long_its_cell_is() -> None:
    assembly = Assembly(None)
    assembly.report(BadRow(1, None, "rate", "'" + "9" * 1_000_000 + "' is no price"))
    assert len(assembly.bad[0].reason) < 500


def test_two_prices_for_one_prefix_are_reported_with_both_lines() -> None:
    assembly = assemble([rate("44", "0.1"), rate("33"), rate("44", "0.2")])

    assert lines_of(assembly) == [(3, 1)]
    assert "44" in assembly.bad[0].reason


def test_what_contradicts_itself_is_blocked_as_ambiguous() -> None:
    rates = assemble([rate("44", "0.1"), rate("44", "0.2"), rate("33")]).finish()

    assert [(each.prefix, each.terms.blocked) for each in rates] == [("33", None), ("44", "ambiguous")]


def test_only_that_prefix_origin_and_direction_is_blocked() -> None:
    rates = [
        rate("44", "0.1", origin="1"),
        rate("44", "0.2", origin="1"),
        rate("44", "0.3"),
        rate("44", "0.4", origin="386"),
        rate("44", "0.5", direction="in"),
    ]

    assert [each.terms.blocked for each in assemble(rates).finish()] == [None, None, "ambiguous", None]


def test_the_same_price_twice_is_no_contradiction() -> None:
    assembly = assemble([rate("44", "0.10"), rate("44", "0.1")])

    assert lines_of(assembly) == []
    assert len(assembly.finish()) == 1


def test_a_third_price_contradicts_the_first_line_too() -> None:
    assert lines_of(assemble([rate("44", "0.1"), rate("44", "0.2"), rate("44", "0.3")])) == [(2, 1), (3, 1)]


def test_withdrawn_and_priced_is_a_contradiction_withdrawn_twice_is_none() -> None:
    assert lines_of(assemble([rate("44", "0.1"), rate("44", blocked="withdrawn")])) == [(2, 1)]
    assert lines_of(assemble([rate("44", "0.1", blocked="withdrawn"), rate("44", "0.2", blocked="withdrawn")])) == []


def test_rows_that_contradict_each_other_in_many_prefixes_are_reported_once() -> None:
    assembly = Assembly(None)
    for line, price in ((604, "0.045"), (606, "0.027")):
        for origin in ("2710288", "2710500", "271101"):
            assembly.add(line, rate("27800", price, origin=origin))
    assembly.finish()

    assert assembly.bad_total == 1
    assert (assembly.bad[0].line, assembly.bad[0].other_line) == (606, 604)
    assert assembly.bad[0].reason.endswith("and so have 2 more")


def test_of_a_million_contradictions_the_first_thousand_are_kept_and_all_are_counted() -> None:
    assembly = Assembly(None)
    first, second = rate("44", "0.1"), rate("44", "0.2")
    assembly.add(1, first)
    for line in range(2, 5_002):
        assembly.add(line, second)
    assembly.report(BadRow(6_000, None, "rate", "there is no rate"))
    assembly.finish()

    assert (len(assembly.bad), assembly.bad_total) == (1_000, 5_001)


def test_bad_rows_are_in_the_order_of_their_lines() -> None:
    assembly = assemble(
        [rate("44", "0.1", since="2026-02-01", until="2026-09-01"), rate("44", "0.2", since="2026-03-01")]
    )
    assembly.report(BadRow(9, None, "rate", "there is no rate"))

    assert lines_of(assembly) == [(2, 1), (9, None)]


class TestDates:
    def test_rows_for_times_that_do_not_meet_are_no_contradiction(self) -> None:
        rows = [rate("44", "0.2", since="2026-06-01"), rate("44", "0.1", since="2026-01-01", until="2026-06-01")]

        assert lines_of(assemble(rows)) == []
        assert spans(assembled(rows)) == [("2026-01-01", "2026-06-01", "0.1"), ("2026-06-01", None, "0.2")]

    def test_of_rows_without_an_end_the_later_takes_over_at_its_date(self) -> None:
        rows = [rate("44", "0.1"), rate("44", "0.3", since="2026-09-01"), rate("44", "0.2", since="2026-06-01")]

        assert lines_of(assemble(rows)) == []
        assert spans(assembled(rows)) == [
            (None, "2026-06-01", "0.1"),
            ("2026-06-01", "2026-09-01", "0.2"),
            ("2026-09-01", None, "0.3"),
        ]

    def test_a_row_that_begins_before_the_end_another_gives_is_a_contradiction(self) -> None:
        rows = [rate("44", "0.1", since="2026-01-01", until="2026-07-01"), rate("44", "0.2", since="2026-06-01")]

        assert lines_of(assemble(rows)) == [(2, 1)]
        assert spans(assembled(rows)) == [("2026-01-01", None, "ambiguous")]

    def test_what_holds_for_a_while_inside_another_is_a_contradiction(self) -> None:
        rows = [rate("44", "0.1"), rate("44", "0.05", since="2026-06-01", until="2026-07-01")]

        assert lines_of(assemble(rows)) == [(2, 1)]

    def test_one_price_over_times_that_meet_is_one_rate(self) -> None:
        rows = [rate("44", since="2026-01-01", until="2026-07-01"), rate("44", since="2026-06-01")]

        assert spans(assembled(rows)) == [("2026-01-01", None, "0.1")]

    def test_what_began_before_the_version_begins_with_it(self) -> None:
        rows = [rate("44", since="2026-01-01"), rate("33", since="2026-03-01"), rate("1", since="2026-04-01")]

        assert spans(assembled(rows, "2026-03-01")) == [
            ("2026-04-01", None, "0.1"),
            (None, None, "0.1"),
            (None, None, "0.1"),
        ]

    def test_what_ended_before_the_version_is_left_out(self) -> None:
        rates = assembled([rate("44", until="2026-03-01"), rate("33")], "2026-03-01")

        assert [each.prefix for each in rates] == ["33"]

    def test_of_dated_rows_before_the_start_the_last_is_in_force_at_it(self) -> None:
        rows = [rate("44", "0.1", since="2026-01-01"), rate("44", "0.2", since="2026-02-01")]

        assert spans(assembled(rows, "2026-03-01")) == [(None, None, "0.2")]

    def test_at_the_start_a_row_without_a_date_and_one_with_an_earlier_date_contradict_each_other(self) -> None:
        for since in ("2026-01-01", "2026-03-01"):
            assert len(lines_of(assemble([rate("44", "0.1"), rate("44", "0.2", since=since)], "2026-03-01"))) == 1


class TestAmendment:
    PREVIOUS = assembled([rate("44", "0.1"), rate("44", "0.2", origin="1"), rate("33", "0.3")])

    def test_it_starts_from_the_previous_version(self) -> None:
        rates = assemble([rate("44", "0.5"), rate("7", "0.7")]).finish(self.PREVIOUS)

        assert [(each.prefix, each.origin, spans([each])[0][2]) for each in rates] == [
            ("33", None, "0.3"),
            ("44", None, "0.5"),
            ("44", "1", "0.2"),
            ("7", None, "0.7"),
        ]

    def test_what_is_kept_takes_part_in_no_contradiction(self) -> None:
        assembly = assemble([rate("44", "0.5")])
        assembly.finish(self.PREVIOUS)

        assert assembly.bad_total == 0

    def test_dates_that_have_passed_are_dropped_from_what_is_kept(self) -> None:
        previous = assembled([rate("44", since="2026-02-01"), rate("33", until="2026-02-01")])

        assert spans(assemble([rate("7")], "2026-03-01").finish(previous)) == [(None, None, "0.1"), (None, None, "0.1")]


def test_a_deck_has_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deck_assembly, "MAX_RATES", 3)

    with pytest.raises(Refused, match="at most 3 rates"):
        assemble([rate(str(prefix)) for prefix in range(1, 5)])


days = st.none() | st.integers(1, 9).map(lambda day: f"2026-03-0{day}")


@given(
    st.lists(st.tuples(days, days, st.sampled_from(("0.1", "0.2"))), min_size=1, max_size=6),
    st.sampled_from((None, "2026-03-01", "2026-03-05")),
)
def test_at_each_instant_one_price_is_in_force_and_a_second_import_changes_nothing(
    rows: list[tuple[str | None, str | None, str]], starts: str | None
) -> None:
    possible = [(since, until, price) for since, until, price in rows if not (since and until and since >= until)]
    assembly = assemble([rate("44", price, since=since, until=until) for since, until, price in possible], starts)
    rates = assembly.finish()

    for number in range(1, 10):
        instant = at(f"2026-03-0{number}T12:00:00Z")
        assert instant is not None
        in_force = [r for r in rates if (r.effective_from or 0) <= instant < (r.effective_to or 1 << 62)]
        claimed = {
            price
            for since, until, price in rows
            if not (since and until and since >= until) and (at(since) or 0) <= instant < (at(until) or 1 << 62)
        }
        assert len(in_force) <= 1
        if len(claimed) == 1 and not assembly.bad and instant >= (at(starts) or 0):
            assert spans(in_force)[0][2] in claimed
    again = assemble(rates, starts)
    assert spans(again.finish()) == spans(rates)
    assert again.bad_total == 0
