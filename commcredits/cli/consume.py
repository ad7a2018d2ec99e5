"""`consume`: the Kafka consumer."""

from commcredits import values
from commcredits.cli.command import Command, unwired
from commcredits.cli.parser import Parser

KAFKA_SETTINGS = ("kafka_bootstrap", "kafka_group", "topic_calls", "topic_conferences")


def _options(parser: Parser) -> None:
    parser.option("--processes", "processes that share the partitions (1)", values.whole(1, 256), shown="N")
    parser.switch("--once", "stop at the ends that the topics had at the start")
    parser.switch("--accept-gap", "go on although a topic was made anew or lost what was not read; that is an event")
    parser.setting(*KAFKA_SETTINGS)


COMMANDS = (
    Command(
        "consume",
        "takes usage in from Kafka, exactly once",
        "commcredits consume --processes 2",
        _options,
        unwired,
    ),
)
