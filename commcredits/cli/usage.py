"""`usage reverse`: a debit is taken back."""

from argparse import Namespace

from commcredits import values
from commcredits.cli.command import Command, Context
from commcredits.cli.errors import DONE
from commcredits.cli.parser import Parser


def _reverse_options(parser: Parser) -> None:
    parser.positional("usage_id", "the usage", values.name, shown="USAGE_ID")
    parser.option("--account", "where several accounts have the id", values.account_id, shown="ID")
    parser.option("--key", "yours: run again with the same key, it answers the same", values.name, shown="K")
    parser.option("--reason", "why, for the statement", values.name, shown="R", required=True)


def _reverse(context: Context, arguments: Namespace) -> int:
    from domain.named import reversal_view

    engine = context.engine
    done = engine.corrections.reverse(
        engine.by(arguments.reason), arguments.usage_id, arguments.account or "", arguments.key or ""
    )
    event = done.event
    context.output.document(
        {
            "account": done.account.account_id,
            "usage_id": event.usage_id,
            "amount": event.amount,
            "balance": event.balance,
            "proof": reversal_view(event),
            "duplicate": done.duplicate,
        }
    )
    return DONE


COMMANDS = (
    Command(
        "usage reverse",
        "takes a debit back: credit, minutes and what counts to budgets return; the usage's id stays used",
        "commcredits usage reverse 6c3f9a1e --account contoso --reason 'wrong number, ticket 4711'",
        _reverse_options,
        _reverse,
    ),
)
