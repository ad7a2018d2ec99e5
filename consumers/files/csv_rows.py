"""Rows of a CSV of any size (RFC 4180), each of at most 1 MiB, resynchronised after a quote that is never closed.

A record that spans lines is one only when it fits the table. Otherwise the line where its quote opens is refused, and
reading goes on at the line after it: what such a quote would have swallowed is read for itself.
"""

import csv
from collections import deque
from collections.abc import Callable, Iterator
from typing import Final, NamedTuple

from consumers.files.lines import TooLong
from consumers.refusals import MAX_RECORD_BYTES

_QUOTE: Final = b'"'
Fits = Callable[[list[str]], bool]


class Row(NamedTuple):
    """A row's cells, or why it has none. `line` is where it begins (from 1)."""

    line: int
    cells: list[str]
    problem: str
    raw: bytes | TooLong


class RowReader:
    """Reads rows off physical lines."""

    def __init__(self, lines: Iterator[bytes | TooLong]) -> None:
        self._lines = enumerate(lines, 1)
        self._ahead: deque[tuple[int, bytes | TooLong]] = deque()

    def rows(self, fits: Fits) -> Iterator[Row]:
        """Every row that is not blank. `fits` says whether cells that span lines make a row of the table."""
        while (numbered := self._next_line()) is not None:
            number, line = numbered
            if isinstance(line, TooLong):
                yield Row(number, [], "too long", line)
            elif line.count(_QUOTE) % 2:
                yield self._spanning(number, line, fits)
            elif line.strip():
                yield parse_row(number, line)

    def _next_line(self) -> tuple[int, bytes | TooLong] | None:
        return self._ahead.popleft() if self._ahead else next(self._lines, None)

    def _spanning(self, number: int, line: bytes, fits: Fits) -> Row:
        """The row whose quote opens in this line; its lines but the first are put back when it is none."""
        taken: list[tuple[int, bytes | TooLong]] = []
        parts, size = [line], len(line)
        closed = False
        while not closed and size <= MAX_RECORD_BYTES and (numbered := self._next_line()) is not None:
            taken.append(numbered)
            part = numbered[1]
            if isinstance(part, TooLong):
                break
            parts.append(part)
            size += len(part)
            closed = part.count(_QUOTE) % 2 == 1
        if closed:
            row = parse_row(number, b"".join(parts))
            if not row.problem and fits(row.cells):
                return row
        self._ahead.extendleft(reversed(taken))
        return Row(number, [], "a quote opens in this line that is not closed within the row", line.rstrip(b"\r\n"))


def parse_row(number: int, record: bytes) -> Row:
    """The cells of one record."""
    raw = record.rstrip(b"\r\n")
    try:
        [cells] = csv.reader((raw.decode(),), strict=True)
    except UnicodeDecodeError as error:
        return Row(number, [], f"it is not UTF-8: {error.reason} at byte {error.start + 1}", raw)
    except (csv.Error, ValueError) as error:
        return Row(number, [], f"it is no CSV: {error}", raw)
    return Row(number, cells, "", raw)
