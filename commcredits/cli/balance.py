"""`balance` and `statement`: what an account has, and why."""

from argparse import Namespace
from collections.abc import Iterator
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from commcredits import values
from commcredits.cli.command import Command, Context
from commcredits.cli.errors import DONE
from commcredits.cli.parser import Parser
from commcredits.cli.recharge import recharge_shape

if TYPE_CHECKING:
    from commcredits.bootstrap import Engine
    from domain.account import CreditAccount


def _balance_options(parser: Parser) -> None:
    parser.positional("account", "the account", values.account_id, shown="ID")
    parser.switch("--stale", "answer from the read model as it is, without applying the log first")


def _statement_options(parser: Parser) -> None:
    parser.positional("account", "the account", values.account_id, shown="ID")
    parser.option("--from", "what occurred since", values.instant, shown="TIME")
    parser.option("--to", "what occurred before; a date is inclusive", values.end_instant, shown="TIME")
    parser.option("--limit", "the first N only", values.whole(1, 10**12), shown="N")
    parser.switch("--stale", "answer from the read model as it is, without applying the log first")


def _balance(context: Context, arguments: Namespace) -> int:
    from domain.errors import NotFound
    from domain.named import balance_view
    from projections.balance import NAME, balance_of

    engine = context.engine
    if not arguments.stale:
        engine.catch_up(NAME)
    now = engine.by().now
    found = balance_of(engine.store, arguments.account, now)
    if found is None:
        which = (
            f"no account {arguments.account} in the read model yet"
            if arguments.stale
            else f"no account {arguments.account}"
        )
        raise NotFound("unknown_account", f"there is {which}", "account")
    account, fresh = found
    view = {**balance_view(account, now, _names(engine, account)), "recharge": recharge_shape(engine, account)}
    shown = {name: view[name] for name in ("account", "currency", "balance", "spendable")}
    context.output.document({**shown, **fresh.view(), **view})
    return DONE


def _names(engine: "Engine", account: "CreditAccount") -> dict[str, str]:
    """Names of the users who have pools of their own."""
    pools = account.pools
    own = {pool.user for pool in pools.used if pool.user}
    own |= {user for user, held in pools.licences.items() if any(not licence.limits.pooled for licence in held)}
    return engine.vault.names(own) if own else {}


def _statement(context: Context, arguments: Namespace) -> int:
    from domain.errors import NotFound
    from domain.events import account_stream
    from projections.freshness import freshness
    from projections.statement import NAME, read_statement

    engine, output = context.engine, context.output
    if not engine.store.select_events(account_stream(arguments.account), lte=1):
        raise NotFound("unknown_account", f"there is no account {arguments.account}", "account")
    if not arguments.stale:
        engine.catch_up(NAME)
    fresh = freshness(engine.store, NAME, engine.by().now)
    lines = read_statement(
        engine.store,
        arguments.account,
        from_at=getattr(arguments, "from"),
        to_at=arguments.to,
        limit=arguments.limit,
        upto=fresh.position,
    )
    if output.json:
        output.stream(line + b"\n" for line in lines)
    else:
        output.lines(_for_people(lines))
        output.note(f"as of position {fresh.position} of the log, {fresh.lag_events} events behind it")
    return DONE


def _for_people(lines: Iterator[bytes]) -> Iterator[dict[str, Any]]:
    import msgspec

    for line in lines:
        entry = msgspec.json.decode(line)
        proof = entry["proof"] or {}
        yield {
            "position": entry["position"],
            "occurred_at": entry["occurred_at"],
            "type": entry["type"],
            "amount": Decimal(entry["amount"]),
            "balance": Decimal(entry["balance"]),
            "usage_id": entry["usage_id"],
            "prefix": proof.get("prefix"),
            "minutes": sum(draw["minutes"] for draw in proof.get("pools", ())) or None,
            "flags": proof.get("flags"),
        }


COMMANDS = (
    Command(
        "balance",
        "shows balance, lots, pools and recharge state",
        "commcredits balance contoso",
        _balance_options,
        _balance,
    ),
    Command(
        "statement",
        "lists every debit and what changed the balance, oldest first, with the running balance",
        "commcredits statement contoso --from 2026-11-01 --json",
        _statement_options,
        _statement,
    ),
)
