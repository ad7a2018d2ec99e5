"""Deciding one debit: included minutes first, then credit, and the proof of it. Pure; the account is not changed.

Order: what costs nothing -> the pools of the user's plans (conferences: the dial-out pool) -> the rate from the second
on that credit pays -> lots, first in first out -> debt, or on a post-paid account what is billed later. A usage that
happened is always debited, and flagged where a rule would have stopped it before the call.
"""

from collections.abc import Iterator
from decimal import Decimal
from itertools import chain
from typing import NamedTuple

from domain.account import CreditAccount
from domain.budgets import breaks_hard
from domain.errors import Refused
from domain.events import PoolDraw, Proof
from domain.lots import draw
from domain.money import ZERO, quantum
from domain.numbers import Number, country_of
from domain.pools import Pool, Pools, pay
from domain.rating import price
from domain.tariff import Match
from domain.usage import FREE_CALL, NEEDS_LICENCE, PAY_PER_MINUTE, Usage, is_conference, is_emergency


class Debit(NamedTuple):
    """What a usage takes: the fields of `UsageDebited` that are decided here."""

    amount: Decimal  # what credit pays: the charge, less what a post-paid account is billed later
    balance: Decimal
    flags: tuple[str, ...]
    proof: Proof | None


_new = tuple.__new__  # a named tuple's own takes twice as long, and each usage has one


def is_free(usage: Usage) -> bool:
    """Emergency calls and calls that could not be priced for a technical fault cost nothing, on every account."""
    return is_emergency(usage.call_type) or usage.capability.upper() == FREE_CALL


def decide_free(account: CreditAccount, usage: Usage) -> Debit:
    """A usage that costs nothing and needs no rate: emergency, FREECALL, inbound that is not charged."""
    return Debit(
        ZERO.scaleb(-account.scale), account.balance, _flags(account, usage, "", ZERO, ZERO, account.balance), None
    )


def decide_priced(account: CreditAccount, usage: Usage, user: str) -> Debit:
    """A usage of an as-priced account: charge + connection fee as given, rounded half-up to the account's scale.

    Raises Refused `not_priced` without a charge.
    """
    if usage.charge is None:
        raise Refused("not_priced", "the account is debited as priced, and this usage has no charge", "charge")
    fee = usage.connection_fee or ZERO
    amount = cost = round_price(usage.charge, fee, account.scale)
    lots, debt = draw(account.open_lots, cost, usage.started_at)
    postpaid = None
    if account.is_postpaid:
        amount, debt, postpaid = amount - debt, debt - debt, debt
    proof = Proof(
        None, None, None, None, None, fee, (), (), lots, debt, "half-up", account.scale, usage.charge, postpaid
    )  # fmt: skip
    balance = account.balance - amount
    return _new(Debit, (amount, balance, _flags(account, usage, user, cost, amount, balance), proof))


def round_price(charge: Decimal, fee: Decimal, scale: int) -> Decimal:
    """charge + fee, rounded half-up to the scale. Both are exact: at most 12 digits before the point and 12 after."""
    return (charge + fee).quantize(quantum(scale), "ROUND_HALF_UP")


def decide_rated(
    account: CreditAccount, usage: Usage, user: str, number: Number, direction: str, match: Match
) -> Debit:
    """A usage of a rated account that is charged, by the rate that matched its number."""
    duration = usage.duration_seconds
    pools: tuple[PoolDraw, ...] = ()
    from_second = 0
    if direction == "out" and duration and may_draw(account.pools, usage, user):
        pools, from_second = pay(account.pools, pools_for(account, usage, user, number), duration)
    version = match.version
    decimals = version.decimals if version.decimals < account.scale else account.scale
    with_fee = not pools and (duration > 0 or account.settings.zero_second_fee)
    charge = price(match.rate, decimals, version.rounding, duration, from_second, with_fee)
    amount = charge.amount
    if decimals != account.scale:
        amount = amount.quantize(quantum(account.scale))
    cost = amount
    lots, debt = draw(account.open_lots, cost, usage.started_at)
    postpaid = None
    if account.is_postpaid:
        amount, debt, postpaid = amount - debt, debt - debt, debt
    proof = Proof(
        version.deck,
        version.version,
        direction,
        match.prefix,
        match.origin_prefix,
        charge.connection_fee,
        charge.slots,
        pools,
        lots,
        debt,
        version.rounding,
        decimals,
        None,
        postpaid,
    )
    balance = account.balance - amount
    return _new(Debit, (amount, balance, _flags(account, usage, user, cost, amount, balance), proof))


def may_draw(pools: Pools, usage: Usage, user: str) -> bool:
    """Whether there can be a pool for a call at all: most users have no plan, and are not asked for its country."""
    return bool(pools.plans_of(user)) or (is_conference(usage.call_type) and bool(pools.purchased or pools.licences))


def pools_for(account: CreditAccount, usage: Usage, user: str, number: Number) -> Iterator[Pool]:
    """The pools that a call may draw on, in order."""
    pools, at = account.pools, usage.started_at
    if not is_conference(usage.call_type):
        return pools.for_call(user, country_of(number.digits), at)
    if usage.capability.upper() == PAY_PER_MINUTE:
        return iter(())
    country = country_of(number.digits)
    dialout = pools.for_dialout(country, at)
    if account.settings.after_dialout_pool == "plan":
        return chain(dialout, pools.for_call(user, country, at))
    return dialout


def _flags(
    account: CreditAccount, usage: Usage, user: str, cost: Decimal, amount: Decimal, balance: Decimal
) -> tuple[str, ...]:
    """`cost`: what credit pays now (`amount`) and what is billed later."""
    flags: tuple[str, ...] = ()
    if cost:
        if balance < 0 and amount:
            flags = ("below_zero",)
        if account.budgets and breaks_hard(account.budgets, user, account.months.of(usage.started_at), cost):
            flags += ("over_limit",)
        if usage.call_type in NEEDS_LICENCE and not account.pools.licensed(user, usage.started_at):
            flags += ("unlicensed",)
    if usage.started_at < account.opened_at:
        flags += ("before_opening",)
    if account.closed:
        flags += ("account_closed",)
    return flags
