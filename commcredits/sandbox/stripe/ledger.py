"""The provider's ledger: every charge that took money, and what became of it."""

from __future__ import annotations

from typing import Any

from commcredits.sandbox.stripe.state import State


def ledger(state: State) -> list[dict[str, Any]]:
    """`{"charge", "payment", "customer", "amount", "currency", "metadata", "refunded", "dispute", "created"}`, the
    oldest first, amounts in minor units; `dispute`: its status or null.
    """
    disputes = {each["charge"]: each["status"] for each in state.objects["dispute"].values()}
    return [
        {
            "charge": charge["id"],
            "payment": charge["payment_intent"],
            "customer": charge["customer"],
            "amount": charge["amount"],
            "currency": charge["currency"],
            "metadata": charge["metadata"],
            "refunded": charge["amount_refunded"],
            "dispute": disputes.get(charge["id"]),
            "created": charge["created"],
        }
        for charge in state.objects["charge"].values()
        if charge["status"] == "succeeded"
    ]
