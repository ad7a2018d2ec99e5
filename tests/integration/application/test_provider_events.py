"""Webhooks: whatever is told, twice, late, in any order, or by nobody we know, is asked for and booked once."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator

import pytest

from application.payments import BadSignature
from commcredits.sandbox.stripe.webhooks import signature as sign
from domain.events import FundsAdded
from tests.support.receivers import Receiver, receiver
from tests.support.shop import Shop, money
from tests.support.waiting import wait_until


class Told:
    """What the sandbox has told; the shop hears it when the test says so."""

    def __init__(self, shop: Shop, posts: Receiver) -> None:
        self._shop, self._posts = shop, posts
        shop.control.webhook(posts.url)

    def hear(self, kind: str, times: int = 2) -> None:
        """Wait for an event of that type, then let the shop hear all that came, so many times, the last first."""
        wait_until(lambda: kind in [post.json["type"] for post in self._posts.posts], what=kind)
        heard = list(self._posts.posts)
        del self._posts.posts[: len(heard)]
        for post in heard[::-1] * times:
            self._shop.engine.provider_events.webhook(post.body, post.headers["stripe-signature"])


@pytest.fixture
def told(shop: Shop) -> Iterator[Told]:
    with receiver() as posts:
        yield Told(shop, posts)


def test_a_payment_that_was_processing_is_booked_when_its_end_is_told(shop: Shop, told: Told) -> None:
    shop.open()
    shop.control.card_answers("contoso", ["processing", "processing"])
    paid = shop.engine.paying.buy(shop.by(), "contoso", money("50"), key="a")
    failed = shop.engine.paying.buy(shop.by(), "contoso", money("60"), key="b")
    assert (paid.state, failed.state) == ("processing", "processing")
    payments = shop.account().payments

    shop.control.settle(payments[paid.purchase].payment_id)
    told.hear("payment_intent.succeeded")
    shop.control.settle(payments[failed.purchase].payment_id, "insufficient_funds")
    told.hear("payment_intent.payment_failed")
    shop.finish()

    purchases = shop.account().purchases
    assert (purchases[paid.purchase].state, purchases[failed.purchase].state) == ("succeeded", "failed")
    assert shop.account().balance == 50
    shop.check()


def test_what_is_booked_while_the_answer_is_under_way_leaves_nothing_undone(shop: Shop, told: Told) -> None:
    shop.at("2026-11-20T10:00:00Z")
    shop.open()
    shop.arm(amount="100", below="50")
    shop.engine.administration.set_standing(shop.by(), "contoso", money("70"), 20)
    shop.control.fault("late", path="/v1/payment_intents/*/confirm", seconds=3)
    hears = threading.Thread(target=told.hear, args=("payment_intent.succeeded",))
    hears.start()

    done = shop.finish(shop.at("2026-12-20T10:00:00Z")).done
    hears.join()

    assert shop.happened().count("FundsAdded") == 2
    assert (shop.account().balance, done["recharges"]) == (170, 1)
    assert [event.channel for event in shop.events() if isinstance(event, FundsAdded)] == ["webhook", "engine"]
    shop.check()


def test_a_refund_made_in_the_dashboard_is_booked_and_what_was_spent_is_debt(shop: Shop, told: Told) -> None:
    shop.open()
    lot = next(iter(shop.engine.paying.buy(shop.by(), "contoso", money("80")).account.lots))
    bought = shop.account().lots[lot]
    shop.engine.paying.refund(shop.by(), "contoso", lot, money("30"))

    shop.control.refund(bought.payment_id, 2000)
    told.hear("charge.refunded")

    assert shop.account().balance == 30
    assert [refund.state for refund in shop.account().refunds.values()] == ["succeeded", "succeeded"]
    shop.check()


def test_a_dispute_holds_the_rest_and_its_end_is_booked(shop: Shop, told: Told) -> None:
    shop.open()
    for outcome, balance in (("won", 50), ("lost", 0)):
        bought = shop.engine.paying.buy(shop.by(), "contoso", money("50"), key=outcome)
        lot = shop.account().lots[shop.account().purchases[bought.purchase].lot]
        before = shop.account().spendable(shop.by().now)
        dispute = shop.control.open_dispute(lot.payment_id)["id"]
        told.hear("charge.dispute.created")
        assert shop.account().spendable(shop.by().now) == before - 50
        shop.control.move_dispute(dispute, outcome)
        told.hear("charge.dispute.closed")
        assert shop.account().disputes[dispute].state == outcome
        assert shop.account().spendable(shop.by().now) == before - 50 + balance


def test_a_dispute_first_heard_of_when_it_is_lost_takes_the_money_back(shop: Shop, told: Told) -> None:
    shop.open()
    bought = shop.engine.paying.buy(shop.by(), "contoso", money("50"))
    lot = shop.account().lots[shop.account().purchases[bought.purchase].lot]
    shop.control.move_dispute(shop.control.open_dispute(lot.payment_id)["id"], "lost")

    told.hear("charge.dispute.closed")

    assert shop.account().balance == 0
    assert shop.happened()[-2:] == ["DisputeOpened", "DisputeClosed"]


def test_a_card_that_the_bank_renewed_is_known_by_its_new_date_and_tried_at_once(shop: Shop, told: Told) -> None:
    shop.open()
    shop.control.card_answers("contoso", ["insufficient_funds"])
    shop.arm()
    shop.finish()
    method = next(iter(shop.account().methods.values()))
    shop.control.renew_card(method.token, 6, 2031, "1111")

    told.hear("payment_method.automatically_updated")
    shop.finish()

    renewed = next(iter(shop.account().methods.values()))
    assert (renewed.expires, renewed.last4, shop.account().balance) == (203106, "1111", 100)
    shop.check()


def test_a_card_taken_away_at_the_provider_is_none_here(shop: Shop, told: Told) -> None:
    shop.open()
    token = next(iter(shop.account().methods.values())).token
    assert shop.engine.provider is not None
    shop.engine.provider.detach(token)

    told.hear("payment_method.detached")

    assert shop.account().methods == {}


def test_a_card_saved_on_the_providers_page_is_a_method_though_the_customer_never_came_back(
    shop: Shop, told: Told
) -> None:
    shop.open(card="")
    session = shop.engine.paying.add_link(shop.by(), "contoso").rsplit("/", 1)[1]
    shop.control.save_card(session)

    told.hear("checkout.session.completed")

    assert [method.last4 for method in shop.account().methods.values()] == ["4242"]


def test_what_is_told_of_a_stranger_changes_nothing(shop: Shop, told: Told) -> None:
    shop.open()
    provider = shop.engine.provider
    assert provider is not None
    stranger = provider.create_customer("stranger", "c")
    card = provider.attach(stranger, "pm_card_visa", "a").token
    payment = provider.create_payment("stranger", stranger, "rch-stranger-1", money("50"), "EUR", "p").payment_id
    ours = provider.create_payment("contoso", stranger, "rch-contoso-99", money("50"), "EUR", "q").payment_id
    for each in (payment, ours):
        provider.confirm(each, card, False, "", each)
    shop.control.refund(payment)
    shop.control.open_dispute(ours)
    before = shop.happened()

    told.hear("charge.dispute.created")

    assert shop.happened() == before


def test_an_event_for_what_the_provider_does_not_know_is_harmless(shop: Shop) -> None:
    shop.open()
    before = shop.happened()
    for kind in ("payment_intent.succeeded", "charge.dispute.created", "payment_method.detached", "invoice.paid"):
        body = json.dumps({"id": "evt_1", "type": kind, "data": {"object": {"id": "pi_none", "customer": "cus_x"}}})
        signature = sign(body.encode(), [str(shop.settings.stripe_webhook_secret)], int(time.time()))
        shop.engine.provider_events.webhook(body.encode(), signature)

    assert shop.happened() == before


def test_a_wrong_or_old_signature_is_refused(shop: Shop) -> None:
    body = b'{"id":"evt_1","type":"payment_intent.succeeded","data":{"object":{"id":"pi_1"}}}'
    secret, now = str(shop.settings.stripe_webhook_secret), int(time.time())
    for signature in (
        "",
        "t=1",
        sign(body, ["whsec_other"], now),
        sign(body, [secret], now - 400),
        sign(b"{}", [secret], now),
    ):
        with pytest.raises(BadSignature):
            shop.engine.provider_events.webhook(body, signature)
