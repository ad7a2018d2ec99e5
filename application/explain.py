"""Explain a debit: its stored proof, and everything about it computed again from the record alone.

Each check names one thing that the record says twice; `matches` is that none of them fails. A check that needs what was
erased is left undecided. An amount, a rate, a lot, a number or a balance that was changed in the store shows here.
"""

from collections.abc import Iterator
from decimal import Decimal
from typing import Final, NamedTuple

from application.accounts import opened_accounts
from application.ports import Store, StoredUsage
from application.privacy import Personal, Vault, content_of, decode_personal, usage_key
from domain.debit import is_free, round_price
from domain.errors import NotFound, Refused
from domain.events import AccountOpened, FundsAdded, Proof, UnknownEvent, UsageDebited, account_stream, decode_state
from domain.money import ROUNDINGS, ZERO, quantum
from domain.months import utc_month
from domain.numbers import parse_number
from domain.rating import recompute
from domain.usage import Usage, charged_direction

NEIGHBOURS: Final = 100  # events read at once on the way back to the last one that carries a balance


class Check(NamedTuple):
    """One thing computed again. `passed`: None where it cannot be decided any more; `detail` says what is wrong."""

    name: str
    passed: bool | None
    detail: str = ""


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
        account_id, stored = self._find(usage_id, account_id)
        account = self._opened(account_id)
        try:
            event = decode_state(UsageDebited.__name__, stored.state)
        except UnknownEvent as error:
            return Explanation(account, stored.position, None, None, [Check("record", False, str(error))], None)
        assert isinstance(event, UsageDebited)
        key = usage_key(account_id, usage_id)
        plain = self._vault.unseal(account_id, utc_month(event.started_at), key, event.sealed)
        personal = None if plain is None else decode_personal(plain)
        recomputed = recomputed_amount(event.proof, account.scale)
        checks = [Check("record", True), *_checks_of_record(event, recomputed)]
        checks.append(self._check_balance(event, stored))
        usage = None if personal is None else _usage(account_id, event, personal)
        checks += [_check_number(event, usage), self._check_commitment(account, event, key, usage)]
        return Explanation(account, stored.position, event, recomputed, checks, personal)

    def _find(self, usage_id: str, account_id: str) -> tuple[str, StoredUsage]:
        if account_id:
            self._opened(account_id)
            found = self._look_up(usage_id, [account_id])
        else:
            pages = (self._look_up(usage_id, page) for page in opened_accounts(self._store))
            found = {account: stored for page in pages for account, stored in page.items()}
        if not found:
            who = f"account {account_id} has no" if account_id else "no account has a"
            raise NotFound("unknown_usage", f"{who} debit of usage {usage_id}", "usage_id")
        if len(found) > 1:
            text = f"accounts {', '.join(sorted(found))} each have a usage {usage_id}: say --account"
            raise Refused("ambiguous_usage_id", text, "account")
        return next(iter(found.items()))

    def _opened(self, account_id: str) -> AccountOpened:
        for recorded in self._store.select_events(account_stream(account_id), lte=1):
            if isinstance(recorded.event, AccountOpened):
                return recorded.event
        raise NotFound("unknown_account", f"there is no account {account_id}", "account")

    def _look_up(self, usage_id: str, account_ids: list[str]) -> dict[str, StoredUsage]:
        keys = {usage_key(account_id, usage_id): account_id for account_id in account_ids}
        return {keys[key]: stored for key, stored in self._store.find_usages(list(keys)).items()}

    def _check_balance(self, event: UsageDebited, stored: StoredUsage) -> Check:
        before = self._balance_before(stored)
        expected = before - event.amount
        detail = f"{before:f} before it less {event.amount:f} is {expected:f}, recorded is {event.balance:f}"
        return _check("balance", event.balance == expected, detail)

    def _balance_before(self, stored: StoredUsage) -> Decimal:
        for upto in range(stored.originator_version - 1, 0, -NEIGHBOURS):
            events = self._store.select_events(stored.originator_id, gt=max(0, upto - NEIGHBOURS), lte=upto)
            for recorded in reversed(events):
                if isinstance(recorded.event, UsageDebited | FundsAdded):
                    return recorded.event.balance
        return ZERO

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
    amount, proof = event.amount, event.proof
    detail = "the proof gives no amount" if recomputed is None else f"the proof gives {recomputed:f}, not {amount:f}"
    yield _check("charge", recomputed == amount, detail)
    if proof is None:
        return
    wrong = "" if proof.price is not None else _wrong_seconds(proof, event.duration_seconds)
    yield _check("billed_seconds", not wrong, wrong)
    yield _check("connection_fee", not (proof.pools and proof.connection_fee), "a pool paid, yet a fee was charged")
    paid = sum((draw.amount for draw in proof.lots), proof.debt)
    positive = proof.debt >= 0 and all(draw.amount > 0 for draw in proof.lots)
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
