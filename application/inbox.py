"""What a provider has told and nobody has looked into yet: kept, so that the answer need not wait for the work.

Only whom to look up is kept, nothing of the body. An event that comes again while it waits is there once.
"""

from typing import Final

from application.payments import ProviderEvent
from application.ports import Database, Store

TABLE: Final = """CREATE TABLE IF NOT EXISTS provider_inbox (
    id text PRIMARY KEY, kind text NOT NULL, object_id text NOT NULL, account text NOT NULL, customer text NOT NULL,
    received_at bigint NOT NULL)"""
PUT: Final = """INSERT INTO provider_inbox (id, kind, object_id, account, customer, received_at)
    VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING"""
WAITING: Final = "SELECT id, kind, object_id, account, customer FROM provider_inbox ORDER BY received_at, id LIMIT ?"
OLDEST: Final = "SELECT min(received_at) FROM provider_inbox"
DONE: Final = "DELETE FROM provider_inbox WHERE id = ?"


def create(database: Database) -> None:
    """The table, where it is not there."""
    database.execute(TABLE)


class Inbox:
    """Over one store."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def put(self, event: ProviderEvent, now: int) -> None:
        """It is safe when this returns. Raises StoreUnavailable."""
        with self._store.transaction() as database:
            database.execute(PUT, (*event, now))

    def waiting(self, most: int = 100) -> list[ProviderEvent]:
        """The oldest first."""
        with self._store.reading() as database:
            return [ProviderEvent(*row) for row in database.execute(WAITING, (most,))]

    def waiting_since(self) -> int | None:
        """When the oldest was received; None: nothing waits."""
        with self._store.reading() as database:
            [[oldest]] = database.execute(OLDEST)
        return None if oldest is None else int(oldest)

    def done(self, event: ProviderEvent) -> None:
        """It was looked into."""
        with self._store.transaction() as database:
            database.execute(DONE, (event.id,))
