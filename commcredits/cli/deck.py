"""`deck import|list|show`: rate decks."""

import re
from decimal import Decimal
from pathlib import Path

from commcredits import values
from commcredits.cli.command import Command, unwired
from commcredits.cli.parser import Parser


def _columns(text: str) -> tuple[str, ...]:
    """Column names in the file's order; an empty one is ignored."""
    return tuple(name.strip() for name in text.split(","))


def _unit(text: str) -> Decimal:
    unit = values.amount(text)
    if not unit:
        raise ValueError("is more than 0, such as 0.0001")
    return unit


def _country_code(text: str) -> str:
    if not re.fullmatch(r"\+?[0-9]{1,4}", text, re.ASCII):
        raise ValueError(f"is a telephone country code such as 1 or 386, not {text!r}")
    return text.removeprefix("+")


def _import_options(parser: Parser) -> None:
    parser.positional("file", "CSV or NDJSON", Path)
    parser.option("--name", "the deck; `default` rates accounts without one", values.name, shown="N", required=True)
    parser.option("--from", "when this version starts; else all the past, or now", values.instant, shown="DATE")
    parser.option("--currency", "else the one that the file names", values.currency, shown="C")
    parser.option("--decimals", "a charge's decimals (4)", values.whole(0, 8), shown="D")
    parser.option(
        "--round", "how a charge is rounded (half-up)", values.choice("half-up", "half-even", "up", "down"),
        shown="half-up|half-even|up|down",
    )  # fmt: skip
    parser.switch("--amend", "start from the previous version instead of an empty one")
    parser.switch("--dry-run", "read and check, store nothing")
    parser.switch("--skip-bad", "take the good rows; conflicting prefixes are blocked")
    parser.option("--date-format", "of the dates in rows, such as %%d/%%m/%%Y", values.name, shown="F")
    parser.option("--columns", "the columns of a file without header", _columns, shown="a,b,,c")
    parser.option("--unit", "what a whole number in the file stands for", _unit, shown="0.0001")
    parser.option("--country-code", "of codes that come without it", _country_code, shown="N")


def _show_options(parser: Parser) -> None:
    parser.positional("name", "the deck", values.name, shown="N")
    parser.option("--format", "how the rates are written (csv)", values.choice("csv", "ndjson"), shown="csv|ndjson")
    parser.option("--version", "an earlier version; else the newest", values.whole(1, 10**9), shown="V")


COMMANDS = (
    Command(
        "deck import",
        "imports a version of a rate deck",
        "commcredits deck import rates.csv --name default --currency EUR --dry-run",
        _import_options,
        unwired,
    ),
    Command("deck list", "lists the decks with their versions", "commcredits deck list", lambda _: None, unwired),
    Command(
        "deck show",
        "writes a deck's rates",
        "commcredits deck show default --format ndjson",
        _show_options,
        unwired,
    ),
)
