"""Usage messages as a telephony system writes them."""

from __future__ import annotations

import json
from typing import Any

PLAIN: dict[str, Any] = {
    "usage_id": "u-1",
    "account_id": "contoso",
    "user_id": "ana@contoso.com",
    "call_type": "user_out",
    "caller": "+38612345678",
    "callee": "+447071234567",
    "started_at": "2026-11-22T10:00:00Z",
    "duration_seconds": 125,
    "currency": "EUR",
}


def call(usage_id: str = "u-1", **fields: Any) -> str:
    """One line of NDJSON; a field that is None is left out."""
    message = {**PLAIN, "usage_id": usage_id, **fields}
    return json.dumps({name: value for name, value in message.items() if value is not None}) + "\n"


def calls(count: int, **fields: Any) -> str:
    """That many, u-1 and on."""
    return "".join(call(f"u-{number}", **fields) for number in range(1, count + 1))
