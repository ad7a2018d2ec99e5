"""Licences from a CSV file: user, plan, country, from, to; the first row names the columns, in any order and case.

Everything wrong is found in one reading; each finding names line and column.
"""

import csv
import io
from collections.abc import Iterator, Mapping
from typing import BinaryIO, Final, NamedTuple

from domain.errors import Refused

COLUMNS: Final = ("user", "plan", "country", "from", "to")
REQUIRED: Final = ("user", "plan")
MAX_SHOWN: Final = 1_000
MAX_BYTES: Final = 256 << 20


class BadLicence(NamedTuple):
    """Something wrong; `column` is empty where it is the whole line."""

    line: int
    column: str
    reason: str


class LicenceLine(NamedTuple):
    """A row's texts, empty where there is none."""

    line: int
    user: str
    plan: str
    country: str
    starts: str
    ends: str


class LicencesHaveErrors(Refused):
    """Nothing of the file was taken. `bad`: the first 1,000 findings of `bad_total`."""

    def __init__(self, bad: list[BadLicence]) -> None:
        first = bad[0]
        where = f"line {first.line}" + f", column {first.column}" * bool(first.column)
        more = f" (and {len(bad) - 1} more)" * (len(bad) > 1)
        super().__init__("licences_have_errors", f"{where}: {first.reason}{more}; nothing was taken", "file")
        self.bad, self.bad_total = bad[:MAX_SHOWN], len(bad)


def read_licences(stream: BinaryIO) -> Iterator[LicenceLine | BadLicence]:
    """The rows in order. Raises LicencesHaveErrors where it is no such file at all."""
    raw = stream.read(MAX_BYTES + 1)
    if len(raw) > MAX_BYTES:
        raise LicencesHaveErrors([BadLicence(1, "", f"the file has more than {MAX_BYTES >> 20} MiB")])
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise LicencesHaveErrors([BadLicence(line, "", "it is not UTF-8")]) from error
    reader = csv.reader(io.StringIO(text), strict=True)
    places: dict[str, int] | None = None
    try:
        for cells in reader:
            if not any(cell.strip() for cell in cells):
                continue
            if places is None:
                places = _header(cells, reader.line_num)
            else:
                yield _row(cells, reader.line_num, places)
    except csv.Error as error:
        yield BadLicence(reader.line_num, "", f"it is no CSV: {error}")
    if places is None:
        raise LicencesHaveErrors([BadLicence(1, "", f"the first row names the columns {','.join(COLUMNS)}")])


def _header(cells: list[str], line: int) -> dict[str, int]:
    names = [cell.strip().lower() for cell in cells]
    bad = [BadLicence(line, name, "there is no such column") for name in names if name not in COLUMNS]
    bad += [BadLicence(line, name, "the column is missing") for name in REQUIRED if name not in names]
    bad += [BadLicence(line, name, "the column stands twice") for name in COLUMNS if names.count(name) > 1]
    if bad:
        raise LicencesHaveErrors(bad)
    return {name: place for place, name in enumerate(names)}


def _row(cells: list[str], line: int, places: Mapping[str, int]) -> LicenceLine | BadLicence:
    if len(cells) > len(places):
        return BadLicence(line, "", f"the row has {len(cells)} cells, the header {len(places)}")
    found = {name: cells[place].strip() for name, place in places.items() if place < len(cells)}
    return LicenceLine(line, *(found.get(name, "") for name in COLUMNS))
