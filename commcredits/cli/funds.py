"""`funds add|buy|refund`."""

from argparse import Namespace
from decimal import Decimal
from typing import TYPE_CHECKING

from commcredits import values
from commcredits.cli.command import Command, Context
from commcredits.cli.errors import DONE, REFUSED_SOME, UNREACHABLE, WrongUse
from commcredits.cli.parser import Parser

if TYPE_CHECKING:
    from domain.account import CreditAccount


def _add_options(parser: Parser) -> None:
    parser.positional("account", "the account", values.account_id, shown="ID")
    parser.positional("amount", "digits and one point, at the account's scale", values.amount)
    parser.option("--reference", "the payment's; a known one adds nothing", values.name, shown="R")
    parser.option("--at", "when the money came; else now", values.instant, shown="TIME")
    parser.option("--recharge", "the open recharge that this money ends", values.name, shown="RECHARGE_ID")
    parser.option("--purchase", "the open purchase that this money ends", values.name, shown="PURCHASE_ID")
    parser.switch("--granted", "given, not bought: never refunded, shown apart")
    parser.option("--expires", "when it expires; else by the account's months", values.instant, shown="TIME")


def _buy_options(parser: Parser) -> None:
    parser.positional("account", "the account", values.account_id, shown="ID")
    parser.positional("amount", "in whole currency units", values.amount)
    parser.option("--method", "what pays; else the default one", values.name, shown="M")
    parser.option("--key", "a name of your own: the same one never buys twice", values.name, shown="K")


def _refund_options(parser: Parser) -> None:
    parser.positional("account", "the account", values.account_id, shown="ID")
    parser.positional("lot", "whose money goes back: lot-…", values.name)
    parser.option("--amount", "at most what is unspent of it; else all of that", values.amount, shown="A")
    parser.option("--key", "a name of your own: the same one never refunds twice", values.name, shown="K")
    parser.option("--reason", "why; it stays with the refund", values.name, shown="R", required=True)


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
    from domain.funding import Funds

    engine = context.engine
    funds = Funds(
        _amount(engine.accounts.get(arguments.account), arguments.reference, arguments.amount),
        arguments.reference or "",
        arguments.at,
        arguments.recharge or "",
        arguments.granted,
        arguments.expires,
        arguments.purchase or "",
    )
    at_provider = funds.recharge_id or funds.purchase_id
    added = (engine.paying if at_provider else engine.administration).add_funds(engine.by(), arguments.account, funds)
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


def _buy(context: Context, arguments: Namespace) -> int:
    engine = context.engine
    amount = at_scale(arguments.amount, engine.accounts.get(arguments.account).scale, "amount")
    bought = engine.paying.buy(
        engine.by(), arguments.account, amount, arguments.method or "", arguments.key or ""
    )  # fmt: skip
    context.output.document(
        {
            "account": arguments.account,
            "purchase": bought.purchase,
            "state": bought.state,
            "amount": bought.amount,
            "balance": bought.balance,
            "action_url": bought.action_url or None,
            "failure": bought.failure or None,
        }
    )
    if bought.state == "failed":
        context.output.note(bought.message or f"nothing was bought: {bought.failure}")
        return REFUSED_SOME
    if not bought.reachable:
        context.output.note(f"{bought.message}; `work` asks again and finishes the purchase")
        return UNREACHABLE
    if bought.action_url:
        context.output.note(f"the bank asks the customer to confirm: {bought.action_url}")
    return DONE


def _refund(context: Context, arguments: Namespace) -> int:
    engine = context.engine
    amount = arguments.amount
    if amount is not None:
        amount = at_scale(amount, engine.accounts.get(arguments.account).scale, "amount")
    refunded = engine.paying.refund(
        engine.by(arguments.reason), arguments.account, arguments.lot, amount, arguments.key or ""
    )
    context.output.document(
        {
            "account": arguments.account,
            "refund": refunded.refund,
            "lot": refunded.lot,
            "state": refunded.state,
            "amount": refunded.amount,
            "balance": refunded.balance,
            "failure": refunded.failure or None,
        }
    )
    if refunded.state == "failed":
        context.output.note(f"the provider could not refund ({refunded.failure}); the money is in its lot again")
        return REFUSED_SOME
    if not refunded.reachable:
        context.output.note(f"{refunded.message}; `work` asks again and finishes the refund")
        return UNREACHABLE
    return DONE


COMMANDS = (
    Command(
        "funds add",
        "adds money received elsewhere, as a lot of credit",
        "commcredits funds add contoso 250 --reference INV-2026-0117",
        _add_options,
        _add,
    ),
    Command(
        "funds buy",
        "buys credit now, by a payment method",
        "commcredits funds buy contoso 100 --key order-17",
        _buy_options,
        _buy,
    ),
    Command(
        "funds refund",
        "gives back what is unspent of a lot that was paid through the provider",
        'commcredits funds refund contoso lot-7 --amount 20 --reason "bought too much"',
        _refund_options,
        _refund,
    ),
)
