"""domain.md, *Rates*, design.md and interface.md: which rate holds for a number, a caller, a direction and a time."""

from hypothesis import given
from hypothesis import strategies as st

from domain.numbers import Number
from domain.rates import Rate
from domain.tariff import Deck, Match
from tests.support.decks import assembled, deck, find, price_of, rate, terms, version


def test_the_longest_destination_prefix_wins() -> None:
    rates = deck((None, [rate("44", "0.02"), rate("447", "0.10"), rate("4479", "0.12")]))

    assert [price_of(find(rates, number)) for number in ("+442071", "+44771", "+44790")] == ["0.02", "0.1", "0.12"]


def test_a_rate_depends_on_the_destination_not_on_who_calls_from_where() -> None:
    rates = deck((None, [rate("44", "0.02"), rate("386", "0.05")]))

    assert {price_of(find(rates, "+442071", origin=caller)) for caller in ("+38641", "+1202", "+442", None)} == {"0.02"}


def test_the_match_names_the_prefixes_and_the_version_it_was_found_by() -> None:
    found = find(deck((None, [rate("44", origin="386")])), "+442071", origin="+38641")

    assert isinstance(found, Match)
    assert (found.prefix, found.origin_prefix, found.version.version) == ("44", "386", 1)


def test_a_number_that_no_prefix_begins_has_no_rate() -> None:
    assert find(deck((None, [rate("44")])), "+49301") == "no_rate"


def test_the_empty_prefix_rates_every_number() -> None:
    rates = deck((None, [rate("", "0.50"), rate("44", "0.02")]))

    assert price_of(find(rates, "+1")) == "0.5"
    assert price_of(find(rates, "+88216")) == "0.5"
    assert price_of(find(rates, "+44207")) == "0.02"


def test_a_number_shorter_than_a_prefix_does_not_match_it() -> None:
    rates = deck((None, [rate("44", "0.02"), rate("44207", "0.01")]))

    assert price_of(find(rates, "44")) == "0.02"
    assert price_of(find(rates, "4420")) == "0.02"
    assert find(rates, "4") == "no_rate"


class TestOrigin:
    def test_a_rate_whose_origin_does_not_match_is_no_candidate(self) -> None:
        rates = deck((None, [rate("44", "0.02"), rate("447", "0.01", origin="386"), rate("447", "0.40", origin="1")]))

        assert price_of(find(rates, "+4477", origin="+38641")) == "0.01"
        assert price_of(find(rates, "+4477", origin="+1202")) == "0.4"
        assert price_of(find(rates, "+4477", origin="+81")) == "0.02"

    def test_the_destination_prefix_counts_before_the_origin(self) -> None:
        rates = deck((None, [rate("44", "0.01", origin="38641"), rate("447", "0.10")]))

        assert price_of(find(rates, "+4477", origin="+38641")) == "0.1"

    def test_among_rates_of_one_prefix_the_longest_origin_wins(self) -> None:
        rates = deck((None, [rate("44", "0.3"), rate("44", "0.2", origin="38"), rate("44", "0.1", origin="386")]))

        assert price_of(find(rates, "+4420", origin="+38641")) == "0.1"
        assert price_of(find(rates, "+4420", origin="+38541")) == "0.2"

    def test_a_rate_without_origin_holds_for_every_caller_known_or_not(self) -> None:
        rates = deck((None, [rate("44", "0.3"), rate("44", "0.1", origin="386")]))

        assert price_of(find(rates, "+4420", origin="+1")) == "0.3"
        assert price_of(find(rates, "+4420")) == "0.3"


class TestDirection:
    def test_inbound_calls_are_rated_by_the_in_rates(self) -> None:
        rates = deck((None, [rate("1800", "0.02"), rate("1800", "0.05", direction="in")]))

        assert price_of(find(rates, "+18005550100", direction="in")) == "0.05"
        assert price_of(find(rates, "+18005550100")) == "0.02"

    def test_a_deck_without_any_in_rate_rates_both_by_out(self) -> None:
        assert price_of(find(deck((None, [rate("1800", "0.02")])), "+1800555", direction="in")) == "0.02"

    def test_a_deck_with_in_rates_does_not_fall_back_to_out(self) -> None:
        rates = deck((None, [rate("1800", "0.02"), rate("44", "0.05", direction="in")]))

        assert find(rates, "+1800555", direction="in") == "no_rate"


class TestBlocked:
    def test_a_withdrawn_prefix_has_no_rate_and_never_falls_to_a_shorter_one(self) -> None:
        rates = deck((None, [rate("234", "0.11"), rate("234805", blocked="withdrawn")]))

        assert find(rates, "+2348051") == "no_rate"
        assert price_of(find(rates, "+2348061")) == "0.11"

    def test_an_ambiguous_prefix_never_falls_to_a_shorter_one(self) -> None:
        rates = deck((None, [rate("27", "0.11"), rate("27800", blocked="ambiguous")]))

        assert find(rates, "+278001") == "ambiguous_rate"

    def test_only_the_origin_that_is_blocked_is_blocked(self) -> None:
        rates = deck((None, [rate("27", "0.11"), rate("27", origin="386", blocked="ambiguous")]))

        assert find(rates, "+27800", origin="+38641") == "ambiguous_rate"
        assert price_of(find(rates, "+27800", origin="+44")) == "0.11"


class TestMaskedNumbers:
    RATES = deck((None, [rate("44", "0.02"), rate("447", "0.10"), rate("4479", "0.12"), rate("4420", "0.02")]))

    def test_a_masked_number_is_rated_by_its_visible_digits(self) -> None:
        assert price_of(find(self.RATES, "+44791234***")) == "0.12"

    def test_it_is_ambiguous_where_a_longer_prefix_has_another_price(self) -> None:
        assert find(self.RATES, "+447***") == "ambiguous_rate"
        assert find(self.RATES, "+4***") == "ambiguous_rate"

    def test_a_longer_prefix_of_the_same_price_does_no_harm(self) -> None:
        assert price_of(find(self.RATES, "+442***")) == "0.02"

    def test_a_longer_prefix_that_is_withdrawn_makes_it_ambiguous(self) -> None:
        rates = deck((None, [rate("44", "0.02"), rate("4470", blocked="withdrawn")]))

        assert find(rates, "+44***") == "ambiguous_rate"
        assert price_of(find(rates, "+4420***")) == "0.02"

    def test_where_nothing_it_could_be_has_a_rate_there_is_none(self) -> None:
        assert find(self.RATES, "+49***") == "no_rate"

    def test_a_longer_prefix_for_other_callers_does_no_harm(self) -> None:
        rates = deck((None, [rate("44", "0.02"), rate("447", "0.10", origin="1")]))

        assert price_of(find(rates, "+44***", origin="+38641")) == "0.02"
        assert find(rates, "+44***", origin="+1202") == "ambiguous_rate"

    def test_a_masked_caller_is_ambiguous_where_a_longer_origin_has_another_price(self) -> None:
        rates = deck((None, [rate("44", "0.02"), rate("44", "0.01", origin="38641"), rate("33", "0.05")]))

        assert find(rates, "+4420", origin="+386***") == "ambiguous_rate"
        assert price_of(find(rates, "+4420", origin="+38641***")) == "0.01"
        assert price_of(find(rates, "+4420", origin="+3851***")) == "0.02"
        assert price_of(find(rates, "+3320", origin="+386***")) == "0.05"


class TestVersions:
    def test_the_version_in_force_when_the_call_started_rates_it(self) -> None:
        rates = deck((None, [rate("44", "0.02")]), ("2026-03-01", [rate("44", "0.03")]))

        assert price_of(find(rates, "+4420", when="2026-02-28T23:59:59.999999Z")) == "0.02"
        assert price_of(find(rates, "+4420", when="2026-03-01")) == "0.03"

    def test_a_version_replaces_the_whole_deck(self) -> None:
        rates = deck((None, [rate("44", "0.02"), rate("33", "0.05")]), ("2026-03-01", [rate("44", "0.03")]))

        assert find(rates, "+331") == "no_rate"

    def test_before_the_first_version_starts_there_is_no_rate(self) -> None:
        assert find(deck(("2026-03-01", [rate("44")])), "+4420", when="2026-02-01") == "no_rate"

    def test_of_those_that_have_started_the_latest_import_is_in_force(self) -> None:
        rates = deck(
            (None, [rate("44", "0.01")]), ("2026-05-01", [rate("44", "0.02")]), ("2026-02-01", [rate("44", "0.03")])
        )

        assert [price_of(find(rates, "+44", when=day)) for day in ("2026-01-01", "2026-03-01", "2026-06-01")] == [
            "0.01",
            "0.03",
            "0.03",
        ]

    def test_a_version_may_be_added_to_a_deck_in_use(self) -> None:
        contents = {1: [rate("44", "0.02")], 2: [rate("44", "0.03")]}
        rates = Deck([version(1)], lambda wanted: contents[wanted.version])
        assert price_of(find(rates, "+44")) == "0.02"

        rates.add(version(2, "2026-05-01"))

        assert price_of(find(rates, "+44")) == "0.03"
        assert price_of(find(rates, "+44", when="2026-04-01")) == "0.02"

    def test_only_versions_that_are_needed_are_loaded(self) -> None:
        loaded: list[int] = []

        def load(wanted: object) -> list[Rate]:
            loaded.append(getattr(wanted, "version", 0))
            return [rate("44")]

        rates = Deck([version(1), version(2, "2026-03-01")], load)
        find(rates, "+44")
        find(rates, "+44")

        assert loaded == [2]


class TestDates:
    def test_until_a_rates_own_date_the_previous_versions_rate_of_that_prefix_stays_in_force(self) -> None:
        rates = deck(
            (None, [rate("44", "0.01"), rate("447", "0.10")]),
            ("2026-03-01", [rate("44", "0.02"), rate("447", "0.20", since="2026-04-01")]),
        )

        before, after = (find(rates, "+4477", when=day) for day in ("2026-03-15", "2026-04-01"))

        assert [price_of(before), price_of(after)] == ["0.1", "0.2"]
        assert isinstance(before, Match)
        assert before.version.version == 1

    def test_where_the_previous_version_had_none_a_shorter_prefix_holds_until_then(self) -> None:
        rates = deck(
            (None, [rate("44", "0.01")]),
            ("2026-03-01", [rate("44", "0.02"), rate("447", "0.20", since="2026-04-01")]),
        )

        assert price_of(find(rates, "+4477", when="2026-03-15")) == "0.02"

    def test_the_previous_rate_is_looked_for_version_by_version(self) -> None:
        rates = deck(
            (None, [rate("44", "0.01")]),
            ("2026-03-01", [rate("44", "0.02", since="2026-06-01")]),
            ("2026-04-01", [rate("44", "0.03", since="2026-09-01")]),
        )

        prices = [price_of(find(rates, "+44", when=day)) for day in ("2026-04-02", "2026-06-02", "2026-09-02")]
        assert prices == ["0.01", "0.02", "0.03"]

    def test_it_is_the_previous_rate_of_that_origin(self) -> None:
        rates = deck(
            (None, [rate("44", "0.01"), rate("44", "0.05", origin="386")]),
            ("2026-03-01", [rate("44", "0.02"), rate("44", "0.06", origin="386", since="2026-04-01")]),
        )

        assert price_of(find(rates, "+44", origin="+38641", when="2026-03-15")) == "0.05"
        assert price_of(find(rates, "+44", origin="+1", when="2026-03-15")) == "0.02"

    def test_after_its_end_a_rate_holds_no_more(self) -> None:
        rates = deck((None, [rate("44", "0.01"), rate("447", "0.05", until="2026-03-02")]))

        assert price_of(find(rates, "+447", when="2026-03-01T23:59:59Z")) == "0.05"
        assert price_of(find(rates, "+447", when="2026-03-02")) == "0.01"

    def test_a_first_version_dates_narrow_the_past_it_covers(self) -> None:
        assert find(deck((None, [rate("44", since="2026-03-01")])), "+44", when="2026-02-01") == "no_rate"

    def test_masked_numbers_look_at_the_rates_in_force_then(self) -> None:
        rates = deck((None, [rate("44", "0.01"), rate("447", "0.05", since="2026-03-01")]))

        assert price_of(find(rates, "+44***", when="2026-02-01")) == "0.01"
        assert find(rates, "+44***", when="2026-03-01") == "ambiguous_rate"


digits = st.text("0123", max_size=4)
months = st.sampled_from((None, "2026-02-01", "2026-04-01", "2026-06-01"))
rates_of_a_version = st.lists(
    st.builds(
        rate,
        digits,
        st.sampled_from(("0.1", "0.2", "0.3")),
        origin=st.none() | st.text("01", min_size=1, max_size=2),
        direction=st.sampled_from(("out", "in")),
        since=months,
        blocked=st.sampled_from((None, None, "withdrawn", "ambiguous")),
    ),
    max_size=12,
)


def scanned(contents: list[tuple[str | None, list[Rate]]], number: str, origin: str, direction: str, when: str) -> str:
    """The rules read out loud, by looking at every rate of every version."""
    at = version(0, when).starts_at
    assert at is not None
    started = [i for i, (starts, _) in enumerate(contents) if (version(0, starts).starts_at or 0) <= at]
    if not started:
        return "no_rate"
    rates = contents[started[-1]][1]
    if not any(each.direction == "in" for each in rates):
        direction = "out"
    keys = {(each.prefix, each.origin) for each in rates if each.direction == direction}
    fitting = [key for key in keys if number.startswith(key[0]) and origin.startswith(key[1] or "")]
    for prefix, from_whom in sorted(fitting, key=lambda key: (len(key[0]), len(key[1] or "")), reverse=True):
        found = _in_force(contents, started, direction, prefix, from_whom, at)
        if found is not None:
            return found.terms.refusal or f"{found.terms.slots[0].rate_per_minute:f}"
    return "no_rate"


def _in_force(
    contents: list[tuple[str | None, list[Rate]]],
    started: list[int],
    direction: str,
    prefix: str,
    origin: str | None,
    at: int,
) -> Rate | None:
    for index in reversed(started):
        side = direction if any(r.direction == "in" for r in contents[index][1]) else "out"
        same = [r for r in contents[index][1] if (r.direction, r.prefix, r.origin) == (side, prefix, origin)]
        for each in same:
            if (each.effective_from or 0) <= at and (each.effective_to is None or at < each.effective_to):
                return each
        if not same or any((each.effective_from or 0) <= at for each in same):
            return None
    return None


@given(
    st.lists(st.tuples(months, rates_of_a_version), min_size=1, max_size=3),
    digits.filter(bool),
    st.text("01", max_size=3),
    st.sampled_from(("out", "in")),
    st.sampled_from(("2026-01-15", "2026-03-15", "2026-05-15", "2026-07-15")),
)
def test_the_look_up_agrees_with_a_scan_of_all_rates(
    versions: list[tuple[str | None, list[Rate]]], number: str, origin: str, direction: str, when: str
) -> None:
    contents = [(starts, assembled(rates, starts)) for starts, rates in versions]
    numbered = [version(i, starts) for i, (starts, _) in enumerate(contents, 1)]
    compiled = Deck(numbered, lambda wanted: contents[wanted.version - 1][1])

    found = find(compiled, number, origin=origin or None, direction=direction, when=when)

    assert price_of(found) == scanned(contents, number, origin, direction, when)


@given(rates_of_a_version, digits.filter(bool), st.text("01", max_size=2))
def test_a_masked_number_has_a_price_only_where_all_it_could_be_have_that_price(
    rates: list[Rate], visible: str, origin: str
) -> None:
    compiled = deck((None, rates))
    numbers = [visible]
    for _ in range(3):
        numbers += [number + digit for number in numbers for digit in "0123"]
    caller = Number(origin, masked=False) if origin else None
    at = version(0, "2026-07-15").starts_at
    assert at is not None

    masked = price_of(compiled.find(Number(visible, masked=True), caller, "out", at))
    possible = {price_of(compiled.find(Number(number, masked=False), caller, "out", at)) for number in set(numbers)}

    assert masked == "ambiguous_rate" or possible == {masked}
    if len(possible) == 1:
        assert {masked} == possible


def test_terms_that_thousands_of_prefixes_share_are_one_object() -> None:
    shared = terms((0, "0.1", 60))
    rates = deck((None, [rate("44", shared), rate("33", shared)]))
    found = [find(rates, number) for number in ("+44", "+33")]

    assert isinstance(found[0], Match)
    assert isinstance(found[1], Match)
    assert found[0].rate is found[1].rate
