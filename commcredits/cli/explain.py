"""`explain`: why a usage was debited what it was."""

from argparse import Namespace
from typing import TYPE_CHECKING, Any

from commcredits import values
from commcredits.cli.command import Command, Context
from commcredits.cli.errors import DONE, REFUSED_SOME
from commcredits.cli.parser import Parser

if TYPE_CHECKING:
    from application.explain import Explanation


def _options(parser: Parser) -> None:
    parser.positional("usage_id", "the usage", values.name, shown="USAGE_ID")
    parser.option("--account", "where several accounts have the id", values.account_id, shown="ID")


def _explain(context: Context, arguments: Namespace) -> int:
    explanation = context.engine.explainer.explain(arguments.usage_id, arguments.account or "")
    context.output.document(explanation_view(explanation))
    return DONE if explanation.matches else REFUSED_SOME


def explanation_view(explanation: "Explanation") -> dict[str, Any]:
    """The proof, what it is computed to again, and each check; `usage` has nulls where personal data was erased."""
    from domain.events import LOG
    from domain.named import proof_view, source_view

    event, personal = explanation.event, explanation.personal
    return {
        "usage_id": event.usage_id,
        "account": explanation.account.account_id,
        "log": LOG,
        "position": explanation.position,
        "occurred_at": values.time_text(event.occurred_at),
        "recorded_at": values.time_text(event.recorded_at),
        "charge": event.amount,
        "currency": explanation.account.currency,
        "balance": event.balance,
        "usage": {
            "call_type": event.call_type,
            "started_at": values.time_text(event.started_at),
            "duration_seconds": event.duration_seconds,
            "caller": personal and personal.caller,
            "callee": personal and personal.callee,
            "user_id": personal and personal.user_id,
            "number_type": personal and personal.number_type,
            "capability": personal and personal.capability,
        },
        "source": source_view(event.source),
        "reason": event.reason or None,
        "proof": proof_view(event.proof, event.flags),
        "recomputed": explanation.recomputed,
        "checks": [
            {"name": check.name, "passed": check.passed, "detail": check.detail or None} for check in explanation.checks
        ],
        "matches": explanation.matches,
    }


COMMANDS = (
    Command(
        "explain",
        "shows a debit's proof and computes the charge again from it",
        "commcredits explain 6c3f9a1e --account contoso",
        _options,
        _explain,
    ),
)
