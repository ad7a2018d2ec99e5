"""What a provider tells by itself (webhooks): only whom to look up. How it stands is asked for, and then booked.

An event may come twice, late, in any order, or never: `work` asks for what it waits for, too.
"""

import logging
from collections.abc import Callable, Sequence
from typing import Final

from application.accounts import Accounts
from application.appending import Appender
from application.cards import save_card
from application.payments import Provider, ProviderEvent, RefundState, UnknownAtProvider
from application.work import Advancing
from domain import methods, refunds
from domain.account import CreditAccount
from domain.by import By
from domain.errors import NotFound, Refused
from domain.events import Event
from domain.payment_state import TRYING

CHANNEL: Final = "webhook"
_log = logging.getLogger("commcredits.provider_events")


class ProviderEvents:
    """Over one store and one provider. `clock`: microseconds since the epoch."""

    def __init__(
        self, appender: Appender, accounts: Accounts, advancing: Advancing, provider: Provider | None,
        clock: Callable[[], int],
    ) -> None:  # fmt: skip
        self._appender, self._accounts, self._advancing = appender, accounts, advancing
        self._provider, self._clock = provider, clock

    def webhook(self, body: bytes, signature: str) -> None:
        """Open it and take it. Raises what each of them does."""
        self.take(self.open(body, signature))

    def open(self, body: bytes, signature: str) -> ProviderEvent:
        """What it is about, once signature and age are checked. Raises BadSignature; Refused `no_provider`."""
        return self._ask().open_event(body, signature, self._clock())

    def take(self, event: ProviderEvent) -> None:
        """What is not known here changes nothing, and is logged. Raises ProviderUnavailable: take it again later."""
        by = By(self._clock(), self._ask().name, CHANNEL, "", event.id)
        hear = {
            "payment": self._payment,
            "refund": self._refund,
            "dispute": self._dispute,
            "method": self._method,
            "setup": self._setup,
        }.get(event.kind)
        try:
            known = hear is not None and hear(by, event)
        except (UnknownAtProvider, NotFound) as unknown:
            _log.warning("event %s: %s", event.id, unknown)
            return
        if not known:
            _log.info("event %s (%s %s) is none of ours", event.id, event.kind, event.object_id)

    def _payment(self, by: By, event: ProviderEvent) -> bool:
        state = self._ask().read_payment(event.object_id)
        account = self._find(state.account)
        if account is None:
            return False
        payment = account.payments.get(state.of)
        if payment is None or payment.payment_id != state.payment_id:
            return False
        # while a try is under way the payment may still show what came of the one before
        if payment.state != TRYING or state.state in ("succeeded", "processing", "canceled"):
            self._advancing.book(by, account, payment, state)
        return True

    def _refund(self, by: By, event: ProviderEvent) -> bool:
        payment_id = event.object_id
        account = self._find(self._ask().read_payment(payment_id).account)
        if account is None:
            return False
        for state in self._ask().refunds_of(payment_id):
            self._book_refund(by, account, payment_id, state)
        return True

    def _book_refund(self, by: By, account: CreditAccount, payment_id: str, state: RefundState) -> None:
        if state.of:
            if state.of in account.refunds:
                self._advancing.book_refund(by, account, state.of, state)
            return

        def decide(now: CreditAccount) -> Sequence[Event]:
            return refunds.refund_booked(now, by, payment_id, state.refund_id, state.amount)

        account, _ = self._appender.append(account.account_id, decide)
        for refund in account.refunds.values():
            if refund.provider_refund == state.refund_id:
                self._advancing.book_refund(by, account, refund.id, state)

    def _dispute(self, by: By, event: ProviderEvent) -> bool:
        state = self._ask().read_dispute(event.object_id)
        account = self._find(state.account)
        if account is None:
            return False
        fields = (state.dispute_id, state.payment_id, state.state, state.amount)
        for _ in ("opened", "closed"):  # one that is heard of when it is closed is opened first
            self._appender.append(account.account_id, lambda now: refunds.dispute_seen(now, by, *fields))
        return True

    def _method(self, by: By, event: ProviderEvent) -> bool:
        account = self._find(event.account or (event.customer and self._ask().account_of(event.customer)))
        if account is None:
            return False
        method = next((each.id for each in account.methods.values() if each.token == event.object_id), None)
        if method is None:
            return False
        card = self._ask().read_card(event.object_id)
        if card is None:
            self._appender.append(account.account_id, lambda now: methods.remove_method(now, by, method))
        else:
            details = (card.brand, card.last4, card.expires)
            self._appender.append(account.account_id, lambda now: methods.update_method(now, by, method, *details))
        return True

    def _setup(self, by: By, event: ProviderEvent) -> bool:
        setup = self._ask().read_setup(event.object_id)
        account = self._find(setup.account)
        if account is None or setup.card is None:
            return False
        save_card(self._appender, by, account.account_id, self._ask(), setup.customer, setup.card)
        return True

    def _find(self, account_id: str) -> CreditAccount | None:
        if not account_id:
            return None
        self._accounts.evict([account_id])
        return self._accounts.find([account_id]).get(account_id)

    def _ask(self) -> Provider:
        if self._provider is None:
            raise Refused("no_provider", "no payment provider is set up: set COMMCREDITS_STRIPE_API_KEY")
        return self._provider
