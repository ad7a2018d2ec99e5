"""Who is told what: tables of recipients, webhooks and deliveries, and their SQL.

recipients  an e-mail address of an account, sealed: removing the row erases it
webhooks    an address with its secret, sealed; of one account, or of all
deliveries  one notice on its way to one of them; its id is made of both, so it exists once

What a notice is comes from projections/notices.py; its `handed` is 1 once its deliveries are there. `since` is the
first position of the log whose notices go to a target: who is added later is not told of what was before.
"""

import hashlib
from collections.abc import Iterable, Sequence
from typing import Any, Final, NamedTuple

import msgspec

from application.ports import Database

MAIL: Final = "mail"
WEBHOOK: Final = "webhook"
PENDING, DELIVERED, DEAD, CANCELLED = "pending", "delivered", "dead", "cancelled"

_TABLES: Final = (
    """CREATE TABLE IF NOT EXISTS recipients (
        id text NOT NULL PRIMARY KEY, account text NOT NULL, sealed {bytes} NOT NULL, language text NOT NULL,
        kinds text NOT NULL, since bigint NOT NULL, added_at bigint NOT NULL)""",
    "CREATE INDEX IF NOT EXISTS recipients_account ON recipients (account)",
    """CREATE TABLE IF NOT EXISTS webhooks (
        id text NOT NULL PRIMARY KEY, account text NOT NULL, url text NOT NULL, sealed {bytes} NOT NULL,
        kinds text NOT NULL, since bigint NOT NULL, added_at bigint NOT NULL)""",
    """CREATE TABLE IF NOT EXISTS deliveries (
        id text NOT NULL PRIMARY KEY, notice text NOT NULL, channel text NOT NULL, target text NOT NULL,
        status text NOT NULL, tries text NOT NULL, attempts integer NOT NULL, first_at bigint NOT NULL,
        next_at bigint NOT NULL, claimed_until bigint NOT NULL)""",
    "CREATE INDEX IF NOT EXISTS deliveries_notice ON deliveries (notice)",
    "CREATE INDEX IF NOT EXISTS deliveries_target ON deliveries (target, first_at, id)",
    "CREATE INDEX IF NOT EXISTS deliveries_due ON deliveries (next_at, id) WHERE status = 'pending'",
    "CREATE INDEX IF NOT EXISTS deliveries_dead ON deliveries (first_at) WHERE status = 'dead'",
)
_NOTICE: Final = "id, account, kind, occurred_at, position, facts"
_DELIVERY: Final = "d.id, d.notice, d.channel, d.target, d.status, d.tries, d.attempts, d.first_at, d.next_at"


class Notice(NamedTuple):
    """A row of notices."""

    id: str
    account: str
    kind: str
    at: int
    position: int
    facts: dict[str, Any]


class Target(NamedTuple):
    """Somebody to tell: `address` is sealed for a recipient, a webhook's URL is clear and its secret `sealed`."""

    id: str
    account: str  # empty: of all accounts
    channel: str
    sealed: bytes
    language: str  # of a recipient
    url: str  # of a webhook
    kinds: frozenset[str]  # empty: all
    since: int
    added_at: int

    def wants(self, notice: Notice) -> bool:
        """Whether it is told of a notice."""
        return notice.position >= self.since and (not self.kinds or notice.kind in self.kinds)


class Delivery(NamedTuple):
    """A row of deliveries. `tries`: when, and what the other side answered."""

    id: str
    notice: str
    channel: str
    target: str
    status: str
    tries: list[tuple[int, str]]
    attempts: int
    first_at: int
    next_at: int


def create(database: Database) -> None:
    """The tables, where they are not there."""
    octets = "bytea" if database.dialect == "postgresql" else "blob"
    for statement in _TABLES:
        database.execute(statement.replace("{bytes}", octets))


def unhanded(database: Database, limit: int) -> list[Notice]:
    """Notices whose deliveries are not there yet, first first."""
    sql = f"SELECT {_NOTICE} FROM notices WHERE handed = 0 ORDER BY position, id LIMIT ?"  # noqa: S608
    return [_notice_of(row) for row in database.execute(sql, (limit,))]


def notices_of(database: Database, account_id: str, limit: int) -> list[Notice]:
    """An account's newest, oldest first."""
    sql = f"SELECT {_NOTICE} FROM notices WHERE account = ? ORDER BY occurred_at DESC, position DESC, id DESC LIMIT ?"  # noqa: S608
    return [_notice_of(row) for row in reversed(database.execute(sql, (account_id, limit)))]


def notices_by_id(database: Database, ids: Iterable[str]) -> dict[str, Notice]:
    """Those that are there."""
    sql = f"SELECT {_NOTICE} FROM notices WHERE id = ?"  # noqa: S608
    return {each: _notice_of(row) for each in set(ids) for row in database.execute(sql, (each,))}


def _notice_of(row: Sequence[Any]) -> Notice:
    each, account, kind, at, position, facts = row
    return Notice(each, account, kind, at, position, msgspec.json.decode(facts))


def recipients_of(database: Database, account_id: str) -> list[Target]:
    """Of an account."""
    sql = "SELECT id, account, sealed, language, kinds, since, added_at FROM recipients WHERE account = ? ORDER BY id"
    return [
        Target(each, account, MAIL, bytes(sealed), language, "", _kinds(kinds), since, added_at)
        for each, account, sealed, language, kinds, since, added_at in database.execute(sql, (account_id,))
    ]


def webhooks(database: Database) -> list[Target]:
    """All, in the order in which they were added."""
    sql = "SELECT id, account, sealed, url, kinds, since, added_at FROM webhooks ORDER BY added_at, id"
    return [
        Target(each, account, WEBHOOK, bytes(sealed), "", url, _kinds(kinds), since, added_at)
        for each, account, sealed, url, kinds, since, added_at in database.execute(sql)
    ]


def _kinds(text: str) -> frozenset[str]:
    return frozenset(text.split(",")) if text else frozenset()


def put_recipient(database: Database, target: Target) -> None:
    """One that is there keeps since when it is told."""
    database.execute(
        "INSERT INTO recipients (id, account, sealed, language, kinds, since, added_at) VALUES (?, ?, ?, ?, ?, ?, ?)"
        " ON CONFLICT (id) DO UPDATE SET sealed = excluded.sealed, language = excluded.language,"
        " kinds = excluded.kinds",
        (
            *(target.id, target.account, target.sealed, target.language, ",".join(sorted(target.kinds))),
            *(target.since, target.added_at),
        ),
    )


def put_webhook(database: Database, target: Target) -> None:
    """A new one."""
    database.execute(
        "INSERT INTO webhooks (id, account, url, sealed, kinds, since, added_at) VALUES (?, ?, ?, ?, ?, ?, ?)",
        (
            *(target.id, target.account, target.url, target.sealed, ",".join(sorted(target.kinds))),
            *(target.since, target.added_at),
        ),
    )


def remove_target(database: Database, channel: str, target: str) -> bool:
    """False: it was not there. What was on its way to it is cancelled."""
    table = "recipients" if channel == MAIL else "webhooks"
    found = database.execute(f"SELECT 1 FROM {table} WHERE id = ?", (target,))  # noqa: S608
    database.execute(f"DELETE FROM {table} WHERE id = ?", (target,))  # noqa: S608
    database.execute("UPDATE deliveries SET status = ? WHERE target = ? AND status = ?", (CANCELLED, target, PENDING))
    return bool(found)


def hand_over(database: Database, notice: Notice, targets: Iterable[Target], now: int) -> None:
    """The notice's deliveries, each once, and that they are there."""
    rows = [
        (_delivery_id(notice.id, target.id), notice.id, target.channel, target.id, PENDING, "[]", 0, now, now, 0)
        for target in targets
    ]
    if rows:
        database.executemany(
            "INSERT INTO deliveries (id, notice, channel, target, status, tries, attempts, first_at, next_at,"
            " claimed_until) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING",
            sorted(rows),
        )
    database.execute("UPDATE notices SET handed = 1 WHERE id = ?", (notice.id,))


def _delivery_id(notice: str, target: str) -> str:
    return "dlv-" + hashlib.sha256(f"{notice} {target}".encode()).hexdigest()[:32]


def is_due(database: Database, now: int) -> bool:
    """Whether there may be something to try."""
    return bool(database.execute("SELECT 1 FROM deliveries WHERE status = 'pending' AND next_at <= ? LIMIT 1", (now,)))


def due(database: Database, now: int, clock: int, lease: int, limit: int) -> list[Delivery]:
    """Deliveries that are to be tried `now` and that nobody has claimed by the store's `clock`; other transactions pass
    over those meanwhile.

    A claim that ends later than any could is one of a clock that was set back.
    """
    sql = (
        f"SELECT {_DELIVERY} FROM deliveries AS d WHERE d.status = 'pending' AND d.next_at <= ?"  # noqa: S608
        " AND (d.claimed_until <= ? OR d.claimed_until > ?) ORDER BY d.next_at, d.id LIMIT ?"
    )
    if database.dialect == "postgresql":
        sql += " FOR UPDATE SKIP LOCKED"
    return [_delivery_of(row) for row in database.execute(sql, (now, clock, clock + lease, limit))]


def claim(database: Database, deliveries: Iterable[Delivery], until: int) -> None:
    """In the transaction that has found them due; `until`: by the store's clock."""
    rows = [(until, each.id) for each in deliveries]
    database.executemany("UPDATE deliveries SET claimed_until = ? WHERE id = ?", rows)


def release(database: Database, deliveries: Iterable[Delivery]) -> None:
    """Not tried after all."""
    rows = [(each.id, each.attempts) for each in deliveries]
    database.executemany("UPDATE deliveries SET claimed_until = 0 WHERE id = ? AND attempts = ?", rows)


def book(database: Database, tried: Delivery, next_at: int) -> None:
    """What came of a try, unless another process has booked one meanwhile; then the first to be booked counts."""
    database.execute(
        "UPDATE deliveries SET status = ?, tries = ?, attempts = ?, next_at = ?, claimed_until = 0"
        " WHERE id = ? AND attempts = ? AND status = 'pending'",
        (
            *(tried.status, msgspec.json.encode(tried.tries).decode(), tried.attempts, next_at),
            *(tried.id, tried.attempts - 1),
        ),
    )


def put_off(database: Database, channel: str, target: str, next_at: int) -> None:
    """What is on its way by a channel, or to one target of it, and would be tried before."""
    sql = "UPDATE deliveries SET next_at = ? WHERE channel = ? AND status = 'pending' AND next_at < ?"
    which = (" AND target = ?", target) if target else ("",)
    database.execute(sql + which[0], (next_at, channel, next_at, *which[1:]))


def again(database: Database, deliveries: Iterable[Delivery], now: int) -> None:
    """Begin anew, under the same id."""
    rows = [(now, now, each.id) for each in deliveries]
    database.executemany(
        "UPDATE deliveries SET status = 'pending', attempts = 0, first_at = ?, next_at = ?, claimed_until = 0"
        " WHERE id = ?",
        rows,
    )


def deliveries_of(database: Database, notices: Iterable[str]) -> list[Delivery]:
    """Of some notices."""
    sql = f"SELECT {_DELIVERY} FROM deliveries AS d WHERE d.notice = ? ORDER BY d.first_at, d.id"  # noqa: S608
    return [_delivery_of(row) for notice in notices for row in database.execute(sql, (notice,))]


def deliveries_where(
    database: Database, *, delivery: str = "", channel: str = "", target: str = "", status: str = "", limit: int = 1000
) -> list[Delivery]:
    """The newest that are so, oldest first."""
    wanted = {"d.id = ?": delivery, "d.channel = ?": channel, "d.target = ?": target, "d.status = ?": status}
    given = {condition: value for condition, value in wanted.items() if value}
    where = " AND ".join(given or ["true"])
    sql = f"SELECT {_DELIVERY} FROM deliveries AS d WHERE {where} ORDER BY d.first_at DESC, d.id DESC LIMIT ?"  # noqa: S608
    return [_delivery_of(row) for row in reversed(database.execute(sql, (*given.values(), limit)))]


def count_dead(database: Database) -> dict[str, int]:
    """Deliveries that were given up, by channel."""
    sql = "SELECT channel, count(*) FROM deliveries WHERE status = 'dead' GROUP BY channel ORDER BY channel"
    return dict(database.execute(sql))


def has_recipients(database: Database) -> bool:
    """Whether anybody is told by mail."""
    return bool(database.execute("SELECT 1 FROM recipients LIMIT 1"))


def _delivery_of(row: Sequence[Any]) -> Delivery:
    each, notice, channel, target, status, tries, attempts, first_at, next_at = row
    decoded = msgspec.json.decode(tries, type=list[tuple[int, str]])
    return Delivery(each, notice, channel, target, status, decoded, attempts, first_at, next_at)
