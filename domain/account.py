"""The credit account: state, and how each event changes it (`apply`). Decisions are in debit.py and commands.py.

Invariants: balance = what lots hold - debt; no lot and no pool's remainder below 0; at most one recharge open.
"""

import uuid
from collections.abc import Callable
from decimal import Decimal
from typing import Any, Final

import msgspec

from domain import credit_changes, payment_changes, usage_changes
from domain.budgets import Budget, book, cost_of
from domain.events import (
    AccountClosed,
    AccountOpened,
    Event,
    FundsAdded,
    LicenceAssigned,
    LicenceRemoved,
    LicencesPurchased,
    Settings,
    SettingsChanged,
    UnknownEvent,
    UsageDebited,
    account_stream,
)
from domain.lots import NEVER, Lot, expired
from domain.money import ZERO
from domain.months import Months
from domain.payment_events import LowBalanceSet
from domain.payment_state import NEW, RECHARGE, Dispute, Method, Payment, Purchase, Refund
from domain.pools import Licence, Pool, Pools, Purchased
from domain.recharge import LEVEL, OFF, TRIGGERED, Recharge
from domain.usage_changes import Reversed

NO_STREAM: Final = uuid.UUID(int=0)
POSTPAID: Final = "postpaid"


class CreditAccount:
    """One organisation's prepaid credit. `version` is that of its last event, 0 before `AccountOpened`."""

    __slots__ = (
        "account_id",
        "balance",
        "budgets",
        "closed",
        "currency",
        "customers",
        "debt",
        "default_method",
        "disputes",
        "first_expiry",
        "former_methods",
        "held",
        "is_postpaid",
        "lots",
        "low_balance",
        "methods",
        "months",
        "open_lots",
        "opened_at",
        "payments",
        "pools",
        "postpaid",
        "purchases",
        "recharge",
        "recorded_at",
        "references",
        "refunds",
        "reversals",
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
        self.balance = self.debt = self.postpaid = ZERO
        self.is_postpaid = False  # what is used when the credit is used up is billed later, in `postpaid`
        self.lots: dict[str, Lot] = {}
        self.open_lots: list[Lot] = []  # those with a remainder that pay, first in first
        self.first_expiry = NEVER  # of the open lots: before it, `spendable` is `balance`; 0 while something is held
        self.held = ZERO  # what is left in lots that are held for a dispute
        self.references: dict[str, tuple[str, Decimal]] = {}  # of funds: lot and amount
        self.months = Months([(0, "UTC")])
        self.pools = Pools(self.months)
        self.recharge = Recharge()
        self.payments: dict[str, Payment] = {}  # those that are open, by recharge or purchase
        self.purchases: dict[str, Purchase] = {}
        self.methods: dict[str, Method] = {}
        self.former_methods: dict[str, Method] = {}  # removed: what was paid still names them
        self.default_method = ""
        self.customers: dict[str, str] = {}  # by provider
        self.refunds: dict[str, Refund] = {}
        self.disputes: dict[str, Dispute] = {}
        self.budgets: dict[str, Budget] = {}  # by user (pseudonym; "": the whole account)
        self.reversals: dict[int, Reversed] = {}  # by the version of the debit
        self.low_balance: Decimal | None = None  # below it `spendable` is told to be low; None: never

    def spendable(self, now: int) -> Decimal:
        """What pays usage that starts now: lots that are neither expired nor held, less debt."""
        if now <= self.first_expiry:
            return self.balance
        return self.balance - expired(self.open_lots, now) - self.held

    def recharge_method(self) -> Method | None:
        """What a recharge is paid with: the method it was set to, where that is still there, else the default one."""
        return self.methods.get(self.recharge.method) or self.methods.get(self.default_method)

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
        if proof.postpaid:
            self.postpaid += proof.postpaid
        self.balance = event.balance
        if self.budgets and (cost := cost_of(event)):
            book(self.budgets, event.user, self.months.of(event.started_at), cost)

    def _close_lot(self, lot: Lot) -> None:
        self.open_lots.remove(lot)
        self._look_at_expiry()

    def _look_at_expiry(self) -> None:
        self.first_expiry = 0 if self.held else min((lot.expires_at for lot in self.open_lots), default=NEVER)

    def sort_lots(self) -> None:
        """Which lots pay, in which order: after anything but a debit or new funds has changed them."""
        left = [lot for lot in self.lots.values() if lot.remaining]
        self.open_lots = sorted((lot for lot in left if not lot.held), key=lambda lot: lot.order)
        self.held = sum((lot.remaining for lot in left if lot.held), ZERO)
        self._look_at_expiry()

    def take_back(self, lot_id: str, amount: Decimal, debt: Decimal, balance: Decimal) -> None:
        """Money of a lot has gone back to who paid it; `debt` of it the lot had not any more. Negative: it returns."""
        lot = self.lots[lot_id]
        lot.remaining -= amount - debt
        lot.refunded += amount
        self.debt += debt
        self.balance = balance
        self.sort_lots()

    def _funded(self, event: FundsAdded) -> None:
        remaining = event.amount - event.debt_covered
        lot = Lot(
            event.lot, event.kind, event.occurred_at, event.expires_at, event.amount, remaining, self.version + 1,
            event.provider, event.payment_id,
        )  # fmt: skip
        self.lots[lot.id] = lot
        if remaining:
            self.open_lots.append(lot)
            self.open_lots.sort(key=lambda each: each.order)
            self.first_expiry = min(self.first_expiry, lot.expires_at)
        self.debt -= event.debt_covered
        self.balance = event.balance
        if event.reference:
            self.references[event.reference] = (event.lot, event.amount)
        payment_changes.paid(self, event)

    def _opened(self, event: AccountOpened) -> None:
        self.account_id, self.currency, self.scale = event.account_id, event.currency, event.scale
        self.stream = account_stream(event.account_id)
        self.opened_at = event.occurred_at
        self.balance = self.debt = self.postpaid = ZERO.scaleb(-event.scale)
        self.months.change(event.settings.time_zone, 0)
        self._use(event.settings)

    def _reset(self, event: SettingsChanged) -> None:
        if event.settings.time_zone != self.settings.time_zone:
            self.months.change(event.settings.time_zone, event.time_zone_from)
        self._use(event.settings)

    def _use(self, settings: Settings) -> None:
        self.settings = settings = settings.shared()
        self.is_postpaid = settings.when_empty == POSTPAID
        self.pools.country = settings.country
        self.pools.by_purchased = settings.plan_pool_by == "purchased"
        self.pools.by_assigned = settings.dialout_pool_by == "assigned"
        self.pools.changed()

    def _closed(self, event: AccountClosed) -> None:
        self.closed = True
        payment_changes.closed(self, event)

    def _assigned(self, event: LicenceAssigned) -> None:
        self.pools.assign(Licence(event.user, event.plan, event.country, event.starts_at, event.ends_at, event.limits))

    def _removed(self, event: LicenceRemoved) -> None:
        self.pools.remove(event.user, event.plan, event.occurred_at)

    def _purchased(self, event: LicencesPurchased) -> None:
        self.pools.purchased[event.plan] = Purchased(event.count, event.limits)
        self.pools.changed()

    def _low_balance_set(self, event: LowBalanceSet) -> None:
        self.low_balance = event.threshold


_CHANGES: dict[type[Event], Callable[[CreditAccount, Any], None]] = {
    UsageDebited: CreditAccount._debited,
    FundsAdded: CreditAccount._funded,
    AccountOpened: CreditAccount._opened,
    SettingsChanged: CreditAccount._reset,
    AccountClosed: CreditAccount._closed,
    LicenceAssigned: CreditAccount._assigned,
    LicenceRemoved: CreditAccount._removed,
    LicencesPurchased: CreditAccount._purchased,
    LowBalanceSet: CreditAccount._low_balance_set,
    **payment_changes.CHANGES,
    **credit_changes.CHANGES,
    **usage_changes.CHANGES,
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
    payments: list[Payment] = []  # from here on since schema 2
    purchases: list[Purchase] = []
    methods: list[Method] = []
    former_methods: list[Method] = []
    default_method: str = ""
    customers: list[tuple[str, str]] = []
    refunds: list[Refund] = []
    disputes: list[Dispute] = []
    postpaid: Decimal | None = None
    budgets: list[tuple[str, Budget]] = []
    reversals: list[tuple[int, int, str]] = []
    low_balance: Decimal | None = None


STATE_SCHEMA = 2
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
            list(account.payments.values()),
            list(account.purchases.values()),
            list(account.methods.values()),
            list(account.former_methods.values()),
            account.default_method,
            list(account.customers.items()),
            list(account.refunds.values()),
            list(account.disputes.values()),
            account.postpaid,
            list(account.budgets.items()),
            [(debit, *undone) for debit, undone in account.reversals.items()],
            account.low_balance,
        )
    )


def load_account(state: bytes) -> CreditAccount:
    """An account from `dump_account`'s bytes. Raises UnknownEvent for another schema."""
    try:
        stored = _decoder.decode(state)
    except msgspec.MsgspecError as error:
        raise UnknownEvent(STATE_TOPIC, str(error)) from error
    if stored.schema not in (1, STATE_SCHEMA):
        raise UnknownEvent(STATE_TOPIC, f"schema {stored.schema} is not known")
    account = CreditAccount()
    account.version, account.account_id, account.currency = stored.version, stored.account_id, stored.currency
    account.scale, account.opened_at, account.recorded_at = stored.scale, stored.opened_at, stored.recorded_at
    account.closed, account.balance, account.debt = stored.closed, stored.balance, stored.debt
    account.lots = {lot.id: lot for lot in stored.lots}
    account.sort_lots()
    account.references = {reference: (lot, amount) for reference, lot, amount in stored.references}
    account.months.zones = stored.zones
    for licence in stored.licences:
        account.pools.hold(licence)
    account.pools.purchased = dict(stored.purchased)
    account.pools.used = {Pool(*row[:5]): row[5] for row in stored.used}
    account.recharge = stored.recharge
    account.payments = {payment.of: payment for payment in stored.payments}
    account.purchases = {purchase.id: purchase for purchase in stored.purchases}
    account.methods = {method.id: method for method in stored.methods}
    account.former_methods = {method.id: method for method in stored.former_methods}
    account.default_method, account.customers = stored.default_method, dict(stored.customers)
    account.refunds = {refund.id: refund for refund in stored.refunds}
    account.disputes = {dispute.id: dispute for dispute in stored.disputes}
    account.postpaid = ZERO.scaleb(-stored.scale) if stored.postpaid is None else stored.postpaid
    account.budgets = dict(stored.budgets)
    account.reversals = {debit: Reversed(version, key) for debit, version, key in stored.reversals}
    account.low_balance = stored.low_balance
    if stored.schema == 1:
        _since_schema_1(account)
    account.stream = account_stream(account.account_id)
    account._use(stored.settings)
    return account


def _since_schema_1(account: CreditAccount) -> None:
    """There was only the trigger; what an open recharge was triggered with is taken from the settings."""
    recharge = account.recharge
    recharge.level, recharge.reason = recharge.state != OFF, ""
    if recharge.state == TRIGGERED:
        recharge.kind, of = LEVEL, recharge.recharge_id
        account.payments[of] = Payment(of, RECHARGE, recharge.amount, "", account.recorded_at, state=NEW)
