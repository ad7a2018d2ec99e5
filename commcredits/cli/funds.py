"""`funds add`."""

from commcredits import values
from commcredits.cli.command import Command, unwired
from commcredits.cli.parser import Parser


def _add_options(parser: Parser) -> None:
    parser.positional("account", "the account", values.account_id, shown="ID")
    parser.positional("amount", "digits and one point, at the account's scale", values.amount)
    parser.option("--reference", "the payment's; a known one adds nothing", values.name, shown="R")
    parser.option("--at", "when the money came; else now", values.instant, shown="TIME")
    parser.option("--recharge", "the triggered recharge that this money ends", values.name, shown="RECHARGE_ID")
    parser.switch("--granted", "given, not bought: never refunded, shown apart")
    parser.option("--expires", "when it expires; else by the account's months", values.end_instant, shown="TIME")


COMMANDS = (
    Command(
        "funds add",
        "adds money received elsewhere, as a lot of credit",
        "commcredits funds add contoso 250 --reference INV-2026-0117",
        _add_options,
        unwired,
    ),
)
