"""`budget set|list|remove`: what an account or a user is to spend in a month at most."""

from argparse import Namespace

from commcredits import values
from commcredits.cli.command import Command, Context
from commcredits.cli.errors import DONE
from commcredits.cli.funds import at_scale
from commcredits.cli.parser import Parser


def _account(parser: Parser) -> None:
    parser.positional("account", "the account", values.account_id, shown="ID")


def _whose(parser: Parser) -> None:
    _account(parser)
    parser.option("--user", "UPN or object id; else the whole account", values.name, shown="U")


def _set_options(parser: Parser) -> None:
    _whose(parser)
    parser.option("--amount", "for each calendar month, in the account's zone", values.amount, shown="A", required=True)
    parser.switch("--hard", "no call is authorized that would pass it; else there are only notices")


def _set(context: Context, arguments: Namespace) -> int:
    from domain.named import budget_view

    engine = context.engine
    amount = at_scale(arguments.amount, engine.accounts.get(arguments.account).scale, "amount")
    by = engine.by()
    account, user = engine.budgets.set(by, arguments.account, arguments.user or "", amount, arguments.hard)
    context.output.document(budget_view(account, user, by.now, {user: arguments.user} if user else {}))
    return DONE


def _list(context: Context, arguments: Namespace) -> int:
    from domain.named import budget_view

    engine = context.engine
    account = engine.accounts.get(arguments.account)
    users = {user for user in account.budgets if user}
    names = engine.vault.names(users) if users else {}
    now = engine.by().now
    context.output.document([budget_view(account, user, now, names) for user in sorted(account.budgets)])
    return DONE


def _remove(context: Context, arguments: Namespace) -> int:
    engine = context.engine
    engine.budgets.remove(engine.by(), arguments.account, arguments.user or "")
    context.output.document({"account": arguments.account, "user": arguments.user})
    return DONE


COMMANDS = (
    Command(
        "budget set",
        "sets what an account, or one of its users, is to spend in a month at most",
        "commcredits budget set contoso --user ana@contoso.com --amount 25 --hard",
        _set_options,
        _set,
    ),
    Command(
        "budget list",
        "lists the budgets with what was spent in this month",
        "commcredits budget list contoso",
        _account,
        _list,
    ),
    Command(
        "budget remove",
        "removes a budget",
        "commcredits budget remove contoso --user ana@contoso.com",
        _whose,
        _remove,
    ),
)
