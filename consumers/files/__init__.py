"""Usage from files and streams: told apart by their content, read in constant memory."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import IO, Final, Literal, get_args

from consumers.files.archive import read_archive
from consumers.files.content import Content, Kind, kind_of
from consumers.files.lines import read_lines
from consumers.files.ndjson import Rows, read_graph_lines, read_messages
from consumers.files.pages import read_page
from consumers.files.pstn_csv import read_csv
from consumers.refusals import FileRefused
from domain.usage import Refusal, Usage

Format = Literal["auto", "pstn-csv", "graph", "ndjson", "cloudevents"]
FORMATS: Final[tuple[str, ...]] = get_args(Format)
Record = tuple[str, int, Usage | Refusal, bytes]

_KINDS: Final[dict[str, tuple[Kind, ...]]] = {
    "auto": get_args(Kind),
    "pstn-csv": ("empty", "csv", "zip"),
    "graph": ("empty", "page", "graph-rows"),
    "ndjson": ("messages",),
    "cloudevents": ("empty", "page", "messages"),
}
_ACCOUNTLESS: Final = ("csv", "zip", "graph-rows")


def open_usage(
    source: Path | IO[bytes],
    *,
    name: str,
    account: str = "",
    format: str = "auto",  # noqa: A002 - the option's name
    warn: Callable[[str], None] = lambda _: None,
) -> Iterator[Record]:
    """Every usage of a file or stream: (name, line or row number from 1, Usage or Refusal, the record as kept).

    `name` is the source's; a table in a zip is `name/table`. `account` names the account of rows that name none. The
    record as kept decodes again by `decode_record` with the item's format. Raises FileRefused, at the first record or
    later: what came before it stands. OSError where reading fails.
    """
    with ExitStack() as files:
        stream = files.enter_context(source.open("rb")) if isinstance(source, Path) else source
        try:
            yield from _records(Content(stream), name, account, format, warn)
        except FileRefused as error:
            where = f"{name}/{error.source}" if error.source else name
            raise FileRefused(error.code, error.message, error.field, where) from error


def _records(
    content: Content,
    name: str,
    account: str,
    format: str,  # noqa: A002 - the option's name
    warn: Callable[[str], None],
) -> Iterator[Record]:
    kind = kind_of(content, is_lines=format == "ndjson")
    if kind not in _KINDS[format]:
        raise FileRefused("undecodable", f"the file holds {kind}, which is not {format}")
    if kind in _ACCOUNTLESS and not account:
        raise FileRefused("account_required", "the rows name no account: say which by --account", "account")
    if kind == "zip":
        for table, line, item, raw in read_archive(content, account):
            yield f"{name}/{table}", line, item, raw
        return
    for line, item, raw in _rows(content, kind, account, warn):
        yield name, line, item, raw


def _rows(content: Content, kind: Kind, account: str, warn: Callable[[str], None]) -> Rows:
    if kind == "csv":
        return read_csv(read_lines(content.read), account)
    if kind == "page":
        return read_page(content, account, warn)
    if kind == "graph-rows":
        return read_graph_lines(read_lines(content.read), account)
    return read_messages(read_lines(content.read), account)
