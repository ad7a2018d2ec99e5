"""`recharge set|off`: auto-recharge."""

from commcredits import values
from commcredits.cli.command import Command, unwired
from commcredits.cli.parser import Parser


def _set_options(parser: Parser) -> None:
    parser.positional("account", "the account", values.account_id, shown="ID")
    parser.option("--amount", "what each recharge adds, in whole units", values.amount, shown="A", required=True)
    parser.option("--below", "triggers when what can be spent falls below", values.amount, shown="B", required=True)


def _off_options(parser: Parser) -> None:
    parser.positional("account", "the account", values.account_id, shown="ID")


COMMANDS = (
    Command(
        "recharge set",
        "sets auto-recharge: its amount and its trigger",
        "commcredits recharge set contoso --amount 100 --below 25",
        _set_options,
        unwired,
    ),
    Command(
        "recharge off",
        "switches auto-recharge off; an open recharge is cancelled",
        "commcredits recharge off contoso",
        _off_options,
        unwired,
    ),
)
