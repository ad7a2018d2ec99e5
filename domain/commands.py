"""Deciding what an admin does to an account: opening, settings, licences; funds and auto-recharge are in modules of
their own. Pure: time and names are handed in.

Each function takes the account as it is and answers the events to append (none: nothing to do), or raises Refused,
NotFound or Invalid. `with_trigger` adds the auto-recharge that the last event makes due.
"""

from domain.account import CreditAccount
from domain.by import By as By
from domain.by import Header as Header
from domain.by import header as header
from domain.by import must_be_open as must_be_open
from domain.errors import Invalid, NotFound, Refused
from domain.events import (
    AccountClosed,
    AccountOpened,
    Event,
    LicenceAssigned,
    LicenceRemoved,
    LicencesPurchased,
    Limits,
    Settings,
    SettingsChanged,
)
from domain.funding import Funds as Funds
from domain.funding import add_funds as add_funds
from domain.money import CURRENCIES, MAX_SCALE
from domain.months import check_zone, next_month
from domain.payment_events import PaymentCancelled
from domain.payment_state import NEW, PURCHASE
from domain.recharging import Level as Level
from domain.recharging import must_not_recharge
from domain.recharging import recharge_off as recharge_off
from domain.recharging import resume as resume
from domain.recharging import set_recharge as set_recharge
from domain.recharging import set_standing as set_standing
from domain.triggers import due_trigger as due_trigger
from domain.triggers import with_trigger as with_trigger


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
        "when_empty": ("stop", "postpaid"),
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
    if settings.when_empty == "postpaid":
        must_not_recharge(account)
    running = account.months.of(max(by.now, account.recorded_at))
    return [SettingsChanged(*header(account, by, None, SettingsChanged.VERSION), settings, next_month(running))]


def close(account: CreditAccount, by: By) -> list[Event]:
    """At any balance. Closing twice writes nothing. What is on its way is cancelled, at the provider if it is there."""
    if account.closed:
        return []
    head = header(account, by)
    asked = [payment.of for payment in account.payments.values() if (payment.kind, payment.state) == (PURCHASE, NEW)]
    return [AccountClosed(*head), *(PaymentCancelled(*head, of, "closed") for of in asked)]


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
