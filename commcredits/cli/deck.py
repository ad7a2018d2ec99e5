"""`deck import|list|show`: rate decks."""

import re
from argparse import Namespace
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

from commcredits import values
from commcredits.cli.command import Command, Context
from commcredits.cli.errors import DONE, REFUSED_SOME, failure_of
from commcredits.cli.files import naming, open_file
from commcredits.cli.parser import Parser

if TYPE_CHECKING:
    from application.deck_import import ImportResult


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


def _import(context: Context, arguments: Namespace) -> int:
    from application.deck_import import DeckHasErrors, ImportOptions, import_deck
    from consumers.deck_files import DeckOptions, open_deck

    engine, output = context.engine, context.output
    options = ImportOptions(
        arguments.name,
        getattr(arguments, "from"),
        arguments.currency,
        arguments.decimals,
        arguments.round,
        arguments.amend,
        arguments.dry_run,
        arguments.skip_bad,
    )
    says = DeckOptions(
        arguments.date_format or "",
        ",".join(arguments.columns or ()),
        arguments.unit or Decimal(1),
        arguments.country_code or "",
    )
    with open_file(arguments.file, "file") as stream:
        try:
            with naming(arguments.file):
                result = import_deck(engine.store, engine.by(), open_deck(stream, says), options)
        except DeckHasErrors as error:
            failure = failure_of(error)
            output.note(f"commcredits: {failure.message}")
            output.partial(_import_view(error.result), failure)
            return failure.exit_code
    output.document(_import_view(result))
    return REFUSED_SOME if result.bad_total else DONE


def _import_view(result: "ImportResult") -> dict[str, Any]:
    bad = [
        {"line": row.line, "other_line": row.other_line, "column": row.column or None, "reason": row.reason}
        for row in result.bad
    ]
    return {
        "deck": result.deck,
        "version": result.version,
        "rates": result.rates,
        "bad": bad,
        "bad_total": result.bad_total,
        "ignored_columns": list(result.ignored_columns),
    }


def _list(context: Context, arguments: Namespace) -> int:
    del arguments
    from application.decks import list_decks

    context.output.document(
        [
            {
                "name": version.deck,
                "version": version.version,
                "from": None if version.starts_at is None else values.time_text(version.starts_at),
                "currency": version.currency,
                "decimals": version.decimals,
                "round": version.rounding,
                "rates": version.rates,
                "sha256": version.sha256,
            }
            for version in list_decks(context.engine.store)
        ]
    )
    return DONE


def _show(context: Context, arguments: Namespace) -> int:
    from application.deck_export import find_version, show_deck

    store, output = context.engine.store, context.output
    form = arguments.format or ("ndjson" if output.json else "csv")
    output.stream(show_deck(store, find_version(store, arguments.name, arguments.version), form))
    return DONE


COMMANDS = (
    Command(
        "deck import",
        "imports a version of a rate deck",
        "commcredits deck import rates.csv --name default --currency EUR --dry-run",
        _import_options,
        _import,
    ),
    Command("deck list", "lists the decks with their versions", "commcredits deck list", lambda _: None, _list),
    Command(
        "deck show",
        "writes a deck's rates",
        "commcredits deck show default --format ndjson",
        _show_options,
        _show,
    ),
)
