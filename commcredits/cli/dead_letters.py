"""`dead-letters list|show`, `retry`, `discard`: what could not be taken, and what becomes of it."""

from commcredits import values
from commcredits.cli.command import Command, unwired
from commcredits.cli.parser import Parser

STATUSES = ("open", "retried", "discarded")


def _patch(text: str) -> tuple[str, str]:
    field, equals, value = text.partition("=")
    if not equals or not field:
        raise ValueError(f"is FIELD=VALUE, not {text!r}; put the letter's ID before it")
    return field, value


def _list_options(parser: Parser) -> None:
    parser.option("--status", "only those", values.choice(*STATUSES), shown="|".join(STATUSES))
    parser.option("--reason", "only those of a reason code", values.name, shown="CODE")
    parser.option("--account", "only those of an account", values.account_id, shown="ID")


def _show_options(parser: Parser) -> None:
    parser.positional("id", "the dead letter", values.name)


def _retry_options(parser: Parser) -> None:
    parser.optional_positional("id", "the dead letter", values.name)
    parser.option("--patch", "change a field first; recorded", _patch, shown="FIELD=VALUE", many=True)
    parser.option("--reason", "all open ones of a reason code", values.name, shown="CODE")
    parser.switch("--all", "all open ones")


def _discard_options(parser: Parser) -> None:
    parser.optional_positional("id", "the dead letter", values.name)
    parser.option("--reason", "all open ones of a reason code", values.name, shown="CODE")
    parser.option("--note", "why; kept with the letter", values.name, shown="TEXT", required=True)


COMMANDS = (
    Command(
        "dead-letters list",
        "lists what could not be taken",
        "commcredits dead-letters list --status open --json",
        _list_options,
        unwired,
    ),
    Command(
        "dead-letters show",
        "shows a dead letter whole",
        "commcredits dead-letters show 0062f1c8",
        _show_options,
        unwired,
    ),
    Command(
        "retry",
        "takes dead letters in again, after the cause is gone or with a field changed",
        "commcredits retry 0062f1c8 --patch currency=EUR",
        _retry_options,
        unwired,
    ),
    Command(
        "discard",
        "gives dead letters up; they are kept with the note",
        "commcredits discard 0062f1c8 --note 'test call of the vendor'",
        _discard_options,
        unwired,
    ),
)
