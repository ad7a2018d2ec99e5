"""`rate`: what a call would cost."""

from argparse import Namespace
from typing import TYPE_CHECKING, Any

from commcredits import values
from commcredits.cli.command import Command, Context
from commcredits.cli.errors import DONE
from commcredits.cli.parser import Parser

if TYPE_CHECKING:
    from application.decks import Quote


def number(text: str) -> str:
    """A telephone number, as it was written."""
    from domain.numbers import parse_number

    if parse_number(text) is None:
        raise ValueError(f"is digits with an optional + and a trailing * where masked, not {text!r}")
    return text


def _options(parser: Parser) -> None:
    parser.positional("number", "the number called (or the service number dialled)", number)
    parser.positional("seconds", "how long the call lasted", values.whole(0, 2_678_400))
    parser.option("--deck", "else `default`, else the only one", values.name, shown="N")
    parser.option("--from-number", "where the call comes from", number, shown="N")
    parser.option("--direction", "out (the default) or in", values.choice("out", "in"), shown="out|in")
    parser.option("--at", "when the call started; else now", values.instant, shown="TIME")


def _rate(context: Context, arguments: Namespace) -> int:
    from domain.numbers import parse_number

    engine, direction = context.engine, arguments.direction or "out"
    number, origin = parse_number(arguments.number), parse_number(arguments.from_number or "")
    assert number is not None  # read as one
    at = engine.by().now if arguments.at is None else arguments.at
    quote = engine.decks.quote(number, arguments.seconds, at, arguments.deck or "", origin, direction)
    context.output.document(_view(quote, direction))
    return DONE


def _view(quote: "Quote", direction: str) -> dict[str, Any]:
    from domain.events import Proof
    from domain.money import ZERO
    from domain.named import proof_view

    charge, match = quote
    version = match.version
    named = (version.deck, version.version, direction, match.prefix, match.origin_prefix)
    proof = Proof(*named, charge.connection_fee, charge.slots, (), (), ZERO, version.rounding, version.decimals)
    return {"charge": charge.amount, "currency": version.currency, "proof": proof_view(proof, ())}


COMMANDS = (
    Command(
        "rate",
        "says what a call would cost, with the proof",
        "commcredits rate +442071234567 125 --deck retail-eu",
        _options,
        _rate,
    ),
)
