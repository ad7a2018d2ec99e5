"""Importing, listing, showing and using rate decks, on both stores."""

import hashlib
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from adapters.store.store import migrate, open_store
from application.deck_export import find_version, show_deck
from application.deck_import import DeckHasErrors, ImportOptions, ImportResult, import_deck
from application.decks import DeckBook, list_decks, versions_of
from application.ports import Store
from domain.commands import By
from domain.errors import DomainError, Invalid, NotFound, Refused
from domain.events import DeckImported, deck_stream
from domain.numbers import Number
from domain.tariff import Deck
from tests.support.deck_files import SAMPLES, Read
from tests.support.decks import at, price_of

NOON = "2026-11-24T12:00:00Z"


@pytest.fixture
def open_again(store_url: str) -> Iterator[Callable[[], Store]]:
    """Each call is another process on the same store."""
    migrate(store_url)
    opened: list[Store] = []

    def make() -> Store:
        opened.append(open_store(store_url))
        return opened[-1]

    yield make
    for store in opened:
        store.close()


@pytest.fixture
def store(open_again: Callable[[], Store]) -> Store:
    return open_again()


def by(now: str = NOON) -> By:
    instant = at(now)
    assert instant is not None
    return By(instant, "ana", "cli")


def take(store: Store, content: str | bytes, name: str = "default", *, now: str = NOON, **options: Any) -> ImportResult:
    options.setdefault("currency", "EUR")
    if "starts" in options:
        options["starts_at"] = at(options.pop("starts"))
    return import_deck(store, by(now), Read(content), ImportOptions(name, **options))


def show(store: Store, name: str, form: str, version: int | None = None) -> str:
    return b"".join(show_deck(store, find_version(store, name, version), form)).decode()


def price(store: Store, number: str, when: str = NOON, deck: str = "default") -> str:
    book = DeckBook(store)
    book.refresh()
    instant = at(when)
    assert instant is not None
    return price_of(book.named(deck).find(Number(number, masked=False), None, "out", instant))


def test_an_import_is_one_event_on_the_decks_stream_with_its_rates_beside_it(store: Store) -> None:
    result = take(store, "prefix,rate\n44,0.1\n33,0.2\n", decimals=2, rounding="up")

    assert result == ImportResult("default", 1, 2, [], 0, [])
    [recorded] = store.select_events(deck_stream("default"))
    event = recorded.event
    assert isinstance(event, DeckImported)
    assert (event.deck, event.version, event.currency, event.decimals, event.rounding, event.starts_at) == (
        "default", 1, "EUR", 2, "up", None,
    )  # fmt: skip
    assert (event.rates, event.amended, event.actor) == (2, False, "ana")
    assert event.sha256 == hashlib.sha256(show(store, "default", "ndjson").encode()).hexdigest()


def test_a_first_version_covers_all_the_past_later_ones_begin_at_their_import(store: Store) -> None:
    take(store, "prefix,rate\n44,0.1\n", now="2026-11-24T10:00:00Z")
    take(store, "prefix,rate\n44,0.2\n", now="2026-11-24T11:00:00Z")

    assert [version.starts_at for version in versions_of(store, "default")] == [None, at("2026-11-24T11:00:00Z")]
    assert price(store, "44", "2000-01-01") == "0.1"
    assert price(store, "44", "2026-11-24T10:59:59Z") == "0.1"
    assert price(store, "44", "2026-11-24T11:00:00Z") == "0.2"


def test_from_says_when_a_version_starts(store: Store) -> None:
    take(store, "prefix,rate\n44,0.1\n", starts="2026-01-01")
    take(store, "prefix,rate\n44,0.2\n", starts="2027-01-01")

    assert [price(store, "44", day) for day in ("2025-12-31", "2026-01-01", "2027-01-01")] == ["no_rate", "0.1", "0.2"]


def test_a_version_replaces_the_deck_an_amendment_starts_from_the_previous_one(store: Store) -> None:
    take(store, "prefix,rate\n44,0.1\n33,0.2\n", decimals=6, rounding="up")
    amended = take(store, "prefix,rate\n44,0.3\n", amend=True, currency=None, now="2026-11-24T13:00:00Z")

    assert (amended.version, amended.rates) == (2, 2)
    assert [price(store, number, "2026-11-25") for number in ("44", "33")] == ["0.3", "0.2"]
    newest = find_version(store, "default")
    assert (newest.currency, newest.decimals, newest.rounding) == ("EUR", 6, "up")

    take(store, "prefix,rate\n44,0.4\n", now="2026-11-24T14:00:00Z")

    assert [price(store, number, "2026-11-25") for number in ("44", "33")] == ["0.4", "no_rate"]
    assert find_version(store, "default").decimals == 4


def test_until_an_amended_rows_own_date_the_previous_rate_stays_in_force(store: Store) -> None:
    take(store, "prefix,rate\n44,0.1\n")
    take(store, "prefix,rate,effective date\n44,0.2,2027-01-01\n", amend=True)

    assert [price(store, "44", day) for day in ("2026-12-31", "2027-01-01")] == ["0.1", "0.2"]


def test_there_must_be_something_to_amend(store: Store) -> None:
    with pytest.raises(NotFound) as missing:
        take(store, "prefix,rate\n44,0.1\n", amend=True)
    assert missing.value.code == "unknown_deck"


def test_a_dry_run_stores_nothing(store: Store) -> None:
    result = take(store, "prefix,rate,x\n44,0.1,\n", dry_run=True)

    assert result == ImportResult("default", None, 1, [], 0, ["x"])
    assert list_decks(store) == []


def test_one_bad_row_refuses_the_whole_file(store: Store) -> None:
    with pytest.raises(DeckHasErrors) as refused:
        take(store, "prefix,rate,margin\n44,0.1,\n44,0.2,\nx,1,\n33,0.2,\n")

    result = refused.value.result
    assert (refused.value.code, result.version, result.bad_total) == ("deck_has_errors", None, 2)
    assert [(bad.line, bad.other_line, bad.column) for bad in result.bad] == [(3, 2, "rate"), (4, None, "prefix")]
    assert result.ignored_columns == ["margin"]
    assert list_decks(store) == []


def test_skip_bad_takes_the_good_rows_and_blocks_what_is_contradicted(store: Store) -> None:
    result = take(store, "prefix,rate\n4,0.5\n44,0.1\n44,0.2\nx,1\n33,0.2\n", skip_bad=True)

    assert (result.version, result.rates, result.bad_total) == (1, 3, 2)
    assert [price(store, number) for number in ("44", "49", "33")] == ["ambiguous_rate", "0.5", "0.2"]


def test_the_currency_is_the_options_else_the_files_else_wrong_use(store: Store) -> None:
    with pytest.raises(Invalid) as missing:
        take(store, "prefix,rate\n44,0.1\n", currency=None)
    assert (missing.value.code, missing.value.field) == ("currency_missing", "currency")

    take(store, "prefix,rate (USD)\n44,0.1\n", "one", currency=None)
    take(store, "prefix,rate (USD)\n44,0.1\n", "other", currency="EUR")

    assert [(version.deck, version.currency) for version in list_decks(store)] == [("one", "USD"), ("other", "EUR")]


def test_a_deck_keeps_its_currency(store: Store) -> None:
    take(store, "prefix,rate\n44,0.1\n")

    with pytest.raises(Refused) as refused:
        take(store, "prefix,rate\n44,0.1\n", currency="USD")
    assert refused.value.code == "currency_mismatch"


def test_a_file_without_rates_is_refused(store: Store) -> None:
    with pytest.raises(Refused) as refused:
        take(store, "prefix,rate\n")
    assert refused.value.code == "deck_empty"


def test_of_two_who_import_at_once_the_second_is_told(store: Store, open_again: Callable[[], Store]) -> None:
    class Slow:
        currency = "EUR"
        ignored_columns = ()

        def __iter__(self) -> Any:
            take(open_again(), "prefix,rate\n44,0.9\n")
            return iter(Read("prefix,rate\n44,0.1\n").lines)

    with pytest.raises(Refused) as refused:
        import_deck(store, by(), Slow(), ImportOptions("default"))
    assert refused.value.code == "deck_changed"
    assert price(store, "44") == "0.9"


def test_showing_what_is_not_there(store: Store) -> None:
    with pytest.raises(NotFound):
        find_version(store, "default")
    take(store, "prefix,rate\n44,0.1\n")
    with pytest.raises(NotFound):
        find_version(store, "default", 2)


def test_earlier_versions_can_be_shown(store: Store) -> None:
    take(store, "prefix,rate\n44,0.1\n")
    take(store, "prefix,rate\n44,0.2\n")

    assert "0.1" in show(store, "default", "csv", 1)
    assert "0.2" in show(store, "default", "csv")


@pytest.mark.parametrize("form", ["csv", "ndjson"])
def test_what_is_shown_imports_to_the_same_version(store: Store, form: str) -> None:
    take(store, (SAMPLES / "tcxc_acme_rate_notice.illustrative.csv").read_bytes(), starts="2026-09-16")

    take(store, show(store, "default", form), "copy", starts="2026-09-16")

    assert find_version(store, "copy").sha256 == find_version(store, "default").sha256
    assert show(store, "copy", form) == show(store, "default", form)


def test_a_real_price_list_survives_export_and_import(store: Store) -> None:
    content = (SAMPLES / "twilio_outbound_voice_pricing.csv").read_bytes()
    take(store, content, skip_bad=True)

    with pytest.raises(Refused, match="use --format ndjson") as refused:
        show(store, "default", "csv")
    take(store, show(store, "default", "ndjson"), "copy")

    assert refused.value.code == "deck_not_tabular"
    assert find_version(store, "copy").sha256 == find_version(store, "default").sha256


def test_slots_that_a_table_cannot_say_are_refused_there(store: Store) -> None:
    take(store, "prefix,price 1,price n\n44,0.12,0.09\n")

    with pytest.raises(Refused, match="44"):
        show(store, "default", "csv")


class TestWhichDeck:
    @pytest.fixture
    def book(self, store: Store) -> DeckBook:
        return DeckBook(store)

    def chosen(self, book: DeckBook, name: str = "", currency: str = "EUR") -> str:
        book.refresh()
        deck = book.deck_for(name, currency)
        return deck.newest.deck if isinstance(deck, Deck) else deck

    def test_the_one_it_names(self, store: Store, book: DeckBook) -> None:
        take(store, "prefix,rate\n44,0.1\n")
        take(store, "prefix,rate\n44,0.1\n", "retail")

        assert self.chosen(book, "retail") == "retail"

    def test_a_named_one_in_another_currency_is_a_mismatch(self, store: Store, book: DeckBook) -> None:
        take(store, "prefix,rate\n44,0.1\n", "retail", currency="USD")

        assert self.chosen(book, "retail") == "currency_mismatch"

    def test_else_the_one_named_default(self, store: Store, book: DeckBook) -> None:
        take(store, "prefix,rate\n44,0.1\n", "retail")
        take(store, "prefix,rate\n44,0.1\n")

        assert self.chosen(book) == "default"

    def test_a_default_in_another_currency_is_passed_over(self, store: Store, book: DeckBook) -> None:
        take(store, "prefix,rate\n44,0.1\n", currency="USD")
        take(store, "prefix,rate\n44,0.1\n", "retail")

        assert self.chosen(book) == "retail"

    def test_else_the_only_one_of_its_currency(self, store: Store, book: DeckBook) -> None:
        take(store, "prefix,rate\n44,0.1\n", "retail")
        take(store, "prefix,rate\n44,0.1\n", "dollars", currency="USD")

        assert self.chosen(book) == "retail"

    def test_else_none(self, store: Store, book: DeckBook) -> None:
        assert self.chosen(book) == "no_rate"
        take(store, "prefix,rate\n44,0.1\n", "one")
        take(store, "prefix,rate\n44,0.1\n", "two")

        assert self.chosen(book) == "no_rate"
        assert self.chosen(book, "three") == "no_rate"

    def test_the_book_keeps_up_with_the_log(
        self, store: Store, book: DeckBook, open_again: Callable[[], Store]
    ) -> None:
        other = open_again()
        take(other, "prefix,rate\n44,0.1\n", "retail")
        assert self.chosen(book) == "retail"
        found = book.quote(Number("44", masked=False), 60, at(NOON) or 0)
        assert str(found.charge.amount) == "0.1000"

        take(other, "prefix,rate\n44,0.2\n", "retail", now="2026-11-24T11:00:00Z")
        assert str(book.quote(Number("44", masked=False), 60, at(NOON) or 0).charge.amount) == "0.1000"
        book.refresh()

        assert str(book.quote(Number("44", masked=False), 60, at(NOON) or 0).charge.amount) == "0.2000"


class TestQuote:
    def quote(self, store: Store, number: str = "44", seconds: int = 61, deck: str = "") -> str:
        book = DeckBook(store)
        book.refresh()
        try:
            return str(book.quote(Number(number, masked=False), seconds, at(NOON) or 0, deck).charge.amount)
        except DomainError as error:
            return error.code

    def test_by_default_else_the_only_deck(self, store: Store) -> None:
        assert self.quote(store) == "no_rate"
        take(store, "prefix,rate,connection fee\n44,0.1,0.05\n", "retail", decimals=2)
        assert self.quote(store) == "0.25"
        take(store, "prefix,rate\n44,0.3\n", "other", currency="USD")
        assert self.quote(store) == "no_rate"
        take(store, "prefix,rate\n44,0.4\n")
        assert self.quote(store) == "0.8000"
        assert self.quote(store, deck="other") == "0.6000"

    def test_what_has_no_price(self, store: Store) -> None:
        take(store, "prefix,rate,connection fee,withdrawn\n44,0.1,0.05,\n33,0.1,,yes\n")

        assert self.quote(store, "49") == "no_rate"
        assert self.quote(store, "33") == "no_rate"
        assert self.quote(store, deck="nowhere") == "unknown_deck"
        assert self.quote(store, seconds=0) == "0.0000"
