"""Makes a stored history of this version, for every later program to read:  python -m tests.history.make

It tells one story through the program's own commands on both stores, then keeps each database as SQL and what the
program said of it. Run it when SCHEMA_VERSION or a shape of an event changes, and keep what is there from before.
"""

from __future__ import annotations

import json
import sqlite3
import subprocess
import tempfile
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from adapters.store.schema import SCHEMA_VERSION
from adapters.store.store import open_store
from application.gaps import Gap, accept_gap
from application.ports import Commit, Position, PositionSwap
from commcredits.sandbox.postgres import PostgresServer
from commcredits.sandbox.stripe.server import StripeSandbox
from domain.commands import By
from tests.history.money import MONEY_ACCOUNTS, tell_of_money
from tests.support.program import MASTER_KEY, run_process

HERE = Path(__file__).parent
ACCOUNTS = ("contoso", "fabrikam", "adatum", *MONEY_ACCOUNTS)

# what does not change with the time at which it is asked
BALANCE = ("account", "currency", "balance", "log", "position", "lots", "postpaid")
RECHARGE = (
    "account",
    "state",
    "reason",
    "amount",
    "to",
    "below",
    "monthly_cap",
    "method",
    "every",
    "recharge_id",
    "failure",
)
BUDGET = ("account", "user", "amount", "hard")

FIRST_DECK = """prefix,origin,direction,destination,rate,connection fee,increment
44,,out,United Kingdom,0.12,0.05,60/60
44,386,out,United Kingdom from Slovenia,0.08,0.05,30/6
386,,out,Slovenia,0.05,0,60/1
1,,out,United States,0.01,0,1/1
1800,,in,toll-free,0.03,0,60/60
"""
SECOND_DECK = "prefix,destination,rate,increment\n49,Germany,0.07,60/60\n"


def usage(usage_id: str, callee: str = "+442071234567", seconds: int = 125, **more: object) -> dict[str, object]:
    """A message; started on a fixed day."""
    return {
        "usage_id": usage_id, "account_id": "contoso", "user_id": "Ana@contoso.com", "user_name": "Ana Žagar",
        "call_type": "user_out", "caller": "+38612345678", "callee": callee, "number_type": "subscriber",
        "started_at": "2026-11-22T10:00:00Z", "duration_seconds": seconds, "capability": "MCOPSTN1",
        "conference_id": None, "call_id": f"call-{usage_id}", "charge": None, "connection_fee": None,
        "currency": "EUR", "region": "kept as it came",
    } | more  # fmt: skip


USAGES = (
    usage("from-credit"),
    usage("by-origin", caller="+4312345", user_id=""),
    usage("from-pool", "+38640123456", 600),
    usage("pool-and-credit", "+38640123456", 80_000),
    usage("own-pool", "+12125550100", 65, user_id="bor@contoso.com"),
    usage("nothing", seconds=0),
    usage("inbound", call_type="user_in", callee="+38612345678"),
    usage("toll-free", call_type="user_in", callee="+18005550100", number_type="Toll-Free"),
    usage("emergency", "112", call_type="emergency_out"),
    usage("conference", "+442071234567", 300, call_type="conf_out", conference_id="c-1", capability="MCOMEETADD"),
    usage("masked", "+4420712345**", 30),
    usage("unlicensed", user_id="nobody@contoso.com", seconds=3_600),
    usage("below-zero", seconds=60_000),
    usage("priced", account_id="fabrikam", charge="1.2345", connection_fee=0.10, currency="USD"),
    usage("after-closing", account_id="adatum"),
    usage("no-rate", "+61234567"),
    usage("mended", "+61234567"),
    usage("wrong-currency", currency="USD"),
    usage("unknown", account_id="nowhere"),
)

BEFORE = (
    "account open contoso --currency EUR --country SI --time-zone Europe/Ljubljana --name Contoso --at 2026-01-01",
    "account open fabrikam --currency USD --scale 2 --pricing as-priced --at 2026-01-01",
    "account open adatum --currency EUR --at 2026-01-01",
    "account close adatum",
    "deck import first.csv --name default --currency EUR",
    "deck import second.csv --name default --currency EUR --from 2026-11-01 --amend",
    "funds add contoso 20 --reference R1 --at 2026-10-01",
    "funds add contoso 5 --granted --expires 2099-01-01",
    "funds add fabrikam 10.50",
    "licence assign contoso ana@contoso.com MCOPSTN1 --country SI",
    "licence assign contoso ana@contoso.com MCOPSTNPP",
    "licence assign contoso bor@contoso.com MCOPSTN8 --country US --from 2026-11-01 --to 2030-12-31",
    "licence assign contoso eva@contoso.com MCOPSTN5 --country US",
    "licence remove contoso eva@contoso.com MCOPSTN5",
    "licence purchased contoso MCOMEETADD 1",
    "recharge set contoso --amount 50 --below 10",
)
AFTER = (
    "account set contoso --time-zone UTC --name Contoso&Co",
    "recharge off fabrikam",
    "recharge set fabrikam --amount 60 --below 5",
    "recharge off fabrikam",
    "discard --reason unknown_account --note test",
    "project --once",
)


def tell(store: str, directory: Path) -> dict[str, Any]:
    """The story on an empty store; answers what the program says at its end."""
    (directory / "first.csv").write_text(FIRST_DECK)
    (directory / "second.csv").write_text(SECOND_DECK)
    (directory / "usages.ndjson").write_text("\n".join(map(json.dumps, USAGES)))
    with StripeSandbox() as sandbox:
        return _tell(Runner(store, directory, sandbox), store, directory, sandbox)


def _tell(run: Runner, store: str, directory: Path, sandbox: StripeSandbox) -> dict[str, Any]:
    for line in ("migrate", *BEFORE):
        run(*line.split())
    run("ingest", "usages.ndjson", codes=(1,))
    [mended] = [each for each in run.lines("dead-letters", "list") if each["usage_id"] == "mended"]
    run("retry", mended["id"], "--patch", "callee=+442071234567")
    recharge = run("account", "show", "contoso")["recharge"]["recharge_id"]
    run("funds", "add", "contoso", "50", "--recharge", recharge, "--reference", "R2")
    for line in AFTER:
        run(*line.split())
    tell_of_money(run, store, sandbox, directory, usage)
    accept_a_gap(store)
    return run.everything()


class Runner:
    """Runs commands on one store."""

    def __init__(self, store: str, directory: Path, sandbox: StripeSandbox) -> None:
        settings = {
            "STORE": store,
            "MASTER_KEY": MASTER_KEY,
            "STRIPE_API_KEY": sandbox.api_key,
            "STRIPE_API_BASE": sandbox.url,
        }
        self._environment = {f"COMMCREDITS_{name}": value for name, value in settings.items()}
        self._directory = directory

    def __call__(self, *command: str, codes: tuple[int, ...] = (0,)) -> Any:
        return json.loads(self._run(command, codes))

    def lines(self, *command: str) -> list[Any]:
        return [json.loads(line) for line in self._run(command, (0,)).splitlines()]

    def _run(self, command: tuple[str, ...], codes: tuple[int, ...]) -> bytes:
        answer = run_process(*command, "--json", environment=self._environment, directory=self._directory)
        if answer.code not in codes:
            raise RuntimeError(f"{' '.join(command)}: {answer}")
        return answer.out

    def everything(self) -> dict[str, Any]:
        """What does not change with the time at which it is asked."""
        statements = {each: self.lines("statement", each) for each in ACCOUNTS}
        lines = [(account, line) for account, each in statements.items() for line in each]
        return {
            "balances": [_only(BALANCE, self("balance", each)) for each in ACCOUNTS],
            "statements": statements,
            "proofs": [
                self("explain", line["usage_id"], "--account", account) for account, line in lines if line["usage_id"]
            ],
            "letters": self.lines("dead-letters", "list"),
            "rates": self.lines("deck", "show", "default", "--format", "ndjson"),
            "recharges": [_only(RECHARGE, self("recharge", "show", each)) for each in ACCOUNTS],
            "methods": {each: self("payment-method", "list", each) for each in ACCOUNTS},
            "budgets": {each: [_only(BUDGET, line) for line in self("budget", "list", each)] for each in ACCOUNTS},
            "notices": {each: self("notice", "list", each) for each in ACCOUNTS},
        }


def _only(names: Sequence[str], view: dict[str, Any]) -> dict[str, Any]:
    return {name: view[name] for name in names}


def accept_a_gap(store: str) -> None:
    """As `consume --accept-gap` does, without a broker."""
    opened = open_store(store)
    stored = Position("call-usage", 3, "AAAAAAAAAAAAAAAAAAAAAA", 17)
    opened.commit(Commit(positions=[PositionSwap("call-usage", 3, stored.topic_id, None, stored.reached)]))
    accept_gap(opened, By(1_795_341_600_000_000, "ana", "cli"), Gap(stored, "BBBBBBBBBBBBBBBBBBBBBB", 4))
    opened.close()


def dump_sqlite(file: Path) -> str:
    """The whole database as SQL."""
    with closing(sqlite3.connect(file)) as connection:
        return "\n".join(connection.iterdump()) + "\n"


def dump_postgres(server: PostgresServer) -> str:
    """The whole database as SQL that any version from 15 on takes."""
    command = [str(server.binaries / "pg_dump"), "--inserts", "--no-owner", "--no-privileges", server.dsn]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    of_its_version = ("--", "SET ", "SELECT pg_catalog.set_config", "\\")
    kept = (line for line in done.stdout.splitlines() if line and not line.startswith(of_its_version))
    return "\n".join(kept) + "\n"


def main() -> None:
    """Writes version-N/sqlite.sql, postgres.sql and what the program says of each."""
    target = HERE / f"version-{SCHEMA_VERSION}"
    target.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as name, PostgresServer() as server:
        directory = Path(name)
        said = {"postgres": tell(server.dsn, directory), "sqlite": tell(f"sqlite:///{name}/history.db", directory)}
        (target / "postgres.sql").write_text(dump_postgres(server))
        (target / "sqlite.sql").write_text(dump_sqlite(directory / "history.db"))
        for kind, answers in said.items():
            (target / f"{kind}.json").write_text(json.dumps(answers, indent=1, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
