"""`account open|list|show|set|close`."""

from commcredits import values
from commcredits.cli.command import Command, unwired
from commcredits.cli.parser import Parser

ID = "the account"


def settings_options(parser: Parser) -> None:
    """What can be chosen at opening and changed later: everything but the currency and the scale."""
    parser.option("--country", "ISO 3166 code, the default of the account's licences", values.country, shown="SI")
    parser.option("--time-zone", "where its months begin", values.time_zone, shown="Europe/Ljubljana")
    parser.option("--name", "for people", values.name)
    parser.option("--deck", "rate deck; else `default`, else the currency's only one", values.name, shown="N")
    parser.option(
        "--pricing", "rated by a deck, or debited as priced by the usage", values.choice("rated", "as-priced"),
        shown="rated|as-priced",
    )  # fmt: skip
    parser.option("--expiry-months", "months after which funds expire", values.whole(1, 1200), shown="12")
    parser.option(
        "--expiry-grace", "how long late usage may still draw on what expired", values.duration_seconds, shown="72h"
    )
    parser.option(
        "--zero-second-fee", "whether a call of 0 seconds costs its connection fee", values.yes_no, shown="no|yes"
    )
    parser.option(
        "--plan-pool-by", "which licences size a calling plan's pool", values.choice("assigned", "purchased"),
        shown="assigned|purchased",
    )  # fmt: skip
    parser.option(
        "--dialout-pool-by", "which licences size the conference dial-out pool",
        values.choice("purchased", "assigned"), shown="purchased|assigned",
    )  # fmt: skip
    parser.option(
        "--after-dialout-pool",
        "what pays dial-out after its pool",
        values.choice("credit", "plan"),
        shown="credit|plan",
    )


def _open_options(parser: Parser) -> None:
    parser.positional("account", "1 to 128 of A-Z a-z 0-9 . _ @ -", values.account_id, shown="ID")
    parser.option("--currency", "ISO 4217 code, for ever", values.currency, shown="EUR")
    parser.option("--scale", "decimals of its amounts, for ever", values.whole(0, 8), shown="4")
    settings_options(parser)
    parser.option("--at", "when it was opened; else now", values.instant, shown="TIME")


def _set_options(parser: Parser) -> None:
    parser.positional("account", ID, values.account_id, shown="ID")
    settings_options(parser)


def _one_account(parser: Parser) -> None:
    parser.positional("account", ID, values.account_id, shown="ID")


def _none(parser: Parser) -> None:
    del parser


COMMANDS = (
    Command(
        "account open",
        "opens an account",
        "commcredits account open contoso --currency EUR --country SI --time-zone Europe/Ljubljana",
        _open_options,
        unwired,
    ),
    Command("account list", "lists the accounts", "commcredits account list --json", _none, unwired),
    Command(
        "account show",
        "shows an account's settings, licences and recharge state",
        "commcredits account show contoso",
        _one_account,
        unwired,
    ),
    Command(
        "account set",
        "changes an account's settings; a time zone changes from the next month",
        "commcredits account set contoso --deck retail-eu",
        _set_options,
        unwired,
    ),
    Command(
        "account close",
        "closes an account at any balance; later usage is debited and flagged",
        "commcredits account close contoso",
        _one_account,
        unwired,
    ),
)
