"""Paying while somebody waits: payment methods, one-time top-ups, refunds, the customer's links, the provider's webhooks.

Each reads load -> decide -> append -> ask the provider -> append. What the provider does not answer in time, `work`
finishes; the key under which it is asked makes sure that it is done once.
"""

from decimal import Decimal
from typing import NamedTuple

from domain.account import CreditAccount
from domain.commands import By


class Bought(NamedTuple):
    """`state`: succeeded | processing | requires_action | failed. `failure`: why it failed, as an admin may be told."""

    account: CreditAccount
    purchase: str
    state: str
    amount: Decimal
    balance: Decimal
    action_url: str  # empty where no action is required
    failure: str  # empty where it did not fail
    reachable: bool  # False: the provider did not answer; `work` finishes it


class Refunded(NamedTuple):
    """`state`: processing | succeeded | failed."""

    account: CreditAccount
    refund: str
    lot: str
    amount: Decimal
    balance: Decimal
    state: str
    failure: str
    reachable: bool


class Link(NamedTuple):
    """What a link leads to now. `url`: go on there; empty: show what `state` says.

    `state`: open (go on) | done (the card is saved, the money has come) | processing (the bank takes its time) |
    failed (`message` says why) | ended (there is nothing to confirm any more).
    """

    kind: str  # setup | pay
    account: str
    state: str
    url: str
    message: str


class Paying:
    """Use cases over one store and one provider (None: no provider is set up, only invoices)."""

    def buy(self, by: By, account_id: str, amount: Decimal, method: str = "", key: str = "") -> Bought:
        """A one-time top-up. `method`: empty means the default one.

        Raises Refused `no_payment_method`, `key_conflict`, `below_minimum`, `no_provider`; NotFound `unknown_method`;
        Invalid `invalid_amount`.
        """
        raise NotImplementedError

    def refund(self, by: By, account_id: str, lot: str, amount: Decimal | None = None, key: str = "") -> Refunded:
        """Of a lot, None: all that is left of it. Raises Refused, NotFound, Invalid as `request_refund`."""
        raise NotImplementedError

    def add_card(self, by: By, account_id: str, token: str) -> tuple[CreditAccount, str]:
        """Save a card that the provider knows by `token`; answers the method. Raises Refused `card_declined`,
        `authentication_required` (use a link); ProviderUnavailable.
        """
        raise NotImplementedError

    def add_link(self, by: By, account_id: str) -> str:
        """The provider's page where the customer saves a card. Raises ProviderUnavailable."""
        raise NotImplementedError

    def add_invoice(self, by: By, account_id: str, agreement: str, purchase_order: str) -> tuple[CreditAccount, str]:
        """Pays by invoice under an agreement; answers the method."""
        raise NotImplementedError

    def default(self, by: By, account_id: str, method: str) -> CreditAccount:
        """The method that pays where none is named. Raises NotFound `unknown_method`."""
        raise NotImplementedError

    def remove(self, by: By, account_id: str, method: str) -> CreditAccount:
        """Forget a method, at the provider too. Raises NotFound `unknown_method`."""
        raise NotImplementedError

    def webhook(self, body: bytes, signature: str) -> None:
        """What the provider tells: its state is asked for and booked. Raises BadSignature, ProviderUnavailable."""
        raise NotImplementedError

    def open_link(self, by: By, token: str) -> Link:
        """The customer follows our link. Raises NotFound `unknown_link`, ProviderUnavailable."""
        raise NotImplementedError

    def returned(self, by: By, token: str, session: str = "") -> Link:
        """The provider has sent the customer back (query `back=1`; `session`: of a saved card)."""
        raise NotImplementedError

    def action_url(self, account_id: str, of: str) -> str:
        """Our link for the customer to confirm a payment."""
        raise NotImplementedError
