"""Building blocks of behaviour tests: given events, when a usage or a command comes, then events and state.

Times are written as text, amounts as text; what a test does not name has a plain default.
"""

from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any

from domain import commands
from domain.account import CreditAccount
from domain.commands import By, Funds
from domain.debit import Debit, decide_free, decide_priced, decide_rated, is_free
from domain.events import Event, Limits, Settings, UsageDebited
from domain.instants import parse_instant
from domain.months import SECOND
from domain.numbers import parse_number
from domain.rates import DeckVersion, Rate, Slot, Terms
from domain.tariff import Deck, Match
from domain.usage import Refusal, Usage, charged_direction, rated_number

OPENED = "2026-01-01T00:00:00Z"
NOW = "2026-11-22T10:00:00Z"

US_DOMESTIC = Limits("domestic", True, 3000, 0, 0)
US_120 = Limits("domestic", True, 120, 0, 0)
US_120_OWN = Limits("domestic", False, 120, 0, 0)
US_BOTH = Limits("domestic_or_international", True, 3000, 600, 0)
DIALOUT = Limits("dialout", True, 0, 0, 60)
CREDITS = Limits("none", True, 0, 0, 0)


def at(text: str) -> int:
    """Microseconds of an RFC 3339 time."""
    return parse_instant(text)


def by(now: str = NOW) -> By:
    """An operator at work."""
    return By(at(now), "ana", "cli")


def opened(currency: str = "EUR", scale: int = 4, when: str = OPENED, **settings: Any) -> CreditAccount:
    """An account that was opened, and nothing else."""
    account = CreditAccount()
    do(account, commands.open_account(account, by(when), "contoso", currency, scale, Settings(**settings), None))
    return account


def do(account: CreditAccount, events: Iterable[Event]) -> list[Event]:
    """Apply a decision, with the triggers it makes due."""
    return commands.with_trigger(account, events)


def fund(account: CreditAccount, amount: str, when: str = OPENED, now: str = NOW, **more: Any) -> list[Event]:
    """Add funds."""
    funds = Funds(Decimal(amount).quantize(Decimal((0, (1,), -account.scale))), at=at(when), **more)
    return do(account, commands.add_funds(account, by(now), funds))


def license_user(
    account: CreditAccount, user: str, plan: str, limits: Limits, country: str = "US", **dates: str
) -> list[Event]:
    """Assign a plan; `starts` and `ends` are times."""
    starts, ends = (at(dates[name]) if name in dates else None for name in ("starts", "ends"))
    return do(account, commands.assign_licence(account, by(), user, plan, country, starts, ends, limits))


def usage(
    callee: str = "+442071234567", seconds: int = 60, call_type: str = "user_out", start: str = NOW, **more: Any
) -> Usage:
    """A call."""
    more.setdefault("usage_id", "u-1")
    return Usage(
        account_id="contoso", call_type=call_type, started_at=at(start), duration_seconds=seconds, callee=callee, **more
    )


def deck(*rates: Rate, decimals: int = 4, rounding: str = "half-up") -> Deck:
    """One version of a deck named default; without rates everything costs 0.12 a minute, begun minutes count."""
    version = DeckVersion("default", 1, "EUR", decimals, rounding, None, "", len(rates))
    return Deck([version], lambda _: rates or (rate("", "0.12"),))


def rate(prefix: str, per_minute: str, increment: int = 60, fee: str = "0", direction: str = "out") -> Rate:
    """A rate of one slot."""
    terms = Terms(Decimal(fee), (Slot(0, Decimal(per_minute), increment),))
    return Rate(prefix, None, direction, "", None, None, terms)


def decide(account: CreditAccount, call: Usage, user: str = "ana", rates: Deck | None = None) -> Debit:
    """What the write path decides, without its keys and batches."""
    if account.settings.pricing == "as-priced":
        return decide_free(account, call) if is_free(call) else decide_priced(account, call, user)
    direction = charged_direction(call)
    if direction is None:
        return decide_free(account, call)
    number = rated_number(call)
    assert not isinstance(number, Refusal), number
    match = (rates or deck()).find(number, parse_number(call.caller), direction, call.started_at)
    assert isinstance(match, Match), match
    return decide_rated(account, call, user, number, direction, match)


def debit(
    account: CreditAccount, call: Usage, user: str = "ana", rates: Deck | None = None, now: str = NOW
) -> UsageDebited:
    """Decide and apply; answers the debit (a trigger that it makes due is applied too)."""
    amount, balance, flags, proof = decide(account, call, user, rates)
    event = UsageDebited(
        UsageDebited.VERSION,
        call.started_at + call.duration_seconds * SECOND, max(at(now), account.recorded_at), "", "kafka", "",
        call.usage_id, call.call_type, call.started_at, call.duration_seconds, amount, balance, user, flags, proof,
        ("kafka", "call-usage", 0, account.version), b"c" * 32, b"s",
    )  # fmt: skip
    do(account, [event])
    return event


def pool_draws(event: UsageDebited) -> list[tuple[str, str, int]]:
    """(plan, kind, minutes) of a debit."""
    return [(draw.plan, draw.kind, draw.minutes) for draw in event.proof.pools] if event.proof else []


def lot_draws(event: UsageDebited) -> list[tuple[str, str]]:
    """(lot, amount) of a debit."""
    return [(draw.lot, f"{draw.amount:f}") for draw in event.proof.lots] if event.proof else []


def names(events: Sequence[Event]) -> list[str]:
    """The kinds of events."""
    return [type(event).__name__ for event in events]
