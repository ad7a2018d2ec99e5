"""`doctor`: what is wrong, and how to mend it."""

from commcredits.cli.command import Command, unwired
from commcredits.cli.consume import KAFKA_SETTINGS
from commcredits.cli.parser import Parser


def _options(parser: Parser) -> None:
    parser.setting(*KAFKA_SETTINGS)


COMMANDS = (
    Command(
        "doctor",
        "checks store, broker, schema, positions, clock, versions; says how to mend what is wrong",
        "commcredits doctor --json",
        _options,
        unwired,
    ),
)
