"""Stripe behind the port, by its official library.

How a request is sent, and what becomes of an answer that is lost, is in stripe_asking.py; objects.py reads what Stripe
answers.
"""

from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

import msgspec
import stripe
from stripe import RequestsClient, StripeClient

from adapters.payments import objects
from adapters.payments.declines import AUTHENTICATION
from adapters.payments.minor_units import check_charge, decimals, to_minor
from adapters.payments.signature import check_signature
from adapters.payments.stripe_asking import NAME, Asking, under
from adapters.payments.stripe_errors import error_object, is_of_other_mode, told_again
from application.payments import (
    BadSignature,
    Card,
    Charged,
    Decline,
    DisputeState,
    PaymentState,
    ProviderEvent,
    ProviderRefused,
    RefundState,
    Setup,
    UnknownAtProvider,
)
from domain.money import ZERO

if TYPE_CHECKING:
    from stripe import PaymentIntent, SetupIntent
    from stripe.params import (
        PaymentIntentConfirmParams,
        PaymentIntentListParams,
        PaymentIntentListParamsCreated,
    )

CONNECT_SECONDS: Final = 5.0
READ_SECONDS: Final = 30.0  # a bank may take its time
RETRIES: Final = 2  # the library's own
CLOCKS_DIFFER_SECONDS: Final = 86_400  # ours may be this far ahead of the provider's
_PAGE: Final = 100
_SECOND: Final = 1_000_000
_CARD: Final = "card"  # the option that names what is attached
_CARD_FIELDS: Final = {"payment_method": _CARD, "": _CARD}  # of an error that names no parameter nothing else is ours
_CARD_GONE: Final = Decline("card_gone", "", True, "The card is no longer saved with the payment provider.")

# process-wide in the library: it would tell Stripe about this machine, and write a file to the user's home for it
stripe.enable_telemetry = False


class Stripe:
    """One Stripe account. `webhook_secrets`: several while one is being rolled. Safe to call from threads."""

    name: str = NAME

    def __init__(
        self,
        api_key: str,
        api_base: str,
        webhook_secrets: Sequence[str] = (),
        *,
        read_seconds: float = READ_SECONDS,
        retries: int = RETRIES,
    ) -> None:
        self._secrets, self._asking = tuple(webhook_secrets), Asking(api_base)
        client = StripeClient(
            api_key,
            base_addresses={"api": api_base.rstrip("/")},
            max_network_retries=retries,
            http_client=RequestsClient(timeout=(CONNECT_SECONDS, read_seconds)),
        )
        self._v1 = client.v1

    def check_amount(self, amount: Decimal, currency: str) -> None:
        """Raises Invalid `invalid_amount`, Refused `amount_too_small`, `amount_too_large`."""
        check_charge(amount, currency)

    def unit(self, currency: str) -> Decimal:
        """0.01, or 1 where the currency has no minor unit that Stripe charges."""
        return Decimal(1).scaleb(-decimals(currency))

    def create_customer(self, account_id: str, key: str) -> str:
        """A second one of the same account does no harm: nothing is charged to it."""
        return self._asking.write(
            key,
            lambda options: self._v1.customers.create(
                {"description": account_id, "metadata": {"account": account_id}}, options
            ),
            lambda customer: str(customer.id),
        )

    def account_of(self, customer: str) -> str:
        """By the metadata that `create_customer` wrote; empty for another's, or a deleted one."""
        try:
            with self._asking():
                found = self._v1.customers.retrieve(customer).to_dict()
        except UnknownAtProvider:
            return ""
        account: str = (found.get("metadata") or {}).get("account", "")
        return account

    def start_setup(self, customer: str, account_id: str, return_url: str, key: str) -> Setup:
        """A page of Stripe Checkout; what it saves is for charges off-session."""
        returns = f"{return_url}{'&' if '?' in return_url else '?'}session={{CHECKOUT_SESSION_ID}}"
        return self._asking.write(
            key,
            lambda options: self._v1.checkout.sessions.create(
                {
                    "mode": "setup",
                    "customer": customer,
                    "payment_method_types": ["card"],
                    "success_url": returns,
                    "cancel_url": return_url,
                    "client_reference_id": account_id,
                    "metadata": {"account": account_id},
                },
                options,
            ),
            lambda session: objects.setup_of(session.to_dict()),
        )

    def read_setup(self, session_id: str) -> Setup:
        """With its card when complete."""
        with self._asking():
            session = self._v1.checkout.sessions.retrieve(session_id, {"expand": ["setup_intent.payment_method"]})
        return objects.setup_of(session.to_dict())

    def attach(self, customer: str, token: str, key: str) -> Card:
        """By a SetupIntent for use off-session: without it European banks ask for 3-D Secure at every charge."""
        return self._asking.write(
            key,
            lambda options: self._v1.setup_intents.create(
                {
                    "customer": customer,
                    "payment_method": token,
                    "payment_method_types": ["card"],
                    "usage": "off_session",
                    "confirm": True,
                    "expand": ["payment_method"],
                },
                options,
            ),
            _saved,
            fields=_CARD_FIELDS,
        )

    def read_card(self, token: str) -> Card | None:
        """None also for one that Stripe does not know."""
        try:
            with self._asking():
                method = self._v1.payment_methods.retrieve(token).to_dict()
        except UnknownAtProvider:
            return None
        return objects.card_of(method) if method.get("customer") else None

    def detach(self, token: str) -> None:
        """Stripe refuses a second time; that it is gone is all that is asked for."""
        try:
            with self._asking():
                self._v1.payment_methods.detach(token)
        except ProviderRefused:
            if self.read_card(token) is not None:
                raise

    def create_payment(
        self, account_id: str, customer: str, of: str, amount: Decimal, currency: str, key: str
    ) -> PaymentState:
        """A PaymentIntent, for cards alone, named by its metadata. Raises Invalid, Refused for the amount."""
        check_charge(amount, currency)
        return self._asking.write(
            key,
            lambda options: self._v1.payment_intents.create(
                {
                    "amount": to_minor(amount, currency),
                    "currency": currency.lower(),
                    "customer": customer,
                    "payment_method_types": ["card"],
                    "description": of,
                    "metadata": {"account": account_id, "of": of},
                },
                options,
            ),
            lambda intent: objects.payment_of(intent.to_dict()),
            lambda: self._find(customer, of, None),
        )

    def confirm(self, payment_id: str, token: str, present: bool, return_url: str, key: str) -> PaymentState:
        """An answer that is told once more may be out of date: then the payment is read."""
        params: PaymentIntentConfirmParams = {
            "payment_method": token,
            "off_session": not present,
            "expand": ["latest_charge"],
        }
        if return_url:
            params["return_url"] = return_url
        with self._asking():
            try:
                return under(
                    key,
                    lambda options: self._v1.payment_intents.confirm(payment_id, params, options),
                    self._confirmed,
                    lambda: self._moved_on(payment_id),
                )
            except stripe.CardError as error:
                intent = error_object(error).get("payment_intent")
                return (
                    self.read_payment(payment_id)
                    if told_again(error.headers) or not intent
                    else objects.payment_of(intent)
                )
            except stripe.InvalidRequestError as error:
                if error.code == "payment_intent_unexpected_state":  # it has ended, or is on its way
                    return self.read_payment(payment_id)
                if error.param == "payment_method" and not is_of_other_mode(error):
                    return self.read_payment(payment_id)._replace(state="declined", decline=_CARD_GONE)
                raise

    def _confirmed(self, intent: "PaymentIntent") -> PaymentState:
        response = intent.last_response
        if response is not None and told_again(response.headers):
            return self.read_payment(intent.id)
        return objects.payment_of(intent.to_dict())

    def _moved_on(self, payment_id: str) -> PaymentState | None:
        """A payment whose confirmation answered 500, where it was done all the same."""
        state = self.read_payment(payment_id)
        return state if state.state in ("succeeded", "processing", "canceled") or state.action_url else None

    def read_payment(self, payment_id: str) -> PaymentState:
        """By its id."""
        with self._asking():
            intent = self._v1.payment_intents.retrieve(payment_id, {"expand": ["latest_charge"]})
        return objects.payment_of(intent.to_dict())

    def find_payment(self, customer: str, of: str, since: int) -> PaymentState | None:
        """By listing, which is consistent at once (the search is not)."""
        return self._find(customer, of, since)

    def _find(self, customer: str, of: str, since: int | None) -> PaymentState | None:
        start = None if since is None else max(0, since - CLOCKS_DIFFER_SECONDS * _SECOND)
        for intent in self._intents(customer, start, None):
            if (intent.get("metadata") or {}).get("of") == of:
                return objects.payment_of(intent)
        return None

    def cancel(self, payment_id: str, key: str) -> PaymentState:
        """What Stripe answers to it is not looked at, only what the payment then is."""
        try:
            self._asking.write(
                key,
                lambda options: self._v1.payment_intents.cancel(
                    payment_id, {"cancellation_reason": "abandoned"}, options
                ),
                lambda intent: None,
                lambda: self._ended(payment_id),
            )
        except UnknownAtProvider:
            raise
        except ProviderRefused:  # it has ended already, or is on its way
            return self.read_payment(payment_id)
        return self.read_payment(payment_id)

    def _ended(self, payment_id: str) -> PaymentState | None:
        state = self.read_payment(payment_id)
        return state if state.state in ("succeeded", "canceled") else None

    def refund(self, payment_id: str, amount: Decimal, currency: str, of: str, key: str) -> RefundState:
        """Raises ProviderRefused where the payment has not that much left."""
        units = to_minor(amount, currency)
        return self._asking.write(
            key,
            lambda options: self._v1.refunds.create(
                {"payment_intent": payment_id, "amount": units, "metadata": {"of": of}}, options
            ),
            lambda refund: objects.refund_of(refund.to_dict()),
            lambda: next((each for each in self.refunds_of(payment_id) if each.of == of), None),
        )

    def read_refund(self, refund_id: str) -> RefundState:
        """By the provider's id."""
        with self._asking():
            return objects.refund_of(self._v1.refunds.retrieve(refund_id).to_dict())

    def refunds_of(self, payment_id: str) -> list[RefundState]:
        """Oldest first."""
        with self._asking():
            first = self._v1.refunds.list({"payment_intent": payment_id, "limit": _PAGE})
            return [objects.refund_of(each.to_dict()) for each in first.auto_paging_iter()][::-1]

    def read_dispute(self, dispute_id: str) -> DisputeState:
        """By the provider's id."""
        with self._asking():
            dispute = self._v1.disputes.retrieve(dispute_id, {"expand": ["payment_intent"]})
        return objects.dispute_of(dispute.to_dict())

    def disputes_of(self, payment_id: str) -> list[DisputeState]:
        """Oldest first."""
        with self._asking():
            first = self._v1.disputes.list(
                {"payment_intent": payment_id, "limit": _PAGE, "expand": ["data.payment_intent"]}
            )
            return [objects.dispute_of(each.to_dict()) for each in first.auto_paging_iter()][::-1]

    def open_event(self, body: bytes, signature: str, now: int) -> ProviderEvent:
        """Raises BadSignature, also for a body that is signed and no event."""
        check_signature(body, signature, self._secrets, now)
        try:
            return objects.event_of(msgspec.json.decode(body))
        except (msgspec.DecodeError, KeyError, TypeError, AttributeError) as error:
            raise BadSignature("signed, but no event of Stripe's") from error

    def charged(self, payment_id: str) -> Charged | None:
        """By its id."""
        try:
            with self._asking():
                intent = self._v1.payment_intents.retrieve(payment_id, {"expand": ["latest_charge"]})
        except UnknownAtProvider:
            return None
        return self._charged(intent.to_dict()) if intent.status == "succeeded" else None

    def ledger(self, customer: str | None, since: int | None, until: int | None) -> Iterator[Charged]:
        """Newest first; only a disputed payment costs a request of its own."""
        for intent in self._intents(customer, since, until):
            if intent["status"] == "succeeded":
                yield self._charged(intent)

    def _charged(self, intent: dict[str, Any]) -> Charged:
        charged = objects.charged_of(intent)
        if not charged.disputed:
            return charged
        lost = (each.amount for each in self.disputes_of(charged.payment_id) if each.state == "lost")
        return charged._replace(lost=sum(lost, ZERO))

    def _intents(self, customer: str | None, since: int | None, until: int | None) -> Iterator[dict[str, Any]]:
        params: PaymentIntentListParams = {"limit": _PAGE, "expand": ["data.latest_charge"]}
        if customer is not None:
            params["customer"] = customer
        created: PaymentIntentListParamsCreated = {}
        if since is not None:
            created["gte"] = -(-since // _SECOND)
        if until is not None:
            created["lt"] = -(-until // _SECOND)
        if created:
            params["created"] = created
        while True:
            with self._asking():
                page = self._v1.payment_intents.list(params)
            for intent in page.data:
                yield intent.to_dict()
            if not page.has_more:
                return
            params["starting_after"] = page.data[-1].id


def _saved(setup: "SetupIntent") -> Card:
    intent = setup.to_dict()
    if intent["status"] != "succeeded":
        text = "the bank asks for the card's holder before it is saved: use --link, which answers the provider's page"
        raise ProviderRefused(text, AUTHENTICATION, _CARD)
    return objects.card_of(intent["payment_method"])
