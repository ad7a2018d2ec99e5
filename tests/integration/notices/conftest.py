"""A store with an account, a mail server and a webhook's receiver, and a clock that the test moves."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from decimal import Decimal
from typing import Any

import pytest

from adapters.store.store import migrate
from commcredits.bootstrap import Engine, create_read_models
from commcredits.settings import Settings
from domain import events
from domain.commands import By, Funds
from domain.instants import parse_instant
from domain.months import SECOND
from tests.support.receivers import MailBox, Receiver, mail_server, receiver

MASTER_KEY = bytes(range(32))
BEGIN = parse_instant("2026-11-22T10:00:00Z")


class World:
    """`now` is the time that everybody takes it to be."""

    def __init__(self, url: str, mail: MailBox, hook: Receiver, stack: ExitStack) -> None:
        self.url, self.mail, self.hook, self._stack = url, mail, hook, stack
        self.now = BEGIN
        self.engine = self.process()

    def process(self, **settings: Any) -> Engine:
        """Another process over the same store."""
        given = {"smtp_url": self.mail.url, "webhook_allow": ("127.0.0.0/8",), **settings}
        engine = Engine(Settings(store=self.url, master_key=MASTER_KEY, **given))
        self._stack.callback(engine.close)
        return engine

    def by(self) -> By:
        return By(self.now, "ana", "cli")

    def pass_time(self, seconds: int) -> None:
        self.now += seconds * SECOND

    def open(self, account_id: str = "contoso", **settings: Any) -> None:
        since = parse_instant("2026-01-01")
        self.engine.administration.open_account(self.by(), account_id, "EUR", 4, events.Settings(**settings), since)

    def fund(self, amount: int, account_id: str = "contoso", **more: Any) -> None:
        self.engine.administration.add_funds(self.by(), account_id, Funds(Decimal(f"{amount}.0000"), **more))

    def low_balance(self, amount: int, account_id: str = "contoso") -> None:
        self.engine.administration.set_low_balance(self.by(), account_id, Decimal(f"{amount}.0000"))

    def make_low(self, account_id: str = "contoso") -> None:
        """One notice: the threshold is above what there is."""
        self.fund(100, account_id)
        self.low_balance(200, account_id)

    def tell(self, address: str, account_id: str = "contoso", language: str = "en", *kinds: str) -> None:
        self.engine.recipients.tell(account_id, address, language, kinds, self.now)

    def add_webhook(self, account_id: str = "", *kinds: str, url: str = "") -> tuple[str, str]:
        target, secret = self.engine.recipients.add_webhook(url or self.hook.url, account_id, kinds, self.now)
        return target.id, secret

    def run(self, engine: Engine | None = None) -> None:
        """Until there is nothing to do any more at this time."""
        while (engine or self.engine).notices.run(self.now):
            pass

    def listed(self, account_id: str = "contoso") -> list[tuple[str, list[str]]]:
        """Kinds, and what became of the deliveries."""
        found = self.engine.recipients.notices(account_id, 1000)
        return [(each.notice.kind, [one.status for one in each.deliveries]) for each in found]


@pytest.fixture
def make_world() -> Iterator[Callable[[str], World]]:
    """`make_world(store_url)`."""
    with ExitStack() as stack:

        def make(url: str) -> World:
            migrate(url, [create_read_models])
            return World(url, stack.enter_context(mail_server()), stack.enter_context(receiver()), stack)

        yield make


@pytest.fixture
def world(make_world: Callable[[str], World], store_url: str) -> World:
    """On each kind of store, with account contoso."""
    made = make_world(store_url)
    made.open()
    return made


@pytest.fixture
def small_world(make_world: Callable[[str], World], sqlite_url: str) -> World:
    """On SQLite only: what does not depend on the store."""
    made = make_world(sqlite_url)
    made.open()
    return made
