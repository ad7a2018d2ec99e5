"""Who is told what: tables of recipients, webhooks and deliveries, and their SQL.

recipients  an e-mail address of an account, sealed: removing the row erases it
webhooks    an address with its secret, sealed; of one account, or of all
deliveries  one notice on its way to one of them; its id is made of both, so it exists once

What a notice is comes from projections/notices.py; its `handed` is 1 once its deliveries are there.
"""

from application.ports import Database

_TABLES = (
    """CREATE TABLE IF NOT EXISTS recipients (
        id text NOT NULL PRIMARY KEY, account text NOT NULL, sealed {bytes} NOT NULL, language text NOT NULL,
        kinds text NOT NULL, since bigint NOT NULL, added_at bigint NOT NULL)""",
    "CREATE INDEX IF NOT EXISTS recipients_account ON recipients (account)",
    """CREATE TABLE IF NOT EXISTS webhooks (
        id text NOT NULL PRIMARY KEY, account text NOT NULL, url text NOT NULL, sealed_secret {bytes} NOT NULL,
        kinds text NOT NULL, since bigint NOT NULL, added_at bigint NOT NULL)""",
    """CREATE TABLE IF NOT EXISTS deliveries (
        id text NOT NULL PRIMARY KEY, notice text NOT NULL, account text NOT NULL, channel text NOT NULL,
        target text NOT NULL, status text NOT NULL, tries text NOT NULL, attempts integer NOT NULL,
        first_at bigint NOT NULL, next_at bigint NOT NULL, claimed_until bigint NOT NULL)""",
    "CREATE INDEX IF NOT EXISTS deliveries_notice ON deliveries (notice)",
    "CREATE INDEX IF NOT EXISTS deliveries_target ON deliveries (target, first_at, id)",
    "CREATE INDEX IF NOT EXISTS deliveries_due ON deliveries (next_at, id) WHERE status = 'pending'",
    "CREATE INDEX IF NOT EXISTS deliveries_dead ON deliveries (first_at) WHERE status = 'dead'",
)


def create(database: Database) -> None:
    """The tables, where they are not there."""
    octets = "bytea" if database.dialect == "postgresql" else "blob"
    for statement in _TABLES:
        database.execute(statement.replace("{bytes}", octets))
