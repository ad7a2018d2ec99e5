"""From bytes to records: encodings, line ends, quotes, and which character separates the cells."""

import codecs
import csv
import io
from collections.abc import Iterator
from typing import BinaryIO, Final, NamedTuple, cast

from domain.errors import Refused

MAX_LINE: Final = 8 << 20  # characters
MAX_CELL: Final = 1 << 20
_BOMS: Final = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_BINARIES: Final = (
    (b"PK\x03\x04", "a workbook or zip archive"),
    (b"\xd0\xcf\x11\xe0", "a workbook"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"%PDF", "a PDF"),
)


class Broken(NamedTuple):
    """A line that gives no record, and why."""

    line: int
    reason: str


def _as_windows_1252(error: UnicodeError) -> tuple[str, int]:
    """Bytes that are no UTF-8 come from programs that write Windows-1252; only names are concerned."""
    if not isinstance(error, UnicodeDecodeError):
        raise error
    return error.object[error.start : error.end].decode("cp1252", "replace"), error.end


codecs.register_error("windows-1252", _as_windows_1252)


def open_text(stream: BinaryIO) -> tuple[str, Iterator[str]]:
    """The first character that is no space ("" in an empty file), and the lines with their ends."""
    source = io.BufferedReader(cast(io.RawIOBase, stream), 1 << 16)
    head = source.peek(1 << 16)
    for magic, kind in _BINARIES:
        if head.startswith(magic):
            raise Refused("deck_unreadable", f"the file is {kind}: save the rates as CSV", "file")
    encoding = next((name for bom, name in _BOMS if head.startswith(bom)), "utf-8")
    first = head.decode(encoding, "ignore").lstrip()[:1]
    return first, _lines(io.TextIOWrapper(source, encoding, "windows-1252", newline=""))


def _lines(text: io.TextIOWrapper) -> Iterator[str]:
    number = 0
    try:
        while line := text.readline(MAX_LINE):
            number += 1
            if len(line) >= MAX_LINE:
                raise Refused("too_large", f"line {number} is longer than {MAX_LINE:,} characters", "file")
            yield line
    finally:
        cast("io.BufferedReader", text.detach()).detach()  # the stream is its opener's to close


class _Lines:
    """Hands out lines, and again those of a record that could not be read but for its first."""

    def __init__(self, lines: Iterator[str]) -> None:
        self._lines = lines
        self._again: list[str] = []
        self._record: list[str] = []
        self._number = 0

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = self._again.pop() if self._again else next(self._lines)
        self._number += 1
        self._record.append(line)
        return line

    def begin(self) -> int:
        """The line that the next record begins in."""
        self._record.clear()
        return self._number + 1

    def resume(self) -> None:
        """Go on after the first line of the record."""
        self._again.extend(reversed(self._record[1:]))
        self._number -= len(self._record) - 1


def records(lines: Iterator[str], delimiter: str) -> Iterator[tuple[int, list[str]] | Broken]:
    """Rows of cells with the line that each begins in.

    A line that cannot be read comes as Broken, and reading goes on in the next: a quote that is not closed (its cell
    runs to the end or past MAX_CELL, or into another quote) does not swallow what follows.
    """
    csv.field_size_limit(MAX_CELL)
    source = _Lines(lines)
    reader = csv.reader(source, delimiter=delimiter, strict=True)
    while True:
        line = source.begin()
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            source.resume()
            yield Broken(line, f"{error}: is a quote not closed?")
            continue
        if cells:
            yield line, cells
