"""What the command line refuses, and the one table that turns any layer's error into an exit code and a stable code.

Exit codes: 0 done, 1 done but something was refused, 2 wrong use, 3 not found, 4 store or broker not reachable (or a
position that is not in the topic), 5 refused by a rule, 70 a fault of ours.
"""

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from domain.errors import Invalid

DONE, REFUSED_SOME, WRONG_USE, NOT_FOUND, UNREACHABLE, REFUSED, FAULT = 0, 1, 2, 3, 4, 5, 70

# By name, since importing every layer would cost each command its start-up time. The code stands for errors without
# one of their own; the nearest base class wins.
_TABLE: Final[Mapping[str, tuple[int, str]]] = {
    "domain.errors.Invalid": (WRONG_USE, "invalid"),
    "domain.errors.NotFound": (NOT_FOUND, "not_found"),
    "domain.errors.Refused": (REFUSED, "refused"),
    "application.ports.SchemaMissing": (UNREACHABLE, "schema_missing"),
    "application.ports.StoreUnavailable": (UNREACHABLE, "store_unavailable"),
    "application.ports.WriteConflict": (UNREACHABLE, "write_conflict"),
    "application.ports.PositionMoved": (UNREACHABLE, "position_moved"),
    "application.payments.ProviderUnavailable": (UNREACHABLE, "provider_unavailable"),
    "application.payments.UnknownAtProvider": (NOT_FOUND, "unknown_at_provider"),
    "application.payments.ProviderRefused": (REFUSED, "provider_refused"),
    "application.payments.CardDeclined": (REFUSED, "card_declined"),
    "adapters.privacy.WrongMasterKey": (WRONG_USE, "wrong_master_key"),
    "domain.events.UnknownEvent": (UNREACHABLE, "unreadable_event"),
    "projections.log.Unreadable": (UNREACHABLE, "unreadable_event"),
    "consumers.refusals.FileRefused": (REFUSED, "file_refused"),
    "consumers.kafka.errors.ConsumerError": (UNREACHABLE, "consumer_stopped"),
}
# codes whose exit code is not their error's: a file format that asks for an option is a matter of use
_EXIT_CODES: Final[Mapping[str, int]] = {"account_required": WRONG_USE}


class WrongUse(Invalid):
    """A command line that cannot be; `field` is the option or positional it is about."""


class Failure(NamedTuple):
    """An error as the edge shows it: the exit code, and the object that `--json` prints under `error`."""

    exit_code: int
    code: str
    message: str
    field: str | None
    source: Mapping[str, Any] | None

    def shape(self) -> dict[str, Any]:
        """`{"error": {"code", "message", "field", "source"}}`."""
        shown = {"code": self.code, "message": self.message, "field": self.field, "source": self.source}
        return {"error": shown}


def failure_of(error: BaseException) -> Failure:
    """Translate any exception; one that the table does not know is a fault of ours."""
    if isinstance(known_elsewhere := getattr(error, "failure", None), Failure):
        return known_elsewhere  # it was translated where it happened, in another process
    for kind in type(error).__mro__:
        known = _TABLE.get(f"{kind.__module__}.{kind.__qualname__}")
        if known is not None:
            code = getattr(error, "code", known[1])
            field = getattr(error, "field", "") or None
            return Failure(_EXIT_CODES.get(code, known[0]), code, str(error), field, _source(error))
    what = f"{type(error).__name__}: {error}".rstrip(": ")
    text = f"a fault of ours: {what}; run it again with --debug and report what that prints"
    return Failure(FAULT, "internal_error", text, None, None)


def _source(error: BaseException) -> Mapping[str, Any] | None:
    """Where it happened; a file is named by its text."""
    source = getattr(error, "source", None)
    if isinstance(source, str):
        return {"kind": "stdin" if source == "-" else "file", "name": source, "line": None} if source else None
    return source
