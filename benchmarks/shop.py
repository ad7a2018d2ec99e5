"""Accounts that pay by card, for the benchmarks: the sandbox that stands in for Stripe and `work`, each a process.

One usage of an account's user takes it below its trigger, so when recharges become due is up to whoever takes usage in.
"""

import json
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any, Final, NamedTuple

import psycopg

from application.letters import Incoming
from application.payments import Card
from application.ports import Commit, NewEvent
from benchmarks.measure import wait_until
from benchmarks.servers import environment, settings
from commcredits.bootstrap import Engine
from domain import commands, methods
from domain.account import CreditAccount
from domain.commands import By, Funds
from domain.events import Event, FundsAdded, Settings, account_stream, encode_state
from domain.months import DAY, SECOND
from domain.usage import Usage

CURRENCY: Final = "EUR"
LOT, BELOW, COST, AMOUNT = (Decimal(text) for text in ("50.0000", "20.0000", "40.0000", "100.0000"))
SAVING_AT_ONCE: Final = 8  # cards
START_SECONDS: Final = 60
LOOK_SECONDS: Final = 0.002
CAUGHT_UP: Final = """SELECT count(*) = 2 FROM (SELECT max(notification_id) AS reached FROM notification_tracking
    WHERE application_name IN ('duties', 'notices') GROUP BY application_name) AS models
    WHERE reached >= (SELECT max(notification_id) FROM stored_events)"""
CREDITED: Final = """SELECT notification_id, originator_id FROM stored_events
    WHERE notification_id > %s AND topic = 'FundsAdded' ORDER BY 1"""
NEWEST: Final = "SELECT max(notification_id) FROM stored_events"


class Sandbox(NamedTuple):
    """Where it is, and its key."""

    url: str
    api_key: str

    def control(self, name: str, **parameters: Any) -> Any:
        """`POST /_control/NAME`."""
        request = urllib.request.Request(f"{self.url}/_control/{name}", json.dumps(parameters).encode())
        with urllib.request.urlopen(request) as answer:
            return json.load(answer)["result"]

    def environment(self, url: str) -> dict[str, str]:
        """Of a process of the program on a store."""
        given = {"COMMCREDITS_STRIPE_API_BASE": self.url, "COMMCREDITS_STRIPE_API_KEY": self.api_key}
        return environment(url) | given

    def charged(self) -> list[tuple[str, Decimal]]:
        """Its ledger: recharge and amount of each charge that took money."""
        return [(line["metadata"]["of"], Decimal(line["amount"]) / 100) for line in self.control("ledger")]


@contextmanager
def sandbox() -> Iterator[Sandbox]:
    """`commcredits sandbox stripe`."""
    command = [sys.executable, "-m", "commcredits", "sandbox", "stripe", "--json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment("")) as process:
        try:
            assert process.stdout is not None
            said = json.loads(process.stdout.readline())
            yield Sandbox(said["url"], said["api_key"])
        finally:
            process.terminate()


@contextmanager
def working(url: str, provider: Sandbox, log: Path) -> "Iterator[subprocess.Popen[bytes]]":
    """`commcredits work`, all parts of it, once it is up to the log."""
    with log.open("ab") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", "commcredits", "work"], env=provider.environment(url), stdout=out, stderr=out
        )
    try:
        with psycopg.connect(url, autocommit=True) as connection:
            wait_until(lambda: connection.execute(CAUGHT_UP).fetchall()[0][0], START_SECONDS, "`work` to be up to date")
        yield process
        if process.poll() is not None:
            raise RuntimeError("`work` has ended")
    finally:
        process.terminate()
        process.wait(START_SECONDS)


class Shop:
    """So many accounts in a store, each with a card at the provider and auto-recharge."""

    def __init__(self, url: str, provider: Sandbox, accounts: int) -> None:
        self.url, self.provider = url, provider
        self.engine = Engine(
            settings(url, stripe_api_key=provider.api_key, stripe_api_base=provider.url, stripe_webhook_secret="")
        )
        self.accounts = [f"payer-{number:05d}" for number in range(accounts)]
        self._triggered = 0

    def close(self) -> None:
        """Lets go of the store."""
        self.engine.close()

    def open(self) -> None:
        """Save the cards at the provider, then write the accounts in one commit."""
        with ThreadPoolExecutor(SAVING_AT_ONCE) as pool:
            cards = list(pool.map(self._save_card, self.accounts))
        by = self.engine.by("benchmark")
        rows = [
            NewEvent(account_stream(name), version, type(event).__name__, encode_state(event))
            for name, (customer, card) in zip(self.accounts, cards, strict=True)
            for version, event in enumerate(_history(by, name, customer, card), 1)
        ]
        self.engine.store.commit(Commit(rows))

    def _save_card(self, name: str) -> tuple[str, Card]:
        provider = self.engine.provider
        assert provider is not None
        customer = provider.create_customer(name, f"{name}:customer")
        return customer, provider.attach(customer, "pm_card_visa", f"{name}:card")

    def trigger(self, count: int) -> float:
        """The next so many accounts are used below their triggers, in one commit; answers the instant (perf_counter)
        before.
        """
        names = self.accounts[self._triggered : self._triggered + count]
        self._triggered += count
        started_at = self.engine.by().now - 60 * SECOND
        incoming = [
            Incoming(_usage(name, started_at), ("file", "benchmark", place, 0)) for place, name in enumerate(names)
        ]
        begun = time.perf_counter()
        tally = self.engine.ingest.take(incoming, "file")
        assert tally.accepted == count, tally
        return begun

    def streams(self) -> dict[bytes, str]:
        """Accounts by the key of their streams."""
        return {account_stream(name).bytes: name for name in self.accounts}

    def check(self) -> None:
        """Each account has been charged once, and what the provider took is what our log says, to the cent."""
        charged, paid = self.provider.charged(), list[tuple[str, Decimal]]()
        for name in self.accounts:
            events = [each.event for each in self.engine.store.select_events(account_stream(name))]
            paid += [(e.recharge_id, e.amount) for e in events if isinstance(e, FundsAdded) and e.recharge_id]
            assert not self.engine.appender.load(name).payments, name
        assert sorted(charged) == sorted(paid), (charged, paid)
        assert len({of for of, _ in charged}) == len(charged) == len(self.accounts), charged


class Credits:
    """When each account's recharge is seen to be on the log: looked at every two milliseconds."""

    def __init__(self, shop: Shop) -> None:
        self._names = shop.streams()
        self._connection = psycopg.connect(shop.url, autocommit=True)
        self._seen: int = self._connection.execute(NEWEST).fetchall()[0][0]
        self.at: dict[str, float] = {}

    def close(self) -> None:
        """Ends the connection."""
        self._connection.close()

    def wait(self, count: int, seconds: float) -> None:
        """Until so many are credited. Raises RuntimeError where that takes longer."""
        end = time.perf_counter() + seconds
        while self.look() < count:
            if time.perf_counter() > end:
                raise RuntimeError(f"{len(self.at)} of {count} recharges are credited after {seconds:.0f} s")
            time.sleep(LOOK_SECONDS)

    def look(self) -> int:
        """How many are credited so far."""
        rows: Sequence[Any] = self._connection.execute(CREDITED, (self._seen,)).fetchall()
        now = time.perf_counter()
        for position, stream in rows:
            self._seen = position
            name = self._names[stream.bytes]
            assert name not in self.at, name
            self.at[name] = now
        return len(self.at)


def _history(by: By, name: str, customer: str, card: Card) -> list[Event]:
    account, events = CreditAccount(), list[Event]()

    def do(decided: Iterable[Event]) -> None:
        events.extend(commands.with_trigger(account, decided))

    opened_at = by.now - 30 * DAY
    chosen = Settings(country="DE", pricing="as-priced")
    do(commands.open_account(account, by, name, CURRENCY, 4, chosen, opened_at))
    do(methods.customer_created(account, by, "stripe", customer))
    do(methods.add_card(account, by, "stripe", customer, card.token, card.brand, card.last4, card.expires))
    do(commands.add_funds(account, by, Funds(LOT, "po-1", opened_at)))
    do(commands.set_recharge(account, by, commands.Level(BELOW, AMOUNT), Decimal(50)))
    return events


def _usage(name: str, started_at: int) -> Usage:
    return Usage(
        f"{name}-1", name, "user_out", started_at, 60, "+4930555000", "+4930123456", f"user@{name}.example.com",
        number_type="Subscriber", capability="MCOPSTN1", charge=COST, connection_fee=Decimal(0), currency=CURRENCY,
    )  # fmt: skip
