"""`recharge set|every|off|resume|show|simulate`: auto-recharge."""

from argparse import Namespace
from typing import TYPE_CHECKING, Any

from commcredits import values
from commcredits.cli.command import Command, Context
from commcredits.cli.errors import DONE
from commcredits.cli.forecast import SIMULATE
from commcredits.cli.funds import at_scale
from commcredits.cli.parser import Parser

if TYPE_CHECKING:
    from commcredits.bootstrap import Engine
    from domain.account import CreditAccount


def _account(parser: Parser) -> None:
    parser.positional("account", "the account", values.account_id, shown="ID")


def _set_options(parser: Parser) -> None:
    _account(parser)
    parser.option("--amount", "what each recharge adds, in whole units", values.amount, shown="A")
    parser.option("--to", "instead: fill up to this, rounded up to whole units", values.amount, shown="TARGET")
    parser.option("--below", "triggers when what can be spent falls below", values.amount, shown="B", required=True)
    parser.option("--monthly-cap", "what recharges may charge in a calendar month", values.amount, shown="C")
    parser.option("--method", "what pays; else the default one", values.name, shown="M")


def _every_options(parser: Parser) -> None:
    _account(parser)
    parser.option("--amount", "in whole units", values.amount, shown="A", required=True)
    parser.option("--on-day", "1 to 28, in the account's zone", values.whole(1, 28), shown="DAY", required=True)


def _off_options(parser: Parser) -> None:
    _account(parser)
    parser.switch("--every", "only the monthly standing top-up")


def _set(context: Context, arguments: Namespace) -> int:
    from domain.recharging import Level, least_charge

    engine = context.engine
    scale = engine.accounts.get(arguments.account).scale

    def scaled(name: str) -> Any:
        given = getattr(arguments, name)
        return None if given is None else at_scale(given, scale, name)

    level = Level(scaled("below"), scaled("amount"), scaled("to"), scaled("monthly_cap"), arguments.method or "")
    if (least := least_charge(level, context.settings.minimum_purchase)) is not None:
        field = "to" if level.amount is None else "amount"
        engine.paying.check_amount(arguments.account, least, level.method, field)
    account = engine.administration.set_recharge(engine.by(), arguments.account, level)
    return _saved(context, account)


def _every(context: Context, arguments: Namespace) -> int:
    engine = context.engine
    before = engine.accounts.get(arguments.account)
    amount = at_scale(arguments.amount, before.scale, "amount")
    engine.paying.check_amount(arguments.account, amount, before.recharge.method)
    account = engine.administration.set_standing(engine.by(), arguments.account, amount, arguments.on_day)
    return _saved(context, account)


def _saved(context: Context, account: "CreditAccount") -> int:
    """The settings, and what about them may surprise."""
    from domain.recharging import warning

    _answer(context, account)
    if said := warning(account):
        context.output.note(said)
    if account.recharge_method() is None:
        text = "no payment method yet: a recharge waits for `payment-method add` or for `funds add --recharge`"
        context.output.note(text)
    return DONE


def _off(context: Context, arguments: Namespace) -> int:
    engine = context.engine
    return _answer(context, engine.administration.recharge_off(engine.by(), arguments.account, arguments.every))


def _resume(context: Context, arguments: Namespace) -> int:
    engine = context.engine
    return _answer(context, engine.administration.resume_recharge(engine.by(), arguments.account))


def _show(context: Context, arguments: Namespace) -> int:
    return _answer(context, context.engine.accounts.get(arguments.account))


def _answer(context: Context, account: "CreditAccount") -> int:
    context.output.document({"account": account.account_id, **recharge_shape(context.engine, account)})
    return DONE


def recharge_shape(engine: "Engine", account: "CreditAccount") -> dict[str, Any]:
    """Auto-recharge as of now, with our link where the bank asks for the customer."""
    from domain.named import recharge_view
    from domain.recharge import ACTION_REQUIRED

    recharge = account.recharge
    waits = recharge.state == ACTION_REQUIRED
    link = engine.paying.action_url(account.account_id, recharge.recharge_id) if waits else ""
    return recharge_view(account, engine.by().now, link)


COMMANDS = (
    Command(
        "recharge set",
        "sets auto-recharge: its amount or target, and its trigger",
        "commcredits recharge set contoso --amount 100 --below 25 --monthly-cap 500",
        _set_options,
        _set,
    ),
    Command(
        "recharge every",
        "sets a standing top-up on a day of each month, alone or beside the trigger",
        "commcredits recharge every contoso --amount 200 --on-day 1",
        _every_options,
        _every,
    ),
    Command(
        "recharge off",
        "switches auto-recharge off; an open recharge is cancelled",
        "commcredits recharge off contoso",
        _off_options,
        _off,
    ),
    Command(
        "recharge resume",
        "arms auto-recharge again after it was suspended",
        "commcredits recharge resume contoso",
        _account,
        _resume,
    ),
    Command(
        "recharge show",
        "shows the settings of auto-recharge and where it stands",
        "commcredits recharge show contoso",
        _account,
        _show,
    ),
    SIMULATE,
)
