"""What an account's history says of its future: the forecast, and what other recharge settings would have done."""

from collections.abc import Callable, Iterator
from datetime import date
from decimal import Decimal
from typing import NamedTuple

from application.accounts import Accounts
from application.ports import Store
from domain.account import CreditAccount
from domain.budgets import cost_of
from domain.errors import Invalid
from domain.events import Event, FundsAdded, UsageDebited, account_stream
from domain.forecast import MOST_DAYS, Forecast, day_of, forecast
from domain.money import ZERO
from domain.months import DAY
from domain.named import is_entry, signed_amount
from domain.payment_events import UsageReversed
from domain.recharge import Policy
from domain.recharge_simulation import Change, Simulation, simulate
from domain.recharging import check_amount

PAGE = 2_000  # events
LATE_DAYS = 7  # by which usage may come late and still counts


class Forecasting:
    """Over one store. `clock`: microseconds since the epoch."""

    def __init__(self, store: Store, accounts: Accounts, policy: Policy, clock: Callable[[], int]) -> None:
        self._store, self._accounts, self._policy, self._clock = store, accounts, policy, clock

    def forecast(self, account_id: str) -> "Foreseen":
        """Raises NotFound `unknown_account`."""
        position = self._store.max_position()
        account = self._accounts.get(account_id)
        now = self._clock()
        spent, first = self._spent(account, now - (MOST_DAYS + LATE_DAYS) * DAY)
        found = forecast(account, spent, first or day_of(account, now), now, self._policy.minimum)
        return Foreseen(account, found, position, now)

    def _spent(self, account: CreditAccount, since: int) -> tuple[dict[date, Decimal], date | None]:
        """By day, and the first of them: the newest events first, as far back as they are needed."""
        spent: dict[date, Decimal] = {}
        first: date | None = None
        upto = account.version
        while upto > 0:
            page = self._store.select_events(account_stream(account.account_id), max(0, upto - PAGE), upto)
            for recorded in page:
                found = _spending(recorded.event)
                if found is not None:
                    day = day_of(account, found[0])
                    spent[day] = spent.get(day, ZERO) + found[1]
                    first = day if first is None or day < first else first
            upto -= PAGE
            if page and page[0].event.recorded_at < since:
                break
        return spent, first

    def simulate_recharge(
        self, account_id: str, amount: Decimal, below: Decimal, begin: int | None, end: int | None
    ) -> "SimulatedRecharge":
        """Raises NotFound `unknown_account`; Invalid `invalid_amount`, `invalid_below`, `invalid_to`; Refused
        `below_minimum`.
        """
        account = self._accounts.get(account_id)
        check_amount(amount, self._policy.minimum)
        if below < 0:
            raise Invalid("invalid_below", "the trigger is 0 or more", "below")
        begin = account.opened_at if begin is None else begin
        end = self._clock() if end is None else end
        if end <= begin:
            raise Invalid("invalid_to", "the time ends after it begins", "to")
        start = ZERO.scaleb(-account.scale)
        changes = []
        for event in self._events(account):
            if is_entry(event) and event.occurred_at < end:
                if event.occurred_at < begin:
                    start += signed_amount(event)
                elif not (isinstance(event, FundsAdded) and event.recharge_id):
                    changed = -cost_of(event) if isinstance(event, UsageDebited) else signed_amount(event)
                    changes.append(Change(event.occurred_at, changed))
        changes.sort(key=lambda change: change.at)
        found = simulate(start, begin, changes, amount, below, self._policy.recharges_per_hour)
        return SimulatedRecharge(account, begin, end, start, found)

    def _events(self, account: CreditAccount) -> Iterator[Event]:
        for after in range(0, account.version, PAGE):
            stream = account_stream(account.account_id)
            page = self._store.select_events(stream, after, min(after + PAGE, account.version))
            yield from (recorded.event for recorded in page)


class Foreseen(NamedTuple):
    """A forecast, and up to where the log was taken into account."""

    account: CreditAccount
    forecast: Forecast
    position: int
    read_at: int


class SimulatedRecharge(NamedTuple):
    """What would have been, from `begin` to `end`."""

    account: CreditAccount
    begin: int
    end: int
    start_balance: Decimal
    simulation: Simulation


def _spending(event: Event) -> tuple[int, Decimal] | None:
    """When a call started, and what it cost; a correction takes that back. Free usage counts as history too."""
    if isinstance(event, UsageDebited):
        return event.started_at, cost_of(event)
    if isinstance(event, UsageReversed):
        return event.started_at, -(event.amount + event.postpaid)
    return None
