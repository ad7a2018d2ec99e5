"""PostgreSQL is killed under two `work` processes that are busy recharging: each recharge is paid for once, and the
provider's ledger and ours agree to the cent.
"""

from __future__ import annotations

import os
import random
from collections.abc import Callable
from contextlib import closing
from itertools import cycle
from pathlib import Path

from commcredits.sandbox.postgres import PostgresServer
from commcredits.sandbox.stripe.server import StripeSandbox
from domain.events import AutoRechargeTriggered
from tests.support.shop import Shop, money
from tests.support.waiting import wait_until

CRASHES = max(1, int(os.environ.get("COMMCREDITS_SOAK_ROUNDS", "3")) // 10)
RECHARGES = 40  # for each crash
UNREACHABLE = 4


def test_a_database_killed_under_work(
    own_postgres: Callable[..., PostgresServer], stripe_sandbox: StripeSandbox, tmp_path: Path
) -> None:
    """A patient process goes on by itself; the other one ends, and is started again."""
    instants, endings = random.Random(35), cycle(("kill", "crash"))
    server = own_postgres(fsync=True, max_connections="100")
    accounts = [f"a{number}" for number in range(RECHARGES * CRASHES)]
    with closing(Shop(server.dsn, stripe_sandbox, tmp_path)) as shop:
        for account in accounts:
            shop.open(account)
            shop.arm(account)
        spoil(shop, instants, len(accounts))
        patient, hasty = shop.start("work"), shop.start("work", STORE_PATIENCE="0s")

        for crash in range(CRASHES):
            wait_for_payments(shop, int((crash + instants.uniform(0.1, 0.7)) * RECHARGES))
            getattr(server, next(endings))()
            assert hasty.result()[0] == UNREACHABLE, hasty.told()
            assert len(shop.control.ledger()) < len(accounts)  # there was something left to do
            server.start()
            hasty = shop.start("work", STORE_PATIENCE="0s")

        wait_for_payments(shop, len(accounts))
        wait_until(lambda: not any(shop.account(account).payments for account in accounts), what="all are credited")
        assert (patient.end()[0], hasty.end()[0]) == (0, 0), patient.told()
        shop.finish(parts=("notices",))
        for account in accounts:
            assert shop.account(account).balance == money("100")
            assert sum(isinstance(event, AutoRechargeTriggered) for event in shop.events(account)) == 1
            told = [each.notice.kind for each in shop.engine.recipients.notices(account, 100)]
            assert told == ["recharge.succeeded"]
        shop.check()


def spoil(shop: Shop, instants: random.Random, payments: int) -> None:
    """From now on the provider takes its time, refuses some requests for its rate limit, and one in ten goes wrong."""
    shop.control.latency(0.05, rate_limit_every=7)
    for fault in ("error_before", "error_after") * (payments // 20):
        shop.control.fault(fault, path="/v1/payment_intents*", skip=instants.randrange(payments))


def wait_for_payments(shop: Shop, count: int) -> None:
    """Until the provider has been paid so often."""
    wait_until(lambda: len(shop.control.ledger()) >= count, 60, f"{count} payments")
