"""What an API request is refused with, in Stripe's words and shape."""

from __future__ import annotations

from typing import Any, Final

INVALID: Final = "invalid_request_error"


class ApiError(Exception):
    """An answer that is no success. `began`: the endpoint had begun, so that an idempotency key keeps the answer."""

    def __init__(self, status: int, message: str, kind: str = INVALID, *, began: bool = True, **more: Any) -> None:
        super().__init__(message)
        self.status, self.began = status, began
        self._error = {"type": kind, "message": message} | {k: v for k, v in more.items() if v is not None}

    def body(self) -> dict[str, Any]:
        """`{"error": {"type", "code", "message", "param", …}}`."""
        return {"error": self._error}


def wrong(message: str, param: str, code: str | None = None) -> ApiError:
    """A parameter that cannot be: 400, before anything began."""
    return ApiError(400, message, began=False, param=param, code=code)


def missing(kind: str, object_id: str, param: str, status: int = 400) -> ApiError:
    """An object that is not there: 404 where it is the one asked for, 400 where a parameter names it."""
    return ApiError(status, f"No such {kind}: '{object_id}'", code="resource_missing", param=param)
