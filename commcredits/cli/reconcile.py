"""`reconcile payments`: the payment provider's ledger against ours."""

from argparse import Namespace
from typing import TYPE_CHECKING

from commcredits import values
from commcredits.cli.command import Command, Context
from commcredits.cli.errors import DONE, REFUSED_SOME, WrongUse
from commcredits.cli.parser import Parser

if TYPE_CHECKING:
    from application.reconcile import Reconciled
    from commcredits.bootstrap import Engine
    from domain.account import CreditAccount


def _options(parser: Parser) -> None:
    parser.optional_positional("account", "the account; else --all", values.account_id, shown="ID")
    parser.switch("--all", "every account")
    parser.option("--from", "payments from then on", values.instant, shown="TIME")
    parser.option("--to", "payments before then", values.instant, shown="TIME")


def _payments(context: Context, arguments: Namespace) -> int:
    from application.reconcile import customers_of, reconcile
    from domain.errors import Refused

    if (arguments.account is None) is not arguments.all:
        raise WrongUse("missing_argument", "say either an account or --all", "account")
    engine = context.engine
    provider = engine.provider
    if provider is None:
        raise Refused("no_provider", "no payment provider is set: set COMMCREDITS_STRIPE_API_KEY", "stripe_api_key")
    account_id, since, until = arguments.account, getattr(arguments, "from"), arguments.to
    if since is not None and until is not None and until < since:
        raise WrongUse("invalid_to", "the time ends after it begins", "to")
    if account_id is None:
        found = reconcile(provider, engine.every_account, None, since, until)
    else:
        customers = customers_of(engine.accounts.get(account_id), provider.name)
        found = reconcile(provider, lambda: _again(engine, account_id), customers, since, until)
    context.output.document(_shape(arguments, found))
    return REFUSED_SOME if found.differences else DONE


def _again(engine: "Engine", account_id: str) -> "list[CreditAccount]":
    """As it is now: what the provider was paid meanwhile may have been booked."""
    engine.accounts.evict([account_id])
    return [engine.accounts.get(account_id)]


def _shape(arguments: Namespace, found: "Reconciled") -> dict[str, object]:
    since, until = getattr(arguments, "from"), arguments.to
    currencies = sorted({*found.booked, *found.taken})
    return {
        "account": arguments.account,
        "from": None if since is None else values.time_text(since),
        "to": None if until is None else values.time_text(until),
        "accounts": found.accounts,
        "payments": found.payments,
        "foreign": found.foreign,
        "totals": [
            {"currency": each, "booked": found.booked.get(each), "taken": found.taken.get(each)} for each in currencies
        ],
        "differences": [
            {**each._asdict(), "of": each.of or None, "lot": each.lot or None} for each in found.differences
        ],
    }


COMMANDS = (
    Command(
        "reconcile payments",
        "holds the payment provider's ledger against ours, both ways; exit 1 where they differ",
        "commcredits reconcile payments contoso --from 2026-11-01",
        _options,
        _payments,
    ),
)
