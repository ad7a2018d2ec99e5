"""Files that a command line names."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from commcredits.values import in_utf8
from domain.errors import DomainError, Invalid, NotFound


def open_file(path: Path, field: str) -> BinaryIO:
    """Open to read. Raises NotFound `file_not_found`, Invalid `unreadable_file`."""
    try:
        return path.open("rb")
    except FileNotFoundError:
        raise NotFound("file_not_found", f"there is no file {path}", field) from None
    except OSError as error:
        raise Invalid("unreadable_file", f"{path} cannot be read: {error.strerror}", field) from error


@contextmanager
def naming(path: Path) -> Iterator[None]:
    """What is refused in here is refused of this file: the error's source says so."""
    try:
        yield
    except DomainError as error:
        error.source = in_utf8(str(path))
        raise
