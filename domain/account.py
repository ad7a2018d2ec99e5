"""The credit account: state, and how each event changes it (`apply`). Decisions are in debit.py and commands.py.

Invariants: balance = what lots hold - debt; no lot and no pool's remainder below 0; at most one recharge open.
"""

import uuid
from collections.abc import Callable
from decimal import Decimal
from typing import Any, Final

import msgspec

from domain.events import (
    AccountClosed,
    AccountOpened,
    AutoRechargeTriggered,
    Event,
    FundsAdded,
    LicenceAssigned,
    LicenceRemoved,
    LicencesPurchased,
    RechargeConfigured,
    Settings,
    SettingsChanged,
    UnknownEvent,
    UsageDebited,
    account_stream,
)
from domain.lots import NEVER, Lot, expired
from domain.money import ZERO
from domain.months import Months
from domain.pools import Licence, Pool, Pools, Purchased
from domain.recharge import Recharge

NO_STREAM: Final = uuid.UUID(int=0)


class CreditAccount:
    """One organisation's prepaid credit. `version` is that of its last event, 0 before `AccountOpened`."""

    __slots__ = (
        "account_id",
        "balance",
        "closed",
        "currency",
        "debt",
        "first_expiry",
        "lots",
        "months",
        "open_lots",
        "opened_at",
        "pools",
        "recharge",
        "recorded_at",
        "references",
        "scale",
        "settings",
        "stream",
        "version",
    )

    def __init__(self) -> None:
        self.version = 0
        self.account_id = self.currency = ""
        self.stream = NO_STREAM
        self.scale = 4
        self.settings = Settings()
        self.opened_at = self.recorded_at = 0
        self.closed = False
        self.balance = self.debt = ZERO
        self.lots: dict[str, Lot] = {}
        self.open_lots: list[Lot] = []  # those with a remainder, first in first
        self.first_expiry = NEVER  # of the open lots: before it, `spendable` is `balance`
        self.references: dict[str, tuple[str, Decimal]] = {}  # of funds: lot and amount
        self.months = Months([(0, "UTC")])
        self.pools = Pools(self.months)
        self.recharge = Recharge()

    def spendable(self, now: int) -> Decimal:
        """What pays usage that starts now: lots that are not expired, less debt."""
        if now <= self.first_expiry:
            return self.balance
        return self.balance - expired(self.open_lots, now)

    def apply(self, event: Event, version: int) -> None:
        """Change the state by an event of its stream. Raises UnknownEvent, or ValueError when a version is left out."""
        if version != self.version + 1:
            raise ValueError(f"{self.account_id or 'account'}: event {version} does not follow {self.version}")
        change = _CHANGES.get(event.__class__)
        if change is None:
            raise UnknownEvent(event.__class__.__name__, "is no event of an account")
        change(self, event)
        self.version = version
        self.recorded_at = event.recorded_at

    def _debited(self, event: UsageDebited) -> None:
        proof = event.proof
        if proof is None:
            return
        if proof.pools:
            self.pools.spend(proof.pools)
        for draw in proof.lots:
            lot = self.lots[draw.lot]
            lot.remaining -= draw.amount
            if not lot.remaining:
                self._close_lot(lot)
        if proof.debt:
            self.debt += proof.debt
        self.balance = event.balance

    def _close_lot(self, lot: Lot) -> None:
        self.open_lots.remove(lot)
        self.first_expiry = min((open_lot.expires_at for open_lot in self.open_lots), default=NEVER)

    def _funded(self, event: FundsAdded) -> None:
        remaining = event.amount - event.debt_covered
        lot = Lot(event.lot, event.kind, event.occurred_at, event.expires_at, event.amount, remaining, self.version + 1)
        self.lots[lot.id] = lot
        if remaining:
            self.open_lots.append(lot)
            self.open_lots.sort(key=lambda each: each.order)
            self.first_expiry = min(self.first_expiry, lot.expires_at)
        self.debt -= event.debt_covered
        self.balance = event.balance
        if event.reference:
            self.references[event.reference] = (event.lot, event.amount)
        if event.recharge_id:
            self.recharge.settle()

    def _opened(self, event: AccountOpened) -> None:
        self.account_id, self.currency, self.scale = event.account_id, event.currency, event.scale
        self.stream = account_stream(event.account_id)
        self.opened_at = event.occurred_at
        self.balance = self.debt = ZERO.scaleb(-event.scale)
        self.months.change(event.settings.time_zone, 0)
        self._use(event.settings)

    def _reset(self, event: SettingsChanged) -> None:
        if event.settings.time_zone != self.settings.time_zone:
            self.months.change(event.settings.time_zone, event.time_zone_from)
        self._use(event.settings)

    def _use(self, settings: Settings) -> None:
        self.settings = settings
        self.pools.country = settings.country
        self.pools.by_purchased = settings.plan_pool_by == "purchased"
        self.pools.by_assigned = settings.dialout_pool_by == "assigned"
        self.pools.changed()

    def _closed(self, event: AccountClosed) -> None:
        self.closed = True
        self.recharge.configure(False, self.recharge.amount, self.recharge.below)

    def _assigned(self, event: LicenceAssigned) -> None:
        self.pools.assign(Licence(event.user, event.plan, event.country, event.starts_at, event.ends_at, event.limits))

    def _removed(self, event: LicenceRemoved) -> None:
        self.pools.remove(event.user, event.plan, event.occurred_at)

    def _purchased(self, event: LicencesPurchased) -> None:
        self.pools.purchased[event.plan] = Purchased(event.count, event.limits)
        self.pools.changed()

    def _recharge_configured(self, event: RechargeConfigured) -> None:
        self.recharge.configure(event.enabled, event.amount, event.below)

    def _recharge_triggered(self, event: AutoRechargeTriggered) -> None:
        self.recharge.trigger(event.recharge_id)


_CHANGES: dict[type[Event], Callable[[CreditAccount, Any], None]] = {
    UsageDebited: CreditAccount._debited,
    FundsAdded: CreditAccount._funded,
    AccountOpened: CreditAccount._opened,
    SettingsChanged: CreditAccount._reset,
    AccountClosed: CreditAccount._closed,
    LicenceAssigned: CreditAccount._assigned,
    LicenceRemoved: CreditAccount._removed,
    LicencesPurchased: CreditAccount._purchased,
    RechargeConfigured: CreditAccount._recharge_configured,
    AutoRechargeTriggered: CreditAccount._recharge_triggered,
}


class AccountState(msgspec.Struct, array_like=True):
    """The stored form of an account's state: what a snapshot and the balance read model hold."""

    schema: int
    version: int
    account_id: str
    currency: str
    scale: int
    settings: Settings
    opened_at: int
    recorded_at: int
    closed: bool
    balance: Decimal
    debt: Decimal
    lots: list[Lot]
    references: list[tuple[str, str, Decimal]]
    zones: list[tuple[int, str]]
    licences: list[Licence]
    purchased: list[tuple[str, Purchased]]
    used: list[tuple[str, str, str, str, int, int]]
    recharge: Recharge


STATE_SCHEMA = 1
STATE_TOPIC = "CreditAccountState"
_encode = msgspec.json.Encoder().encode
_decoder = msgspec.json.Decoder(AccountState)


def dump_account(account: CreditAccount) -> bytes:
    """The state as stored: the same bytes for the same history, however it was batched."""
    return _encode(
        AccountState(
            STATE_SCHEMA,
            account.version,
            account.account_id,
            account.currency,
            account.scale,
            account.settings,
            account.opened_at,
            account.recorded_at,
            account.closed,
            account.balance,
            account.debt,
            list(account.lots.values()),
            [(reference, lot, amount) for reference, (lot, amount) in account.references.items()],
            account.months.zones,
            [licence for held in account.pools.licences.values() for licence in held],
            list(account.pools.purchased.items()),
            [(*pool, used) for pool, used in account.pools.used.items()],
            account.recharge,
        )
    )


def load_account(state: bytes) -> CreditAccount:
    """An account from `dump_account`'s bytes. Raises UnknownEvent for another schema."""
    try:
        stored = _decoder.decode(state)
    except msgspec.MsgspecError as error:
        raise UnknownEvent(STATE_TOPIC, str(error)) from error
    if stored.schema != STATE_SCHEMA:
        raise UnknownEvent(STATE_TOPIC, f"schema {stored.schema} is not known")
    account = CreditAccount()
    account.version, account.account_id, account.currency = stored.version, stored.account_id, stored.currency
    account.scale, account.opened_at, account.recorded_at = stored.scale, stored.opened_at, stored.recorded_at
    account.closed, account.balance, account.debt = stored.closed, stored.balance, stored.debt
    account.lots = {lot.id: lot for lot in stored.lots}
    account.open_lots = sorted((lot for lot in stored.lots if lot.remaining), key=lambda lot: lot.order)
    account.first_expiry = min((lot.expires_at for lot in account.open_lots), default=NEVER)
    account.references = {reference: (lot, amount) for reference, lot, amount in stored.references}
    account.months.zones = stored.zones
    for licence in stored.licences:
        account.pools.licences.setdefault(licence.user, []).append(licence)
    account.pools.purchased = dict(stored.purchased)
    account.pools.used = {Pool(*row[:5]): row[5] for row in stored.used}
    account.recharge = stored.recharge
    account.stream = account_stream(account.account_id)
    account._use(stored.settings)
    return account
