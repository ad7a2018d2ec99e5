"""The export's zip: its CSV files are read as they are decompressed; nothing is ever written to a disk."""

import io
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator
from functools import partial
from typing import IO, Final, TypeVar

from consumers.files.content import Content
from consumers.files.lines import read_lines
from consumers.files.pstn_csv import read_csv
from consumers.refusals import FileRefused
from domain.usage import Refusal, Usage

T = TypeVar("T")

# Usage shrinks to a tenth; what shrinks to less than a hundredth of a large size is made to exhaust somebody.
_FREE_BYTES: Final = 64 << 20
_MAX_RATIO: Final = 100
_MAX_PIPED_BYTES: Final = 64 << 20
_ENCRYPTED: Final = 0x1
_METHODS: Final = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)


def read_archive(content: Content, account: str) -> Iterator[tuple[str, int, Usage | Refusal, bytes]]:
    """Of each CSV in the archive: its name, and what `read_csv` says. Raises FileRefused; its source is a CSV."""
    stream = _seekable(content)
    try:
        with _sound(lambda: zipfile.ZipFile(stream)) as archive:
            for info in _tables(archive, stream):
                with _sound(partial(archive.open, info)) as member:
                    try:
                        for line, item, raw in read_csv(read_lines(Content(member).read), account):
                            yield info.filename, line, item, raw
                    except FileRefused as error:
                        raise FileRefused(error.code, error.message, error.field, info.filename) from error
    except (zipfile.BadZipFile, zlib.error, EOFError) as error:
        raise FileRefused("undecodable", f"the zip is damaged: {error}") from error


def _sound(opened: Callable[[], T]) -> T:
    """What zipfile opens; it answers damage by whatever its reading stumbles over."""
    try:
        return opened()
    except (ValueError, OverflowError, NotImplementedError, struct.error) as error:
        raise zipfile.BadZipFile(str(error)) from error


def _seekable(content: Content) -> IO[bytes]:
    if content.stream.seekable():
        return content.stream
    data = content.read_all(_MAX_PIPED_BYTES)
    if len(data) > _MAX_PIPED_BYTES:
        raise FileRefused("too_large", f"a zip over {_MAX_PIPED_BYTES >> 20} MiB cannot be piped in: name the file")
    return io.BytesIO(data)


def _tables(archive: zipfile.ZipFile, stream: IO[bytes]) -> list[zipfile.ZipInfo]:
    """The CSV files in it, once all of the archive is found to be harmless."""
    members = archive.infolist()
    size = stream.seek(0, io.SEEK_END)
    for info in members:
        if not 0 <= info.header_offset < size:
            raise zipfile.BadZipFile("a file in it begins outside of it")
        parts = info.filename.replace("\\", "/").split("/")
        if info.filename.startswith(("/", "\\")) or ".." in parts or ":" in parts[0]:
            raise FileRefused("unsafe_archive", f"the zip names a file outside itself: {info.filename[:200]!r}")
        if info.flag_bits & _ENCRYPTED or info.compress_type not in _METHODS:
            raise FileRefused("undecodable", f"{info.filename[:200]!r} is encrypted or compressed in an unknown way")
    # What is declared is all that is read of each: zipfile stops there.
    declared = sum(info.file_size for info in members)
    if declared > max(_FREE_BYTES, _MAX_RATIO * size):
        text = f"the zip of {size:,} bytes would become {declared:,}: at most {_MAX_RATIO} times its size is taken"
        raise FileRefused("unsafe_archive", text)
    tables = [info for info in members if info.filename.lower().endswith(".csv") and not _is_hidden(info.filename)]
    if not tables:
        raise FileRefused("undecodable", "there is no CSV file in the zip")
    return tables


def _is_hidden(name: str) -> bool:
    """What macOS adds to an archive."""
    return name.startswith("__MACOSX/")
