"""`ingest`: takes usage in from files and stdin."""

from commcredits import values
from commcredits.cli.command import Command, unwired
from commcredits.cli.parser import Parser

FORMATS = ("auto", "pstn-csv", "graph", "ndjson", "cloudevents")


def _options(parser: Parser) -> None:
    parser.positional("files", "files of usage; - is stdin", shown="FILE", many=True)
    parser.option("--account", "of rows that name none; needed for pstn-csv and graph", values.account_id, shown="ID")
    parser.option("--format", "auto (the default) tells by content", values.choice(*FORMATS), shown="|".join(FORMATS))


COMMANDS = (
    Command(
        "ingest",
        "takes usage in from files; a file may be taken in again",
        "commcredits ingest export.zip --account contoso",
        _options,
        unwired,
    ),
)
