"""`balance` and `statement`: what an account has, and why."""

from commcredits import values
from commcredits.cli.command import Command, unwired
from commcredits.cli.parser import Parser


def _balance_options(parser: Parser) -> None:
    parser.positional("account", "the account", values.account_id, shown="ID")
    parser.switch("--stale", "answer from the read model as it is, without applying the log first")


def _statement_options(parser: Parser) -> None:
    parser.positional("account", "the account", values.account_id, shown="ID")
    parser.option("--from", "what occurred since", values.instant, shown="TIME")
    parser.option("--to", "what occurred before; a date is inclusive", values.end_instant, shown="TIME")
    parser.option("--limit", "the first N only", values.whole(1, 10**12), shown="N")
    parser.switch("--stale", "answer from the read model as it is, without applying the log first")


COMMANDS = (
    Command(
        "balance",
        "shows balance, lots, pools and recharge state",
        "commcredits balance contoso",
        _balance_options,
        unwired,
    ),
    Command(
        "statement",
        "lists every debit and what changed the balance, oldest first, with the running balance",
        "commcredits statement contoso --from 2026-11-01 --json",
        _statement_options,
        unwired,
    ),
)
