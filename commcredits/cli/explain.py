"""`explain`: why a usage was debited what it was."""

from argparse import Namespace
from typing import TYPE_CHECKING, Any

from commcredits import values
from commcredits.cli.command import Command, Context
from commcredits.cli.errors import DONE, REFUSED_SOME
from commcredits.cli.parser import Parser

if TYPE_CHECKING:
    from application.explain import Explanation, Reversal
    from application.privacy import Personal
    from domain.events import UsageDebited


def _options(parser: Parser) -> None:
    parser.positional("usage_id", "the usage", values.name, shown="USAGE_ID")
    parser.option("--account", "where several accounts have the id", values.account_id, shown="ID")


def _explain(context: Context, arguments: Namespace) -> int:
    explanation = context.engine.explainer.explain(arguments.usage_id, arguments.account or "")
    context.output.document(explanation_view(arguments.usage_id, explanation))
    return DONE if explanation.matches else REFUSED_SOME


def explanation_view(usage_id: str, explanation: "Explanation") -> dict[str, Any]:
    """The proof, what it is computed to again, and each check; nulls where the stored row is no debit any more."""
    from domain.budgets import cost_of
    from domain.events import LOG
    from domain.named import proof_view

    event = explanation.event
    return {
        "usage_id": usage_id,
        "account": explanation.account.account_id,
        "log": LOG,
        "position": explanation.position,
        "charge": event and cost_of(event),
        "currency": explanation.account.currency,
        "proof": event and proof_view(event.proof, event.flags),
        "recomputed": explanation.recomputed,
        "matches": explanation.matches,
        "checks": [
            {"name": check.name, "passed": check.passed, "detail": check.detail or None} for check in explanation.checks
        ],
        "debit": event and _debit(event, explanation.personal),
        "reversal": explanation.reversal and _reversal(explanation.reversal),
    }


def _reversal(reversal: "Reversal") -> dict[str, Any]:
    """The correction that took the debit back."""
    from domain.named import reversal_view

    event = reversal.event
    return {
        "position": reversal.position,
        "recorded_at": values.time_text(event.recorded_at),
        "actor": event.actor or None,
        "reason": event.reason or None,
        "amount": event.amount,
        "balance": event.balance,
        "proof": reversal_view(event),
    }


def _debit(event: "UsageDebited", personal: "Personal | None") -> dict[str, Any]:
    """The rest of the record; what was personal is null where it was erased."""
    from domain.named import source_view

    return {
        "occurred_at": values.time_text(event.occurred_at),
        "recorded_at": values.time_text(event.recorded_at),
        "actor": event.actor or None,
        "channel": event.channel,
        "reason": event.reason or None,
        "source": source_view(event.source),
        "balance": event.balance,
        "call_type": event.call_type,
        "started_at": values.time_text(event.started_at),
        "duration_seconds": event.duration_seconds,
        "caller": personal and personal.caller,
        "callee": personal and personal.callee,
        "user_id": personal and personal.user_id,
        "number_type": personal and personal.number_type,
        "capability": personal and personal.capability,
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
