"""`funds add`."""

from argparse import Namespace
from decimal import Decimal
from typing import TYPE_CHECKING

from commcredits import values
from commcredits.cli.command import Command, Context
from commcredits.cli.errors import DONE, WrongUse
from commcredits.cli.parser import Parser

if TYPE_CHECKING:
    from domain.account import CreditAccount


def _add_options(parser: Parser) -> None:
    parser.positional("account", "the account", values.account_id, shown="ID")
    parser.positional("amount", "digits and one point, at the account's scale", values.amount)
    parser.option("--reference", "the payment's; a known one adds nothing", values.name, shown="R")
    parser.option("--at", "when the money came; else now", values.instant, shown="TIME")
    parser.option("--recharge", "the triggered recharge that this money ends", values.name, shown="RECHARGE_ID")
    parser.switch("--granted", "given, not bought: never refunded, shown apart")
    parser.option("--expires", "when it expires; else by the account's months", values.instant, shown="TIME")


def at_scale(amount: Decimal, scale: int, field: str) -> Decimal:
    """An amount with exactly the account's decimals. Raises WrongUse where it has more."""
    from domain.money import quantum

    exact = amount.quantize(quantum(scale))
    if exact != amount:
        raise WrongUse("invalid_argument", f"{amount} has more decimals than the account's scale of {scale}", field)
    return exact


def _amount(account: "CreditAccount", reference: str | None, given: Decimal) -> Decimal:
    """What is added, at the account's scale; with a known reference its own amount, or the other one as given."""
    known = account.references.get(reference or "")
    if known is None:
        return at_scale(given, account.scale, "amount")
    return known[1] if known[1] == given else given


def _add(context: Context, arguments: Namespace) -> int:
    from domain.commands import Funds

    engine = context.engine
    funds = Funds(
        _amount(engine.accounts.get(arguments.account), arguments.reference, arguments.amount),
        arguments.reference or "",
        arguments.at,
        arguments.recharge or "",
        arguments.granted,
        arguments.expires,
    )
    added = engine.administration.add_funds(engine.by(), arguments.account, funds)
    context.output.document(
        {
            "account": arguments.account,
            "lot": added.lot,
            "amount": added.amount,
            "balance": added.account.balance,
            "duplicate": added.duplicate,
        }
    )
    return DONE


COMMANDS = (
    Command(
        "funds add",
        "adds money received elsewhere, as a lot of credit",
        "commcredits funds add contoso 250 --reference INV-2026-0117",
        _add_options,
        _add,
    ),
)
