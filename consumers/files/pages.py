"""JSON documents: Graph's pages of `pstnCallLogRow`, batches of CloudEvents, a single message."""

from collections.abc import Callable, Iterator, Sequence
from typing import Final, NamedTuple

import msgspec

from consumers.decode import decode_message, decode_record
from consumers.fields import unique_fields
from consumers.files.content import Content, is_graph_row, is_message, keys_of
from consumers.refusals import FileRefused, Refused
from consumers.shapes import ROWS
from domain.usage import Refusal, Usage

MAX_PAGE_BYTES: Final = 64 << 20
# A row without any of these is something else, like the report that only has totals.
_TELLING: Final = ("usage_id", "call_type", "started_at", "duration_seconds")
_NEXT_LINK: Final = "@odata.nextLink"

_elements: Final = msgspec.json.Decoder(list[msgspec.Raw]).decode
Rows = Iterator[tuple[int, Usage | Refusal, bytes]]


class Page(NamedTuple):
    """A document's rows as they came."""

    rows: list[bytes]
    is_graph: bool
    has_next: bool = False


def read_page(content: Content, account: str, warn: Callable[[str], None]) -> Rows:
    """Row number (from 1), usage or refusal, and the row as it came. Raises FileRefused."""
    document = content.read_all(MAX_PAGE_BYTES)
    if len(document) > MAX_PAGE_BYTES:
        raise FileRefused("too_large", f"a JSON page has at most {MAX_PAGE_BYTES >> 20} MiB; send CSV or NDJSON")
    try:
        page = _open_page(document)
    except Refused as error:
        raise FileRefused(error.reason, error.message, error.field) from error
    except (ValueError, RecursionError) as error:
        raise FileRefused("undecodable", f"the file is no JSON document: {error}") from error
    if page.is_graph:
        _check_graph(page.rows, account)
    if page.has_next:
        warn(f"this page is not the last: take in the one that its {_NEXT_LINK} names too")
    for number, row in enumerate(page.rows, 1):
        item = decode_record(row, "graph", account) if page.is_graph else decode_message(row, (), account)
        yield number, item, row


def _open_page(document: bytes) -> Page:
    """Raises Refused, or what decoding raises."""
    if document.lstrip().startswith(b"["):
        rows = [bytes(row) for row in _elements(document)]
        return Page(rows, any(is_graph_row(keys_of(row)) for row in rows[:1]))
    fields = unique_fields(document)
    if "value" not in fields or is_message(fields.keys()):
        return Page([document.strip()], is_graph_row(fields.keys()))
    return Page(
        [bytes(row) for row in _elements(fields["value"])], True, bytes(fields.get(_NEXT_LINK, b"null")) != b"null"
    )


def _check_graph(rows: Sequence[bytes], account: str) -> None:
    """Raises FileRefused when no account takes the rows, or when they are no call log."""
    if not account:
        raise FileRefused("account_required", "Graph's rows name no account: say which by --account", "account")
    names = [ROWS["graph"].names[field] for field in _TELLING]
    if rows and not any(f'"{name}"'.encode() in row for row in rows for name in names):
        text = f"these are no rows of a call log, the columns {', '.join(names)} are missing"
        raise FileRefused("missing_columns", text, names[0])
