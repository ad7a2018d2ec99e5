"""Rate decks in the shapes that carriers, billing systems and price lists have: tables of text, and NDJSON."""

from typing import BinaryIO, Final

from consumers.deck_files.ndjson import Lines
from consumers.deck_files.table import DeckOptions, Table
from consumers.deck_files.text import open_text

__all__ = ["DeckOptions", "Lines", "Table", "open_deck"]

AS_IT_SAYS: Final = DeckOptions()


def open_deck(stream: BinaryIO, options: DeckOptions = AS_IT_SAYS) -> Table | Lines:
    """A deck's rows, told apart by their content. Iterating gives (line, Rate) or BadRow; `ignored_columns` is known at
    once, `currency` ("" = none named) after the last row.

    Raises Refused where no header or no text can be found in it, Invalid where an option is wrong or missing.
    """
    first, lines = open_text(stream)
    return Lines(lines) if first == "{" else Table(lines, options)
