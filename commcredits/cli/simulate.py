"""`simulate`: realistic usage traffic."""

import secrets
import sys
from argparse import Namespace
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from commcredits import values
from commcredits.cli.command import Command, Context
from commcredits.cli.consume import KAFKA_SETTINGS
from commcredits.cli.errors import DONE
from commcredits.cli.parser import Parser
from domain.errors import Invalid

if TYPE_CHECKING:
    from commcredits.traffic import Message

ACCOUNTS, USAGES = 10, 1_000
MICROSECONDS = 1_000_000
SEED_BITS = 32
PATIENCE_SECONDS = 10


def _options(parser: Parser) -> None:
    parser.option("--accounts", f"how many open accounts, sim-1 and on ({ACCOUNTS})", values.whole(1, 10**7), shown="N")
    parser.option("--usages", f"how many usages ({USAGES})", values.whole(1, 10**10), shown="N")
    parser.option("--rate", "usages a second; else as fast as it goes", values.whole(1, 10**7), shown="R")
    parser.option("--seed", "the same seed and start give the same traffic", values.whole(0, 2**63 - 1), shown="S")
    parser.option("--start", "the day it starts; else so that it ends yesterday", values.instant, shown="DATE")
    parser.option("--out", "write NDJSON there; else to stdout", Path, shown="FILE")
    parser.switch("--kafka", "publish to the topics instead")
    parser.setting(*KAFKA_SETTINGS)


def _run(context: Context, arguments: Namespace) -> int:
    from commcredits.simulate import paced, start_for
    from commcredits.traffic import generate

    if arguments.out is not None and arguments.kafka:
        raise Invalid("conflicting_options", "--out and --kafka are two places: give one of them", "out")
    accounts, usages = arguments.accounts or ACCOUNTS, arguments.usages or USAGES
    seed = secrets.randbits(SEED_BITS) if arguments.seed is None else arguments.seed
    start = start_for(accounts, usages, datetime.now(UTC)) if arguments.start is None else _midnight(arguments.start)
    messages: Iterable[Message] = generate(accounts, usages, seed, start)
    if arguments.rate is not None:
        messages = paced(messages, arguments.rate)
    output = context.output
    count = _send(context, arguments, messages, lambda done: output.progress(f"{done:,} of {usages:,} usages"))
    made = {"accounts": accounts, "usages": count, "seed": seed, "start": values.time_text(_microseconds(start))}
    if arguments.out is None and not arguments.kafka:
        output.note(f"{count:,} usages of {accounts:,} accounts, seed {seed}, from {made['start']}")
    else:
        output.document(made)
    return DONE


def _send(
    context: Context, arguments: Namespace, messages: "Iterable[Message]", progress: Callable[[int], None]
) -> int:
    """Where the options say; how many went there."""
    from commcredits.simulate import publish, write

    if arguments.kafka:
        from commcredits.consuming import kafka_config

        config = replace(kafka_config(context.settings), broker_patience_seconds=PATIENCE_SECONDS)
        return publish(messages, config, progress)
    if arguments.out is None:
        return write(messages, sys.stdout.buffer, progress, flush=arguments.rate is not None)
    try:
        with arguments.out.open("wb") as stream:
            return write(messages, stream, progress, flush=arguments.rate is not None)
    except OSError as error:
        raise Invalid("unwritable_file", f"{arguments.out} cannot be written: {error.strerror}", "out") from error


def _midnight(at: int) -> datetime:
    """The midnight (UTC) of an instant's day."""
    return datetime.fromtimestamp(at // MICROSECONDS, UTC).replace(hour=0, minute=0, second=0)


def _microseconds(instant: datetime) -> int:
    return int(instant.timestamp()) * MICROSECONDS


COMMANDS = (
    Command(
        "simulate",
        "makes realistic usage traffic",
        "commcredits simulate --accounts 10 --usages 1000 --seed 7 --out usage.ndjson",
        _options,
        _run,
    ),
)
