"""Deciding everything but debits: opening, settings, funds, licences, auto-recharge. Pure: time and names are handed
in.

Each function takes the account as it is and answers the events to append (none: nothing to do), or raises Refused,
NotFound or Invalid. `with_trigger` adds the auto-recharge that the last event makes due.
"""

from collections.abc import Iterable
from decimal import Decimal
from typing import NamedTuple

from domain.account import CreditAccount
from domain.errors import Invalid, NotFound, Refused
from domain.events import (
    AccountClosed,
    AccountOpened,
    AutoRechargeTriggered,
    Event,
    FundsAdded,
    LicenceAssigned,
    LicenceRemoved,
    LicencesPurchased,
    Limits,
    RechargeConfigured,
    Settings,
    SettingsChanged,
)
from domain.lots import NEVER
from domain.money import CURRENCIES, MAX_SCALE
from domain.months import add_months, check_zone, next_month
from domain.recharge import ARMED, OFF


class By(NamedTuple):
    """Who acts, through which door, when, and why."""

    now: int
    actor: str
    channel: str
    reason: str = ""
    causation_id: str = ""


Header = tuple[int, int, int, str, str, str, str]


def header(account: CreditAccount, by: By, occurred_at: int | None = None, schema: int = 1) -> Header:
    """An event's header: recorded at the later of now and the account's last. `schema`: the event's VERSION."""
    recorded_at = max(by.now, account.recorded_at)
    occurred_at = by.now if occurred_at is None else occurred_at
    return (schema, occurred_at, recorded_at, by.actor, by.channel, by.reason, by.causation_id)


def open_account(
    account: CreditAccount, by: By, account_id: str, currency: str, scale: int, settings: Settings, at: int | None
) -> list[Event]:
    """Raises Refused `account_exists`, Invalid for a currency, scale or setting that cannot be."""
    if account.version:
        raise Refused("account_exists", f"account {account_id} is open already", "account")
    if currency not in CURRENCIES:
        raise Invalid("invalid_currency", f"{currency!r} is no ISO 4217 currency code", "currency")
    if not 0 <= scale <= MAX_SCALE:
        raise Invalid("invalid_scale", f"the scale is 0 to {MAX_SCALE} decimals, not {scale}", "scale")
    if at is not None and at > by.now:
        raise Invalid("in_future", "an account cannot be opened in the future", "at")
    check_settings(settings)
    return [AccountOpened(*header(account, by, at, AccountOpened.VERSION), account_id, currency, scale, settings)]


def check_settings(settings: Settings) -> None:
    """Raises Invalid naming the setting."""
    check_zone(settings.time_zone)
    choices = {
        "pricing": ("rated", "as-priced"),
        "plan_pool_by": ("assigned", "purchased"),
        "dialout_pool_by": ("purchased", "assigned"),
        "after_dialout_pool": ("credit", "plan"),
    }
    for name, allowed in choices.items():
        if getattr(settings, name) not in allowed:
            raise Invalid(f"invalid_{name}", f"{name} is {' or '.join(allowed)}", name)
    if not 1 <= settings.expiry_months <= 1200:
        raise Invalid("invalid_expiry_months", "funds expire after 1 to 1200 months", "expiry_months")
    if not 0 <= settings.expiry_grace_seconds <= 366 * 86_400:
        raise Invalid("invalid_expiry_grace", "the grace is 0 to 366 days", "expiry_grace")


def change_settings(account: CreditAccount, by: By, settings: Settings) -> list[Event]:
    """A changed time zone holds from the next month. Unchanged settings write nothing."""
    must_be_open(account)
    check_settings(settings)
    if settings == account.settings:
        return []
    running = account.months.of(max(by.now, account.recorded_at))
    return [SettingsChanged(*header(account, by, None, SettingsChanged.VERSION), settings, next_month(running))]


def close(account: CreditAccount, by: By) -> list[Event]:
    """At any balance. Closing twice writes nothing."""
    return [] if account.closed else [AccountClosed(*header(account, by))]


def must_be_open(account: CreditAccount) -> None:
    """Raises Refused `account_closed`."""
    if account.closed:
        raise Refused("account_closed", f"account {account.account_id} is closed", "account")


class Funds(NamedTuple):
    """Money received: what `funds add` was given."""

    amount: Decimal
    reference: str = ""
    at: int | None = None
    recharge_id: str = ""
    granted: bool = False
    expires_at: int | None = None


def add_funds(account: CreditAccount, by: By, funds: Funds) -> list[Event]:
    """A lot. A known reference adds nothing, before anything else is looked at.

    Raises Refused `reference_conflict`, `account_closed`; NotFound `recharge_not_open`; Invalid for amount and times.
    """
    known = account.references.get(funds.reference) if funds.reference else None
    if known is not None:
        if known[1] != funds.amount:
            raise Refused(
                "reference_conflict", f"reference {funds.reference} was booked already with {known[1]:f}", "reference"
            )
        return []
    must_be_open(account)
    if funds.amount <= 0:
        raise Invalid("invalid_amount", "the amount must be more than 0", "amount")
    if funds.recharge_id and account.recharge.recharge_id != funds.recharge_id:
        raise NotFound("recharge_not_open", f"recharge {funds.recharge_id} is not open", "recharge")
    purchased_at = by.now if funds.at is None else funds.at
    if purchased_at > by.now:
        raise Invalid("in_future", "funds cannot have come in the future", "at")
    expires_at = funds.expires_at
    if expires_at is None:
        expires_at = add_months(purchased_at, account.settings.expiry_months)
    if not purchased_at < expires_at < NEVER:
        raise Invalid("invalid_expires", "funds expire after they were purchased", "expires")
    return [
        FundsAdded(
            *header(account, by, purchased_at, FundsAdded.VERSION),
            f"lot-{account.version + 1}",
            "granted" if funds.granted else "purchased",
            funds.amount,
            min(account.debt, funds.amount),
            expires_at,
            funds.reference,
            funds.recharge_id,
            account.balance + funds.amount,
        )
    ]


def assign_licence(
    account: CreditAccount, by: By, user: str, plan: str, country: str, starts_at: int | None, ends_at: int | None,
    limits: Limits,
) -> list[Event]:  # fmt: skip
    """A user (pseudonym) holds a plan. The same licence again writes nothing."""
    must_be_open(account)
    if ends_at is not None and starts_at is not None and ends_at <= starts_at:
        raise Invalid("invalid_to", "a licence ends after it begins", "to")
    for held in account.pools.licences.get(user, ()):
        if (held.plan, held.country, held.starts_at, held.ends_at, held.limits, held.removed_at) == (
            plan, country, starts_at, ends_at, limits, None,
        ):  # fmt: skip
            return []
    return [LicenceAssigned(*header(account, by), user, plan, country, starts_at, ends_at, limits)]


def remove_licence(account: CreditAccount, by: By, user: str, plan: str) -> list[Event]:
    """Raises NotFound `licence_not_held`."""
    held = account.pools.licences.get(user, ())
    if not any(licence.plan == plan and licence.removed_at is None for licence in held):
        raise NotFound("licence_not_held", f"the user holds no licence of {plan}", "user")
    return [LicenceRemoved(*header(account, by), user, plan)]


def purchase_licences(account: CreditAccount, by: By, plan: str, count: int, limits: Limits) -> list[Event]:
    """How many the organisation has bought, from now on."""
    must_be_open(account)
    if not 0 <= count <= 10_000_000:
        raise Invalid("invalid_count", "the count is 0 to 10000000", "count")
    known = account.pools.purchased.get(plan)
    if known is not None and (known.count, known.limits) == (count, limits):
        return []
    return [LicencesPurchased(*header(account, by), plan, count, limits)]


def set_recharge(account: CreditAccount, by: By, amount: Decimal, below: Decimal, minimum: Decimal) -> list[Event]:
    """The amount in whole units, at least `minimum`. Unchanged settings write nothing."""
    must_be_open(account)
    if amount != amount.to_integral_value():
        raise Invalid("invalid_amount", "a recharge is bought in whole currency units", "amount")
    if amount < minimum:
        raise Refused("below_minimum", f"a recharge is at least {minimum:f}", "amount")
    if below < 0:
        raise Invalid("invalid_below", "the trigger is 0 or more", "below")
    recharge = account.recharge
    if recharge.state != OFF and (recharge.amount, recharge.below) == (amount, below):
        return []
    return [RechargeConfigured(*header(account, by, None, RechargeConfigured.VERSION), True, amount, below)]


def recharge_off(account: CreditAccount, by: By) -> list[Event]:
    """Auto-recharge off; an open recharge is cancelled."""
    if account.recharge.state == OFF:
        return []
    return [
        RechargeConfigured(
            *header(account, by, None, RechargeConfigured.VERSION),
            False,
            account.recharge.amount,
            account.recharge.below,
        )
    ]


def due_trigger(account: CreditAccount, channel: str = "engine") -> AutoRechargeTriggered | None:
    """The recharge that the account's state makes due, by the level at its last recorded time."""
    recharge = account.recharge
    if recharge.state != ARMED:
        return None
    spendable = account.spendable(account.recorded_at)
    if spendable >= recharge.below:
        return None
    at, version = account.recorded_at, account.version
    return AutoRechargeTriggered(
        AutoRechargeTriggered.VERSION, at, at, "engine", channel, "", f"{account.account_id}@{version}",
        f"rch-{account.account_id}-{version + 1}", recharge.amount, recharge.below, spendable,
    )  # fmt: skip


def with_trigger(account: CreditAccount, events: Iterable[Event]) -> list[Event]:
    """Apply the events, each followed by the trigger it makes due; answers all of them in order."""
    out: list[Event] = []
    for event in events:
        account.apply(event, account.version + 1)
        out.append(event)
        trigger = due_trigger(account)
        if trigger is not None:
            account.apply(trigger, account.version + 1)
            out.append(trigger)
    return out
