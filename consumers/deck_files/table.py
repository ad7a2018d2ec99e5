"""A deck as a table of text: finds separator and header, reads the rows, waits where a later row explains a date."""

from collections.abc import Iterator, Sequence
from decimal import Decimal
from itertools import chain, islice
from typing import Final, NamedTuple

from consumers.deck_files.dates import Dates, Undecided
from consumers.deck_files.layout import Layout, currency_named, read_columns, read_header
from consumers.deck_files.rows import Rows
from consumers.deck_files.text import Broken, records
from domain.deck_assembly import BadRow
from domain.errors import Invalid, Refused
from domain.rates import BadRate, Rate

DELIMITERS: Final = (";", "\t", ",", "|")
_SEARCHED: Final = 200  # lines in which the header is looked for
_WAITING: Final = 50_000  # rows


class DeckOptions(NamedTuple):
    """What a person says about a file that does not say it itself."""

    date_format: str = ""
    columns: str = ""  # prefix,name,,rate: of a table without a header
    unit: Decimal = Decimal(1)
    country_code: str = ""


class _Found(NamedTuple):
    layout: Layout
    delimiter: str
    line: int  # of the header; 0 where there is none
    above: list[str]


class Table:
    """Iterates over (line, rate) and bad rows; `currency` is known when all are read."""

    def __init__(self, lines: Iterator[str], options: DeckOptions) -> None:
        searched = list(islice(lines, _SEARCHED))
        found = _without_header(searched, options.columns) if options.columns else _find_header(searched)
        self.ignored_columns = found.layout.ignored
        self._found = found
        self._lines = chain(searched, lines)
        self._dates = Dates(options.date_format)
        decimal_comma = found.delimiter != ","
        self._rows = Rows(found.layout, self._dates, options.country_code, options.unit, decimal_comma)
        self._around = [*found.above]

    @property
    def currency(self) -> str:
        """The currency that the file names: in its rows, its header or the text around the table; "" = none."""
        return self._rows.currency or self._found.layout.currency or currency_named(self._around)

    def __iter__(self) -> Iterator[tuple[int, Rate] | BadRow]:
        waiting: list[tuple[int, list[str]]] = []
        for record in records(self._lines, self._found.delimiter):
            if isinstance(record, Broken):
                if record.line > self._found.line:
                    yield BadRow(record.line, None, "", record.reason)
                continue
            line, cells = record
            if line <= self._found.line:
                continue
            if waiting:
                waiting.append(record)
                if self._rows.learn_dates(cells):
                    yield from chain.from_iterable(self._row(*row) for row in waiting)
                    waiting.clear()
                elif len(waiting) > _WAITING:
                    break
                continue
            try:
                yield from self._row(line, cells)
            except Undecided:
                if self._rows.learn_dates(cells):
                    yield from self._row(line, cells)
                else:
                    waiting.append(record)
        if waiting:
            message = f"the dates in line {waiting[0][0]} and after may be day/month or month/day: say --date-format "
            raise Invalid("ambiguous_date", message + "dd/mm/yyyy or mm/dd/yyyy", "date_format")

    def _row(self, line: int, cells: Sequence[str]) -> Iterator[tuple[int, Rate] | BadRow]:
        try:
            rates = self._rows.rates(cells)
        except BadRate as error:
            if self._rows.is_text(cells):
                self._around.append(" ".join(cells))
            else:
                yield BadRow(line, None, error.column, error.reason)
            return
        for rate in rates:
            yield line, rate


def _rows_of(lines: Sequence[str], delimiter: str) -> Iterator[tuple[int, list[str]]]:
    return (record for record in records(iter(lines), delimiter) if not isinstance(record, Broken))


def _find_header(lines: Sequence[str]) -> _Found:
    """The first row, by any separator, that names a prefix and a rate. Raises Refused: what the best one lacks."""
    best: tuple[int, _Found] | None = None
    for delimiter in DELIMITERS:
        above: list[str] = []
        for line, cells in _rows_of(lines, delimiter):
            layout = read_header(cells)
            score = len(layout.columns) - 100 * len(layout.missing())
            if best is None or score > best[0]:
                best = score, _Found(layout, delimiter, line, list(above))
            if not layout.missing():
                break
            above.append(" ".join(cells))
    if best is None:
        raise Refused("deck_empty", "the file has no rows", "file")
    if missing := best[1].layout.missing():
        raise _no_header(best[1], missing)
    if best[1].layout.ambiguous:
        raise Refused("deck_columns_ambiguous", best[1].layout.ambiguous, "columns")
    return best[1]


def _no_header(found: _Found, missing: Sequence[str]) -> Refused:
    if not found.layout.columns:
        message = "no row names its columns: say --columns prefix,name,,rate for a table without a header"
        return Refused("deck_unreadable", message, "file")
    titles = ", ".join(title for title in found.layout.titles if title)
    message = f"the header in line {found.line} ({titles}) has no column for the {' and the '.join(missing)}"
    return Refused("deck_column_missing", f"{message}: rename the column or say --columns", "file")


def _without_header(lines: Sequence[str], columns: str) -> _Found:
    layout = read_columns(columns)
    width = len(layout.titles)
    fits = {d: sum(len(cells) >= width for _, cells in _rows_of(lines, d)) for d in DELIMITERS}
    return _Found(layout, max(DELIMITERS, key=lambda d: fits[d]), 0, [])
