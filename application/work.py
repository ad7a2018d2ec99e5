"""What is due on one account, done one step at a time: load -> decide -> append -> ask the provider -> append.

The provider is never asked inside a transaction, and never for anything that is not on the log before: a payment's id
before it is confirmed, a try before it is made. So whatever dies when, the next one who comes knows what may have
happened and asks for it under the same key. Several may work on one account: the account's versions let only one of
them append each step, and the provider's keys do each thing once.
"""

from collections.abc import Callable, Sequence
from typing import Final

from application.appending import Appender
from application.links import PAY, Links
from application.payments import (
    KEY_REFUSED,
    Decline,
    PaymentState,
    Provider,
    ProviderError,
    ProviderRefused,
    ProviderUnavailable,
    RefundState,
    UnknownAtProvider,
)
from domain import payments, refunds
from domain.account import CreditAccount
from domain.by import By
from domain.duties import Duty, duties
from domain.errors import Invalid, Refused
from domain.events import Event
from domain.expiry import expire
from domain.money import ZERO
from domain.months import DAY, SECOND
from domain.parts import part_of
from domain.payment_state import CREATED, NEW, RETRYING, TRYING, Method, Payment, Refund
from domain.payments import Step
from domain.recharge import Policy
from domain.triggers import look_again

MOST_STEPS: Final = 100  # of one turn: whoever is not done by then is looked at again
KEYS_KEPT: Final = 23 * DAY // 24  # how long the provider surely knows a key
Decide = Callable[[CreditAccount], Sequence[Event]]


class Advancing:
    """For one thread. `provider` None: none is set up, and what needs one waits."""

    def __init__(self, appender: Appender, provider: Provider | None, links: Links, policy: Policy) -> None:
        self._appender, self._provider, self._links, self._policy = appender, provider, links, policy

    def advance(self, by: By, account_id: str, part: str, of: str = "") -> bool:
        """All of a part of the work (domain.duties) that is due by `by.now`; `of`: only of that payment or refund.

        False: something is due that cannot be done now. Raises ProviderUnavailable, ProviderRefused, once all else of
        it is done.
        """
        unanswered: dict[str, ProviderError] = {}
        for _ in range(MOST_STEPS):
            account = self._appender.load(account_id)
            by = by._replace(now=max(by.now, account.recorded_at))  # a clock may have been set back
            due = [each for each in duties(account) if part_of(each) == part and of in ("", each.of)]
            due = [duty for duty in due if duty.due_at <= by.now]
            if not self._do_one(by, account, due, unanswered):
                if due and self._appender.load(account_id).version > account.version:
                    continue  # another one was faster, and has made due what was not
                for trouble in unanswered.values():
                    raise trouble
                return not due
        return False

    def _do_one(
        self, by: By, account: CreditAccount, due: Sequence[Duty], unanswered: dict[str, ProviderError]
    ) -> bool:
        """One step for the first that one can be done for; what the provider did not answer for is passed over."""
        for duty in due:
            if duty.of in unanswered:
                continue
            try:
                if self._do(by, account, duty):
                    return True
            except (ProviderUnavailable, ProviderRefused) as trouble:
                unanswered[duty.of] = trouble
        return False

    def _do(self, by: By, account: CreditAccount, duty: Duty) -> bool:
        """One step. False: nothing can be done for it now."""
        match duty.kind:
            case "payment" | "purchase" | "action_timeout":
                step = payments.step(account, duty.of, by.now)
                return step is not None and self._provider is not None and self.take(by, account, step)
            case "refund":
                return self._provider is not None and self._refund(by, account, account.refunds[duty.of])
            case "expire":
                return self._append(account, lambda now: expire(now, by))
            case _:
                return self._append(account, lambda now: look_again(now, by.now, self._policy))

    def take(self, by: By, account: CreditAccount, step: Step) -> bool:
        """A step of a payment (see domain.payments.step). False: nothing came of it."""
        match step.what:
            case payments.CREATE:
                return self._create(by, account, step)
            case payments.TRY:
                return self.attempt(by, account, step.payment.of, step.present)
            case payments.ASK:
                return self._resume(by, account, step.payment)
            case payments.READ:
                return self.settle(by, account, step.payment)
            case _:
                return self._cancel(by, account, step)

    def _create(self, by: By, account: CreditAccount, step: Step) -> bool:
        """The payment at the provider, of which nothing is asked yet."""
        provider, method, of, since = self.provider(), step.method, step.payment.of, step.payment.since
        assert method is not None
        try:
            known = provider.find_payment(method.customer, of, since) if by.now - since > KEYS_KEPT else None
            state = known or provider.create_payment(
                account.account_id, method.customer, of, step.payment.amount, account.currency, f"{of}:create"
            )
        except (ProviderRefused, Refused, Invalid) as refused:
            decline = _decline(refused)
            return self._append(
                account, lambda now: payments.payment_refused(now, by, of, decline.code, decline.message)
            )
        return self._append(
            account, lambda now: payments.payment_created(now, by, of, provider.name, state.payment_id)
        )  # fmt: skip

    def attempt(self, by: By, account: CreditAccount, of: str, present: bool) -> bool:
        """A try: on the log first, then with the bank."""
        account, events = self._appender.append(
            account.account_id, lambda now: payments.payment_tried(now, by, of, present)
        )
        tried = account.payments.get(of)
        if not events or tried is None or tried.state != TRYING:
            return bool(events)  # another one was first, or it is not wanted any more
        return self._resume(by, account, tried)

    def _resume(self, by: By, account: CreditAccount, payment: Payment) -> bool:
        """A try of which it is not known what came: asked for, or asked for again under the same key."""
        provider, of = self.provider(), payment.of
        method = method_of(account, payment)
        back = self._links.back(PAY, account.account_id, of)
        try:
            if by.now - payment.tried_at > KEYS_KEPT:
                state = provider.read_payment(payment.payment_id)
                if state.state != "created" and (state.state != "declined" or payment.number == 1):
                    return self.book(by, account, payment, state)
            state = provider.confirm(
                payment.payment_id, method.token, payment.present, back, f"{of}:confirm:{payment.number}"
            )
        except ProviderUnavailable:
            state = provider.read_payment(payment.payment_id)
            if state.state in ("created", "declined"):  # before this try or after it: only its key's answer tells
                raise
        except (ProviderRefused, Refused) as refused:
            state = self._refused(account, payment, _decline(refused))
        return self.book(by, account, payment, state)

    def _refused(self, account: CreditAccount, payment: Payment, decline: Decline) -> PaymentState:
        """How a payment stands that the provider will not confirm: declined, where it has not moved on by itself."""
        try:
            state = self.provider().read_payment(payment.payment_id)
        except UnknownAtProvider:
            return PaymentState(
                payment.payment_id, "declined", payment.amount, account.currency, payment.of, account.account_id,
                decline, "", ZERO,
            )  # fmt: skip
        return state._replace(state="declined", decline=decline) if state.state in ("created", "declined") else state

    def settle(self, by: By, account: CreditAccount, payment: Payment) -> bool:
        """What the provider says of a payment that waits for the bank or the customer."""
        return self.book(by, account, payment, self.provider().read_payment(payment.payment_id))

    def _cancel(self, by: By, account: CreditAccount, step: Step) -> bool:
        """At the provider for good, then here; where it was too late, the money is booked."""
        payment, cause = step.payment, step.cause
        if payment.state == NEW:
            return self._append(account, lambda now: payments.payment_cancelled(now, by, payment.of, cause))
        try:
            state = self.cancel_at_provider(payment)
        except UnknownAtProvider:
            if payment.state not in (CREATED, RETRYING):  # it may take money yet, where it is known
                raise
            return self._append(account, lambda now: payments.payment_cancelled(now, by, payment.of, cause))
        return state.state in ("canceled", "succeeded") and self.book(by, account, payment, state, cause)

    def cancel_at_provider(self, payment: Payment) -> PaymentState:
        """How it then stands: canceled for good, succeeded (too late), or on its way with the bank."""
        # a payment that the bank works on is refused, and that answer kept: later it is another question
        key = f"{payment.of}:cancel:{payment.number}:{payment.state}"
        return self.provider().cancel(payment.payment_id, key)

    def book(self, by: By, account: CreditAccount, payment: Payment, state: PaymentState, cause: str = "gone") -> bool:
        """The outcome of a payment as it was when it was asked for; one who was faster has booked it already."""
        of, number, before = payment.of, payment.number, payment.state

        def decide(account: CreditAccount) -> Sequence[Event]:
            now = account.payments.get(of)
            if now is None or now.payment_id != payment.payment_id:
                return []
            match state.state:
                case "succeeded":
                    return payments.payment_succeeded(account, by, of, state.amount)
                case "canceled":
                    return payments.payment_cancelled(account, by, of, cause)
            if (now.number, now.state) != (number, before):
                return []
            return self._undecided(account, by, of, state)

        return self._append(account, decide)

    def _undecided(self, account: CreditAccount, by: By, of: str, state: PaymentState) -> Sequence[Event]:
        match state.state:
            case "declined" if state.decline is not None:
                return payments.payment_declined(account, by, of, *state.decline, self._policy.retry_schedule)
            case "requires_action":
                until = by.now + self._policy.action_timeout_seconds * SECOND
                return payments.payment_action_required(account, by, of, until)
            case "processing":
                return payments.payment_processing(account, by, of)
        return []

    def _refund(self, by: By, account: CreditAccount, refund: Refund) -> bool:
        """One that the provider has not taken on yet, or whose end is not known."""
        if refund.provider_refund:
            return self.book_refund(by, account, refund.id, self.provider().read_refund(refund.provider_refund))
        try:
            state = self._send(by, account, refund)
        except ProviderRefused as refused:
            code = _decline(refused).code
            return self._append(account, lambda now: refunds.refund_failed(now, by, refund.id, code))
        return self.book_refund(by, account, refund.id, state)

    def _send(self, by: By, account: CreditAccount, refund: Refund) -> RefundState:
        provider, payment_id = self.provider(), account.lots[refund.lot].payment_id
        if by.now - refund.since > KEYS_KEPT:
            for known in provider.refunds_of(payment_id):
                if known.of == refund.id:
                    return known
        return provider.refund(payment_id, refund.amount, account.currency, refund.id, refund.id)

    def book_refund(self, by: By, account: CreditAccount, refund_id: str, state: RefundState) -> bool:
        """What the provider says of a refund of ours."""

        def decide(now: CreditAccount) -> Sequence[Event]:
            events = refunds.refund_sent(now, by, refund_id, state.refund_id)
            if state.state == "succeeded":
                events += refunds.refund_succeeded(now, by, refund_id)
            elif state.state in ("failed", "canceled"):
                events += refunds.refund_failed(now, by, refund_id, state.code or state.state)
            return events

        return self._append(account, decide)

    def provider(self) -> Provider:
        """Only to be asked for where there is one."""
        assert self._provider is not None
        return self._provider

    def _append(self, account: CreditAccount, decide: Decide) -> bool:
        return bool(self._appender.append(account.account_id, decide)[1])


def method_of(account: CreditAccount, payment: Payment) -> Method:
    """What a try is paid with, also where it was removed meanwhile."""
    return account.methods.get(payment.method) or account.former_methods[payment.method]


def _decline(refused: ProviderRefused | Refused | Invalid) -> Decline:
    """What is refused as it is can only be paid another way. Raises it where the API key is what is wrong."""
    if refused.code == KEY_REFUSED:
        raise refused
    return Decline(refused.code, "", True, refused.message)
