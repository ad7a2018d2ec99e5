"""Paying while somebody waits: payment methods, one-time top-ups, refunds, money that came by another way.

Each reads load -> decide -> append -> ask the provider -> append. What the provider does not answer in time, `work`
finishes; the key under which it is asked makes sure that it is done once. Links and webhooks: customers.py.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from typing import NamedTuple

from application.administration import FundsResult
from application.appending import Appender
from application.cards import for_customer, save_card, setup_url
from application.claims import Claim, Claims
from application.links import PAY, Links
from application.payments import KEY_REFUSED, Card, Provider, ProviderRefused, ProviderUnavailable
from application.work import Advancing
from domain import methods
from domain.account import CreditAccount
from domain.by import By
from domain.errors import DomainError, Refused
from domain.events import Event, FundsAdded
from domain.funding import Funds, add_funds
from domain.parts import PURCHASES
from domain.payment_state import CARD, INVOICE, NEW, PROCESSING, TRYING
from domain.purchases import purchase_by_key, request_purchase
from domain.recharge import Policy
from domain.refunds import refund_by_key, request_refund

FOREGROUND_SECONDS = 10.0  # how long `work` leaves to us what somebody waits for
_STATES = {"requested": "processing", "sent": "processing"}


class Bought(NamedTuple):
    """`state`: succeeded | processing | requires_action | failed."""

    account: CreditAccount
    purchase: str
    state: str
    amount: Decimal
    balance: Decimal
    action_url: str  # our link for the customer to confirm it; empty where no action is required
    failure: str  # a code, as an admin may be told; empty where it did not fail
    message: str  # the same as a sentence, or why the provider could not be asked
    reachable: bool  # False: the provider did not answer, or not to our key; `work` finishes it


class Refunded(NamedTuple):
    """`state`: processing | succeeded | failed."""

    account: CreditAccount
    refund: str
    lot: str
    amount: Decimal
    balance: Decimal
    state: str
    failure: str
    message: str  # why the provider could not be asked
    reachable: bool


class Paying:
    """Use cases over one store and one provider (None: none is set up, and only invoices can be)."""

    def __init__(
        self, appender: Appender, advancing: Advancing, provider: Provider | None, links: Links, claims: Claims,
        policy: Policy,
    ) -> None:  # fmt: skip
        self._appender, self._advancing, self._provider = appender, advancing, provider
        self._links, self._claims, self._policy = links, claims, policy

    def buy(self, by: By, account_id: str, amount: Decimal, method: str = "", key: str = "") -> Bought:
        """A one-time top-up, of an amount at the account's scale. `method`: empty means the default one.

        Raises Refused `no_payment_method`, `key_conflict`, `below_minimum`, `amount_too_small`, `no_provider`;
        NotFound `unknown_method`; Invalid `invalid_amount`.
        """

        def decide(account: CreditAccount) -> list[Event]:
            events = request_purchase(account, by, amount, method, key, self._policy.minimum)
            if events and methods.paying_method(account, method).kind == CARD:
                self.provider().check_amount(amount, account.currency)
            return events

        with self._claimed(account_id):
            account, _ = self._appender.append(account_id, decide)
            known = purchase_by_key(account, key)
            purchase_id = known.id if known is not None else list(account.purchases)[-1]
            trouble = self._advance(by, account_id, purchase_id)
        account = self._appender.load(account_id)
        purchase = account.purchases[purchase_id]
        waits = purchase.state == "requires_action"
        return Bought(
            account,
            purchase_id,
            purchase.state,
            purchase.amount,
            account.balance,
            self._links.url(PAY, account_id, purchase_id) if waits else "",
            purchase.failure,
            purchase.message or trouble,
            not trouble,
        )

    def refund(self, by: By, account_id: str, lot: str, amount: Decimal | None = None, key: str = "") -> Refunded:
        """Of a lot, None: all that is left of it. Raises Refused, NotFound, Invalid as `request_refund`; Refused
        `no_provider`.
        """

        def decide(account: CreditAccount) -> list[Event]:
            unit = None if self._provider is None else self._provider.unit(account.currency)
            events = request_refund(account, by, lot, amount, key, unit)
            if events:
                self.provider()
            return events

        with self._claimed(account_id):
            account, _ = self._appender.append(account_id, decide)
            known = refund_by_key(account, key)
            refund_id = known.id if known is not None else list(account.refunds)[-1]
            trouble = self._advance(by, account_id, refund_id)
        account = self._appender.load(account_id)
        refund = account.refunds[refund_id]
        state = _STATES.get(refund.state, refund.state)
        return Refunded(
            account, refund_id, lot, refund.amount, account.balance, state, refund.code, trouble, not trouble
        )

    def add_funds(self, by: By, account_id: str, funds: Funds) -> FundsResult:
        """Money that came by another way. What a provider works on for the same thing is cancelled there first.

        Raises as `domain.funding.add_funds`: Refused `recharge_in_progress` where it cannot be cancelled any more.
        """
        cancelled = self._cancel(by, account_id, funds)
        account, events = self._appender.append(account_id, lambda account: add_funds(account, by, funds, cancelled))
        added = next((event for event in events if isinstance(event, FundsAdded)), None)
        lot = added.lot if added is not None else account.references[funds.reference][0]
        return FundsResult(account, lot, funds.amount, added is None)

    def _cancel(self, by: By, account_id: str, funds: Funds) -> bool:
        """Whether the provider's payment for what this money is for was read back cancelled."""
        account = self._appender.load(account_id)
        payment = account.payments.get(funds.recharge_id or funds.purchase_id)
        if payment is None or payment.state == NEW or self._provider is None:
            return False
        add_funds(account, by, funds, cancelled=True)  # raises what is wrong with it, before anything is cancelled
        if funds.reference in account.references:
            return False
        state = self._advancing.cancel_at_provider(payment)
        if state.state == "succeeded":
            self._advancing.book(by, account, payment, state)
        return state.state == "canceled"

    def check_amount(self, account_id: str, amount: Decimal, method: str = "", field: str = "amount") -> None:
        """Whether the card that would pay can be charged so. Raises Refused `amount_too_small`, `amount_too_large`.

        `field`: the option that the amount comes from.
        """
        account = self._appender.load(account_id)
        chosen = account.methods.get(method or account.default_method)
        if self._provider is not None and (chosen is None or chosen.kind == CARD):
            try:
                self._provider.check_amount(amount, account.currency)
            except DomainError as error:
                error.field = field
                raise

    def add_card(self, by: By, account_id: str, token: str) -> tuple[CreditAccount, str]:
        """Save a card that the provider knows by `token`; answers the method.

        Raises CardDeclined; ProviderRefused `authentication_required` (a link is needed); ProviderUnavailable; Refused
        `account_closed`.
        """

        def attach(account: CreditAccount, customer: str) -> tuple[str, Card]:
            # the same card may be added, removed and added again: each time is another question to the provider
            key = f"{account_id}:attach:{account.version}:{token}"
            return customer, self.provider().attach(customer, token, key)

        customer, card = for_customer(self._appender, by, account_id, self.provider(), attach)
        return save_card(self._appender, by, account_id, self.provider(), customer, card)

    def add_link(self, by: By, account_id: str) -> str:
        """The provider's page where the customer saves a card.

        Raises Refused `no_provider`, `account_closed`; ProviderUnavailable.
        """
        return setup_url(self._appender, by, account_id, self.provider(), self._links)

    def add_invoice(
        self, by: By, account_id: str, agreement: str, purchase_order: str = ""
    ) -> tuple[CreditAccount, str]:
        """Pays by invoice under an agreement; answers the method."""
        account, _ = self._appender.append(
            account_id, lambda account: methods.add_invoice(account, by, agreement, purchase_order)
        )
        wanted = (INVOICE, agreement, purchase_order)
        return account, next(
            m.id for m in account.methods.values() if (m.kind, m.agreement, m.purchase_order) == wanted
        )

    def default(self, by: By, account_id: str, method: str) -> CreditAccount:
        """The method that pays where none is named. Raises NotFound `unknown_method`."""
        return self._appender.append(account_id, lambda account: methods.default_method(account, by, method))[0]

    def remove(self, by: By, account_id: str, method: str) -> CreditAccount:
        """Forget a method; a card at the provider too, unless a charge under way is bound to it.

        Raises NotFound `unknown_method`, ProviderUnavailable.
        """
        account = self._appender.load(account_id)
        found = methods.paying_method(account, method)
        bound = {payment.method for payment in account.payments.values() if payment.state in (TRYING, PROCESSING)}
        if found.kind == CARD and method not in bound:
            self.provider().detach(found.token)

        def decide(account: CreditAccount) -> list[Event]:
            # the provider tells of it, too: whoever heard of that may have been first
            return methods.remove_method(account, by, method) if method in account.methods else []

        return self._appender.append(account_id, decide)[0]

    def action_url(self, account_id: str, of: str) -> str:
        """Our link for the customer to confirm a payment."""
        return self._links.url(PAY, account_id, of)

    def provider(self) -> Provider:
        """Raises Refused `no_provider` where none is set up."""
        if self._provider is None:
            text = "no payment provider is set up: set COMMCREDITS_STRIPE_API_KEY, or pay by invoice"
            raise Refused("no_provider", text)
        return self._provider

    def _advance(self, by: By, account_id: str, of: str) -> str:
        """Why the provider could not be asked, empty where it was: what is begun is on the log, so it is no error."""
        try:
            self._advancing.advance(by, account_id, PURCHASES, of)
        except ProviderUnavailable as error:
            return str(error)
        except ProviderRefused as refused:
            if refused.code != KEY_REFUSED:
                raise
            return str(refused)
        return ""

    @contextmanager
    def _claimed(self, account_id: str) -> Iterator[None]:
        """`work` leaves it to us; where it is at it already, both go on, and each step is done by one of them."""
        claim = Claim(account_id, PURCHASES)
        self._claims.take([claim], FOREGROUND_SECONDS)
        try:
            yield
        finally:
            self._claims.release([claim])
