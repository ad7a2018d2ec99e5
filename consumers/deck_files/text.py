"""From bytes to records: encodings, line ends, quotes, and which character separates the cells."""

import codecs
import csv
import io
from collections.abc import Iterator
from typing import BinaryIO, Final, NamedTuple, cast

from domain.errors import Refused

MAX_LINE: Final = 8 << 20  # characters
MAX_CELL: Final = 4 << 20
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
    """Lines that give no record: from `line` to `last`, and why."""

    line: int
    last: int
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
    while line := text.readline(MAX_LINE):
        number += 1
        if len(line) >= MAX_LINE:
            raise Refused("too_large", f"line {number} is longer than {MAX_LINE:,} characters", "file")
        yield line


def records(lines: Iterator[str], delimiter: str) -> Iterator[tuple[int, list[str]] | Broken]:
    """Rows of cells with the line that each begins in. Rows that cannot be read come as Broken; reading goes on."""
    csv.field_size_limit(max(csv.field_size_limit(), MAX_CELL))
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    while True:
        line = reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield Broken(line, reader.line_num, f"{error}: is a quote not closed?")
            continue
        if cells:
            yield line, cells
