"""The events: what happened, as facts that are never changed, and their stored form.

Stored form: a JSON array per event, in the order of the fields below (header first). Fields are only ever appended
and then have a default; `schema` says which shape was written. An unknown schema or topic is an error, never cut short.
Times are whole microseconds since the epoch (UTC), amounts decimals in strings, bytes base64.

Streams: one per credit account (`account_stream`), one per rate deck (`deck_stream`), one for the log itself.
"""

import uuid
from decimal import Decimal
from sys import intern
from typing import Any, ClassVar, Final, NamedTuple

import msgspec
from msgspec.structs import astuple

from domain import payment_events
from domain.event import LOG as LOG
from domain.event import Event as Event
from domain.event import PoolDraw as PoolDraw
from domain.event import UnknownEvent as UnknownEvent
from domain.event import account_stream as account_stream
from domain.event import deck_stream as deck_stream
from domain.event import log_stream as log_stream


class BilledSlot(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """What credit paid in one slot of the rate: per minute, by increments, in whole seconds billed."""

    from_second: int
    rate_per_minute: Decimal
    increment_seconds: int
    billed_seconds: int


class LotDraw(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """Credit that one lot paid."""

    lot: str
    amount: Decimal


class Proof(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """Why the amount is what it is; `explain` computes it again from this alone.

    amount = connection_fee + sum over slots of rate_per_minute * billed_seconds / 60, rounded once to `decimals` by
    `rounding`; on as-priced accounts `price` stands for the slots.
    """

    deck: str | None
    deck_version: int | None
    direction: str | None
    prefix: str | None
    origin_prefix: str | None
    connection_fee: Decimal
    slots: tuple[BilledSlot, ...]
    pools: tuple[PoolDraw, ...]
    lots: tuple[LotDraw, ...]
    debt: Decimal
    rounding: str
    decimals: int
    price: Decimal | None = None
    postpaid: Decimal | None = None  # what is billed later, no part of the amount; None: the account is prepaid


class UsageDebited(Event, frozen=True, array_like=True, gc=False):
    """One usage taken from included minutes and then from credit. Every usage writes one, the free ones too."""

    VERSION: ClassVar[int] = 2
    APPENDED: ClassVar[dict[int, bytes]] = {1: b",null"}  # in the proof

    call_type: str
    started_at: int
    duration_seconds: int
    amount: Decimal  # what credit paid, not negative
    balance: Decimal  # the account's, after it
    user: str  # pseudonym, empty where none
    flags: tuple[str, ...]
    proof: Proof | None  # None: nothing is charged for such a call (inbound, emergency, FREECALL)
    source: tuple[str, str, int, int]  # kafka: topic, partition, offset; file, stdin, http: name, line, 0
    commitment: bytes  # SHA-256(salt || content), see application/privacy.py
    sealed: bytes  # the personal data, encrypted under the key of account and month

    @property
    def usage_id(self) -> str:
        """The usage that caused it, as the telephony system named it."""
        return self.causation_id

    def grown(self) -> int:
        """Nothing where there is no proof."""
        return 0 if self.proof is None else len(self.APPENDED[self.schema])


class FundsAdded(Event, frozen=True, array_like=True, gc=False):
    """A lot of credit, bought or granted. Debt is covered first; what is left of the amount is the lot's remainder."""

    VERSION: ClassVar[int] = 2
    APPENDED: ClassVar[dict[int, bytes]] = {1: b',"","","",""'}

    lot: str
    kind: str  # purchased, granted
    amount: Decimal
    debt_covered: Decimal
    expires_at: int
    reference: str  # the payer's; a known one adds nothing; empty where none
    recharge_id: str  # the recharge that this ends; empty where none
    balance: Decimal
    purchase_id: str = ""  # the purchase that this ends; empty where none
    provider: str = ""  # who took the money: stripe; empty: it came otherwise
    payment_id: str = ""  # the provider's
    method: str = ""  # the payment method's id here


class AccountOpened(Event, frozen=True, array_like=True, gc=False):
    """An account begins. Every setting that can change an amount is here, so that history replays anywhere."""

    VERSION: ClassVar[int] = 2
    APPENDED: ClassVar[dict[int, bytes]] = {1: b',"stop"'}  # in the settings

    account_id: str
    currency: str
    scale: int
    settings: "Settings"


class Settings(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """An account's settings; see `account open` in the reference."""

    name: str = ""
    country: str = ""  # ISO 3166 alpha-2, the default of its licences
    time_zone: str = "UTC"
    deck: str = ""  # empty: the deck named default, else the only one of the currency
    pricing: str = "rated"  # rated, as-priced
    expiry_months: int = 12
    expiry_grace_seconds: int = 72 * 3600
    zero_second_fee: bool = False
    plan_pool_by: str = "assigned"  # assigned, purchased
    dialout_pool_by: str = "purchased"
    after_dialout_pool: str = "credit"  # credit, plan
    when_empty: str = "stop"  # stop, postpaid: what is used when the credit is used up is billed later

    def shared(self) -> "Settings":
        """The same; texts that thousands of accounts have in common are in memory once."""
        values: list[Any] = [intern(each) if isinstance(each, str) else each for each in astuple(self)]
        return Settings(*values)


class SettingsChanged(Event, frozen=True, array_like=True, gc=False):
    """The settings from now on; a changed time zone holds from `time_zone_from` (year * 100 + month)."""

    VERSION: ClassVar[int] = 2
    APPENDED: ClassVar[dict[int, bytes]] = {1: b',"stop"'}  # in the settings

    settings: Settings
    time_zone_from: int


class AccountClosed(Event, frozen=True, array_like=True, gc=False):
    """No more is bought; usage that still arrives is debited and flagged."""


class Limits(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A plan's sizes for one licence and calendar month, as they were when the licence event was written."""

    kind: str  # domestic, domestic_or_international, dialout, none
    pooled: bool
    domestic_minutes: int
    international_minutes: int
    dialout_minutes: int


class LicenceAssigned(Event, frozen=True, array_like=True, gc=False):
    """A user holds a plan. Without `starts_at` it covers all the past."""

    user: str
    plan: str
    country: str
    starts_at: int | None
    ends_at: int | None
    limits: Limits


class LicenceRemoved(Event, frozen=True, array_like=True, gc=False):
    """A user no longer holds a plan, from the time it occurred."""

    user: str
    plan: str


class LicencesPurchased(Event, frozen=True, array_like=True, gc=False):
    """How many licences of a plan the organisation has bought; sizes its pool from now on."""

    plan: str
    count: int
    limits: Limits


class RechargeConfigured(Event, frozen=True, array_like=True, gc=False):
    """Auto-recharge by level is set or switched off. Switching off cancels a recharge that is open."""

    VERSION: ClassVar[int] = 2
    APPENDED: ClassVar[dict[int, bytes]] = {1: b',null,null,""'}

    enabled: bool
    amount: Decimal  # how much each recharge adds; 0 where `to` is given
    below: Decimal  # triggers when `spendable` is strictly less
    to: Decimal | None = None  # instead of an amount: what `spendable` is filled up to
    monthly_cap: Decimal | None = None  # of recharges of both kinds in a calendar month
    method: str = ""  # which payment method; empty: the default one


class AutoRechargeTriggered(Event, frozen=True, array_like=True, gc=False):
    """`spendable` fell below the trigger, or a standing top-up is due: one recharge is open until money comes or it is
    cancelled.
    """

    VERSION: ClassVar[int] = 2
    APPENDED: ClassVar[dict[int, bytes]] = {1: b',"level",0'}

    recharge_id: str
    amount: Decimal
    below: Decimal
    spendable: Decimal
    kind: str = "level"  # level, standing
    month: int = 0  # of a standing one: the month it is for


class DeckImported(Event, frozen=True, array_like=True, gc=False):
    """A version of a rate deck; its rates are stored beside the log under the hash."""

    deck: str
    version: int
    currency: str
    decimals: int
    rounding: str
    starts_at: int | None  # None: covers all the past
    sha256: str  # of the version's canonical NDJSON
    rates: int
    amended: bool


class GapAccepted(Event, frozen=True, array_like=True, gc=False):
    """An operator went on although a topic had been made anew or had lost what was not read yet."""

    topic: str
    partition: int
    stored_topic_id: str
    stored_position: int
    topic_id: str
    position: int


_KINDS: Final[tuple[type[Event], ...]] = (
    UsageDebited,
    FundsAdded,
    AccountOpened,
    SettingsChanged,
    AccountClosed,
    LicenceAssigned,
    LicenceRemoved,
    LicencesPurchased,
    RechargeConfigured,
    AutoRechargeTriggered,
    *payment_events.EVENTS,
    DeckImported,
    GapAccepted,
)
EVENTS: Final[dict[str, type[Event]]] = {kind.__name__: kind for kind in _KINDS}

_encoder = msgspec.json.Encoder()
_decoders = {topic: msgspec.json.Decoder(kind) for topic, kind in EVENTS.items()}
encode_state = _encoder.encode


class Recorded(NamedTuple):
    """An event with its place: what the log holds and what an account is built from."""

    originator_id: uuid.UUID
    originator_version: int
    event: Event


def decode_state(topic: str, state: bytes) -> Event:
    """The event of a stored row. Raises UnknownEvent naming topic and what is wrong."""
    decoder = _decoders.get(topic)
    if decoder is None:
        raise UnknownEvent(topic, "unknown topic; was it written by a newer version of this program?")
    try:
        event = decoder.decode(state)
    except msgspec.MsgspecError as error:
        raise UnknownEvent(topic, str(error)) from error
    grown = 0
    if event.schema != event.VERSION:
        if event.schema not in event.APPENDED:
            raise UnknownEvent(topic, f"schema {event.schema} is not known (this program knows {event.VERSION})")
        grown = event.grown()
    if len(encode_state(event)) != len(state) + grown:  # msgspec passes over array elements that it has no field for
        raise UnknownEvent(topic, "it has more fields than this program knows, or is not in its stored form")
    return event
