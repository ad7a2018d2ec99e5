"""What goes wrong on purpose: the next answers to some requests are late, errors, or never come."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Final

from commcredits.sandbox.stripe.errors import ApiError

KINDS: Final = {
    "rate_limit": "429 rate_limit; nothing is done, the key keeps nothing",
    "lock_timeout": "429 lock_timeout; nothing is done, the key keeps nothing",
    "error_before": "500 before the work; the key keeps it",
    "error_after": "500 after the work; the key keeps it",
    "cut_before": "the connection ends before the work",
    "cut_after": "the connection ends after the work; the key keeps the answer",
    "delay": "the work begins late",
    "late": "the work is done at once, its answer comes late",
}


@dataclass
class Fault:
    """A kind of fault, for the next `count` requests (after the first `skip`) whose path matches, such as
    `/v1/payment_intents/*/confirm`."""

    kind: str
    count: int
    path: str
    method: str
    seconds: float
    skip: int


NO_FAULT: Final = Fault("", 0, "", "", 0, 0)


class Faults:
    """Those that are still to come, and the latency of every answer."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._coming: list[Fault] = []
        self._every, self._seen = 0, 0
        self.latency_seconds = 0.0

    def add(self, fault: Fault) -> None:
        """Raises ValueError for a kind that is not known."""
        if fault.kind not in KINDS:
            raise ValueError(f"a fault is one of {', '.join(KINDS)}, not {fault.kind!r}")
        with self._lock:
            self._coming.append(fault)

    def left(self) -> int:
        """How many kinds are still to come."""
        with self._lock:
            return len(self._coming)

    def clear(self) -> None:
        """None any more."""
        with self._lock:
            self._coming.clear()
            self._every, self.latency_seconds = 0, 0.0

    def rate_limit_every(self, count: int) -> None:
        """Every so many-th POST is answered 429; 0: none."""
        with self._lock:
            self._every, self._seen = count, 0

    def take(self, method: str, path: str) -> Fault:
        """What becomes of this request."""
        with self._lock:
            for fault in self._coming:
                if fault.method not in ("*", method) or not fnmatchcase(path, fault.path):
                    continue
                if fault.skip:
                    fault.skip -= 1
                    continue
                fault.count -= 1
                if not fault.count:
                    self._coming.remove(fault)
                return fault
            if self._every and method == "POST":
                self._seen += 1
                if self._seen % self._every == 0:
                    return Fault("rate_limit", 1, "", "", 0, 0)
        return NO_FAULT


def refusal(kind: str) -> ApiError | None:
    """The error of a fault that begins nothing."""
    if kind == "rate_limit":
        text = "Request rate limit exceeded. Learn more about rate limits here https://stripe.com/docs/rate-limits."
        return ApiError(429, text, began=False, code="rate_limit")
    if kind == "lock_timeout":
        text = (
            "This object cannot be accessed right now because another API request or Stripe process is currently"
            " accessing it. If you see this error intermittently, retry the request."
        )
        return ApiError(429, text, began=False, code="lock_timeout")
    return None
