"""`demo`: the whole story."""

from commcredits.cli.command import Command, unwired
from commcredits.cli.parser import Parser


def _options(parser: Parser) -> None:
    parser.switch("--kafka", "through a real broker and PostgreSQL, with a consumer killed in the middle")


COMMANDS = (
    Command(
        "demo",
        "tells the whole story on the embedded store, in a directory of its own",
        "commcredits demo",
        _options,
        unwired,
    ),
)
