"""`webhook add|list|remove|test|deliveries|redeliver`: notices for machines."""

from argparse import Namespace
from typing import TYPE_CHECKING, Any

from commcredits import values
from commcredits.cli.command import Command, Context
from commcredits.cli.errors import DONE, REFUSED_SOME
from commcredits.cli.notice import delivery_view, flat, kinds, last_answer
from commcredits.cli.parser import Parser

if TYPE_CHECKING:
    from application.outbox import Delivery, Notice, Target

STATUSES = ("pending", "delivered", "dead", "cancelled")
NEWEST = 100


def _add_options(parser: Parser) -> None:
    parser.positional("url", "where notices are posted: https://…", values.name)
    parser.option("--account", "of this account only; else of all", values.account_id, shown="ID")
    parser.option("--kinds", "only these, such as balance.low,recharge (all)", kinds, shown="KINDS", many=True)


def _list_options(parser: Parser) -> None:
    parser.option("--account", "only those that are told of an account", values.account_id, shown="ID")


def _id_options(parser: Parser) -> None:
    parser.positional("id", "the webhook", values.name)


def _deliveries_options(parser: Parser) -> None:
    parser.optional_positional("id", "the webhook; else all", values.name)
    parser.option("--status", "only those", values.choice(*STATUSES), shown="|".join(STATUSES))
    parser.option("--limit", f"the newest N only ({NEWEST})", values.whole(1, 1_000_000), shown="N")


def _redeliver_options(parser: Parser) -> None:
    parser.positional("id", "a delivery; or a webhook: all that are dead", values.name)


def _add(context: Context, arguments: Namespace) -> int:
    engine = context.engine
    wanted = flat(arguments.kinds)
    target, secret = engine.recipients.add_webhook(arguments.url, arguments.account or "", wanted, engine.by().now)
    context.output.document({**_webhook_view(target), "secret": secret})
    context.output.note("the secret is not shown again")
    return DONE


def _list(context: Context, arguments: Namespace) -> int:
    context.output.document(
        [_webhook_view(each) for each in context.engine.recipients.webhooks(arguments.account or "")]
    )
    return DONE


def _webhook_view(target: "Target") -> dict[str, Any]:
    """`account` null: of all accounts; no kinds: of all."""
    return {
        "id": target.id,
        "url": target.url,
        "account": target.account or None,
        "kinds": sorted(target.kinds),
        "added_at": values.time_text(target.added_at),
    }


def _remove(context: Context, arguments: Namespace) -> int:
    context.engine.recipients.remove_webhook(arguments.id)
    context.output.document({"id": arguments.id, "removed": True})
    return DONE


def _test(context: Context, arguments: Namespace) -> int:
    answer = context.engine.recipients.test_webhook(arguments.id, context.engine.by().now)
    context.output.document({"id": arguments.id, "delivered": answer.delivered, "answer": answer.text})
    return DONE if answer.delivered else REFUSED_SOME


def _deliveries(context: Context, arguments: Namespace) -> int:
    found = context.engine.recipients.deliveries(arguments.id or "", arguments.status or "", arguments.limit or NEWEST)
    if context.output.json:
        context.output.document([_view(*each) for each in found])
    else:
        context.output.lines(
            {
                "id": delivery.id,
                "webhook": delivery.target,
                "account": notice.account,
                "kind": notice.kind,
                "status": delivery.status,
                "attempts": delivery.attempts,
                "answer": last_answer(delivery),
            }
            for delivery, notice in found
        )
    return DONE


def _view(delivery: "Delivery", notice: "Notice") -> dict[str, Any]:
    return {
        "id": delivery.id,
        "webhook": delivery.target,
        "notice": notice.id,
        "account": notice.account,
        "kind": notice.kind,
        **delivery_view(delivery),
    }


def _redeliver(context: Context, arguments: Namespace) -> int:
    count = context.engine.recipients.redeliver(arguments.id, context.engine.by().now)
    context.output.document({"id": arguments.id, "redelivered": count})
    context.output.note("`work` delivers them")
    return DONE


COMMANDS = (
    Command(
        "webhook add",
        "posts notices to an address from now on, and prints its secret once",
        "commcredits webhook add https://billing.example.com/hooks --account contoso --kinds recharge,balance",
        _add_options,
        _add,
    ),
    Command("webhook list", "lists the webhooks", "commcredits webhook list", _list_options, _list),
    Command(
        "webhook remove",
        "removes a webhook; what is on its way to it is cancelled",
        "commcredits webhook remove whk-5f0c1f2e9a7b4d63",
        _id_options,
        _remove,
    ),
    Command(
        "webhook test",
        "sends a webhook a notice of kind test, now",
        "commcredits webhook test whk-5f0c1f2e9a7b4d63",
        _id_options,
        _test,
    ),
    Command(
        "webhook deliveries",
        "lists what was posted, and what the other side answered",
        "commcredits webhook deliveries --status dead",
        _deliveries_options,
        _deliveries,
    ),
    Command(
        "webhook redeliver",
        "delivers again, under the same id: one delivery, or all dead ones of a webhook",
        "commcredits webhook redeliver whk-5f0c1f2e9a7b4d63",
        _redeliver_options,
        _redeliver,
    ),
)
