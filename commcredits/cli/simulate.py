"""`simulate`: realistic usage traffic."""

from pathlib import Path

from commcredits import values
from commcredits.cli.command import Command, unwired
from commcredits.cli.consume import KAFKA_SETTINGS
from commcredits.cli.parser import Parser


def _options(parser: Parser) -> None:
    parser.option("--accounts", "how many accounts", values.whole(1, 10**7), shown="N")
    parser.option("--usages", "how many usages", values.whole(1, 10**10), shown="N")
    parser.option("--rate", "usages a second; else as fast as it goes", values.whole(1, 10**7), shown="R")
    parser.option("--seed", "the same seed gives the same traffic", values.whole(0, 2**63 - 1), shown="S")
    parser.option("--out", "write NDJSON there; else to stdout", Path, shown="FILE")
    parser.switch("--kafka", "publish to the topics instead")
    parser.setting(*KAFKA_SETTINGS)


COMMANDS = (
    Command(
        "simulate",
        "makes realistic usage traffic",
        "commcredits simulate --accounts 10 --usages 1000 --seed 7 --out usage.ndjson",
        _options,
        unwired,
    ),
)
