"""`payment-method add|list|default|remove`: how an account pays. No card's number ever comes here."""

from argparse import Namespace

from commcredits import values
from commcredits.cli.command import Command, Context
from commcredits.cli.errors import DONE, WrongUse
from commcredits.cli.parser import Parser


def _account(parser: Parser) -> None:
    parser.positional("account", "the account", values.account_id, shown="ID")


def _method(parser: Parser) -> None:
    _account(parser)
    parser.positional("method", "its id: pm-…", values.name)


def _add_options(parser: Parser) -> None:
    _account(parser)
    parser.switch("--link", "answer the provider's page where the customer saves a card")
    parser.option("--card", "a card that the provider keeps: its own token", values.card_token, shown="PM")
    parser.option("--invoice", "pay by invoice under this enterprise agreement", values.name, shown="AGREEMENT")
    parser.option("--po", "the purchase order that the invoices are to name", values.name)


def _add(context: Context, arguments: Namespace) -> int:
    from domain.named import method_view

    if sum(map(bool, (arguments.link, arguments.card, arguments.invoice))) != 1:
        raise WrongUse("conflicting_options", "a method is added by one of --link, --card PM and --invoice AGREEMENT")
    if arguments.po and not arguments.invoice:
        raise WrongUse("conflicting_options", "--po goes with --invoice: a card has no purchase order", "po")
    engine = context.engine
    paying, by = engine.paying, engine.by()
    if arguments.link:
        context.output.document({"account": arguments.account, "link": paying.add_link(by, arguments.account)})
        return DONE
    if arguments.card:
        account, method = paying.add_card(by, arguments.account, arguments.card)
    else:
        account, method = paying.add_invoice(by, arguments.account, arguments.invoice, arguments.po or "")
    context.output.document(method_view(account, account.methods[method]))
    return DONE


def _list(context: Context, arguments: Namespace) -> int:
    from domain.named import method_view

    account = context.engine.accounts.get(arguments.account)
    context.output.document([method_view(account, method) for method in account.methods.values()])
    return DONE


def _default(context: Context, arguments: Namespace) -> int:
    from domain.named import method_view

    engine = context.engine
    account = engine.paying.default(engine.by(), arguments.account, arguments.method)
    context.output.document(method_view(account, account.methods[arguments.method]))
    return DONE


def _remove(context: Context, arguments: Namespace) -> int:
    engine = context.engine
    account = engine.paying.remove(engine.by(), arguments.account, arguments.method)
    shown = {"account": account.account_id, "method": arguments.method, "default": account.default_method or None}
    context.output.document(shown)
    if not account.default_method and account.recharge.is_on:
        context.output.note("no payment method is left: recharges wait for `funds add --recharge`")
    return DONE


COMMANDS = (
    Command(
        "payment-method add",
        "adds a way to pay: a card kept by the provider, or an invoice; the first one is the default",
        "commcredits payment-method add contoso --link",
        _add_options,
        _add,
    ),
    Command(
        "payment-method list",
        "lists an account's ways to pay",
        "commcredits payment-method list contoso",
        _account,
        _list,
    ),
    Command(
        "payment-method default",
        "chooses the method that pays where none is named",
        "commcredits payment-method default contoso pm-7",
        _method,
        _default,
    ),
    Command(
        "payment-method remove",
        "removes a way to pay, at the provider too",
        "commcredits payment-method remove contoso pm-7",
        _method,
        _remove,
    ),
)
