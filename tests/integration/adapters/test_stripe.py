"""The port's promises, kept by Stripe's adapter and the official library against the sandbox."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from decimal import Decimal
from urllib.parse import urlsplit

import pytest

from adapters.payments.stripe import Stripe
from application.payments import (
    BadSignature,
    CardDeclined,
    DisputeState,
    ProviderEvent,
    ProviderRefused,
    UnknownAtProvider,
)
from commcredits.bootstrap import Engine
from commcredits.sandbox.stripe.server import StripeSandbox
from commcredits.sandbox.stripe.webhooks import signature
from commcredits.settings import Settings
from domain.errors import Refused
from tests.support.provider import ACCOUNT, RECHARGE, Till

SECOND = 1_000_000


def test_a_saved_card_pays_while_nobody_is_there(till: Till) -> None:
    card = till.provider.attach(till.customer, "pm_card_visa", "k")
    payment = till.create()
    assert till.provider.read_payment(payment).state == "created"

    paid = till.confirm(payment, card.token)

    assert paid == till.provider.read_payment(payment)
    assert (paid.state, paid.amount, paid.currency) == ("succeeded", 50, "EUR")
    assert (paid.of, paid.account, paid.decline) == (RECHARGE, ACCOUNT, None)
    assert (card.brand, card.last4, card.expires) == ("visa", "4242", 203412)
    assert till.charges() == [(payment, 5000)]


@pytest.mark.parametrize(
    ("card", "code", "hard"),
    [
        ("pm_card_visa_chargeDeclinedInsufficientFunds", "insufficient_funds", False),
        ("pm_card_chargeDeclinedExpiredCard", "expired_card", True),
        ("pm_card_visa_chargeDeclinedLostCard", "lost_card", True),
    ],
)
def test_a_card_that_the_bank_declines_is_not_saved(till: Till, card: str, code: str, hard: bool) -> None:
    with pytest.raises(CardDeclined) as declined:
        till.card(card)

    assert (declined.value.decline.code, declined.value.decline.hard) == (code, hard)
    assert (declined.value.field, "save another card" in str(declined.value)) == ("card", True)


def test_a_bank_that_asks_at_saving_wants_the_link(till: Till) -> None:
    with pytest.raises(ProviderRefused, match="use --link") as refused:
        till.card("pm_card_authenticationRequiredOnSetup")

    assert (refused.value.code, refused.value.field) == ("authentication_required", "card")


def test_a_card_is_saved_on_the_providers_page(till: Till, stripe_sandbox: StripeSandbox) -> None:
    setup = till.provider.start_setup(till.customer, ACCOUNT, "https://credits.example/pay/x", "setup:1")
    assert (setup.state, setup.card, setup.account) == ("open", None, ACCOUNT)
    assert setup.url.startswith(stripe_sandbox.url)

    saved = till.control.save_card(setup.session_id, "pm_card_mastercard")

    assert (
        saved["success_url"].replace("{CHECKOUT_SESSION_ID}", setup.session_id).endswith(f"?session={setup.session_id}")
    )
    done = till.provider.read_setup(setup.session_id)
    assert (done.state, done.customer, done.url) == ("complete", till.customer, "")
    assert done.card is not None
    assert (done.card.brand, done.card.last4) == ("mastercard", "4444")
    assert till.confirm(till.create(), done.card.token).state == "succeeded"


def test_a_card_that_is_detached_is_gone_and_a_second_time_nothing_happens(till: Till) -> None:
    token = till.card()
    assert till.provider.read_card(token) is not None

    till.provider.detach(token)
    till.provider.detach(token)

    assert till.provider.read_card(token) is None
    tried = till.confirm(till.create(), token)
    assert tried.state == "declined"
    assert tried.decline is not None
    assert (tried.decline.code, tried.decline.hard) == ("card_gone", True)


def test_a_declined_payment_may_be_tried_again(till: Till) -> None:
    token, payment = till.card(), till.create()
    advised = {"decline_code": "do_not_honor", "advice_code": "do_not_try_again"}
    till.control.card_answers(ACCOUNT, ["insufficient_funds", advised])

    soft, hard = (till.confirm(payment, token, number) for number in (1, 2))

    assert soft.state == hard.state == "declined"
    assert soft.decline is not None
    assert (soft.decline.code, soft.decline.hard) == ("insufficient_funds", False)
    assert soft.decline.message == "Your card has insufficient funds."
    assert hard.decline is not None
    assert (hard.decline.code, hard.decline.advice, hard.decline.hard) == ("do_not_honor", "do_not_try_again", True)
    assert till.provider.read_payment(payment) == hard
    assert till.confirm(payment, token, 3).state == "succeeded"
    assert till.charges() == [(payment, 5000)]


def test_a_stolen_card_is_told_as_declined_and_no_more(till: Till) -> None:
    token, payment = till.card(), till.create()
    till.control.card_answers(ACCOUNT, ["stolen_card"])

    assert till.confirm(payment, token).decline == ("stolen_card", "", True, "The bank declined the card.")


def test_a_bank_that_asks_for_the_customer_is_answered_with_them_there(till: Till) -> None:
    token, payment = till.card("pm_card_authenticationRequired"), till.create()
    away = till.confirm(payment, token)
    assert (away.state, away.action_url) == ("requires_action", "")
    assert till.provider.read_payment(payment) == away

    there = till.confirm(payment, token, 2, present=True)
    assert there.state == "requires_action"
    assert there.action_url.startswith("http")
    till.control.authenticate(payment)

    assert till.provider.read_payment(payment).state == "succeeded"
    assert till.confirm(payment, token, 2, present=True).state == "succeeded"  # the kept answer is out of date
    assert till.charges() == [(payment, 5000)]


def test_a_customer_whom_the_bank_does_not_know_is_a_decline(till: Till) -> None:
    token, payment = till.card("pm_card_authenticationRequired"), till.create()
    till.confirm(payment, token, present=True)

    till.control.authenticate(payment, succeed=False)

    failed = till.provider.read_payment(payment)
    assert failed.state == "declined"
    assert failed.decline is not None
    assert (failed.decline.code, failed.decline.hard) == ("payment_intent_authentication_failure", False)


def test_a_payment_that_takes_days_is_processing(till: Till) -> None:
    token, payment = till.card(), till.create()
    till.control.card_answers(ACCOUNT, ["processing"])
    assert till.confirm(payment, token).state == "processing"

    till.control.settle(payment, "insufficient_funds")

    assert till.provider.read_payment(payment).state == "declined"


def test_a_cancelled_payment_never_pays_and_one_that_was_too_late_says_so(till: Till) -> None:
    token, ended, paid = till.card(), till.create(), till.pay("pur-contoso-8")

    assert till.provider.cancel(ended, "c1").state == "canceled"
    assert till.provider.cancel(ended, "c2").state == "canceled"
    assert till.confirm(ended, token).state == "canceled"
    assert till.provider.cancel(paid, "c3").state == "succeeded"
    assert till.confirm(paid, token, 9).state == "succeeded"
    assert till.charges() == [(paid, 5000)]


def test_a_payment_is_found_by_what_it_is_for(till: Till) -> None:
    now = time.time_ns() // 1000
    many = [till.create(f"rch-contoso-{number}") for number in range(105)]

    found = till.provider.find_payment(till.customer, "rch-contoso-0", now + 3600 * SECOND)  # our clock is ahead

    assert found is not None
    assert found.payment_id == many[0]
    assert till.provider.find_payment(till.customer, "rch-contoso-0", now + 3 * 86_400 * SECOND) is None
    assert till.provider.find_payment(till.customer, "rch-contoso-999", now) is None


def test_an_amount_that_stripe_does_not_charge_is_refused_before_anything_is_sent(till: Till) -> None:
    before = len(till.control.requests())

    with pytest.raises(Refused) as refused:
        till.create(amount=Decimal("0.49"))

    assert refused.value.code == "amount_too_small"
    assert len(till.control.requests()) == before
    with pytest.raises(Refused) as too_large:
        till.create(amount=Decimal(99_999_999))
    assert too_large.value.code == "amount_too_large"


def test_refunds_are_told_whoever_made_them(till: Till) -> None:
    payment = till.pay()

    ours = till.provider.refund(payment, Decimal("12.50"), "EUR", "ref-contoso-9", "ref-contoso-9")
    till.control.refund(payment, 500)

    assert (ours.state, ours.amount) == ("succeeded", Decimal("12.50"))
    assert (ours.of, ours.payment_id) == ("ref-contoso-9", payment)
    assert till.provider.read_refund(ours.refund_id) == ours
    told = [(each.of, each.amount) for each in till.provider.refunds_of(payment)]
    assert told == [("ref-contoso-9", Decimal("12.50")), ("", 5)]
    assert till.provider.read_payment(payment).refunded == Decimal("17.50")
    with pytest.raises(ProviderRefused, match="Stripe refused"):
        till.provider.refund(payment, Decimal(40), "EUR", "ref-contoso-10", "ref-contoso-10")


def test_a_refund_may_fail_later(till: Till) -> None:
    payment = till.pay()
    till.control.refunds_are("pending")
    refund = till.provider.refund(payment, Decimal(50), "EUR", "ref-contoso-9", "ref-contoso-9")
    assert refund.state == "pending"

    till.control.settle_refund(refund.refund_id, "failed", "expired_or_canceled_card")

    failed = till.provider.read_refund(refund.refund_id)
    assert (failed.state, failed.code) == ("failed", "expired_or_canceled_card")
    assert till.provider.read_payment(payment).refunded == 0


@pytest.mark.parametrize("outcome", ["won", "lost"])
def test_a_dispute_is_read_with_whose_payment_it_is(till: Till, outcome: str) -> None:
    payment = till.pay()
    dispute = till.control.open_dispute(payment)["id"]
    opened = till.provider.read_dispute(dispute)
    assert opened == DisputeState(dispute, "open", Decimal(50), payment, ACCOUNT, RECHARGE)

    till.control.move_dispute(dispute, outcome)

    assert till.provider.disputes_of(payment) == [opened._replace(state=outcome)]


def test_an_inquiry_moves_no_money(till: Till) -> None:
    dispute = till.control.open_dispute(till.pay(), inquiry=True)["id"]

    assert till.provider.read_dispute(dispute).state == "inquiry"


def test_the_ledger_has_what_succeeded_and_what_became_of_it(till: Till) -> None:
    lost, refunded = till.pay("rch-contoso-1"), till.pay("pur-contoso-2", amount=Decimal(80))
    till.create("rch-contoso-3")
    till.provider.refund(refunded, Decimal(30), "EUR", "ref-contoso-4", "r")
    till.control.move_dispute(till.control.open_dispute(lost)["id"], "lost")

    lines = {line.payment_id: line for line in till.provider.ledger(till.customer, None, None)}

    assert set(lines) == {lost, refunded}
    line = lines[refunded]
    assert (line.of, line.account, line.amount, line.currency) == ("pur-contoso-2", ACCOUNT, 80, "EUR")
    assert (line.refunded, line.disputed, line.lost) == (30, False, 0)
    assert (lines[lost].refunded, lines[lost].disputed, lines[lost].lost) == (0, True, 50)
    at = line.created_at
    assert lines.keys() == {each.payment_id for each in till.provider.ledger(None, at - 60 * SECOND, at + 60 * SECOND)}
    assert list(till.provider.ledger(None, at + 60 * SECOND, None)) == []
    assert list(till.provider.ledger(None, None, at - 60 * SECOND)) == []


def test_what_stripe_does_not_know_is_told_apart(till: Till, stripe_sandbox: StripeSandbox) -> None:
    asked: tuple[Callable[[str], object], ...] = (
        till.provider.read_payment,
        till.provider.read_refund,
        till.provider.read_dispute,
    )
    for ask in asked:
        with pytest.raises(UnknownAtProvider, match="does not know") as unknown:
            ask("pi_of_another")
        host = urlsplit(stripe_sandbox.url).netloc
        assert unknown.value.source == {"kind": "provider", "name": "stripe", "host": host}
    assert till.provider.read_card("pm_of_another") is None
    assert till.provider.account_of("cus_of_another") == ""
    assert till.provider.account_of(till.customer) == ACCOUNT


def test_a_key_that_stripe_does_not_accept_is_named(stripe_sandbox: StripeSandbox) -> None:
    with pytest.raises(ProviderRefused, match="COMMCREDITS_STRIPE_API_KEY") as refused:
        Stripe("sk_live_wrong", stripe_sandbox.url).read_payment("pi_1")

    assert refused.value.code == "provider_key_refused"


def test_a_webhook_says_whom_to_look_up(till: Till, stripe_sandbox: StripeSandbox) -> None:
    payment, token = till.pay(), till.card()
    till.provider.refund(payment, Decimal(1), "EUR", "ref-contoso-9", "r")
    dispute = till.control.open_dispute(payment)["id"]
    till.control.renew_card(token, 11, 2036)
    till.provider.detach(token)

    seen = set()
    for event in stripe_sandbox.state.objects["event"].values():
        body = json.dumps(event).encode()
        header = signature(body, [stripe_sandbox.webhook_secret], event["created"])
        opened = till.provider.open_event(body, header, event["created"] * SECOND)
        assert opened.id == event["id"]
        seen.add((event["type"], opened[1:]))

    assert {
        ("payment_intent.succeeded", ("payment", payment, ACCOUNT, till.customer)),
        ("charge.refunded", ("refund", payment, ACCOUNT, till.customer)),
        ("charge.dispute.created", ("dispute", dispute, "", "")),
        ("payment_method.automatically_updated", ("method", token, "", till.customer)),
        ("payment_method.detached", ("method", token, "", till.customer)),
        ("customer.created", ("other", "", "", "")),
    } <= seen


def test_a_webhook_that_is_not_signed_or_no_event_is_refused(till: Till, stripe_sandbox: StripeSandbox) -> None:
    now = 1_795_000_000
    untyped = b'{"id":"evt_1","type":7,"data":{"object":{"id":"x"}}}'
    for body in (b"", b"{", b"[]", b"null", b'{"id":"evt_1"}', untyped, b"\xff"):
        with pytest.raises(BadSignature, match="no event"):
            till.provider.open_event(body, signature(body, [stripe_sandbox.webhook_secret], now), now * SECOND)
    with pytest.raises(BadSignature, match="fits no secret"):
        till.provider.open_event(b"{}", signature(b"{}", ["whsec_other"], now), now * SECOND)


def test_an_event_of_tomorrow_is_harmless(till: Till, stripe_sandbox: StripeSandbox) -> None:
    body = b'{"id":"evt_1","type":"tomorrow.came","data":{"object":{"id":"x"}}}'
    now = 1_795_000_000

    opened = till.provider.open_event(body, signature(body, [stripe_sandbox.webhook_secret], now), now * SECOND)

    assert opened == ProviderEvent("evt_1", "other", "", "", "")


@pytest.mark.parametrize("secret", ["whsec_old", "whsec_new"])
def test_two_secrets_are_set_while_one_is_being_rolled(secret: str) -> None:
    settings = Settings(stripe_api_key="sk_test_1", stripe_webhook_secret="whsec_old, whsec_new")
    provider = Engine(settings).provider
    assert provider is not None
    body, now = b'{"id":"evt_1","type":"tomorrow.came","data":{"object":{"id":"x"}}}', 1_795_000_000

    assert provider.open_event(body, signature(body, [secret], now), now * SECOND).id == "evt_1"


def test_without_a_key_there_is_no_provider() -> None:
    assert Engine(Settings()).provider is None
