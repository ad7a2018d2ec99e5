"""The PSTN usage CSV, both its column forms: the header names the columns, in any order.

A row becomes a JSON object by its columns' names and is decoded as one, so that a dead letter can be patched by the
source's own names. A CSV that has Graph's names is read as Graph's rows.
"""

from collections.abc import Iterator
from typing import Final, NamedTuple

from consumers.decode import decode_record
from consumers.fields import encode_json
from consumers.files.csv_rows import Row, RowReader
from consumers.files.lines import TooLong
from consumers.refusals import FileRefused, too_large
from consumers.shapes import ROWS
from domain.usage import Refusal, Usage

# What decides an amount: without the column, each row would be charged as if its cell were empty.
_NEEDED: Final = (
    "usage_id",
    "call_type",
    "number_type",
    "callee",
    "started_at",
    "duration_seconds",
    "capability",
)
_BREAKS: Final = frozenset("\r\n")
Rows = Iterator[tuple[int, Usage | Refusal, bytes]]


class Table(NamedTuple):
    """What the header says."""

    format: str
    columns: tuple[str, ...]
    known: tuple[int, ...]  # places of the columns that have a place in Usage: no text there holds a line break

    def fits(self, cells: list[str]) -> bool:
        """Whether cells that span lines make one row."""
        return len(cells) == len(self.columns) and not any(_BREAKS & set(cells[place]) for place in self.known)


def read_csv(lines: Iterator[bytes | TooLong], account: str) -> Rows:
    """Line where the row begins, usage or refusal, and the row as a letter keeps it. Raises FileRefused."""
    reader = RowReader(lines)
    header = next(reader.rows(lambda _: False), None)
    if header is None:
        return
    table = table_of(header)
    for row in reader.rows(table.fits):
        item, raw = _take(row, table, account)
        yield row.line, item, raw


def table_of(header: Row) -> Table:
    """The table below this header. Raises FileRefused, naming every column that is missing."""
    if header.problem:
        raise FileRefused("undecodable", f"the header in line {header.line} cannot be read: {header.problem}")
    heads = [cell.strip() for cell in header.cells]
    shape = max(ROWS.values(), key=lambda each: len({name.casefold() for name in each.known} & set(_folded(heads))))
    own = {name.casefold(): name for name in (*shape.known, *shape.object_ids)}
    columns = tuple(own.get(head.casefold(), head) for head in heads)
    missing = [name for name in map(shape.names.__getitem__, _NEEDED) if name not in columns]
    if not {shape.names["user_id"], *shape.object_ids} & set(columns):
        missing.append(f"{shape.names['user_id']} or {shape.object_ids[0]}")
    if missing:
        text = f"the header in line {header.line} lacks the columns {', '.join(missing)}"
        raise FileRefused("missing_columns", text, missing[0])
    for column in columns:
        if columns.count(column) > 1:
            raise FileRefused("duplicate_key", f"the column {column!r} stands twice in the header", column)
    return Table(shape.format, columns, tuple(i for i, name in enumerate(columns) if name in shape.known))


def _folded(heads: list[str]) -> list[str]:
    return [head.casefold() for head in heads]


def _take(row: Row, table: Table, account: str) -> tuple[Usage | Refusal, bytes]:
    raw = row.raw
    if isinstance(raw, TooLong):
        return too_large(raw.kept, raw.size, raw.sha256, table.format, account), raw.kept
    problem = row.problem
    if not problem and len(row.cells) != len(table.columns):
        problem = f"it has {len(row.cells)} cells under {len(table.columns)} columns"
    if problem:
        return Refusal("undecodable", "", f"the row cannot be read: {problem}", raw, account, "", table.format), raw
    record = encode_json(dict(zip(table.columns, row.cells, strict=True)))
    return decode_record(record, table.format, account), record
