"""What an account knows of money on its way: methods, payments, purchases, refunds, disputes. State only."""

from decimal import Decimal
from typing import Final

import msgspec

from domain.money import ZERO

CARD: Final = "card"
INVOICE: Final = "invoice"

RECHARGE: Final = "recharge"
PURCHASE: Final = "purchase"

NEW: Final = "new"  # the provider knows nothing of it
CREATED: Final = "created"  # the provider holds it, nothing is asked of the bank
TRYING: Final = "trying"  # the bank is being asked; what came of it is not known
PROCESSING: Final = "processing"
ACTION_REQUIRED: Final = "action_required"
RETRYING: Final = "retrying"  # declined; `next_try_at`


class Method(msgspec.Struct, array_like=True):
    """A way to pay; the fields of PaymentMethodAdded."""

    id: str
    kind: str
    provider: str
    customer: str
    token: str
    brand: str
    last4: str
    expires: int  # year * 100 + month, 0 where none
    agreement: str
    purchase_order: str


class Payment(msgspec.Struct, array_like=True):
    """The money of an open recharge or purchase, `of`: one payment at the provider, however many tries."""

    of: str
    kind: str  # recharge, purchase
    amount: Decimal
    method: str  # of the last try; of a purchase the one it named; of a recharge before its first try empty
    since: int  # when this state began
    provider: str = ""
    payment_id: str = ""
    number: int = 0  # tries
    state: str = NEW
    code: str = ""  # of the last decline
    message: str = ""
    next_try_at: int | None = None
    until: int = 0  # when the wait for the customer ends
    present: bool = False  # whether the customer was there at the last try
    cancelling: str = ""  # why it is to be cancelled at the provider
    tried_at: int = 0
    declines: int = 0


class Purchase(msgspec.Struct, array_like=True):
    """A one-time top-up; kept, so that its key never buys twice."""

    id: str
    key: str
    amount: Decimal
    method: str
    state: str  # processing, requires_action, succeeded, failed
    at: int
    lot: str = ""
    failure: str = ""  # a code; as an admin may be told
    message: str = ""


class Refund(msgspec.Struct, array_like=True):
    """Money of a lot that goes back. `debt`: what of it the lot had not any more."""

    id: str
    key: str
    lot: str
    amount: Decimal
    debt: Decimal
    state: str  # requested, sent, succeeded, failed
    since: int
    provider_refund: str = ""
    code: str = ""


class Dispute(msgspec.Struct, array_like=True):
    """A payment that its bank took back for now."""

    id: str
    lot: str
    amount: Decimal
    state: str  # open, won, lost
    since: int


_SECRET: Final = frozenset(("lost_card", "stolen_card", "pickup_card", "fraudulent", "merchant_blacklist"))


def shown_code(code: str) -> str:
    """The code of a decline as an admin may be told: of these only that the bank declined."""
    return "generic_decline" if code in _SECRET else code


def nothing(scale: int) -> Decimal:
    """0 at an account's scale."""
    return ZERO.scaleb(-scale)
