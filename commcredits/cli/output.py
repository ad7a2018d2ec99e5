"""What a command prints: with `--json` exact shapes on stdout and nothing else there, otherwise text for people.

Money is a string with its decimals, times are RFC 3339 in UTC (`values.time_text`). Progress and notes go to stderr.
"""

import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from itertools import islice
from typing import IO, Any, Final

from commcredits.cli.errors import Failure
from commcredits.values import in_utf8

ROWS_AT_ONCE: Final = 200  # rows of a long table whose widths are computed together
FLUSH_BYTES: Final = 1 << 16


class Output:
    """One command's output. `json`: for machines."""

    def __init__(self, json: bool, stdout: IO[bytes] | None = None, stderr: IO[str] | None = None) -> None:
        self.json = json
        self._stdout = sys.stdout.buffer if stdout is None else stdout
        self._stderr = sys.stderr if stderr is None else stderr
        self._progress_width = 0

    def document(self, value: Any, text: str | None = None) -> None:
        """The command's one result; `text` instead of the value's own layout for people."""
        if self.json:
            self._write(to_json(value))
        else:
            self._write((layout(value) if text is None else text).encode("utf-8", "backslashreplace"))

    def partial(self, value: Mapping[str, Any], failure: Failure) -> None:
        """What a command came to before it failed. People have read of the error on stderr, by `note`."""
        self.document({**value, **failure.shape()} if self.json else value)

    def lines(self, rows: Iterable[Mapping[str, Any]]) -> None:
        """JSON lines, or a table for people; of any length in constant memory."""
        if self.json:
            size, chunk = 0, []
            for row in rows:
                chunk.append(to_json(row))
                size += len(chunk[-1])
                if size >= FLUSH_BYTES:
                    self._write(b"\n".join(chunk))
                    size, chunk = 0, []
            if chunk:
                self._write(b"\n".join(chunk))
            return
        heading = True
        for some in _in_groups(iter(rows)):
            self._write(table(some, heading=heading).encode("utf-8", "backslashreplace"))
            heading = False

    def raw(self, content: bytes) -> None:
        """Bytes as they are, such as an exported deck."""
        self._stdout.write(content)
        self._stdout.flush()

    def stream(self, pieces: Iterable[bytes]) -> None:
        """The same of any length, in large writes."""
        self._clear_progress()
        for piece in pieces:
            self._stdout.write(piece)  # buffered
        self._stdout.flush()

    def note(self, text: str) -> None:
        """A line for people, beside the result."""
        self._clear_progress()
        print("\n".join(map(_printable, text.split("\n"))), file=self._stderr, flush=True)

    def progress(self, text: str) -> None:
        """Where a long command has got to; only shown on a terminal, each time in place of the one before."""
        if self._stderr.isatty():
            print("\r" + text.ljust(self._progress_width), end="", file=self._stderr, flush=True)
            self._progress_width = len(text)

    def failure(self, failure: Failure) -> None:
        """An error: one line for people on stderr, and its shape on stdout with `--json`."""
        self.note("commcredits: " + " ".join(failure.message.split()))
        if self.json:
            self._write(to_json(failure.shape()))

    def _write(self, content: bytes) -> None:
        self._clear_progress()
        self._stdout.write(content + b"\n")
        self._stdout.flush()

    def _clear_progress(self) -> None:
        if self._progress_width:
            print("\r" + " " * self._progress_width, end="\r", file=self._stderr, flush=True)
            self._progress_width = 0


def to_json(value: Any) -> bytes:
    """One JSON document on one line; a Decimal is a string without exponent."""
    import orjson

    try:
        return orjson.dumps(value, default=_plain)
    except TypeError:  # text that is no UTF-8 can come from the command line
        return orjson.dumps(_in_utf8(value), default=_plain)


def _in_utf8(value: Any) -> Any:
    if isinstance(value, str):
        return in_utf8(value)
    if isinstance(value, Mapping):
        return {name: _in_utf8(item) for name, item in value.items()}
    return [*map(_in_utf8, value)] if isinstance(value, list | tuple) else value


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, tuple | frozenset | set):
        return list(value)
    raise TypeError(f"{type(value).__name__} has no JSON form")


def layout(value: Any) -> str:
    """A result for people: a table for a list of objects, else one `name  value` a line."""
    if isinstance(value, Mapping):
        return "\n".join(_object_lines(value))
    if isinstance(value, Sequence) and not isinstance(value, str):
        if value and all(isinstance(row, Mapping) for row in value):
            return table(value)
        return "\n".join(map(_cell, value)) or "(none)"
    return _cell(value)


def _object_lines(value: Mapping[str, Any]) -> Iterator[str]:
    width = max(map(len, value), default=0)
    for name, item in value.items():
        nested = bool(item) and (isinstance(item, Mapping) or (isinstance(item, list) and isinstance(item[0], Mapping)))
        if nested:
            yield name
            yield from ("  " + line for line in layout(item).split("\n"))
        else:
            yield f"{name:<{width}}  {_cell(item)}".rstrip()


def table(rows: Sequence[Mapping[str, Any]], *, heading: bool = True) -> str:
    """Rows of equal names in columns as wide as they need; numbers stand at the right."""
    names = list(rows[0])
    cells = [[_cell(row.get(name)) for name in names] for row in rows]
    right = [_holds_numbers(row.get(name) for row in rows) for name in names]
    shown = [names, *cells]
    widths = [max(len(line[column]) for line in shown) for column in range(len(names))]
    lines = (
        "  ".join(
            text.rjust(width) if at_right else text.ljust(width)
            for text, width, at_right in zip(line, widths, right, strict=True)
        )
        for line in (shown if heading else cells)
    )
    return "\n".join(line.rstrip() for line in lines)


def _holds_numbers(values: Iterable[Any]) -> bool:
    given = [value for value in values if value is not None]
    return bool(given) and all(isinstance(value, int | Decimal) and not isinstance(value, bool) for value in given)


def _cell(value: Any) -> str:
    if value is None or (isinstance(value, str | list | dict | tuple) and not value):
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, Mapping):
        return " ".join(f"{name}={_cell(item)}" for name, item in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(map(_cell, value))
    return _printable(str(value))


def _printable(text: str) -> str:
    """Text for a terminal: what a file or a caller wrote must not move its cursor."""
    return text if text.isprintable() else "".join(c if c.isprintable() else "\ufffd" for c in text)


def _in_groups(rows: Iterator[Mapping[str, Any]]) -> Iterator[list[Mapping[str, Any]]]:
    while some := list(islice(rows, ROWS_AT_ONCE)):
        yield some
