"""`recharge set|off`: auto-recharge."""

from argparse import Namespace
from typing import TYPE_CHECKING

from commcredits import values
from commcredits.cli.command import Command, Context
from commcredits.cli.errors import DONE
from commcredits.cli.funds import at_scale
from commcredits.cli.parser import Parser

if TYPE_CHECKING:
    from domain.account import CreditAccount


def _set_options(parser: Parser) -> None:
    parser.positional("account", "the account", values.account_id, shown="ID")
    parser.option("--amount", "what each recharge adds, in whole units", values.amount, shown="A", required=True)
    parser.option("--below", "triggers when what can be spent falls below", values.amount, shown="B", required=True)


def _off_options(parser: Parser) -> None:
    parser.positional("account", "the account", values.account_id, shown="ID")


def _set(context: Context, arguments: Namespace) -> int:
    from domain.recharging import Level

    engine = context.engine
    scale = engine.accounts.get(arguments.account).scale
    level = Level(at_scale(arguments.below, scale, "below"), at_scale(arguments.amount, scale, "amount"))
    account = engine.administration.set_recharge(engine.by(), arguments.account, level)
    return _answer(context, account)


def _off(context: Context, arguments: Namespace) -> int:
    return _answer(context, context.engine.administration.recharge_off(context.engine.by(), arguments.account))


def _answer(context: Context, account: "CreditAccount") -> int:
    from domain.named import recharge_view

    context.output.document({"account": account.account_id, **recharge_view(account)})
    return DONE


COMMANDS = (
    Command(
        "recharge set",
        "sets auto-recharge: its amount and its trigger",
        "commcredits recharge set contoso --amount 100 --below 25",
        _set_options,
        _set,
    ),
    Command(
        "recharge off",
        "switches auto-recharge off; an open recharge is cancelled",
        "commcredits recharge off contoso",
        _off_options,
        _off,
    ),
)
