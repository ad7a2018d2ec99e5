"""What the use cases need from a payment provider: the port that adapters/payments fills.

Amounts are Decimal in the currency's main unit, times int microseconds UTC. An answer is the provider's state as it was
read; nothing here decides what it means for an account. `of` is the id here of what a payment is for: a recharge or a
purchase; of a refund, the refund.

Every write takes an idempotency key: the same key never does the work twice, however often it is asked.
"""

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any, Final, NamedTuple, Protocol

KEY_REFUSED: Final = "provider_key_refused"  # of ProviderRefused: nothing can be asked before the API key is mended


class Decline(NamedTuple):
    """Why a card did not pay. `hard`: never again with this card as it is."""

    code: str  # the bank's decline code, else the provider's error code; not all may be told
    advice: str  # the provider's: try_again_later, do_not_try_again, confirm_card_data; empty where none
    hard: bool
    message: str  # what an admin may be told


class PaymentState(NamedTuple):
    """A payment as the provider has it.

    `state`: created (nothing is asked of the bank, or no answer is known) | processing (it may take days, and fail) |
    requires_action (the customer has to confirm with the bank: at `action_url`; where that is empty, confirm once more
    with `present`) | succeeded | canceled (for good) | declined (may be confirmed again).
    """

    payment_id: str
    state: str
    amount: Decimal
    currency: str  # ISO 4217
    of: str  # empty: not made by us
    account: str
    decline: Decline | None  # of the last try, while declined or requires_action
    action_url: str
    refunded: Decimal  # so far, refunds that are pending included


class Card(NamedTuple):
    """A card that the provider keeps; never any number of it but the last four digits."""

    token: str
    brand: str
    last4: str
    expires: int  # year * 100 + month


class Setup(NamedTuple):
    """A page of the provider's where a customer saves a card. `state`: open | complete | expired."""

    session_id: str
    url: str  # empty when no longer open
    state: str
    card: Card | None  # when complete
    account: str
    customer: str


class RefundState(NamedTuple):
    """A refund as the provider has it. `state`: pending | succeeded | failed | canceled."""

    refund_id: str  # the provider's
    state: str
    amount: Decimal
    payment_id: str
    of: str  # our refund id; empty: made in the provider's dashboard
    code: str  # why it failed, else empty
    created_at: int


class DisputeState(NamedTuple):
    """A dispute as the provider has it. `state`: open | won | lost | inquiry (no money has moved)."""

    dispute_id: str
    state: str
    amount: Decimal
    payment_id: str
    account: str
    of: str


class ProviderEvent(NamedTuple):
    """What a webhook is about: only whom to look up, since the state is asked for and never believed from a body.

    `kind` and `object_id`: payment (payment id) | refund (id of the payment: look at `refunds_of`) | dispute (dispute
    id) | method (token) | setup (session id) | other. `account` and `customer` are empty where the body names none.
    """

    id: str
    kind: str
    object_id: str
    account: str
    customer: str


class Charged(NamedTuple):
    """A line of the provider's ledger: one payment that succeeded."""

    payment_id: str
    of: str  # empty: not made by us
    account: str
    amount: Decimal
    currency: str
    refunded: Decimal  # refunds that are pending included
    disputed: bool
    lost: Decimal  # of it, by disputes that were lost
    created_at: int  # of the payment: before its first try


class ProviderError(Exception):
    """Base of what a provider may answer: `code` is stable, the text a sentence for a person.

    `field` is the option that it is about, empty where none; `source` says who answered: `{"kind":"provider","name",
    "host"}`.
    """

    code = "provider_error"
    source: Mapping[str, Any] | None = None

    def __init__(self, message: str, code: str = "", field: str = "") -> None:
        super().__init__(message)
        self.message, self.code, self.field = message, code or self.code, field


class ProviderUnavailable(ProviderError):
    """No answer, a 5xx, too many requests, a lock, the key in use: what came of it is not known.

    Ask again under the same key, later; then read.
    """

    code = "provider_unavailable"


class ProviderRefused(ProviderError):
    """The request is wrong as it is (or the API key): the same again would be refused again."""

    code = "provider_refused"


class UnknownAtProvider(ProviderRefused):
    """The provider knows no such payment, card, customer, …"""

    code = "unknown_at_provider"


class CardDeclined(ProviderError):
    """The bank does not let this card be saved."""

    code = "card_declined"

    def __init__(self, decline: Decline) -> None:
        super().__init__(f"{decline.message} It was not saved: save another card, or let its holder ask the bank")
        self.decline = decline


class BadSignature(ProviderError):
    """A webhook that is not the provider's, or too old, or no webhook at all."""

    code = "bad_signature"


class Provider(Protocol):
    """A payment provider. Every method may raise ProviderUnavailable and ProviderRefused; safe to call from threads."""

    name: str  # as events and methods name it: "stripe"

    def check_amount(self, amount: Decimal, currency: str) -> None:
        """Without asking anybody. Raises Invalid `invalid_amount`, Refused `amount_too_small`."""
        ...

    def unit(self, currency: str) -> Decimal:
        """The smallest step of an amount that can be said to it: 0.01, or 1."""
        ...

    def create_customer(self, account_id: str, key: str) -> str:
        """The provider's name for the account."""
        ...

    def account_of(self, customer: str) -> str:
        """The account that a customer was created for; empty for one that is not ours."""
        ...

    def start_setup(self, customer: str, account_id: str, return_url: str, key: str) -> Setup:
        """A page where a card is saved; it returns to `return_url` with `session=SESSION_ID` added to its query."""
        ...

    def read_setup(self, session_id: str) -> Setup: ...

    def attach(self, customer: str, token: str, key: str) -> Card:
        """Save a card for charges without the customer; the answer's token is the one to charge.

        Raises CardDeclined; ProviderRefused `authentication_required` where the bank asks for the customer at saving.
        """
        ...

    def read_card(self, token: str) -> Card | None:
        """A saved card as it is now; None when it is detached."""
        ...

    def detach(self, token: str) -> None:
        """A second time does nothing."""
        ...

    def create_payment(
        self, account_id: str, customer: str, of: str, amount: Decimal, currency: str, key: str
    ) -> PaymentState:
        """Unconfirmed: nothing is asked of the bank yet."""
        ...

    def confirm(self, payment_id: str, token: str, present: bool, return_url: str, key: str) -> PaymentState:
        """Ask the bank for the money. A decline is a state, not an exception.

        `present`: the customer is there and may be sent to the bank's page, which returns to `return_url`.
        """
        ...

    def read_payment(self, payment_id: str) -> PaymentState: ...

    def find_payment(self, customer: str, of: str, since: int) -> PaymentState | None:
        """The payment of a recharge or purchase, by what was written on it; created at `since` or later."""
        ...

    def cancel(self, payment_id: str, key: str) -> PaymentState:
        """For good; then read back: `succeeded` where it was too late."""
        ...

    def refund(self, payment_id: str, amount: Decimal, currency: str, of: str, key: str) -> RefundState: ...

    def read_refund(self, refund_id: str) -> RefundState: ...

    def refunds_of(self, payment_id: str) -> list[RefundState]:
        """All of a payment's, whoever made them, oldest first."""
        ...

    def read_dispute(self, dispute_id: str) -> DisputeState: ...

    def disputes_of(self, payment_id: str) -> list[DisputeState]: ...

    def open_event(self, body: bytes, signature: str, now: int) -> ProviderEvent:
        """Checks signature and age. Raises BadSignature."""
        ...

    def charged(self, payment_id: str) -> Charged | None:
        """One payment as the ledger has it; None where it has taken nothing, or is not known."""
        ...

    def ledger(self, customer: str | None, since: int | None, until: int | None) -> Iterator[Charged]:
        """Payments that succeeded, of one customer or of all, created in [since, until), newest first."""
        ...
