"""Waiting for a condition, the only place where a test may sleep."""

from __future__ import annotations

import time
from collections.abc import Callable


def wait_until(condition: Callable[[], object], timeout_seconds: float = 30, what: str = "") -> None:
    """Returns once `condition()` is true; AssertionError naming `what` when that takes longer than the time-out."""
    end = time.monotonic() + timeout_seconds
    while not condition():
        assert time.monotonic() < end, f"not within {timeout_seconds} s: {what or condition}"
        time.sleep(0.01)
