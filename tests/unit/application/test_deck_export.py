"""interface.md: `deck show` and `deck import` agree, both ways, whatever the rates."""

from collections.abc import Iterator
from decimal import Decimal
from itertools import count

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.store.store import open_store
from application.deck_export import find_version, show_deck
from application.deck_import import ImportOptions, import_deck
from application.ports import Store
from domain.commands import By
from domain.deck_assembly import BadRow
from domain.errors import Refused
from domain.rates import AMBIGUOUS, Rate, Slot, Terms
from tests.support.deck_files import Read

BY = By(1_795_000_000_000_000, "ana", "cli")
names = count()
amounts = st.decimals(0, 9_999, places=6) | st.sampled_from(("0", "0.1000", "10", "1e-12", "999999999999")).map(Decimal)
instants = st.none() | st.integers(0, 4 * 10**15)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    store = open_store(f"sqlite:///{tmp_path_factory.mktemp('decks') / 'decks.db'}")
    yield store
    store.close()


class Rows:
    """Rates as if a file had them."""

    currency = "EUR"
    ignored_columns = ()

    def __init__(self, rates: list[Rate]) -> None:
        self.rates = rates

    def __iter__(self) -> Iterator[tuple[int, Rate] | BadRow]:
        return iter(enumerate(self.rates, 1))


def take(store: Store, rows: Rows | Read, **options: int | None) -> str:
    name = f"deck-{next(names)}"
    import_deck(store, BY, rows, ImportOptions(name, currency="EUR", skip_bad=True, **options))  # type: ignore[arg-type]
    return name


def show(store: Store, name: str, form: str) -> bytes:
    return b"".join(show_deck(store, find_version(store, name), form))


@st.composite
def simple_terms(draw: st.DrawFn) -> Terms:
    """What a table can say."""
    price, initial, later = draw(amounts), draw(st.integers(1, 3600)), draw(st.integers(1, 3600))
    slots = [Slot(0, price, initial), Slot(initial, price, later)]
    blocked = draw(st.sampled_from((None, None, "withdrawn")))
    if blocked and draw(st.booleans()):
        slots = []
    return Terms(draw(amounts), slots, blocked)


@st.composite
def any_terms(draw: st.DrawFn) -> Terms:
    starts = [0, *sorted(draw(st.sets(st.integers(1, 10_000), max_size=3)))]
    slots = [Slot(start, draw(amounts), draw(st.integers(1, 3600))) for start in starts]
    return Terms(draw(amounts), slots, draw(st.sampled_from((None, None, "withdrawn", "ambiguous"))))


@st.composite
def rates(draw: st.DrawFn, terms: st.SearchStrategy[Terms]) -> Rate:
    prefix = st.just("") | st.from_regex(r"[1-9][0-9]{0,5}", fullmatch=True)
    start, length = draw(instants), draw(st.none() | st.integers(1, 10**15))
    return Rate(
        draw(prefix),
        draw(prefix) or None,
        draw(st.sampled_from(("out", "in"))),
        " ".join(draw(st.text(st.characters(exclude_categories=("C", "Z")), max_size=12)).split()),
        start,
        None if length is None else (start or 0) + length,
        draw(terms),
    )


starts_at = st.none() | st.just(10**15)


@given(st.lists(rates(simple_terms()), min_size=1, max_size=8), starts_at)
def test_csv_and_import_agree_both_ways(store: Store, given_rates: list[Rate], starts: int | None) -> None:
    given_rates.append(
        Rate("7", None, "out", "one that stays", None, None, Terms(Decimal(0), [Slot(0, Decimal(1), 60)]))
    )
    name = take(store, Rows(given_rates), starts_at=starts)
    ndjson = show(store, name, "ndjson")
    if AMBIGUOUS.encode() in ndjson:  # what contradicted itself; a table cannot say it
        with pytest.raises(Refused):
            show(store, name, "csv")
        return

    table = Read(show(store, name, "csv"))
    copy = take(store, table, starts_at=starts)

    assert table.bad == []
    assert table.ignored_columns == []
    assert show(store, copy, "ndjson") == ndjson
    assert show(store, copy, "csv") == show(store, name, "csv")


@given(st.lists(rates(any_terms()), min_size=1, max_size=8), starts_at)
def test_ndjson_and_import_agree_both_ways(store: Store, given_rates: list[Rate], starts: int | None) -> None:
    given_rates.append(
        Rate("7", None, "out", "one that stays", None, None, Terms(Decimal(0), [Slot(0, Decimal(1), 60)]))
    )
    name = take(store, Rows(given_rates), starts_at=starts)

    lines = Read(show(store, name, "ndjson"))
    copy = take(store, lines, starts_at=starts)

    assert lines.bad == []
    assert show(store, copy, "ndjson") == show(store, name, "ndjson")
    assert find_version(store, copy).sha256 == find_version(store, name).sha256
