"""`explain`: why a usage was debited what it was."""

from commcredits import values
from commcredits.cli.command import Command, unwired
from commcredits.cli.parser import Parser


def _options(parser: Parser) -> None:
    parser.positional("usage_id", "the usage", values.name, shown="USAGE_ID")
    parser.option("--account", "where several accounts have the id", values.account_id, shown="ID")


COMMANDS = (
    Command(
        "explain",
        "shows a debit's proof and computes the charge again from it",
        "commcredits explain 6c3f9a1e --account contoso",
        _options,
        unwired,
    ),
)
