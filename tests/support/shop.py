"""A shop: a store with accounts that have cards, the sandbox that stands in for Stripe, `work`, and a check at the end.

shop.open("contoso")
shop.arm("contoso")  # auto-recharge whose trigger is reached at once
shop.finish()        # work --once
shop.check()         # the provider's ledger and ours are one; each recharge and purchase is charged once
"""

from __future__ import annotations

import os
from base64 import b64encode
from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

from adapters.store.store import migrate
from application.accounts import opened_accounts
from commcredits.bootstrap import Engine, create_read_models, now
from commcredits.sandbox.stripe.server import StripeSandbox
from commcredits.settings import Settings
from commcredits.work import Tally, work_once
from domain import events as ev
from domain.account import CreditAccount
from domain.by import By
from domain.events import Event, FundsAdded, account_stream
from domain.instants import parse_instant
from domain.payment_events import RefundRequested
from domain.recharging import Level
from tests.support.consumers import Process
from tests.support.engine import MASTER_KEY

PARTS = ("recharges", "purchases", "expiry")


def money(text: str) -> Decimal:
    """At the scale of the shop's accounts."""
    return Decimal(text).quantize(Decimal("0.0001"))


class Shop:
    """One store and one sandbox. `time`: what the shop's own commands take it to be; None: the clock."""

    def __init__(self, url: str, sandbox: StripeSandbox, folder: Path, **settings: Any) -> None:
        migrate(url, [create_read_models])
        self.control, self.folder = sandbox.control, folder
        self.settings = Settings(
            store=url,
            master_key=MASTER_KEY,
            stripe_api_key=sandbox.api_key,
            stripe_api_base=sandbox.url,
            stripe_webhook_secret=sandbox.webhook_secret,
            **settings,
        )
        self.engine = Engine(self.settings)
        self.time: int | None = None
        self._processes: list[Process] = []

    def at(self, text: str) -> int:
        """The shop's clock from now on."""
        self.time = parse_instant(text)
        return self.time

    def by(self) -> By:
        return By(now() if self.time is None else self.time, "ana", "cli")

    def open(self, account: str = "contoso", card: str = "pm_card_visa", **settings: Any) -> str:
        """An account with a card; answers its method, empty without a card."""
        opened = parse_instant("2024-01-01T00:00:00Z")
        chosen = ev.Settings(**settings)
        self.engine.administration.open_account(self.by(), account, "EUR", 4, chosen, opened)
        return self.engine.paying.add_card(self.by(), account, card)[1] if card else ""

    def arm(self, account: str = "contoso", amount: str = "100", below: str = "50", **level: Any) -> None:
        """Auto-recharge; a trigger above what can be spent is reached at once."""
        self.engine.administration.set_recharge(self.by(), account, Level(money(below), money(amount), **level))

    def grant(self, amount: str, account: str = "contoso", **more: Any) -> str:
        """Money that came by no provider; answers the lot."""
        return self.engine.paying.add_funds(self.by(), account, ev_funds(amount, **more)).lot

    def account(self, account: str = "contoso") -> CreditAccount:
        """As the log has it."""
        return self.engine.appender.load(account)

    def events(self, account: str = "contoso") -> list[Event]:
        """Its stream."""
        return [recorded.event for recorded in self.engine.store.select_events(account_stream(account))]

    def happened(self, account: str = "contoso") -> list[str]:
        """The names of its events."""
        return [type(event).__name__ for event in self.events(account)]

    def finish(self, at: int | None = None, parts: Sequence[str] = PARTS) -> Tally:
        """`work --once`, in this process."""
        return work_once(self.engine, parts, self.time if at is None else at)

    def start(self, *arguments: str, module: str = "commcredits", **environment: str) -> Process:
        """A process of the program on this shop."""
        given = {
            "STORE": self.settings.store,
            "MASTER_KEY": b64encode(MASTER_KEY).decode(),
            "STRIPE_API_KEY": str(self.settings.stripe_api_key),
            "STRIPE_API_BASE": self.settings.stripe_api_base,
            **environment,
        }
        settings = {f"COMMCREDITS_{name}": value for name, value in given.items()}
        process = Process(arguments, {**os.environ, **settings}, self.folder / "work.log", module)
        self._processes.append(process)
        return process

    def charged(self) -> dict[str, Decimal]:
        """The provider's ledger: what was charged, by recharge or purchase; each once."""
        lines = [(line["metadata"]["of"], Decimal(line["amount"]) / 100) for line in self.control.ledger()]
        charged = dict(lines)
        assert len(charged) == len(lines), lines
        return charged

    def check(self) -> None:
        """What the provider charged and gave back is what our log says, to the cent."""
        funded: dict[str, Decimal] = {}
        returned: dict[str, Decimal] = {}
        for page in opened_accounts(self.engine.store):
            for account_id in page:
                account, events = self.account(account_id), self.events(account_id)
                for added in (event for event in events if isinstance(event, FundsAdded) and event.provider):
                    of = added.recharge_id or added.purchase_id
                    assert of not in funded
                    funded[of] = added.amount
                for asked in (event for event in events if isinstance(event, RefundRequested)):
                    if account.refunds[asked.refund_id].state != "failed":
                        payment = account.lots[asked.lot].payment_id
                        returned[payment] = returned.get(payment, Decimal(0)) + asked.amount
                assert not account.payments, account.payments
        assert self.charged() == funded
        ledger = {line["payment"]: Decimal(line["refunded"]) / 100 for line in self.control.ledger()}
        assert {payment: amount for payment, amount in ledger.items() if amount} == returned

    def close(self) -> None:
        """No process outlives it."""
        for process in self._processes:
            process.close()
        self.engine.close()

    def another(self) -> Engine:
        """The parts of another process."""
        return Engine(replace(self.settings))


def ev_funds(amount: str, **more: Any) -> Any:
    """Of `funds add`."""
    from domain.funding import Funds

    return Funds(money(amount), **more)
