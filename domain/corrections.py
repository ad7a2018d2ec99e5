"""Corrections: a debit is taken back, whole. The usage's id stays used, so the same report stays a duplicate.

What credit paid reduces debt first; the rest goes back to those that paid, last first. Those that paid are the lots of
the debit's proof and, of its debt, the lots that came after it and covered that. What cannot go back there (a refund
took it, or an earlier correction had covered the debt) goes to any lot that has room, the one bought last first. What
belonged to an expired lot, and what no lot has room for, is one new lot of 30 days. So lots - debt = balance, and no
lot ever holds more than was bought and not refunded.
"""

from collections.abc import Iterator
from decimal import Decimal
from typing import Final

from domain.account import CreditAccount
from domain.by import By, header
from domain.errors import Refused
from domain.events import Event, Proof, UsageDebited
from domain.lots import Lot
from domain.money import ZERO
from domain.months import DAY
from domain.payment_events import LotPart, UsageReversed

NEW_LOT_DAYS: Final = 30


def reverse(account: CreditAccount, by: By, debit: UsageDebited, version: int, key: str = "") -> list[Event]:
    """`version`: the debit's in the account's stream. The same key again writes nothing.

    Raises Refused `already_reversed`, or `key_conflict` where the key reversed another usage.
    """
    earlier = account.reversals.get(version)
    if earlier is not None:
        if key and earlier.key == key:
            return []
        raise Refused("already_reversed", f"usage {debit.usage_id} was reversed already, whole", "usage_id")
    if key and any(other.key == key for other in account.reversals.values()):
        raise Refused("key_conflict", f"key {key} has reversed another usage: each usage has a key of its own", "key")
    head = header(account, by, debit.occurred_at)
    recorded_at = head[2]
    proof, amount = debit.proof, debit.amount
    reduced = min(account.debt, amount)
    parts = _parts(account, proof, version, amount - reduced, recorded_at) if proof is not None else ()
    postpaid = (proof.postpaid if proof is not None else None) or ZERO.scaleb(-account.scale)
    return [
        UsageReversed(
            *head,
            debit.usage_id,
            version,
            debit.started_at,
            debit.user,
            amount,
            reduced,
            parts,
            proof.pools if proof is not None else (),
            postpaid,
            key,
            account.balance + amount,
        )
    ]


def _parts(account: CreditAccount, proof: Proof, version: int, rest: Decimal, recorded_at: int) -> tuple[LotPart, ...]:
    """Where the rest goes, once debt is reduced."""
    parts: dict[str, Decimal] = {}
    homeless = ZERO.scaleb(-account.scale)
    payers = list(_payers(account, proof, version))
    for lot, paid in reversed(payers):
        part = min(paid, rest)
        if not part:
            continue
        rest -= part
        if lot.expires_at < recorded_at:
            homeless += part
        else:
            parts[lot.id] = parts.get(lot.id, ZERO) + part
    for lot in sorted(account.lots.values(), key=lambda each: each.order, reverse=True) if rest else ():
        part = min(lot.room - parts.get(lot.id, ZERO), rest)
        if part > 0 and lot.expires_at >= recorded_at:
            rest -= part
            parts[lot.id] = parts.get(lot.id, ZERO) + part
    found = [LotPart(lot, amount, False, account.lots[lot].expires_at) for lot, amount in parts.items()]
    if homeless + rest:
        until = recorded_at + NEW_LOT_DAYS * DAY
        found.append(LotPart(f"lot-{account.version + 1}", homeless + rest, True, until))
    return tuple(found)


def _payers(account: CreditAccount, proof: Proof, version: int) -> Iterator[tuple[Lot, Decimal]]:
    """Which lots paid how much of a debit, in the order in which they did: its draws, then who covered its debt."""
    uncovered = proof.debt
    for draw in proof.lots:
        lot = account.lots[draw.lot]
        paid = min(draw.amount, max(lot.room, ZERO))
        uncovered += draw.amount - paid
        if paid:
            yield lot, paid
    for lot in account.lots.values():  # in the order in which they came
        if not uncovered:
            return
        if lot.version > version and (covered := min(lot.room, uncovered)) > 0:
            uncovered -= covered
            yield lot, covered
