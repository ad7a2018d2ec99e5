"""What a file is, told by its content: its first lines are looked at and then read again."""

import re
from collections.abc import Set
from typing import IO, Final, Literal

import msgspec

from consumers.files.lines import CHUNK_BYTES
from consumers.refusals import MAX_RECORD_BYTES, FileRefused

Kind = Literal["empty", "zip", "csv", "page", "messages", "graph-rows"]

_BOM: Final = b"\xef\xbb\xbf"
_UTF16: Final = (b"\xff\xfe", b"\xfe\xff")
_ZIP: Final = (b"PK\x03\x04", b"PK\x05\x06")
_OPEN: Final = (b"{", b"[", b",", b":")  # how a line of a JSON document that goes on ends
# A page of rows: nothing but plain fields before its `value`
_PAGE: Final = re.compile(rb'\{[^{}\[\]]*"value"\s*:\s*\[')
_OTHER_TABLE: Final = re.compile(rb'"?[A-Za-z][^;\t{]*[;\t]')
_fields: Final = msgspec.json.Decoder(dict[str, msgspec.Raw])


class Content:
    """A byte stream whose beginning can be looked at before it is read."""

    def __init__(self, stream: IO[bytes]) -> None:
        self.stream = stream
        # read1 answers what is there: usage that is piped in is taken as it comes
        self._read = getattr(stream, "read1", stream.read)
        self._head = b""
        self.ended = False  # nothing comes after what was looked at
        if self._more() and self._head[:1] == _BOM[:1]:
            while len(self._head) < len(_BOM) and self._more():
                pass
            self._head = self._head.removeprefix(_BOM)

    def read(self, size: int) -> bytes:
        """Up to `size` bytes, b"" at the end."""
        if not self._head:
            data: bytes = self._read(size)
            return data
        data, self._head = self._head[:size], self._head[size:]
        return data

    def read_all(self, limit: int) -> bytes:
        """Everything, or more than `limit` bytes of it."""
        parts, size = [], 0
        while size <= limit and (part := self.read(CHUNK_BYTES)):
            parts.append(part)
            size += len(part)
        return b"".join(parts)

    def lines(self, count: int) -> list[bytes]:
        """The first `count` lines that are not blank, stripped, of about the first MiB; the last may be cut."""
        while True:
            lines = [line for line in map(bytes.strip, self._head.splitlines()) if line]
            whole = len(lines) - (not self._head.endswith((b"\n", b"\r")))
            if whole >= count or len(self._head) > MAX_RECORD_BYTES or not self._more():
                return lines[:count]

    def starts_with(self, *signatures: bytes) -> bool:
        return self._head.startswith(signatures)

    def _more(self) -> bool:
        data = self._read(CHUNK_BYTES)
        self._head += data
        self.ended = not data
        return bool(data)


def kind_of(content: Content, is_lines: bool = False) -> Kind:
    """What the content is; `is_lines`: messages, whatever they hold. Raises FileRefused for what cannot be usage."""
    if content.starts_with(*_ZIP):
        return "zip"
    if content.starts_with(*_UTF16):
        raise FileRefused("undecodable", "the file is UTF-16; save it as UTF-8")
    if is_lines:
        return "messages"
    lines = content.lines(1)
    if not lines:
        return "empty" if content.ended else "messages"
    if lines[0].startswith(b"["):
        return "page"
    if lines[0].startswith(b"{"):
        return _json_kind(content, lines[0])
    if b"," in lines[0]:
        return "csv"
    if any(line.startswith(b'{"') for line in content.lines(10)):
        return "messages"  # with rubbish at its beginning
    if _OTHER_TABLE.match(lines[0]):
        raise FileRefused("undecodable", "the table's cells are separated by semicolons or tabs: save it with commas")
    raise FileRefused("undecodable", "the file is neither a zip nor CSV nor JSON in UTF-8, as its first bytes show")


def _json_kind(content: Content, first: bytes) -> Kind:
    keys = keys_of(first)
    if not keys:
        return _document_or_lines(content, first)
    if is_graph_row(keys):
        return "graph-rows"
    return "page" if "value" in keys and not is_message(keys) else "messages"


def keys_of(record: bytes) -> Set[str]:
    """The keys of a JSON object; none for anything else."""
    try:
        return _fields.decode(record).keys()
    except (ValueError, RecursionError):
        return frozenset()


def is_message(keys: Set[str]) -> bool:
    """Whether an object with these keys is a usage message or a CloudEvent."""
    return "usage_id" in keys or "specversion" in keys


def is_graph_row(keys: Set[str]) -> bool:
    """Whether an object with these keys is a row of Graph's call log."""
    return not is_message(keys) and ("callType" in keys or "calleeNumber" in keys)


def _document_or_lines(content: Content, first: bytes) -> Kind:
    """The first line is no object by itself: a document over several lines, or bad lines."""
    if _PAGE.match(first):
        return "page"
    lines = content.lines(2)
    more = first.endswith(_OPEN) or (len(lines) > 1 and not lines[1].startswith(b"{"))
    return "page" if more else "messages"
