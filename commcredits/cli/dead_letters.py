"""`dead-letters list|show`, `retry`, `discard`: what could not be taken, and what becomes of it."""

import base64
from argparse import Namespace
from typing import TYPE_CHECKING, Any

from commcredits import values
from commcredits.cli.command import Command, Context
from commcredits.cli.errors import DONE, WrongUse
from commcredits.cli.parser import Parser
from commcredits.cli.tally import exit_code_of, tally_view

if TYPE_CHECKING:
    from application.dead_letters import ReadLetter, ReadStep
    from application.ports import Letter

STATUSES = ("open", "retried", "discarded")


def _patch(text: str) -> tuple[str, str]:
    field, equals, value = text.partition("=")
    if not equals or not field:
        raise ValueError(f"is FIELD=VALUE, not {text!r}; put the letter's ID before it")
    return field, value


def _list_options(parser: Parser) -> None:
    parser.option("--status", "only those", values.choice(*STATUSES), shown="|".join(STATUSES))
    parser.option("--reason", "only those of a reason code", values.name, shown="CODE")
    parser.option("--account", "only those of an account", values.account_id, shown="ID")


def _show_options(parser: Parser) -> None:
    parser.positional("id", "the dead letter", values.name)


def _retry_options(parser: Parser) -> None:
    parser.optional_positional("id", "the dead letter", values.name)
    parser.option("--patch", "change a field first; recorded", _patch, shown="FIELD=VALUE", many=True)
    parser.option("--reason", "all open ones of a reason code", values.name, shown="CODE")
    parser.switch("--all", "all open ones")


def _discard_options(parser: Parser) -> None:
    parser.optional_positional("id", "the dead letter", values.name)
    parser.option("--reason", "all open ones of a reason code", values.name, shown="CODE")
    parser.option("--note", "why; kept with the letter", values.name, shown="TEXT", required=True)


def _list(context: Context, arguments: Namespace) -> int:
    letters = context.engine.dead_letters.find(arguments.reason or "", arguments.status or "")
    account = arguments.account
    context.output.lines(_line(letter) for letter in letters if account is None or letter.account == account)
    return DONE


def _line(letter: "Letter") -> dict[str, Any]:
    from domain.named import source_view

    return {
        "id": letter.id,
        "reason": letter.reason,
        "status": letter.status,
        "account": letter.account or None,
        "usage_id": letter.usage_id or None,
        "source": source_view(letter.source),
        "recorded_at": values.time_text(letter.recorded_at),
        "field": letter.field or None,
        "message": letter.message,
    }


def _show(context: Context, arguments: Namespace) -> int:
    context.output.document(_whole(context.engine.dead_letters.show(arguments.id)))
    return DONE


def _whole(shown: "ReadLetter") -> dict[str, Any]:
    """The list's line and the record (text, or base64 where it is none), whether it was erased, what was tried."""
    letter, record = shown.letter, shown.record
    text, base64_text = None, None
    if record is not None:
        try:
            text = record.decode()
        except UnicodeDecodeError:
            base64_text = base64.b64encode(record).decode()
    return {
        **_line(letter),
        "format": letter.format,
        "record": text,
        "record_base64": base64_text,
        "erased": record is None,
        "note": letter.note or None,
        "resolved_at": None if letter.resolved_at is None else values.time_text(letter.resolved_at),
        "resolved_by": letter.resolved_by or None,
        "history": [_step(step) for step in shown.steps],
    }


def _step(read: "ReadStep") -> dict[str, Any]:
    """`patch` is null where its values were erased; `reason` is why it stayed open."""
    step, patch = read
    return {
        "at": values.time_text(step.at),
        "by": step.by,
        "action": step.action,
        "fields": list(step.fields),
        "patch": patch,
        "was": step.was,
        "status": step.status,
        "reason": step.reason if step.status == "open" else None,
        "message": step.message if step.status == "open" else None,
        "note": step.note or None,
    }


def _retry(context: Context, arguments: Namespace) -> int:
    from application.ingest import Tally

    _exactly_one(arguments, "id", "reason", "all")
    if arguments.patch and not arguments.id:
        raise WrongUse("wrong_use", "--patch changes one record: name the letter's ID", "patch")
    engine, total = context.engine, Tally()
    if arguments.id:
        total = engine.dead_letters.retry(engine.by(), arguments.id, dict(arguments.patch or ()))
        if not total.read:
            context.output.note(f"dead letter {arguments.id} was taken in already: nothing is done")
    else:
        for tally in engine.dead_letters.retry_all(engine.by(), arguments.reason or ""):
            total.add(tally)
            context.output.progress(f"{total.read:,} retried  {total.dead + total.conflicts:,} refused again")
    context.output.document(tally_view(total))
    return exit_code_of(total)


def _discard(context: Context, arguments: Namespace) -> int:
    _exactly_one(arguments, "id", "reason")
    engine, letters = context.engine, context.engine.dead_letters
    if arguments.id:
        discarded = letters.discard(engine.by(), arguments.id, arguments.note)
    else:
        discarded = letters.discard_all(engine.by(), arguments.reason, arguments.note)
    named = {"id": arguments.id, "reason": arguments.reason, "note": arguments.note}
    context.output.document({**named, "discarded": discarded})
    return DONE


def _exactly_one(arguments: Namespace, *names: str) -> None:
    """Raises WrongUse unless one of them is given."""
    if sum(bool(getattr(arguments, name)) for name in names) != 1:
        shown = ["ID" if name == "id" else f"--{name}" for name in names]
        raise WrongUse("wrong_use", f"give exactly one of {', '.join(shown[:-1])} and {shown[-1]}", names[0])


COMMANDS = (
    Command(
        "dead-letters list",
        "lists what could not be taken",
        "commcredits dead-letters list --status open --json",
        _list_options,
        _list,
    ),
    Command(
        "dead-letters show",
        "shows a dead letter whole",
        "commcredits dead-letters show 0062f1c8",
        _show_options,
        _show,
    ),
    Command(
        "retry",
        "takes dead letters in again, after the cause is gone or with a field changed",
        "commcredits retry 0062f1c8 --patch currency=EUR",
        _retry_options,
        _retry,
    ),
    Command(
        "discard",
        "gives dead letters up; they are kept with the note",
        "commcredits discard 0062f1c8 --note 'test call of the vendor'",
        _discard_options,
        _discard,
    ),
)
