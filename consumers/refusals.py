"""Why a record is not taken: the error raised inside the decoders, and the refusals that need no decoding."""

import hashlib
from typing import Final

from domain.usage import Refusal

MAX_RECORD_BYTES: Final = 1 << 20
KEPT_BYTES: Final = 4096  # of a record that is too large
_NAME_LENGTH: Final = 200


class Refused(Exception):
    """A record cannot be taken. `reason` is a stable code, `field` the source's own name, "" for the whole record."""

    def __init__(self, reason: str, field: str, message: str) -> None:
        super().__init__(message)
        self.reason, self.message = reason, message
        # A key may be anything: what names a field must fit into a line, and into a database's text.
        self.field = field[:_NAME_LENGTH] if field.isprintable() else ""


def too_large(
    kept: bytes,
    size: int,
    sha256: str,
    format: str = "usage",  # noqa: A002 - the domain's word
    account: str = "",
) -> Refusal:
    """The refusal of a record over 1 MiB, of which only the first bytes are kept."""
    message = f"the record has {size:,} bytes, at most {MAX_RECORD_BYTES:,} are taken; sha256 {sha256}"
    return Refusal("too_large", "", message, kept[:KEPT_BYTES], account, format=format)


def too_large_record(raw: bytes, format: str = "usage", account: str = "") -> Refusal:  # noqa: A002
    """`too_large` of a record that is in memory."""
    return too_large(raw, len(raw), hashlib.sha256(raw).hexdigest(), format, account)


class FileRefused(Exception):
    """A whole file cannot be taken; what came before in it was. `code` is stable, `source` names the file.

    Codes: `account_required`, `undecodable`, `missing_columns`, `duplicate_key`, `too_large`, `unsafe_archive`.
    """

    def __init__(self, code: str, message: str, field: str = "", source: str = "") -> None:
        super().__init__(f"{source}: {message}" if source else message)
        self.code, self.message, self.field, self.source = code, message, field, source
