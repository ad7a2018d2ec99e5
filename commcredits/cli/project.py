"""`project` and `rebuild`: the read models."""

from commcredits import values
from commcredits.cli.command import Command, unwired
from commcredits.cli.parser import Parser

READ_MODELS = ("balance", "statement")


def _project_options(parser: Parser) -> None:
    parser.switch("--once", "stop at the end that the log had at the start")


def _rebuild_options(parser: Parser) -> None:
    parser.positional("name", "the read model: balance or statement", values.choice(*READ_MODELS))


COMMANDS = (
    Command("project", "keeps the read models up to date", "commcredits project --once", _project_options, unwired),
    Command(
        "rebuild",
        "drops a read model and makes it again from the log",
        "commcredits rebuild balance",
        _rebuild_options,
        unwired,
    ),
)
