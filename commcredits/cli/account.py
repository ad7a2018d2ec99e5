"""`account open|list|show|set|close`."""

from argparse import Namespace
from typing import TYPE_CHECKING, Any

from commcredits import values
from commcredits.cli.command import Command, Context
from commcredits.cli.errors import DONE, WrongUse
from commcredits.cli.parser import Parser

if TYPE_CHECKING:
    from commcredits.bootstrap import Engine
    from domain.account import CreditAccount
    from domain.events import Settings

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
    parser.option(
        "--when-empty", "when the credit is used up: calls stop, or what is used is billed later",
        values.choice("stop", "postpaid"), shown="stop|postpaid",
    )  # fmt: skip


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


def _open(context: Context, arguments: Namespace) -> int:
    from domain.events import Settings

    engine, defaults = context.engine, context.settings
    currency = arguments.currency or defaults.currency
    if currency is None:
        raise WrongUse("missing_argument", "--currency missing, and COMMCREDITS_CURRENCY is not set", "currency")
    given = Settings(
        arguments.name or "",
        defaults.country or "",
        defaults.time_zone,
        defaults.deck or "",
        defaults.pricing,
        defaults.expiry_months,
        defaults.expiry_grace,
        defaults.zero_second_fee,
        defaults.plan_pool_by,
        defaults.dialout_pool_by,
        defaults.after_dialout_pool,
    )
    settings = _changed(given, arguments)
    if settings.deck:
        engine.decks.check(settings.deck, currency)
    scale = defaults.scale if arguments.scale is None else arguments.scale
    account = engine.administration.open_account(
        engine.by(), arguments.account, currency, scale, settings, arguments.at
    )
    context.output.document(account_view(account, engine))
    return DONE


def _set(context: Context, arguments: Namespace) -> int:
    engine = context.engine
    if all(getattr(arguments, name) is None for name in _SETTINGS):
        raise WrongUse("missing_argument", "nothing to set: name at least one option; see `--help`")
    account = engine.accounts.get(arguments.account)
    if arguments.deck:
        engine.decks.check(arguments.deck, account.currency)
    account = engine.administration.change_settings(
        engine.by(), arguments.account, lambda settings: _changed(settings, arguments)
    )
    context.output.document(account_view(account, engine))
    return DONE


def _changed(settings: "Settings", arguments: Namespace) -> "Settings":
    import msgspec

    given = {field: getattr(arguments, name) for name, field in _SETTINGS.items()}
    return msgspec.structs.replace(settings, **{field: value for field, value in given.items() if value is not None})


def _close(context: Context, arguments: Namespace) -> int:
    account = context.engine.administration.close_account(context.engine.by(), arguments.account)
    context.output.document(account_view(account, context.engine))
    return DONE


def _show(context: Context, arguments: Namespace) -> int:
    account = context.engine.accounts.get(arguments.account)
    context.output.document(account_view(account, context.engine))
    return DONE


def _list(context: Context, arguments: Namespace) -> int:
    del arguments
    context.output.document([_summary(account) for account in context.engine.every_account()])
    return DONE


def _summary(account: "CreditAccount") -> dict[str, Any]:
    """The options of `account open` with their values, as they would be written."""
    settings = account.settings
    return {
        "account": account.account_id,
        "name": settings.name or None,
        "currency": account.currency,
        "scale": account.scale,
        "country": settings.country or None,
        "time_zone": settings.time_zone,
        "deck": settings.deck or None,
        "pricing": settings.pricing,
        "expiry_months": settings.expiry_months,
        "expiry_grace": values.duration_text(settings.expiry_grace_seconds),
        "zero_second_fee": ("no", "yes")[settings.zero_second_fee],
        "plan_pool_by": settings.plan_pool_by,
        "dialout_pool_by": settings.dialout_pool_by,
        "after_dialout_pool": settings.after_dialout_pool,
        "when_empty": settings.when_empty,
        "at": values.time_text(account.opened_at),
        "closed": account.closed,
        "balance": account.balance,
    }


def account_view(account: "CreditAccount", engine: "Engine") -> dict[str, Any]:
    """An account whole: settings, licences (users by name, the pseudonym when erased), recharge state."""
    from commcredits.cli.recharge import recharge_shape

    held = [licence for licences in account.pools.licences.values() for licence in licences]
    names = engine.vault.names({licence.user for licence in held}) if held else {}
    licences = [
        {
            "user": names.get(licence.user, licence.user),
            "plan": licence.plan,
            "country": licence.country or None,
            "from": _time(licence.starts_at),
            "to": _time(licence.ends_at),
            "removed_at": _time(licence.removed_at),
        }
        for licence in held
    ]
    purchased = [{"plan": plan, "count": bought.count} for plan, bought in account.pools.purchased.items()]
    recharge = recharge_shape(engine, account)
    return {**_summary(account), "licences": licences, "purchased": purchased, "recharge": recharge}


def _time(at: int | None) -> str | None:
    return None if at is None else values.time_text(at)


# option -> field of the account's settings
_SETTINGS = {
    "name": "name",
    "country": "country",
    "time_zone": "time_zone",
    "deck": "deck",
    "pricing": "pricing",
    "expiry_months": "expiry_months",
    "expiry_grace": "expiry_grace_seconds",
    "zero_second_fee": "zero_second_fee",
    "plan_pool_by": "plan_pool_by",
    "dialout_pool_by": "dialout_pool_by",
    "after_dialout_pool": "after_dialout_pool",
    "when_empty": "when_empty",
}


COMMANDS = (
    Command(
        "account open",
        "opens an account",
        "commcredits account open contoso --currency EUR --country SI --time-zone Europe/Ljubljana",
        _open_options,
        _open,
    ),
    Command("account list", "lists the accounts", "commcredits account list --json", _none, _list),
    Command(
        "account show",
        "shows an account's settings, licences and recharge state",
        "commcredits account show contoso",
        _one_account,
        _show,
    ),
    Command(
        "account set",
        "changes an account's settings; a time zone changes from the next month",
        "commcredits account set contoso --deck retail-eu",
        _set_options,
        _set,
    ),
    Command(
        "account close",
        "closes an account at any balance; later usage is debited and flagged",
        "commcredits account close contoso",
        _one_account,
        _close,
    ),
)
