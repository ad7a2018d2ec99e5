"""`work`: auto-recharge, purchases and refunds on their way, expiry, notices."""

from argparse import Namespace
from collections.abc import Sequence

from commcredits import values
from commcredits.cli.command import Command, Context
from commcredits.cli.errors import DONE, UNREACHABLE, WrongUse
from commcredits.cli.parser import Parser

PARTS = ("recharges", "purchases", "expiry", "notices")


def _parts(text: str) -> Sequence[str]:
    read = values.choice(*PARTS)
    return [read(each) for each in text.split(",")]


def _options(parser: Parser) -> None:
    parser.switch("--once", "stop when nothing is due any more")
    parser.option("--at", "with --once: the time that it is taken to be", values.instant, shown="TIME")
    parser.option("--only", f"some of {','.join(PARTS)}, comma separated (all)", _parts, shown="PARTS")


def _run(context: Context, arguments: Namespace) -> int:
    from commcredits.stopping import StopSignal
    from commcredits.work import work, work_once

    if arguments.at is not None and not arguments.once:
        raise WrongUse("invalid_argument", "--at moves the clock of one run: it needs --once", "at")
    parts = arguments.only or PARTS
    if arguments.once:
        tally = work_once(context.engine, parts, arguments.at)
    else:
        with StopSignal() as stop:
            tally = work(context.engine, parts, stop)
    context.output.document({**tally.done, "unreachable": tally.unreachable})
    return UNREACHABLE if tally.unreachable else DONE


COMMANDS = (
    Command(
        "work",
        "does what is due: recharges, purchases, refunds, expiry, notices",
        "commcredits work --only recharges,purchases",
        _options,
        _run,
    ),
)
