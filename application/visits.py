"""A customer follows a link of ours, and comes back from the provider's page: what is to be done is decided anew each
time, from the account and from what the provider says, so an old link does no harm.
"""

from typing import NamedTuple

from application.appending import Appender
from application.cards import save_card, setup_url
from application.links import SETUP, Links, Token
from application.payments import Provider
from application.work import Advancing
from domain.account import CreditAccount
from domain.by import By
from domain.errors import Refused
from domain.payment_state import ACTION_REQUIRED, PROCESSING, TRYING, Payment


class Link(NamedTuple):
    """What a link leads to now. `url`: go on there; empty: show what `state` says.

    `state`: open (go on) | done (the card is saved, the money has come) | processing (the bank takes its time) |
    failed (`message` says why) | ended (there is nothing to confirm any more, and nothing is charged).
    """

    kind: str  # setup | pay
    account: str
    state: str
    url: str = ""
    message: str = ""


class Visits:
    """Over one store and one provider."""

    def __init__(self, appender: Appender, advancing: Advancing, provider: Provider | None, links: Links) -> None:
        self._appender, self._advancing, self._provider, self._links = appender, advancing, provider, links

    def open_link(self, by: By, token: str) -> Link:
        """The customer follows our link. Raises NotFound `unknown_link`, Refused `no_provider`, ProviderUnavailable."""
        read = self._links.read(token)
        if read.kind == SETUP:
            return self._start_setup(by, read)
        account = self._appender.load(read.account)
        payment = account.payments.get(read.of)
        if payment is not None and _waits(payment, by):
            state = self._ask().read_payment(payment.payment_id)
            if state.action_url:
                return Link(read.kind, read.account, "open", state.action_url)
            if state.state == "requires_action":
                self._advancing.attempt(by, account, payment.of, present=True)
            else:
                self._advancing.book(by, account, payment, state)
        return self._standing(by, read)

    def returned(self, by: By, token: str, session: str = "") -> Link:
        """The provider has sent the customer back; `session`: of the page where a card is saved."""
        read = self._links.read(token)
        if read.kind == SETUP:
            return self._finish_setup(by, read, session)
        account = self._appender.load(read.account)
        payment = account.payments.get(read.of)
        if payment is not None and payment.present and payment.state in (ACTION_REQUIRED, PROCESSING):
            self._advancing.settle(by, account, payment)
        return self._standing(by, read)

    def _standing(self, by: By, read: Token) -> Link:
        """How the payment stands, and where the bank waits for the customer."""
        account = self._appender.load(read.account)
        payment = account.payments.get(read.of)
        if payment is None or payment.cancelling:
            return self._over(account, read)
        if _waits(payment, by):
            state = self._ask().read_payment(payment.payment_id)
            if state.action_url:
                return Link(read.kind, read.account, "open", state.action_url)
        if payment.state in (TRYING, PROCESSING):
            return Link(read.kind, read.account, "processing", "", "the bank works on the payment")
        if payment.state == ACTION_REQUIRED:
            return Link(read.kind, read.account, "ended", "", "the time to confirm it is over; nothing is charged")
        return Link(read.kind, read.account, "failed", "", payment.message or "the payment was not made")

    def _over(self, account: CreditAccount, read: Token) -> Link:
        """Of a recharge only the provider knows by its id whether it brought money."""
        provider, purchase = self._ask(), account.purchases.get(read.of)
        if purchase is not None:
            paid, message = purchase.state == "succeeded", purchase.message
        else:
            customer = account.customers.get(provider.name)
            found = provider.find_payment(customer, read.of, account.opened_at) if customer else None
            paid, message = found is not None and found.state == "succeeded", ""
        if paid:
            return Link(read.kind, read.account, "done", "", "the payment has come")
        return Link(read.kind, read.account, "ended", "", message or "there is nothing to pay any more")

    def _start_setup(self, by: By, read: Token) -> Link:
        if self._appender.load(read.account).closed:
            return Link(SETUP, read.account, "ended", "", "the account is closed")
        url = setup_url(self._appender, by, read.account, self._ask(), self._links)
        return Link(SETUP, read.account, "open", url)

    def _finish_setup(self, by: By, read: Token, session: str) -> Link:
        if not session:
            return Link(SETUP, read.account, "ended", "", "no card was saved")
        setup = self._ask().read_setup(session)
        if setup.account != read.account or setup.state == "expired":
            return Link(SETUP, read.account, "ended", "", "the page is out of date; no card was saved")
        if setup.card is None:
            return Link(SETUP, read.account, "open", setup.url)
        save_card(self._appender, by, read.account, self._ask(), setup.customer, setup.card)
        return Link(SETUP, read.account, "done", "", f"the card {setup.card.brand} …{setup.card.last4} is saved")

    def _ask(self) -> Provider:
        if self._provider is None:
            raise Refused("no_provider", "no payment provider is set up: set COMMCREDITS_STRIPE_API_KEY")
        return self._provider


def _waits(payment: Payment, by: By) -> bool:
    return payment.state == ACTION_REQUIRED and not payment.cancelling and payment.until > by.now
