"""Puts a stored history into an empty store, as the program of that version left it."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import psycopg

VERSIONS = sorted(Path(__file__).parent.glob("version-*"), key=lambda path: int(path.name.removeprefix("version-")))


def restore(version: Path, store_url: str) -> None:
    """With that version's schema."""
    if store_url.startswith("sqlite"):
        with closing(sqlite3.connect(store_url.removeprefix("sqlite:///"))) as connection:
            connection.executescript((version / "sqlite.sql").read_text())
    else:
        with psycopg.connect(store_url, autocommit=True) as session:
            session.execute((version / "postgres.sql").read_bytes())
