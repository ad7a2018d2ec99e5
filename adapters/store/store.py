"""How a store is opened, and made ready.

    store = open_store("sqlite:///commcredits.db", tables=[create_balances])

A store belongs to one thread of one process; another process opens its own by the same URL.
"""

from collections.abc import Sequence

from adapters.store.schema import CreateTables
from application.ports import Store


def open_store(url: str, tables: Sequence[CreateTables] = ()) -> Store:
    """The store behind `sqlite:///PATH` or `postgresql://…`. Raises StoreUnavailable, SchemaMissing.

    An SQLite file is made when it is not there, with the read models' `tables` too; PostgreSQL needs `migrate` first.
    """
    if url.startswith("sqlite:///"):
        from adapters.store.sqlite_store import open_sqlite

        return open_sqlite(url.removeprefix("sqlite:///"), tables)
    _check_postgres(url)
    from adapters.store.postgres_store import open_postgres  # not needed, and slow to import, for SQLite

    return open_postgres(url)


def migrate(url: str, tables: Sequence[CreateTables] = ()) -> None:
    """Creates or upgrades the tables, the read models' too. May run at any time, several at once."""
    if url.startswith("sqlite:///"):
        open_store(url, tables).close()
        return
    _check_postgres(url)
    from adapters.store.postgres_store import migrate_postgres

    migrate_postgres(url, tables)


def _check_postgres(url: str) -> None:
    if not url.startswith(("postgresql://", "postgres://")):
        raise ValueError("a store is named by sqlite:///PATH or postgresql://USER@HOST/DATABASE")
