"""Deciding one-time top-ups. What follows of a purchase at the provider is in payments.py. Pure."""

from decimal import Decimal

from domain.account import CreditAccount
from domain.by import By, header, must_be_open
from domain.errors import Refused
from domain.events import Event
from domain.methods import paying_method
from domain.money import quantum
from domain.payment_events import PurchaseRequested
from domain.payment_state import Purchase
from domain.recharging import check_amount


def request_purchase(
    account: CreditAccount, by: By, amount: Decimal, method: str, key: str, minimum: Decimal
) -> list[Event]:
    """Whole units, at least `minimum`. The same key again writes nothing (see `purchase_by_key`).

    Raises Refused `key_conflict`, `below_minimum`, `no_payment_method`, `account_closed`; NotFound `unknown_method`;
    Invalid `invalid_amount`.
    """
    known = purchase_by_key(account, key)
    if known is not None:
        if known.amount != amount:
            raise Refused("key_conflict", f"key {key} has bought {known.amount:f} already", "key")
        return []
    must_be_open(account)
    check_amount(amount, minimum)
    amount, paying = amount.quantize(quantum(account.scale)), paying_method(account, method)
    purchase_id = f"pur-{account.account_id}-{account.version + 1}"
    return [PurchaseRequested(*header(account, by), purchase_id, key, amount, paying.id)]


def purchase_by_key(account: CreditAccount, key: str) -> Purchase | None:
    """The purchase that a key has made."""
    if not key:
        return None
    return next((purchase for purchase in account.purchases.values() if purchase.key == key), None)
