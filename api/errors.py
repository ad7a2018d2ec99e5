"""What went wrong, as HTTP answers it: one table from any layer's error to a status, and one shape.

`{"error":{"code","message","field","source"}}`, as the command line prints it.
"""

import logging
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from litestar import Request, Response
from litestar.exceptions import HTTPException, ValidationException
from litestar.types import ExceptionHandlersMap

from application.payments import BadSignature, ProviderError, ProviderUnavailable
from application.ports import SchemaMissing, StoreUnavailable, WriteConflict
from domain.errors import Invalid, NotFound, Refused

RETRY_SECONDS: Final = "1"
BODY: Final = "data"  # what litestar calls it
UNAVAILABLE: Final = 503
_log = logging.getLogger("commcredits.serve")

# the nearest base class wins; the code stands for errors without one of their own
_TABLE: Final[dict[type[Exception], tuple[int, str]]] = {
    Invalid: (400, "invalid"),
    NotFound: (404, "not_found"),
    Refused: (409, "refused"),
    BadSignature: (400, "bad_signature"),
    ProviderUnavailable: (UNAVAILABLE, "provider_unavailable"),
    ProviderError: (502, "provider_error"),
    StoreUnavailable: (UNAVAILABLE, "store_unavailable"),
    WriteConflict: (UNAVAILABLE, "write_conflict"),
    SchemaMissing: (UNAVAILABLE, "schema_missing"),
}
_BY_STATUS: Final = {
    400: "invalid_body",
    401: "unauthorized",
    404: "unknown_path",
    405: "method_not_allowed",
    413: "too_large",
    415: "unsupported_media_type",
}


class Fault(NamedTuple):
    """An error as it is shown."""

    status: int
    code: str
    message: str
    field: str | None = None
    source: Mapping[str, Any] | None = None

    def shape(self) -> dict[str, Any]:
        """The document."""
        shown = {"code": self.code, "message": self.message, "field": self.field, "source": self.source}
        return {"error": shown}


class FaultError(Exception):
    """What only HTTP knows of."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(fault.message)
        self.fault = fault


def not_ready(message: str) -> FaultError:
    """Not yet, or not any more, up to the log."""
    return FaultError(Fault(UNAVAILABLE, "not_ready", message))


def fault_of(error: Exception) -> Fault:
    """Translate any exception; one that the table does not know is a fault of ours, and is not told."""
    for kind in type(error).__mro__:
        known = _TABLE.get(kind)
        if known is not None:
            status, code = known
            field, source = getattr(error, "field", "") or None, getattr(error, "source", None)
            return Fault(status, getattr(error, "code", code), str(error), field, source)
    if isinstance(error, FaultError):
        return error.fault
    if isinstance(error, ValidationException):
        return _invalid(error)
    if isinstance(error, HTTPException) and error.status_code < 500:
        code = _BY_STATUS.get(error.status_code, "invalid_request")
        return Fault(error.status_code, code, error.detail or code.replace("_", " "))
    return Fault(500, "internal_error", "a fault of ours; the log of `serve` says more")


def _invalid(error: ValidationException) -> Fault:
    """A body or parameter that has not the documented shape, by its first field that is wrong."""
    extra = error.extra[0] if isinstance(error.extra, list) and error.extra else {}
    message, field = str(extra.get("message") or error.detail), str(extra.get("key") or "")
    if field == BODY:  # the body as a whole; msgspec names a field that is missing or not known in its text only
        field = message.split("`")[1].removeprefix("$.") if "field `" in message else ""
        message = "send a JSON object" if BODY in message else message
    return Fault(
        400, "invalid_field" if field else "invalid_body", f"{field}: {message}" if field else message, field or None
    )


def respond(request: Request[Any, Any, Any], error: Exception) -> Response[dict[str, Any]]:
    """The answer to a request that failed. What is a fault of ours is logged, without the request's content."""
    fault = fault_of(error)
    if fault.status == 500:
        _log.error("%s %s: a fault of ours", request.method, request.scope["path"], exc_info=error)
    headers = {}
    if fault.status == UNAVAILABLE:
        headers["Retry-After"] = RETRY_SECONDS
    return Response(fault.shape(), status_code=fault.status, headers=headers, media_type="application/json")


HANDLERS: Final[ExceptionHandlersMap] = {Exception: respond}
