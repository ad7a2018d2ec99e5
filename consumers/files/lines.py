"""Lines of a byte stream in constant memory: a line of any length is taken, or told to be too long."""

import hashlib
from collections.abc import Callable, Iterator
from typing import Final, NamedTuple

from consumers.refusals import KEPT_BYTES, MAX_RECORD_BYTES

CHUNK_BYTES: Final = 1 << 18
MAX_LINE_BYTES: Final = MAX_RECORD_BYTES + 2  # with its end

Read = Callable[[int], bytes]  # up to so many bytes, fewer when no more are there yet, none at the end


class TooLong(NamedTuple):
    """What is kept of a line that is too long."""

    kept: bytes
    size: int
    sha256: str


def read_lines(read: Read, limit: int = MAX_LINE_BYTES) -> Iterator[bytes | TooLong]:
    """Lines with their ends: LF, CRLF or CR. Each as soon as it is there."""
    size = min(limit, CHUNK_BYTES)
    rest = b""
    while chunk := read(size):
        lines = (rest + chunk).splitlines(keepends=True)
        # a CR at the end of what is there may be half a CRLF
        rest = b"" if lines[-1].endswith(b"\n") else lines.pop()
        if lines and len(lines[0]) > limit:  # only the first can be: the others lie within one chunk
            yield _too_long(lines.pop(0))
        yield from lines
        if len(rest) > limit:
            long_line, rest = _skip_line(rest, read)
            yield long_line
    yield from rest.splitlines(keepends=True)


def _too_long(line: bytes) -> TooLong:
    line = line.rstrip(b"\r\n")
    return TooLong(line[:KEPT_BYTES], len(line), hashlib.sha256(line).hexdigest())


def _skip_line(start: bytes, read: Read) -> tuple[TooLong, bytes]:
    """The line that begins with `start`, hashed and forgotten, and what was read after it."""
    digest, size, rest, chunk = hashlib.sha256(), 0, b"", start
    while chunk:
        line = chunk.partition(b"\n")[0].partition(b"\r")[0]
        digest.update(line)
        size += len(line)
        if len(line) < len(chunk):
            rest = chunk[len(line) :]
            if rest == b"\r":  # half a CRLF, perhaps
                rest += read(CHUNK_BYTES)
            rest = rest.removeprefix(b"\r").removeprefix(b"\n")
            break
        chunk = read(CHUNK_BYTES)
    return TooLong(start[:KEPT_BYTES], size, digest.hexdigest()), rest
