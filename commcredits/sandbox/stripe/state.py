"""What the sandbox keeps, in memory: every object by its kind and id, how each card behaves, and the events."""

from __future__ import annotations

import json
import secrets
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any, Final

from commcredits.sandbox.stripe.cards import Answer, Card
from commcredits.sandbox.stripe.errors import missing

Object = dict[str, Any]
API_VERSION: Final = "2026-08-26.dahlia"
# what Stripe calls an object's kind -> how its ids begin
PREFIXES: Final = {
    "customer": "cus",
    "payment_method": "pm",
    "setup_intent": "seti",
    "checkout.session": "cs_test",
    "payment_intent": "pi",
    "charge": "ch",
    "refund": "re",
    "dispute": "du",
    "event": "evt",
}
NO_LIVEMODE: Final = ("refund",)


class State:
    """All of one mode under one lock, which is never held while somebody waits."""

    def __init__(self, live: bool = False) -> None:
        self.live = live
        self.lock = threading.RLock()
        self.url = ""  # of the server, for the pages it links to
        self.clock_offset_seconds = 0
        self.objects: dict[str, dict[str, Object]] = {kind: {} for kind in PREFIXES}
        self.cards: dict[str, Card] = {}  # by payment method
        self.answers: dict[str, list[Answer]] = {}  # what comes next, by customer
        self.always: dict[str, Answer] = {}  # what comes where nothing comes next, by customer
        self.refund_status = "succeeded"  # what a refund is at first
        self.on_event: Callable[[Object], None] = lambda event: None

    def now(self) -> int:
        """Seconds since the epoch, by the sandbox's clock."""
        return int(time.time()) + self.clock_offset_seconds

    def make(self, kind: str, values: Object) -> Object:
        """A new object of a kind, with what all have."""
        made = {
            "id": f"{PREFIXES[kind]}_{secrets.token_hex(12)}",
            "object": kind,
            "created": self.now(),
            **({} if kind in NO_LIVEMODE else {"livemode": self.live}),
            **values,
        }
        self.objects[kind][made["id"]] = made
        return made

    def get(self, kind: str, object_id: str, param: str = "id") -> Object:
        """The object that the address names. Raises ApiError 404."""
        found = self.objects[kind].get(object_id)
        if found is None or found.get("deleted"):
            raise missing(kind.split(".")[-1], object_id, param, 404)
        return found

    def named(self, kind: str, object_id: str, param: str) -> Object:
        """The object that a parameter names. Raises ApiError 400."""
        found = self.objects[kind].get(object_id)
        if found is None or found.get("deleted"):
            raise missing(kind.split(".")[-1], object_id, param)
        return found

    def newest(self, kind: str) -> Iterator[Object]:
        """All of a kind, the newest first."""
        return reversed([each for each in self.objects[kind].values() if not each.get("deleted")])

    def find(self, object_id: str) -> Object | None:
        """Any object by its id."""
        return next((kind[object_id] for kind in self.objects.values() if object_id in kind), None)

    def emit(self, kind: str, subject: Object, before: Object | None = None) -> Object:
        """An event that says what has become of an object; the object is copied as it is now."""
        data = {"object": json.loads(json.dumps(subject))} | ({"previous_attributes": before} if before else {})
        values = {
            "api_version": API_VERSION,
            "data": data,
            "pending_webhooks": 1,
            "request": {"id": None, "idempotency_key": None},
            "type": kind,
        }
        event = self.make("event", values)
        self.on_event(event)
        return event
