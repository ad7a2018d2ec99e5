"""`doctor`: what is wrong, and how to mend it."""

from argparse import Namespace

from commcredits.cli.command import Command, Context
from commcredits.cli.consume import KAFKA_SETTINGS
from commcredits.cli.errors import DONE, REFUSED_SOME, UNREACHABLE
from commcredits.cli.parser import Parser


def _options(parser: Parser) -> None:
    parser.setting(*KAFKA_SETTINGS)


def _run(context: Context, arguments: Namespace) -> int:
    del arguments
    from commcredits.doctor import BROKEN, FINDING, examine

    checks = list(examine(context.engine, context.loaded))
    found = {check.status for check in checks}
    text = "\n".join(
        f"{check.status:<8} {check.name:<13} {check.message}" + f"\n{'':<23}-> {check.mend}" * bool(check.mend)
        for check in checks
    )
    context.output.document([{**check._asdict(), "mend": check.mend or None} for check in checks], text)
    return UNREACHABLE if BROKEN in found else REFUSED_SOME if FINDING in found else DONE


COMMANDS = (
    Command(
        "doctor",
        "checks store, broker, schema, positions, clock, versions; says how to mend what is wrong",
        "commcredits doctor --json",
        _options,
        _run,
    ),
)
