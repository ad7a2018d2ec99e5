"""The master key: from the settings; with SQLite else from a file beside the database, made at first use.

The file holds base64, as the setting does, and is readable by its owner only. It appears whole or not at all, and of
several processes that make it at once the first one's stays.
"""

import base64
import contextlib
import os
import secrets
import tempfile
from pathlib import Path

from commcredits import settings
from domain.errors import Invalid


def key_file(store_url: str) -> Path | None:
    """Where an SQLite database's key is kept; None with any other store."""
    if not store_url.startswith(settings.SQLITE):
        return None
    database = Path(store_url.removeprefix(settings.SQLITE)).absolute()
    return database.with_name(database.name + ".key")


def master_key(given: bytes | None, store_url: str, has_keys: bool) -> bytes:
    """The key's 32 bytes. `has_keys`: the store holds keys that a master key has wrapped already.

    Raises Invalid `master_key_missing`, `invalid_master_key`.
    """
    if given is not None:
        return given
    path = key_file(store_url)
    if path is None:
        text = "PostgreSQL needs COMMCREDITS_MASTER_KEY, or COMMCREDITS_MASTER_KEY_FILE: base64 of 32 random bytes"
        raise Invalid("master_key_missing", f"{text}, as `openssl rand -base64 32` writes it", "master_key")
    if not path.exists():
        if has_keys:
            text = f"{path} is not there, and the database has keys that it wraps: put it back"
            raise Invalid("master_key_missing", text, "master_key")
        _make(path)
    return _read(path)


def _read(path: Path) -> bytes:
    try:
        return settings.master_key(path.read_text(encoding="ascii"))
    except OSError as error:
        raise Invalid("master_key_missing", f"{path} cannot be read: {error.strerror}", "master_key") from error
    except ValueError as error:
        raise Invalid("invalid_master_key", f"{path} {error}", "master_key") from error


def _make(path: Path) -> None:
    """Written and synced under another name first, then linked: a link never replaces what is there."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=path.name)  # mode 0600
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(base64.b64encode(secrets.token_bytes(settings.MASTER_KEY_BYTES)) + b"\n")
            file.flush()
            os.fsync(file.fileno())
        with contextlib.suppress(FileExistsError):
            os.link(name, path)
    finally:
        os.unlink(name)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
