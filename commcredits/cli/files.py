"""Files that a command line names."""

from pathlib import Path
from typing import BinaryIO

from domain.errors import Invalid, NotFound


def open_file(path: Path, field: str) -> BinaryIO:
    """Open to read. Raises NotFound `file_not_found`, Invalid `unreadable_file`."""
    try:
        return path.open("rb")
    except FileNotFoundError:
        raise NotFound("file_not_found", f"there is no file {path}", field) from None
    except OSError as error:
        raise Invalid("unreadable_file", f"{path} cannot be read: {error.strerror}", field) from error
