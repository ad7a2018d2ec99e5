"""One row of a table as rates. Cells that repeat (prices, increments, dates) are read once and shared."""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from decimal import Decimal
from typing import Final

from consumers.deck_files.cells import is_closed, is_nothing, read_flag, read_increments, read_price
from consumers.deck_files.codes import Codes
from consumers.deck_files.dates import REMEMBERED, Dates, Undecided
from consumers.deck_files.layout import Layout
from domain.money import CURRENCIES, ZERO
from domain.rates import IN, OUT, WITHDRAWN, BadRate, Rate, Slot, Terms, check_dates, check_slots, plain_name

DEFAULT_INCREMENT: Final = 60  # "per minute" means each minute that has begun
_DIRECTIONS: Final = {
    **dict.fromkeys(("", "out", "outbound", "outgoing"), OUT),
    **dict.fromkeys(("in", "inbound", "incoming"), IN),
}
_EVERYWHERE: Final = frozenset({"any", "all", "*"})
_TERMS: Final = ("rate", "first rate", "next rate", "connection fee", "initial increment", "increment")


class Rows:
    """Reads rows of one layout."""

    def __init__(self, layout: Layout, dates: Dates, country_code: str, unit: Decimal, decimal_comma: bool) -> None:
        self.currency = ""  # named by the rows themselves
        self._layout = layout
        self._dates = dates
        self._codes = Codes(country_code, layout.npanxx)
        self._origins = Codes(country_code)
        self._unit, self._decimal_comma = unit, decimal_comma
        self._at = {meaning: indexes[0] for meaning, indexes in layout.columns.items()}
        self._names = layout.columns.get("name", ())
        meanings = [*_TERMS, "withdrawn", "status"]
        self._terms_columns = [index for meaning in meanings for index in layout.columns.get(meaning, ())]
        self._known_terms: dict[tuple[str, ...], Terms] = {}
        self._known_origins: dict[str, tuple[str | None, ...]] = {}

    def rates(self, cells: Sequence[str]) -> Iterator[Rate]:
        """The rates of a row. Raises BadRate, or Undecided by a date that other rows have to explain."""
        cells = self._filled(cells)
        start, end = self._date("effective from", cells), self._date("effective to", cells)
        terms = self._terms(cells)
        direction = self._direction(cells)
        prefixes = self._prefixes(cells)
        self._currency(cells)
        check_dates(start, end)
        name = next((plain_name(cells[index]) for index in self._names if cells[index].strip()), "")
        origins = self._origins_of(cells)
        return (Rate(p, o, direction, name, start, end, terms) for p in prefixes for o in origins)

    def learn_dates(self, cells: Sequence[str]) -> bool:
        """Whether the row's dates show if the day or the month comes first, for it and all others."""
        for meaning in ("effective from", "effective to"):
            with suppress(Undecided, ValueError):
                self._dates.read(self._cell(meaning, cells))
        return self._dates.decided

    def is_text(self, cells: Sequence[str]) -> bool:
        """Whether a row that cannot be read is words about the deck (or its header once more) rather than a rate."""
        rates = "".join(self._cell(meaning, cells) for meaning in ("rate", "first rate", "next rate"))
        codes = "".join(self._cell(meaning, cells) for meaning in ("prefix", "country code", "area code")).strip()
        if any(c.isdigit() for c in rates):
            return False
        return not codes or (any(c.isalpha() for c in codes) and (" " in codes or not any(c.isdigit() for c in codes)))

    def _cell(self, meaning: str, cells: Sequence[str]) -> str:
        index = self._at.get(meaning)
        return "" if index is None or index >= len(cells) else cells[index]

    def _filled(self, cells: Sequence[str]) -> Sequence[str]:
        width = len(self._layout.titles)
        if len(cells) == width:
            return cells
        if len(cells) > width:
            if any(cell.strip() for cell in cells[width:]):
                raise BadRate("", f"the row has {len(cells)} cells, its header {width}: is a comma not quoted?")
            return cells[:width]
        return [*cells, *[""] * (width - len(cells))]

    def _date(self, meaning: str, cells: Sequence[str]) -> int | None:
        index = self._at.get(meaning)
        if index is None or not cells[index]:
            return None
        try:
            return self._dates.read(cells[index], end=meaning == "effective to")
        except ValueError as error:
            raise BadRate(self._layout.title(index), str(error)) from None

    def _prefixes(self, cells: Sequence[str]) -> tuple[str, ...]:
        index = self._at.get("prefix")
        try:
            if index is not None:
                return self._codes.read(cells[index])
            country, area = self._cell("country code", cells).strip(), self._cell("area code", cells).strip()
            if is_nothing(area):
                return self._codes.read(country)
            return self._codes.read(f"{country} {area}" if country else area)
        except ValueError as error:
            index = self._at.get("area code", self._at.get("country code", 0)) if index is None else index
            raise BadRate(self._layout.title(index), str(error)) from None

    def _origins_of(self, cells: Sequence[str]) -> tuple[str | None, ...]:
        cell = self._cell("origin", cells)
        known = self._known_origins.get(cell)
        if known is None:
            if is_nothing(cell) or cell.strip().lower() in _EVERYWHERE:
                known = (None,)
            else:
                try:
                    known = tuple(dict.fromkeys(origin or None for origin in self._origins.read(cell)))
                except ValueError as error:
                    raise BadRate(self._layout.title(self._at["origin"]), str(error)) from None
            if len(self._known_origins) >= REMEMBERED:
                self._known_origins.clear()
            self._known_origins[cell] = known
        return known

    def _direction(self, cells: Sequence[str]) -> str:
        cell = self._cell("direction", cells)
        direction = _DIRECTIONS.get(cell.strip().lower())
        if direction is None:
            raise BadRate(self._layout.title(self._at["direction"]), f"{cell!r} is neither out nor in")
        return direction

    def _currency(self, cells: Sequence[str]) -> None:
        cell = self._cell("currency", cells).strip().upper()
        if cell and not is_nothing(cell):
            if cell not in CURRENCIES:
                raise BadRate(self._layout.title(self._at["currency"]), f"{cell!r} is no ISO 4217 currency")
            self._note_currency(cell, self._at["currency"])

    def _note_currency(self, code: str, index: int) -> None:
        if self.currency and code != self.currency:
            raise BadRate(self._layout.title(index), f"{code}, but earlier rows are in {self.currency}")
        self.currency = code

    def _terms(self, cells: Sequence[str]) -> Terms:
        key = tuple([cells[index] for index in self._terms_columns])
        terms = self._known_terms.get(key)
        if terms is None:
            if len(self._known_terms) >= REMEMBERED:
                self._known_terms.clear()
            terms = self._known_terms[key] = self._read_terms(cells)
        return terms

    def _read_terms(self, cells: Sequence[str]) -> Terms:
        blocked = WITHDRAWN if self._is_withdrawn(cells) else None
        fee = self._price("connection fee", cells)
        slots = self._slots(cells, blocked)
        try:
            check_slots(slots, blocked)
        except BadRate as error:
            index = self._at.get("increment", self._at.get("initial increment", 0))
            raise BadRate(self._layout.title(index), error.reason) from None
        return Terms(fee or ZERO, slots, blocked)

    def _slots(self, cells: Sequence[str], blocked: str | None) -> list[Slot]:
        first, later = self._prices(cells)
        if first is None or later is None:
            if blocked:
                return []
            index = next(self._at[meaning] for meaning in ("rate", "first rate", "next rate") if meaning in self._at)
            raise BadRate(self._layout.title(index), "there is no rate")
        initial, increment = self._increments(cells)
        if first != later:
            initial = initial or increment
        return [Slot(0, first, initial), Slot(initial, later, increment)] if initial else [Slot(0, later, increment)]

    def _prices(self, cells: Sequence[str]) -> tuple[Decimal | None, Decimal | None]:
        if "rate" in self._at:
            price = self._price("rate", cells)
            return price, price
        first, later = self._price("first rate", cells), self._price("next rate", cells)
        return (later if first is None else first), (first if later is None else later)

    def _price(self, meaning: str, cells: Sequence[str]) -> Decimal | None:
        index = self._at.get(meaning)
        if index is None:
            return None
        try:
            price, currency = read_price(cells[index], self._unit, self._decimal_comma)
        except ValueError as error:
            raise BadRate(self._layout.title(index), str(error)) from None
        if currency:
            self._note_currency(currency, index)
        return price

    def _increments(self, cells: Sequence[str]) -> tuple[int, int]:
        """Seconds of the first increment (0: as the later ones) and of the later ones."""
        initial, increment = self._seconds("initial increment", cells), self._seconds("increment", cells)
        if initial[1] is not None and increment[0] is not None:
            raise BadRate(self._layout.title(self._at["increment"]), "the first increment's cell names it too")
        first = increment[0] if increment[1] is not None else initial[0]
        later = next((s for s in (initial[1], increment[1], increment[0], initial[0]) if s is not None), None)
        return first or 0, DEFAULT_INCREMENT if later is None else later

    def _seconds(self, meaning: str, cells: Sequence[str]) -> tuple[int | None, int | None]:
        index = self._at.get(meaning)
        if index is None:
            return None, None
        try:
            return read_increments(cells[index])
        except ValueError as error:
            raise BadRate(self._layout.title(index), str(error)) from None

    def _is_withdrawn(self, cells: Sequence[str]) -> bool:
        for index in self._layout.columns.get("withdrawn", ()):
            try:
                if read_flag(cells[index]):
                    return True
            except ValueError as error:
                raise BadRate(self._layout.title(index), str(error)) from None
        return any(is_closed(cells[index]) for index in self._layout.columns.get("status", ()))
