"""Explain a debit: its stored proof, and everything about it computed again from the record alone.

Each check names one thing that the record says twice; `matches` is that none of them fails. A check that needs what was
erased is left undecided. An amount, a rate, a lot, a number or a balance that was changed in the store shows here.
"""

from collections.abc import Iterator
from decimal import Decimal
from typing import Final, NamedTuple
from uuid import UUID

from application.ports import Store, StoredUsage
from application.privacy import Personal, Vault, content_of, decode_personal, usage_key
from application.usages import find_usage, opening
from domain.budgets import cost_of
from domain.debit import is_free, round_price
from domain.events import AccountOpened, Proof, UnknownEvent, UsageDebited, decode_state
from domain.money import ROUNDINGS, ZERO, quantum
from domain.months import utc_month
from domain.named import is_entry
from domain.numbers import parse_number
from domain.payment_events import UsageReversed
from domain.rating import recompute
from domain.usage import Usage, charged_direction

NEIGHBOURS: Final = 100  # events read at once on the way back to the last one that carries a balance
REVERSALS_PAGE: Final = 1_000


class Check(NamedTuple):
    """One thing computed again. `passed`: None where it cannot be decided any more; `detail` says what is wrong."""

    name: str
    passed: bool | None
    detail: str = ""


class Reversal(NamedTuple):
    """The correction that took a debit back, and its place."""

    position: int
    stream: UUID
    version: int
    event: UsageReversed


class Explanation(NamedTuple):
    """A debit with what it is computed to again. `personal` is None where it was erased.

    `event` is None where the stored row is no debit any more.
    """

    account: AccountOpened
    position: int
    event: UsageDebited | None
    recomputed: Decimal | None  # None: what is recorded gives no amount at all
    checks: list[Check]
    personal: Personal | None
    reversal: Reversal | None  # None: it stands

    @property
    def matches(self) -> bool:
        """Nothing that is recorded contradicts the rest of it."""
        return all(check.passed is not False for check in self.checks)


class Explainer:
    """The use case over one store. Of the account only its opening is read: the rest may be what is wrong."""

    def __init__(self, store: Store, vault: Vault) -> None:
        self._store, self._vault = store, vault

    def explain(self, usage_id: str, account_id: str = "") -> Explanation:
        """Raises NotFound `unknown_account`, `unknown_usage`; without an account Refused `ambiguous_usage_id`."""
        account_id, stored = find_usage(self._store, usage_id, account_id)
        account = opening(self._store, account_id)
        try:
            event = decode_state(UsageDebited.__name__, stored.state)
        except UnknownEvent as error:
            return Explanation(account, stored.position, None, None, [Check("record", False, str(error))], None, None)
        assert isinstance(event, UsageDebited)
        key = usage_key(account_id, usage_id)
        plain = self._vault.unseal(account_id, utc_month(event.started_at), key, event.sealed)
        personal = None if plain is None else decode_personal(plain)
        recomputed = recomputed_amount(event.proof, account.scale)
        checks = [Check("record", True), *_checks_of_record(event, recomputed)]
        checks.append(
            self._check_balance(-event.amount, event.balance, stored.originator_id, stored.originator_version)
        )
        usage = None if personal is None else _usage(account_id, event, personal)
        checks += [_check_number(event, usage), self._check_commitment(account, event, key, usage)]
        reversal = self._reversal(stored)
        if reversal is not None:
            checks.append(self._check_reversal(event, reversal))
        return Explanation(account, stored.position, event, recomputed, checks, personal, reversal)

    def _check_balance(self, change: Decimal, after: Decimal, stream: UUID, version: int) -> Check:
        before = self._balance_before(stream, version)
        expected = before + change
        detail = f"{before:f} before it and {change:f} are {expected:f}, recorded is {after:f}"
        return _check("balance", after == expected, detail)

    def _balance_before(self, stream: UUID, version: int) -> Decimal:
        for upto in range(version - 1, 0, -NEIGHBOURS):
            events = self._store.select_events(stream, gt=max(0, upto - NEIGHBOURS), lte=upto)
            for recorded in reversed(events):
                if is_entry(recorded.event):
                    return recorded.event.balance
        return ZERO

    def _reversal(self, stored: StoredUsage) -> Reversal | None:
        """The correction of a debit. There are few: the log's index of kinds leads to them."""
        after, topic = stored.position, UsageReversed.__name__
        while rows := self._store.select_log(after, REVERSALS_PAGE, topics=[topic]):
            for position, stream, version, _, state in rows:
                if stream == stored.originator_id:
                    event = decode_state(topic, state)
                    assert isinstance(event, UsageReversed)
                    if event.debit_version == stored.originator_version:
                        return Reversal(position, stream, version, event)
            after = rows[-1][0]
        return None

    def _check_reversal(self, debit: UsageDebited, reversal: Reversal) -> Check:
        event = reversal.event
        pools, postpaid = (debit.proof.pools, debit.proof.postpaid or ZERO) if debit.proof else ((), ZERO)
        given = event.debt_reduced + sum((part.amount for part in event.lots), ZERO)
        balance = self._check_balance(event.amount, event.balance, reversal.stream, reversal.version)
        if (event.usage_id, event.amount, event.pools, event.postpaid) != (
            debit.usage_id, debit.amount, pools, postpaid,
        ):  # fmt: skip
            return _check("reversal", False, "what was taken back is not what was debited")
        if given != event.amount or event.debt_reduced < 0 or any(part.amount <= 0 for part in event.lots):
            return _check("reversal", False, f"debt and lots got {given:f} of the {event.amount:f} that came back")
        return _check("reversal", balance.passed is True, balance.detail)

    def _check_commitment(self, account: AccountOpened, event: UsageDebited, key: bytes, usage: Usage | None) -> Check:
        if usage is None:
            return Check("commitment", None, "the personal data was erased")
        priced = event.proof is not None and event.proof.price is not None
        content = content_of(usage, account.currency if priced else "")
        wanted = (usage.account_id, utc_month(event.started_at), key, content)
        [commitment] = self._vault.commitments([wanted])
        return _check("commitment", commitment == event.commitment, "the record is not the one that was committed to")


def recomputed_amount(proof: Proof | None, scale: int) -> Decimal | None:
    """The charge from the proof alone, at the account's scale; None where it gives none."""
    if proof is None:
        return ZERO.scaleb(-scale)
    try:
        if proof.rounding not in ROUNDINGS:
            return None
        if proof.price is not None:
            return round_price(proof.price, proof.connection_fee, proof.decimals)
        return recompute(proof.connection_fee, proof.slots, proof.decimals, proof.rounding).quantize(quantum(scale))
    except (ArithmeticError, ValueError):  # what stands there is no amount
        return None


def _checks_of_record(event: UsageDebited, recomputed: Decimal | None) -> Iterator[Check]:
    """What the event says twice by itself."""
    amount, proof, cost = event.amount, event.proof, cost_of(event)
    detail = "the proof gives no amount" if recomputed is None else f"the proof gives {recomputed:f}, not {cost:f}"
    yield _check("charge", recomputed == cost, detail)
    if proof is None:
        return
    wrong = "" if proof.price is not None else _wrong_seconds(proof, event.duration_seconds)
    yield _check("billed_seconds", not wrong, wrong)
    yield _check("connection_fee", not (proof.pools and proof.connection_fee), "a pool paid, yet a fee was charged")
    paid = sum((draw.amount for draw in proof.lots), proof.debt)
    later = proof.postpaid or ZERO
    positive = proof.debt >= 0 and later >= 0 and not (proof.debt and later) and all(d.amount > 0 for d in proof.lots)
    yield _check("payment", positive and paid == amount, f"lots and debt come to {paid:f}, not {amount:f}")


def _wrong_seconds(proof: Proof, duration_seconds: int) -> str:
    """What is wrong with the seconds billed: credit begins where the pools end, slot follows slot, each bills whole
    increments, and the last one no more than it must.
    """
    begun = min(60 * sum(draw.minutes for draw in proof.pools), duration_seconds)
    last = 0
    for slot in proof.slots:
        if slot.from_second != begun:
            return f"a slot begins at second {slot.from_second}, not at {begun}"
        if begun >= duration_seconds or slot.increment_seconds < 1 or slot.billed_seconds % slot.increment_seconds:
            return f"the slot from second {begun} bills {slot.billed_seconds} seconds by {slot.increment_seconds}"
        begun += slot.billed_seconds
        last = slot.increment_seconds
    if not duration_seconds <= begun < duration_seconds + max(last, 1):
        return f"{begun} seconds are paid for by pools and credit, the call had {duration_seconds}"
    return ""


def _usage(account_id: str, event: UsageDebited, personal: Personal) -> Usage:
    """The usage as it came, from the event and its personal data."""
    return Usage(
        event.usage_id,
        account_id,
        event.call_type,
        event.started_at,
        event.duration_seconds,
        personal.caller,
        personal.callee,
        personal.user_id,
        personal.user_name,
        personal.number_type,
        personal.capability,
        personal.conference_id,
        personal.call_id,
        personal.charge,
        personal.connection_fee,
        personal.currency,
        personal.format,
    )


def _check_number(event: UsageDebited, usage: Usage | None) -> Check:
    """Whether the prefixes are those of the numbers, and what cost nothing may cost nothing."""
    proof = event.proof
    if usage is None:
        return Check("number", None, "the personal data was erased")
    direction = charged_direction(usage)
    if proof is None:
        return _check("number", is_free(usage) or direction is None, "such a usage is charged, yet nothing was")
    if proof.price is not None:
        return _check("number", not is_free(usage), "such a usage costs nothing, yet its price was taken")
    callee, caller = parse_number(usage.callee), parse_number(usage.caller)
    fits = (
        direction == proof.direction
        and callee is not None
        and callee.digits.startswith(proof.prefix or "")
        and (caller.digits if caller else "").startswith(proof.origin_prefix or "")
    )
    return _check("number", fits, f"prefix {proof.prefix} ({proof.direction}) is not that of the numbers")


def _check(name: str, passed: bool, detail: str) -> Check:
    return Check(name, passed, "" if passed else detail)
