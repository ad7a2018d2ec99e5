"""What the sandbox can be told beside Stripe's API: `POST /_control/NAME` with its parameters as JSON, or in process.

Each public method is one such name. `customer` is Stripe's id, or any value that the customer's metadata holds, such as
the account's id.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from commcredits.sandbox.stripe import disputes, payments, refunds, setups
from commcredits.sandbox.stripe.api import Api
from commcredits.sandbox.stripe.cards import SUCCEEDED, answer_of
from commcredits.sandbox.stripe.customers import renew
from commcredits.sandbox.stripe.errors import missing
from commcredits.sandbox.stripe.faults import Fault, Faults
from commcredits.sandbox.stripe.ledger import ledger
from commcredits.sandbox.stripe.state import Object, State
from commcredits.sandbox.stripe.webhooks import Webhooks


class Control:
    """All of it."""

    def __init__(self, state: State, api: Api, faults: Faults, webhooks: Webhooks) -> None:
        self._state, self._api, self._faults, self._webhooks = state, api, faults, webhooks

    def card_answers(self, customer: str, answers: Sequence[Any], always: Any = None) -> None:
        """What that customer's cards answer to the next charges, in turn; `always`: and after those.

        An answer is `succeeded`, `processing`, `authentication_required`, a decline code such as `insufficient_funds`,
        or `{"decline_code", "advice_code"}`.
        """
        with self._state.lock:
            known = self._customer(customer)
            self._state.answers[known] = [answer_of(each) for each in answers]
            if always is None:
                self._state.always.pop(known, None)
            else:
                self._state.always[known] = answer_of(always)

    def fault(
        self, kind: str, count: int = 1, path: str = "*", method: str = "POST", seconds: float = 0, skip: int = 0
    ) -> None:
        """The next `count` requests that match, after the first `skip`, are spoiled.

        `kind` is one of faults.KINDS: rate_limit, lock_timeout, error_before, error_after, cut_before or cut_after (the
        work), delay or late (by `seconds`). `path` may be such as `/v1/payment_intents/*/confirm`, `method` `*`.
        """
        self._faults.add(Fault(kind, count, path, method, seconds, skip))

    def latency(self, seconds: float, rate_limit_every: int = 0) -> None:
        """Every answer takes so long, and every so many-th POST is answered 429."""
        self._faults.latency_seconds = seconds
        self._faults.rate_limit_every(rate_limit_every)

    def faults_left(self) -> int:
        """How many faults have still to come to their end."""
        return self._faults.left()

    def clear_faults(self) -> None:
        """All goes well again."""
        self._faults.clear()

    def forget_keys(self) -> None:
        """Idempotency keys keep nothing, as after a day."""
        self._api.forget_keys()

    def advance_clock(self, seconds: int) -> None:
        """The sandbox's clock goes forward: `created`, what expires, idempotency keys."""
        with self._state.lock:
            self._state.clock_offset_seconds += seconds

    def payment(self, payment: str) -> Object:
        """A payment as it is."""
        with self._state.lock:
            return dict(self._state.get("payment_intent", payment))

    def authenticate(self, payment: str, succeed: bool = True) -> Object:
        """The customer confirms with the bank, or cannot: what the page of 3-D Secure does."""
        with self._state.lock:
            intent = self._state.get("payment_intent", payment)
            payments.authenticated(self._state, intent, succeed)
            return dict(intent)

    def save_card(self, session: str, card: str = "pm_card_visa") -> Object:
        """The customer saves a card on the page of a Checkout Session; with the bank where it asks."""
        with self._state.lock:
            opened = self._state.get("checkout.session", session)
            setup = setups.choose_card(self._state, opened, card)
            setups.setup_authenticated(self._state, setup, True)
            setups.finish_session(self._state, opened)
            return dict(opened)

    def settle(self, payment: str, answer: Any = SUCCEEDED) -> Object:
        """A payment that is processing comes to its end."""
        with self._state.lock:
            return dict(payments.settle(self._state, self._state.get("payment_intent", payment), answer_of(answer)))

    def refunds_are(self, status: str) -> None:
        """What refunds are at first: `succeeded` or `pending`."""
        with self._state.lock:
            self._state.refund_status = status

    def settle_refund(self, refund: str, status: str, reason: str = "unknown") -> Object:
        """A refund comes to its end: `succeeded`, `failed` (also after it had succeeded) or `canceled`."""
        with self._state.lock:
            return dict(refunds.settle(self._state, self._state.get("refund", refund), status, reason))

    def refund(self, payment: str, amount: int | None = None) -> Object:
        """A refund made in the dashboard: without our metadata. The amount in minor units; None: what is left."""
        with self._state.lock:
            chosen = {} if amount is None else {"amount": amount}
            return dict(refunds.create(self._state, {"payment_intent": payment, **chosen}))

    def open_dispute(
        self, payment: str, amount: int | None = None, reason: str = "fraudulent", inquiry: bool = False
    ) -> Object:
        """The bank takes a payment back for now; an inquiry moves no money."""
        with self._state.lock:
            intent = self._state.get("payment_intent", payment)
            charge = self._state.get("charge", intent["latest_charge"] or "")
            return dict(disputes.open_dispute(self._state, charge, amount, reason, inquiry))

    def move_dispute(self, dispute: str, status: str) -> Object:
        """A dispute goes on: `under_review`, `won`, `lost`, `warning_closed`."""
        with self._state.lock:
            return dict(disputes.move_dispute(self._state, self._state.get("dispute", dispute), status))

    def renew_card(self, payment_method: str, exp_month: int, exp_year: int, last4: str = "") -> Object:
        """The bank has given the customer a new card: `payment_method.automatically_updated`."""
        with self._state.lock:
            method = self._state.get("payment_method", payment_method)
            details: Object = {"exp_month": exp_month, "exp_year": exp_year} | ({"last4": last4} if last4 else {})
            renew(self._state, method, details, "payment_method.automatically_updated")
            return dict(method)

    def webhook(self, url: str, secrets: Sequence[str] = ()) -> None:
        """Where events go; `secrets`: what they are signed with, several while one is being rolled."""
        self._webhooks.url = url
        if secrets:
            self._webhooks.secrets = list(secrets)

    def webhooks(self, times: int = 1, delay_seconds: float = 0, hold: bool = False) -> None:
        """Each event is sent so often, so late, or held back until `release_webhooks`."""
        self._webhooks.times, self._webhooks.delay_seconds, self._webhooks.held = times, delay_seconds, hold

    def release_webhooks(self, reverse: bool = False) -> int:
        """Send what was held back, the last first if `reverse`; answers how many."""
        return self._webhooks.release(reverse)

    def resend(self, event: str) -> None:
        """Send an event again."""
        with self._state.lock:
            self._webhooks.on_event(self._state.get("event", event))

    def deliveries(self) -> list[dict[str, Any]]:
        """Every try to deliver a webhook: `{"event_id", "kind", "status"}`."""
        return [each._asdict() for each in self._webhooks.deliveries]

    def requests(self) -> list[dict[str, Any]]:
        """The API's last requests: `{"method", "path", "params", "key", "status"}`; status 0: no answer went back."""
        return [each._asdict() for each in list(self._api.requests)]

    def ledger(self) -> list[dict[str, Any]]:
        """Every successful charge, the oldest first: see ledger.py."""
        with self._state.lock:
            return ledger(self._state)

    def _customer(self, which: str) -> str:
        for customer in self._state.newest("customer"):
            if which == customer["id"] or which in customer["metadata"].values():
                return str(customer["id"])
        raise missing("customer", which, "customer")
