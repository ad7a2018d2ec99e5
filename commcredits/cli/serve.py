"""`serve`: HTTP."""

from argparse import Namespace

from commcredits import values
from commcredits.cli.command import Command, Context
from commcredits.cli.errors import DONE
from commcredits.cli.parser import Parser

HOST, PORT = "127.0.0.1", 8080


def _options(parser: Parser) -> None:
    parser.option("--host", f"the address to listen on; else {HOST}", values.name)
    parser.option("--port", f"0: any that is free; else {PORT}", values.whole(0, 65_535))


def _serve(context: Context, arguments: Namespace) -> int:
    from commcredits.serve import serve

    output = context.output

    def ready(address: str) -> None:
        output.document({"url": address}, f"serving on {address}\n")

    serve(context.engine, arguments.host or HOST, PORT if arguments.port is None else arguments.port, ready)
    return DONE


COMMANDS = (
    Command(
        "serve",
        "answers HTTP: health, authorization, the provider's webhook, the customer's links",
        "commcredits serve --port 8080",
        _options,
        _serve,
    ),
)
