"""May this call be made, and for how long? Pure; decided from the account as it is, for a call that starts at its time.

What a debit will do (debit.py) is asked before the call: a second is covered when the pools, the lots that pay at the
call's start, and hard budgets pay a call up to it. The answer is for one call: several at once may spend the same
credit. It is computed from the slots, not by trying seconds.
"""

from decimal import ROUND_FLOOR, Decimal
from typing import Final

import msgspec

from domain.account import CreditAccount
from domain.budgets import budgets_of
from domain.debit import is_free, pools_for
from domain.errors import Invalid
from domain.numbers import Number, country_of, is_emergency_number, parse_number
from domain.pools import pay
from domain.rates import Terms
from domain.tariff import Deck, Match
from domain.usage import (
    CALL_TYPES,
    MAX_DURATION_SECONDS,
    Refusal,
    Usage,
    charged_direction,
    is_conference,
    is_emergency,
    is_outgoing,
    rated_number,
)

OK: Final = "ok"
EMERGENCY: Final = "emergency"
NOT_LICENSED: Final = "not_licensed"
BALANCE_NOT_POSITIVE: Final = "balance_not_positive"
BALANCE_TOO_LOW: Final = "balance_too_low"
BUDGET_EXHAUSTED: Final = "budget_exhausted"
ACCOUNT_CLOSED: Final = (
    "account_closed"  # beside these, as a debit is refused: no_rate, ambiguous_rate, currency_mismatch
)
POOL, CREDIT, POSTPAID, FREE = "pool", "credit", "postpaid", "free"


class Decision(msgspec.Struct, frozen=True, gc=False):
    """`max_seconds`: the longest call that is covered, at most 31 days; None where nothing limits it."""

    allowed: bool
    reason: str
    max_seconds: int | None
    paid_from: tuple[str, ...]  # in this order: pool, credit, postpaid; or free
    rate: Decimal | None  # per minute in the first slot that credit pays; None where it pays none
    spendable: Decimal  # at the call's start


def authorize(account: CreditAccount, call: Usage, user: str, deck: Deck | str) -> Decision:
    """`call` has a start and no duration; `user` is the caller's or organizer's pseudonym, empty where not known.

    `deck`: the account's, or why it has none. Raises Invalid for a call type or a number that cannot be.
    """
    if call.call_type not in CALL_TYPES:
        raise Invalid("unknown_call_type", f"{call.call_type!r} is no call type", "call_type")
    spendable = account.spendable(call.started_at)
    if is_emergency(call.call_type) or _calls_for_help(account, call):
        return Decision(True, EMERGENCY, None, (FREE,), None, spendable)
    if account.closed:
        return _refused(ACCOUNT_CLOSED, spendable)
    direction = charged_direction(call)
    if direction is None or is_free(call):
        return Decision(True, OK, None, (FREE,), None, spendable)
    if direction == "out" and not call.user_id:
        return _refused(NOT_LICENSED, spendable)
    if account.settings.pricing == "as-priced":
        return _as_priced(account, call, user, spendable)
    number = rated_number(call)
    if isinstance(number, Refusal):
        raise Invalid(number.reason, number.message, "callee")
    match = deck if isinstance(deck, str) else deck.find(number, call.caller, direction, call.started_at)
    if isinstance(match, str):
        return _refused(match, spendable)
    return _rated(account, call, user, number, direction, match, spendable)


def _calls_for_help(account: CreditAccount, call: Usage) -> bool:
    """Whoever asks before a call may not know its type yet: the number says it, where the caller or the account is."""
    if not is_outgoing(call.call_type):
        return False
    caller = parse_number(call.caller)
    countries = (account.settings.country, country_of(caller.digits) if caller else None)
    return is_emergency_number(call.callee, (country for country in countries if country))


def _refused(reason: str, spendable: Decimal, rate: Decimal | None = None) -> Decision:
    return Decision(False, reason, 0, (), rate, spendable)


def _as_priced(account: CreditAccount, call: Usage, user: str, spendable: Decimal) -> Decision:
    """Nobody knows what it will cost: while credit is there, nothing limits it."""
    reason = _blocked(account, call, user, spendable)
    if reason:
        return _refused(reason, spendable)
    later = (POSTPAID,) if account.is_postpaid else ()
    return Decision(True, OK, None, ((CREDIT,) if spendable > 0 else ()) + later, None, spendable)


def _rated(
    account: CreditAccount, call: Usage, user: str, number: Number, direction: str, match: Match, spendable: Decimal
) -> Decision:
    pooled = 0  # seconds that the pools pay
    if direction == "out" and (account.pools.licences or account.pools.purchased):
        _, pooled = pay(account.pools, pools_for(account, call, user, number), MAX_DURATION_SECONDS)
    first = (POOL,) if pooled else ()
    terms = match.rate
    if pooled == MAX_DURATION_SECONDS:
        return Decision(True, OK, pooled, first, None, spendable)
    at_no_cost = _reach(terms, pooled, 0)
    if at_no_cost == MAX_DURATION_SECONDS:
        return Decision(True, OK, None, (*first, FREE), None, spendable)
    rate = next(s.rate_per_minute for s in reversed(terms.slots) if s.from_second <= pooled)
    blocked = _blocked(account, call, user, spendable)
    if blocked:
        if not at_no_cost:
            return _refused(blocked, spendable, rate)
        paid = first if at_no_cost == pooled else (*first, FREE)
        return Decision(True, OK, at_no_cost, paid, None, spendable)

    def reach(most: Decimal) -> int:
        decimals = min(match.version.decimals, account.scale)
        return _reach(terms, pooled, _most_units(terms, most, decimals, match.version.rounding))

    budget = _budget_left(account, call, user)
    limits = [limit for limit in (None if account.is_postpaid else spendable, budget) if limit is not None]
    seconds = reach(min(limits)) if limits else None
    if seconds == 0:
        return _refused(BUDGET_EXHAUSTED if budget == min(limits) else BALANCE_TOO_LOW, spendable, rate)
    paid = first
    if seconds is None or seconds > pooled:
        by_credit = reach(spendable) if spendable > 0 else 0
        credit = (CREDIT,) if by_credit > pooled or not account.is_postpaid else ()
        later = (POSTPAID,) if account.is_postpaid and (seconds is None or by_credit < seconds) else ()
        paid += credit + later
    return Decision(True, OK, seconds, paid, rate if paid != first else None, spendable)


def _blocked(account: CreditAccount, call: Usage, user: str, spendable: Decimal) -> str:
    """Why credit pays nothing of the call, however little it costs; empty where it may."""
    needs_licence = is_outgoing(call.call_type) or (is_conference(call.call_type) and call.user_id)
    if needs_licence and not account.pools.licensed(user, call.started_at):
        return NOT_LICENSED
    if spendable <= 0 and not account.is_postpaid:
        return BALANCE_NOT_POSITIVE
    left = _budget_left(account, call, user)
    return BUDGET_EXHAUSTED if left is not None and left <= 0 else ""


def _budget_left(account: CreditAccount, call: Usage, user: str) -> Decimal | None:
    """The least that a hard budget leaves in the month of the call's start; None where there is none."""
    if not account.budgets:
        return None
    month = account.months.of(call.started_at)
    left = [each.remaining(month) for each in budgets_of(account.budgets, user) if each.hard]
    return min(left, default=None)


def _most_units(terms: Terms, most: Decimal, decimals: int, rounding: str) -> int:
    """The greatest exact total, as `rating.price` sums it (60ths of 10^-exponent), that rounds to no more than that."""
    whole = int(most.scaleb(decimals).to_integral_value(ROUND_FLOOR))
    unit: int = 60 * 10**terms.exponent
    power: int = 10**decimals
    if rounding == "up":
        return whole * unit // power
    if rounding == "down":
        return ((whole + 1) * unit - 1) // power
    half = (2 * whole + 1) * unit
    return (half if rounding == "half-even" and whole % 2 == 0 else half - 1) // (2 * power)


def _reach(terms: Terms, pooled: int, most: int) -> int:
    """The longest call whose exact total is at most `most` when pools pay its first seconds; 0: not even one second."""
    left = most if pooled else most - terms.fee_units * 60
    if left < 0:
        return 0
    begun = pooled
    for end, units, increment, _ in terms.minutes:
        until = min(end, MAX_DURATION_SECONDS)
        if until <= begun:
            continue
        billed = -(-(until - begun) // increment) * increment
        if units * billed > left:
            return min(begun + left // (units * increment) * increment, MAX_DURATION_SECONDS)
        left -= units * billed
        begun += billed
    return min(begun, MAX_DURATION_SECONDS)
