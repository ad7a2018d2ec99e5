"""`demo`: the whole story."""

from argparse import Namespace

from commcredits.cli.command import Command, Context
from commcredits.cli.errors import DONE
from commcredits.cli.parser import Parser


def _options(parser: Parser) -> None:
    parser.switch("--kafka", "through a real broker and PostgreSQL, with a consumer killed in the middle")


def _run(context: Context, arguments: Namespace) -> int:
    if arguments.kafka:
        from commcredits.demo_kafka import demo_kafka

        came_to = demo_kafka(context.output, context.settings)
    else:
        from commcredits.demo import demo

        came_to = demo(context.output)
    if context.output.json:
        context.output.document(came_to)
    return DONE


COMMANDS = (
    Command(
        "demo",
        "tells the whole story on the embedded store, in a directory of its own",
        "commcredits demo",
        _options,
        _run,
    ),
)
