"""`rate`: what a call would cost."""

from commcredits import values
from commcredits.cli.command import Command, unwired
from commcredits.cli.parser import Parser


def _number(text: str) -> str:
    from domain.numbers import parse_number

    if parse_number(text) is None:
        raise ValueError(f"is digits with an optional + and a trailing * where masked, not {text!r}")
    return text


def _options(parser: Parser) -> None:
    parser.positional("number", "the number called (or the service number dialled)", _number)
    parser.positional("seconds", "how long the call lasted", values.whole(0, 2_678_400))
    parser.option("--deck", "else `default`, else the only one", values.name, shown="N")
    parser.option("--from-number", "where the call comes from", _number, shown="N")
    parser.option("--direction", "out (the default) or in", values.choice("out", "in"), shown="out|in")
    parser.option("--at", "when the call started; else now", values.instant, shown="TIME")


COMMANDS = (
    Command(
        "rate",
        "says what a call would cost, with the proof",
        "commcredits rate +442071234567 125 --deck retail-eu",
        _options,
        unwired,
    ),
)
