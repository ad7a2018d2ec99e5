"""`consume`: the Kafka consumer."""

from argparse import Namespace

from commcredits import values
from commcredits.cli.command import Command, Context
from commcredits.cli.errors import DONE
from commcredits.cli.parser import Parser
from commcredits.cli.tally import exit_code_of, tally_view

KAFKA_SETTINGS = ("kafka_bootstrap", "kafka_group", "topic_calls", "topic_conferences")


def _options(parser: Parser) -> None:
    parser.option("--processes", "processes that share the partitions (1)", values.whole(1, 256), shown="N")
    parser.switch("--once", "stop at the ends that the topics had at the start")
    parser.switch("--accept-gap", "go on although a topic was made anew or lost what was not read; that is an event")
    parser.setting(*KAFKA_SETTINGS)


def _run(context: Context, arguments: Namespace) -> int:
    from commcredits.consuming import consume

    tally = consume(context.settings, arguments.processes or 1, arguments.once, arguments.accept_gap)
    context.output.document(tally_view(tally))
    return exit_code_of(tally) if arguments.once else DONE


COMMANDS = (
    Command(
        "consume",
        "takes usage in from Kafka, exactly once",
        "commcredits consume --processes 2",
        _options,
        _run,
    ),
)
