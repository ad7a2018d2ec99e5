"""Deck files for tests: read from text, in few words."""

import io
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

from consumers.deck_files import DeckOptions, Lines, Table, open_deck
from domain.deck_assembly import BadRow
from domain.instants import format_instant
from domain.rates import Rate

SAMPLES = Path(__file__).parents[1] / "samples" / "decks"


class Read:
    """A file read whole: rates with their lines, bad rows, and what the file says of itself."""

    def __init__(self, content: str | bytes, **options: str) -> None:
        unit = Decimal(options.pop("unit", "1"))
        stream = io.BytesIO(content.encode() if isinstance(content, str) else content)
        self.source: Table | Lines = open_deck(stream, DeckOptions(unit=unit, **options))
        self.lines: list[tuple[int, Rate]] = []
        self.bad: list[BadRow] = []
        for row in self.source:
            if isinstance(row, BadRow):
                self.bad.append(row)
            else:
                self.lines.append(row)
        self.currency = self.source.currency
        self.ignored_columns = list(self.source.ignored_columns)

    def __iter__(self) -> Iterator[tuple[int, Rate] | BadRow]:
        """As the file was read."""
        rows: list[tuple[int, Rate] | BadRow] = [*self.lines, *self.bad]
        return iter(sorted(rows, key=lambda row: row.line if isinstance(row, BadRow) else row[0]))

    @property
    def rates(self) -> list[Rate]:
        return [rate for _, rate in self.lines]

    @property
    def prices(self) -> dict[str, str]:
        """Price of the first slot by prefix (with its origin where there is one)."""
        return {
            f"{rate.prefix}<{rate.origin}" if rate.origin else rate.prefix: first_price(rate) for rate in self.rates
        }

    @property
    def reasons(self) -> list[tuple[int, str, str]]:
        """(line, column, reason) of the bad rows."""
        return [(bad.line, bad.column, bad.reason) for bad in self.bad]


def first_price(rate: Rate) -> str:
    """The price of a minute in the first slot; how it is blocked where it has none."""
    slots = rate.terms.slots
    return f"{slots[0].rate_per_minute:f}" if slots else str(rate.terms.blocked)


def increments(rate: Rate) -> str:
    """As carriers write them: 60/1."""
    slots = rate.terms.slots
    return f"{slots[0].increment_seconds}/{slots[-1].increment_seconds}"


def day(instant: int | None) -> str | None:
    """An instant as text, without a midnight."""
    return None if instant is None else format_instant(instant).removesuffix("T00:00:00Z")
