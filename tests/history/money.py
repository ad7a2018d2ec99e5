"""The part of the story that is about money: top-ups, recharges, refunds, disputes, expiry, corrections, budgets.

The sandbox stands in for the provider; what it would tell by a webhook is handed to the program's own code.
"""

from __future__ import annotations

import itertools
import json
from base64 import b64decode
from contextlib import closing
from pathlib import Path
from typing import Any, Protocol

from application.inbox import Inbox
from application.payments import ProviderEvent
from commcredits.bootstrap import Engine, now
from commcredits.sandbox.stripe.server import StripeSandbox
from commcredits.settings import Settings
from tests.support.program import MASTER_KEY

MONEY_ACCOUNTS = ("northwind", "litware")
ANSWERS = {"requires_action": "authentication_required", "processing": "processing"}
BEFORE = (
    "account open northwind --currency EUR --time-zone Europe/Ljubljana --expiry-months 1200 --at 2026-01-01",
    "account open litware --currency EUR --expiry-months 1200 --at 2026-01-01",
    "notice to northwind ana@northwind.example --language sl --kinds balance.low,recharge.capped",
    "webhook add https://hooks.invalid/credits --account northwind",
    "notice set northwind --low-balance 20",
    "funds add northwind 7 --at 2026-01-01 --expires 2026-02-01",
    "work --once --only expiry",
    "budget set northwind --amount 100 --hard",
    "budget set northwind --amount 10 --user ana@northwind.example",
    "budget remove northwind --user ana@northwind.example",
    "budget set northwind --amount 15 --user bor@northwind.example",
    "payment-method add northwind --card pm_card_visa",
    "payment-method add northwind --invoice EA-4711 --po PO-9",
    "payment-method add northwind --card pm_card_mastercard",
    "payment-method add litware --card pm_card_visa",
)
AFTER = (
    "recharge every northwind --amount 50 --on-day 1",
    "usage reverse reversed --account northwind --reason misrouted",
    "account set litware --when-empty postpaid",
    "ingest litware.ndjson",
    "work --once --only notices",
    "project --once",
)


class Runs(Protocol):
    """What runs a command."""

    def __call__(self, *command: str, codes: tuple[int, ...] = (0,)) -> Any: ...


class Money:
    """The story on one store, with a sandbox of its own."""

    def __init__(self, run: Runs, sandbox: StripeSandbox, directory: Path) -> None:
        self._run, self._directory = run, directory
        self._control = sandbox.control
        self._events = itertools.count(1)

    def tell(self, engine: Engine, usage: Any) -> None:
        """All of it. `usage(usage_id, …)` makes a message."""
        self._engine = engine
        for line in BEFORE:
            self._run(*line.split())
        self._purchases()
        self._refunds()
        self._cards()
        self._recharges(usage)
        self._disputes()
        for line in AFTER:
            self._run(*line.split())
        Inbox(engine.store).put(ProviderEvent("evt_waits", "other", "obj_1", "northwind", ""), now())

    def _purchases(self) -> None:
        """One that is paid, one declined, one that the bank asks for, one that takes its time and then fails."""
        self._run("funds", "buy", "northwind", "60", "--key", "order-1")
        self._control.card_answers("northwind", ["insufficient_funds"])
        self._run("funds", "buy", "northwind", "61", "--key", "order-2", codes=(1,))
        for amount, state in (("62", "requires_action"), ("63", "processing")):
            self._control.card_answers("northwind", [ANSWERS[state]])
            bought = self._run("funds", "buy", "northwind", amount)
            if bought["state"] != state:
                raise RuntimeError(f"{bought} is not {state}")
            payment = self._account("northwind").payments[bought["purchase"]].payment_id
            if state == "processing":
                self._control.settle(payment, "insufficient_funds")
            else:
                self._control.authenticate(payment)
            self._told("payment", payment)
        self._run("work", "--once", "--only", "purchases")

    def _refunds(self) -> None:
        """One that fails, one that succeeds, one that was made in the provider's dashboard."""
        [lot, payment] = self._paid_lots("northwind")[0]
        for amount, status in (("10", "failed"), ("5.50", "succeeded")):
            self._control.refunds_are("pending")
            made = self._run("funds", "refund", "northwind", lot, "--amount", amount, "--reason", "asked for")
            refund = self._account("northwind").refunds[made["refund"]].provider_refund
            self._control.settle_refund(refund, status)
            self._told("refund", payment)
        self._control.refunds_are("succeeded")
        self._control.refund(payment, 250)
        self._told("refund", payment)

    def _cards(self) -> None:
        """A new default, one that is removed, one that the bank has renewed."""
        visa, invoice, mastercard = (each["method"] for each in self._run("payment-method", "list", "northwind"))
        self._run("payment-method", "default", "northwind", mastercard)
        self._run("payment-method", "remove", "northwind", visa)
        self._run("payment-method", "default", "northwind", invoice)
        self._run("payment-method", "default", "northwind", mastercard)
        token = self._account("northwind").methods[mastercard].token
        self._control.renew_card(token, 7, 2040, "1881")
        self._told("method", token, "northwind")

    def _recharges(self, usage: Any) -> None:
        """One that is paid, one over the cap; one declined for good, resumed, declined for now, switched off."""
        self._run("recharge", "set", "northwind", "--amount", "80", "--below", "120", "--monthly-cap", "100")
        self._run("work", "--once", "--only", "recharges")
        bor = {"account_id": "northwind", "user_id": "bor@northwind.example"}
        usages = usage("reversed", seconds=600, **bor), usage("spends", seconds=60_000, **bor)
        self._write("northwind", *usages)
        self._write("litware", usage("billed-later", account_id="litware"))
        self._run("ingest", "northwind.ndjson")
        self._run("work", "--once", "--only", "recharges")
        self._control.card_answers("litware", ["lost_card", "insufficient_funds"])
        self._run("recharge", "set", "litware", "--to", "75", "--below", "20")
        self._run("work", "--once", "--only", "recharges")
        self._run("recharge", "resume", "litware")
        self._run("work", "--once", "--only", "recharges")
        self._run("recharge", "off", "litware")
        self._run("work", "--once", "--only", "recharges")

    def _disputes(self) -> None:
        """One that is lost, one that is won."""
        for (_, payment), outcome in zip(self._paid_lots("northwind")[-2:], ("won", "lost"), strict=True):
            dispute = self._control.open_dispute(payment)["id"]
            self._told("dispute", dispute)
            self._control.move_dispute(dispute, outcome)
            self._told("dispute", dispute)

    def _write(self, name: str, *usages: Any) -> None:
        (self._directory / f"{name}.ndjson").write_text("\n".join(map(json.dumps, usages)))

    def _account(self, account: str) -> Any:
        return self._engine.appender.load(account)

    def _paid_lots(self, account: str) -> list[tuple[str, str]]:
        """Those that the provider was paid for, and its payments."""
        return [(lot.id, lot.payment_id) for lot in self._account(account).lots.values() if lot.payment_id]

    def _told(self, kind: str, object_id: str, account: str = "") -> None:
        """As if the provider's webhook had come."""
        event = ProviderEvent(f"evt_{next(self._events)}", kind, object_id, account, "")
        self._engine.provider_events.take(event)


def tell_of_money(run: Runs, store: str, sandbox: StripeSandbox, directory: Path, usage: Any) -> None:
    """The story on a store where contoso's decks are imported."""
    settings = Settings(
        store=store,
        master_key=b64decode(MASTER_KEY),
        stripe_api_key=sandbox.api_key,
        stripe_api_base=sandbox.url,
        actor="history",
    )
    with closing(Engine(settings)) as engine:
        Money(run, sandbox, directory).tell(engine, usage)
