"""NDJSON of any size: usage messages and CloudEvents, or Graph's rows, one a line."""

from collections.abc import Iterator

from consumers.decode import decode_message, decode_record
from consumers.files.lines import TooLong
from consumers.refusals import too_large
from domain.usage import Refusal, Usage

Rows = Iterator[tuple[int, Usage | Refusal, bytes]]


def read_messages(lines: Iterator[bytes | TooLong], account: str) -> Rows:
    """Line number (from 1), usage or refusal, and the line as it came. Blank lines are none."""
    for number, line in enumerate(lines, 1):
        if isinstance(line, TooLong):
            yield number, too_large(line.kept, line.size, line.sha256, account=account), line.kept
            continue
        message = line.strip()
        if message:
            yield number, decode_message(message, (), account), message


def read_graph_lines(lines: Iterator[bytes | TooLong], account: str) -> Rows:
    """The same of Graph's rows."""
    for number, line in enumerate(lines, 1):
        if isinstance(line, TooLong):
            yield number, too_large(line.kept, line.size, line.sha256, "graph", account), line.kept
            continue
        row = line.strip()
        if row:
            yield number, decode_record(row, "graph", account), row
