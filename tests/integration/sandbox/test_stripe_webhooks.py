"""The sandbox's webhooks, at a real receiver. What is quoted is what Stripe documents."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
import stripe

from tests.support.stripe_calls import Shop
from tests.support.waiting import wait_until

OLD = "whsec_old"


class Receiver(ThreadingHTTPServer):
    """Keeps what came; answers the statuses that it is told, then 200."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.came: list[tuple[bytes, str]] = []
        self.statuses: list[int] = []
        self.url = f"http://127.0.0.1:{self.server_address[1]}/hook"

    def kinds(self) -> list[str]:
        return [event.type for event in self.events()]

    def events(self, secret: str = "") -> list[Any]:
        """What came, its signature checked where a secret is given."""
        if secret:
            return [stripe.Webhook.construct_event(body, signed, secret) for body, signed in self.came]
        return [stripe.Event.construct_from(json.loads(body), None) for body, _ in self.came]


class _Handler(BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.came.append((body, self.headers["Stripe-Signature"]))
        self.send_response(self.server.statuses.pop(0) if self.server.statuses else 200)
        self.end_headers()

    def log_message(self, *args: Any) -> None:
        """Nothing."""


@pytest.fixture
def receiver(shop: Shop) -> Iterator[Receiver]:
    server = Receiver()
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    shop.control.webhook(server.url)
    yield server
    shop.sandbox.close()
    server.shutdown()
    server.server_close()
    thread.join()


PAID = {"payment_method.attached", "payment_intent.created", "charge.succeeded", "payment_intent.succeeded"}


def test_events_are_signed(shop: Shop, receiver: Receiver) -> None:
    """ "`Stripe-Signature: t=UNIX,v1=HEX`, HMAC-SHA256 over `t + "." + raw body`": Stripe's own library checks it."""
    payment = shop.pay()
    wait_until(lambda: set(receiver.kinds()) == PAID)

    events = receiver.events(shop.sandbox.webhook_secret)

    assert {event.data.object.id for event in events if event.type == "payment_intent.succeeded"} == {payment}
    with pytest.raises(stripe.SignatureVerificationError):
        receiver.events("whsec_another")


def test_several_signatures_while_a_secret_is_being_rolled(shop: Shop, receiver: Receiver) -> None:
    shop.control.webhook(receiver.url, [OLD, shop.sandbox.webhook_secret])
    shop.intent()
    wait_until(lambda: receiver.came)

    assert receiver.came[0][1].count("v1=") == 2
    assert receiver.events(OLD)[0].id == receiver.events(shop.sandbox.webhook_secret)[0].id


def test_an_event_is_retried_until_a_2xx_comes(shop: Shop, receiver: Receiver) -> None:
    receiver.statuses = [500, 404]
    shop.intent()
    wait_until(lambda: len(receiver.came) == 3)

    assert len({event.id for event in receiver.events()}) == 1
    wait_until(lambda: len(shop.control.deliveries()) == 3)
    assert [each["status"] for each in shop.control.deliveries()] == [500, 404, 200]


def test_at_least_once_means_twice_where_it_is_wanted(shop: Shop, receiver: Receiver) -> None:
    shop.control.webhooks(times=2)
    shop.intent()
    wait_until(lambda: len(receiver.came) == 2)

    assert len({event.id for event in receiver.events()}) == 1


def test_in_any_order(shop: Shop, receiver: Receiver) -> None:
    shop.control.webhooks(hold=True)
    shop.pay()
    assert receiver.came == []

    assert shop.control.release_webhooks(reverse=True) == len(PAID)

    wait_until(lambda: set(receiver.kinds()) == PAID)


def test_an_event_can_be_sent_again_and_late(shop: Shop, receiver: Receiver) -> None:
    shop.intent()
    wait_until(lambda: len(receiver.came) == 1)
    shop.control.webhooks(delay_seconds=0.05)

    shop.control.resend(shop.events("payment_intent.created")[0]["id"])

    wait_until(lambda: len(receiver.came) == 2)
    assert len({event.id for event in receiver.events()}) == 1


def test_a_receiver_that_is_not_there_stops_nothing(shop: Shop) -> None:
    shop.control.webhook("http://127.0.0.1:1/hook")
    shop.pay()
    wait_until(shop.control.deliveries)
    assert shop.control.deliveries()[0]["status"] == 0


def test_a_card_that_the_bank_renewed_is_told(shop: Shop) -> None:
    card = shop.save()

    shop.control.renew_card(card, 1, 2040, "9999")

    told = shop.events("payment_method.automatically_updated")[0]["data"]["object"]["card"]
    assert (told["exp_month"], told["exp_year"], told["last4"]) == (1, 2040, "9999")
    assert shop.api.payment_methods.retrieve(card).card.last4 == "9999"  # type: ignore[union-attr]
